/* The comparison as a pure function: figures against an oracle, leads, privacy, words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/figures/daily.h"
#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/oracle.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;

enum { N_MAX = ORACLE_MAX };

/* A dealer's period; two of five sessions are shopping. */
#define FIGURES(s, e, event, l)                                                                    \
  ((struct dealer_figures){.ok = true,                                                             \
                           .lead_event = (event),                                                  \
                           .now = {.sessions = (s),                                                \
                                   .engaged_sessions = (e),                                        \
                                   .leads = (l),                                                   \
                                   .lead_sessions = (l),                                           \
                                   .shopper_sessions = (s)*2 / 5}})

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
  struct release_store *store; /* a new one for every comparison */
  struct door door;
  bool brief; /* no index rows but the subject's */
  bool pages; /* of what fits, else all dealers */
  size_t offset;
};

static void world_start(struct world *w, size_t n)
{
  memset(w, 0, sizeof(*w));
  w->arena = arena_new(1 << 26);
  w->cohort = (struct cohort){.id = "region:west@v1",
                              .label = "West",
                              .members = w->members,
                              .n = n,
                              .subject = -1,
                              .scope = {"west", "v1", "view", "viewer"}};
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
                                .qualified_session = "",
                                .time_zone = "",
                                .state = DEALER_OK};
    w->figures[i] = FIGURES(1000, 500, 0, 20);
    text_copy(w->notes[i].time_zone, sizeof(w->notes[i].time_zone), "America/Los_Angeles");
  }
  lead_events_collect(&w->leads, &w->cohort, w->arena);
}

static void forget_releases(struct world *w)
{
  door_close(&w->door);
  release_store_free(TAKE_PTR(w->store));
}

static Result *world_compare(struct world *w)
{
  static const struct lattice_span weeks = {20731, 20758}; /* 2026-10-05 to 2026-11-01 */
  struct err e = {0};
  forget_releases(w);
  CU_ASSERT_EQUAL_FATAL(release_store_new(&w->store, &(struct release_store_options){0}, &e),
                        ERR_OK);
  struct comparison c = {.of = {{&w->cohort, w->figures, &w->leads}, &w->door},
                         .notes = w->notes,
                         .period = &w->period,
                         .now_unix_ms = clock_unix_ms(),
                         .everyone = !w->brief,
                         .offset = w->offset,
                         .limit = w->pages ? 0 : 500};
  w->cohort.outside = 0;
  w->cohort.outside_frozen = false;
  for (size_t i = 0; i < w->cohort.n; i++)
    w->cohort.outside += !w->members[i].visible;
  struct door_options options = {w->store, DISCLOSURE_POLICY_DEFAULT, 1000};
  door_init(&w->door, &options, &w->cohort, (weeks.last + 10) * 86400000);
  door_admit(&w->door, weeks, false);
  door_settle(&w->door);
  return compare_dealers(&c, w->arena);
}

static void world_end(struct world *w)
{
  forget_releases(w);
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
      f->now.sessions = rand_r(&seed) % 10 == 0 ? 0 : rand_r(&seed) % 30000;
      f->now.engaged_sessions = f->now.sessions == 0 ? 0 : rand_r(&seed) % (f->now.sessions + 1);
      f->now.shopper_sessions = f->now.sessions * 2 / 5;
      f->lead_event = rand_r(&seed) % 5 - 1 > 2 ? 0 : rand_r(&seed) % 4 - 1;
      f->now.leads = f->lead_event < 0 ? 0 : rand_r(&seed) % 300;
      if (i > 0 && rand_r(&seed) % 8 == 0) {
        set_failed(&w, i);
        continue;
      }
      struct oracle_dealer *o = &all[answered++];
      snprintf(o->id, sizeof(o->id), "%s", w.members[i].dealer_id);
      o->sessions = f->now.sessions;
      o->engaged = f->now.engaged_sessions;
      o->leads = f->now.leads;
      o->shoppers = f->now.shopper_sessions;
      o->event = f->lead_event < 0 ? NULL : events[f->lead_event];
    }
    w.cohort.subject = 0;
    Result *r = world_compare(&w);
    CU_ASSERT_EQUAL(r->n_dealers, answered);
    CU_ASSERT_EQUAL(r->coverage->ok, (int)answered);
    CU_ASSERT_EQUAL(r->coverage->n_failed, n - answered);
    for (size_t i = 0; i + 1 < r->n_dealers; i++)
      CU_ASSERT_TRUE(r->dealers[i]->subject ||
                     r->dealers[i]->sessions >= r->dealers[i + 1]->sessions);
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
    with.figures[i] = without.figures[i] =
        FIGURES(1000 + 137 * (int64_t)i, 500 + 11 * (int64_t)i, 0, 20 + (int64_t)i);
  set_failed(&with, 6);
  Result *a = world_compare(&with), *b = world_compare(&without);
  CU_ASSERT_EQUAL(a->n_dealers, b->n_dealers);
  for (size_t i = 0; i < b->n_dealers; i++)
    for (size_t m = 0; m < METRIC_COMPARED; m++) {
      const MetricIndex *x = a->performance_index[i]->metrics[m];
      const MetricIndex *y = b->performance_index[i]->metrics[m];
      CU_ASSERT_TRUE(x->value == y->value && x->benchmark == y->benchmark && x->index == y->index &&
                     x->rank == y->rank && x->of == y->of && x->percentile == y->percentile &&
                     x->standing == y->standing);
    }
  for (size_t m = 0; m < METRIC_COMPARED; m++)
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
  w.figures[1] = FIGURES(0, 0, 0, 0);
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

