/* The answer about landing pages as a pure function. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/pages.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/rows.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesResult Result;
typedef Analytics__Aggregate__V1__LandingPage Page;

static const struct table_shape shapes[PAGES_QUERIES] = {{2, 1}, {3, 1}, {1, 2}, {1, 2}};

static void add(struct rows_stage *s, size_t member, const char *page, const char *channel,
                double sessions, double leads)
{
  const char *texts[] = {page, channel, "asc_form_submission"};
  rows_add(s, PAGES_SESSIONS, member, texts, &sessions);
  if (leads > 0)
    rows_add(s, PAGES_LEADS, member, texts, &leads);
}

static Result *answer(struct rows_stage *s, bool from_region)
{
  rows_settle(s);
  rows_give_bases(s, PAGES_DAYS, PAGES_LOOKBACK);
  struct pages_question q = {.of = rows_question(s, PAGES_DAYS, PAGES_LOOKBACK),
                             .from_region = from_region};
  return compare_pages(&q, s->arena);
}

static const Page *find(const Result *r, const char *name)
{
  for (size_t i = 0; i < r->n_pages; i++)
    if (strcmp(r->pages[i]->page, name) == 0)
      return r->pages[i];
  return NULL;
}

static void a_page_is_held_to_its_type_in_its_channels(void)
{
  struct rows_stage s;
  rows_begin(&s, 1, 1, shapes, PAGES_QUERIES);
  add(&s, 0, "/used-vehicles/", "Direct", 1000, 10);
  add(&s, 0, "/used-vehicles/", "Email", 500, 20);
  add(&s, 0, "/new-vehicles/", "Direct", 3000, 90);
  add(&s, 0, "/new-vehicles/", "Display", 40, 4); /* too few for a rate of its own */
  add(&s, 0, "/service/", "Direct", 9000, 900);   /* another type: in no rate of lists */
  const Result *r = answer(&s, false);
  const Page *used = find(r, "/used-vehicles/"), *recent = find(r, "/new-vehicles/");
  CU_ASSERT_PTR_NOT_NULL_FATAL(used);
  CU_ASSERT_PTR_NOT_NULL_FATAL(recent);
  CU_ASSERT_STRING_EQUAL(used->type, "list");
  CU_ASSERT_DOUBLE_EQUAL(used->expected, 1000 * 100.0 / 4000 + 500 * 20.0 / 500, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(recent->expected, 3000 * 100.0 / 4000 + 40 * 124.0 / 4540, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(used->ratio, 30 / used->expected, 1e-12);
  CU_ASSERT_EQUAL(r->tested, 3);
  CU_ASSERT_DOUBLE_EQUAL(find(r, "/service/")->ratio, 1, 1e-12);
  rows_end(&s);
}

static void ids_are_folded_and_empty_is_not_set(void)
{
  struct rows_stage s;
  rows_begin(&s, 1, 1, shapes, PAGES_QUERIES);
  add(&s, 0, "/inventory/new-2026-ford-f-150-1FTFW1E52PFA00001/", "Direct", 30, 1);
  add(&s, 0, "/inventory/new-2025-ford-f-150-1FTFW1E52PFA00777/", "Email", 20, 2);
  add(&s, 0, "", "Direct", 5, 0);
  add(&s, 0, "(not set)", "Direct", 6, 1);
  const Result *r = answer(&s, false);
  const Page *vehicle = find(r, "/inventory/{vehicle}/new/ford-f-150"),
             *unset = find(r, "(not set)");
  CU_ASSERT_PTR_NOT_NULL_FATAL(vehicle);
  CU_ASSERT_PTR_NOT_NULL_FATAL(unset);
  CU_ASSERT_EQUAL(r->n_pages, 2);
  CU_ASSERT_EQUAL(vehicle->sessions, 50);
  CU_ASSERT_EQUAL(vehicle->lead_sessions, 3);
  CU_ASSERT_EQUAL(unset->sessions, 11);
  CU_ASSERT_EQUAL(unset->opt_expected_case, 0);
  CU_ASSERT_STRING_EQUAL(unset->verdict, "too_little_data");
  CU_ASSERT_EQUAL(r->page_count, 1);
  bool said = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    said = said || strstr(r->caveats[i], "18.0 % of the sessions have no landing page") != NULL;
  CU_ASSERT_TRUE(said);
  rows_end(&s);
}

static void over_and_under_performers_come_first_and_are_named(void)
{
  struct rows_stage s;
  char page[32];
  rows_begin(&s, 1, 1, shapes, PAGES_QUERIES);
  for (int i = 0; i < 30; i++) {
    snprintf(page, sizeof(page), "/new-vehicles/m%d/", i);
    add(&s, 0, page, "Direct", 1000 + i, i == 3 ? 55 : i == 7 ? 3 : 20);
  }
  const Result *r = answer(&s, false);
  CU_ASSERT_EQUAL_FATAL(r->n_pages, PAGES_ROWS_MAX);
  CU_ASSERT_EQUAL(r->tested, 30);
  CU_ASSERT_STRING_EQUAL(r->pages[0]->page, "/new-vehicles/m3/");
  CU_ASSERT_STRING_EQUAL(r->pages[0]->verdict, "above_expected");
  CU_ASSERT_STRING_EQUAL(r->pages[1]->page, "/new-vehicles/m7/");
  CU_ASSERT_STRING_EQUAL(r->pages[1]->verdict, "below_expected");
  CU_ASSERT_STRING_EQUAL(r->pages[2]->page, "/new-vehicles/m29/"); /* then by sessions */
  CU_ASSERT_PTR_NOT_NULL(
      strstr(r->headline, "fewer leads than expected: /new-vehicles/m7/ (3 lead"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "more than expected: /new-vehicles/m3/ (55 lead"));
  rows_end(&s);
}

/* n dealers with a list page and a service page; the subject's list page converts badly. */
static void fill_region(struct rows_stage *s, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    add(s, i, "/used-vehicles/", "Direct", 2000, i == 0 ? 20 : 50);
    add(s, i, "/service/", "Direct", 1500, 45);
    add(s, i, "/", "Direct", 3000, 60);
  }
  add(s, 1, "/blog/only-here/", "Direct", 500, 5);
}

