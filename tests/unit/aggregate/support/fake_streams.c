/* FetchReports of report-svc's stand-in. */
#include <CUnit/CUnit.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "tests/unit/aggregate/support/fakes.h"

typedef Analytics__Report__V1__FetchReportsRequest FetchRequest;
typedef Analytics__Report__V1__FetchReportsResponse FetchResponse;

/* One dealer of a stream. */
struct sender {
  const struct fake_dealer *dealer;
  size_t query, row; /* next */
  bool done;
  /* What is gathered, where the caller asks for it and chance says so; in the call's arena. */
  Analytics__Report__V1__ColumnChunk *rows;
  Analytics__Report__V1__QueryDone *ends[5];
  size_t n_ends;
};

/* One stream. */
struct stream {
  struct fake_world *world;
  struct rpc_call *call;
  const FetchRequest *request;
  struct sender senders[FAKE_DEALERS];
  unsigned seed;
};

/* A comparison asks more reports than any other question of the tests but those about vehicles. */
static bool is_comparison(const FetchRequest *r)
{
  return r->n_queries > 2;
}

static bool is_compare(const struct stream *s)
{
  return is_comparison(s->request);
}

/* A comparison's figures come by day: in quarters, half of them in the period before, a third in
 * the days before that. */
enum { FAKE_DAYS = 4, LOOK_BACK_QUERY = 4 };

static size_t ranges(const struct stream *s, const struct sender *x)
{
  return s->request->queries[x->query]->report->n_date_ranges;
}

static const char *dimension(const struct stream *s, const struct sender *x, size_t k)
{
  const Analytics__Ga4__V1beta__RunReportRequest *r = s->request->queries[x->query]->report;
  return k < r->n_dimensions ? r->dimensions[k]->name : "dateRange";
}

static bool has_dimension(const struct stream *s, const struct sender *x, const char *name)
{
  for (size_t k = 0; k < s->request->queries[x->query]->report->n_dimensions; k++)
    if (strcmp(dimension(s, x, k), name) == 0)
      return true;
  return false;
}

/* Rows of one total: a day each, or the whole. */
static size_t parts(const struct stream *s, const struct sender *x)
{
  return has_dimension(s, x, "date") ? FAKE_DAYS + ranges(s, x) - 1 : 1;
}

static int64_t part_of(const struct stream *s, const struct sender *x, int64_t total, size_t part)
{
  if (parts(s, x) == 1)
    return total;
  return part > FAKE_DAYS        ? total / 3
         : part == FAKE_DAYS     ? total / 2
         : part == FAKE_DAYS - 1 ? total - (FAKE_DAYS - 1) * (total / FAKE_DAYS)
                                 : total / FAKE_DAYS;
}

/* The events of a dealer that occurred, as row numbers. */
static size_t event_rows(const struct fake_dealer *d, size_t rows[FAKE_EVENTS])
{
  size_t n = 0;
  for (size_t i = 0; i < FAKE_EVENTS; i++)
    if (d->events[i] > 0)
      rows[n++] = i;
  return n;
}

/* Whether a report has one of the dimensions that tell a vehicle. */
static bool asks_for(const FetchRequest *r, const char *name)
{
  for (size_t i = 0; i < r->n_queries; i++)
    for (size_t k = 0; k < r->queries[i]->report->n_dimensions; k++)
      if (strcmp(r->queries[i]->report->dimensions[k]->name, name) == 0)
        return true;
  return false;
}

static bool asks_for_fields(const FetchRequest *r)
{
  return asks_for(r, "customEvent:item_model");
}

static bool is_about_vehicles(const FetchRequest *r)
{
  return asks_for_fields(r) || asks_for(r, "pageTitle");
}

/* The look-back has one row more: pages of vehicles. */
static bool is_look_back(const struct stream *s, const struct sender *x)
{
  return s->request->queries[x->query]->query_id == LOOK_BACK_QUERY;
}

static size_t row_count(const struct stream *s, const struct sender *x)
{
  size_t rows[FAKE_EVENTS];
  if (is_about_vehicles(s->request) || x->query == s->request->n_queries)
    return 0;
  if (!is_compare(s))
    return x->dealer->rows;
  size_t totals = has_dimension(s, x, "eventName")
                      ? event_rows(x->dealer, rows) + is_look_back(s, x)
                      : x->dealer->sessions > 0;
  return totals * parts(s, x);
}