/* The event says which of them it was in a parameter that few properties have registered. */
static void chats_are_told_from_texts_where_comm_type_is_registered(void)
{
  struct world w;
  world_start(&w, 5);
  Result *r = world_compare(&w);
  CU_ASSERT_FALSE(has_caveat(r, "Chats"));
  world_end(&w);
  for (int subject = -1; subject < 3; subject++) {
    world_start(&w, 5);
    w.cohort.subject = subject;
    for (size_t i = 0; i < 4; i++)
      w.figures[i].kinds[LEAD_KIND_CHAT] = 9;
    w.members[1].messages = (struct cohort_messages){MESSAGES_TOLD, {6, 1, 2}};
    w.members[2].messages.state = w.members[3].messages.state = MESSAGES_NOT_REGISTERED;
    r = world_compare(&w);
    CU_ASSERT_EQUAL(has_caveat(r, "Chats include texts at 2 of 4 dealers (Dealer 02 and Dealer "
                                  "03): register comm_type there as an event-scoped custom "
                                  "dimension."),
                    subject < 0);
    CU_ASSERT_EQUAL(has_caveat(r, "at 1 of 1 dealer (Dealer 02): register"), subject == 2);
    CU_ASSERT_EQUAL(has_caveat(r, "could not be told apart, at Dealer 00;"), subject <= 0);
    CU_ASSERT_EQUAL(has_caveat(r, "Chats of Dealer 01 by comm_type: 6 live chats, 1 text, 2 of "
                                  "another kind or of none."),
                    subject == 1);
    for (size_t i = 0; i < r->n_dealers; i++) {
      const Analytics__Aggregate__V1__DealerSessions *d = r->dealers[i];
      bool told = strcmp(d->dealer_id, "d01") == 0;
      CU_ASSERT_EQUAL(d->opt_live_chats_case != 0 && d->live_chats == 6, told);
      CU_ASSERT_EQUAL(d->opt_texts_case != 0 && d->texts == 1, told);
    }
    world_end(&w);
  }
}

/* The eight dealers of a published example: the one with the highest rate has 960 sessions. */
static void dealers_are_ranked_by_their_shrunk_rates(void)
{
  static const int64_t n[] = {12400, 8650, 5320, 4110, 2980, 1740, 960, 410};
  static const int64_t y[] = {248, 147, 117, 62, 66, 24, 22, 4};
  static const char *const ranked[] = {"d02", "d04", "d00", "d06", "d07", "d01", "d05", "d03"};
  static const double shrunk[] = {2.0448, 2.0063, 1.9666, 1.9499, 1.8202, 1.7698, 1.7595, 1.7198};
  struct world w;
  world_start(&w, ARRAY_LEN(n));
  for (size_t i = 0; i < ARRAY_LEN(n); i++)
    w.figures[i] = FIGURES(n[i], n[i] / 2, 0, y[i]);
  Result *r = world_compare(&w);
  for (size_t i = 0; i < ARRAY_LEN(n); i++) {
    CU_ASSERT_STRING_EQUAL(r->dealers[i]->dealer_id, ranked[i]);
    CU_ASSERT_DOUBLE_EQUAL(r->dealers[i]->leads_per_100_shrunk, shrunk[i], 1e-4);
    CU_ASSERT_EQUAL(strlen(r->dealers[i]->mark), 1);
  }
  CU_ASSERT_STRING_EQUAL(r->dealers[0]->mark, "=");
  CU_ASSERT_STRING_EQUAL(r->dealers[4]->mark, "?"); /* d07 expects 8 leads */
  CU_ASSERT_PTR_NOT_NULL(strstr(r->legend, "= no clear difference"));
  world_end(&w);
  world_start(&w, 3);
  w.cohort.subject = 1;
  r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(r->legend, "");
  CU_ASSERT_STRING_EQUAL(r->dealers[0]->mark, "");
  CU_ASSERT_TRUE(has_caveat(r, "benchmark_dealer gives this dealer's scorecard"));
  world_end(&w);
}

