/* FetchReports through the whole service, between fakes: columns, paging, failing dealers,
 * room in the stream, cancel. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fakes.h"

typedef Analytics__Report__V1__FetchReportsRequest fetch_request;
typedef Analytics__Report__V1__FetchReportsResponse fetch_response;

enum { MAX_DEALERS = 64, QUERIES = 2 };

/* What arrived of one report of one dealer. */
struct report {
  uint32_t dictionary; /* its size */
  int64_t rows;
  double sum;
  bool bad; /* an index beyond the dictionary, or columns of unequal length */
  bool done;
};

struct fetch_run {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct report reports[MAX_DEALERS][QUERIES];
  int codes[MAX_DEALERS]; /* -1: no DealerDone */
  char reasons[MAX_DEALERS][40];
  char messages[MAX_DEALERS][300];
  char properties[MAX_DEALERS][24];
  int chunks, dealers_done;
  bool hold; /* take no more messages for now */
  bool ended;
  struct err status;
  struct rpc_client_call *call;
  char ids[MAX_DEALERS][16];
  char *refs[MAX_DEALERS];
  size_t n;
};

static void take_chunk(struct fetch_run *r, const Analytics__Report__V1__ColumnChunk *c)
{
  struct report *report = &r->reports[c->dealer_index][c->query_id - 7];
  r->chunks++;
  if (c->n_dimensions != 1 || c->n_metrics != 1 || c->dimensions[0]->n_indices != c->row_count ||
      c->metrics[0]->n_values != c->row_count) {
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
  report->done = d->row_count == report->rows && d->metadata != NULL &&
                 strcmp(d->dimension_headers[0]->name, "city") == 0;
}

static void take_dealer_done(struct fetch_run *r, const Analytics__Report__V1__DealerDone *d)
{
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

static void fill_report(Analytics__Ga4__V1beta__RunReportRequest *report)
{
  static char city[] = "city", sessions[] = "sessions", start[] = "28daysAgo", end[] = "yesterday";
  static Analytics__Ga4__V1beta__Dimension dimension = ANALYTICS__GA4__V1BETA__DIMENSION__INIT;
  static Analytics__Ga4__V1beta__Metric metric = ANALYTICS__GA4__V1BETA__METRIC__INIT;
  static Analytics__Ga4__V1beta__DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  static Analytics__Ga4__V1beta__Dimension *dimensions[] = {&dimension};
  static Analytics__Ga4__V1beta__Metric *metrics[] = {&metric};
  static Analytics__Ga4__V1beta__DateRange *ranges[] = {&range};
  dimension.name = city;
  metric.name = sessions;
  range.start_date = start;
  range.end_date = end;
  analytics__ga4__v1beta__run_report_request__init(report);
  report->n_dimensions = report->n_metrics = report->n_date_ranges = 1;
  report->dimensions = dimensions;
  report->metrics = metrics;
  report->date_ranges = ranges;
}

/* Starts a fetch of dealers d00.. with `queries` equal reports, ids 7 and 8. */
static void fetch_start(struct fetch_run *r, struct fakes *f, size_t dealers, size_t queries,
                        int64_t max_rows, uint32_t timeout_ms)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  static const struct rpc_metadata grant = {RPC_META_GRANT, "sealed", 6};
  fetch_request request = ANALYTICS__REPORT__V1__FETCH_REPORTS_REQUEST__INIT;
  Analytics__Ga4__V1beta__RunReportRequest report;
  Analytics__Report__V1__ReportQuery query[QUERIES], *list[QUERIES];
  struct err e = {0};
  fill_report(&report);
  for (uint32_t i = 0; i < queries; i++) {
    analytics__report__v1__report_query__init(&query[i]);
    query[i].query_id = 7 + i;
    query[i].report = &report;
    list[i] = &query[i];
  }
  for (size_t i = 0; i < dealers; i++) {
    if (r->ids[i][0] == '\0')
      snprintf(r->ids[i], sizeof(r->ids[i]), "d%02zu", i);
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
  struct rpc_client_options options = {timeout_ms, &grant, 1, NULL};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(&r->call, f->report,
                                         &analytics__report__v1__report_service__descriptor,
                                         "FetchReports", RPC_SERVER_STREAMING, &request.base,
                                         &options, &callbacks, r, &e),
                        ERR_OK);
}

static void fetch_wait(struct fetch_run *r)
{
  pthread_mutex_lock(&r->lock);
  while (!r->ended)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
  rpc_client_release(r->call);
}

static void fetch_init(struct fetch_run *r)
{
  *r = (struct fetch_run){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

static bool whole(const struct fetch_run *r, size_t dealer, size_t queries, int64_t rows)
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

static bool idle_soon(struct fakes *f)
{
  struct governor *governor = google_governor(f->service.google);
  for (int i = 0; i < 300; i++) {
    if (governor_active(governor) + governor_waiting(governor) == 0)
      return true;
    usleep(10000);
  }
  return false;
}

/* ------------------------------------------------------------------ tests */

static void all_pages_of_all_dealers_arrive_as_columns(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 7});
  LOCKED(&f, f.google.rows = 50);
  fetch_init(&r);
  fetch_start(&r, &f, 20, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  for (size_t i = 0; i < 20; i++)
    CU_ASSERT(whole(&r, i, 2, 50));
  CU_ASSERT_STRING_EQUAL(r.properties[4], "104");
  CU_ASSERT_EQUAL(f.requests, 20 * 2 * 8);
  CU_ASSERT_EQUAL(f.token_calls, f.grants_seen);
  CU_ASSERT(f.token_calls <= 40);
  fakes_stop(&f);
}

static void a_page_shorter_than_asked_is_not_the_end(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 50, .max_page_rows = 20});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(whole(&r, 0, 1, 50));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

static void an_empty_report_is_done_without_chunks(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  fetch_init(&r);
  fetch_start(&r, &f, 3, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.chunks, 0);
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT(whole(&r, i, 2, 0));
  fakes_stop(&f);
}

static void failing_dealers_are_named_and_the_others_arrive(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 30,
                 .fail_property = "103",
                 .fail_status = 403,
                 .fail_times = 1000,
                 .fail_body =
                     "{\"error\":{\"message\":\"User does not have sufficient permissions\"}}"});
  fetch_init(&r);
  snprintf(r.ids[5], sizeof(r.ids[5]), "revoked");
  fetch_start(&r, &f, 10, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_EQUAL(r.codes[3], ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(r.reasons[3], "permission_denied");
  CU_ASSERT_EQUAL(r.codes[5], ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(r.reasons[5], "invalid_grant");
  CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[5], "re-consent"));
  for (size_t i = 0; i < 10; i++)
    CU_ASSERT(i == 3 || i == 5 || whole(&r, i, 2, 30));
  fakes_stop(&f);
}

