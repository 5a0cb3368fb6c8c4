/* Names of a report that its request defines: a metric by arithmetic over Google's metrics, or one
 * that is not shown; a dimension by other dimensions. Thread-safe: no state.
 * Source: https://developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/Metric */
#ifndef AMCP_GA4_DEFINITION_H
#define AMCP_GA4_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/error.h"

/* Fields metric_expressions and dimension_expressions of a request, lent. */
struct ga4_definitions {
  Analytics__Ga4__V1beta__Metric **metrics;
  size_t n_metrics;
  Analytics__Ga4__V1beta__Dimension **dimensions;
  size_t n_dimensions;
};
/* Those of a request of any tool that has the two fields. */
#define GA4_DEFINITIONS(r)                                                                         \
  ((struct ga4_definitions){(r)->metric_expressions, (r)->n_metric_expressions,                    \
                            (r)->dimension_expressions, (r)->n_dimension_expressions})

/* What the lists of names of a report are. */
struct ga4_names {
  char *const *metrics;
  size_t n_metrics;
  char *const *dimensions;
  size_t n_dimensions;
};
#define GA4_NAMES(r)                                                                               \
  ((struct ga4_names){(r)->metrics, (r)->n_metrics, (r)->dimensions, (r)->n_dimensions})

/* Every definition has a name that stands in the report's lists and in no other definition, and
 * defines something that Google can evaluate: none of the dealer's own metrics (common/ga4/own.h).
 * ERR_INVALID_ARGUMENT names the field and the remedy. The arithmetic itself is Google's. */
enum err_code ga4_definitions_check(const struct ga4_definitions *d, const struct ga4_names *names,
                                    struct err *e);

/* The definition of a name; NULL: it is Google's own. */
Analytics__Ga4__V1beta__Metric *ga4_defined_metric(const struct ga4_definitions *d,
                                                   const char *name);
Analytics__Ga4__V1beta__Dimension *ga4_defined_dimension(const struct ga4_definitions *d,
                                                         const char *name);
/* Whether a metric of the report is not shown. */
bool ga4_is_hidden(const struct ga4_definitions *d, const char *metric);

/* Whether a metric is this one of Google's, or its expression has it as an operand. */
bool ga4_metric_uses(const Analytics__Ga4__V1beta__Metric *metric, const char *name);
/* The i-th name that an expression of a dimension is made of; NULL after the last, and for NULL. */
const char *ga4_dimension_part(const Analytics__Ga4__V1beta__DimensionExpression *x, size_t i);

/* Whether two definitions of one name, NULL for none, give the same column. */
bool ga4_same_metric(const Analytics__Ga4__V1beta__Metric *a,
                     const Analytics__Ga4__V1beta__Metric *b);
bool ga4_same_dimension(const Analytics__Ga4__V1beta__Dimension *a,
                        const Analytics__Ga4__V1beta__Dimension *b);

/* The place of a name in a list; n when it is not there. */
size_t ga4_name_index(char *const *names, size_t n, const char *name);

#endif
