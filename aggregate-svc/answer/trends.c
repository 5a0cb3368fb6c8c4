/* Points of a series and the trend; with the changes judged together. */
#include "aggregate-svc/answer/trends_parts.h"

#include <math.h>
#include <stdio.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/verdict/verdict.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareTrendsResult Result;
typedef Analytics__Aggregate__V1__TrendPoint Point;
typedef Analytics__Aggregate__V1__TrendLine Line;

#define POINT(field) ANALYTICS__AGGREGATE__V1__TREND_POINT__OPT_##field

bool trends_parts(const struct trends *t, const struct trend_span *s, size_t member,
                  struct stats_ratio *out)
{
  const struct dealer_metric *m = &dealer_metrics[t->metric];
  const struct dealer_figures *f = &s->figures.dealers[member];
  if (!group_has(&s->figures, trends_group(t), member) || f->now.sessions <= 0)
    return false;
  *out = metric_parts(m, f);
  if (!metric_is_rate(m))
    out->denominator = s->days.last - s->days.first + 1;
  return true;
}

/* ---------------------------------------------------------------- over-dispersion */

/* Of the metric over the days of the series, from the dealers that the caller may see. */
static double phi_of(const struct trends *t)
{
  const struct cohort_figures *c = &t->of.figures;
  const struct dealer_metric *m = &dealer_metrics[t->metric];
  struct stats_dispersion d = {0, 0};
  size_t most = 0;
  for (size_t i = 0; i < c->cohort->n; i++)
    most = c->dealers[i].n_days > most ? c->dealers[i].n_days : most;
  AUTO_FREE struct stats_ratio *days = xcalloc(most + 1, sizeof(*days));
  for (size_t i = 0; i < c->cohort->n; i++) {
    const struct dealer_figures *f = &c->dealers[i];
    if (!c->cohort->members[i].visible || !group_counts(c, group_of(c, t->metric, i), i))
      continue;
    for (size_t k = 0; k < f->n_days; k++)
      days[k] = metric_parts_of(m, &f->days[k]);
    stats_dispersion_add(&d, days, f->n_days, metric_model(m));
  }
  return stats_dispersion_phi(&d);
}

/* ------------------------------------------------------------------------- points */

static void set_index(Point *p, const struct verdict_cell *cell, bool restricted)
{
  double low = cell->low, high = cell->high;
  if (!cell->has_index)
    return;
  p->opt_index_case = POINT(INDEX_INDEX);
  p->index = restricted ? nearbyint(cell->index) : cell->index;
  if (!cell->has_interval)
    return;
  if (restricted)
    form_interval(cell->low, cell->high, &low, &high);
  p->opt_index_low_case = POINT(INDEX_LOW_INDEX_LOW);
  p->index_low = low;
  p->opt_index_high_case = POINT(INDEX_HIGH_INDEX_HIGH);
  p->index_high = high;
}

static void set_benchmark(Point *p, double benchmark)
{
  p->opt_benchmark_case = POINT(BENCHMARK_BENCHMARK);
  p->benchmark = benchmark;
}

/* A rate against a pool of the others. */
static void compare_point(const struct trends *t, Point *p, struct stats_ratio own,
                          struct stats_ratio others, double phi)
{
  struct verdict_cell cell = {.own = own,
                              .others = others,
                              .model = metric_model(&dealer_metrics[t->metric]),
                              .phi = phi,
                              .allowed = true};
  verdict_measure(&cell);
  set_index(p, &cell, t->of.figures.cohort->outside > 0);
}

static void open_point(const struct trends *t, const struct trend_span *s, Point *p, double phi)
{
  const struct dealer_metric *m = &dealer_metrics[t->metric];
  CLEANUP(group_free)
  struct group_values others =
      group_gather(&s->figures, trends_group(t), (long)trends_subject(t), GROUP_ALL);
  struct stats_ratio own;
  double x;
  if (!metric_is_rate(m)) {
    if (stats_mean(others.values, others.n, &x))
      set_benchmark(p, x);
    if (p->opt_value_case != 0 && p->opt_benchmark_case != 0 &&
        trends_usable(t, s, trends_subject(t)) && stats_index(p->value, x, &p->index))
      p->opt_index_case = POINT(INDEX_INDEX);
    return;
  }
  if (!others.pooled || !metric_value(m, others.pool, &x))
    return;
  set_benchmark(p, x);
  if (trends_usable(t, s, trends_subject(t)) && trends_parts(t, s, trends_subject(t), &own))
    compare_point(t, p, own, others.pool, phi);
}

static void outside_point(const struct trends *t, const struct trend_span *s, Point *p)
{
  const struct dealer_metric *m = &dealer_metrics[t->metric];
  CLEANUP(door_figure_free) struct door_figure f = {.code = DISCLOSURE_PEER_COUNTS};
  struct stats_ratio own, others;
  if (metric_is_rate(m))
    cell_figure_within(t->of.door, &s->figures, trends_group(t),
                       (struct lattice_span){s->days.first, s->days.last}, NULL, 0, &f);
  if (f.code != DISCLOSURE_RESTRICTED) {
    p->suppressed = borrow_text(disclosure_code_name(f.code));
    return;
  }
  set_benchmark(p, f.pooled);
  if (cell_pool(m, &f, &others) && trends_usable(t, s, trends_subject(t)) &&
      trends_parts(t, s, trends_subject(t), &own))
    compare_point(t, p, own, others, f.record.dispersion);
}

