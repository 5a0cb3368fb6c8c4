/* Starts FetchReports and collects its stream. */
#include "tests/unit/report/support/fetch_run.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

typedef Analytics__Report__V1__FetchReportsRequest fetch_request;
typedef Analytics__Report__V1__FetchReportsResponse fetch_response;

static void take_chunk(struct fetch_run *r, const Analytics__Report__V1__ColumnChunk *c)
{
  struct report *report = &r->reports[c->dealer_index][c->query_id - 7];
  r->chunks++;
  if (c->n_dimensions != (r->ranges > 1 ? 2 : 1) || c->n_metrics != 1 ||
      c->dimensions[0]->n_indices != c->row_count || c->metrics[0]->n_values != c->row_count) {
    report->bad = true;
    return;
  }
  report->dictionary += (uint32_t)c->dimensions[0]->n_dictionary;
  for (uint32_t i = 0; i < c->row_count; i++) {
    report->bad |= c->dimensions[0]->indices[i] >= report->dictionary;
    report->sum += c->metrics[0]->values[i];
  }
  report->rows += c->row_count;
}

static void take_query_done(struct fetch_run *r, const Analytics__Report__V1__QueryDone *d)
{
  struct report *report = &r->reports[d->dealer_index][d->query_id - 7];
  if (d->rows != NULL)
    take_chunk(r, d->rows);
  report->done = d->row_count == report->rows && d->metadata != NULL &&
                 strcmp(d->dimension_headers[0]->name, "city") == 0;
}

static void take_dealer_done(struct fetch_run *r, const Analytics__Report__V1__DealerDone *d)
{
  for (size_t i = 0; i < d->n_queries; i++)
    take_query_done(r, d->queries[i]);
  r->codes[d->dealer_index] = d->code;
  snprintf(r->reasons[d->dealer_index], sizeof(r->reasons[0]), "%s", d->reason);
  snprintf(r->messages[d->dealer_index], sizeof(r->messages[0]), "%s", d->message);
  snprintf(r->properties[d->dealer_index], sizeof(r->properties[0]), "%s", d->property_id);
  r->dealers_done++;
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct fetch_run *r = user;
  const fetch_response *m = (const void *)message;
  pthread_mutex_lock(&r->lock);
  r->received++;
  if (m->event_case == ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_CHUNK)
    take_chunk(r, m->chunk);
  else if (m->event_case == ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_QUERY_DONE)
    take_query_done(r, m->query_done);
  else if (m->event_case == ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE)
    take_dealer_done(r, m->dealer_done);
  bool go = !r->hold;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
  return go;
}

static void on_done(void *user, const struct err *status)
{
  struct fetch_run *r = user;
  pthread_mutex_lock(&r->lock);
  r->status = *status;
  r->ended = true;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

/* Report i is in another currency than the others, which Google's fake does not mind. */
static void fill_report(Analytics__Ga4__V1beta__RunReportRequest *report, const struct fetch_run *r,
                        uint32_t i)
{
  static char currencies[][4] = {"USD", "CAD", "EUR", "GBP", "MXN"};
  static char city[] = "city", sessions[] = "sessions", start[] = "28daysAgo", end[] = "yesterday";
  static Analytics__Ga4__V1beta__Dimension dimension = ANALYTICS__GA4__V1BETA__DIMENSION__INIT;
  static Analytics__Ga4__V1beta__Metric metric = ANALYTICS__GA4__V1BETA__METRIC__INIT;
  static Analytics__Ga4__V1beta__DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  static Analytics__Ga4__V1beta__Dimension *dimensions[] = {&dimension};
  static Analytics__Ga4__V1beta__Metric *metrics[] = {&metric};
  static Analytics__Ga4__V1beta__DateRange *ranges[] = {&range, &range, &range, &range};
  dimension.name = city;
  metric.name = sessions;
  range.start_date = r->start != NULL ? (char *)(uintptr_t)r->start : start;
  range.end_date = r->end != NULL ? (char *)(uintptr_t)r->end : end;
  analytics__ga4__v1beta__run_report_request__init(report);
  report->n_dimensions = report->n_metrics = report->n_date_ranges = 1;
  report->dimensions = dimensions;
  report->metrics = metrics;
  report->date_ranges = ranges;
  report->n_date_ranges = r->ranges == 0 ? 1 : r->ranges;
  report->currency_code = currencies[i];
}

void fetch_start(struct fetch_run *r, struct fakes *f, size_t dealers, size_t queries,
                 int64_t max_rows, uint32_t timeout_ms)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  static const struct rpc_metadata grant = {RPC_META_GRANT, "sealed", 6};
  fetch_request request = ANALYTICS__REPORT__V1__FETCH_REPORTS_REQUEST__INIT;
  Analytics__Ga4__V1beta__RunReportRequest reports[QUERIES];
  Analytics__Report__V1__ReportQuery query[QUERIES], *list[QUERIES];
  struct err e = {0};
  for (uint32_t i = 0; i < queries; i++) {
    analytics__report__v1__report_query__init(&query[i]);
    query[i].query_id = 7 + i;
    fill_report(&reports[i], r, i);
    query[i].report = &reports[i];
    list[i] = &query[i];
  }
  for (size_t i = 0; i < dealers; i++) {
    if (r->ids[i][0] == '\0')
      snprintf(r->ids[i], sizeof(r->ids[i]), "d%02u", (unsigned)i % MAX_DEALERS);
    r->refs[i] = r->ids[i];
    r->codes[i] = -1;
  }
  r->n = dealers;
  request.n_dealer_refs = dealers;
  request.dealer_refs = r->refs;
  request.n_queries = queries;
  request.queries = list;
  request.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  request.max_rows_per_report = max_rows;
  request.batch = r->batch;
  request.gather = !r->apart;
  request.add_properties = r->add_properties;
  struct rpc_client_options options = {
      .timeout_ms = timeout_ms, .metadata = &grant, .n_metadata = 1};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(&r->call, f->report,
                                         &analytics__report__v1__report_service__descriptor,
                                         "FetchReports", RPC_SERVER_STREAMING, &request.base,
                                         &options, &callbacks, r, &e),
                        ERR_OK);
}

void fetch_wait(struct fetch_run *r)
{
  pthread_mutex_lock(&r->lock);
  while (!r->ended)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
  rpc_client_release(r->call);
}

void fetch_init(struct fetch_run *r)
{
  *r = (struct fetch_run){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

bool fetch_whole(const struct fetch_run *r, size_t dealer, size_t queries, int64_t rows)
{
  bool ok = r->codes[dealer] == 0;
  for (size_t q = 0; q < queries; q++) {
    const struct report *report = &r->reports[dealer][q];
    double sum = (double)rows * (double)(rows - 1) / 2;
    ok = ok && report->done && !report->bad && report->rows == rows &&
         report->dictionary == (uint32_t)rows && report->sum == sum;
  }
  if (!ok)
    printf("\n    dealer %zu: code %d %s %s, %lld rows\n", dealer, r->codes[dealer],
           r->reasons[dealer], r->messages[dealer], (long long)r->reports[dealer][0].rows);
  return ok;
}

bool fetch_idle_soon(struct fakes *f)
{
  struct governor *governor = google_governor(f->service.google);
  for (int i = 0; i < 300; i++) {
    if (governor_active(governor) + governor_waiting(governor) == 0)
      return true;
    usleep(10000);
  }
  return false;
}
