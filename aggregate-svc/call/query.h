/* Builds report requests in an arena. */
#ifndef AMCP_AGGREGATE_QUERY_H
#define AMCP_AGGREGATE_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/period/period.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"

/* A query with dimensions, metrics and one date range. Names and the period's texts are
 * not copied; the caller may set filters afterwards. NULL when the arena is full. */
Analytics__Report__V1__ReportQuery *query_new(uint32_t query_id, char *const *dimensions,
                                              size_t n_dimensions, char *const *metrics,
                                              size_t n_metrics, const struct period *period,
                                              struct arena *arena);
/* Condition: the dimension is one of the values, letter case counts. NULL when the arena
 * is full. */
Analytics__Ga4__V1beta__FilterExpression *query_in_list(const char *dimension, char **values,
                                                        size_t n_values, struct arena *arena);

#endif
