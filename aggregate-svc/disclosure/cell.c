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
  if (m->engagement && g.key_events == GROUP_ANY_KEY_EVENTS && n >= 0)
    n += snprintf(out + n, (size_t)(KEY_BYTES - n), " of any key events");
  else if (m->engagement && g.key_events != 0 && n >= 0)
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

struct cohort_figures cell_live(const struct door *door, const struct cohort_figures *c)
{
  return door->live == NULL ? *c : (struct cohort_figures){door->cohort, door->live, c->leads};
}

/* What the members answered for the period, as if it were the one asked about; c itself when the
 * door has nothing else. */
static struct cohort_figures figures_of(const struct door *door, const struct cohort_figures *c,
                                        enum cell_period period, struct dealer_figures *space)
{
  struct cohort_figures live = cell_live(door, c);
  if (door->live == NULL)
    return *c;
  return period == CELL_NOW ? live : group_trend(&live, true, space);
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

/* Asks for a figure of whose members there are 1 + n_bases rows: those of the span, then those of
 * each base. */
static void ask(struct door *door, const struct cohort_figures *c, struct metric_group g,
                struct lattice_span span, const struct disclosure_member *rows, size_t n_bases,
                struct door_figure *out)
{
  AUTO_FREE const struct disclosure_member **bases = xcalloc(n_bases + 1, sizeof(*bases));
  char name[KEY_BYTES];
  name_metric(name, c, g);
  for (size_t i = 0; i < n_bases; i++)
    bases[i] = rows + (i + 1) * c->cohort->n;
  struct door_cell cell = cell_of(c, g, span, name);
  cell.members = rows;
  cell.bases = bases;
  cell.n_bases = n_bases;
  door_figure(door, &cell, out);
}

static struct disclosure_member *new_rows(const struct cohort_figures *c, size_t n_bases)
{
  return xcalloc(c->cohort->n * (n_bases + 1) + 1, sizeof(struct disclosure_member));
}

void cell_figure_within(struct door *door, const struct cohort_figures *c, struct metric_group g,
                        struct lattice_span span, const struct cohort_figures *const *bases,
                        size_t n_bases, struct door_figure *out)
{
  AUTO_FREE struct disclosure_member *rows = new_rows(c, n_bases);
  members_of(c, g, rows);
  for (size_t i = 0; i < n_bases; i++)
    members_of(bases[i], g, rows + (i + 1) * c->cohort->n);
  ask(door, c, g, span, rows, n_bases, out);
}

static struct cohort_figures base_of(const struct door *door, const struct cohort_figures *c,
                                     enum cell_period period, size_t base)
{
  const struct dealer_figures *of = door->bases[period].figures + base * c->cohort->n;
  return (struct cohort_figures){door->cohort, of, c->leads};
}

void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 enum cell_period period, struct door_figure *out)
{
  size_t n = c->cohort->n, n_bases = door->bases[period].n;
  AUTO_FREE struct dealer_figures *space = xcalloc(n + 1, sizeof(*space));
  struct cohort_figures figures = figures_of(door, c, period, space);
  AUTO_FREE struct disclosure_member *rows = new_rows(c, n_bases);
  members_of(&figures, g, rows);
  for (size_t i = 0; i < n_bases; i++) {
    struct cohort_figures base = base_of(door, c, period, i);
    members_of(&base, g, rows + (i + 1) * n);
  }
  ask(door, &figures, g, period_of(door, period), rows, n_bases, out);
}

/* The members of a group with their parts of one slice, of the period or of one of its bases.
 * False: nobody outside is in the group, whatever the slice. */
static bool slice_members(const struct cohort_figures *c, struct metric_group g,
                          const struct stats_ratio *parts, struct disclosure_member *out)
{
  members_of(c, g, out);
  bool any = !disclosure_is_empty(out, c->cohort->n);
  for (size_t i = 0; i < c->cohort->n; i++) {
    out[i].denominator = parts[i].denominator;
    out[i].numerator = parts[i].numerator;
    out[i].contributes = out[i].contributes && parts[i].denominator > 0;
  }
  return any;
}

void cell_figure_of_slice(struct door *door, const struct cohort_figures *c, struct metric_group g,
                          const struct cell_slice *slice, struct door_figure *out)
{
  size_t n = c->cohort->n, n_bases = slice->bases != NULL ? door->bases[DOOR_NOW].n : 0;
  AUTO_FREE struct disclosure_member *rows = new_rows(c, n_bases);
  AUTO_FREE const struct disclosure_member **bases = xcalloc(n_bases + 1, sizeof(*bases));
  char name[KEY_BYTES];
  size_t empty = 0;
  name_metric(name, c, g);
  slice_members(c, g, slice->parts, rows);
  for (size_t k = 0; k < n_bases; k++) {
    struct cohort_figures base = base_of(door, c, CELL_NOW, k);
    empty += !slice_members(&base, g, slice->bases[k], rows + (k + 1) * n);
    bases[k] = rows + (k + 1) * n;
  }
  struct door_cell cell = cell_of(c, g, door->period, slice->name[0] != '\0' ? slice->name : name);
  cell.slice = slice->slice;
  cell.members = rows;
  cell.bases = bases;
  cell.n_bases = n_bases;
  cell.gap = empty > 0 && empty < n_bases;
  if (slice->share) {
    cell.rate = cell.share = true;
    cell.scale = 1;
    cell.dispersion = 1;
  }
  door_figure(door, &cell, out);
}

/* Parts of those who contribute in a base; zeros for the others. */
static struct slice_part *base_parts(const struct door *door, const struct cohort_figures *c,
                                     struct metric_group g, const struct cell_dimension *d,
                                     size_t k)
{
  size_t n = c->cohort->n;
  AUTO_FREE struct disclosure_member *members = xcalloc(n + 1, sizeof(*members));
  struct slice_part *out = xcalloc(d->n_values * n + 1, sizeof(*out));
  struct cohort_figures base = base_of(door, c, CELL_NOW, k);
  members_of(&base, g, members);
  for (size_t v = 0; v < d->n_values; v++)
    for (size_t i = 0; i < n; i++)
      if (members[i].contributes)
        out[v * n + i] = d->bases[k][v * n + i];
  return out;
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
  size_t n_bases = d->bases != NULL ? door->bases[DOOR_NOW].n : 0;
  AUTO_FREE struct slice_part **bases = xcalloc(n_bases + 1, sizeof(*bases));
  for (size_t k = 0; k < n_bases; k++)
    bases[k] = base_parts(door, c, g, d, k);
  struct split_question q = {d->name[0] != '\0' ? d->name : name,
                             d->dimension,
                             d->labels,
                             {members, n, d->parts, d->n_values, !d->share,
                              (const struct slice_part *const *)bases, n_bases}};
  enum disclosure_code code = split_decide(door, &q, fates);
  for (size_t k = 0; k < n_bases; k++)
    free(bases[k]);
  return code;
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