static void unknown_leads_are_absent_and_not_zero(void)
{
  struct world w;
  world_start(&w, 3);
  w.figures[0] = FIGURES(900, 400, LEAD_UNKNOWN, 0);
  w.figures[1] = FIGURES(800, 400, 0, 0); /* configured, none happened */
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL(r->dealers[2]->opt_lead_events_case, 0);
  CU_ASSERT_STRING_EQUAL(r->dealers[2]->lead_event, "");
  CU_ASSERT_EQUAL(r->dealers[2]->opt_leads_per_100_shrunk_case, 0);
  CU_ASSERT_NOT_EQUAL(r->dealers[1]->opt_lead_events_case, 0);
  CU_ASSERT_EQUAL(r->dealers[1]->lead_events, 0);
  CU_ASSERT_STRING_EQUAL(r->dealers[1]->lead_event, "asc_form_submission");
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
  w.figures[3].now.leads = 300;
  w.figures[4].now.leads = 100;
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
    w.figures[i].now.engaged_sessions = 200 + 200 * (int64_t)i; /* bounce 80, 60, 40, 20 % */
  Result *r = world_compare(&w);
  const MetricIndex *best = index_of(r, "d03", METRIC_BOUNCE_RATE);
  CU_ASSERT_EQUAL(best->better, ANALYTICS__AGGREGATE__V1__BETTER__LOWER);
  CU_ASSERT_EQUAL(best->rank, 1);
  CU_ASSERT_EQUAL(best->percentile, 100);
  CU_ASSERT_TRUE(best->index < 100);
  /* One fact, one verdict: the engagement rate carries it. */
  CU_ASSERT_EQUAL(best->standing, ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_BOUNCE_RATE)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->standing,
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
  w.figures[0] = FIGURES(100, 50, 0, 4);
  w.figures[1] = FIGURES(500, 250, 0, 9);
  w.figures[2] = FIGURES(500, 250, 0, 10);
  Result *r = world_compare(&w);
  /* The others have 19 leads. */
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA);
  w.figures[2].now.leads = 110; /* 119 of the others, 11.9 expected: 4 is not clearly low */
  r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE);
  w.figures[0].now.leads = w.figures[0].now.lead_sessions = 0; /* but none at all is */
  r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__WORSE);
  w.figures[0].now = (struct dealer_counts){.sessions = 80, .leads = 60}; /* 9.5 expected */
  r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_LEADS_PER_100_SESSIONS)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA);
  world_end(&w);
}

static void five_points_of_the_index_are_the_border(void)
{
  struct world w;
  world_start(&w, 2);
  w.figures[1] = FIGURES(10000000, 5000000, 0, 0);
  static const struct {
    int64_t engaged;
    Analytics__Aggregate__V1__Standing standing;
  } cases[] = {{52500, ANALYTICS__AGGREGATE__V1__STANDING__BETTER},
               {52499, ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE},
               {47501, ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE},
               {47500, ANALYTICS__AGGREGATE__V1__STANDING__WORSE}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    w.figures[0] = FIGURES(100000, cases[i].engaged, 0, 0);
    Result *r = world_compare(&w);
    CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_ENGAGEMENT_RATE)->standing, cases[i].standing);
  }
  world_end(&w);
}

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

static void headline_speaks_of_the_subject_or_the_region(void)
{
  struct world w;
  world_start(&w, 4);
  w.figures[0] = FIGURES(2000, 1200, 0, 60);
  w.cohort.subject = 0;
  Result *r = world_compare(&w);
  CU_ASSERT_STRING_EQUAL(
      r->headline,
      "Dealer 00 against the other dealers of West (4 of 4 dealers), 2026-10-01 to 2026-10-28: "
      "engagement rate 60.0 % against 50.0 % (index 120, 95 % interval 114 to 126, 1st of 4: "
      "better); leads per 100 sessions 3.00 against 2.00 (index 150, 95 % interval 105 to 215, 1st "
      "of 4: better).");
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
  world_start(&w, 1);
  w.figures[0] = FIGURES(2000, 1200, 0, 60);
  r = world_compare(&w);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "West (1 of 1 dealer), "));
  CU_ASSERT_TRUE(has_caveat(r, "which 1 of 1 dealer in the figures counts"));
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
  CU_ASSERT_TRUE(has_caveat(r, "are in 2 time zones; each dealer's days"));
  CU_ASSERT_TRUE(has_caveat(r, "Figures may still change: the period ends yesterday"));
  CU_ASSERT_EQUAL(r->period->days, 28);
  CU_ASSERT_EQUAL(r->period->n_time_zones, 2);
  world_end(&w);
}

/* ------------------------------------------------------------------------ fold */

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;
typedef Analytics__Report__V1__MetricColumn MetricColumn;

/* A chunk of a report whose rows have the given days, and events or no second dimension; the last
 * dimension is dateRange. */
struct rows {
  uint32_t query;
  size_t n_dimensions, n_metrics, n;
  char *new_texts[3][4];
  size_t n_new[3];
  uint32_t indices[3][4];
  double values[2][4];
};