static void send(struct stream *s, FetchResponse *r)
{
  rpc_call_send_wait(s->call, &r->base);
}

/* Whether the next thing is left to one that is sent later. */
static bool gathers(struct stream *s)
{
  return s->request->gather && rand_r(&s->seed) % 2 == 0;
}

static void *copy_of(struct stream *s, const ProtobufCMessage *message)
{
  ProtobufCAllocator allocator = pbjson_arena_allocator(rpc_call_arena(s->call));
  size_t len = protobuf_c_message_get_packed_size(message);
  AUTO_FREE uint8_t *bytes = xmalloc(len + 1);
  protobuf_c_message_pack(message, bytes);
  void *copy = protobuf_c_message_unpack(message->descriptor, &allocator, len, bytes);
  CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
  return copy;
}

static double odd_value(size_t i)
{
  static const double odd[] = {0,  -0.0, 1,       DBL_MIN,  9007199254740992.0, DBL_MAX, -DBL_MAX,
                               -1, 0.5,  DBL_MAX, INFINITY, -INFINITY,          NAN};
  return odd[i * 7919 % ARRAY_LEN(odd)];
}

static double cell(const struct stream *s, const struct sender *x, size_t row, size_t metric)
{
  size_t rows[FAKE_EVENTS];
  if (x->dealer->mode == FAKE_NO_NUMBER)
    return NAN;
  if (x->dealer->mode == FAKE_HUGE)
    return DBL_MAX;
  if (x->dealer->mode == FAKE_ODD)
    return odd_value((size_t)x->dealer->sessions + row + metric);
  if (!is_compare(s))
    return fake_value(x->dealer, row, metric);
  int64_t total = metric == 0 ? x->dealer->sessions : x->dealer->engaged;
  if (has_dimension(s, x, "eventName")) {
    size_t event = row / parts(s, x);
    total = event < event_rows(x->dealer, rows) ? x->dealer->events[rows[event]] : 1;
  } else if (s->request->queries[x->query]->report->dimension_filter != NULL) {
    total = fake_shoppers(x->dealer);
  }
  return (double)part_of(s, x, total, row % parts(s, x));
}

static void cell_name(const struct stream *s, const struct sender *x, size_t row, size_t k,
                      char *out, size_t size)
{
  size_t rows[FAKE_EVENTS];
  if (!is_compare(s)) {
    fake_row_name(x->dealer, row, out, size);
    return;
  }
  size_t part = row % parts(s, x), event = row / parts(s, x);
  size_t events = event_rows(x->dealer, rows);
  if (strcmp(dimension(s, x, k), "eventName") == 0)
    snprintf(out, size, "%s", event < events ? fake_event_names[rows[event]] : "asc_item_pageview");
  else if (strcmp(dimension(s, x, k), "date") == 0)
    snprintf(out, size, "2026%s%02zu",
             part < FAKE_DAYS    ? "10"
             : part == FAKE_DAYS ? "09"
                                 : "08",
             part + 1);
  else
    snprintf(out, size, "date_range_%zu", part < FAKE_DAYS ? 0 : part - FAKE_DAYS + 1);
}

