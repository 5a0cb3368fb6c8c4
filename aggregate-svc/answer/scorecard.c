/* Rows of the scorecard: indices, quartiles, mix, and leads gained or lost. */
#include "aggregate-svc/answer/scorecard.h"

#include <math.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/answer/message_caveats.h"
#include "aggregate-svc/disclosure/cell.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__BenchmarkDealerResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__ScorecardMetric Row;

#define ROW(field) ANALYTICS__AGGREGATE__V1__SCORECARD_METRIC__OPT_##field

/* The metrics in the order of the answer; those of kinds of contact only where they happened. */
static const enum metric_id shown[] = {
    METRIC_SESSIONS,
    METRIC_ENGAGEMENT_RATE,
    METRIC_SHOPPER_RATE,
    METRIC_VDP_REACH,
    METRIC_VDP_VIEWS_PER_SESSION,
    METRIC_SRP_TO_VDP,
    METRIC_LEADS_PER_100_SESSIONS,
    METRIC_LEADS_PER_100_SHOPPER_SESSIONS,
    METRIC_CALLS_PER_100_SESSIONS,
    METRIC_CALLS_PER_100_SHOPPER_SESSIONS,
    METRIC_CHATS_PER_100_SESSIONS,
    METRIC_CHATS_PER_100_SHOPPER_SESSIONS,
    METRIC_APPOINTMENTS_PER_100_SESSIONS,
    METRIC_APPOINTMENTS_PER_100_SHOPPER_SESSIONS,
};

static uint32_t shown_bits(void)
{
  uint32_t bits = 0;
  for (size_t i = 0; i < ARRAY_LEN(shown); i++)
    bits |= UINT32_C(1) << shown[i];
  return bits;
}

bool scorecard_shows(enum metric_id m)
{
  return (shown_bits() >> m & 1) != 0;
}

/* What the rows are made of. */
struct making {
  const struct scorecard *s;
  size_t member; /* the subject */
  const struct judgement *judgement;
  const struct channel_mix *mix;
};

/* ------------------------------------------------------------------------- metrics */

static void copy_index(Row *r, const MetricIndex *x)
{
  r->metric = x->metric;
  r->better = x->better;
  r->opt_value_case = x->opt_value_case != 0 ? ROW(VALUE_VALUE) : 0;
  r->value = x->value;
  r->opt_benchmark_case = x->opt_benchmark_case != 0 ? ROW(BENCHMARK_BENCHMARK) : 0;
  r->benchmark = x->benchmark;
  r->opt_index_case = x->opt_index_case != 0 ? ROW(INDEX_INDEX) : 0;
  r->index = x->index;
  r->opt_index_low_case = x->opt_index_low_case != 0 ? ROW(INDEX_LOW_INDEX_LOW) : 0;
  r->index_low = x->index_low;
  r->opt_index_high_case = x->opt_index_high_case != 0 ? ROW(INDEX_HIGH_INDEX_HIGH) : 0;
  r->index_high = x->index_high;
  r->opt_rank_case = x->opt_rank_case != 0 ? ROW(RANK_RANK) : 0;
  r->rank = x->rank;
  r->opt_of_case = x->opt_of_case != 0 ? ROW(OF_OF) : 0;
  r->of = x->of;
  r->standing = x->standing;
  r->unusual_among_dealers = x->unusual_among_dealers;
  r->opt_change_percent_case =
      x->opt_change_percent_case != 0 ? ROW(CHANGE_PERCENT_CHANGE_PERCENT) : 0;
  r->change_percent = x->change_percent;
  r->opt_others_change_percent_case =
      x->opt_others_change_percent_case != 0 ? ROW(OTHERS_CHANGE_PERCENT_OTHERS_CHANGE_PERCENT) : 0;
  r->others_change_percent = x->others_change_percent;
  r->suppressed = x->suppressed;
}

static void set_quartiles(Row *r, double p25, double p50, double p75)
{
  r->opt_p25_case = ROW(P25_P25);
  r->p25 = p25;
  r->opt_p75_case = ROW(P75_P75);
  r->p75 = p75;
  r->opt_p50_case = ROW(P50_P50);
  r->p50 = p50;
}