static enum err_code fold(struct daily_fold *f, size_t member, struct rows *r)
{
  ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  DimensionColumn d[3], *dimensions[] = {&d[0], &d[1], &d[2]};
  MetricColumn m[2], *metrics[] = {&m[0], &m[1]};
  struct err e = {0};
  c.query_id = r->query;
  c.row_count = (uint32_t)r->n;
  c.n_dimensions = r->n_dimensions;
  c.n_metrics = r->n_metrics;
  c.dimensions = dimensions;
  c.metrics = metrics;
  for (size_t k = 0; k < 3; k++) {
    analytics__report__v1__dimension_column__init(&d[k]);
    d[k].dictionary = r->new_texts[k];
    d[k].n_dictionary = r->n_new[k];
    d[k].indices = r->indices[k];
    d[k].n_indices = r->n;
  }
  for (size_t k = 0; k < 2; k++) {
    analytics__report__v1__metric_column__init(&m[k]);
    m[k].values = r->values[k];
    m[k].n_values = r->n;
  }
  return daily_fold.chunk(f, member, &c, &e);
}

#define T(text) ((char *)(text))

static void fold_two_dealers(struct daily_fold *f)
{
  struct rows sessions = {
      DAILY_SESSIONS,
      2,
      2,
      3,
      {{T("20261001"), T("20261002"), T("20260930")}, {T("date_range_0"), T("date_range_1")}},
      {3, 2},
      {{0, 1, 2}, {0, 0, 1}},
      {{100, 50, 70}, {60, 20, 30}}};
  struct rows events = {
      DAILY_EVENTS,
      3,
      2,
      2,
      {{T("20261001")}, {T("generate_lead"), T("asc_form_submission_sales")}, {T("date_range_0")}},
      {1, 2, 1},
      {{0, 0}, {0, 1}, {0, 0}},
      {{5, 1000}, {4, 900}}};
  /* The next chunk adds to the dictionaries and names what the first one sent. */
  struct rows more = {
      DAILY_EVENTS,
      3,
      2,
      4,
      {{T("20261002"), T("20260930")}, {T("asc_click_to_call")}, {T("date_range_1")}},
      {2, 1, 1},
      {{1, 0, 2, 2}, {0, 2, 0, 2}, {0, 0, 1, 1}},
      {{7, 2, 3, 9}, {6, 2, 3, 9}}};
  struct rows shoppers = {DAILY_SHOPPERS,
                          2,
                          1,
                          2,
                          {{T("20261001"), T("20260930")}, {T("date_range_0"), T("date_range_1")}},
                          {2, 2},
                          {{0, 1}, {0, 1}},
                          {{40, 25}}};
  CU_ASSERT_EQUAL(fold(f, 0, &sessions), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &events), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &more), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &shoppers), ERR_OK);
  /* form_start is a frequent key event, scroll a rare one, page_view none. */
  struct rows look_back = {
      DAILY_LOOKBACK,
      2,
      2,
      4,
      {{T("asc_form_submission"), T("generate_lead"), T("form_start"), T("session_start")},
       {T("true"), T("false")}},
      {4, 2},
      {{0, 1, 2, 3}, {0, 0, 0, 1}},
      {{3, 7, 60, 1000}, {3, 7, 50, 1000}}};
  struct rows rare = {DAILY_LOOKBACK,
                      2,
                      2,
                      2,
                      {{T("scroll"), T("page_view")}, {T("true"), T("false")}},
                      {2, 2},
                      {{4, 5}, {2, 3}},
                      {{29, 3000}, {29, 999}}};
  CU_ASSERT_EQUAL(fold(f, 0, &look_back), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &rare), ERR_OK);
}

static void fold_keeps_days_periods_and_events_apart(void)
{
  struct world w;
  struct daily_fold f;
  struct dealer_figures d;
  int64_t firings[LEAD_FIXED];
  atomic_llong used = 0;
  world_start(&w, 2);
  daily_fold_init(&f, &w.leads, 2, true, (struct budget){&used, 1 << 20, 0});
  fold_two_dealers(&f);
  CU_ASSERT_TRUE(atomic_load(&used) > 0);
  CU_ASSERT_TRUE_FATAL(daily_fold_figures(&f, 0, 1, SHOPPER_INVENTORY, &d, w.arena));
  CU_ASSERT_TRUE(d.now.sessions == 150 && d.now.engaged_sessions == 80 && d.now.leads == 12 &&
                 d.now.lead_sessions == 10 && d.now.shopper_sessions == 40);
  CU_ASSERT_TRUE(d.before.sessions == 70 && d.before.leads == 3 && d.before.shopper_sessions == 25);
  CU_ASSERT_EQUAL(d.kinds[LEAD_KIND_CALL], 2); /* not the 9 of the period before */
  CU_ASSERT_EQUAL_FATAL(d.n_days, 2);
  CU_ASSERT_TRUE(d.days[0].sessions == 100 && d.days[0].leads == 5 &&
                 d.days[0].shopper_sessions == 40);
  CU_ASSERT_TRUE(d.days[1].sessions == 50 && d.days[1].leads == 7);
  daily_fold_firings(&f, 0, firings);
  CU_ASSERT_TRUE(firings[0] == 3 && firings[1] == 7 && firings[2] == 0);
  CU_ASSERT_EQUAL(daily_fold_key_events(&f, 0), suspect_signature_add(0, "form_start"));
  CU_ASSERT_EQUAL(daily_fold_key_events(&f, 1), 0);
  /* A known event that did not happen is 0; other definitions count other sessions. */
  CU_ASSERT_TRUE(daily_fold_figures(&f, 0, 0, SHOPPER_ENGAGED, &d, w.arena));
  CU_ASSERT_TRUE(d.now.leads == 0 && d.now.shopper_sessions == 80);
  CU_ASSERT_TRUE(daily_fold_figures(&f, 0, 0, SHOPPER_EVENT + 1, &d, w.arena));
  CU_ASSERT_EQUAL(d.now.shopper_sessions, 10);
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
  CU_ASSERT_TRUE(daily_fold_figures(&f, 0, 1, SHOPPER_INVENTORY, &d, w.arena));
  CU_ASSERT_EQUAL(d.now.sessions, 0);
  daily_fold.free(&f);
  world_end(&w);
}

