/* The vectors P1 to P10, P17 and P18 of facts/domain.md §4.4, asked as a caller would: over
 * the rpcs of the whole set. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/isolation/scan.h"
#include "tests/unit/isolation/stage.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;

enum { ENGAGEMENT = 2, LEAD_RATE = 5, OWN_OWNER = 20 };

/* A dealer outside the view: whose it is and its engaged sessions, half of its sessions. */
struct outsider {
  char owner; /* 'a' to 's' */
  int64_t value;
};

static struct stage stage_;
static bool started;

static void set_figures(struct shop *s, int64_t value)
{
  s->engaged = value;
  s->sessions = 2 * value;
  snprintf(s->lead_event, sizeof(s->lead_event), "%s", plan_events[0]);
  s->events[0] = value / 4;
}

/* West: n_own dealers of the caller, then the outsiders. */
static void world(size_t n_own, const struct outsider *outsiders, size_t n)
{
  plan_begin(&stage_.plan);
  for (size_t i = 0; i < n_own; i++)
    set_figures(plan_add(&stage_.plan, 0, OWN_OWNER), 6000);
  for (size_t i = 0; i < n; i++)
    set_figures(plan_add(&stage_.plan, 0, (size_t)(outsiders[i].owner - 'a')), outsiders[i].value);
}

static void put_in_place(void)
{
  if (started)
    stage_change(&stage_);
  else
    stage_start(&stage_);
  started = true;
}

/* A dealer-role caller over the first n_own dealers. */
static void ask(struct reply *out, size_t n_own, const char *subject)
{
  struct reply authenticated;
  ProtobufCBinaryData grant;
  AUTO_BUF struct buf claims = BUF_INIT(4096);
  Analytics__Aggregate__V1__CompareDealerSessionsRequest q =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  buf_puts(&claims, "\"role\":\"dealer\",\"dealers\":[");
  for (size_t i = 0; i < n_own; i++)
    buf_printf(&claims, "%s\"%s\"", i > 0 ? "," : "", stage_.plan.shops[i].id);
  buf_puts(&claims, "]");
  put_in_place();
  stage_grant(&stage_, buf_str(&claims), &authenticated, &grant);
  q.subject = (char *)(uintptr_t)subject;
  stage_call(out, stage_.aggregate, &analytics__aggregate__v1__aggregate_service__descriptor,
             "CompareDealerSessions", &q.base, &grant);
  reply_free(&authenticated);
}

static const Result *result_of(const struct reply *r)
{
  const Analytics__Aggregate__V1__CompareDealerSessionsResponse *m = (const void *)r->message;
  if (m == NULL)
    printf("\n  %s\n", r->error.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m->result);
  return m->result;
}

/* The caller's first dealer against these; `code` is "" for a release. */
static void expect(const char *name, const struct outsider *outsiders, size_t n, size_t n_own,
                   const char *code)
{
  struct reply r;
  world(n_own, outsiders, n);
  ask(&r, n_own, stage_.plan.shops[0].id);
  const Result *result = result_of(&r);
  const MetricIndex *x = result->performance_index[0]->metrics[ENGAGEMENT];
  if (strcmp(x->suppressed, code) != 0)
    printf("\n  %s: \"%s\" instead of \"%s\"\n", name, x->suppressed, code);
  CU_ASSERT_STRING_EQUAL(x->suppressed, code);
  CU_ASSERT_EQUAL(x->opt_benchmark_case != 0, code[0] == '\0');
  CU_ASSERT_EQUAL(x->opt_index_case != 0, code[0] == '\0');
  CU_ASSERT_EQUAL(result->regional_average->metrics[ENGAGEMENT]->opt_pooled_case != 0,
                  code[0] == '\0');
  CU_ASSERT_EQUAL(result->regional_average->opt_sessions_case, 0);
  CU_ASSERT_EQUAL(result->n_dealers, n_own);
  reply_free(&r);
}

#define EXPECT(name, n_own, code, ...)                                                             \
  do {                                                                                             \
    const struct outsider outsiders_[] = {__VA_ARGS__};                                            \
    expect((name), outsiders_, ARRAY_LEN(outsiders_), (n_own), (code));                            \
  } while (0)

/* ------------------------------------------------------------------------- vectors */