/* Rows row .. row + n - 1; every row has a new value in each dimension. */
static void send_chunk(struct stream *s, struct sender *x, size_t n)
{
  const Analytics__Ga4__V1beta__RunReportRequest *report = s->request->queries[x->query]->report;
  Analytics__Report__V1__ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  Analytics__Report__V1__DimensionColumn dims[3], *dim_list[3] = {&dims[0], &dims[1], &dims[2]};
  Analytics__Report__V1__MetricColumn metrics[10], *metric_list[10];
  char names[3][8][64], *dictionary[3][8];
  size_t n_dimensions = report->n_dimensions + (ranges(s, x) > 1);
  uint32_t indices[8];
  double values[10][8];
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n_dimensions; k++) {
      cell_name(s, x, x->row + i, k, names[k][i], sizeof(names[k][i]));
      dictionary[k][i] = names[k][i];
    }
    indices[i] = (uint32_t)(x->row + i);
  }
  for (size_t k = 0; k < n_dimensions; k++) {
    analytics__report__v1__dimension_column__init(&dims[k]);
    dims[k].dictionary = dictionary[k];
    dims[k].indices = indices;
    dims[k].n_dictionary = dims[k].n_indices = n;
  }
  for (size_t k = 0; k < report->n_metrics; k++) {
    metric_list[k] = &metrics[k];
    analytics__report__v1__metric_column__init(&metrics[k]);
    for (size_t i = 0; i < n; i++)
      values[k][i] = cell(s, x, x->row + i, k);
    metrics[k].values = values[k];
    metrics[k].n_values = n;
  }
  c.dealer_index = (uint32_t)(x - s->senders);
  c.query_id = s->request->queries[x->query]->query_id;
  c.row_count = (uint32_t)n;
  c.n_dimensions = n_dimensions;
  c.dimensions = dim_list;
  c.n_metrics = report->n_metrics;
  c.metrics = metric_list;
  FetchResponse r = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  r.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_CHUNK;
  r.chunk = &c;
  x->row += n;
  if (x->row == row_count(s, x) && gathers(s))
    x->rows = copy_of(s, &c.base);
  else
    send(s, &r);
}

static void send_query_done(struct stream *s, struct sender *x)
{
  Analytics__Report__V1__QueryDone q = ANALYTICS__REPORT__V1__QUERY_DONE__INIT;
  Analytics__Ga4__V1beta__ResponseMetaData meta = ANALYTICS__GA4__V1BETA__RESPONSE_META_DATA__INIT;
  meta.time_zone = (char *)x->dealer->zone;
  meta.currency_code = (char *)"USD";
  q.dealer_index = (uint32_t)(x - s->senders);
  q.query_id = s->request->queries[x->query]->query_id;
  q.row_count = (int64_t)row_count(s, x) + (x->dealer->mode == FAKE_LOSES_A_ROW);
  q.metadata = &meta;
  FetchResponse r = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  r.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_QUERY_DONE;
  r.query_done = &q;
  q.rows = TAKE_PTR(x->rows);
  if (gathers(s))
    x->ends[x->n_ends++] = copy_of(s, &q.base);
  else
    send(s, &r);
  x->query++;
  x->row = 0;
}

static void fail_dealer(Analytics__Report__V1__DealerDone *d, enum fake_mode mode)
{
  bool old_grant = mode == FAKE_OLD_GRANT;
  if (mode == FAKE_GIVEN_UP) {
    d->code = ERR_CANCELLED;
    d->reason = (char *)"cancelled";
    d->message = (char *)"the request was cancelled";
    return;
  }
  d->code = old_grant ? ERR_UNAUTHENTICATED : ERR_FAILED_PRECONDITION;
  d->reason = (char *)(old_grant ? "bad_grant" : "invalid_grant");
  d->message = (char *)(old_grant ? "sealed with a key that is gone"
                                  : "the dealer must consent "
                                    "again");
}

static void send_dealer_done(struct stream *s, struct sender *x, bool failed)
{
  Analytics__Report__V1__DealerDone d = ANALYTICS__REPORT__V1__DEALER_DONE__INIT;
  d.dealer_index = (uint32_t)(x - s->senders);
  if (failed)
    fail_dealer(&d, x->dealer->mode);
  else {
    d.queries = x->ends;
    d.n_queries = x->n_ends;
  }
  FetchResponse r = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  r.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE;
  r.dealer_done = &d;
  send(s, &r);
  x->done = true;
}

static void step(struct stream *s, struct sender *x)
{
  size_t left = row_count(s, x) - x->row;
  enum fake_mode mode = x->dealer->mode;
  if (mode == FAKE_FAILS || mode == FAKE_GIVEN_UP)
    send_dealer_done(s, x, true);
  else if ((mode == FAKE_FAILS_LATE || mode == FAKE_OLD_GRANT || mode == FAKE_HANGS ||
            mode == FAKE_FORGOTTEN) &&
           x->query + 1 == s->request->n_queries && left == 0) {
    if (mode == FAKE_FAILS_LATE || mode == FAKE_OLD_GRANT)
      send_dealer_done(s, x, true);
    x->done = true;
  } else if (x->query == s->request->n_queries)
    send_dealer_done(s, x, false);
  else if (left == 0)
    send_query_done(s, x);
  else
    send_chunk(s, x, 1 + (size_t)rand_r(&s->seed) % (left < 8 ? left : 8));
}