static void fold_refuses_what_is_not_a_day_a_range_or_a_count(void)
{
  struct world w;
  struct daily_fold f;
  atomic_llong used = 0;
  world_start(&w, 1);
  daily_fold_init(&f, &w.leads, 1, true, (struct budget){&used, 1 << 20, 0});
  struct rows good = {DAILY_SHOPPERS, 2,          1,    1, {{T("20261001")}, {T("date_range_0")}},
                      {1, 1},         {{0}, {0}}, {{5}}};
  static const char *const days[] = {"2026-10-01", "2026100", "202610011", "(other)", ""};
  for (size_t i = 0; i < ARRAY_LEN(days); i++) {
    struct rows bad = good;
    bad.new_texts[0][0] = (char *)days[i];
    CU_ASSERT_EQUAL(fold(&f, 0, &bad), ERR_DATA_LOSS);
    daily_fold.drop(&f, 0);
  }
  struct rows range = good, index = good, columns = good;
  range.new_texts[1][0] = T("date_range_7");
  index.indices[0][0] = 1;
  columns.n_dimensions = 1;
  CU_ASSERT_EQUAL(fold(&f, 0, &range), ERR_DATA_LOSS);
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(fold(&f, 0, &index), ERR_DATA_LOSS);
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(fold(&f, 0, &columns), ERR_DATA_LOSS);
  static const double odd[] = {0.5, -1, NAN, 1e300};
  for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
    struct rows bad = good;
    bad.values[0][0] = odd[i];
    CU_ASSERT_EQUAL(fold(&f, 0, &bad), ERR_DATA_LOSS);
    daily_fold.drop(&f, 0);
  }
  CU_ASSERT_EQUAL(fold(&f, 0, &good), ERR_OK);
  f.budget.max = 0;
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(fold(&f, 0, &good), ERR_RESOURCE_EXHAUSTED);
  daily_fold.free(&f);
  world_end(&w);
}