static void a_cohort_of_enough_and_equal_enough_owners_is_released(void)
{
  EXPECT("P1", 1, "", {'a', 8000}, {'b', 7000}, {'c', 6500}, {'d', 6000}, {'e', 5500}, {'f', 5000});
  EXPECT("P7", 1, "", {'a', 4000}, {'b', 2000}, {'c', 1500}, {'d', 1300}, {'e', 1200});
}

static void too_few_dealers_or_owners_withhold_the_benchmark(void)
{
  EXPECT("P2", 1, "min_contributors", {'a', 8000}, {'b', 7000}, {'c', 6500}, {'d', 6000});
  EXPECT("P3", 1, "min_owners", {'a', 8000}, {'b', 7000}, {'a', 6500}, {'b', 6000}, {'a', 5500},
         {'b', 5000});
}

static void a_dominant_owner_withholds_the_benchmark(void)
{
  EXPECT("P4", 1, "dominance", {'a', 9000}, {'b', 3000}, {'c', 2500}, {'d', 2200}, {'e', 1800},
         {'f', 1500});
  EXPECT("P5", 1, "dominance", {'a', 7600}, {'b', 7600}, {'c', 1500}, {'d', 1300}, {'e', 1000},
         {'f', 1000});
  EXPECT("P6", 1, "dominance", {'g', 4000}, {'g', 3000}, {'g', 2200}, {'b', 3500}, {'c', 3300},
         {'d', 2000}, {'e', 2000});
}

static void six_zeros_withhold_the_benchmark(void)
{
  static const struct outsider six[] = {{'a', 8000}, {'b', 7000}, {'c', 6500},
                                        {'d', 6000}, {'e', 5500}, {'f', 5000}};
  struct reply r;
  world(1, six, ARRAY_LEN(six));
  for (size_t i = 1; i < stage_.plan.n; i++)
    stage_.plan.shops[i].events[0] = 0;
  ask(&r, 1, stage_.plan.shops[0].id);
  const MetricIndex *const *x =
      (const MetricIndex *const *)result_of(&r)->performance_index[0]->metrics;
  CU_ASSERT_STRING_EQUAL(x[LEAD_RATE]->suppressed, "min_volume"); /* P8 */
  CU_ASSERT_EQUAL(x[LEAD_RATE]->opt_benchmark_case, 0);
  CU_ASSERT_STRING_EQUAL(x[ENGAGEMENT]->suppressed, "");
  reply_free(&r);
}

static void the_callers_own_dealers_do_not_count_as_a_crowd(void)
{
  EXPECT("P9, four own", 4, "", {'a', 1000}, {'a', 1000}, {'b', 900}, {'b', 900}, {'c', 1600});
  EXPECT("P9, five own", 5, "min_contributors", {'a', 1000}, {'b', 1000}, {'c', 1000}, {'d', 1000});
}

static void a_caller_that_sees_the_whole_cohort_gets_everything(void)
{
  static const struct outsider none[1];
  struct reply r;
  world(3, none, 0); /* P10 */
  ask(&r, 3, stage_.plan.shops[1].id);
  const Result *x = result_of(&r);
  CU_ASSERT_EQUAL(x->n_dealers, 3);
  CU_ASSERT_EQUAL(x->regional_average->sessions, 36000);
  CU_ASSERT_EQUAL(x->cohort->undisclosed, 0);
  reply_free(&r);
}

static void five_outsiders_give_the_middle_mean_and_no_median(void)
{
  static const struct outsider five[] = {
      {'a', 2500}, {'b', 2000}, {'c', 1900}, {'d', 1800}, {'e', 1700}};
  static const double rate[] = {0.41, 0.43, 0.47, 0.53, 0.61};
  struct reply r;
  world(1, five, ARRAY_LEN(five)); /* P17 */
  for (size_t i = 0; i < 5; i++)
    stage_.plan.shops[1 + i].engaged =
        (int64_t)(rate[i] * (double)stage_.plan.shops[1 + i].sessions);
  ask(&r, 1, stage_.plan.shops[0].id);
  const MetricAverage *a = result_of(&r)->regional_average->metrics[ENGAGEMENT];
  CU_ASSERT_EQUAL_FATAL(a->opt_median_case != 0, true);
  CU_ASSERT_DOUBLE_EQUAL(a->median, 0.477, 0.0011); /* (0.43 + 0.47 + 0.53) / 3 */
  CU_ASSERT_EQUAL(a->opt_mean_case, 0);
  CU_ASSERT_DOUBLE_EQUAL(a->median * 1000, nearbyint(a->median * 1000), 1e-9);
  reply_free(&r);
}

