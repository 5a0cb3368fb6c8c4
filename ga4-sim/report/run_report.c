/* RunReportRequest: the common checks in Google's order, and its own. */
#include "ga4-sim/report/checks.h"
#include "ga4-sim/report/fields.h"

static enum err_code read_aggregations(struct reader *x)
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

/* Google's order: field names, limit and offset, date ranges, cardinality, presence,
 * compatibility, order. */
static enum err_code check(struct reader *x)
{
  enum err_code code = check_fields(x);
  if (code == ERR_OK)
    code = check_comparisons(x);
  if (code == ERR_OK)
    code = check_window(x);
  if (code == ERR_OK && member(x->tree, "cohortSpec") != NULL)
    code = err_set(x->e, ERR_UNIMPLEMENTED, NULL,
                   "The simulator does not implement cohort reports. Remove cohortSpec.");
  if (code == ERR_OK)
    code = check_ranges(x);
  if (code == ERR_OK)
    code = check_cardinality(x);
  if (code == ERR_OK)
    code = check_compatibility(x);
  if (code != ERR_OK)
    return code;
  x->r->requested_dimensions = x->r->dimension_count;
  append_roles(x->r);
  code = check_orders(x);
  return code == ERR_OK ? read_aggregations(x) : code;
}

enum err_code request_read(struct report_request *r, const cJSON *tree,
                           const struct world_property *property, int64_t today,
                           struct arena *arena, struct err *e)
{
  *r = (struct report_request){.property = property, .arena = arena};
  struct reader x = {.r = r, .tree = tree, .today = today, .e = e};
  enum err_code code = check(&x);
  r->event_scoped = (r->needs & NEED_EVENTS) != 0;
  r->keep_empty_rows = cJSON_IsTrue(member(tree, "keepEmptyRows"));
  r->return_quota = cJSON_IsTrue(member(tree, "returnPropertyQuota"));
  r->currency_code = text_of(tree, "currencyCode");
  return code;
}