static void add_open_quartiles(const struct making *m, struct metric_group g, Row *r)
{
  CLEANUP(group_free)
  struct group_values v = group_gather(&m->s->of.figures, g, (long)m->member, GROUP_ALL);
  double p25, p50, p75;
  stats_sort(v.values, v.n);
  if (stats_quantile(v.values, v.n, 0.25, &p25) && stats_quantile(v.values, v.n, 0.5, &p50) &&
      stats_quantile(v.values, v.n, 0.75, &p75))
    set_quartiles(r, p25, p50, p75);
}

static void add_released_quartiles(const struct making *m, struct metric_group g, Row *r)
{
  CLEANUP(door_figure_free) struct door_figure f;
  cell_figure(m->s->of.door, &m->s->of.figures, g, CELL_NOW, &f);
  if (f.code != DISCLOSURE_RESTRICTED)
    return;
  if (f.typical.quartiles) {
    set_quartiles(r, f.typical.p25, f.typical.p50, f.typical.p75);
  } else if (f.typical.middle) {
    r->opt_p50_case = ROW(P50_P50);
    r->p50 = f.typical.middle_mean;
  }
}

static void add_quartiles(const struct making *m, enum metric_id id, Row *r)
{
  struct metric_group g = group_of(&m->s->of.figures, id, m->member);
  if (!group_has(&m->s->of.figures, g, m->member))
    return;
  if (m->s->of.figures.cohort->outside == 0)
    add_open_quartiles(m, g, r);
  else if (metric_is_rate(&dealer_metrics[id]))
    add_released_quartiles(m, g, r);
}

static void add_mix(const struct making *m, enum metric_id id, Row *r)
{
  struct channel_effect e;
  if (r->opt_benchmark_case == 0 ||
      !channel_mix_effect(m->mix, &m->s->of, id, m->member, m->judgement->phi[id], &e))
    return;
  r->opt_mix_index_case = ROW(MIX_INDEX_MIX_INDEX);
  r->mix_index = e.index;
  r->opt_gap_mix_case = ROW(GAP_MIX_GAP_MIX);
  r->gap_mix = e.gap_mix;
  r->opt_gap_rate_case = ROW(GAP_RATE_GAP_RATE);
  r->gap_rate = e.gap_rate;
  if (!e.has_interval)
    return;
  r->opt_mix_low_case = ROW(MIX_LOW_MIX_LOW);
  r->mix_low = e.low;
  r->opt_mix_high_case = ROW(MIX_HIGH_MIX_HIGH);
  r->mix_high = e.high;
}

/* Leads follow the metric: at the benchmark there would be 100 / index times as many. Without any
 * lead, those that are expected are lost. */
static void add_effect(const struct making *m, const MetricIndex *x, Row *r)
{
  const struct dealer_figures *f = &m->s->of.figures.dealers[m->member];
  bool word = x->standing == ANALYTICS__AGGREGATE__V1__STANDING__BETTER ||
              x->standing == ANALYTICS__AGGREGATE__V1__STANDING__WORSE;
  if (!word || f->lead_event == LEAD_UNKNOWN || x->opt_index_case == 0)
    return;
  r->opt_leads_effect_case = ROW(LEADS_EFFECT_LEADS_EFFECT);
  if (x->index > 0)
    r->leads_effect = (double)f->now.leads * (1 - 100 / x->index);
  else
    r->leads_effect = -x->expected;
}

static Row *row_of(const struct making *m, enum metric_id id, const MetricIndex *x,
                   struct arena *arena)
{
  Row *r = ARENA_NEW(arena, Row);
  analytics__aggregate__v1__scorecard_metric__init(r);
  copy_index(r, x);
  if (x->opt_value_case == 0)
    return r;
  add_quartiles(m, id, r);
  add_mix(m, id, r);
  add_effect(m, x, r);
  return r;
}

/* The indices of the rows go to indices[METRIC_COUNT]. */
static void add_metrics(const struct making *m, MetricIndex **indices, Result *r,
                        struct arena *arena)
{
  r->metrics = ARENA_ARRAY(arena, Row *, ARRAY_LEN(shown));
  for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
    enum metric_id id = shown[i];
    MetricIndex *x = index_message(&m->s->of, m->judgement, id, m->member, arena);
    if (dealer_metrics[id].kind != 0 && x->opt_value_case == 0)
      continue;
    indices[id] = x;
    r->metrics[r->n_metrics++] = row_of(m, id, x, arena);
  }
}

