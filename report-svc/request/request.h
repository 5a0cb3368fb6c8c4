/* From the tool's arguments to the body of properties.runReport. Thread-safe: no state. */
#ifndef AMCP_REPORT_REQUEST_H
#define AMCP_REPORT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/ga4/definition.h"

enum {
  REQUEST_DEFAULT_LIMIT = 100,
  REQUEST_MAX_LIMIT = 250000,
  REQUEST_MAX_SERVED = 10000, /* rows asked from Google for one answer */
  REQUEST_MAX_DIMENSIONS = 9,
  REQUEST_MAX_METRICS = 10,
  REQUEST_MAX_DATE_RANGES = 4,
  REQUEST_MAX_COMPARISONS = 4,
  REQUEST_PROPERTY_SIZE = 24,
  REQUEST_MAX_BATCH = 5,
  REQUEST_MAX_BODY = 256 * 1024,
};

/* The first day that Google takes. */
#define REQUEST_FIRST_DATE "2015-08-14"

/* Digits of "213025502" or "properties/213025502". ERR_INVALID_ARGUMENT names property_id. */
enum err_code request_parse_property(char out[REQUEST_PROPERTY_SIZE], const char *text,
                                     struct err *e);

/* A target: a dealer, or a property in a form Google knows. Messages name the field. */
enum err_code request_check_target(const char *dealer_id, const char *property_id, struct err *e);

/* What can be known without asking Google: a target, dimensions or metrics, counts, dates,
 * limit and offset. Messages begin with the path and go on in Google's own words (facts
 * recorded against the live service). Everything else is left to Google. */
enum err_code request_check(const Analytics__Report__V1__RunReportRequest *request, struct err *e);
/* What all requests for reports have in common. */
struct request_parts {
  const char *dealer_id, *property_id;
  char *const *dimensions;
  size_t n_dimensions;
  char *const *metrics;
  size_t n_metrics;
  Analytics__Ga4__V1beta__DateRange *const *date_ranges;
  size_t n_date_ranges;
  int64_t limit, offset;
  struct ga4_definitions definitions; /* of dimensions and metrics */
};
enum err_code request_check_parts(const struct request_parts *parts, struct err *e);
/* TOTAL, MINIMUM and MAXIMUM alone. */
enum err_code request_check_aggregations(const Analytics__Ga4__V1beta__MetricAggregation *kinds,
                                         size_t n, struct err *e);
/* Comparisons, and cohorts in place of date ranges (NULL: none). */
enum err_code request_check_slices(Analytics__Ga4__V1beta__Comparison *const *comparisons,
                                   size_t n_comparisons,
                                   const Analytics__Ga4__V1beta__CohortSpec *cohorts,
                                   size_t n_date_ranges, struct err *e);
/* Date ranges alone. */
enum err_code request_check_dates(Analytics__Ga4__V1beta__DateRange *const *ranges, size_t n,
                                  struct err *e);
/* The same for a report of FetchReports; `path` comes first in messages: "queries[0].report.". */
enum err_code request_check_report(const Analytics__Ga4__V1beta__RunReportRequest *report,
                                   const char *path, struct err *e);

/* Dimensions and metrics as Google's messages, as many as there are names: what the request defines
 * is lent, the others are names alone. They live in the arena; false at its cap. */
bool request_fields(Analytics__Ga4__V1beta__Dimension ***dimensions,
                    Analytics__Ga4__V1beta__Metric ***metrics, const struct ga4_names *names,
                    const struct ga4_definitions *d, struct arena *arena);
/* Date ranges with their default, in the arena; NULL at its cap. */
Analytics__Ga4__V1beta__DateRange **request_date_ranges(size_t *n_out,
                                                        Analytics__Ga4__V1beta__DateRange **given,
                                                        size_t n, struct arena *arena);

/* The flat request as Google's message, with defaults filled in, the order complete and the quota
 * asked for. It points into the request and lives in the arena; NULL at the arena's cap. */
Analytics__Ga4__V1beta__RunReportRequest *
request_to_ga4(const Analytics__Report__V1__RunReportRequest *request, struct arena *arena);

/* The day that a date which request_check() passed stands for: days since 1970-01-01. `today` is
 * that of the property's time zone. */
int64_t request_day(const char *date, int64_t today);

/* The time of day in a zone of Google's name, as milliseconds since 1970-01-01 there, and its day.
 * NULL or unknown: UTC. Reads a file of the system's time zones. */
int64_t request_local_ms(const char *zone, int64_t now_unix_ms);
int64_t request_today(const char *zone, int64_t now_unix_ms);
/* Milliseconds until the day ends there; at least 1. */
int64_t request_day_left_ms(const char *zone, int64_t now_unix_ms);

/* Whether a date means another day tomorrow: today, yesterday, 28daysAgo. */
bool request_date_is_relative(const char *date);

/* Whether the values of a dimension are times that sort as text: date, yearMonth, hour, ... */
bool request_is_time(const char *dimension);
/* Completes the order of the rows: as asked; without an order, time dimensions first and then the
 * first metric, largest first, as Google does; then all other dimensions. False at the arena's cap.
 */
bool request_complete_order(Analytics__Ga4__V1beta__RunReportRequest *report, struct arena *arena);

/* Gives cohorts (*spec NULL: none) the only dimension Google has for them. False at the arena's
 * cap. */
bool request_complete_cohorts(Analytics__Ga4__V1beta__CohortSpec **spec, struct arena *arena);

/* Puts the path of the argument before Google's "Field visits is not a valid metric":
 * "metrics[1]: ". Other errors stay as they are. */
void request_locate(const Analytics__Ga4__V1beta__RunReportRequest *report, struct err *e);
/* The same for a body of another method, by the fields that it shares with runReport. */
void request_locate_body(const ProtobufCMessage *body, struct err *e);

/* Whether Google's refusal is about a name that no property knows: a standard dimension or metric.
 * Names with a colon, such as customEvent:make, exist at some properties only. */
bool request_is_unknown_everywhere(const struct err *e);

/* Appends a body as Google reads it. ERR_INVALID_ARGUMENT when it is too large. */
enum err_code request_write(struct buf *out, const ProtobufCMessage *body, struct err *e);

/* The error of a body that is larger than REQUEST_MAX_BODY. */
enum err_code request_too_large(struct err *e);

/* Appends the packed body, with the days that relative date ranges stand for in the property's
 * zone: equal for two ways of asking the same, and no text. Without a zone (NULL, "") as the body
 * is. ERR_INVALID_ARGUMENT when it is too large. */
enum err_code request_put_canonical(struct buf *out, const ProtobufCMessage *body, const char *zone,
                                    int64_t now_unix_ms, struct err *e);

/* Appends the JSON body of a report with this offset and limit; the property is left out, it
 * stands in the address. */
enum err_code request_put_body(struct buf *out,
                               const Analytics__Ga4__V1beta__RunReportRequest *report,
                               int64_t offset, int64_t limit, struct err *e);

/* The same for several reports of one property, as the body of batchRunReports: at most
 * REQUEST_MAX_BATCH, each with an offset of its own. */
enum err_code request_put_batch(struct buf *out,
                                const Analytics__Ga4__V1beta__RunReportRequest *const *reports,
                                const int64_t *offsets, size_t n, int64_t limit, struct err *e);

#endif
