/* The comparison where dealers are outside the caller's view. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/comparison_world.h"
#include "tests/unit/harness.h"

/* One visible dealer among peers whose every figure has a mark that must not appear. */
static void restricted_world(struct world *w, size_t n)
{
  world_start(w, n);
  w->figures[0] = FIGURES(4321, 2345, 0, 87);
  w->cohort.subject = 0;
  for (size_t i = 1; i < n; i++) {
    w->figures[i] = FIGURES(5000 + 7 * (int64_t)i, 2500 + 3 * (int64_t)i, 0, 100 + (int64_t)i);
    hide(w, i);
  }
}

static void restricted_benchmark_has_rounded_rates_and_no_counts(void)
{
  struct world w;
  restricted_world(&w, 10);
  Result *r = world_compare(&w);
  int64_t n = 0, e = 0;
  for (size_t i = 1; i < 10; i++) {
    n += w.figures[i].now.sessions;
    e += w.figures[i].now.engaged_sessions;
  }
  double loo = (double)e / (double)n;
  const MetricIndex *x = index_of(r, "d00", METRIC_ENGAGEMENT_RATE);
  CU_ASSERT_STRING_EQUAL(x->suppressed, "");
  CU_ASSERT_EQUAL(x->benchmark, round(loo * 1000) / 1000);
  CU_ASSERT_EQUAL(x->index, round(100.0 * (2345.0 / 4321.0) / x->benchmark));
  CU_ASSERT_EQUAL(x->of, 10);
  x = index_of(r, "d00", METRIC_SESSIONS);
  CU_ASSERT_STRING_EQUAL(x->suppressed, "peer_counts");
  CU_ASSERT_EQUAL(x->opt_benchmark_case, 0);
  CU_ASSERT_EQUAL(x->opt_index_case, 0);
  CU_ASSERT_EQUAL(x->rank, 10);
  CU_ASSERT_EQUAL(r->n_dealers, 1);
  CU_ASSERT_EQUAL(r->regional_average->opt_sessions_case, 0);
  CU_ASSERT_EQUAL(r->regional_average->opt_lead_events_case, 0);
  const Analytics__Aggregate__V1__MetricAverage *a =
      r->regional_average->metrics[METRIC_ENGAGEMENT_RATE];
  CU_ASSERT_EQUAL(a->pooled, round(loo * 1000) / 1000); /* the same pool */
  CU_ASSERT_EQUAL(a->dealers, 9);
  CU_ASSERT_EQUAL(a->opt_mean_case, 0);
  CU_ASSERT_EQUAL(a->median, 0.5); /* two digits of nine peers' median */
  CU_ASSERT_EQUAL(r->regional_average->metrics[METRIC_SESSIONS]->opt_pooled_case, 0);
  CU_ASSERT_EQUAL(r->regional_average->metrics[METRIC_SESSIONS]->opt_median_case, 0);
  world_end(&w);
}

static void few_or_unequal_peers_suppress_the_benchmark(void)
{
  struct world w;
  restricted_world(&w, 5); /* four peers */
  Result *r = world_compare(&w);
  for (size_t m = 0; m < METRIC_COMPARED; m++) {
    const MetricIndex *x = r->performance_index[0]->metrics[m];
    CU_ASSERT_STRING_EQUAL(x->suppressed, "min_contributors");
    CU_ASSERT_TRUE(x->opt_benchmark_case == 0 && x->opt_index_case == 0 && x->opt_rank_case == 0 &&
                   x->opt_of_case == 0 && x->opt_percentile_case == 0);
    CU_ASSERT_EQUAL(x->standing, dealer_metrics[m].judged
                                     ? ANALYTICS__AGGREGATE__V1__STANDING__BENCHMARK_WITHHELD
                                     : ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY);
    CU_ASSERT_EQUAL(r->regional_average->metrics[m]->opt_pooled_case, 0);
  }
  CU_ASSERT_STRING_EQUAL(r->dealers[0]->verdicts, "benchmark withheld");
  CU_ASSERT_TRUE(has_caveat(r, "Benchmarks are withheld (min_contributors)"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "benchmark withheld: too few other dealers"));
  CU_ASSERT_FALSE(has_caveat(r, "13 weeks")); /* no number of days would show more */
  world_end(&w);

  restricted_world(&w, 8);
  for (size_t i = 0; i < 8; i++)
    w.figures[i] = FIGURES(3000, 1500, 0, 40);
  r = world_compare(&w);
  CU_ASSERT_TRUE(has_caveat(r, "13 weeks may show more"));
  world_end(&w);

  restricted_world(&w, 8);
  w.figures[3].now.sessions = 900000;
  w.figures[3].now.engaged_sessions = 450000;
  r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->suppressed, "dominance");
  CU_ASSERT_STRING_EQUAL(index_of(r, "d00", METRIC_BOUNCE_RATE)->suppressed, "dominance");
  world_end(&w);

  restricted_world(&w, 8);
  for (size_t i = 1; i < 8; i++)
    w.members[i].owner = i % 2 == 0 ? "a" : "b";
  r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->suppressed, "min_owners");
  world_end(&w);
}

