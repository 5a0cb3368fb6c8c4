/* What came beside the rows of an answer. */
#include "report-svc/ask/report.h"

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "report-svc/google/field.h"

typedef Analytics__Ga4__V1beta__RunReportResponse ga4_report;

void report_shape_add(struct report_shape *shape, const struct rows_row *row)
{
  shape->rows++;
  shape->n_dimensions = row->n_dimensions;
  shape->n_metrics = row->n_metrics;
}

static enum err_code check_headers(const ga4_report *report, const struct report_shape *shape,
                                   struct err *e)
{
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
                          struct rows_decoder *decoder, const struct report_shape *shapes,
                          struct arena *arena, struct err *e)
{
  size_t len;
  if (rows_decoder_finish(decoder, e) != ERR_OK)
    return e->code;
  const char *text = rows_decoder_rest(decoder, &len);
  if (google_method_read(out, m, text, len, arena, e) != ERR_OK)
    return e->code;
  if (m->rows == GOOGLE_ROWS)
    return check_headers((const ga4_report *)*out, &shapes[0], e);
  struct ga4_list reports = ga4_list(*out, "reports");
  for (size_t i = 0; i < reports.n; i++) {
    if (check_headers((const ga4_report *)reports.items[i], &shapes[i], e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}
