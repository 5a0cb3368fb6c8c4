/* The comparison as a pure function: figures against an oracle, leads, privacy, words. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/figures/sums.h"
#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/oracle.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;

enum { N_MAX = ORACLE_MAX };

/* A cohort made by hand. */
struct world {
  struct arena *arena;
  struct cohort cohort;
  struct cohort_member members[N_MAX];
  struct dealer_figures figures[N_MAX];
  struct dealer_notes notes[N_MAX];
  struct lead_events leads;
  char texts[N_MAX][3][32];
  struct period period;
};

static void world_start(struct world *w, size_t n)
{
  memset(w, 0, sizeof(*w));
  w->arena = arena_new(1 << 26);
  w->cohort = (struct cohort){"region:west@v1", "West", w->members, n, -1, 0, NULL, 0};
  period_parse(&w->period, true, "2026-10-01", "2026-10-28", clock_unix_ms(), NULL);
  for (size_t i = 0; i < n; i++) {
    struct cohort_member *m = &w->members[i];
    snprintf(w->texts[i][0], 32, "d%02zu", i);
    snprintf(w->texts[i][1], 32, "Dealer %02zu", i);
    snprintf(w->texts[i][2], 32, "owner-%02zu", i);
    *m = (struct cohort_member){.ref = w->texts[i][0],
                                .visible = true,
                                .dealer_id = w->texts[i][0],
                                .name = w->texts[i][1],
                                .region = "West",
                                .owner = w->texts[i][2],
                                .lead_event = "",
                                .state = DEALER_OK};
    w->figures[i] = (struct dealer_figures){true, 1000, 500, 0, 20};
    text_copy(w->notes[i].time_zone, sizeof(w->notes[i].time_zone), "America/Los_Angeles");
  }
  lead_events_collect(&w->leads, &w->cohort, w->arena);
}

static Result *world_compare(struct world *w)
{
  struct comparison c = {{{&w->cohort, w->figures, &w->leads}, DISCLOSURE_POLICY_DEFAULT},
                         w->notes,
                         &w->period,
                         clock_unix_ms()};
  w->cohort.outside = 0;
  for (size_t i = 0; i < w->cohort.n; i++)
    w->cohort.outside += !w->members[i].visible;
  return compare_dealers(&c, w->arena);
}

static void world_end(struct world *w)
{
  arena_free(w->arena);
}

static void hide(struct world *w, size_t i)
{
  w->members[i].visible = false;
  w->members[i].dealer_id = w->members[i].name = w->members[i].region = "";
}

static void set_failed(struct world *w, size_t i)
{
  w->members[i].state = DEALER_FAILED;
  w->members[i].code = ERR_FAILED_PRECONDITION;
  text_copy(w->members[i].reason, sizeof(w->members[i].reason), "invalid_grant");
  text_copy(w->members[i].message, sizeof(w->members[i].message), "the dealer must consent again");
  w->figures[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN};
}

static const MetricIndex *index_of(const Result *r, const char *dealer_id, enum metric_id m)
{
  for (size_t i = 0; i < r->n_performance_index; i++)
    if (strcmp(r->performance_index[i]->dealer_id, dealer_id) == 0)
      return r->performance_index[i]->metrics[m];
  CU_FAIL_FATAL("dealer is not in the answer");
  return NULL;
}

static bool has_caveat(const Result *r, const char *part)
{
  for (size_t i = 0; i < r->n_caveats; i++)
    if (strstr(r->caveats[i], part) != NULL)
      return true;
  return false;
}

