/* The scorecard and the trends as pure functions over cohorts made by hand. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/scorecard.h"
#include "aggregate-svc/answer/trends.h"
#include "aggregate-svc/figures/channels.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/west.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__BenchmarkDealerResult Card;
typedef Analytics__Aggregate__V1__ScorecardMetric Row;
typedef Analytics__Aggregate__V1__ScorecardChannel Channel;
typedef Analytics__Aggregate__V1__CompareTrendsResult Trends;

enum { N_MAX = 8, FIRST = 20731, WEEKS_MAX = 13, MONDAY = 20647 }; /* 2026-10-05, 2026-07-13 */

#define BETTER ANALYTICS__AGGREGATE__V1__STANDING__BETTER
#define WORSE ANALYTICS__AGGREGATE__V1__STANDING__WORSE
#define NO_CLEAR_DIFFERENCE ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE

/* Dealers of as many owners; the first one is the subject. */
struct world {
  struct arena *arena;
  struct cohort cohort;
  struct cohort_member members[N_MAX];
  struct dealer_figures figures[N_MAX];
  struct dealer_counts channels[N_MAX][CHANNELS];
  struct dealer_notes notes[N_MAX];
  struct lead_events leads;
  west_texts texts[N_MAX];
  struct period period;
  struct release_store *store;
  struct door door;
};

static void world_start(struct world *w, size_t n)
{
  memset(w, 0, sizeof(*w));
  w->arena = arena_new(1 << 26);
  west_make(&w->cohort, w->members, w->texts, n);
  lead_events_collect(&w->leads, &w->cohort, w->arena);
}

static void hide(struct world *w, size_t i)
{
  west_hide(&w->members[i]);
  w->cohort.outside++;
}

static void open_door(struct world *w, int64_t first, int64_t last)
{
  struct err e = {0};
  if (w->store == NULL)
    CU_ASSERT_EQUAL_FATAL(release_store_new(&w->store, &(struct release_store_options){0}, &e),
                          ERR_OK);
  struct door_options options = {w->store, DISCLOSURE_POLICY_DEFAULT, 1000};
  door_init(&w->door, &options, &w->cohort, (last + 10) * 86400000);
  door_admit(&w->door, (struct lattice_span){first, last}, false);
  door_settle(&w->door);
}

static void world_end(struct world *w)
{
  door_close(&w->door);
  release_store_free(w->store);
  arena_free(w->arena);
}

/* ---------------------------------------------------------------------- scorecard */

/* Adds sessions and leads of a channel to a dealer; half of the sessions shop. */
static void add_channel(struct world *w, size_t dealer, const char *name, int64_t sessions,
                        int64_t leads)
{
  struct dealer_figures *f = &w->figures[dealer];
  struct dealer_counts c = {.sessions = sessions,
                            .engaged_sessions = sessions / 2,
                            .leads = leads,
                            .shopper_sessions = sessions / 2,
                            .inventory_sessions = sessions / 2,
                            .vdp_sessions = sessions * 2 / 5,
                            .vdp_views = sessions,
                            .srp_sessions = sessions / 2,
                            .vdp_srp_sessions = sessions / 4};
  w->channels[dealer][channel_find(name)] = c;
  f->ok = f->pages = true;
  f->channels = w->channels[dealer];
  f->now.sessions += c.sessions;
  f->now.engaged_sessions += c.engaged_sessions;
  f->now.leads += c.leads;
  f->now.shopper_sessions += c.shopper_sessions;
  f->now.vdp_sessions += c.vdp_sessions;
  f->now.vdp_views += c.vdp_views;
  f->now.srp_sessions += c.srp_sessions;
  f->now.vdp_srp_sessions += c.vdp_srp_sessions;
}