static void lead_event_is_the_one_that_fires_most_and_asc_from_half_of_it(void)
{
  static const struct {
    int64_t firings[LEAD_FIXED];
    int event;
  } cases[] = {{{0, 0, 0}, LEAD_UNKNOWN},
               {{1, 0, 0}, 0},
               {{0, 3, 9}, 2},
               {{0, 9, 9}, 1},
               {{5, 10, 0}, 0},
               {{4, 10, 0}, 1},
               {{5, 11, 0}, 1},
               {{6, 11, 3}, 0},
               {{1, 9, 0}, 1},
               {{500, 3, 757}, 0}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_EQUAL(lead_find(cases[i].firings).lead_event, cases[i].event);
}

static void events_of_a_cohort_are_the_fixed_and_the_configured_ones(void)
{
  struct world w;
  world_start(&w, 3);
  w.members[1].lead_event = "web_lead_received";
  w.members[2].lead_event = "asc_click_to_call";
  w.members[2].qualified_session = "event:view_inventory";
  lead_events_collect(&w.leads, &w.cohort, w.arena);
  struct lead_finding pages = {.inventory_pages = true}, none = {.inventory_pages = false};
  size_t n_looked_for;
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "", none), SHOPPER_UNKNOWN); /* not 0 */
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "vdp_view", none), SHOPPER_UNKNOWN);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "engaged", none), SHOPPER_ENGAGED);
  CU_ASSERT_FALSE(lead_find((int64_t[LEAD_FIXED]){9, 9, 9, 9, 9, 9, 9, 9}).inventory_pages);
  CU_ASSERT_TRUE(lead_find((int64_t[LEAD_FIXED]){[9] = 1}).inventory_pages);
  CU_ASSERT_EQUAL(lead_find((int64_t[LEAD_FIXED]){9, 9, 9, [8] = 9}).contacts, 0);
  CU_ASSERT_EQUAL(lead_find((int64_t[LEAD_FIXED]){[4] = 1, [6] = 2}).contacts,
                  1 << LEAD_KIND_CHAT | 1 << LEAD_KIND_APPOINTMENT);
  char **look_back = lead_look_back_events(&w.leads, &n_looked_for, w.arena);
  CU_ASSERT_EQUAL(n_looked_for, LEAD_FIXED + 3); /* the fixed, 2 configured, session_start */
  CU_ASSERT_STRING_EQUAL(look_back[LEAD_FIXED + 2], "session_start");
  CU_ASSERT_STRING_EQUAL(look_back[2], "form_submit");
  CU_ASSERT_STRING_EQUAL(look_back[3], "asc_click_to_call");
  CU_ASSERT_STRING_EQUAL(look_back[LEAD_FIXED], "web_lead_received");
  CU_ASSERT_EQUAL(w.leads.n, LEAD_FIXED + 2);
  CU_ASSERT_EQUAL(lead_events_find(&w.leads, "web_lead_received"), LEAD_FIXED);
  CU_ASSERT_EQUAL(lead_events_find(&w.leads, "asc_form_submission_sales"), LEAD_UNKNOWN);
  CU_ASSERT_STRING_EQUAL(lead_event_kind("form_submit"), "form");
  CU_ASSERT_STRING_EQUAL(lead_event_kind("asc_click_to_call"), "call");
  CU_ASSERT_STRING_EQUAL(lead_event_kind("asc_comm_submission"), "chat");
  CU_ASSERT_STRING_EQUAL(lead_event_kind("web_lead_received"), "other");
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "", pages), SHOPPER_INVENTORY);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "engaged", pages), SHOPPER_ENGAGED);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "event:view_inventory", pages),
                  SHOPPER_EVENT + LEAD_FIXED + 1);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "event:unheard_of", pages), SHOPPER_UNKNOWN);
  CU_ASSERT_STRING_EQUAL(shopper_words(&w.leads, shopper_of(&w.leads, "vdp_view", pages), w.arena),
                         "sessions with asc_item_pageview");
  world_end(&w);
}

static void shopper_figures_compare_only_one_definition(void)
{
  struct world w;
  world_start(&w, 5);
  for (size_t i = 3; i < 5; i++) {
    w.figures[i].shopper = SHOPPER_ENGAGED;
    w.figures[i].now.shopper_sessions = w.figures[i].now.engaged_sessions;
  }
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_SHOPPER_RATE)->of, 3);
  CU_ASSERT_EQUAL(index_of(r, "d04", METRIC_SHOPPER_RATE)->of, 2);
  CU_ASSERT_EQUAL(index_of(r, "d04", METRIC_LEADS_PER_100_SHOPPER_SESSIONS)->of, 2);
  CU_ASSERT_EQUAL(r->regional_average->metrics[METRIC_SHOPPER_RATE]->dealers, 3);
  CU_ASSERT_TRUE(has_caveat(r, "Shopper sessions of Dealer 03 and Dealer 04 are engaged sessions"));
  world_end(&w);
}

static void unknown_shoppers_are_absent_and_not_zero(void)
{
  struct world w;
  world_start(&w, 3);
  w.figures[1].shopper = SHOPPER_UNKNOWN;
  w.figures[1].now.shopper_sessions = 0;
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d01", METRIC_SHOPPER_RATE)->opt_value_case, 0);
  CU_ASSERT_DOUBLE_EQUAL(index_of(r, "d00", METRIC_SHOPPER_RATE)->benchmark, 0.4, 1e-12);
  CU_ASSERT_EQUAL(r->regional_average->metrics[METRIC_SHOPPER_RATE]->dealers, 2);
  CU_ASSERT_TRUE(has_caveat(r, "Shopper sessions are unknown, not 0, for Dealer 01"));
  world_end(&w);
}

static void a_subject_alone_is_judged_and_detail_changes_no_word_about_it(void)
{
  struct world w;
  world_start(&w, 8);
  w.figures[2] = FIGURES(4000, 2800, 0, 40);
  w.figures[5] = FIGURES(4000, 1200, 0, 40);
  w.cohort.subject = 2;
  w.brief = true;
  Result *brief = world_compare(&w);
  w.brief = false;
  Result *all = world_compare(&w);
  CU_ASSERT_EQUAL_FATAL(brief->n_performance_index, 1);
  CU_ASSERT_EQUAL(all->n_performance_index, 8);
  CU_ASSERT_EQUAL(brief->cells_tested, 4);
  CU_ASSERT_EQUAL(all->cells_tested, 4);
  CU_ASSERT_STRING_EQUAL(brief->headline, all->headline);
  for (size_t m = 0; m < METRIC_COMPARED; m++) {
    const MetricIndex *x = brief->performance_index[0]->metrics[m];
    const MetricIndex *y = index_of(all, "d02", (enum metric_id)m);
    CU_ASSERT_EQUAL(protobuf_c_message_get_packed_size(&x->base),
                    protobuf_c_message_get_packed_size(&y->base));
    CU_ASSERT_TRUE(x->standing == y->standing && x->index == y->index && x->q == y->q);
  }
  CU_ASSERT_EQUAL(index_of(all, "d02", METRIC_ENGAGEMENT_RATE)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__BETTER);
  CU_ASSERT_EQUAL(index_of(all, "d05", METRIC_ENGAGEMENT_RATE)->standing,
                  ANALYTICS__AGGREGATE__V1__STANDING__NOT_JUDGED);
  w.cohort.subject = -1;
  w.brief = true;
  Result *region = world_compare(&w);
  CU_ASSERT_EQUAL(region->n_performance_index, 0);
  CU_ASSERT_EQUAL(region->cells_tested, 32);
  for (size_t i = 0; i < region->n_dealers; i++)
    if (strcmp(region->dealers[i]->dealer_id, "d05") == 0)
      CU_ASSERT_PTR_NOT_NULL(strstr(region->dealers[i]->verdicts, "engagement_rate worse"));
  world_end(&w);
}

