/* Registration, and what RunReport and FetchReports have in common. */
#include "report-svc/ask/service.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/pbjson/pbjson.h"
#include "report-svc/rows/decoder.h"

static const struct rpc_method methods[] = {
    {"RunReport", RPC_UNARY, RPC_ON_POLLER, run_report_handle},
    {"GetAccountSummaries", RPC_UNARY, RPC_ON_POLLER, account_summaries_handle},
    {"FetchReports", RPC_SERVER_STREAMING, RPC_ON_POLLER, fetch_reports_handle},
};

void report_service_init(struct service *s)
{
  s->rows = metrics_counter("report_rows_total", "Rows decoded from Google's answers.", NULL);
}

enum err_code report_service_register(struct rpc_server *server, struct service *s, struct err *e)
{
  return rpc_server_add(server, &analytics__report__v1__report_service__descriptor, methods,
                        ARRAY_LEN(methods), s, e);
}

void report_service_target(struct google_target *out, const struct service *s, const char *property)
{
  const struct google_options *o = google_options(s->google);
  out->url =
      xasprintf("%s/v1beta/properties/%s:runReport?prettyPrint=false", o->data_endpoint, property);
  snprintf(out->key, sizeof(out->key), "properties/%s", property);
}

enum err_code report_service_read_rest(Analytics__Ga4__V1beta__RunReportResponse **out,
                                       struct rows_decoder *decoder, size_t n_dimensions,
                                       size_t n_metrics, struct arena *arena, struct err *e)
{
  static const struct pbjson_read_options lenient = {.ignore_unknown = true};
  size_t len;
  ProtobufCMessage *message;
  if (rows_decoder_finish(decoder, e) != ERR_OK)
    return e->code;
  const char *text = rows_decoder_rest(decoder, &len);
  struct err detail = {0};
  if (pbjson_read_text(&message, &analytics__ga4__v1beta__run_report_response__descriptor, text,
                       len, arena, &lenient, &detail) != ERR_OK)
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google's answer is not a valid report: %s", detail.message);
  *out = (Analytics__Ga4__V1beta__RunReportResponse *)message;
  if (rows_decoder_count(decoder) > 0 &&
      ((*out)->n_dimension_headers != n_dimensions || (*out)->n_metric_headers != n_metrics))
    return err_set(
        e, ERR_INTERNAL, "malformed_response",
        "Google's answer names %zu dimensions and %zu metrics, but its rows have %zu and "
        "%zu",
        (*out)->n_dimension_headers, (*out)->n_metric_headers, n_dimensions, n_metrics);
  return ERR_OK;
}