static Card *make_card(struct world *w)
{
  open_door(w, FIRST, FIRST + 27);
  period_of_days(&w->period, FIRST, FIRST + 27);
  struct scorecard s = {.of = {{&w->cohort, w->figures, &w->leads}, &w->door},
                        .notes = w->notes,
                        .period = &w->period,
                        .now_unix_ms = (FIRST + 60) * INT64_C(86400000)};
  return scorecard_make(&s, w->arena);
}

static const Row *row(const Card *r, const char *metric)
{
  for (size_t i = 0; i < r->n_metrics; i++)
    if (strcmp(r->metrics[i]->metric, metric) == 0)
      return r->metrics[i];
  CU_FAIL_FATAL("no such row");
  return NULL;
}

/* The mix of a published example, as two dealers. */
static const struct {
  const char *channel;
  int64_t n, y, peers_n, peers_y;
} mix[] = {{"Paid Search", 2600, 52, 7000, 119},
           {"Organic Search", 1400, 35, 11500, 276},
           {"Direct", 700, 17, 7200, 137},
           {"Paid Social", 500, 2, 4300, 17},
           {"Referral", 120, 5, 1250, 24}};

static void what_the_mix_explains_is_taken_out(void)
{
  struct world w;
  world_start(&w, 2);
  for (size_t i = 0; i < ARRAY_LEN(mix); i++) {
    add_channel(&w, 0, mix[i].channel, mix[i].n, mix[i].y);
    add_channel(&w, 1, mix[i].channel, mix[i].peers_n, mix[i].peers_y);
  }
  const Card *r = make_card(&w);
  const Row *x = row(r, "leads_per_100_sessions");
  CU_ASSERT_DOUBLE_EQUAL(x->index, 113.7907, 1e-4);
  CU_ASSERT_DOUBLE_EQUAL(x->mix_index, 116.3520, 1e-4);
  CU_ASSERT_DOUBLE_EQUAL(x->mix_low, 94.3354, 1e-4);
  CU_ASSERT_DOUBLE_EQUAL(x->mix_high, 143.5069, 1e-4);
  CU_ASSERT_DOUBLE_EQUAL(x->gap_mix, -0.051573, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(x->gap_rate, 0.304440, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(x->gap_mix + x->gap_rate, x->value - x->benchmark, 1e-9);
  CU_ASSERT_EQUAL(x->standing, NO_CLEAR_DIFFERENCE);
  CU_ASSERT_EQUAL(x->opt_leads_effect_case, 0);
  CU_ASSERT_EQUAL(r->n_channels, ARRAY_LEN(mix));
  CU_ASSERT_STRING_EQUAL(r->channels[0]->channel, "Paid Search");
  CU_ASSERT_DOUBLE_EQUAL(r->channels[0]->share, 2600.0 / 5320, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r->channels[0]->benchmark_share, 7000.0 / 31250, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r->channels[0]->benchmark_leads_per_100_sessions, 1.7, 1e-12);
  world_end(&w);
}

static void add_equal_dealers(struct world *w, size_t n)
{
  world_start(w, n);
  for (size_t i = 0; i < n; i++) {
    add_channel(w, i, "Paid Search", 4000, 80);
    add_channel(w, i, "Organic Search", 6000, 180);
  }
}

/* Half the leads is the largest verdict; fewer pages of vehicles is another one. */
static void the_largest_verdict_by_leads_comes_first(void)
{
  struct world w;
  add_equal_dealers(&w, 8);
  w.figures[0].now.leads = 130;
  w.figures[0].now.vdp_srp_sessions = 2000;
  const Card *r = make_card(&w);
  const Row *leads = row(r, "leads_per_100_sessions"), *srp = row(r, "srp_to_vdp");
  CU_ASSERT_STRING_EQUAL(r->look_first, "leads_per_100_sessions");
  CU_ASSERT_EQUAL(leads->standing, WORSE);
  CU_ASSERT_DOUBLE_EQUAL(leads->leads_effect, -130, 1e-9);
  CU_ASSERT_EQUAL(srp->standing, WORSE);
  CU_ASSERT_DOUBLE_EQUAL(srp->leads_effect, 130 * (1 - 2500.0 / 2000), 1e-9);
  CU_ASSERT_EQUAL(row(r, "shopper_rate")->standing, NO_CLEAR_DIFFERENCE);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "look first at leads per 100 sessions"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "some 130 leads lost if leads follow it"));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "also worse: "));
  CU_ASSERT_PTR_NULL(strstr(r->headline, "better"));
  world_end(&w);
}

