/* Figures of both periods from the daily rows, and the change of the subject and of the market. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/explain_parts.h"
#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/figures/series.h"
#include "aggregate-svc/figures/signs.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { WEEKDAYS = 7, DAYS_MAX = 4000 };

bool explain_is_before(const struct across_tables *t, size_t member, size_t row)
{
  return strcmp(across_text(t, member, row, t->n_dimensions - 1), "date_range_1") == 0;
}

/* ------------------------------------------------------------------------- figures */

static int64_t day_of(const char *date)
{
  long x = strtol(date, NULL, 10);
  if (x < 10000101 || x > 99991231)
    return 0;
  return clock_days_from_civil((int)(x / 10000), (unsigned)(x / 100 % 100), (unsigned)(x % 100));
}

/* Whether a row is of one of the two periods, and not of a baseline. */
static bool is_counted(const struct across_tables *t, size_t member, size_t row)
{
  return explain_is_before(t, member, row) ||
         strcmp(across_text(t, member, row, t->n_dimensions - 1), "date_range_0") == 0;
}

/* Days of a member while they are added up. */
struct days {
  struct dealer_counts *list;
  int64_t first;
  size_t n;
};

static void find_days(const struct across_tables *t, size_t member, bool before, struct days *out,
                      struct arena *arena)
{
  int64_t first = INT64_MAX, last = INT64_MIN;
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    int64_t day = day_of(across_text(t, member, row, 0));
    if (!is_counted(t, member, row) || explain_is_before(t, member, row) != before)
      continue;
    first = day < first ? day : first;
    last = day > last ? day : last;
  }
  *out = (struct days){.first = first};
  if (last >= first && last - first < DAYS_MAX)
    out->n = (size_t)(last - first + 1);
  out->list = ARENA_ARRAY(arena, struct dealer_counts, out->n + 1);
}

static struct dealer_counts *day_at(const struct days *d, const char *date)
{
  int64_t at = day_of(date) - d->first;
  return at >= 0 && at < (int64_t)d->n ? &d->list[at] : NULL;
}

static void add_sessions(const struct across_tables *t, size_t member, struct days days[2])
{
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    struct dealer_counts *day =
        day_at(&days[explain_is_before(t, member, row)], across_text(t, member, row, 0));
    if (day == NULL || !is_counted(t, member, row))
      continue;
    day->sessions += table_count(t, member, row, 0);
    day->engaged_sessions += table_count(t, member, row, 1);
  }
}

static void add_leads(const struct across_tables *t, size_t member, const char *event,
                      struct days days[2])
{
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    struct dealer_counts *day =
        day_at(&days[explain_is_before(t, member, row)], across_text(t, member, row, 0));
    if (day == NULL || strcmp(across_text(t, member, row, 1), event) != 0)
      continue;
    day->leads += table_count(t, member, row, 0);
    day->lead_sessions += table_count(t, member, row, 1);
  }
}

static struct dealer_counts sum_of(const struct days *d)
{
  struct dealer_counts sum = {0};
  for (size_t i = 0; i < d->n; i++) {
    sum.sessions += d->list[i].sessions;
    sum.engaged_sessions += d->list[i].engaged_sessions;
    sum.leads += d->list[i].leads;
    sum.lead_sessions += d->list[i].lead_sessions;
  }
  return sum;
}

/* Leads by day of the periods that a series covers. */
static void add_series(struct series *s, const struct days *d)
{
  for (size_t i = 0; i < d->n; i++) {
    int64_t at = series_entry(s, d->first + (int64_t)i);
    if (at < 0)
      continue;
    s->leads[at] += d->list[i].leads;
    s->days.leads_from = (size_t)at < s->days.leads_from ? (size_t)at : s->days.leads_from;
  }
}

/* What is suspect in one of the two periods. */
static void find_signs(const struct explain_question *q, size_t member, bool before,
                       const struct days days[2], struct dealer_figures *out)
{
  AUTO_FREE struct series *s = xcalloc(1, sizeof(*s));
  series_begin(s,
               signs_days(before ? q->before : q->of.period, q->of.notes[member].time_zone,
                          q->of.now_unix_ms),
               true);
  series_read(s, &q->of.tables->of[EXPLAIN_DAYS - 1], member);
  add_series(s, &days[before]);
  if (!before && q->before->end.day + 1 == q->of.period->start.day)
    add_series(s, &days[1]);
  series_find(s, out);
}

/* Of both periods: either makes the change suspect. */
static void find_all_signs(const struct explain_question *q, size_t member,
                           const struct days days[2], struct dealer_figures *f)
{
  struct dealer_figures then = {.lead_event = f->lead_event, .now = f->before};
  find_signs(q, member, false, days, f);
  find_signs(q, member, true, days, &then);
  series_merge(f, &then);
}

