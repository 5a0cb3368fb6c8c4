/* The explanation of a change as a pure function. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/explain.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/rows.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__ExplainChangeResult Result;
typedef Analytics__Aggregate__V1__ChangePart Part;

static const struct table_shape shapes[EXPLAIN_QUERIES] = {{2, 2}, {3, 2}, {1, 2}, {5, 2}, {6, 2}};

static const char *range_of(bool before)
{
  return before ? "date_range_1" : "date_range_0";
}

/* A dealer's day: sessions, engaged sessions, leads; of the period before with `before`. */
static void add_day(struct rows_stage *s, size_t member, int day, bool before, double sessions,
                    double leads)
{
  const char *date = rows_day(before ? day - ROWS_DAYS : day);
  const char *plain[] = {date, range_of(before)};
  const char *lead[] = {date, "asc_form_submission", range_of(before)};
  double values[] = {sessions, sessions / 2}, counts[] = {leads, leads};
  rows_add(s, EXPLAIN_DAYS, member, plain, values);
  if (leads > 0)
    rows_add(s, EXPLAIN_DAY_LEADS, member, lead, counts);
}

static void add_days(struct rows_stage *s, size_t member, double before, double after, double rate)
{
  for (int k = 0; k < ROWS_DAYS; k++) {
    add_day(s, member, k, true, before, before * rate);
    add_day(s, member, k, false, after, after * rate);
  }
}

/* Sessions and leads of the subject over a whole period. */
static void add_part(struct rows_stage *s, bool before, const char *channel, const char *device,
                     const char *page, double sessions, double leads)
{
  const char *plain[] = {channel, device, "Reno", page, range_of(before)};
  const char *lead[] = {channel, device, "Reno", page, "asc_form_submission", range_of(before)};
  double values[] = {sessions, sessions / 2}, counts[] = {leads, leads};
  rows_add(s, EXPLAIN_PARTS, 0, plain, values);
  if (leads > 0)
    rows_add(s, EXPLAIN_PART_LEADS, 0, lead, counts);
}

static Result *answer(struct rows_stage *s, enum metric_id metric)
{
  static struct period before;
  period_of_days(&before, ROWS_MONDAY - ROWS_DAYS, ROWS_MONDAY - 1);
  rows_settle(s);
  struct explain_question q = {.of = rows_question(s, 0, 0), .metric = metric, .before = &before};
  return explain_change(&q, s->arena);
}

static const Part *find(const Result *r, const char *axis, const char *part)
{
  for (size_t i = 0; i < r->n_parts; i++)
    if (strcmp(r->parts[i]->axis, axis) == 0 && strcmp(r->parts[i]->part, part) == 0)
      return r->parts[i];
  return NULL;
}

static void parts_add_up(const Result *r)
{
  static const char *const axes[] = {"channel", "device", "page_type", "model", "city"};
  for (size_t k = 0; k < ARRAY_LEN(axes); k++) {
    double sum = 0;
    for (size_t i = 0; i < r->n_parts; i++)
      if (strcmp(r->parts[i]->axis, axes[k]) == 0)
        sum += r->parts[i]->contribution;
    CU_ASSERT_DOUBLE_EQUAL(sum, r->change->after - r->change->before, 1e-9);
  }
}

/* A campaign that ended: sessions of one channel are gone, the market stands still. */
static void begin_lost_campaign(struct rows_stage *s, size_t n, size_t seen)
{
  rows_begin(s, n, seen, shapes, EXPLAIN_QUERIES);
  add_days(s, 0, 200, 100, 0.02);
  for (size_t i = 1; i < n; i++)
    add_days(s, i, 300, 300, 0.02);
  add_part(s, true, "Direct", "mobile", "/", 2800, 56);
  add_part(s, true, "Paid Social", "mobile", "/inventory/new-2026-ford-f-150-1FTFW1E52PFA00001/",
           2800, 56);
  add_part(s, false, "Direct", "mobile", "/", 2700, 54);
  add_part(s, false, "Paid Social", "mobile", "/inventory/new-2026-ford-f-150-1FTFW1E52PFA00001/",
           100, 2);
}

