/* The answer about traffic sources as a pure function, and the split of a dimension that stays as
 * it was first released. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/traffic.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/rows.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareTrafficSourcesResult Result;
typedef Analytics__Aggregate__V1__TrafficSource Source;

static const struct table_shape shapes[TRAFFIC_QUERIES] = {{4, 1}, {5, 2}, {1, 1}, {1, 2}, {1, 2}};

static void begin(struct rows_stage *s, size_t n, size_t seen)
{
  rows_begin(s, n, seen, shapes, TRAFFIC_QUERIES);
}

/* Sessions of a source on one day, and leads. */
static void add(struct rows_stage *s, size_t member, const char *channel, const char *source,
                const char *detail, double sessions, double leads)
{
  const double counts[] = {leads, leads};
  const char *texts[] = {rows_day(3), channel, source, detail, "asc_form_submission"};
  rows_add(s, TRAFFIC_SESSIONS, member, texts, &sessions);
  if (leads > 0)
    rows_add(s, TRAFFIC_LEADS, member, texts, counts);
}

static void add_host(struct rows_stage *s, size_t member, const char *host, double sessions)
{
  rows_add(s, TRAFFIC_HOSTS, member, &host, &sessions);
}

static Result *answer(struct rows_stage *s, enum traffic_by by)
{
  struct traffic_question q = {.of = rows_question(s, TRAFFIC_DAYS, TRAFFIC_LOOKBACK), .by = by};
  return compare_traffic(&q, s->arena);
}

static const Source *find(const Result *r, const char *name)
{
  for (size_t i = 0; i < r->n_sources; i++)
    if (strcmp(r->sources[i]->source, name) == 0)
      return r->sources[i];
  return NULL;
}

static bool says(const Result *r, const char *text)
{
  for (size_t i = 0; i < r->n_caveats; i++)
    if (strstr(r->caveats[i], text) != NULL)
      return true;
  return false;
}

