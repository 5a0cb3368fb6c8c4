/* A metric over a cohort as a question to the door. */
#include "aggregate-svc/disclosure/cell.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { KEY_BYTES = 256 };

/* The metric, and the lead event where dealers are compared by it. */
static void name_metric(char *out, const struct cohort_figures *c, struct metric_group g)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  bool lead = m->lead && g.lead_event != LEAD_UNKNOWN;
  snprintf(out, KEY_BYTES, "%s%s%.200s", m->name, lead ? " " : "",
           lead ? c->leads->names[g.lead_event] : "");
}

void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 struct door_figure *out)
{
  const struct cohort *cohort = c->cohort;
  const struct dealer_metric *metric = &dealer_metrics[g.metric];
  AUTO_FREE struct disclosure_member *members = xcalloc(cohort->n + 1, sizeof(*members));
  char name[KEY_BYTES];
  name_metric(name, c, g);
  for (size_t i = 0; i < cohort->n; i++) {
    struct stats_ratio parts = metric_parts(metric, &c->dealers[i]);
    members[i].visible = cohort->members[i].visible;
    members[i].contributes = group_has(c, g, i);
    members[i].owner = cohort->members[i].owner;
    members[i].denominator = metric_is_rate(metric) ? parts.denominator : parts.numerator;
    members[i].numerator = parts.numerator;
  }
  struct door_cell cell = {.metric = name,
                           .slice = "",
                           .members = members,
                           .rate = metric_is_rate(metric),
                           .share = metric->unit == UNIT_SHARE,
                           .scale = metric->scale};
  door_figure(door, &cell, out);
}