static void open_comparison_agrees_with_the_oracle(void)
{
  static const char *const events[] = {"asc_form_submission", "generate_lead", "form_submit"};
  unsigned seed = 20261122;
  for (int round = 0; round < 60; round++) {
    struct world w;
    struct oracle_dealer all[N_MAX];
    size_t n = 1 + (size_t)(rand_r(&seed) % 40), answered = 0;
    world_start(&w, n);
    for (size_t i = 0; i < n; i++) {
      struct dealer_figures *f = &w.figures[i];
      f->sessions = rand_r(&seed) % 10 == 0 ? 0 : rand_r(&seed) % 30000;
      f->engaged_sessions = f->sessions == 0 ? 0 : rand_r(&seed) % (f->sessions + 1);
      f->lead_event = rand_r(&seed) % 5 - 1 > 2 ? 0 : rand_r(&seed) % 4 - 1;
      f->leads = f->lead_event < 0 ? 0 : rand_r(&seed) % 300;
      if (i > 0 && rand_r(&seed) % 8 == 0) {
        set_failed(&w, i);
        continue;
      }
      struct oracle_dealer *o = &all[answered++];
      snprintf(o->id, sizeof(o->id), "%s", w.members[i].dealer_id);
      o->sessions = f->sessions;
      o->engaged = f->engaged_sessions;
      o->leads = f->leads;
      o->event = f->lead_event < 0 ? NULL : events[f->lead_event];
    }
    w.cohort.subject = 0;
    Result *r = world_compare(&w);
    CU_ASSERT_EQUAL(r->n_dealers, answered);
    CU_ASSERT_EQUAL(r->coverage->ok, (int)answered);
    CU_ASSERT_EQUAL(r->coverage->n_failed, n - answered);
    for (size_t i = 0; i + 1 < r->n_dealers; i++)
      CU_ASSERT_TRUE(r->dealers[i]->sessions >= r->dealers[i + 1]->sessions);
    for (size_t i = 0; i < r->n_performance_index; i++) {
      CU_ASSERT_STRING_EQUAL(r->performance_index[i]->dealer_id, r->dealers[i]->dealer_id);
      for (size_t k = 0; k < answered; k++)
        if (strcmp(all[k].id, r->dealers[i]->dealer_id) == 0) {
          oracle_check_index(all, answered, k, r->performance_index[i]);
          CU_ASSERT_EQUAL(r->dealers[i]->sessions, all[k].sessions);
          CU_ASSERT_EQUAL(r->dealers[i]->lead_events, all[k].leads);
        }
    }
    if (w.figures[0].lead_event != LEAD_UNKNOWN)
      oracle_check_region(all, answered, events[w.figures[0].lead_event], r->regional_average);
    world_end(&w);
  }
}

static void failed_dealer_changes_nothing_but_coverage(void)
{
  struct world with, without;
  world_start(&with, 7);
  world_start(&without, 6);
  for (size_t i = 0; i < 6; i++)
    with.figures[i] = without.figures[i] = (struct dealer_figures){
        true, 1000 + 137 * (int64_t)i, 500 + 11 * (int64_t)i, 0, 20 + (int64_t)i};
  set_failed(&with, 6);
  Result *a = world_compare(&with), *b = world_compare(&without);
  CU_ASSERT_EQUAL(a->n_dealers, b->n_dealers);
  for (size_t i = 0; i < b->n_dealers; i++)
    for (size_t m = 0; m < METRIC_COUNT; m++) {
      const MetricIndex *x = a->performance_index[i]->metrics[m];
      const MetricIndex *y = b->performance_index[i]->metrics[m];
      CU_ASSERT_TRUE(x->value == y->value && x->benchmark == y->benchmark && x->index == y->index &&
                     x->rank == y->rank && x->of == y->of && x->percentile == y->percentile &&
                     x->standing == y->standing);
    }
  for (size_t m = 0; m < METRIC_COUNT; m++)
    CU_ASSERT_TRUE(
        a->regional_average->metrics[m]->pooled == b->regional_average->metrics[m]->pooled &&
        a->regional_average->metrics[m]->median == b->regional_average->metrics[m]->median);
  CU_ASSERT_EQUAL(a->coverage->asked, 7);
  CU_ASSERT_EQUAL(a->coverage->n_failed, 1);
  CU_ASSERT_STRING_EQUAL(a->coverage->failed[0]->dealer_id, "d06");
  CU_ASSERT_STRING_EQUAL(a->coverage->failed[0]->reason, "invalid_grant");
  CU_ASSERT_TRUE(has_caveat(a, "1 of 7 dealers could not be read and is in no figure: Dealer 06."));
  world_end(&with);
  world_end(&without);
}

