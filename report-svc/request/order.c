/* The order of a report's rows: what was asked for, then all dimensions, so that rows of equal
 * value come in the same order on every page and every attempt. */
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/request/request.h"

typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__OrderBy order_by;
typedef Analytics__Ga4__V1beta__OrderBy__DimensionOrderBy by_dimension;
typedef Analytics__Ga4__V1beta__OrderBy__MetricOrderBy by_metric;

/* Their values sort by time as text. */
static const char *const time_dimensions[] = {
    "date",    "dateHour",  "dateHourMinute", "day",          "dayOfWeek",     "hour",
    "isoWeek", "isoYear",   "isoYearIsoWeek", "minute",       "month",         "nthDay",
    "nthHour", "nthMinute", "nthMonth",       "nthWeek",      "nthYear",       "week",
    "year",    "yearMonth", "yearWeek",       "cohortNthDay", "cohortNthWeek", "cohortNthMonth",
};

bool request_is_time(const char *dimension)
{
  for (size_t i = 0; i < ARRAY_LEN(time_dimensions); i++)
    if (strcmp(dimension, time_dimensions[i]) == 0)
      return true;
  return false;
}

static bool is_ordered(const ga4_request *report, const char *dimension)
{
  for (size_t i = 0; i < report->n_order_bys; i++) {
    const order_by *o = report->order_bys[i];
    if (o->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_DIMENSION &&
        strcmp(o->dimension->dimension_name, dimension) == 0)
      return true;
  }
  return false;
}

static bool add_dimension(ga4_request *report, char *name, struct arena *arena)
{
  order_by *o = ARENA_NEW(arena, order_by);
  by_dimension *by = ARENA_NEW(arena, by_dimension);
  if (o == NULL || by == NULL)
    return false;
  analytics__ga4__v1beta__order_by__init(o);
  analytics__ga4__v1beta__order_by__dimension_order_by__init(by);
  by->dimension_name = name;
  o->one_order_by_case = ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_DIMENSION;
  o->dimension = by;
  report->order_bys[report->n_order_bys++] = o;
  return true;
}

static bool add_dimensions(ga4_request *report, bool only_time, struct arena *arena)
{
  for (size_t i = 0; i < report->n_dimensions; i++) {
    char *name = report->dimensions[i]->name;
    if ((!only_time || request_is_time(name)) && !is_ordered(report, name) &&
        !add_dimension(report, name, arena))
      return false;
  }
  return true;
}

/* Google's own default. */
static bool add_first_metric(ga4_request *report, struct arena *arena)
{
  order_by *o = ARENA_NEW(arena, order_by);
  by_metric *by = ARENA_NEW(arena, by_metric);
  if (o == NULL || by == NULL)
    return false;
  analytics__ga4__v1beta__order_by__init(o);
  analytics__ga4__v1beta__order_by__metric_order_by__init(by);
  by->metric_name = report->metrics[0]->name;
  o->one_order_by_case = ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
  o->metric = by;
  o->desc = true;
  report->order_bys[report->n_order_bys++] = o;
  return true;
}

bool request_complete_order(ga4_request *report, struct arena *arena)
{
  order_by **asked = report->order_bys;
  size_t n = report->n_order_bys;
  report->order_bys = ARENA_ARRAY(arena, order_by *, n + report->n_dimensions + 1);
  if (report->order_bys == NULL)
    return false;
  if (n > 0)
    memcpy(report->order_bys, asked, n * sizeof(*asked));
  if (n == 0 &&
      (!add_dimensions(report, true, arena) ||
       (report->n_metrics > 0 && report->n_dimensions > 0 && !add_first_metric(report, arena))))
    return false;
  return add_dimensions(report, false, arena);
}
