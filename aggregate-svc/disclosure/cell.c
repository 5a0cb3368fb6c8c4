/* A metric over a cohort as a question to the door. */
#include "aggregate-svc/disclosure/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { KEY_BYTES = 256 };

/* The metric, with the lead event, the definition of a shopper session and the key events by which
 * dealers are compared. */
static void name_metric(char *out, const struct cohort_figures *c, struct metric_group g)
{
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  bool lead = m->lead && g.lead_event != LEAD_UNKNOWN;
  int n = snprintf(out, KEY_BYTES, "%s%s%.100s", m->name, lead ? " " : "",
                   lead ? c->leads->names[g.lead_event] : "");
  if (m->engagement && g.key_events != 0 && n >= 0)
    n += snprintf(out + n, (size_t)(KEY_BYTES - n), " with %016" PRIx64, g.key_events);
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

static void members_of(const struct cohort_figures *c, struct metric_group g,
                       struct disclosure_member *members)
{
  const struct dealer_metric *metric = &dealer_metrics[g.metric];
  for (size_t i = 0; i < c->cohort->n; i++) {
    struct stats_ratio parts = metric_parts(metric, &c->dealers[i]);
    members[i] = (struct disclosure_member){
        .visible = c->cohort->members[i].visible,
        .contributes = group_counts(c, g, i),
        .owner = c->cohort->members[i].owner,
        .denominator = metric_is_rate(metric) ? parts.denominator : parts.numerator,
        .numerator = parts.numerator};
  }
}

/* A cell but for its members. */
static struct door_cell cell_of(const struct cohort_figures *c, struct metric_group g,
                                struct lattice_span span, const char *name)
{
  const struct dealer_metric *metric = &dealer_metrics[g.metric];
  return (struct door_cell){.metric = name,
                            .slice = "",
                            .period = span,
                            .dispersion =
                                metric_is_rate(metric) ? group_dispersion(c, g.metric) : 1,
                            .rate = metric_is_rate(metric),
                            .share = metric->unit == UNIT_SHARE,
                            .scale = metric->scale};
}

void cell_figure_within(struct door *door, const struct cohort_figures *c, struct metric_group g,
                        struct lattice_span span, const struct cohort_figures *const *bases,
                        size_t n_bases, struct door_figure *out)
{
  size_t n = c->cohort->n + 1;
  AUTO_FREE struct disclosure_member *members = xcalloc(n * (n_bases + 1), sizeof(*members));
  AUTO_FREE const struct disclosure_member **parts = xcalloc(n_bases + 1, sizeof(*parts));
  char name[KEY_BYTES];
  name_metric(name, c, g);
  members_of(c, g, members);
  for (size_t i = 0; i < n_bases; i++) {
    members_of(bases[i], g, members + (i + 1) * n);
    parts[i] = members + (i + 1) * n;
  }
  struct door_cell cell = cell_of(c, g, span, name);
  cell.members = members;
  cell.bases = parts;
  cell.n_bases = n_bases;
  door_figure(door, &cell, out);
}

void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 enum cell_period period, struct door_figure *out)
{
  cell_figure_within(door, c, g, period_of(door, period), NULL, 0, out);
}

void cell_figure_of_slice(struct door *door, const struct cohort_figures *c, struct metric_group g,
                          const struct cell_slice *slice, struct door_figure *out)
{
  AUTO_FREE struct disclosure_member *members = xcalloc(c->cohort->n + 1, sizeof(*members));
  char name[KEY_BYTES];
  name_metric(name, c, g);
  members_of(c, g, members);
  for (size_t i = 0; i < c->cohort->n; i++) {
    members[i].denominator = slice->parts[i].denominator;
    members[i].numerator = slice->parts[i].numerator;
    members[i].contributes = members[i].contributes && slice->parts[i].denominator > 0;
  }
  struct door_cell cell = cell_of(c, g, door->period, slice->name[0] != '\0' ? slice->name : name);
  cell.slice = slice->slice;
  cell.members = members;
  if (slice->share) {
    cell.rate = cell.share = true;
    cell.scale = 1;
    cell.dispersion = 1;
  }
  door_figure(door, &cell, out);
}

enum disclosure_code cell_split(struct door *door, const struct cohort_figures *c,
                                struct metric_group g, const struct cell_dimension *d,
                                enum slice_fate *fates)
{
  size_t n = c->cohort->n;
  AUTO_FREE struct disclosure_member *members = xcalloc(n + 1, sizeof(*members));
  char name[KEY_BYTES];
  name_metric(name, c, g);
  members_of(c, g, members);
  struct split_question q = {d->name[0] != '\0' ? d->name : name,
                             d->dimension,
                             d->labels,
                             {members, n, d->parts, d->n_values, !d->share}};
  return split_decide(door, &q, fates);
}

bool cell_pool_of_rate(double scale, const struct door_figure *f, struct stats_ratio *out)
{
  int64_t events = form_events(f->record.numerator);
  if (f->code != DISCLOSURE_RESTRICTED || !(f->pooled > 0))
    return false;
  *out = (struct stats_ratio){events, llround((double)events * scale / f->pooled)};
  return out->denominator > 0;
}

bool cell_pool(const struct dealer_metric *m, const struct door_figure *f, struct stats_ratio *out)
{
  return metric_is_rate(m) && cell_pool_of_rate(m->scale, f, out);
}
