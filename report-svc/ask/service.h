/* What the handlers of ReportService share. */
#ifndef AMCP_REPORT_SERVICE_H
#define AMCP_REPORT_SERVICE_H

#include "analytics/report/v1/report.pb-c.h"
#include "common/rpc/rpc.h"
#include "report-svc/ask/cache.h"
#include "report-svc/google/google.h"

struct service {
  struct google *google;
  struct cache *cache;
  int64_t page_rows;       /* rows asked for per page of FetchReports, at most 250,000 */
  size_t max_answer_bytes; /* packed answer of RunReport; 0 means 4 MiB */
  size_t fan_out;          /* dealers at once per FetchReports; 0 means 64 */
  size_t chunk_rows;       /* rows per ColumnChunk; 0 means 4,096 */
  struct metric *rows;     /* decoded */
};

/* Registers what the handlers count. */
void report_service_init(struct service *s);

/* Adds ReportService to a server; the service must outlive it. */
enum err_code report_service_register(struct rpc_server *server, struct service *s, struct err *e);

/* The handlers; all of them return at once and answer later. */
rpc_handler run_report_handle;
rpc_handler fetch_reports_handle;
rpc_handler account_summaries_handle;

/* Address of a property's runReport, and the governor's key. */
void report_service_target(struct google_target *out, const struct service *s,
                           const char *property);
/* The end of a 2xx runReport answer: nothing is missing, the rest is well-formed, and the
 * headers fit the rows. The message lives in the arena, its `rows` are empty. */
struct rows_decoder;
enum err_code report_service_read_rest(Analytics__Ga4__V1beta__RunReportResponse **out,
                                       struct rows_decoder *decoder, size_t n_dimensions,
                                       size_t n_metrics, struct arena *arena, struct err *e);

#endif