static void no_lead_at_all_is_a_loss_of_those_expected(void)
{
  struct world w;
  add_equal_dealers(&w, 8);
  w.figures[0].now.leads = 0;
  const Card *r = make_card(&w);
  CU_ASSERT_EQUAL(row(r, "leads_per_100_sessions")->standing, WORSE);
  CU_ASSERT_DOUBLE_EQUAL(row(r, "leads_per_100_sessions")->leads_effect, -260, 1e-9);
  world_end(&w);
}

static void a_kind_of_contact_is_shown_where_it_happened_and_never_judged(void)
{
  struct world w;
  add_equal_dealers(&w, 4);
  for (size_t i = 0; i < 3; i++)
    w.figures[i].kinds[LEAD_KIND_CALL] = w.figures[i].now.calls = 100 * (int64_t)(i + 1);
  const Card *r = make_card(&w);
  const Row *x = row(r, "calls_per_100_sessions");
  CU_ASSERT_DOUBLE_EQUAL(x->value, 1, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(x->benchmark, 2.5, 1e-12); /* of the two others that report calls */
  CU_ASSERT_EQUAL(x->standing, ANALYTICS__AGGREGATE__V1__STANDING__CONTEXT_ONLY);
  for (size_t i = 0; i < r->n_metrics; i++)
    CU_ASSERT_PTR_NULL(strstr(r->metrics[i]->metric, "chats"));
  world_end(&w);
}

static void others_outside_the_view_are_pooled_and_rounded(void)
{
  struct world w;
  add_equal_dealers(&w, 8);
  for (size_t i = 1; i < 8; i++) {
    w.figures[i].now.leads += 7 * (int64_t)i;
    w.channels[i][channel_find("Paid Search")].leads += 7 * (int64_t)i;
    hide(&w, i);
  }
  const Card *r = make_card(&w);
  const Row *x = row(r, "leads_per_100_sessions");
  CU_ASSERT_DOUBLE_EQUAL(x->benchmark, 2.88, 1e-12); /* 2,016 of 70,000 */
  CU_ASSERT_DOUBLE_EQUAL(x->index, 90, 0);           /* 2.6 / 2.88 */
  CU_ASSERT_EQUAL((int64_t)x->index_low % 5, 0);
  CU_ASSERT_EQUAL((int64_t)x->index_high % 5, 0);
  CU_ASSERT_EQUAL(x->opt_p25_case, 0); /* of seven, a quartile would be one dealer's value */
  CU_ASSERT_DOUBLE_EQUAL(x->p50, 2.88, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(x->mix_index, nearbyint(x->mix_index), 0);
  CU_ASSERT_EQUAL(x->opt_mix_low_case, 0);
  CU_ASSERT_STRING_EQUAL(x->unusual_among_dealers, "");
  CU_ASSERT_STRING_EQUAL(row(r, "sessions")->suppressed, "peer_counts");
  CU_ASSERT_EQUAL(row(r, "shopper_rate")->opt_mix_index_case, 0);
  for (size_t i = 0; i < r->n_channels; i++)
    if (strcmp(r->channels[i]->channel, "Paid Search") == 0)
      CU_ASSERT_DOUBLE_EQUAL(r->channels[i]->benchmark_leads_per_100_sessions, 2.7, 1e-12);
  world_end(&w);
}

static bool shows_share_of(const Card *r, const char *channel)
{
  for (size_t i = 0; i < r->n_channels; i++)
    if (strcmp(r->channels[i]->channel, channel) == 0)
      return r->channels[i]->opt_benchmark_share_case != 0;
  return false;
}

/* A channel that becomes large enough later would be the difference of two answers. */
static void channels_shown_apart_stay_as_first_released(void)
{
  struct world w;
  add_equal_dealers(&w, 8);
  for (size_t i = 1; i < 8; i++)
    hide(&w, i);
  const Card *first = make_card(&w);
  CU_ASSERT_TRUE(shows_share_of(first, "Paid Search"));
  door_close(&w.door);
  for (size_t i = 0; i < 8; i++)
    add_channel(&w, i, "Email", 3000, 60);
  const Card *later = make_card(&w); /* by the same store */
  CU_ASSERT_TRUE(shows_share_of(later, "Paid Search"));
  CU_ASSERT_FALSE(shows_share_of(later, "Email"));
  door_close(&w.door);
  release_store_free(w.store);
  w.store = NULL;
  CU_ASSERT_TRUE(shows_share_of(make_card(&w), "Email"));
  world_end(&w);
}

static void too_few_others_are_not_shown_at_all(void)
{
  struct world w;
  add_equal_dealers(&w, 8);
  for (size_t i = 1; i < 5; i++)
    hide(&w, i);
  const Card *r = make_card(&w);
  for (size_t i = 0; i < r->n_metrics; i++) {
    CU_ASSERT_STRING_EQUAL(r->metrics[i]->suppressed, "min_contributors");
    CU_ASSERT_EQUAL(r->metrics[i]->opt_benchmark_case, 0);
    CU_ASSERT_EQUAL(r->metrics[i]->opt_p50_case, 0);
    CU_ASSERT_EQUAL(r->metrics[i]->opt_mix_index_case, 0);
  }
  for (size_t i = 0; i < r->n_channels; i++)
    CU_ASSERT_EQUAL(r->channels[i]->opt_benchmark_share_case, 0);
  world_end(&w);
}

static void a_subject_that_failed_is_named_with_its_reason(void)
{
  struct world w;
  add_equal_dealers(&w, 3);
  w.figures[0] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN};
  w.members[0].state = DEALER_FAILED;
  memcpy(w.members[0].reason, "invalid_grant", sizeof("invalid_grant"));
  const Card *r = make_card(&w);
  CU_ASSERT_EQUAL(r->n_metrics, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "Dealer 00 could not be read (invalid_grant)"));
  world_end(&w);
}