static void dealer_without_sessions_has_no_rates(void)
{
  struct world w;
  world_start(&w, 3);
  w.figures[1] = (struct dealer_figures){true, 0, 0, 0, 0};
  Result *r = world_compare(&w);
  const Analytics__Aggregate__V1__DealerSessions *d = r->dealers[2];
  CU_ASSERT_STRING_EQUAL(d->dealer_id, "d01");
  CU_ASSERT_EQUAL(d->opt_engagement_rate_case, 0);
  CU_ASSERT_EQUAL(d->opt_bounce_rate_case, 0);
  CU_ASSERT_EQUAL(d->opt_leads_per_100_sessions_case, 0);
  CU_ASSERT_NOT_EQUAL(d->opt_lead_events_case, 0); /* a known 0 */
  CU_ASSERT_EQUAL(r->regional_average->metrics[METRIC_ENGAGEMENT_RATE]->dealers, 2);
  CU_ASSERT_TRUE(has_caveat(r, "No sessions in the period, so no rates, for: Dealer 01."));
  world_end(&w);
}

static void unknown_leads_are_absent_and_not_zero(void)
{
  struct world w;
  world_start(&w, 3);
  w.figures[0] = (struct dealer_figures){true, 900, 400, LEAD_UNKNOWN, 0};
  w.figures[1] = (struct dealer_figures){true, 800, 400, 0, 0}; /* configured, none happened */
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL(r->dealers[1]->opt_lead_events_case, 0);
  CU_ASSERT_STRING_EQUAL(r->dealers[1]->lead_event, "");
  CU_ASSERT_NOT_EQUAL(r->dealers[2]->opt_lead_events_case, 0);
  CU_ASSERT_EQUAL(r->dealers[2]->lead_events, 0);
  CU_ASSERT_STRING_EQUAL(r->dealers[2]->lead_event, "asc_form_submission");
  /* 20 leads of 1000 sessions and 0 of 800; the unknown dealer is in neither sum. */
  const Analytics__Aggregate__V1__MetricAverage *a =
      r->regional_average->metrics[METRIC_LEADS_PER_100_SESSIONS];
  CU_ASSERT_EQUAL(a->dealers, 2);
  CU_ASSERT_DOUBLE_EQUAL(a->pooled, 100.0 * 20 / 1800, 1e-12);
  CU_ASSERT_TRUE(has_caveat(r, "No lead event was found for Dealer 00: leads are unknown there"));
  world_end(&w);
}

static void lead_figures_compare_only_the_same_event(void)
{
  struct world w;
  world_start(&w, 5);
  w.figures[3].lead_event = w.figures[4].lead_event = 2; /* form_submit */
  w.figures[3].leads = 300;
  w.figures[4].leads = 100;
  Result *r = world_compare(&w);
  CU_ASSERT_DOUBLE_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->benchmark, 2.0, 1e-12);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->of, 3);
  CU_ASSERT_DOUBLE_EQUAL(index_of(r, "d03", METRIC_LEADS_PER_100_SESSIONS)->benchmark, 10.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(index_of(r, "d03", METRIC_LEADS_PER_100_SESSIONS)->index, 300.0, 1e-9);
  CU_ASSERT_EQUAL(r->regional_average->lead_events, 60);
  CU_ASSERT_TRUE(has_caveat(r, "Leads are asc_form_submission events, which 3 of 5 dealers"));
  CU_ASSERT_TRUE(has_caveat(r, "Dealer 03 and Dealer 04 count form_submit as leads"));
  /* The subject's event is the region's. */
  w.cohort.subject = 4;
  r = world_compare(&w);
  CU_ASSERT_EQUAL(r->regional_average->lead_events, 400);
  world_end(&w);
}

static void lower_is_better_turns_rank_percentile_and_words(void)
{
  struct world w;
  world_start(&w, 4);
  for (size_t i = 0; i < 4; i++)
    w.figures[i].engaged_sessions = 200 + 200 * (int64_t)i; /* bounce 80, 60, 40, 20 % */
  Result *r = world_compare(&w);
  const MetricIndex *best = index_of(r, "d03", METRIC_BOUNCE_RATE);
  CU_ASSERT_EQUAL(best->better, ANALYTICS__AGGREGATE__V1__BETTER__LOWER);
  CU_ASSERT_EQUAL(best->rank, 1);
  CU_ASSERT_EQUAL(best->percentile, 100);
  CU_ASSERT_TRUE(best->index < 100);
  CU_ASSERT_EQUAL(best->standing, ANALYTICS__AGGREGATE__V1__STANDING__BETTER);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_BOUNCE_RATE)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__WORSE);
  CU_ASSERT_EQUAL(index_of(r, "d03", METRIC_ENGAGEMENT_RATE)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__BETTER);
  CU_ASSERT_EQUAL(index_of(r, "d03", METRIC_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY);
  world_end(&w);
}