static Point *point_of(const struct trends *t, const struct trend_span *s, double phi,
                       struct arena *arena)
{
  char label[GRAIN_LABEL_BYTES], date[16];
  struct stats_ratio own;
  Point *p = ARENA_NEW(arena, Point);
  analytics__aggregate__v1__trend_point__init(p);
  grain_label(t->grain, s->days, label);
  clock_format_date(s->days.first, date, sizeof(date));
  p->label = arena_strdup(arena, label);
  p->start_date = arena_strdup(arena, date);
  p->holidays = trends_holidays(s->days, arena);
  if (trends_parts(t, s, trends_subject(t), &own) &&
      group_value(&s->figures, trends_group(t), trends_subject(t), &p->value))
    p->opt_value_case = POINT(VALUE_VALUE);
  if (!group_knows(&t->of.figures, t->metric, trends_subject(t)))
    return p;
  if (t->of.figures.cohort->outside == 0)
    open_point(t, s, p, phi);
  else
    outside_point(t, s, p);
  return p;
}

/* -------------------------------------------------------------------------- trend */

/* Whether anything suspect in the series, or in one of its weeks, could be taken for a trend. */
static bool is_suspect(const struct trends *t)
{
  size_t member = trends_subject(t);
  bool suspect = !trends_has_change(t, &t->series.all, member);
  for (size_t i = 0; i < t->series.n; i++)
    suspect = suspect || !trends_has_change(t, &t->series.single[i], member);
  return suspect;
}

/* Over 8 weeks or more, all of them with data. */
static Line *trend_of(const struct trends *t, const Result *r, struct change_cell *cell,
                      struct arena *arena)
{
  size_t n = r->n_points;
  AUTO_FREE double *x = xcalloc(n * n + n + 1, sizeof(*x));
  struct stats_mann_kendall mk;
  double slope, middle, *sorted = x + n;
  if (t->grain != GRAIN_WEEK || n < TRENDS_MIN_WEEKS)
    return NULL;
  for (size_t i = 0; i < n; i++) {
    if (r->points[i]->opt_value_case == 0)
      return NULL;
    x[i] = sorted[i] = r->points[i]->value;
  }
  stats_sort(sorted, n);
  if (!stats_median(sorted, n, &middle) || !stats_mann_kendall(x, n, &mk) ||
      !stats_theil_sen(x, n, sorted, &slope))
    return NULL;
  Line *line = ARENA_NEW(arena, Line);
  analytics__aggregate__v1__trend_line__init(line);
  line->weeks = (int32_t)n;
  line->slope_per_week = slope;
  line->p = mk.p;
  *cell = (struct change_cell){.enough = true,
                               .size = middle > 0 ? slope * (double)(n - 1) / middle : 0,
                               .direction = (slope > 0) - (slope < 0),
                               .p = mk.p,
                               .suspect = is_suspect(t)};
  cell->enough = !cell->suspect;
  return line;
}

/* ------------------------------------------------------------------------- result */

enum { CELL_PREVIOUS, CELL_PREVIOUS_RELATIVE, CELL_YEAR, CELL_YEAR_RELATIVE, CELL_TREND, CELLS };

static void set_words(Result *r, const struct change_cell *cells, bool has_previous)
{
  for (size_t i = 0; i < r->n_changes; i++) {
    size_t at = i == 0 && has_previous ? CELL_PREVIOUS : CELL_YEAR;
    r->changes[i]->verdict = borrow_text(verdict_change_name(cells[at].word));
    r->changes[i]->relative_verdict = borrow_text(verdict_change_name(cells[at + 1].word));
  }
  if (r->trend != NULL)
    r->trend->verdict = borrow_text(verdict_change_name(cells[CELL_TREND].word));
}

static void add_figures(const struct trends *t, Result *r, struct arena *arena)
{
  struct change_cell cells[CELLS] = {0};
  double phi = phi_of(t);
  r->points = ARENA_ARRAY(arena, Point *, t->series.n);
  for (size_t i = 0; i < t->series.n; i++)
    r->points[r->n_points++] = point_of(t, &t->series.single[i], phi, arena);
  r->changes = ARENA_ARRAY(arena, Analytics__Aggregate__V1__TrendChange *, 2);
  trends_change(t, "previous", &t->before, phi, cells + CELL_PREVIOUS, r, arena);
  trends_change(t, "year_before", &t->year_before, phi, cells + CELL_YEAR, r, arena);
  r->trend = trend_of(t, r, &cells[CELL_TREND], arena);
  r->tested = (int32_t)verdict_judge_changes(cells, CELLS);
  set_words(r, cells, t->before.n > 0);
}

Result *trends_make(const struct trends *t, struct arena *arena)
{
  const struct cohort *cohort = t->of.figures.cohort;
  const struct cohort_member *subject = &cohort->members[cohort->subject];
  struct resolved_period period;
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__compare_trends_result__init(r);
  r->dealer_id = borrow_text(subject->dealer_id);
  r->name = borrow_text(subject->name);
  r->metric = borrow_text(dealer_metrics[t->metric].name);
  r->grain = borrow_text(t->grain == GRAIN_WEEK ? "week" : "month");
  r->cohort = answer_cohort(cohort, arena);
  r->period = period_message(t->period, cohort, t->notes, t->now_unix_ms, arena, &period);
  if (t->of.figures.dealers[cohort->subject].ok)
    add_figures(t, r, arena);
  r->coverage = cohort_coverage(cohort, arena);
  trends_caveats(t, r, &period, arena);
  r->headline = trends_headline(t, r, arena);
  return r;
}
