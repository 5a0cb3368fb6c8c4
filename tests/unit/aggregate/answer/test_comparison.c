/* The comparison as a pure function: figures against an oracle, leads, words. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/comparison_world.h"
#include "tests/unit/harness.h"

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
    w.members[1].messages = (struct cohort_messages){.state = MESSAGES_TOLD, .of = {6, 1, 2}};
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

/* Eight dealers that began on one day are one sentence, not eight; the subject has its own. */
static void signs_in_the_same_words_are_one_sentence(void)
{
  const struct suspect_finding gap = {
      .found = true, .effects = EFFECT_NO_TREND, .days = 3, .first = 20000, .last = 20002};
  struct suspect_finding longer = gap;
  struct world w;
  world_start(&w, 9);
  w.cohort.subject = 3;
  longer.days = 4;
  for (size_t i = 0; i < 8; i++)
    w.figures[i].findings.of[SUSPECT_GAP] = gap;
  w.figures[8].findings.of[SUSPECT_GAP] = longer;
  Result *r = world_compare(&w);
  size_t sentences = 0;
  for (size_t i = 0; i < r->n_caveats; i++)
    sentences += strstr(r->caveats[i], " without a session (2024-") != NULL;
  CU_ASSERT_EQUAL(sentences, 3);
  CU_ASSERT_TRUE(has_caveat(r, "Dealer 03 (gap): 3 days without a session (2024-10-04"));
  CU_ASSERT_TRUE(has_caveat(
      r, "Dealer 00, Dealer 01, Dealer 02, Dealer 04, Dealer 05 and 2 more, each (gap): 3 "));
  CU_ASSERT_TRUE(has_caveat(r, "Dealer 08 (gap): 4 days without a session (2024-10-04"));
  CU_ASSERT_FALSE(has_caveat(r, "more sign"));
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

/* What is still to come must not look like a fall. */
static void a_period_that_is_not_over_has_no_change_in_the_headline(void)
{
  struct world w;
  char first[16], last[16];
  int64_t today = period_today(clock_unix_ms(), 0); /* dates, since the day differs by zone */
  world_start(&w, 4);
  clock_format_date(today - 6, first, sizeof(first));
  clock_format_date(today + 10, last, sizeof(last));
  period_parse(&w.period, true, first, last, clock_unix_ms(), NULL);
  for (size_t i = 0; i < 4; i++) {
    w.figures[i].has_before = true;
    w.figures[i].before = w.figures[i].now;
    w.figures[i].before.sessions = 2000;
  }
  w.cohort.subject = 0;
  Result *r = world_compare(&w);
  CU_ASSERT_PTR_NULL(strstr(r->headline, "against the period before"));
  CU_ASSERT_TRUE(has_caveat(r, "The period is not over: "));
  CU_ASSERT_TRUE(has_caveat(r, " of its 17 days are still to come"));
  CU_ASSERT_FALSE(has_caveat(r, "Figures may still change"));
  period_parse(&w.period, true, "6daysAgo", "yesterday", clock_unix_ms(), NULL);
  r = world_compare(&w);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "sessions -50 % against the period before"));
  CU_ASSERT_TRUE(has_caveat(r, "Figures may still change: the period ends yesterday"));
  w.figures[0] = FIGURES(0, 0, 0, 0); /* a longer period does not help a site without sessions */
  CU_ASSERT_FALSE(has_caveat(world_compare(&w), "13 weeks"));
  world_end(&w);
  world_start(&w, 1);
  w.cohort.subject = 0;
  r = world_compare(&w);
  CU_ASSERT_FALSE(has_caveat(r, "13 weeks")); /* nor one without others */
  CU_ASSERT_TRUE(has_caveat(r, "There is no other dealer to compare with: name a larger region"));
  world_end(&w);
}

TEST_MAIN("aggregate compare", TEST(chats_are_told_from_texts_where_comm_type_is_registered),
          TEST(dealers_left_out_as_suspect_are_listed_with_the_sign),
          TEST(signs_in_the_same_words_are_one_sentence),
          TEST(open_comparison_agrees_with_the_oracle),
          TEST(failed_dealer_changes_nothing_but_coverage),
          TEST(dealer_without_sessions_has_no_rates),
          TEST(dealers_are_ranked_by_their_shrunk_rates),
          TEST(unknown_leads_are_absent_and_not_zero),
          TEST(lead_figures_compare_only_the_same_event),
          TEST(lower_is_better_turns_rank_percentile_and_words), TEST(small_numbers_are_not_judged),
          TEST(five_points_of_the_index_are_the_border),
          TEST(headline_speaks_of_the_subject_or_the_region), TEST(quality_notes_become_caveats),
          TEST(shopper_figures_compare_only_one_definition),
          TEST(unknown_shoppers_are_absent_and_not_zero),
          TEST(a_subject_alone_is_judged_and_detail_changes_no_word_about_it),
          TEST(changes_stand_beside_the_markets),
          TEST(a_period_that_is_not_over_has_no_change_in_the_headline),
          TEST(a_period_without_data_is_named))