static void a_failed_peer_can_close_the_benchmark(void)
{
  struct world w;
  restricted_world(&w, 6);
  CU_ASSERT_STRING_EQUAL(index_of(world_compare(&w), "d00", METRIC_ENGAGEMENT_RATE)->suppressed,
                         "");
  set_failed(&w, 5);
  Result *r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->suppressed,
                         "min_contributors");
  CU_ASSERT_EQUAL(r->coverage->n_failed, 0);
  CU_ASSERT_EQUAL(r->coverage->failed_undisclosed, 1);
  CU_ASSERT_TRUE(has_caveat(r, "1 dealer you may not see by name."));
  world_end(&w);
}

static void bounces_must_pass_for_the_engagement_rate(void)
{
  struct world w;
  restricted_world(&w, 8);
  for (size_t i = 1; i < 8; i++)
    w.figures[i].now.engaged_sessions = w.figures[i].now.sessions; /* nobody bounces */
  w.figures[2].now.engaged_sessions -= 40;                         /* but at one dealer */
  Result *r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->suppressed, "dominance");
  CU_ASSERT_STRING_EQUAL(index_of(r, "d00", METRIC_BOUNCE_RATE)->suppressed, "dominance");
  world_end(&w);
}

static void five_to_seven_peers_give_the_middle_mean(void)
{
  struct world w;
  restricted_world(&w, 6);
  static const int64_t engaged[] = {1000, 2000, 2500, 3300, 4000};
  for (size_t i = 1; i < 6; i++)
    w.figures[i] = FIGURES(5000, engaged[i - 1], 0, 100);
  Result *r = world_compare(&w);
  const Analytics__Aggregate__V1__MetricAverage *a =
      r->regional_average->metrics[METRIC_ENGAGEMENT_RATE];
  CU_ASSERT_NOT_EQUAL(a->opt_median_case, 0);
  CU_ASSERT_DOUBLE_EQUAL(a->median, 0.52, 1e-12); /* (0.4 + 0.5 + 0.66) / 3, not 0.5 */
  world_end(&w);
}

static void nothing_of_a_hidden_peer_is_in_the_packed_answer(void)
{
  struct world w;
  restricted_world(&w, 10);
  for (size_t i = 1; i < 10; i++) {
    text_copy(w.texts[i][0], sizeof(w.texts[i][0]), "SECRET-REF");
    text_copy(w.texts[i][2], sizeof(w.texts[i][2]), "SECRET-OWNER");
    w.texts[i][2][10] = (char)('0' + i);
    text_copy(w.notes[i].time_zone, sizeof(w.notes[i].time_zone), "SECRET/Zone");
    w.notes[i].thresholding = true;
    w.notes[i].truncated = true;
    text_copy(w.notes[i].truncation, sizeof(w.notes[i].truncation), "SECRET-TRUNCATION");
  }
  set_failed(&w, 9);
  text_copy(w.members[9].message, sizeof(w.members[9].message), "SECRET-MESSAGE");
  text_copy(w.members[9].reason, sizeof(w.members[9].reason), "SECRET-REASON");
  Result *r = world_compare(&w);
  size_t len = protobuf_c_message_get_packed_size(&r->base);
  AUTO_FREE uint8_t *bytes = xmalloc(len);
  protobuf_c_message_pack(&r->base, bytes);
  CU_ASSERT_PTR_NULL(memmem(bytes, len, "SECRET", 6));
  for (size_t i = 1; i < 9; i++) { /* counts as text */
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)w.figures[i].now.sessions);
    CU_ASSERT_PTR_NULL(memmem(bytes, len, text, strlen(text)));
  }
  CU_ASSERT_EQUAL(r->cohort->undisclosed, 9);
  CU_ASSERT_TRUE(has_caveat(r, "thresholding) for: 8 dealers you may not see by name."));
  world_end(&w);
}

static void outsiders_see_intervals_in_steps_and_no_q(void)
{
  struct world w;
  restricted_world(&w, 12);
  Result *r = world_compare(&w);
  for (size_t m = 0; m < METRIC_COMPARED; m++) {
    const MetricIndex *x = index_of(r, "d00", (enum metric_id)m);
    CU_ASSERT_EQUAL(x->opt_q_case, 0);
    CU_ASSERT_STRING_EQUAL(x->unusual_among_dealers, "");
    if (!metric_is_rate(&dealer_metrics[m]))
      continue;
    CU_ASSERT_NOT_EQUAL(x->opt_index_low_case, 0);
    CU_ASSERT_EQUAL(fmod(x->index_low, 5), 0);
    CU_ASSERT_EQUAL(fmod(x->index_high, 5), 0);
    CU_ASSERT_TRUE(x->index_low <= x->index && x->index <= x->index_high);
  }
  world_end(&w);
}

TEST_MAIN("aggregate compare outside", TEST(restricted_benchmark_has_rounded_rates_and_no_counts),
          TEST(few_or_unequal_peers_suppress_the_benchmark),
          TEST(a_failed_peer_can_close_the_benchmark),
          TEST(bounces_must_pass_for_the_engagement_rate),
          TEST(five_to_seven_peers_give_the_middle_mean),
          TEST(nothing_of_a_hidden_peer_is_in_the_packed_answer),
          TEST(outsiders_see_intervals_in_steps_and_no_q))