static void the_region_holds_a_page_to_the_others(void)
{
  struct rows_stage s;
  rows_begin(&s, 4, 4, shapes, PAGES_QUERIES);
  fill_region(&s, 4);
  const Result *r = answer(&s, true);
  const Page *used = find(r, "/used-vehicles/");
  CU_ASSERT_PTR_NOT_NULL_FATAL(used);
  CU_ASSERT_DOUBLE_EQUAL(used->expected, 50, 1e-9);
  CU_ASSERT_STRING_EQUAL(used->verdict, "below_expected");
  CU_ASSERT_PTR_NULL(find(r, "/blog/only-here/"));
  rows_end(&s);
}

/* With sessions on 12 of 28 days a dealer has no rates: it is in no benchmark, and as the subject
 * it is held to none. */
static void a_dealer_that_lost_days_is_in_no_benchmark(void)
{
  for (size_t lost = 0; lost < 5; lost += 4) {
    struct rows_stage s;
    rows_begin(&s, 5, 5, shapes, PAGES_QUERIES);
    fill_region(&s, 4);
    add(&s, 4, "/used-vehicles/", "Direct", 2000, lost == 4 ? 900 : 50);
    rows_add_days(&s, PAGES_DAYS, lost, 0, 11);
    const Result *r = answer(&s, true);
    const Page *used = find(r, "/used-vehicles/");
    CU_ASSERT_PTR_NOT_NULL_FATAL(used);
    CU_ASSERT_DOUBLE_EQUAL(used->expected, lost == 4 ? 50 : 0, 1e-9);
    CU_ASSERT_STRING_EQUAL(used->verdict, lost == 4 ? "below_expected" : "suspect_data");
    rows_end(&s);
  }
}

static const char *const weeks[] = {"202641", "202642", "202643", "202644"};

/* The same as the door wants it: the others' rows by week. weeks_of: how many weeks each has. */
static void fill_region_by_week(struct rows_stage *s, size_t n, const size_t *weeks_of)
{
  add(s, 0, "/used-vehicles/", "Direct", 2000, 20);
  add(s, 0, "/service/", "Direct", 1500, 45);
  add(s, 0, "/", "Direct", 3000, 60);
  for (size_t i = 1; i < n; i++)
    for (size_t k = 0; k < weeks_of[i]; k++) {
      add(s, i, "/used-vehicles/", weeks[k], 500, k % 2 == 0 ? 12 : 13);
      add(s, i, "/service/", weeks[k], 375, 11);
      add(s, i, "/", weeks[k], 750, 15);
    }
}

static const size_t all_weeks[] = {0, 4, 4, 4, 4, 4, 4, 4};

/* More days would not help a dealer that stands alone. */
static void a_dealer_without_others_is_told_so(void)
{
  struct rows_stage s;
  rows_begin(&s, 1, 1, shapes, PAGES_QUERIES);
  add(&s, 0, "/", "Direct", 1000, 20);
  const Result *r = answer(&s, true);
  bool said = false;
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, ": there is no other dealer to compare with."));
  for (size_t i = 0; i < r->n_caveats; i++)
    said = said || strstr(r->caveats[i], "name a larger region or group") != NULL;
  CU_ASSERT_TRUE(said);
  CU_ASSERT_EQUAL(r->tested, 0);
  rows_end(&s);
  rows_begin(&s, 1, 1, shapes, PAGES_QUERIES);
  add(&s, 0, "/", "Direct", 1000, 20);
  r = answer(&s, false); /* its own rates need nobody */
  CU_ASSERT_EQUAL(r->tested, 1);
  CU_ASSERT_PTR_NULL(strstr(r->headline, "no other dealer"));
  rows_end(&s);
}