/* The dealer loses 4 of 1,000 sessions a day, the market none. */
static void a_move_that_rounds_to_nothing_has_no_sign(void)
{
  struct rows_stage s;
  rows_begin(&s, 4, 4, shapes, EXPLAIN_QUERIES);
  add_days(&s, 0, 1000, 996, 0);
  for (size_t i = 1; i < 4; i++)
    add_days(&s, i, 1000, 1000, 0);
  add_part(&s, true, "Direct", "mobile", "/", 28000, 0);
  add_part(&s, false, "Direct", "mobile", "/", 27888, 0);
  const Result *r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_TRUE(r->change->change_percent < 0 && r->change->change_percent > -0.5);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "(0 %, 95 % interval -"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "the market 0 %, without which 0 %: "));
  rows_end(&s);
}

static void sessions_that_fell_are_given_to_the_channel_that_lost_them(void)
{
  struct rows_stage s;
  begin_lost_campaign(&s, 4, 4);
  const Result *r = answer(&s, METRIC_SESSIONS);
  const Part *p = find(r, "channel", "Paid Social"), *model = find(r, "model", "Ford F-150");
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  CU_ASSERT_PTR_NOT_NULL_FATAL(model);
  CU_ASSERT_PTR_EQUAL(p, r->parts[0]); /* largest first */
  CU_ASSERT_EQUAL(p->contribution, -2700);
  CU_ASSERT_EQUAL(model->contribution, -2700);
  CU_ASSERT_DOUBLE_EQUAL(p->explains, 2700.0 / 2800, 1e-12);
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "falling");
  CU_ASSERT_STRING_EQUAL(r->change->against_market, "falling");
  CU_ASSERT_DOUBLE_EQUAL(r->change->market_percent, 0, 1e-9);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "channel Paid Social (96 % of it)"));
  CU_ASSERT_EQUAL(r->n_axes, 0);
  parts_add_up(r);
  rows_end(&s);
}

/* Kitagawa: two channels with constant rates, whose shares change. */
static void a_rate_that_moves_by_its_mix_alone_says_so(void)
{
  struct rows_stage s;
  rows_begin(&s, 3, 3, shapes, EXPLAIN_QUERIES);
  add_days(&s, 0, 200, 200, 0.02);
  add_days(&s, 1, 300, 300, 0.02);
  add_days(&s, 2, 300, 300, 0.02);
  add_part(&s, true, "Direct", "mobile", "/", 2800, 84);
  add_part(&s, true, "Display", "mobile", "/", 2800, 28);
  add_part(&s, false, "Direct", "mobile", "/", 1400, 42);
  add_part(&s, false, "Display", "mobile", "/", 4200, 42);
  const Result *r = answer(&s, METRIC_LEADS_PER_100_SESSIONS);
  CU_ASSERT_EQUAL_FATAL(r->n_axes, 5);
  CU_ASSERT_STRING_EQUAL(r->axes[0]->axis, "channel");
  CU_ASSERT_DOUBLE_EQUAL(r->axes[0]->mix, 1.5 - 2, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r->axes[0]->within, 0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r->axes[1]->mix, 0, 1e-12); /* one device: all within */
  CU_ASSERT_DOUBLE_EQUAL(r->axes[1]->within, 1.5 - 2, 1e-12);
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "no_clear_change"); /* by the days nothing moved */
  rows_end(&s);
}

static void days_without_data_come_first(void)
{
  struct rows_stage s;
  rows_begin(&s, 2, 2, shapes, EXPLAIN_QUERIES);
  add_days(&s, 1, 300, 300, 0.02);
  for (int k = 0; k < ROWS_DAYS; k++) {
    add_day(&s, 0, k, true, 100, 2);
    if (k < 10 || k > 13)
      add_day(&s, 0, k, false, 100, 2);
  }
  const Result *r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_TRUE_FATAL(r->n_caveats > 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->caveats[0], "d0 (gap): 4 days without a session"));
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "suspect_data");
  CU_ASSERT_EQUAL(strncmp(r->headline, "The data is suspect", 19), 0);
  rows_end(&s);
}

static bool says(const Result *r, const char *part)
{
  bool found = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    found = found || strstr(r->caveats[i], part) != NULL;
  return found;
}

