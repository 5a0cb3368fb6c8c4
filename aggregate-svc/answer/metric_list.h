/* What every metric of the answers means: a table. */
#ifndef AMCP_AGGREGATE_METRIC_LIST_H
#define AMCP_AGGREGATE_METRIC_LIST_H

#include <stdbool.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* The metrics whose name or meaning contains the text, "" for all, which leaves out their tools to
 * fit an answer. Letter case, blanks and signs do not count, and what people call them otherwise is
 * found ("qualified sessions", "conversion rate"). A caveat where there is none. NULL when the arena
 * is full. */
Analytics__Aggregate__V1__ListMetricsResponse *metric_list(const char *text, struct arena *arena);
/* Whether one of them is of leads, whose event differs from dealer to dealer. */
bool metric_list_has_leads(const Analytics__Aggregate__V1__ListMetricsResponse *list);
/* What a metric of the table of figures/metrics.h means; NULL when nobody wrote it down. */
const char *metric_meaning(const char *metric);

#endif