static void small_numbers_are_not_judged(void)
{
  struct world w;
  world_start(&w, 3);
  w.figures[0] = (struct dealer_figures){true, 100, 50, 0, 4};
  w.figures[1] = (struct dealer_figures){true, 500, 250, 0, 9};
  w.figures[2] = (struct dealer_figures){true, 500, 250, 0, 10};
  Result *r = world_compare(&w);
  /* The others have 19 leads. */
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA);
  w.figures[2].leads = 110; /* 119 of the others, 11.9 expected: 4 is low */
  r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__WORSE);
  world_end(&w);
}

static void five_percent_is_the_border_of_similar(void)
{
  struct world w;
  world_start(&w, 2);
  w.figures[1] = (struct dealer_figures){true, 10000, 5000, 0, 0};
  static const struct {
    int64_t engaged;
    Analytics__Aggregate__V1__Standing standing;
  } cases[] = {{525, ANALYTICS__AGGREGATE__V1__STANDING__BETTER},
               {524, ANALYTICS__AGGREGATE__V1__STANDING__SIMILAR},
               {476, ANALYTICS__AGGREGATE__V1__STANDING__SIMILAR},
               {475, ANALYTICS__AGGREGATE__V1__STANDING__WORSE}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    w.figures[0] = (struct dealer_figures){true, 1000, cases[i].engaged, 0, 0};
    Result *r = world_compare(&w);
    CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->standing, cases[i].standing);
  }
  world_end(&w);
}

/* One visible dealer among peers whose every figure has a mark that must not appear. */
static void restricted_world(struct world *w, size_t n)
{
  world_start(w, n);
  w->figures[0] = (struct dealer_figures){true, 4321, 2345, 0, 87};
  w->cohort.subject = 0;
  for (size_t i = 1; i < n; i++) {
    w->figures[i] = (struct dealer_figures){true, 5000 + 7 * (int64_t)i, 2500 + 3 * (int64_t)i, 0,
                                            100 + (int64_t)i};
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
    n += w.figures[i].sessions;
    e += w.figures[i].engaged_sessions;
  }
  double loo = (double)e / (double)n;
  const MetricIndex *x = index_of(r, "d00", METRIC_ENGAGEMENT_RATE);
  CU_ASSERT_STRING_EQUAL(x->suppressed, "");
  CU_ASSERT_EQUAL(x->benchmark, round(loo * 1000) / 1000);
  CU_ASSERT_EQUAL(x->index, round(100.0 * (2345.0 / 4321.0) / loo));
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
  double pooled = (double)(e + 2345) / (double)(n + 4321);
  CU_ASSERT_EQUAL(a->pooled, round(pooled * 1000) / 1000);
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
  for (size_t m = 0; m < METRIC_COUNT; m++) {
    const MetricIndex *x = r->performance_index[0]->metrics[m];
    CU_ASSERT_STRING_EQUAL(x->suppressed, "min_contributors");
    CU_ASSERT_TRUE(x->opt_benchmark_case == 0 && x->opt_index_case == 0 && x->rank == 0 &&
                   x->of == 0 && x->opt_percentile_case == 0);
    CU_ASSERT_EQUAL(r->regional_average->metrics[m]->opt_pooled_case, 0);
  }
  CU_ASSERT_TRUE(has_caveat(r, "Benchmarks are withheld (min_contributors)"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "benchmark withheld: min_contributors"));
  world_end(&w);

  restricted_world(&w, 8);
  w.figures[3].sessions = 900000;
  w.figures[3].engaged_sessions = 450000;
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
    w.figures[i].engaged_sessions = w.figures[i].sessions; /* nobody bounces */
  w.figures[2].engaged_sessions -= 40;                     /* but at one dealer */
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
    w.figures[i] = (struct dealer_figures){true, 5000, engaged[i - 1], 0, 100};
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
    snprintf(text, sizeof(text), "%lld", (long long)w.figures[i].sessions);
    CU_ASSERT_PTR_NULL(memmem(bytes, len, text, strlen(text)));
  }
  CU_ASSERT_EQUAL(r->cohort->undisclosed, 9);
  CU_ASSERT_TRUE(has_caveat(r, "thresholding) for: 8 dealers you may not see by name."));
  world_end(&w);
}