/* Chance is named where it was tested, not where there is nothing, or too little, to test. */
static void chance_explains_nothing_that_was_not_tested(void)
{
  static const char chance[] = "chance explains the move", little[] = "tell the move from chance";
  struct rows_stage s;
  rows_begin(&s, 2, 2, shapes, EXPLAIN_QUERIES);
  add_days(&s, 0, 300, 300, 0.02);
  add_days(&s, 1, 300, 300, 0.02);
  const Result *r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "no_clear_change");
  CU_ASSERT_TRUE(says(r, chance));
  rows_end(&s);
  rows_begin(&s, 2, 2, shapes, EXPLAIN_QUERIES);
  for (int k = 0; k < ROWS_DAYS; k++)
    for (int before = 0; before < 2; before++)
      add_day(&s, 0, k, before != 0, 20, k < 1 + before);
  add_days(&s, 1, 300, 300, 0.02);
  r = answer(&s, METRIC_LEADS_PER_100_SESSIONS);
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "too_little_data");
  CU_ASSERT_TRUE(says(r, little) && !says(r, chance));
  rows_end(&s);
  rows_begin(&s, 2, 2, shapes, EXPLAIN_QUERIES);
  add_days(&s, 1, 300, 300, 0.02);
  r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_FALSE(says(r, chance) || says(r, little));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, ": no sessions, so there is nothing to compare"));
  rows_end(&s);
}

static void the_market_of_outside_dealers_is_rounded(void)
{
  for (int metric = 0; metric < 2; metric++) {
    struct rows_stage s;
    begin_lost_campaign(&s, 8, 1);
    const Result *r = answer(&s, metric == 0 ? METRIC_SESSIONS : METRIC_LEADS_PER_100_SESSIONS);
    CU_ASSERT_STRING_EQUAL(r->change->suppressed, "");
    CU_ASSERT_NOT_EQUAL_FATAL(r->change->opt_market_case, 0);
    CU_ASSERT_EQUAL(r->change->market_percent, nearbyint(r->change->market_percent));
    CU_ASSERT_EQUAL(fmod(r->change->relative_low_percent, 5), 0);
    CU_ASSERT_EQUAL(fmod(r->change->relative_high_percent, 5), 0);
    rows_end(&s);
  }
}

/* Leads of a day: 6, or 2 and 10 by turns. */
static double rough(bool is, int day)
{
  return !is ? 6 : day % 2 == 0 ? 2 : 10;
}

/* A released rate is compared over the larger over-dispersion of its two periods, whichever it is:
 * the events of both sides are rounded down to 320, the subject has 112 in either. */
static void a_rate_of_outside_dealers_is_as_uncertain_as_its_rougher_period(void)
{
  for (int which = 0; which < 3; which++) {
    struct rows_stage s;
    rows_begin(&s, 8, 1, shapes, EXPLAIN_QUERIES);
    add_days(&s, 0, 200, 200, 0.02);
    for (size_t i = 1; i < 8; i++)
      for (int k = 0; k < ROWS_DAYS; k++) {
        add_day(&s, i, k, true, 300, rough(which == 1, k));
        add_day(&s, i, k, false, 300, rough(which == 2, k));
      }
    double phi = which == 0 ? 1 : 7.0 * 28 * 16 / 6 / (8 * 27);
    double reach = exp(1.959963984540054 * sqrt(2.0 / 112 + 2 * phi / 320));
    const Result *r = answer(&s, METRIC_LEADS_PER_100_SESSIONS);
    CU_ASSERT_STRING_EQUAL(r->change->suppressed, "");
    CU_ASSERT_EQUAL(r->change->relative_percent, 0);
    CU_ASSERT_EQUAL(r->change->relative_low_percent, 5 * floor(100 / reach / 5) - 100);
    CU_ASSERT_EQUAL(r->change->relative_high_percent, 5 * ceil(100 * reach / 5) - 100);
    CU_ASSERT_EQUAL(r->change->relative_high_percent, which == 0 ? 40 : 45);
    rows_end(&s);
  }
}

static void a_market_of_too_few_is_withheld(void)
{
  struct rows_stage s;
  begin_lost_campaign(&s, 5, 1);
  const Result *r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_STRING_EQUAL(r->change->suppressed, "min_contributors");
  CU_ASSERT_EQUAL(r->change->opt_market_case, 0);
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "falling"); /* the own figures need no one */
  CU_ASSERT_STRING_EQUAL(r->change->against_market, "benchmark_withheld");
  rows_end(&s);
}

/* The subject stands still, six others too; the seventh grows by a tenth, and has no data in four
 * days of the third week: it is in the other three pairs of weeks. */
