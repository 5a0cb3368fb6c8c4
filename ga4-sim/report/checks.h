/* The checks that the methods of reports have in common; each method calls them in Google's
 * order (run_report.c). All return ERR_OK, or set Google's message. */
#ifndef GA4_SIM_CHECKS_H
#define GA4_SIM_CHECKS_H

#include "ga4-sim/report/fields.h"
#include "ga4-sim/report/request.h"

/* A request while it is read. */
struct reader {
  struct report_request *r;
  const cJSON *tree;     /* transcoded, only known fields */
  int64_t today;         /* in the property's time zone */
  const char *names[64]; /* dimensions used anywhere, each once */
  size_t name_count;
  struct err *e;
};

/* Member of an object or NULL; its text, "" when absent. */
static inline const cJSON *member(const cJSON *object, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static inline const char *text_of(const cJSON *object, const char *name)
{
  const cJSON *m = member(object, name);
  return cJSON_IsString(m) ? m->valuestring : "";
}

/* run_report.c: what runReport and runPivotReport have in common, in Google's order: field names,
 * limit and offset, date ranges, cardinality, presence, compatibility. Then the dimensions of the
 * answer are known. */
enum err_code check_common(struct reader *x);
/* metricAggregations of a report without pivots. */
enum err_code check_aggregations(struct reader *x);
/* cohorts.c: cohortSpec, which takes the place of date ranges. */
enum err_code check_cohorts(struct reader *x);
/* checks_fields.c: dimensions, metrics and filters, in this order. */
enum err_code check_fields(struct reader *x);
/* SQL of a DimensionExpression. */
enum err_code checks_dimension_expression(struct reader *x, const cJSON *expression,
                                          const char **sql);
/* How many of each there may be, and that there are some. */
enum err_code check_cardinality(struct reader *x);
/* That all fields go together (field_groups_compatible()). */
enum err_code check_compatibility(struct reader *x);
/* currencyCode, when it is given. */
enum err_code check_currency(struct reader *x);
/* Whether fields of that group go with all fields of the request. */
bool checks_group_fits(struct reader *x, enum field_group group);
/* checks_window.c: limit and offset. */
enum err_code check_window(struct reader *x);
/* Date ranges. */
enum err_code check_ranges(struct reader *x);
/* One range's dates; out->name is not set. NULL: a range is required. */
enum err_code check_range(struct reader *x, const cJSON *range, struct request_range *out);
/* checks_orders.c: orderBys, after the dimensions of the answer are known. */
enum err_code check_orders(struct reader *x);
/* comparisons.c */
enum err_code check_comparisons(struct reader *x);
/* Appends the dimensions dateRange and comparison where the answer has them. */
void append_roles(struct report_request *r);

#endif