/* Truth of numbers comes first: nothing is computed from a report with such a value. */
static void a_value_that_is_no_number_fails_the_dealer_and_names_the_metric(void)
{
  static const char *const odd[] = {"\"NaN\"",       "\"Infinity\"", "\"-Infinity\"", "\"\"",
                                    "\"(not set)\"", "\"1e999\"",    "\"0x1F\"",      "\"1,234\"",
                                    "\"12 %\"",      "null",         "1e999"};
  struct fakes f;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
    struct fetch_run r;
    LOCKED(&f,
           f.google = (struct google_plan){.rows = 30, .odd_value = odd[i], .odd_property = "101"});
    fetch_init(&r);
    fetch_start(&r, &f, 3, 1, 0, 20000);
    fetch_wait(&r);
    CU_ASSERT_EQUAL(r.status.code, ERR_OK);
    CU_ASSERT_EQUAL(r.codes[1], ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(r.reasons[1], "invalid_data");
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[1], "metric sessions: Google's value \""));
    CU_ASSERT_FALSE(r.reports[1][0].done);
    CU_ASSERT(whole(&r, 0, 1, 30) && whole(&r, 2, 1, 30));
  }
  fakes_stop(&f);
}

static void a_dealer_that_is_too_slow_times_out_before_the_call_does(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 3, .delay_ms = 1500});
  fetch_init(&r);
  int64_t start = clock_mono_ms();
  fetch_start(&r, &f, 2, 1, 0, 700);
  fetch_wait(&r);
  CU_ASSERT(clock_mono_ms() - start < 1500);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "timeout");
  CU_ASSERT_STRING_EQUAL(r.reasons[1], "timeout");
  fakes_stop(&f);
}