static void headline_speaks_of_the_subject_or_the_region(void)
{
  struct world w;
  world_start(&w, 4);
  w.figures[0] = (struct dealer_figures){true, 2000, 1200, 0, 60};
  w.cohort.subject = 0;
  Result *r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(
      r->headline,
      "Dealer 00 against the other dealers of West (4 of 4 dealers), 2026-10-01 to 2026-10-28: "
      "engagement rate 60.0 % against 50.0 % (index 120, 1st of 4: better); leads per 100 sessions "
      "3.00 against 2.00 (index 150, 1st of 4: better).");
  w.cohort.subject = -1;
  r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(r->headline,
                         "West (4 of 4 dealers), 2026-10-01 to 2026-10-28: 5,000 sessions; "
                         "engagement rate 54.0 %; leads per 100 sessions 2.40.");
  w.cohort.subject = 1;
  set_failed(&w, 1);
  r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(r->headline,
                         "Dealer 01 could not be read (invalid_grant), so it is not compared with "
                         "West (3 of 4 dealers), 2026-10-01 to 2026-10-28.");
  world_end(&w);
}

static void quality_notes_become_caveats(void)
{
  struct world w;
  world_start(&w, 4);
  w.notes[0].sampled = true;
  w.notes[0].sample_rate = 0.453;
  w.notes[1].other_row = w.notes[2].other_row = true;
  w.notes[1].restricted = true;
  w.notes[3].truncated = true;
  text_copy(w.notes[3].truncation, sizeof(w.notes[3].truncation), "retention is 2 months");
  text_copy(w.notes[3].time_zone, sizeof(w.notes[3].time_zone), "America/New_York");
  period_parse(&w.period, true, "28daysAgo", "yesterday", clock_unix_ms(), NULL);
  Result *r = world_compare(&w);
  CU_ASSERT_TRUE(has_caveat(r, "from a sample (at least 45.3 % of the events) for: Dealer 00."));
  CU_ASSERT_TRUE(has_caveat(r, "\"(other)\" for: Dealer 01 and Dealer 02."));
  CU_ASSERT_TRUE(has_caveat(r, "come back as 0, for: Dealer 01."));
  CU_ASSERT_TRUE(has_caveat(r, "(retention is 2 months) for: Dealer 03."));
  CU_ASSERT_TRUE(has_caveat(r, "2 time zones (America/Los_Angeles and America/New_York)"));
  CU_ASSERT_TRUE(has_caveat(r, "Figures may still change: the period ends yesterday"));
  CU_ASSERT_EQUAL(r->period->days, 28);
  CU_ASSERT_EQUAL(r->period->n_time_zones, 2);
  world_end(&w);
}

/* ------------------------------------------------------------------------ fold */

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;
typedef Analytics__Report__V1__MetricColumn MetricColumn;

static enum err_code fold_events(struct sums_fold *f, size_t member, size_t n_new,
                                 char **dictionary, size_t rows, uint32_t *indices, double *values)
{
  ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  DimensionColumn d = ANALYTICS__REPORT__V1__DIMENSION_COLUMN__INIT;
  MetricColumn m = ANALYTICS__REPORT__V1__METRIC_COLUMN__INIT;
  DimensionColumn *dimensions[] = {&d};
  MetricColumn *metrics[] = {&m};
  struct err e = {0};
  c.query_id = SUMS_QUERY_LEADS;
  c.row_count = (uint32_t)rows;
  c.n_dimensions = c.n_metrics = 1;
  c.dimensions = dimensions;
  c.metrics = metrics;
  d.n_dictionary = n_new;
  d.dictionary = dictionary;
  d.n_indices = m.n_values = rows;
  d.indices = indices;
  m.values = values;
  return sums_fold_chunk(f, member, &c, &e);
}

