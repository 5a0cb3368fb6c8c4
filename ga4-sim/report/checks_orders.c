/* In which order the rows come, and which dimensions the API adds. */
#include "ga4-sim/report/checks.h"

#include <stdio.h>
#include <string.h>

/* Google appends dateRange when there are several ranges, comparison when there are
 * comparisons, unless the request names them itself. */
void append_roles(struct report_request *r)
{
  bool range = r->range_count < 2 || r->cohort_users != NULL, comparison = r->comparison_count == 0;
  for (size_t i = 0; i < r->dimension_count; i++) {
    range |= r->dimensions[i].role == ROLE_DATE_RANGE;
    comparison |= r->dimensions[i].role == ROLE_COMPARISON;
  }
  if (!comparison)
    r->dimensions[r->dimension_count++] =
        (struct request_dimension){.name = "comparison", .role = ROLE_COMPARISON};
  if (!range)
    r->dimensions[r->dimension_count++] =
        (struct request_dimension){.name = "dateRange", .role = ROLE_DATE_RANGE};
}

static enum err_code order_field_missing(struct reader *x, const char *name)
{
  return request_invalid(
      x->e, "Field %s exists in OrderBy but is not defined in input Dimensions/Metrics list", name);
}

static enum err_code read_dimension_order(struct reader *x, const cJSON *by, const char **sql)
{
  const char *name = text_of(by, "dimensionName");
  const cJSON *type = member(by, "orderType");
  struct report_request *r = x->r;
  for (size_t i = 0; i < r->dimension_count; i++) {
    if (strcmp(r->dimensions[i].name, name) != 0)
      continue;
    int order = type == NULL ? ORDER_TYPE_UNSPECIFIED : type->valueint;
    const char *format = order == ORDER_TYPE_NUMERIC                         ? "CAST(d%zu AS REAL)"
                         : order == ORDER_TYPE_CASE_INSENSITIVE_ALPHANUMERIC ? "d%zu COLLATE NOCASE"
                                                                             : "d%zu";
    char text[48];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), format, i + 1);
#pragma GCC diagnostic pop
    *sql = arena_strdup(r->arena, text);
    return ERR_OK;
  }
  return order_field_missing(x, name);
}

static enum err_code read_metric_order(struct reader *x, const cJSON *by, const char **sql)
{
  const char *name = text_of(by, "metricName");
  for (size_t i = 0; i < x->r->metric_count; i++)
    if (strcmp(x->r->metrics[i].name, name) == 0) {
      *sql = arena_printf(x->r->arena, "m%zu", i + 1);
      return ERR_OK;
    }
  return order_field_missing(x, name);
}

enum err_code check_orders(struct reader *x)
{
  struct report_request *r = x->r;
  const cJSON *orders = member(x->tree, "orderBys"), *by;
  r->orders = ARENA_ARRAY(r->arena, struct request_order, (size_t)cJSON_GetArraySize(orders) + 1);
  if (r->orders == NULL)
    return request_invalid(x->e, "The request is too large.");
  cJSON_ArrayForEach(by, orders)
  {
    struct request_order *out = &r->orders[r->order_count];
    const cJSON *metric = member(by, "metric"), *dimension = member(by, "dimension");
    out->descending = cJSON_IsTrue(member(by, "desc"));
    enum err_code code;
    if (metric != NULL)
      code = read_metric_order(x, metric, &out->sql);
    else if (dimension != NULL)
      code = read_dimension_order(x, dimension, &out->sql);
    else
      code = request_invalid(x->e, "Each OrderBy must specify a metric or a dimension.");
    if (code != ERR_OK)
      return code;
    r->order_count++;
  }
  return ERR_OK;
}
