/* The report that shows where a property's data begins. */
#include "report-svc/ask/first_day.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_response;

static const char *zone_of(const ga4_response *report)
{
  return report->metadata == NULL ? "" : report->metadata->time_zone;
}

bool first_day_matters_of(size_t rows, Analytics__Ga4__V1beta__DateRange *const *ranges, size_t n,
                          const Analytics__Ga4__V1beta__ResponseMetaData *metadata,
                          int64_t now_unix_ms)
{
  int64_t today = request_today(metadata == NULL ? "" : metadata->time_zone, now_unix_ms);
  for (size_t i = 0; rows == 0 && i < n; i++)
    if (request_day(ranges[i]->start_date, today) <= today)
      return true;
  return false;
}

bool first_day_matters(const ga4_request *asked, const ga4_response *report, int64_t now_unix_ms)
{
  return report->row_count <= 0 && asked->offset <= 0 && asked->dimension_filter == NULL &&
         asked->metric_filter == NULL &&
         first_day_matters_of(report->n_rows, asked->date_ranges, asked->n_date_ranges,
                              report->metadata, now_unix_ms);
}

/* Until the property's day ends. */
static int64_t keep_ms(const ProtobufCMessage *body, const ProtobufCMessage *answer, int64_t ttl_ms,
                       int64_t now_unix_ms)
{
  (void)body;
  (void)ttl_ms;
  return request_day_left_ms(zone_of((const ga4_response *)answer), now_unix_ms);
}

/* A list of one range in the arena; NULL at its cap. */
static Analytics__Ga4__V1beta__DateRange **all_days(struct arena *arena)
{
  static char start[] = REQUEST_FIRST_DATE, end[] = "today";
  Analytics__Ga4__V1beta__DateRange *range = ARENA_NEW(arena, Analytics__Ga4__V1beta__DateRange);
  Analytics__Ga4__V1beta__DateRange **list =
      ARENA_ARRAY(arena, Analytics__Ga4__V1beta__DateRange *, 1);
  if (range == NULL || list == NULL)
    return NULL;
  analytics__ga4__v1beta__date_range__init(range);
  range->start_date = start;
  range->end_date = end;
  list[0] = range;
  return list;
}

bool first_day_question(struct ask_options *out, struct arena *arena)
{
  static char date[] = "date", sessions[] = "sessions";
  static char *by[] = {date}, *of[] = {sessions};
  Analytics__Report__V1__RunReportRequest request = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  request.dimensions = by;
  request.n_dimensions = 1;
  request.metrics = of;
  request.n_metrics = 1;
  request.date_ranges = all_days(arena);
  request.n_date_ranges = 1;
  request.limit = 1;
  ga4_request *body = request.date_ranges == NULL ? NULL : request_to_ga4(&request, arena);
  if (body == NULL)
    return false;
  out->method = google_method(GOOGLE_RUN_REPORT);
  out->body = &body->base;
  out->keep_ms = keep_ms;
  return true;
}

struct ask *first_day_ask(const struct ask *of, const struct ask_options *options,
                          struct arena *arena)
{
  struct ask_options o = *options;
  o.dealer_id = ask_used_token(of)->dealer_ref;
  o.property_id = ask_property(of);
  return first_day_question(&o, arena) ? ask_new(&o) : NULL;
}

/* Google writes 20251103. */
int64_t first_day_of(const ga4_response *report)
{
  char text[16];
  int64_t day;
  if (report->n_rows == 0)
    return FIRST_DAY_NONE;
  if (report->rows[0]->n_dimension_values == 0)
    return FIRST_DAY_UNKNOWN;
  const char *date = report->rows[0]->dimension_values[0]->value;
  if (strlen(date) != 8)
    return FIRST_DAY_UNKNOWN;
  snprintf(text, sizeof(text), "%.4s-%.2s-%.2s", date, date + 4, date + 6);
  return clock_parse_date(text, &day) ? day : FIRST_DAY_UNKNOWN;
}