static void the_others_are_pooled_without_the_subject(void)
{
  struct rows_stage s;
  begin(&s, 3, 3);
  s.members[2].lead_event = "generate_lead"; /* in the share, not in the lead rate */
  add(&s, 0, "Direct", "(direct)", "(none)", 300, 12);
  add(&s, 0, "Paid Search", "google", "cpc", 100, 5);
  add(&s, 1, "Direct", "(direct)", "(none)", 1000, 20);
  add(&s, 1, "Paid Search", "google", "cpc", 500, 30);
  add(&s, 2, "Direct", "(direct)", "(none)", 500, 400);
  rows_settle(&s);
  const Result *r = answer(&s, TRAFFIC_BY_CHANNEL);
  const Source *direct = find(r, "Direct");
  CU_ASSERT_PTR_NOT_NULL_FATAL(direct);
  CU_ASSERT_EQUAL(r->n_sources, 2);
  CU_ASSERT_PTR_EQUAL(direct, r->sources[0]); /* most sessions first */
  CU_ASSERT_DOUBLE_EQUAL(direct->share, 0.75, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(direct->others_share, 1500.0 / 2000, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(direct->leads_per_100_sessions, 4, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(direct->others_leads_per_100_sessions, 2, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(direct->index, 200, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(direct->expected, 6, 1e-12);
  CU_ASSERT_EQUAL(direct->standing, ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA);
  CU_ASSERT_TRUE(says(r, "d2 counts another lead event"));
  rows_end(&s);
}

/* With sessions on 12 of 28 days a dealer has no rates: it is in no benchmark, and as the subject
 * it is held to none. */
static void a_dealer_that_lost_days_is_in_no_benchmark(void)
{
  for (size_t lost = 0; lost < 3; lost += 2) {
    struct rows_stage s;
    begin(&s, 3, 3);
    add(&s, 0, "Direct", "(direct)", "(none)", 300, 12);
    add(&s, 0, "Paid Search", "google", "cpc", 100, 5);
    add(&s, 1, "Direct", "(direct)", "(none)", 1000, 20);
    add(&s, 1, "Paid Search", "google", "cpc", 1000, 30);
    add(&s, 2, "Direct", "(direct)", "(none)", 2000, 400);
    rows_add_days(&s, TRAFFIC_DAYS, lost, 0, 11);
    rows_settle(&s);
    const Result *r = answer(&s, TRAFFIC_BY_CHANNEL);
    const Source *direct = find(r, "Direct");
    CU_ASSERT_PTR_NOT_NULL_FATAL(direct);
    CU_ASSERT_TRUE(says(r, "(gap): 16 days without a session"));
    CU_ASSERT_DOUBLE_EQUAL(direct->others_share, lost == 2 ? 0.5 : 0.75, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(direct->others_leads_per_100_sessions, lost == 2 ? 2 : 14, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(direct->index, lost == 2 ? 200 : 0, 1e-9);
    CU_ASSERT_EQUAL(direct->standing == ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA,
                    lost == 0);
    rows_end(&s);
  }
}

static void visits_from_the_own_website_are_one_row_and_said(void)
{
  for (int by = TRAFFIC_BY_CHANNEL; by <= TRAFFIC_BY_CAMPAIGN; by++) {
    struct rows_stage s;
    begin(&s, 2, 2);
    for (size_t i = 0; i < 2; i++) {
      add_host(&s, i, "www.smithford.example", 900);
      add_host(&s, i, "facebook.com", 2); /* somebody's hits under another name */
    }
    add(&s, 0, "Direct", "(direct)", "(none)", 800, 0);
    add(&s, 0, "Referral", "SmithFord.example", "referral", 60, 1);
    add(&s, 0, "Referral", "www.smithford.example", "(referral)", 40, 0);
    add(&s, 0, "Organic Social", "facebook.com", "referral", 100, 0);
    add(&s, 1, "Direct", "(direct)", "(none)", 1000, 9);
    rows_settle(&s);
    const Result *r = answer(&s, (enum traffic_by)by);
    const Source *self = find(r, "(self-referral)");
    CU_ASSERT_PTR_NOT_NULL_FATAL(self);
    CU_ASSERT_EQUAL(self->sessions, 100);
    CU_ASSERT_EQUAL(self->leads, 1);
    CU_ASSERT_EQUAL(self->standing, ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY);
    CU_ASSERT_TRUE(says(
        r, "10.0 % of the sessions have the dealer's own website as their source, or that of"));
    CU_ASSERT_EQUAL(r->sessions, 1000);
    CU_ASSERT_EQUAL(r->n_sources, 3);
    rows_end(&s);
  }
}

static void empty_and_not_set_are_one_row_and_said(void)
{
  struct rows_stage s;
  begin(&s, 2, 2);
  add(&s, 0, "Unassigned", "", "", 30, 0);
  add(&s, 0, "Unassigned", "(not set)", "(not set)", 20, 1);
  add(&s, 0, "Direct", "(direct)", "(none)", 50, 0);
  add(&s, 1, "Direct", "(direct)", "(none)", 50, 0);
  rows_settle(&s);
  const Result *r = answer(&s, TRAFFIC_BY_SOURCE_MEDIUM);
  const Source *unset = find(r, "(not set)");
  CU_ASSERT_PTR_NOT_NULL_FATAL(unset);
  CU_ASSERT_EQUAL(r->n_sources, 2);
  CU_ASSERT_EQUAL(unset->sessions, 50);
  CU_ASSERT_EQUAL(unset->leads, 1);
  CU_ASSERT_TRUE(says(r, "50.0 % of the sessions have no known source"));
  rows_end(&s);
}

static void what_does_not_fit_is_in_other_and_adds_up(void)
{
  enum { MANY = 300 };
  struct rows_stage s;
  char source[32];
  int64_t sum = 0, all = 0;
  begin(&s, 2, 2);
  for (int i = 0; i < MANY; i++) {
    snprintf(source, sizeof(source), "site%03d.example", i);
    add(&s, 0, "Referral", source, "referral", 400 - i, 0);
    all += 400 - i;
  }
  add(&s, 1, "Direct", "(direct)", "(none)", 50, 0);
  rows_settle(&s);
  const Result *r = answer(&s, TRAFFIC_BY_SOURCE_MEDIUM);
  CU_ASSERT_EQUAL_FATAL(r->n_sources, TRAFFIC_ROWS_MAX + 1);
  CU_ASSERT_STRING_EQUAL(r->sources[TRAFFIC_ROWS_MAX]->source, "(other)");
  for (size_t i = 0; i < r->n_sources; i++)
    sum += r->sources[i]->sessions;
  CU_ASSERT_EQUAL(sum, all);
  CU_ASSERT_EQUAL(r->sessions, all);
  rows_end(&s);
}

static void a_subject_that_failed_is_named_and_not_compared(void)
{
  struct rows_stage s;
  begin(&s, 3, 3);
  s.members[0].state = DEALER_FAILED;
  snprintf(s.members[0].reason, sizeof(s.members[0].reason), "invalid_grant");
  add(&s, 1, "Direct", "(direct)", "(none)", 50, 0);
  rows_settle(&s);
  const Result *r = answer(&s, TRAFFIC_BY_CHANNEL);
  CU_ASSERT_EQUAL(r->n_sources, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "d0 could not be read (invalid_grant)"));
  rows_end(&s);
}

/* ---------------------------------------------------------------- outside dealers */

/* Two channels that every dealer has, two campaigns that only some have. */
static void fill_outside(struct rows_stage *s, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    double size = 900 + 50 * (double)(i % 4);
    add(s, i, "Direct", "(direct)", "(none)", size, 30);
    add(s, i, "Paid Search", "google", "cpc", size / 2, 20);
    add(s, i, "Email", "crm", "email", size / 10, i == 3 ? 9 : 1);
  }
  add(s, 0, "Display", "dv360", "display", 50, 2);
  add(s, 1, "Display", "smith-ford-only.example", "display", 60, 2);
}

static void a_source_of_one_outside_dealer_is_never_shown(void)
{
  struct rows_stage s;
  begin(&s, 8, 1);
  fill_outside(&s, 8);
  rows_settle(&s);
  const Result *r = answer(&s, TRAFFIC_BY_SOURCE_MEDIUM);
  const Source *own = find(r, "dv360 / display"), *direct = find(r, "(direct) / (none)");
  CU_ASSERT_PTR_NOT_NULL_FATAL(own);
  CU_ASSERT_PTR_NOT_NULL_FATAL(direct);
  CU_ASSERT_PTR_NULL(find(r, "smith-ford-only.example / display"));
  CU_ASSERT_EQUAL(own->opt_others_share_case, 0);
  CU_ASSERT_STRING_EQUAL(own->suppressed, "min_contributors");
  CU_ASSERT_EQUAL(own->opt_index_case, 0);
  CU_ASSERT_NOT_EQUAL(direct->opt_others_share_case, 0);
  CU_ASSERT_EQUAL(direct->opt_q_case, 0);
  CU_ASSERT_DOUBLE_EQUAL(direct->index, nearbyint(direct->index), 0);
  CU_ASSERT_DOUBLE_EQUAL(fmod(direct->index_low, 5), 0, 0);
  rows_end(&s);
}

/* When a dealer is lost after the first answer, the second is the same. */
static void the_split_and_the_figures_stay_as_first_released(void)
{
  struct rows_stage s;
  begin(&s, 7, 1);
  fill_outside(&s, 7);
  rows_settle(&s);
  const Result *first = answer(&s, TRAFFIC_BY_CHANNEL);
  s.members[4].state = DEALER_FAILED;
  s.members[4].code = ERR_PERMISSION_DENIED;
  rows_ask_again(&s);
  const Result *second = answer(&s, TRAFFIC_BY_CHANNEL);
  CU_ASSERT_EQUAL_FATAL(first->n_sources, second->n_sources);
  for (size_t i = 0; i < first->n_sources; i++) {
    const Source *a = first->sources[i], *b = second->sources[i];
    CU_ASSERT_STRING_EQUAL(a->source, b->source);
    CU_ASSERT_STRING_EQUAL(a->suppressed, b->suppressed);
    CU_ASSERT_DOUBLE_EQUAL(a->others_share, b->others_share, 0);
    CU_ASSERT_DOUBLE_EQUAL(a->others_leads_per_100_sessions, b->others_leads_per_100_sessions, 0);
    CU_ASSERT_EQUAL(a->opt_others_share_case, b->opt_others_share_case);
  }
  CU_ASSERT_EQUAL(second->coverage->ok, first->coverage->ok);
  rows_end(&s);
}

/* A late dealer withholds all that is new. */
static void a_late_dealer_withholds_the_whole_dimension(void)
{
  struct rows_stage s;
  begin(&s, 8, 1);
  fill_outside(&s, 8);
  s.members[5].state = DEALER_FAILED;
  s.members[5].code = ERR_DEADLINE_EXCEEDED;
  rows_settle(&s);
  const Result *r = answer(&s, TRAFFIC_BY_CHANNEL);
  for (size_t i = 0; i < r->n_sources; i++) {
    CU_ASSERT_EQUAL(r->sources[i]->opt_others_share_case, 0);
    CU_ASSERT_STRING_EQUAL(r->sources[i]->suppressed, "not_ready");
  }
  rows_end(&s);
}

TEST_MAIN("aggregate traffic", TEST(the_others_are_pooled_without_the_subject),
          TEST(a_dealer_that_lost_days_is_in_no_benchmark),
          TEST(visits_from_the_own_website_are_one_row_and_said),
          TEST(empty_and_not_set_are_one_row_and_said),
          TEST(what_does_not_fit_is_in_other_and_adds_up),
          TEST(a_subject_that_failed_is_named_and_not_compared),
          TEST(a_source_of_one_outside_dealer_is_never_shown),
          TEST(the_split_and_the_figures_stay_as_first_released),
          TEST(a_late_dealer_withholds_the_whole_dimension))
