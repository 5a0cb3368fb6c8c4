/* What came beside the rows of an answer, held against what was asked. */
#include "report-svc/ask/report.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/google/field.h"
#include "report-svc/request/request.h"

typedef Analytics__Ga4__V1beta__RunReportResponse ga4_report;
typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__Metric ga4_metric;

/* Google answers a deprecated name under the new one (its metadata's deprecatedApiNames). */
static const struct {
  const char *old_name, *new_name;
} renamed[] = {
    {"conversions", "keyEvents"},
    {"dayOfWeekZero", "dayOfWeek"},
    {"sessionConversionRate", "sessionKeyEventRate"},
    {"sessionDefaultChannelGrouping", "sessionDefaultChannelGroup"},
    {"userConversionRate", "userKeyEventRate"},
};

void report_shape_add(struct report_shape *shape, const struct rows_row *row)
{
  shape->rows++;
  shape->n_dimensions = row->n_dimensions;
  shape->n_metrics = row->n_metrics;
}

/* "conversions:form_submit" is renamed like "conversions". */
static bool is_renamed(const char *asked, const char *answered)
{
  for (size_t i = 0; i < ARRAY_LEN(renamed); i++) {
    size_t len = strlen(renamed[i].old_name), new_len = strlen(renamed[i].new_name);
    if (strncmp(asked, renamed[i].old_name, len) == 0 &&
        strncmp(answered, renamed[i].new_name, new_len) == 0 &&
        (asked[len] == '\0' || asked[len] == ':') && strcmp(asked + len, answered + new_len) == 0)
      return true;
  }
  return false;
}

static bool fits(const char *asked, const char *answered)
{
  return strcmp(asked, answered) == 0 || is_renamed(asked, answered);
}

static enum err_code other_header(const char *kind, size_t i, const char *asked,
                                  const char *answered, struct err *e)
{
  return err_set(e, ERR_INTERNAL, "malformed_response",
                 "Google's answer names %s %zu \"%.80s\" where %.80s was asked; nothing may be "
                 "computed from it, try again",
                 kind, i + 1, answered, asked);
}

static enum err_code other_number(const char *kind, size_t asked, size_t answered, struct err *e)
{
  return err_set(e, ERR_INTERNAL, "malformed_response",
                 "Google's answer has %zu %s where %zu were asked; try again", answered, kind,
                 asked);
}

/* Google adds dateRange and comparison behind the dimensions when there are several of them. */
static enum err_code check_dimensions(const ga4_report *report, const ga4_request *asked,
                                      struct err *e)
{
  size_t n = asked->n_dimensions;
  bool ranges = asked->n_date_ranges > 1, comparisons = asked->n_comparisons > 0;
  if (report->n_dimension_headers != n + ranges + comparisons)
    return other_number("dimensions", n + ranges + comparisons, report->n_dimension_headers, e);
  for (size_t i = 0; i < report->n_dimension_headers; i++) {
    const char *name = report->dimension_headers[i]->name;
    bool added = i >= n && ((ranges && strcmp(name, "dateRange") == 0) ||
                            (comparisons && strcmp(name, "comparison") == 0));
    if (!added && (i >= n || !fits(asked->dimensions[i]->name, name)))
      return other_header("dimension", i, i < n ? asked->dimensions[i]->name : "dateRange", name,
                          e);
  }
  return ERR_OK;
}

/* Names of the metrics that an answer has: those that are not invisible. `metrics` are Google's
 * Metric messages. */
static size_t visible_names(const char *names[REQUEST_MAX_METRICS], struct ga4_list metrics)
{
  size_t n = 0;
  for (size_t i = 0; i < metrics.n && n < REQUEST_MAX_METRICS; i++) {
    const ga4_metric *m = (const ga4_metric *)metrics.items[i];
    if (!m->invisible)
      names[n++] = m->name;
  }
  return n;
}

static enum err_code check_metrics(struct ga4_list headers, struct ga4_list asked, struct err *e)
{
  const char *names[REQUEST_MAX_METRICS];
  size_t n = visible_names(names, asked);
  if (headers.n != n)
    return other_number("metrics", n, headers.n, e);
  for (size_t i = 0; i < n; i++) {
    const char *answered = ga4_text(headers.items[i], "name");
    if (!fits(names[i], answered))
      return other_header("metric", i, names[i], answered, e);
  }
  return ERR_OK;
}

/* The headers are the only sign that an answer answers the question: without rows, too. */
static enum err_code check_headers(const ga4_report *report, const ga4_request *asked,
                                   const struct report_shape *shape, struct err *e)
{
  if (report->n_dimension_headers + report->n_metric_headers == 0)
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google answered without an error, but its answer is not a report: it has no "
                   "headers; try again");
  if (check_dimensions(report, asked, e) != ERR_OK ||
      check_metrics(ga4_list(&report->base, "metric_headers"), ga4_list(&asked->base, "metrics"),
                    e) != ERR_OK)
    return e->code;
  if (shape->rows == 0 || (report->n_dimension_headers == shape->n_dimensions &&
                           report->n_metric_headers == shape->n_metrics))
    return ERR_OK;
  return err_set(e, ERR_INTERNAL, "malformed_response",
                 "Google's answer names %zu dimensions and %zu metrics, but its rows have %zu and "
                 "%zu",
                 report->n_dimension_headers, report->n_metric_headers, shape->n_dimensions,
                 shape->n_metrics);
}

enum err_code report_read(ProtobufCMessage **out, const struct google_method *m,
                          struct rows_decoder *decoder, const ga4_request *const *asked, size_t n,
                          const struct report_shape *shapes, struct arena *arena, struct err *e)
{
  size_t len;
  if (rows_decoder_finish(decoder, e) != ERR_OK)
    return e->code;
  const char *text = rows_decoder_rest(decoder, &len);
  if (google_method_read(out, m, text, len, arena, e) != ERR_OK)
    return e->code;
  struct ga4_list reports = {out, 1};
  if (m->rows == GOOGLE_ROWS_OF_REPORTS)
    reports = ga4_list(*out, "reports");
  if (reports.n != n)
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google answered without an error, but with %zu reports where %zu were asked; "
                   "try again",
                   reports.n, n);
  for (size_t i = 0; i < n; i++) {
    if (check_headers((const ga4_report *)reports.items[i], asked[i], &shapes[i], e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}

static bool has_header(struct ga4_list headers, const char *asked)
{
  for (size_t i = 0; i < headers.n; i++)
    if (fits(asked, ga4_text(headers.items[i], "name")))
      return true;
  return false;
}

enum err_code report_check_message(const ProtobufCMessage *body, const ProtobufCMessage *message,
                                   struct err *e)
{
  struct ga4_list dimensions = ga4_list(body, "dimensions");
  struct ga4_list dimension_headers = ga4_list(message, "dimension_headers");
  if (check_metrics(ga4_list(message, "metric_headers"), ga4_list(body, "metrics"), e) != ERR_OK)
    return e->code;
  if (dimension_headers.n < dimensions.n)
    return other_number("dimensions", dimensions.n, dimension_headers.n, e);
  for (size_t i = 0; i < dimensions.n; i++) {
    const char *asked = ga4_text(dimensions.items[i], "name");
    if (!has_header(dimension_headers, asked))
      return other_header("dimension", i, asked, ga4_text(dimension_headers.items[i], "name"), e);
  }
  return ERR_OK;
}
