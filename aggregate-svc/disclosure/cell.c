/* A metric over a cohort as a question to the door. */
#include "aggregate-svc/disclosure/cell.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { KEY_BYTES = 256 };

/* The metric, with the lead event and the definition of a shopper session by which dealers are
 * compared. */
static void name_metric(char *out, const struct cohort_figures *c, struct metric_group g)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  bool lead = m->lead && g.lead_event != LEAD_UNKNOWN;
  int n = snprintf(out, KEY_BYTES, "%s%s%.100s", m->name, lead ? " " : "",
                   lead ? c->leads->names[g.lead_event] : "");
  if (!m->shopper || n < 0)
    return;
  const char *by = g.shopper == SHOPPER_INVENTORY ? "inventory"
                   : g.shopper == SHOPPER_ENGAGED ? "engaged"
                   : g.shopper >= SHOPPER_EVENT   ? c->leads->names[g.shopper - SHOPPER_EVENT]
                                                  : "";
  snprintf(out + n, (size_t)(KEY_BYTES - n), " by %.100s", by);
}

/* The equally long period that ends the day before. */
static struct lattice_span period_of(const struct door *door, enum cell_period period)
{
  struct lattice_span p = door->period;
  int64_t days = p.last - p.first + 1;
  return period == CELL_NOW ? p : (struct lattice_span){p.first - days, p.first - 1};
}

/* What the members answered for the period, as if it were the one asked about. */
static struct cohort_figures figures_of(const struct door *door, const struct cohort_figures *c,
                                        enum cell_period period, struct dealer_figures *space)
{
  const struct dealer_figures *live = door->live != NULL ? door->live : c->dealers;
  for (size_t i = 0; i < c->cohort->n; i++) {
    space[i] = live[i];
    if (period == CELL_BEFORE)
      space[i].now = live[i].before;
  }
  return (struct cohort_figures){door->cohort, space, c->leads};
}

static void fill_members(const struct cohort_figures *c, struct metric_group g,
                         struct disclosure_member *members)
{
  const struct dealer_metric *metric = &dealer_metrics[g.metric];
  for (size_t i = 0; i < c->cohort->n; i++) {
    struct stats_ratio parts = metric_parts(metric, &c->dealers[i]);
    members[i] = (struct disclosure_member){
        .visible = c->cohort->members[i].visible,
        .contributes = group_has(c, g, i),
        .owner = c->cohort->members[i].owner,
        .denominator = metric_is_rate(metric) ? parts.denominator : parts.numerator,
        .numerator = parts.numerator};
  }
}

void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 enum cell_period period, struct door_figure *out)
{
  size_t n = c->cohort->n;
  const struct dealer_metric *metric = &dealer_metrics[g.metric];
  AUTO_FREE struct disclosure_member *members = xcalloc(n + 1, sizeof(*members));
  AUTO_FREE struct dealer_figures *space = xcalloc(n + 1, sizeof(*space));
  struct cohort_figures then = figures_of(door, c, period, space);
  char name[KEY_BYTES];
  name_metric(name, c, g);
  fill_members(&then, g, members);
  struct door_cell cell = {.metric = name,
                           .slice = "",
                           .period = period_of(door, period),
                           .dispersion =
                               metric_is_rate(metric) ? group_dispersion(&then, g.metric) : 1,
                           .members = members,
                           .rate = metric_is_rate(metric),
                           .share = metric->unit == UNIT_SHARE,
                           .scale = metric->scale};
  door_figure(door, &cell, out);
}