static void stream_cancelled(void *arg)
{
  struct stream *s = arg;
  struct err e = {0};
  err_set(&e, ERR_CANCELLED, "cancelled", "cancelled");
  pthread_mutex_lock(&s->world->lock);
  s->world->fetch_cancelled++;
  pthread_mutex_unlock(&s->world->lock);
  rpc_call_finish(s->call, &e);
  free(s);
}

static void note_call(struct fake_world *w, struct rpc_call *call, const FetchRequest *r)
{
  size_t len = 0;
  const char *grant = rpc_call_metadata(call, RPC_META_GRANT, &len);
  pthread_mutex_lock(&w->lock);
  w->fetch_calls++;
  w->dealers_asked += r->n_dealer_refs;
  if (r->n_dealer_refs > w->most_dealers_in_a_stream)
    w->most_dealers_in_a_stream = r->n_dealer_refs;
  w->grants_benchmark |=
      len == sizeof(FAKE_BENCHMARK_GRANT) && memcmp(grant, FAKE_BENCHMARK_GRANT, len) == 0;
  w->grants_caller |=
      len == sizeof(FAKE_CALLER_GRANT) && memcmp(grant, FAKE_CALLER_GRANT, len) == 0;
  w->purpose_benchmark |= r->purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  w->purpose_direct |= r->purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  w->max_rows_per_report = r->max_rows_per_report;
  if (is_about_vehicles(r))
    *(asks_for_fields(r) ? &w->asked_by_fields : &w->asked_by_paths) += r->n_dealer_refs;
  w->queries = r->n_queries;
  w->batch = r->batch;
  for (size_t i = 0; i < r->n_queries; i++)
    if (r->queries[i]->query_id == LOOK_BACK_QUERY && is_comparison(r)) {
      const Analytics__Ga4__V1beta__DateRange *range = r->queries[i]->report->date_ranges[0];
      snprintf(w->look_back[0], sizeof(w->look_back[0]), "%s", range->start_date);
      snprintf(w->look_back[1], sizeof(w->look_back[1]), "%s", range->end_date);
    }
  pthread_mutex_unlock(&w->lock);
}

static bool take_break(struct fake_world *w)
{
  pthread_mutex_lock(&w->lock);
  bool breaks = w->break_streams > 0;
  w->break_streams -= breaks;
  pthread_mutex_unlock(&w->lock);
  return breaks;
}

/* Sends until all are done, or max messages went. */
static void send_all(struct stream *s, size_t max)
{
  size_t n = s->request->n_dealer_refs;
  for (size_t sent = 0; sent < max;) {
    size_t open = 0;
    for (size_t i = 0; i < n; i++)
      open += !s->senders[i].done;
    if (open == 0)
      return;
    struct sender *x = &s->senders[(size_t)rand_r(&s->seed) % n];
    if (x->done)
      continue;
    step(s, x);
    sent++;
  }
}

void fake_fetch_reports(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const FetchRequest *r = (const FetchRequest *)message;
  note_call(w, call, r);
  if (w->fetch_error.code != ERR_OK) {
    rpc_call_finish(call, &w->fetch_error);
    return;
  }
  struct stream *s = xcalloc(1, sizeof(*s));
  s->world = w;
  s->call = call;
  s->request = r;
  s->seed = w->seed + (unsigned)r->n_dealer_refs;
  bool hangs = false;
  for (size_t i = 0; i < r->n_dealer_refs; i++) {
    s->senders[i].dealer = fake_find(w, r->dealer_refs[i]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->senders[i].dealer);
    hangs |= s->senders[i].dealer->mode == FAKE_HANGS;
  }
  bool breaks = take_break(w);
  send_all(s, breaks ? 2 + 2 * r->n_dealer_refs : SIZE_MAX);
  pthread_mutex_lock(&w->lock); /* what was read of the world, the test may change after the call */
  pthread_mutex_unlock(&w->lock);
  if (hangs && !breaks) {
    rpc_call_on_cancel(call, stream_cancelled, s);
    return;
  }
  struct err e = {0};
  if (breaks)
    err_set(&e, ERR_UNAVAILABLE, "", "the worker is going away");
  rpc_call_finish(call, &e);
  free(s);
}
