/* The tool's arguments to Google's message and its JSON body. */
#include "report-svc/request/request.h"

#include <string.h>

#include "common/pbjson/pbjson.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;

enum err_code request_parse_property(char out[REQUEST_PROPERTY_SIZE], const char *text,
                                     struct err *e)
{
  static const char prefix[] = "properties/";
  const char *digits = text;
  if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
    digits += sizeof(prefix) - 1;
  size_t len = strspn(digits, "0123456789");
  if (len == 0 || len >= REQUEST_PROPERTY_SIZE || digits[len] != '\0')
    return err_set(
        e, ERR_INVALID_ARGUMENT, "invalid_argument",
        "property_id: Invalid property ID: %.64s. A numeric Property ID is required, such "
        "as 213025502 or properties/213025502; list_dealers and get_account_summaries "
        "show them",
        text);
  memcpy(out, digits, len + 1);
  return ERR_OK;
}

static Analytics__Ga4__V1beta__Dimension *dimension_of(char *name, const struct ga4_definitions *d,
                                                       struct arena *arena)
{
  Analytics__Ga4__V1beta__Dimension *out = ga4_defined_dimension(d, name);
  if (out != NULL || (out = ARENA_NEW(arena, Analytics__Ga4__V1beta__Dimension)) == NULL)
    return out;
  analytics__ga4__v1beta__dimension__init(out);
  out->name = name;
  return out;
}

static Analytics__Ga4__V1beta__Metric *metric_of(char *name, const struct ga4_definitions *d,
                                                 struct arena *arena)
{
  Analytics__Ga4__V1beta__Metric *out = ga4_defined_metric(d, name);
  if (out != NULL || (out = ARENA_NEW(arena, Analytics__Ga4__V1beta__Metric)) == NULL)
    return out;
  analytics__ga4__v1beta__metric__init(out);
  out->name = name;
  return out;
}

bool request_fields(Analytics__Ga4__V1beta__Dimension ***dimensions,
                    Analytics__Ga4__V1beta__Metric ***metrics, const struct ga4_names *names,
                    const struct ga4_definitions *d, struct arena *arena)
{
  *dimensions = ARENA_ARRAY(arena, Analytics__Ga4__V1beta__Dimension *, names->n_dimensions);
  *metrics = ARENA_ARRAY(arena, Analytics__Ga4__V1beta__Metric *, names->n_metrics);
  bool whole = *dimensions != NULL && *metrics != NULL;
  for (size_t i = 0; whole && i < names->n_dimensions; i++)
    whole = ((*dimensions)[i] = dimension_of(names->dimensions[i], d, arena)) != NULL;
  for (size_t i = 0; whole && i < names->n_metrics; i++)
    whole = ((*metrics)[i] = metric_of(names->metrics[i], d, arena)) != NULL;
  return whole;
}

/* Google requires a date range; ours has a default: the last 28 full days. */
Analytics__Ga4__V1beta__DateRange **request_date_ranges(size_t *n_out,
                                                        Analytics__Ga4__V1beta__DateRange **given,
                                                        size_t n, struct arena *arena)
{
  static char start[] = "28daysAgo", end[] = "yesterday";
  *n_out = n;
  if (n > 0)
    return given;
  Analytics__Ga4__V1beta__DateRange *range = ARENA_NEW(arena, Analytics__Ga4__V1beta__DateRange);
  Analytics__Ga4__V1beta__DateRange **list =
      ARENA_ARRAY(arena, Analytics__Ga4__V1beta__DateRange *, 1);
  if (range == NULL || list == NULL)
    return NULL;
  analytics__ga4__v1beta__date_range__init(range);
  range->start_date = start;
  range->end_date = end;
  list[0] = range;
  *n_out = 1;
  return list;
}