/* ------------------------------------------------------------------------- trends */

/* Leads per week of each dealer, of 1,000 sessions. */
struct series {
  struct world w;
  struct dealer_figures weeks[WEEKS_MAX][N_MAX];
  struct dealer_figures blocks[3][N_MAX];
  struct trend_span single[WEEKS_MAX];
};

static void series_start(struct series *s, size_t dealers)
{
  memset(s, 0, sizeof(*s));
  world_start(&s->w, dealers);
}

static void set_week(struct series *s, size_t week, size_t dealer, int64_t leads, int64_t sessions)
{
  s->weeks[week][dealer] =
      (struct dealer_figures){.ok = true, .now = {.sessions = sessions, .leads = leads}};
}

/* The figures of n weeks from one on, added up. */
static struct trend_block block_of(struct series *s, size_t place, size_t from, size_t n)
{
  struct dealer_figures *sum = s->blocks[place];
  for (size_t d = 0; d < s->w.cohort.n; d++) {
    sum[d] = (struct dealer_figures){.ok = true};
    for (size_t k = from; k < from + n; k++) {
      sum[d].now.sessions += s->weeks[k][d].now.sessions;
      sum[d].now.leads += s->weeks[k][d].now.leads;
    }
  }
  struct iso_span days = {MONDAY + 7 * (int64_t)from, MONDAY + 7 * (int64_t)(from + n) - 1};
  return (struct trend_block){
      .all = {days, {&s->w.cohort, sum, &s->w.leads}}, .single = &s->single[from], .n = n};
}

