/* Checks that are cheap and certain, in Google's words, before anything is sent. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "report-svc/request/request.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__DateRange date_range;

#define INVALID(e, ...) err_set((e), ERR_INVALID_ARGUMENT, "invalid_argument", __VA_ARGS__)

/* A date as Google reads it: a day, or days before today. */
struct report_date {
  bool relative;
  int64_t days; /* since 1970-01-01, or before today, negated */
};

/* NdaysAgo with at most 7 digits. */
static bool parse_days_ago(struct report_date *out, const char *text)
{
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 7 || strcmp(text + digits, "daysAgo") != 0)
    return false;
  out->relative = true;
  out->days = 0;
  for (size_t i = 0; i < digits; i++)
    out->days = out->days * 10 + (text[i] - '0');
  out->days = -out->days;
  return true;
}

static bool parse_date(struct report_date *out, const char *text)
{
  if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
    *out = (struct report_date){true, text[0] == 't' ? 0 : -1};
    return true;
  }
  if (parse_days_ago(out, text))
    return true;
  out->relative = false;
  return clock_parse_date(text, &out->days);
}

int64_t request_day(const char *date, int64_t today)
{
  struct report_date d = {false, today};
  if (!parse_date(&d, date))
    return today;
  return d.relative ? today + d.days : d.days;
}

bool request_date_is_relative(const char *date)
{
  struct report_date d = {false, 0};
  return !parse_date(&d, date) || d.relative;
}

static enum err_code bad_date(struct err *e, const char *path, size_t i, const char *field,
                              const char *google_name, const char *text)
{
  return INVALID(e,
                 "%sdate_ranges[%zu].%s: Invalid %s : %.40s. %s must be YYYY-MM-DD, NdaysAgo, "
                 "yesterday, or today.",
                 path, i, field, google_name, text, google_name);
}

static enum err_code check_range(const date_range *range, const char *path, size_t i, struct err *e)
{
  struct report_date start, end;
  if (!parse_date(&start, range->start_date))
    return bad_date(e, path, i, "start_date", "startDate", range->start_date);
  if (!parse_date(&end, range->end_date))
    return bad_date(e, path, i, "end_date", "endDate", range->end_date);
  if (start.relative == end.relative && start.days > end.days)
    return INVALID(e,
                   "%sdate_ranges[%zu].start_date: start_date must be less than or equal to "
                   "end_date. start_date = %s and end_date = %s",
                   path, i, range->start_date, range->end_date);
  return ERR_OK;
}

static enum err_code check_ranges(date_range *const *ranges, size_t n, const char *path,
                                  struct err *e)
{
  if (n > REQUEST_MAX_DATE_RANGES)
    return INVALID(e,
                   "%sdate_ranges: Requests are limited to 4 dateRanges.\n  This request contains "
                   "%zu dateRanges.",
                   path, n);
  for (size_t i = 0; i < n; i++) {
    if (check_range(ranges[i], path, i, e) != ERR_OK)
      return ERR_INVALID_ARGUMENT;
  }
  return ERR_OK;
}

static enum err_code check_counts(size_t dimensions, size_t metrics, const char *path,
                                  struct err *e)
{
  if (dimensions == 0 && metrics == 0)
    return INVALID(e,
                   "%smetrics: Requests require dimensions and/or metrics. Most requests include "
                   "both.",
                   path);
  if (dimensions > REQUEST_MAX_DIMENSIONS)
    return INVALID(e,
                   "%sdimensions: Requests are limited to 9 dimensions within a nested request.\n  "
                   "This request is for %zu dimensions.",
                   path, dimensions);
  if (metrics > REQUEST_MAX_METRICS)
    return INVALID(e,
                   "%smetrics: Requests are limited to 10 metrics within a nested request.\n  This "
                   "request is for %zu metrics.",
                   path, metrics);
  return ERR_OK;
}

static enum err_code check_page(int64_t limit, int64_t offset, struct err *e)
{
  if (limit < 0)
    return INVALID(e, "limit: limit must be positive. The API received limit = %" PRId64, limit);
  if (limit > REQUEST_MAX_LIMIT)
    return INVALID(e, "limit: Google returns at most %d rows, got %" PRId64 "; page with offset",
                   REQUEST_MAX_LIMIT, limit);
  if (offset < 0)
    return INVALID(e, "offset: offset must be positive. The API received offset = %" PRId64,
                   offset);
  return ERR_OK;
}

static enum err_code check_names(char *const *names, size_t n, const char *field, struct err *e)
{
  for (size_t i = 0; i < n; i++) {
    if (names[i][0] == '\0')
      return INVALID(e, "%s[%zu]: the name is empty; give a GA4 API name", field, i);
  }
  return ERR_OK;
}

enum err_code request_check_target(const char *dealer_id, const char *property_id, struct err *e)
{
  char digits[REQUEST_PROPERTY_SIZE];
  if (property_id[0] != '\0')
    return request_parse_property(digits, property_id, e);
  if (dealer_id[0] == '\0')
    return INVALID(e, "dealer_id: give dealer_id (list_dealers shows them) or property_id");
  return ERR_OK;
}