static void make_member(struct explain_figures *out, const struct explain_question *q,
                        size_t member, struct arena *arena)
{
  const struct report_tables *t = q->of.tables;
  struct dealer_figures *f = &out->dealers[member];
  struct days days[2];
  f->ok = true;
  f->has_before = true;
  f->lead_event = table_lead_event(&t->of[EXPLAIN_LOOKBACK - 1], &q->of.cohort->members[member],
                                   member, q->of.leads);
  find_days(&t->of[EXPLAIN_DAYS - 1], member, false, &days[0], arena);
  find_days(&t->of[EXPLAIN_DAYS - 1], member, true, &days[1], arena);
  add_sessions(&t->of[EXPLAIN_DAYS - 1], member, days);
  if (f->lead_event != LEAD_UNKNOWN)
    add_leads(&t->of[EXPLAIN_DAY_LEADS - 1], member, q->of.leads->names[f->lead_event], days);
  f->now = sum_of(&days[0]);
  f->before = sum_of(&days[1]);
  f->days = days[0].list;
  f->n_days = days[0].n;
  f->before_days = days[1].list;
  f->n_before_days = days[1].n;
  find_all_signs(q, member, days, f);
}

void explain_figures_make(struct explain_figures *out, const struct explain_question *q,
                          struct arena *arena)
{
  size_t n = q->of.cohort->n;
  struct period_days now = period_resolve(q->of.period, q->of.now_unix_ms, 0);
  struct period_days before = period_resolve(q->before, q->of.now_unix_ms, 0);
  *out = (struct explain_figures){.days = now.last - now.first + 1,
                                  .days_before = before.last - before.first + 1};
  out->dealers = ARENA_ARRAY(arena, struct dealer_figures, n + 1);
  for (size_t i = 0; i < n; i++) {
    out->dealers[i] = (struct dealer_figures){
        .lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN, .key_events = GROUP_ANY_KEY_EVENTS};
    if (q->of.cohort->members[i].state == DEALER_OK)
      make_member(out, q, i, arena);
  }
}

/* ----------------------------------------------------------------- over-dispersion */

/* Days of one member in one period: of a rate around the member's rate, of a count around the
 * weekday's mean, because weekdays differ and both periods hold the same ones. */
static void add_days(struct stats_dispersion *d, const struct dealer_metric *m,
                     const struct dealer_figures *f, const struct dealer_counts *days, size_t n)
{
  AUTO_FREE struct stats_ratio *list = xcalloc(n + 1, sizeof(*list));
  for (size_t weekday = 0; weekday < WEEKDAYS; weekday++) {
    size_t k = 0;
    for (size_t i = weekday; i < n; i += metric_is_rate(m) ? 1 : WEEKDAYS)
      list[k++] = metric_parts_on(m, f, &days[i]);
    stats_dispersion_add(d, list, k, metric_model(m));
    if (metric_is_rate(m))
      return;
  }
}

/* Of the dealers that the caller may see, or of all: what an answer says of the caller's own rests
 * on the former, a release on the latter. */
static double dispersion(const struct explain_question *q, const struct explain_figures *f,
                         bool visible)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  struct stats_dispersion d = {0, 0};
  for (size_t i = 0; i < q->of.cohort->n; i++) {
    const struct dealer_figures *x = &f->dealers[i];
    if (!x->ok || (m->lead && x->lead_event == LEAD_UNKNOWN) || !metric_is_usable(m, x) ||
        (visible && !q->of.cohort->members[i].visible))
      continue;
    add_days(&d, m, x, x->days, x->n_days);
    add_days(&d, m, x, x->before_days, x->n_before_days);
  }
  return stats_dispersion_phi(&d);
}

/* -------------------------------------------------------------------------- change */

/* Events over exposure: sessions of a rate, days of a count. */
static struct stats_ratio pair_part(const struct dealer_metric *m, const struct dealer_figures *f,
                                    const struct dealer_counts *c, int64_t days)
{
  struct stats_ratio r = metric_parts_on(m, f, c);
  if (!metric_is_rate(m))
    r.denominator = days;
  return r;
}

/* Whether a member is in the market: it has figures of the same kind in both periods, and nothing
 * suspect in them. */
static bool in_market(const struct explain_question *q, const struct explain_figures *f,
                      size_t member)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  const struct dealer_figures *x = &f->dealers[member];
  return x->ok && metric_has_change(m, x) && x->now.sessions > 0 && x->before.sessions > 0 &&
         (!m->lead || (x->lead_event != LEAD_UNKNOWN &&
                       x->lead_event == f->dealers[q->of.cohort->subject].lead_event));
}

static struct measured_change measure(const struct explain_question *q, struct stats_ratio before,
                                      struct stats_ratio after, double phi)
{
  return verdict_measure_change(before, after, metric_model(&dealer_metrics[q->metric]), phi);
}