static void outside_dealers_give_a_rate_by_type_in_its_released_form(void)
{
  struct rows_stage s;
  rows_begin(&s, 8, 1, shapes, PAGES_QUERIES);
  fill_region_by_week(&s, 8, all_weeks);
  const Result *r = answer(&s, true);
  const Page *used = find(r, "/used-vehicles/");
  CU_ASSERT_PTR_NOT_NULL_FATAL(used);
  CU_ASSERT_DOUBLE_EQUAL(used->expected, 50, 1e-9); /* 2.5 per 100, two digits */
  CU_ASSERT_EQUAL(used->opt_q_case, 0);
  CU_ASSERT_DOUBLE_EQUAL(fmod(100 * used->ratio_low + 1e-9, 5), 0, 1e-6);
  CU_ASSERT_STRING_EQUAL(used->verdict, "below_expected");
  rows_end(&s);
}

static void a_type_of_too_few_outside_dealers_is_withheld(void)
{
  struct rows_stage s;
  rows_begin(&s, 5, 1, shapes, PAGES_QUERIES);
  fill_region_by_week(&s, 5, all_weeks);
  const Result *r = answer(&s, true);
  for (size_t i = 0; i < r->n_pages; i++) {
    CU_ASSERT_EQUAL(r->pages[i]->opt_expected_case, 0);
    CU_ASSERT_STRING_EQUAL(r->pages[i]->suppressed, "min_contributors");
    CU_ASSERT_STRING_EQUAL(r->pages[i]->verdict, "benchmark_withheld");
  }
  CU_ASSERT_EQUAL(r->tested, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline,
                                ": the others' rates are withheld (too few other "
                                "dealers to hide a single one), so no page is judged"));
  rows_end(&s);
}

/* Three of seven others have the page in the first week only: what is released over four weeks
 * would otherwise differ from that over the last three by theirs alone. */
static void a_type_must_pass_in_each_week(void)
{
  static const size_t some[] = {0, 4, 4, 4, 4, 1, 1, 1};
  struct rows_stage s;
  rows_begin(&s, 8, 1, shapes, PAGES_QUERIES);
  fill_region_by_week(&s, 8, some);
  const Result *r = answer(&s, true);
  const Page *used = find(r, "/used-vehicles/");
  CU_ASSERT_PTR_NOT_NULL_FATAL(used);
  CU_ASSERT_STRING_EQUAL(used->suppressed, "min_contributors");
  CU_ASSERT_EQUAL(used->opt_expected_case, 0);
  rows_end(&s);
}

/* Each dealer with the weeks in which it counts: the sum of what the weeks release. */
static void the_rate_of_a_period_is_the_sum_of_its_weeks(void)
{
  static const size_t some[] = {0, 4, 4, 4, 4, 4, 2, 3};
  double sessions = 0, leads = 0;
  struct rows_stage s;
  rows_begin(&s, 8, 1, shapes, PAGES_QUERIES);
  fill_region_by_week(&s, 8, some);
  add(&s, 7, "/used-vehicles/", "202640", 100000, 0); /* days of another week are in no base */
  for (size_t i = 1; i < 8; i++)
    for (size_t k = 0; k < some[i]; k++) {
      sessions += 500;
      leads += 12 + (double)(k % 2);
    }
  const Result *r = answer(&s, true);
  const Page *used = find(r, "/used-vehicles/");
  CU_ASSERT_PTR_NOT_NULL_FATAL(used);
  CU_ASSERT_DOUBLE_EQUAL(used->expected, 2000 * leads / sessions, 0.6); /* two digits */
  rows_end(&s);
}

/* The seventh lost four days of the third week, in which it would dominate the type: it is in the
 * other three weeks. */
static void an_outside_dealer_is_in_no_week_in_which_it_lost_days(void)
{
  struct rows_stage s;
  rows_begin(&s, 8, 1, shapes, PAGES_QUERIES);
  fill_region_by_week(&s, 8, all_weeks);
  add(&s, 7, "/used-vehicles/", weeks[2], 20000, 4000);
  rows_add_days(&s, PAGES_DAYS, 7, 0, 14);
  rows_add_days(&s, PAGES_DAYS, 7, 19, 27);
  const Result *r = answer(&s, true);
  const Page *used = find(r, "/used-vehicles/");
  double leads = 7 * (12 + 13 + 12 + 13) - 12, sessions = 7 * 4 * 500 - 500;
  CU_ASSERT_PTR_NOT_NULL_FATAL(used);
  CU_ASSERT_STRING_EQUAL(used->suppressed, "");
  CU_ASSERT_DOUBLE_EQUAL(used->expected, 2000 * leads / sessions, 0.6); /* two digits */
  rows_end(&s);
}

TEST_MAIN("aggregate pages", TEST(a_dealer_that_lost_days_is_in_no_benchmark),
          TEST(an_outside_dealer_is_in_no_week_in_which_it_lost_days),
          TEST(a_type_must_pass_in_each_week), TEST(the_rate_of_a_period_is_the_sum_of_its_weeks),
          TEST(a_page_is_held_to_its_type_in_its_channels),
          TEST(ids_are_folded_and_empty_is_not_set),
          TEST(over_and_under_performers_come_first_and_are_named),
          TEST(the_region_holds_a_page_to_the_others),
          TEST(outside_dealers_give_a_rate_by_type_in_its_released_form),
          TEST(a_type_of_too_few_outside_dealers_is_withheld),
          TEST(a_dealer_without_others_is_told_so))
