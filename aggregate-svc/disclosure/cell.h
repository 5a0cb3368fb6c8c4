/* A metric over a cohort as a figure of the door. */
#ifndef AMCP_AGGREGATE_DISCLOSURE_CELL_H
#define AMCP_AGGREGATE_DISCLOSURE_CELL_H

#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/disclosure/split.h"
#include "aggregate-svc/figures/group.h"

/* Which days the figures are of: the door's period, or the equally long one before it. */
enum cell_period { CELL_NOW = DOOR_NOW, CELL_BEFORE = DOOR_BEFORE };

/* The figure of the dealers outside the caller's view in a group, from what they answered now
 * (door->live, else the figures of c) where it is new. A share passes only when its
 * rest passes, too: who knows the one knows the other. Each week or month of
 * door->bases must pass, too. Free *out with door_figure_free(). */
void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 enum cell_period period, struct door_figure *out);
/* The same of any span of the lattice; bases are the figures of its weeks or months, each of which
 * must pass by itself. */
void cell_figure_within(struct door *door, const struct cohort_figures *c, struct metric_group g,
                        struct lattice_span span, const struct cohort_figures *const *bases,
                        size_t n_bases, struct door_figure *out);

/* What the members answered now, whatever an answer shows of them (outside.h). */
struct cohort_figures cell_live(const struct door *door, const struct cohort_figures *c);

/* One value of a dimension: a rate of its own in it, or its part of the whole. */
struct cell_slice {
  const char *name;  /* in place of the metric's; "" for the metric's own */
  const char *slice; /* "sessionDefaultChannelGroup=Paid Search", as split.h released it */
  const struct stats_ratio *parts; /* per member */
  /* The same in each week or month of the door's bases; NULL where nobody knows. */
  const struct stats_ratio *const *bases;
  bool share; /* the parts are of a whole; else they are the metric's */
};
void cell_figure_of_slice(struct door *door, const struct cohort_figures *c, struct metric_group g,
                          const struct cell_slice *slice, struct door_figure *out);

/* A dimension in one metric, named as in struct cell_slice. */
struct cell_dimension {
  const char *name;
  const char *dimension;          /* "sessionDefaultChannelGroup" */
  const char *const *labels;      /* of the values */
  const struct slice_part *parts; /* values x members */
  const struct slice_part *const
      *bases; /* likewise, in each of the door's bases; NULL: nobody knows */
  size_t n_values;
  bool share;
};
/* Which values may be asked of cell_figure_of_slice(); as split_decide(). */
enum disclosure_code cell_split(struct door *door, const struct cohort_figures *c,
                                struct metric_group g, const struct cell_dimension *d,
                                enum slice_fate *fates);

/* The others in the form in which they are shown, so that a verdict adds nothing to the pool that
 * is: its rounded rate, and its events as rounded for intervals. False when the figure is withheld
 * or a count. */
bool cell_pool(const struct dealer_metric *m, const struct door_figure *f, struct stats_ratio *out);
/* The same of a released rate that is not a dealer_metric; `scale` is that of the rate. */
bool cell_pool_of_rate(double scale, const struct door_figure *f, struct stats_ratio *out);

#endif
