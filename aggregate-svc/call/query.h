/* Builds report requests in an arena. */
#ifndef AMCP_AGGREGATE_QUERY_H
#define AMCP_AGGREGATE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/period/period.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"
#include "common/ga4/definition.h"

enum { QUERY_MAX_PERIODS = 4 }; /* Google's most date ranges of a report */
enum { QUERY_SET_MAX = 5 };     /* report-svc asks for a set with one batch */

/* The reports that a dealer is asked for. */
struct query_set {
  Analytics__Report__V1__ReportQuery *queries[QUERY_SET_MAX];
  size_t n;
};
/* Adds a report. False, and nothing added, when query is NULL (no memory) or none fits. */
bool query_set_add(struct query_set *set, Analytics__Report__V1__ReportQuery *query);

/* One report. Names, texts of periods and filters are lent and must outlive the query. */
struct query_spec {
  uint32_t id; /* of the report in the answer; unique within a plan */
  char *const *dimensions;
  size_t n_dimensions;
  char *const *metrics;
  size_t n_metrics;
  /* One, or several to be read with one request: Google then adds the dimension dateRange,
   * whose values are date_range_0, date_range_1 ... in this order. */
  const struct period *periods[QUERY_MAX_PERIODS];
  const char *period_names[QUERY_MAX_PERIODS]; /* NULL or "": Google's */
  size_t n_periods;
  Analytics__Ga4__V1beta__FilterExpression *dimension_filter; /* NULL for none */
  Analytics__Ga4__V1beta__FilterExpression *metric_filter;    /* likewise */
  const char *currency_code;                                  /* NULL or "": the property's */
  bool keep_empty_rows;                                       /* rows of zeros, too */
  bool largest_first;                                         /* by the first metric */
  Analytics__Ga4__V1beta__MetricAggregation *aggregations;    /* over all rows */
  size_t n_aggregations;
  bool quota; /* what is left of it comes with the report */
  /* Google adds the dimension comparison, before dateRange. */
  Analytics__Ga4__V1beta__Comparison **comparisons;
  size_t n_comparisons;
  Analytics__Ga4__V1beta__CohortSpec *cohorts; /* NULL, or in place of periods */
  struct ga4_definitions definitions;          /* of names among dimensions and metrics */
};

/* NULL when the arena is full. */
Analytics__Report__V1__ReportQuery *query_new(const struct query_spec *spec, struct arena *arena);
/* Condition: the dimension is one of the values, letter case counts. NULL when the arena
 * is full. */
Analytics__Ga4__V1beta__FilterExpression *query_in_list(const char *dimension, char **values,
                                                        size_t n_values, struct arena *arena);
/* Condition: the dimension holds a match of the RE2 pattern, letter case does not count. NULL when
 * the arena is full. */
Analytics__Ga4__V1beta__FilterExpression *query_matches(const char *dimension, const char *pattern,
                                                        struct arena *arena);
/* Condition: one or both. NULL when one is NULL or the arena is full. */
Analytics__Ga4__V1beta__FilterExpression *query_either(Analytics__Ga4__V1beta__FilterExpression *a,
                                                       Analytics__Ga4__V1beta__FilterExpression *b,
                                                       struct arena *arena);
/* Condition: both. NULL when one is NULL or the arena is full. */
Analytics__Ga4__V1beta__FilterExpression *query_both(Analytics__Ga4__V1beta__FilterExpression *a,
                                                     Analytics__Ga4__V1beta__FilterExpression *b,
                                                     struct arena *arena);

#endif