static void add_part(struct stats_ratio *to, struct stats_ratio part)
{
  to->numerator += part.numerator;
  to->denominator += part.denominator;
}

static struct measured_change market_open(const struct explain_question *q,
                                          const struct explain_figures *f, double phi)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  struct stats_ratio now = {0, 0}, before = {0, 0};
  for (size_t i = 0; i < q->of.cohort->n; i++) {
    const struct dealer_figures *x = &f->dealers[i];
    if ((long)i == q->of.cohort->subject || !in_market(q, f, i))
      continue;
    add_part(&now, pair_part(m, x, &x->now, f->days));
    add_part(&before, pair_part(m, x, &x->before, f->days_before));
  }
  if (!metric_is_rate(m)) { /* days of the market, not of each of its dealers */
    now.denominator = f->days;
    before.denominator = f->days_before;
  }
  return measure(q, before, now, phi);
}

static struct lattice_span span_of(const struct explain_question *q)
{
  return (struct lattice_span){q->before->start.day, q->before->end.day};
}

/* Lead events of some days, and sessions with them. */
static void add_leads_within(const struct explain_question *q, size_t member,
                             struct lattice_span span, struct dealer_figures *f)
{
  const struct across_tables *t = &q->of.tables->of[EXPLAIN_DAY_LEADS - 1];
  for (size_t row = 0; f->lead_event != LEAD_UNKNOWN && row < t->tables[member].rows; row++) {
    int64_t day = day_of(across_text(t, member, row, 0));
    if (day < span.first || day > span.last ||
        strcmp(across_text(t, member, row, 1), q->of.leads->names[f->lead_event]) != 0)
      continue;
    f->now.leads += table_count(t, member, row, 0);
    f->now.lead_sessions += table_count(t, member, row, 1);
  }
}

/* The figures of each week or month of a span, as the door wants them: what is suspect is found in
 * these days alone. */
struct bases {
  struct cohort_figures *of;
  const struct cohort_figures **list;
  size_t n;
};

static struct bases bases_of(const struct explain_question *q, struct lattice_span span,
                             struct arena *arena)
{
  struct bases out = {.n = lattice_bases(span, NULL, 0)};
  AUTO_FREE struct lattice_span *spans = xcalloc(out.n + 1, sizeof(*spans));
  out.of = ARENA_ARRAY(arena, struct cohort_figures, out.n + 1);
  out.list = ARENA_ARRAY(arena, const struct cohort_figures *, out.n + 1);
  lattice_bases(span, spans, out.n);
  for (size_t k = 0; k < out.n; k++) {
    struct period days;
    period_of_days(&days, spans[k].first, spans[k].last);
    struct signs_question signs = {.cohort = q->of.cohort,
                                   .leads = q->of.leads,
                                   .days = &q->of.tables->of[EXPLAIN_DAYS - 1],
                                   .look_back = &q->of.tables->of[EXPLAIN_LOOKBACK - 1],
                                   .notes = q->of.notes,
                                   .period = &days,
                                   .base = true,
                                   .baseline = true,
                                   .now_unix_ms = q->of.now_unix_ms};
    struct dealer_figures *figures = signs_find(&signs, arena);
    for (size_t i = 0; i < q->of.cohort->n; i++)
      add_leads_within(q, i, spans[k], &figures[i]);
    out.of[k] = (struct cohort_figures){q->of.cohort, figures, q->of.leads};
    out.list[k] = &out.of[k];
  }
  return out;
}

/* A rate of the outside dealers in both periods. */
static struct measured_change market_rate(const struct explain_question *q,
                                          const struct explain_figures *f, struct arena *arena,
                                          enum disclosure_code *code)
{
  struct cohort_figures now = explain_cohort(q, f);
  struct bases of_now = bases_of(q, q->of.door->period, arena);
  struct bases of_then = bases_of(q, span_of(q), arena);
  AUTO_FREE struct dealer_figures *space = xcalloc(q->of.cohort->n + 1, sizeof(*space));
  struct cohort_figures then = group_before(&now, space);
  struct metric_group g = group_of(&now, q->metric, (size_t)q->of.cohort->subject);
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  CLEANUP(door_figure_free) struct door_figure a;
  CLEANUP(door_figure_free) struct door_figure b;
  struct stats_ratio after, before;
  cell_figure_within(q->of.door, &now, g, q->of.door->period, of_now.list, of_now.n, &a);
  cell_figure_within(q->of.door, &then, g, span_of(q), of_then.list, of_then.n, &b);
  *code = a.code != DISCLOSURE_RESTRICTED ? a.code : b.code;
  if (!cell_pool(m, &a, &after) || !cell_pool(m, &b, &before))
    return (struct measured_change){.known = false};
  return measure(q, before, after, fmax(a.record.dispersion, b.record.dispersion));
}