/* ------------------------------------------------------------------- who may ask what */

static void without(char *text, const char *what)
{
  char *at = strstr(text, what);
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

static void a_peer_cannot_be_asked_about_and_reads_like_nobody(void)
{
  static const struct outsider six[] = {{'a', 8000}, {'b', 7000}, {'c', 6500},
                                        {'d', 6000}, {'e', 5500}, {'f', 5000}};
  struct reply peer, nobody;
  world(1, six, ARRAY_LEN(six));
  ask(&peer, 1, "shop-Q03z"); /* P18 */
  ask(&nobody, 1, "shop-Q93z");
  CU_ASSERT_PTR_NULL(peer.message);
  CU_ASSERT_EQUAL(peer.error.code, ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(peer.error.code, nobody.error.code);
  CU_ASSERT_STRING_EQUAL(peer.error.reason, nobody.error.reason);
  without(peer.error.message, "shop-Q03z");
  without(nobody.error.message, "shop-Q93z");
  CU_ASSERT_STRING_EQUAL(peer.error.message, nobody.error.message);
  reply_free(&peer);
  reply_free(&nobody);
}

static void a_failing_peer_is_counted_and_not_named(void)
{
  static const struct outsider six[] = {{'a', 8000}, {'b', 7000}, {'c', 6500},
                                        {'d', 6000}, {'e', 5500}, {'f', 5000}};
  struct reply r;
  struct view own = {.direct = {true}, .benchmark = {true}, .known = {true}, .n_direct = 1};
  world(1, six, ARRAY_LEN(six));
  stage_.plan.shops[2].fault = SHOP_FORBIDDEN;
  ask(&r, 1, stage_.plan.shops[0].id);
  const Result *x = result_of(&r);
  CU_ASSERT_EQUAL(x->coverage->n_failed, 0);
  CU_ASSERT_EQUAL(x->coverage->failed_undisclosed, 1);
  CU_ASSERT_EQUAL(x->coverage->ok, 6);
  CU_ASSERT_EQUAL(scan_reply(&stage_.plan, &own, &r, NULL, 0), 0);
  reply_free(&r);
}

static void an_event_only_a_peer_configured_is_not_named(void)
{
  static const struct outsider six[] = {{'a', 8000}, {'b', 7000}, {'c', 6500},
                                        {'d', 6000}, {'e', 5500}, {'f', 5000}};
  struct reply r;
  struct view own = {.direct = {true}, .benchmark = {true}, .known = {true}, .n_direct = 1};
  world(1, six, ARRAY_LEN(six));
  for (size_t i = 0; i < stage_.plan.n; i++) {
    struct shop *s = &stage_.plan.shops[i];
    memset(s->events, 0, sizeof(s->events)); /* the caller's own event is not known */
    snprintf(s->lead_event, sizeof(s->lead_event), "%s", i == 0 ? "" : "lead_Q03z");
    s->events[PLAN_EVENTS - 1] = 500;
  }
  ask(&r, 1, stage_.plan.shops[0].id);
  (void)result_of(&r);
  CU_ASSERT_EQUAL(scan_reply(&stage_.plan, &own, &r, NULL, 0), 0);
  reply_free(&r);
}

static void the_set_ends_without_a_leak(void)
{
  CU_ASSERT_EQUAL(world_google_crossed(stage_.google), 0);
  stage_stop(&stage_);
}

TEST_MAIN("disclosure over the rpcs", TEST(a_cohort_of_enough_and_equal_enough_owners_is_released),
          TEST(too_few_dealers_or_owners_withhold_the_benchmark),
          TEST(a_dominant_owner_withholds_the_benchmark), TEST(six_zeros_withhold_the_benchmark),
          TEST(the_callers_own_dealers_do_not_count_as_a_crowd),
          TEST(a_caller_that_sees_the_whole_cohort_gets_everything),
          TEST(five_outsiders_give_the_middle_mean_and_no_median),
          TEST(a_peer_cannot_be_asked_about_and_reads_like_nobody),
          TEST(a_failing_peer_is_counted_and_not_named),
          TEST(an_event_only_a_peer_configured_is_not_named), TEST(the_set_ends_without_a_leak))