bool request_complete_cohorts(Analytics__Ga4__V1beta__CohortSpec **spec, struct arena *arena)
{
  static char first_day[] = "firstSessionDate";
  const Analytics__Ga4__V1beta__CohortSpec *given = *spec;
  if (given == NULL)
    return true;
  Analytics__Ga4__V1beta__CohortSpec *out = ARENA_NEW(arena, Analytics__Ga4__V1beta__CohortSpec);
  Analytics__Ga4__V1beta__Cohort **list =
      ARENA_ARRAY(arena, Analytics__Ga4__V1beta__Cohort *, given->n_cohorts);
  if (out == NULL || list == NULL)
    return false;
  *out = *given;
  out->cohorts = list;
  for (size_t i = 0; i < given->n_cohorts; i++) {
    list[i] = ARENA_NEW(arena, Analytics__Ga4__V1beta__Cohort);
    if (list[i] == NULL)
      return false;
    *list[i] = *given->cohorts[i];
    if (list[i]->dimension[0] == '\0')
      list[i]->dimension = first_day;
  }
  *spec = out;
  return true;
}

/* What is asked about: cohorts, whose days are theirs, or days. */
static bool put_span(ga4_request *out, const tool_request *request, struct arena *arena)
{
  if (request->cohort_spec != NULL) {
    out->cohort_spec = request->cohort_spec;
    return request_complete_cohorts(&out->cohort_spec, arena);
  }
  out->date_ranges =
      request_date_ranges(&out->n_date_ranges, request->date_ranges, request->n_date_ranges, arena);
  return out->date_ranges != NULL;
}

ga4_request *request_to_ga4(const tool_request *request, struct arena *arena)
{
  const struct ga4_definitions definitions = GA4_DEFINITIONS(request);
  const struct ga4_names names = GA4_NAMES(request);
  ga4_request *out = ARENA_NEW(arena, ga4_request);
  if (out == NULL)
    return NULL;
  analytics__ga4__v1beta__run_report_request__init(out);
  out->n_dimensions = request->n_dimensions;
  out->n_metrics = request->n_metrics;
  out->dimension_filter = request->dimension_filter;
  out->metric_filter = request->metric_filter;
  out->n_order_bys = request->n_order_bys;
  out->order_bys = request->order_bys;
  out->currency_code = request->currency_code;
  out->n_metric_aggregations = request->n_metric_aggregations;
  out->metric_aggregations = request->metric_aggregations;
  out->keep_empty_rows = request->keep_empty_rows;
  out->n_comparisons = request->n_comparisons;
  out->comparisons = request->comparisons;
  out->return_property_quota = true; /* what is left decides about the next one */
  out->offset = request->offset;
  out->limit = request->limit == 0 ? REQUEST_DEFAULT_LIMIT : request->limit;
  if (out->limit > REQUEST_MAX_SERVED)
    out->limit = REQUEST_MAX_SERVED;
  if (!request_fields(&out->dimensions, &out->metrics, &names, &definitions, arena))
    return NULL;
  return put_span(out, request, arena) && request_complete_order(out, arena) ? out : NULL;
}

enum err_code request_too_large(struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "the request is larger than %d KiB; use shorter filters", REQUEST_MAX_BODY / 1024);
}

enum err_code request_write(struct buf *out, const ProtobufCMessage *body, struct err *e)
{
  static const struct pbjson_write_options camel = {.names = PBJSON_CAMEL_CASE};
  return pbjson_write(out, body, &camel, e) == ERR_OK ? ERR_OK : request_too_large(e);
}

/* A copy that asks for one page. */
static ga4_request page_of(const ga4_request *report, int64_t offset, int64_t limit)
{
  static char none[] = "";
  ga4_request page = *report;
  page.property = none;
  page.offset = offset;
  page.limit = limit;
  return page;
}

enum err_code request_put_body(struct buf *out, const ga4_request *report, int64_t offset,
                               int64_t limit, struct err *e)
{
  ga4_request page = page_of(report, offset, limit);
  return request_write(out, &page.base, e);
}

enum err_code request_put_batch(struct buf *out, const ga4_request *const *reports,
                                const int64_t *offsets, size_t n, int64_t limit, struct err *e)
{
  Analytics__Ga4__V1beta__BatchRunReportsRequest batch =
      ANALYTICS__GA4__V1BETA__BATCH_RUN_REPORTS_REQUEST__INIT;
  ga4_request pages[REQUEST_MAX_BATCH], *list[REQUEST_MAX_BATCH];
  for (size_t i = 0; i < n; i++) {
    pages[i] = page_of(reports[i], offsets[i], limit);
    list[i] = &pages[i];
  }
  batch.n_requests = n;
  batch.requests = list;
  return request_write(out, &batch.base, e);
}