/* The members' counts before (denominator) and after (numerator): of dealers with figures of the
 * same kind in both. */
static void growth_members(const struct explain_question *q, const struct dealer_figures *before,
                           const struct dealer_figures *after, struct disclosure_member *out)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  int event = after[q->of.cohort->subject].lead_event;
  for (size_t i = 0; i < q->of.cohort->n; i++)
    out[i] = (struct disclosure_member){
        q->of.cohort->members[i].visible,
        before[i].ok && after[i].ok && metric_has_change(m, &before[i]) &&
            metric_has_change(m, &after[i]) && before[i].now.sessions > 0 &&
            after[i].now.sessions > 0 &&
            (!m->lead || (event != LEAD_UNKNOWN && after[i].lead_event == event)),
        q->of.cohort->members[i].owner, metric_parts_of(m, &before[i].now).numerator,
        metric_parts_of(m, &after[i].now).numerator};
}

/* The growth of a count of the outside dealers, after over before, as a figure of the door. It is
 * the sum of pairs of weeks or months, each with the one that it is compared with: a dealer is in
 * the pairs of which it has both, and each pair must pass by itself. */
static void ask_growth(const struct explain_question *q, const struct explain_figures *f,
                       double phi, struct arena *arena, struct door_figure *out)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  size_t n = q->of.cohort->n;
  struct bases now = bases_of(q, q->of.door->period, arena), then = bases_of(q, span_of(q), arena);
  int event = f->dealers[q->of.cohort->subject].lead_event;
  char name[200];
  if (lattice_of(span_of(q)) != lattice_of(q->of.door->period) || now.n != then.n)
    return;
  AUTO_FREE struct dealer_figures *space = xcalloc(n + 1, sizeof(*space));
  struct cohort_figures live = explain_cohort(q, f), before = group_before(&live, space);
  AUTO_FREE struct disclosure_member *rows = xcalloc(n * (now.n + 1) + 1, sizeof(*rows));
  AUTO_FREE const struct disclosure_member **bases = xcalloc(now.n + 1, sizeof(*bases));
  growth_members(q, before.dealers, f->dealers, rows);
  for (size_t k = 0; k < now.n; k++) {
    bases[k] = rows + (k + 1) * n;
    growth_members(q, then.of[k].dealers, now.of[k].dealers, rows + (k + 1) * n);
  }
  snprintf(name, sizeof(name), "%s growth from %lld %.100s", m->name,
           (long long)q->before->start.day,
           m->lead && event != LEAD_UNKNOWN ? q->of.leads->names[event] : "");
  struct door_cell cell = {.metric = name,
                           .slice = "",
                           .members = rows,
                           .bases = bases,
                           .n_bases = now.n,
                           .rate = true,
                           .scale = 1,
                           .dispersion = phi};
  door_figure(q->of.door, &cell, out);
}

/* It, as it is shown, on events as rounded for intervals. */
static struct measured_change market_growth(const struct explain_question *q,
                                            const struct explain_figures *f, struct arena *arena,
                                            enum disclosure_code *code)
{
  enum { EXPOSURE = 1000000000 };
  CLEANUP(door_figure_free) struct door_figure g = {.code = DISCLOSURE_NOT_IN_LATTICE};
  ask_growth(q, f, dispersion(q, f, false), arena, &g);
  int64_t before = form_events(g.record.denominator), after = form_events(g.record.numerator);
  *code = g.code;
  if (g.code != DISCLOSURE_RESTRICTED || !(g.pooled > 0) || before <= 0 || after <= 0)
    return (struct measured_change){.known = false};
  double exposure = EXPOSURE * (double)after / ((double)before * g.pooled);
  return measure(q, (struct stats_ratio){before, EXPOSURE},
                 (struct stats_ratio){after, llround(exposure)}, fmax(1, g.record.dispersion));
}

struct change_row explain_row(const struct explain_question *q, const struct explain_figures *f,
                              struct arena *arena, enum disclosure_code *code)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  const struct dealer_figures *own = &f->dealers[q->of.cohort->subject];
  double phi = dispersion(q, f, true);
  struct change_row row = {.own = {.known = false}, .suspect = !metric_has_change(m, own)};
  *code = DISCLOSURE_OPEN;
  if (own->ok && (!m->lead || own->lead_event != LEAD_UNKNOWN))
    row.own = measure(q, pair_part(m, own, &own->before, f->days_before),
                      pair_part(m, own, &own->now, f->days), phi);
  row.market = q->of.cohort->outside == 0 ? market_open(q, f, phi)
               : metric_is_rate(m)        ? market_rate(q, f, arena, code)
                                          : market_growth(q, f, arena, code);
  row.withheld = !disclosure_ok(*code);
  return row;
}