enum err_code request_check_parts(const struct request_parts *parts, struct err *e)
{
  enum err_code code = request_check_target(parts->dealer_id, parts->property_id, e);
  if (code == ERR_OK)
    code = check_page(parts->limit, parts->offset, e);
  if (code == ERR_OK)
    code = check_names(parts->dimensions, parts->n_dimensions, "dimensions", e);
  if (code == ERR_OK)
    code = check_names(parts->metrics, parts->n_metrics, "metrics", e);
  if (code == ERR_OK)
    code = check_ranges(parts->date_ranges, parts->n_date_ranges, "", e);
  if (code == ERR_OK)
    code = check_counts(parts->n_dimensions, parts->n_metrics, "", e);
  const struct ga4_names names = GA4_NAMES(parts);
  return code == ERR_OK ? ga4_definitions_check(&parts->definitions, &names, e) : code;
}

enum err_code request_check_dates(date_range *const *ranges, size_t n, struct err *e)
{
  return check_ranges(ranges, n, "", e);
}

enum err_code request_check_aggregations(const Analytics__Ga4__V1beta__MetricAggregation *kinds,
                                         size_t n, struct err *e)
{
  for (size_t i = 0; i < n; i++) {
    Analytics__Ga4__V1beta__MetricAggregation k = kinds[i];
    if (k != ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__TOTAL &&
        k != ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__MINIMUM &&
        k != ANALYTICS__GA4__V1BETA__METRIC_AGGREGATION__MAXIMUM)
      return INVALID(e,
                     "metric_aggregations[%zu]: give TOTAL, MINIMUM or MAXIMUM; row_count says "
                     "how many rows there are",
                     i);
  }
  return ERR_OK;
}

static enum err_code check_comparisons(Analytics__Ga4__V1beta__Comparison *const *comparisons,
                                       size_t n, struct err *e)
{
  if (n > REQUEST_MAX_COMPARISONS)
    return INVALID(e, "comparisons: Requests are limited to %d comparisons, got %zu",
                   REQUEST_MAX_COMPARISONS, n);
  for (size_t i = 0; i < n; i++)
    if (comparisons[i]->one_comparison_case ==
        ANALYTICS__GA4__V1BETA__COMPARISON__ONE_COMPARISON__NOT_SET)
      return INVALID(e,
                     "comparisons[%zu]: give dimension_filter, or comparison with the name of a "
                     "saved one such as comparisons/1234",
                     i);
  return ERR_OK;
}

/* Its errors speak of a list of ranges; a cohort has one. */
static void rename_range(struct err *e, size_t cohort)
{
  static const char of_list[] = "date_ranges[0]";
  char rest[sizeof(e->message)];
  snprintf(rest, sizeof(rest), "%s", e->message + strlen(of_list));
  err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "cohort_spec.cohorts[%zu].date_range%s",
          cohort, rest);
}

static enum err_code check_cohort(const Analytics__Ga4__V1beta__Cohort *cohort, size_t i,
                                  struct err *e)
{
  if (cohort->date_range == NULL)
    return INVALID(e,
                   "cohort_spec.cohorts[%zu].date_range: give the days of the first visit: "
                   "start_date and end_date",
                   i);
  if (check_range(cohort->date_range, "", 0, e) == ERR_OK)
    return ERR_OK;
  rename_range(e, i);
  return e->code;
}

static enum err_code check_cohorts(const Analytics__Ga4__V1beta__CohortSpec *spec,
                                   size_t n_date_ranges, struct err *e)
{
  if (spec == NULL)
    return ERR_OK;
  if (n_date_ranges > 0)
    return INVALID(e, "date_ranges: Requests with a cohort_spec must not have date_ranges; each "
                      "cohort has its own date_range");
  if (spec->n_cohorts == 0)
    return INVALID(e, "cohort_spec.cohorts: give at least one, with start_date and end_date of the "
                      "first visit");
  if (spec->cohorts_range == NULL || spec->cohorts_range->granularity == 0)
    return INVALID(e, "cohort_spec.cohorts_range.granularity: give DAILY, WEEKLY or MONTHLY, and "
                      "end_offset: how many steps after the first visit");
  for (size_t i = 0; i < spec->n_cohorts; i++)
    if (check_cohort(spec->cohorts[i], i, e) != ERR_OK)
      return e->code;
  return ERR_OK;
}

enum err_code request_check_slices(Analytics__Ga4__V1beta__Comparison *const *comparisons,
                                   size_t n_comparisons,
                                   const Analytics__Ga4__V1beta__CohortSpec *cohorts,
                                   size_t n_date_ranges, struct err *e)
{
  enum err_code code = check_comparisons(comparisons, n_comparisons, e);
  return code == ERR_OK ? check_cohorts(cohorts, n_date_ranges, e) : code;
}

enum err_code request_check(const tool_request *request, struct err *e)
{
  struct request_parts parts = {request->dealer_id,    request->property_id,    request->dimensions,
                                request->n_dimensions, request->metrics,        request->n_metrics,
                                request->date_ranges,  request->n_date_ranges,  request->limit,
                                request->offset,       GA4_DEFINITIONS(request)};
  enum err_code code = request_check_parts(&parts, e);
  if (code == ERR_OK)
    code =
        request_check_aggregations(request->metric_aggregations, request->n_metric_aggregations, e);
  return code == ERR_OK ? request_check_slices(request->comparisons, request->n_comparisons,
                                               request->cohort_spec, request->n_date_ranges, e)
                        : code;
}

enum err_code request_check_report(const ga4_request *report, const char *path, struct err *e)
{
  enum err_code code = check_ranges(report->date_ranges, report->n_date_ranges, path, e);
  if (code == ERR_OK)
    code = check_counts(report->n_dimensions, report->n_metrics, path, e);
  return code;
}