static void the_growth_of_outside_dealers_is_the_sum_of_pairs_of_weeks(void)
{
  enum { GAP_FIRST = 14, GAP_LAST = 17 };
  struct rows_stage s;
  rows_begin(&s, 8, 1, shapes, EXPLAIN_QUERIES);
  for (size_t i = 0; i < 8; i++)
    for (int k = 0; k < ROWS_DAYS; k++) {
      add_day(&s, i, k, true, 300, 6);
      if (i < 7)
        add_day(&s, i, k, false, 300, 6);
      else if (k < GAP_FIRST || k > GAP_LAST)
        add_day(&s, i, k, false, 330, 6);
    }
  const Result *r = answer(&s, METRIC_SESSIONS);
  double before = 6 * 28 * 300 + 21 * 300, after = 6 * 28 * 300 + 21 * 330;
  CU_ASSERT_STRING_EQUAL(r->change->suppressed, "");
  CU_ASSERT_EQUAL(r->change->market_percent, nearbyint(100 * (after / before - 1)));
  CU_ASSERT_EQUAL(r->change->market_percent, 1); /* 0 without the dealer, -1 with all its days */
  rows_end(&s);
}

static void each_pair_of_weeks_must_have_enough_dealers(void)
{
  struct rows_stage s;
  rows_begin(&s, 8, 1, shapes, EXPLAIN_QUERIES);
  for (size_t i = 0; i < 8; i++)
    for (int k = 0; k < ROWS_DAYS; k++) {
      add_day(&s, i, k, true, 300, 6);
      if (i < 5 || k < 21) /* three are gone in the last week */
        add_day(&s, i, k, false, 300, 6);
    }
  const Result *r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_STRING_EQUAL(r->change->suppressed, "min_contributors");
  CU_ASSERT_EQUAL(r->change->opt_market_case, 0);
  rows_end(&s);
}

/* compare_dealer_sessions compares engagement within one set of key events, which this tool does
 * not know: its release must not be taken for that one. */
static void engagement_is_released_under_a_name_of_its_own(void)
{
  struct rows_stage s;
  begin_lost_campaign(&s, 8, 1);
  const Result *r = answer(&s, METRIC_ENGAGEMENT_RATE);
  CU_ASSERT_STRING_EQUAL(r->change->suppressed, "");
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&s.door.log), "engagement_rate of any key events"));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&s.door.log), "engagement_rate,"));
  rows_end(&s);
}

/* Leads of a dealer that had none before are part of the market's growth, seen or not. */
static void a_market_counts_leads_of_dealers_that_had_none_before(void)
{
  for (size_t seen = 1; seen <= 8; seen += 7) {
    struct rows_stage s;
    rows_begin(&s, 8, seen, shapes, EXPLAIN_QUERIES);
    for (size_t i = 0; i < 8; i++)
      for (int k = 0; k < ROWS_DAYS; k++) {
        add_day(&s, i, k, true, 300, i == 7 ? 0 : 6);
        add_day(&s, i, k, false, 300, i == 7 ? 3 : 6);
      }
    const Result *r = answer(&s, METRIC_LEAD_EVENTS);
    CU_ASSERT_STRING_EQUAL(r->change->suppressed, "");
    CU_ASSERT_DOUBLE_EQUAL(r->change->market_percent, 100.0 * 3 / 36, seen == 8 ? 1e-9 : 0.5);
    rows_end(&s);
  }
}

static void a_subject_that_failed_is_named(void)
{
  struct rows_stage s;
  begin_lost_campaign(&s, 4, 4);
  s.members[0].state = DEALER_FAILED;
  snprintf(s.members[0].reason, sizeof(s.members[0].reason), "invalid_grant");
  const Result *r = answer(&s, METRIC_SESSIONS);
  CU_ASSERT_EQUAL(r->n_parts, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "d0 could not be read (invalid_grant)"));
  CU_ASSERT_STRING_EQUAL(r->change->verdict, "too_little_data");
  rows_end(&s);
}

TEST_MAIN("aggregate explain", TEST(a_move_that_rounds_to_nothing_has_no_sign),
          TEST(sessions_that_fell_are_given_to_the_channel_that_lost_them),
          TEST(a_rate_that_moves_by_its_mix_alone_says_so), TEST(days_without_data_come_first),
          TEST(chance_explains_nothing_that_was_not_tested),
          TEST(the_market_of_outside_dealers_is_rounded),
          TEST(a_rate_of_outside_dealers_is_as_uncertain_as_its_rougher_period),
          TEST(a_market_of_too_few_is_withheld),
          TEST(the_growth_of_outside_dealers_is_the_sum_of_pairs_of_weeks),
          TEST(each_pair_of_weeks_must_have_enough_dealers),
          TEST(engagement_is_released_under_a_name_of_its_own),
          TEST(a_market_counts_leads_of_dealers_that_had_none_before),
          TEST(a_subject_that_failed_is_named))