/* The verdict with most leads gained or lost; where leads are unknown, furthest from 100. */
static void set_look_first(Result *r)
{
  double most = 0;
  for (size_t i = 0; i < r->n_metrics; i++) {
    const Row *x = r->metrics[i];
    bool word = x->standing == ANALYTICS__AGGREGATE__V1__STANDING__BETTER ||
                x->standing == ANALYTICS__AGGREGATE__V1__STANDING__WORSE;
    double size = x->opt_leads_effect_case != 0 ? fabs(x->leads_effect) : fabs(x->index - 100);
    if (!word || (r->look_first[0] != '\0' && size <= most))
      continue;
    most = size;
    r->look_first = x->metric;
  }
}

/* -------------------------------------------------------------------------- result */

static void add_subject(const struct scorecard *s, Result *r, MetricIndex **indices,
                        struct arena *arena)
{
  size_t member = (size_t)s->of.figures.cohort->subject;
  const struct dealer_figures *f = &s->of.figures.dealers[member];
  struct channel_mix mix;
  CLEANUP(judgement_free) struct judgement j;
  benchmarked_judge(&j, &s->of, (long)member, shown_bits());
  channel_mix_of(&mix, &s->of, member);
  struct making m = {s, member, &j, &mix};
  add_metrics(&m, indices, r, arena);
  scorecard_channels(s, &mix, r, arena);
  set_look_first(r);
  if (f->lead_event != LEAD_UNKNOWN)
    r->lead_event = s->of.figures.leads->names[f->lead_event];
  r->opt_cells_tested_case =
      ANALYTICS__AGGREGATE__V1__BENCHMARK_DEALER_RESULT__OPT_CELLS_TESTED_CELLS_TESTED;
  r->cells_tested = (int32_t)j.tested;
}

static void add_caveats(const struct scorecard *s, Result *r, const struct resolved_period *period,
                        struct arena *arena)
{
  enum { LONG_DAYS = 91 };
  struct caveats out = {.arena = arena};
  dealer_caveats(&out, &s->of);
  message_caveats(&out, &s->of.figures);
  if (s->of.figures.cohort->outside > 0)
    caveats_add(&out, "Of dealers that may not be shown, only leads per 100 sessions are set "
                      "against what the mix of channels predicts.");
  bool wants = false;
  for (size_t i = 0; i < r->n_metrics; i++)
    wants = wants || index_wants_days(r->metrics[i]->standing, r->metrics[i]->suppressed);
  bool any = s->of.figures.dealers[s->of.figures.cohort->subject].now.sessions > 0 &&
             !dealer_is_alone(s->of.figures.cohort);
  if (wants && any && r->look_first[0] == '\0' && r->period->days < LONG_DAYS)
    caveats_add(&out, "%s", index_days_text);
  caveats_add_notes(&out, s->of.figures.cohort, s->notes);
  period_caveats(&out, s->period, r->period, period);
  r->caveats = out.items;
  r->n_caveats = out.n;
}

Result *scorecard_make(const struct scorecard *s, struct arena *arena)
{
  const struct cohort *cohort = s->of.figures.cohort;
  const struct cohort_member *subject = &cohort->members[cohort->subject];
  MetricIndex *indices[METRIC_COUNT] = {NULL};
  struct resolved_period period;
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__benchmark_dealer_result__init(r);
  r->dealer_id = borrow_text(subject->dealer_id);
  r->name = borrow_text(subject->name);
  r->cohort = answer_cohort(cohort, arena);
  r->period = period_message(s->period, cohort, s->notes, s->now_unix_ms, arena, &period);
  if (s->of.figures.dealers[cohort->subject].ok)
    add_subject(s, r, indices, arena);
  r->coverage = cohort_coverage(cohort, arena);
  dealer_left_out(r->coverage, cohort, s->of.figures.dealers, arena);
  add_caveats(s, r, &period, arena);
  r->headline = scorecard_headline(s, r, indices, &period, arena);
  return r;
}