static void a_row_count_that_disagrees_is_an_error(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google = (struct google_plan){.rows = 30, .row_count_more = 1});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.codes[0], ERR_ABORTED);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "inconsistent_paging");
  LOCKED(&f, f.google.row_count_more = -5);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "inconsistent_paging");
  fakes_stop(&f);
}

static void a_cut_page_goes_on_after_the_rows_that_arrived(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.chunk_rows = 256});
  LOCKED(&f, f.google = (struct google_plan){.rows = 5000, .cut_times = 2});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(whole(&r, 0, 1, 5000));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

static void too_many_rows_end_the_dealer(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google.rows = 50);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 2, 49, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.codes[0], ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "too_many_rows");
  fetch_init(&r);
  fetch_start(&r, &f, 1, 2, 50, 20000);
  fetch_wait(&r);
  CU_ASSERT(whole(&r, 0, 2, 50));
  fakes_stop(&f);
}

static void a_token_refused_between_pages_is_renewed(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google = (struct google_plan){.rows = 50, .token = "token-1"});
  LOCKED(&f, f.renews = true);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(whole(&r, 0, 1, 50));
  CU_ASSERT_EQUAL(f.renewals, 1);
  CU_ASSERT_EQUAL(f.requests, 6);
  fakes_stop(&f);
}

static void dealers_run_side_by_side_within_the_bound(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.fan_out = 8});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 100});
  fetch_init(&r);
  fetch_start(&r, &f, 32, 2, 0, 20000);
  fetch_wait(&r);
  for (size_t i = 0; i < 32; i++)
    CU_ASSERT(whole(&r, i, 2, 1));
  CU_ASSERT(f.worst_total <= 16);
  CU_ASSERT(f.worst_total >= 9);
  CU_ASSERT(f.worst_active <= 10);
  fakes_stop(&f);
}

static void a_slow_reader_stops_the_transfer_and_gets_everything(void)
{
  enum { ROWS = 100000 };
  struct fakes f;
  struct fetch_run r;
  /* What is tested is that nothing is lost, not how long it takes. */
  fakes_start(&f, &(struct fakes_options){.timeout_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){.rows = ROWS, .value_bytes = 60});
  fetch_init(&r);
  r.hold = true;
  fetch_start(&r, &f, 2, 1, 0, 60000);
  pthread_mutex_lock(&r.lock);
  while (r.chunks == 0)
    pthread_cond_wait(&r.changed, &r.lock);
  pthread_mutex_unlock(&r.lock);
  usleep(1000000);
  pthread_mutex_lock(&r.lock);
  CU_ASSERT_EQUAL(r.chunks, 1);
  CU_ASSERT_EQUAL(r.dealers_done, 0);
  r.hold = false;
  pthread_mutex_unlock(&r.lock);
  CU_ASSERT_EQUAL(governor_active(google_governor(f.service.google)), 2);
  rpc_client_resume(r.call);
  fetch_wait(&r);
  CU_ASSERT(whole(&r, 0, 1, ROWS));
  CU_ASSERT(whole(&r, 1, 1, ROWS));
  CU_ASSERT_EQUAL(f.requests, 2);
  fakes_stop(&f);
}

