/* Asks the disclosure policy about one metric over a cohort. */
#ifndef AMCP_AGGREGATE_DISCLOSURE_CELL_H
#define AMCP_AGGREGATE_DISCLOSURE_CELL_H

#include "aggregate-svc/disclosure/disclosure.h"
#include "aggregate-svc/figures/group.h"

/* Decides about a figure of a group. left_out is the compared dealer, or -1. A share passes
 * only when its rest passes, too: who knows the one knows the other. */
enum disclosure_code disclosure_cell(const struct disclosure_policy *policy,
                                     const struct cohort_figures *c, struct metric_group g,
                                     enum disclosure_form form, long left_out);

#endif
