/* Changes between blocks of a series, the dealer's and the market's. */
#include <stdio.h>

#include "aggregate-svc/answer/change_form.h"
#include "aggregate-svc/answer/trends_parts.h"
#include "aggregate-svc/disclosure/cell.h"
#include "common/base/clock.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareTrendsResult Result;
typedef Analytics__Aggregate__V1__TrendChange Change;

#define CHANGE(field) ANALYTICS__AGGREGATE__V1__TREND_CHANGE__OPT_##field

/* ---------------------------------------------------------------------- measuring */

/* Each week or month has data: else a gap would look like a fall. */
static bool is_whole(const struct trends *t, const struct trend_block *b, size_t member)
{
  struct stats_ratio parts;
  for (size_t i = 0; i < b->n; i++)
    if (!trends_parts(t, &b->single[i], member, &parts))
      return false;
  return b->n > 0;
}

static struct measured_change measure(const struct trends *t, struct stats_ratio before,
                                      struct stats_ratio after, double phi)
{
  return verdict_measure_change(before, after, metric_model(&dealer_metrics[t->metric]), phi);
}

/* A suspect dealer's change would be one of the measurement. */
static bool is_suspect(const struct trends *t, const struct trend_block *before, size_t member)
{
  return !trends_has_change(t, &before->all, member) ||
         !trends_has_change(t, &t->after.all, member);
}

static struct measured_change own_change(const struct trends *t, const struct trend_block *before,
                                         double phi)
{
  struct stats_ratio then, now;
  if (is_suspect(t, before, trends_subject(t)) || !is_whole(t, before, trends_subject(t)) ||
      !is_whole(t, &t->after, trends_subject(t)) ||
      !trends_parts(t, &before->all, trends_subject(t), &then) ||
      !trends_parts(t, &t->after.all, trends_subject(t), &now))
    return (struct measured_change){.known = false};
  return measure(t, then, now, phi);
}

/* The others that have data in every week or month of both, and none of it suspect. */
static struct measured_change open_market(const struct trends *t, const struct trend_block *before,
                                          double phi)
{
  struct stats_ratio then[2] = {{0, 0}}, now[2] = {{0, 0}};
  bool fits = true;
  for (size_t i = 0; i < t->of.figures.cohort->n; i++) {
    if (i == trends_subject(t) || is_suspect(t, before, i) || !is_whole(t, before, i) ||
        !is_whole(t, &t->after, i) || !trends_parts(t, &before->all, i, &then[1]) ||
        !trends_parts(t, &t->after.all, i, &now[1]))
      continue;
    fits = fits && stats_pool(then, 2, &then[0]) && stats_pool(now, 2, &now[0]);
  }
  return fits ? measure(t, then[0], now[0], phi) : (struct measured_change){.known = false};
}

/* The others of a block as released, each week or month of it, too. Notes when they are not. */
static bool released(const struct trends *t, const struct trend_block *b, struct stats_ratio *out,
                     double *phi, enum disclosure_code *code)
{
  const struct cohort_figures *bases[GRAIN_WEEKS_MAX];
  CLEANUP(door_figure_free) struct door_figure f;
  for (size_t i = 0; i < b->n; i++)
    bases[i] = &b->single[i].figures;
  cell_figure_within(t->of.door, &b->all.figures, trends_group(t),
                     (struct lattice_span){b->all.days.first, b->all.days.last}, bases, b->n, &f);
  *code = f.code;
  *phi = f.record.dispersion > *phi ? f.record.dispersion : *phi;
  return cell_pool(&dealer_metrics[t->metric], &f, out);
}

static struct measured_change
outside_market(const struct trends *t, const struct trend_block *before, enum disclosure_code *code)
{
  struct stats_ratio then, now;
  double phi = 1;
  if (!metric_is_rate(&dealer_metrics[t->metric])) {
    *code = DISCLOSURE_PEER_COUNTS;
    return (struct measured_change){.known = false};
  }
  if (!released(t, before, &then, &phi, code) || !released(t, &t->after, &now, &phi, code))
    return (struct measured_change){.known = false};
  return measure(t, then, now, phi);
}

/* Without the relative change; the code says what became of the market's. */
static struct change_row measure_row(const struct trends *t, const struct trend_block *before,
                                     double phi, enum disclosure_code *code)
{
  *code = DISCLOSURE_OPEN;
  struct change_row r = {.own = own_change(t, before, phi),
                         .suspect = is_suspect(t, before, trends_subject(t))};
  if (group_knows(&t->of.figures, t->metric, trends_subject(t)))
    r.market = t->of.figures.cohort->outside == 0 ? open_market(t, before, phi)
                                                  : outside_market(t, before, code);
  r.withheld = !disclosure_ok(*code);
  return r;
}

/* ----------------------------------------------------------------------- messages */

static char *span_text(struct iso_span s, struct arena *arena)
{
  char first[16], last[16], text[40];
  clock_format_date(s.first, first, sizeof(first));
  clock_format_date(s.last, last, sizeof(last));
  snprintf(text, sizeof(text), "%s to %s", first, last);
  return arena_strdup(arena, text);
}

static void set_own(Change *c, const struct change_form *f)
{
  if (f->has_own) {
    c->opt_percent_case = CHANGE(PERCENT_PERCENT);
    c->percent = f->own;
  }
  if (!f->has_own_interval)
    return;
  c->opt_low_case = CHANGE(LOW_LOW_PERCENT);
  c->low_percent = f->own_low;
  c->opt_high_case = CHANGE(HIGH_HIGH_PERCENT);
  c->high_percent = f->own_high;
}

static void set_market(Change *c, const struct change_form *f)
{
  if (f->has_market) {
    c->opt_market_case = CHANGE(MARKET_MARKET_PERCENT);
    c->market_percent = f->market;
  }
  if (!f->has_relative)
    return;
  c->opt_relative_case = CHANGE(RELATIVE_RELATIVE_PERCENT);
  c->relative_percent = f->relative;
  c->opt_relative_low_case = CHANGE(RELATIVE_LOW_RELATIVE_LOW);
  c->relative_low = f->relative_low;
  c->opt_relative_high_case = CHANGE(RELATIVE_HIGH_RELATIVE_HIGH);
  c->relative_high = f->relative_high;
}

static Change *change_message(const struct trends *t, const char *against,
                              const struct trend_block *before, const struct change_row *r,
                              struct arena *arena)
{
  Change *c = ARENA_NEW(arena, Change);
  analytics__aggregate__v1__trend_change__init(c);
  c->against = borrow_text(against);
  c->after = span_text(t->after.all.days, arena);
  c->before = span_text(before->all.days, arena);
  struct change_form form = change_form_of(r, t->of.figures.cohort->outside > 0);
  set_own(c, &form);
  set_market(c, &form);
  return c;
}

void trends_change(const struct trends *t, const char *against, const struct trend_block *before,
                   double phi, struct change_cell cells[2], Result *r, struct arena *arena)
{
  if (before->n == 0)
    return;
  enum disclosure_code code;
  struct change_row row = measure_row(t, before, phi, &code);
  verdict_compare_changes(&row, cells);
  r->changes[r->n_changes] = change_message(t, against, before, &row, arena);
  r->changes[r->n_changes++]->suppressed = borrow_text(disclosure_code_name(code));
}