static void fold_adds_events_over_chunks_with_a_growing_dictionary(void)
{
  struct world w;
  struct sums_fold f;
  world_start(&w, 2);
  sums_fold_init(&f, &w.leads, 2);
  char *first[] = {(char *)"generate_lead", (char *)"asc_form_submission_sales"};
  char *second[] = {(char *)"asc_form_submission"};
  CU_ASSERT_EQUAL(fold_events(&f, 0, 2, first, 2, (uint32_t[]){0, 1}, (double[]){5, 1000}), ERR_OK);
  CU_ASSERT_EQUAL(fold_events(&f, 0, 1, second, 3, (uint32_t[]){2, 0, 2}, (double[]){7, 2, 1}),
                  ERR_OK);
  const int64_t *events = sums_fold_events(&f, 0);
  CU_ASSERT_EQUAL(events[0], 8);
  CU_ASSERT_EQUAL(events[1], 7);
  CU_ASSERT_EQUAL(events[2], 0);
  CU_ASSERT_EQUAL(sums_fold_events(&f, 1)[0], 0);
  sums_fold_drop(&f, 0);
  CU_ASSERT_EQUAL(sums_fold_events(&f, 0)[0], 0);
  CU_ASSERT_EQUAL(fold_events(&f, 0, 0, NULL, 1, (uint32_t[]){0}, (double[]){1}), ERR_DATA_LOSS);
  char *again[] = {(char *)"form_submit"};
  CU_ASSERT_EQUAL(fold_events(&f, 1, 1, again, 1, (uint32_t[]){0}, (double[]){0.5}), ERR_DATA_LOSS);
  CU_ASSERT_EQUAL(fold_events(&f, 1, 0, NULL, 1, (uint32_t[]){0}, (double[]){NAN}), ERR_DATA_LOSS);
  sums_fold_free(&f);
  world_end(&w);
}

static void lead_event_is_the_configured_one_or_the_first_that_occurs(void)
{
  struct world w;
  world_start(&w, 2);
  w.members[1].lead_event = "web_lead_received";
  lead_events_collect(&w.leads, &w.cohort, w.arena);
  CU_ASSERT_EQUAL(w.leads.n, 4);
  CU_ASSERT_EQUAL(lead_event_of(&w.leads, "", (int64_t[]){0, 3, 9, 50}), 1);
  CU_ASSERT_EQUAL(lead_event_of(&w.leads, "", (int64_t[]){1, 3, 9, 50}), 0);
  CU_ASSERT_EQUAL(lead_event_of(&w.leads, "", (int64_t[]){0, 0, 0, 50}), LEAD_UNKNOWN);
  CU_ASSERT_EQUAL(lead_event_of(&w.leads, "web_lead_received", (int64_t[]){5, 3, 9, 0}), 3);
  CU_ASSERT_EQUAL(lead_event_of(&w.leads, "form_submit", (int64_t[]){5, 3, 0, 0}), 2);
  world_end(&w);
}

TEST_MAIN("aggregate compare", TEST(open_comparison_agrees_with_the_oracle),
          TEST(failed_dealer_changes_nothing_but_coverage),
          TEST(dealer_without_sessions_has_no_rates), TEST(unknown_leads_are_absent_and_not_zero),
          TEST(lead_figures_compare_only_the_same_event),
          TEST(lower_is_better_turns_rank_percentile_and_words), TEST(small_numbers_are_not_judged),
          TEST(five_percent_is_the_border_of_similar),
          TEST(restricted_benchmark_has_rounded_rates_and_no_counts),
          TEST(few_or_unequal_peers_suppress_the_benchmark),
          TEST(a_failed_peer_can_close_the_benchmark),
          TEST(bounces_must_pass_for_the_engagement_rate),
          TEST(five_to_seven_peers_give_the_middle_mean),
          TEST(nothing_of_a_hidden_peer_is_in_the_packed_answer),
          TEST(headline_speaks_of_the_subject_or_the_region), TEST(quality_notes_become_caveats),
          TEST(fold_adds_events_over_chunks_with_a_growing_dictionary),
          TEST(lead_event_is_the_configured_one_or_the_first_that_occurs))
