/* A metric over a cohort as a figure of the door. */
#ifndef AMCP_AGGREGATE_DISCLOSURE_CELL_H
#define AMCP_AGGREGATE_DISCLOSURE_CELL_H

#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/figures/group.h"

/* Which days the figures are of: the door's period, or the equally long one before it. */
enum cell_period { CELL_NOW, CELL_BEFORE };

/* The figure of the dealers outside the caller's view in a group, from what they answered now
 * (door->live, else the figures of c) where it is new. A share passes only when its
 * rest passes, too: who knows the one knows the other. Free *out with door_figure_free(). */
void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 enum cell_period period, struct door_figure *out);

#endif
