/* The checks of report methods in Google's order, and those of RunReportRequest. */
#include "ga4-sim/report/checks.h"
#include "ga4-sim/report/fields.h"

enum err_code check_aggregations(struct reader *x)
{
  const cJSON *a;
  cJSON_ArrayForEach(a, member(x->tree, "metricAggregations"))
  {
    x->r->total |= a->valueint == AGGREGATION_TOTAL;
    x->r->minimum |= a->valueint == AGGREGATION_MINIMUM;
    x->r->maximum |= a->valueint == AGGREGATION_MAXIMUM;
    if (a->valueint == AGGREGATION_COUNT)
      return request_invalid(x->e, "Metric aggregation Count is not supported in ReportRequest.");
  }
  return ERR_OK;
}

enum err_code check_common(struct reader *x)
{
  enum err_code code = check_fields(x);
  if (code == ERR_OK)
    code = check_comparisons(x);
  if (code == ERR_OK)
    code = check_window(x);
  if (code == ERR_OK)
    code = member(x->tree, "cohortSpec") != NULL ? check_cohorts(x) : check_ranges(x);
  if (code == ERR_OK)
    code = check_cardinality(x);
  if (code == ERR_OK)
    code = check_compatibility(x);
  if (code == ERR_OK)
    code = check_currency(x);
  x->r->event_scoped = (x->r->needs & NEED_EVENTS) != 0;
  x->r->keep_empty_rows = cJSON_IsTrue(member(x->tree, "keepEmptyRows"));
  x->r->return_quota = cJSON_IsTrue(member(x->tree, "returnPropertyQuota"));
  x->r->requested_dimensions = x->r->dimension_count;
  append_roles(x->r);
  return code;
}

enum err_code request_read(struct report_request *r, const cJSON *tree,
                           const struct world_property *property, int64_t today,
                           struct arena *arena, struct err *e)
{
  *r = (struct report_request){.property = property, .arena = arena, .conditions = r->conditions};
  struct reader x = {.r = r, .tree = tree, .today = today, .e = e};
  enum err_code code = check_common(&x);
  if (code == ERR_OK)
    code = check_orders(&x);
  return code == ERR_OK ? check_aggregations(&x) : code;
}