static Trends *make_trends(struct series *s, size_t n)
{
  size_t block = grain_block(GRAIN_WEEK, n);
  for (size_t k = 0; k < n; k++)
    s->single[k] = (struct trend_span){{MONDAY + 7 * (int64_t)k, MONDAY + 7 * (int64_t)k + 6},
                                       {&s->w.cohort, s->weeks[k], &s->w.leads}};
  open_door(&s->w, MONDAY, MONDAY + 7 * (int64_t)n - 1);
  period_of_days(&s->w.period, MONDAY, MONDAY + 7 * (int64_t)n - 1);
  struct trends t = {.notes = s->w.notes,
                     .period = &s->w.period,
                     .now_unix_ms = (MONDAY + 200) * INT64_C(86400000),
                     .metric = METRIC_LEADS_PER_100_SESSIONS,
                     .grain = GRAIN_WEEK,
                     .series = block_of(s, 0, 0, n)};
  t.of = (struct benchmarked){t.series.all.figures, &s->w.door};
  t.after = block_of(s, 1, n - block, block);
  t.before = block_of(s, 2, n - 2 * block, block);
  return trends_make(&t, s->w.arena);
}

static void a_change_is_set_against_the_market(void)
{
  struct series s;
  series_start(&s, 2);
  for (size_t k = 0; k < 8; k++) { /* 400 of 4,000 to 200; the other 800 of 4,000 to 600 */
    set_week(&s, k, 0, k < 4 ? 100 : 50, 1000);
    set_week(&s, k, 1, k < 4 ? 200 : 150, 1000);
  }
  const Trends *r = make_trends(&s, 8);
  CU_ASSERT_EQUAL_FATAL(r->n_changes, 1);
  const Analytics__Aggregate__V1__TrendChange *c = r->changes[0];
  CU_ASSERT_DOUBLE_EQUAL(c->percent, -50, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(c->market_percent, -25, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(c->relative_percent, 100 * (0.5 / 0.75 - 1), 1e-9);
  double se = sqrt(1.0 / 400 + 1.0 / 200 + 1.0 / 800 + 1.0 / 600);
  CU_ASSERT_DOUBLE_EQUAL(c->relative_low, 100 * (0.5 / 0.75 * exp(-1.959963984540054 * se) - 1),
                         1e-9);
  CU_ASSERT_STRING_EQUAL(c->verdict, "falling");
  CU_ASSERT_STRING_EQUAL(c->relative_verdict, "falling");
  CU_ASSERT_STRING_EQUAL(c->after, "2026-08-10 to 2026-09-06");
  CU_ASSERT_STRING_EQUAL(r->points[0]->label, "2026-W29");
  CU_ASSERT_DOUBLE_EQUAL(r->points[0]->index, 50, 1e-9);
  world_end(&s.w);
}

static const int64_t rising[] = {96, 99, 97, 102, 104, 101, 109, 110};

static void a_trend_needs_eight_complete_weeks(void)
{
  for (size_t n = 7; n <= 8; n++) {
    struct series s;
    series_start(&s, 2);
    for (size_t k = 0; k < n; k++) {
      set_week(&s, k, 0, rising[k], 1000);
      set_week(&s, k, 1, 100, 1000);
    }
    const Trends *r = make_trends(&s, n);
    CU_ASSERT_EQUAL(r->trend != NULL, n == 8);
    if (r->trend != NULL) {
      CU_ASSERT_DOUBLE_EQUAL(r->trend->p, 0.009375, 1e-6);
      CU_ASSERT_DOUBLE_EQUAL(r->trend->slope_per_week, 0.2, 1e-9);
      CU_ASSERT_STRING_EQUAL(r->trend->verdict, "rising");
      CU_ASSERT_EQUAL(r->tested, 3);
    }
    world_end(&s.w);
  }
}

/* A week without sessions is a gap, not a fall. */
static void a_gap_has_no_change_and_no_trend(void)
{
  struct series s;
  series_start(&s, 2);
  for (size_t k = 0; k < 8; k++) {
    set_week(&s, k, 0, 100, k == 6 ? 0 : 1000);
    set_week(&s, k, 1, 100, 1000);
  }
  const Trends *r = make_trends(&s, 8);
  CU_ASSERT_PTR_NULL(r->trend);
  CU_ASSERT_EQUAL(r->points[6]->opt_value_case, 0);
  CU_ASSERT_EQUAL(r->changes[0]->opt_percent_case, 0);
  CU_ASSERT_STRING_EQUAL(r->changes[0]->verdict, "too_little_data");
  CU_ASSERT_STRING_EQUAL(r->changes[0]->relative_verdict, "too_little_data");
  world_end(&s.w);
}

/* One week with a dominant dealer is withheld, and with it every block that it is in. */
static void each_week_of_dealers_outside_the_view_must_pass_by_itself(void)
{
  struct series s;
  series_start(&s, 8);
  for (size_t k = 0; k < 8; k++)
    for (size_t d = 0; d < 8; d++)
      set_week(&s, k, d, 40, k == 5 && d == 1 ? 9000 : 1000);
  for (size_t d = 1; d < 8; d++)
    hide(&s.w, d);
  const Trends *r = make_trends(&s, 8);
  for (size_t k = 0; k < 8; k++) {
    CU_ASSERT_STRING_EQUAL(r->points[k]->suppressed, k == 5 ? "dominance" : "");
    CU_ASSERT_EQUAL(r->points[k]->opt_benchmark_case != 0, k != 5);
  }
  CU_ASSERT_DOUBLE_EQUAL(r->points[0]->benchmark, 4, 0);
  CU_ASSERT_EQUAL(r->changes[0]->opt_market_case, 0);
  CU_ASSERT_NOT_EQUAL(r->changes[0]->opt_percent_case, 0);
  world_end(&s.w);
}

static void holidays_are_marked_and_said_when_only_one_period_has_them(void)
{
  struct series s;
  series_start(&s, 2);
  for (size_t k = 0; k < 9; k++) /* the ninth week has Labor Day, 2026-09-07 */
    for (size_t d = 0; d < 2; d++)
      set_week(&s, k, d, 100, 1000);
  const Trends *r = make_trends(&s, 9);
  CU_ASSERT_STRING_EQUAL(r->points[8]->holidays, "Labor Day");
  CU_ASSERT_STRING_EQUAL(r->points[7]->holidays, "");
  bool said = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    said = said || strstr(r->caveats[i], "only one of the two periods has this holiday: "
                                         "Labor Day.") != NULL;
  CU_ASSERT_TRUE(said);
  world_end(&s.w);
}

TEST_MAIN("aggregate scorecard", TEST(what_the_mix_explains_is_taken_out),
          TEST(the_largest_verdict_by_leads_comes_first),
          TEST(no_lead_at_all_is_a_loss_of_those_expected),
          TEST(a_kind_of_contact_is_shown_where_it_happened_and_never_judged),
          TEST(others_outside_the_view_are_pooled_and_rounded),
          TEST(channels_shown_apart_stay_as_first_released),
          TEST(too_few_others_are_not_shown_at_all),
          TEST(a_subject_that_failed_is_named_with_its_reason),
          TEST(a_change_is_set_against_the_market), TEST(a_trend_needs_eight_complete_weeks),
          TEST(a_gap_has_no_change_and_no_trend),
          TEST(each_week_of_dealers_outside_the_view_must_pass_by_itself),
          TEST(holidays_are_marked_and_said_when_only_one_period_has_them))