/* Marks the dealers of a page, none of which was seen before. */
static void see(const Result *r, bool *seen)
{
  for (size_t i = 0; i < r->n_dealers; i++) {
    size_t at = strtoul(r->dealers[i]->dealer_id + 1, NULL, 10);
    CU_ASSERT_FALSE(seen[at]);
    seen[at] = true;
  }
}

/* Bytes of a page's text, without the lead events and kinds of the dealers, which it leaves out. */
static size_t text_of_page(const Result *r)
{
  size_t bytes = paging_text_bytes(&r->base);
  for (size_t i = 0; i < r->n_dealers; i++)
    bytes -= strlen(r->dealers[i]->lead_event) + strlen(r->dealers[i]->lead_kind);
  return bytes;
}

/* What a page says beside its dealers. */
static void check_page(const struct world *w, const Result *r, const char *headline)
{
  bool subject = w->cohort.subject >= 0, first = w->offset == 0;
  CU_ASSERT_STRING_EQUAL(r->headline, headline);
  CU_ASSERT_EQUAL(r->regional_average->n_metrics, METRIC_COMPARED);
  CU_ASSERT_TRUE(text_of_page(r) < (w->brief && subject ? 4096 : 5500));
  CU_ASSERT_TRUE(r->next_offset == 0 || (size_t)r->next_offset == w->offset + r->n_dealers);
  if (subject) {
    CU_ASSERT_STRING_EQUAL(r->performance_index[0]->dealer_id, "d07");
    CU_ASSERT_EQUAL(r->dealers[0]->subject, first);
  }
  CU_ASSERT_EQUAL(r->n_performance_index, w->brief ? subject : r->n_dealers + (subject && !first));
}

static void pages_of(long subject, bool brief)
{
  struct world w;
  bool seen[N_MAX] = {false};
  size_t pages = 0, dealers = 0;
  world_start(&w, N_MAX);
  w.cohort.subject = subject;
  w.brief = brief;
  w.pages = true;
  const char *headline = world_compare(&w)->headline;
  do {
    Result *r = world_compare(&w);
    check_page(&w, r, headline);
    see(r, seen);
    dealers += r->n_dealers;
    w.offset = (size_t)r->next_offset;
  } while (w.offset != 0 && ++pages < N_MAX);
  CU_ASSERT_EQUAL(dealers, N_MAX);
  CU_ASSERT_TRUE(pages > 0);
  world_end(&w);
}

static void pages_fit_a_model_and_hold_every_dealer_once(void)
{
  pages_of(7, true);
  pages_of(7, false);
  pages_of(-1, true);
  pages_of(-1, false);
}

static void a_limit_and_an_offset_choose_the_page(void)
{
  struct world w;
  world_start(&w, 6);
  w.cohort.subject = -1;
  w.offset = 4;
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL(r->n_dealers, 2);
  CU_ASSERT_EQUAL(r->next_offset, 0);
  w.offset = 9;
  r = world_compare(&w);
  CU_ASSERT_EQUAL(r->n_dealers, 0);
  CU_ASSERT_EQUAL(r->next_offset, 0);
  CU_ASSERT_EQUAL(r->coverage->ok, 6);
  world_end(&w);
}

