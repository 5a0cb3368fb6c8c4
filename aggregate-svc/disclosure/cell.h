/* A metric over a cohort as a figure of the door. */
#ifndef AMCP_AGGREGATE_DISCLOSURE_CELL_H
#define AMCP_AGGREGATE_DISCLOSURE_CELL_H

#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/figures/group.h"

/* The figure of the dealers outside the caller's view in a group. A share passes only when its
 * rest passes, too: who knows the one knows the other. Free *out with door_figure_free(). */
void cell_figure(struct door *door, const struct cohort_figures *c, struct metric_group g,
                 struct door_figure *out);

#endif