static void cancel_ends_all_transfers(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 400});
  fetch_init(&r);
  fetch_start(&r, &f, 64, 2, 0, 20000);
  usleep(100000);
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_CANCELLED);
  CU_ASSERT(idle_soon(&f));
  fakes_stop(&f);
}

static void cancel_while_tokens_are_awaited_is_clean(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.token_delay_ms = 200);
  fetch_init(&r);
  fetch_start(&r, &f, 20, 2, 0, 20000);
  usleep(100000);
  int64_t start = clock_mono_ms();
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  rpc_server_stop(f.report_server); /* waits for the handler */
  f.report_server = NULL;
  CU_ASSERT(clock_mono_ms() - start < 1500);
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

/* Transfers that wait to be tried again. */
static void cancel_during_a_backoff_is_clean(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.backoff_ms = 6000});
  LOCKED(&f,
         f.google = (struct google_plan){.fail_status = 503, .fail_times = 1000, .fail_body = ""});
  fetch_init(&r);
  fetch_start(&r, &f, 5, 2, 0, 60000);
  for (int i = 0; i < 250 && f.requests < 10; i++)
    usleep(10000);
  CU_ASSERT_EQUAL(f.requests, 10);
  CU_ASSERT(idle_soon(&f)); /* places are given back for the wait */
  int64_t start = clock_mono_ms();
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  rpc_server_stop(f.report_server);
  f.report_server = NULL;
  CU_ASSERT(clock_mono_ms() - start < 1500);
  fakes_stop(&f);
}

static void cancel_while_the_stream_is_full_ends_all_transfers(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 60000, .value_bytes = 60});
  fetch_init(&r);
  r.hold = true;
  fetch_start(&r, &f, 4, 2, 0, 20000);
  usleep(800000);
  CU_ASSERT(governor_active(google_governor(f.service.google)) > 0);
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  CU_ASSERT(idle_soon(&f));
  fakes_stop(&f);
}

static void stopping_the_server_in_the_middle_is_clean(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 4000});
  fetch_init(&r);
  fetch_start(&r, &f, 10, 2, 0, 20000);
  usleep(100000);
  int64_t start = clock_mono_ms();
  rpc_server_stop(f.report_server);
  f.report_server = NULL;
  CU_ASSERT(clock_mono_ms() - start < 3500);
  fetch_wait(&r);
  CU_ASSERT_NOT_EQUAL(r.status.code, ERR_OK);
  fakes_stop(&f);
}

static void malformed_requests_are_refused(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  fetch_init(&r);
  fetch_start(&r, &f, 0, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "dealer_refs: ", 13), 0);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 0, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "queries: ", 9), 0);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, -1, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "max_rows_per_report: ", 21), 0);
  fakes_stop(&f);
}

TEST_MAIN("report-svc FetchReports", TEST(all_pages_of_all_dealers_arrive_as_columns),
          TEST(a_page_shorter_than_asked_is_not_the_end),
          TEST(an_empty_report_is_done_without_chunks),
          TEST(failing_dealers_are_named_and_the_others_arrive),
          TEST(a_value_that_is_no_number_fails_the_dealer_and_names_the_metric),
          TEST(a_dealer_that_is_too_slow_times_out_before_the_call_does),
          TEST(a_row_count_that_disagrees_is_an_error),
          TEST(a_cut_page_goes_on_after_the_rows_that_arrived), TEST(too_many_rows_end_the_dealer),
          TEST(a_token_refused_between_pages_is_renewed),
          TEST(dealers_run_side_by_side_within_the_bound),
          TEST(a_slow_reader_stops_the_transfer_and_gets_everything),
          TEST(cancel_ends_all_transfers), TEST(cancel_while_tokens_are_awaited_is_clean),
          TEST(cancel_during_a_backoff_is_clean),
          TEST(cancel_while_the_stream_is_full_ends_all_transfers),
          TEST(stopping_the_server_in_the_middle_is_clean), TEST(malformed_requests_are_refused))