/* A program reads it where people read the caveats; dealers outside the view are in neither. */
static void dealers_left_out_as_suspect_are_listed_with_the_sign(void)
{
  const struct suspect_finding wave = {.found = true, .effects = EFFECT_NO_POOL};
  const struct suspect_finding gap = {.found = true, .effects = EFFECT_NO_RATES};
  const struct suspect_finding shift = {.found = true, .effects = EFFECT_NO_TREND};
  struct world w;
  world_start(&w, 9);
  w.members[8].visible = false;
  w.cohort.outside = 1;
  w.figures[1].findings.of[SUSPECT_TRAFFIC] = wave;
  w.figures[1].findings.of[SUSPECT_GAP] = gap; /* the more harmful one is said */
  w.figures[2].findings.of[SUSPECT_GAP] = gap;
  w.figures[3].findings.of[SUSPECT_SHIFT] = shift;
  w.figures[8].findings.of[SUSPECT_TRAFFIC] = wave;
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL_FATAL(r->coverage->n_left_out, 2);
  CU_ASSERT_STRING_EQUAL(r->coverage->left_out[0]->dealer_id, "d01");
  CU_ASSERT_STRING_EQUAL(r->coverage->left_out[0]->reason, "suspect_traffic");
  CU_ASSERT_STRING_EQUAL(r->coverage->left_out[0]->figures, "all");
  CU_ASSERT_STRING_EQUAL(r->coverage->left_out[1]->dealer_id, "d02");
  CU_ASSERT_STRING_EQUAL(r->coverage->left_out[1]->reason, "gap");
  CU_ASSERT_STRING_EQUAL(r->coverage->left_out[1]->figures, "rates");
  world_end(&w);
}

static void changes_stand_beside_the_markets(void)
{
  struct world w;
  world_start(&w, 4);
  for (size_t i = 0; i < 4; i++) {
    w.figures[i].has_before = true;
    w.figures[i].before = w.figures[i].now;
    w.figures[i].before.sessions = i == 0 ? 1250 : 1600; /* -20 %, the others -37.5 % */
  }
  w.cohort.subject = 0;
  Result *r = world_compare(&w);
  const MetricIndex *x = index_of(r, "d00", METRIC_SESSIONS);
  CU_ASSERT_DOUBLE_EQUAL(x->change_percent, -20, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(x->others_change_percent, -37.5, 1e-9);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(r->headline, "sessions -20 % against the period before, the others -38 %"));
  x = index_of(r, "d00", METRIC_ENGAGEMENT_RATE); /* 50 % now, 40 % then; the others 31.25 % */
  CU_ASSERT_DOUBLE_EQUAL(x->change_percent, 25, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(x->others_change_percent, 60, 1e-9);
  w.figures[0].has_before = false;
  r = world_compare(&w);
  CU_ASSERT_EQUAL(index_of(r, "d00", METRIC_SESSIONS)->opt_change_percent_case, 0);
  world_end(&w);
}

static void a_period_without_data_is_named(void)
{
  struct world w;
  world_start(&w, 3);
  period_parse(&w.period, true, "2990-01-01", "2990-01-31", clock_unix_ms(), NULL);
  Result *r = world_compare(&w);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "the period has not begun"));
  period_parse(&w.period, true, "2016-01-01", "2016-01-31", clock_unix_ms(), NULL);
  for (size_t i = 0; i < 3; i++)
    w.figures[i] = FIGURES(0, 0, 0, 0);
  r = world_compare(&w);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "it may lie before their first data"));
  w.members[1].properties = 2;
  r = world_compare(&w);
  CU_ASSERT_TRUE(
      has_caveat(r, "Only the default one of several properties was read for: Dealer 01."));
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

TEST_MAIN(
    "aggregate compare", TEST(chats_are_told_from_texts_where_comm_type_is_registered),
    TEST(dealers_left_out_as_suspect_are_listed_with_the_sign),
    TEST(open_comparison_agrees_with_the_oracle), TEST(failed_dealer_changes_nothing_but_coverage),
    TEST(dealer_without_sessions_has_no_rates), TEST(dealers_are_ranked_by_their_shrunk_rates),
    TEST(unknown_leads_are_absent_and_not_zero), TEST(lead_figures_compare_only_the_same_event),
    TEST(lower_is_better_turns_rank_percentile_and_words), TEST(small_numbers_are_not_judged),
    TEST(five_points_of_the_index_are_the_border),
    TEST(restricted_benchmark_has_rounded_rates_and_no_counts),
    TEST(few_or_unequal_peers_suppress_the_benchmark), TEST(a_failed_peer_can_close_the_benchmark),
    TEST(bounces_must_pass_for_the_engagement_rate), TEST(five_to_seven_peers_give_the_middle_mean),
    TEST(nothing_of_a_hidden_peer_is_in_the_packed_answer),
    TEST(headline_speaks_of_the_subject_or_the_region), TEST(quality_notes_become_caveats),
    TEST(fold_keeps_days_periods_and_events_apart),
    TEST(fold_refuses_what_is_not_a_day_a_range_or_a_count),
    TEST(lead_event_is_the_one_that_fires_most_and_asc_from_half_of_it),
    TEST(events_of_a_cohort_are_the_fixed_and_the_configured_ones),
    TEST(shopper_figures_compare_only_one_definition),
    TEST(unknown_shoppers_are_absent_and_not_zero),
    TEST(a_subject_alone_is_judged_and_detail_changes_no_word_about_it),
    TEST(pages_fit_a_model_and_hold_every_dealer_once), TEST(a_limit_and_an_offset_choose_the_page),
    TEST(changes_stand_beside_the_markets), TEST(a_period_without_data_is_named),
    TEST(outsiders_see_intervals_in_steps_and_no_q))
