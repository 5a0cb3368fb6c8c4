/* Stand-ins for auth-svc and report-svc, and a client. */
#include "tests/unit/aggregate/support/fakes.h"

#include <CUnit/CUnit.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "tests/unit/aggregate/support/finite.h"

typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;
typedef Analytics__Auth__V1__ResolveCohortResponse ResolveResponse;
typedef Analytics__Auth__V1__CohortMember CohortMember;
typedef Analytics__Auth__V1__Dealer Dealer;
typedef Analytics__Report__V1__FetchReportsRequest FetchRequest;
typedef Analytics__Report__V1__FetchReportsResponse FetchResponse;

const char *const fake_event_names[FAKE_EVENTS] = {
    "asc_form_submission",       "generate_lead",      "form_submit", "web_lead",
    "asc_form_submission_sales", "asc_comm_submission"};

static const char benchmark_grant[] = "sealed-for-benchmark";
static const char caller_grant[] = "sealed-of-caller";

/* ------------------------------------------------------------------------ auth */

static void fill_dealer(Dealer *out, const struct fake_dealer *d)
{
  analytics__auth__v1__dealer__init(out);
  out->dealer_id = (char *)d->id;
  out->name = (char *)d->name;
  out->region = (char *)"West";
  out->lead_event = (char *)d->lead_event;
}

static bool auth_refuses(struct fake_world *w, struct rpc_call *call)
{
  pthread_mutex_lock(&w->lock); /* sees what the test changed before the call */
  struct err e = w->auth_error;
  pthread_mutex_unlock(&w->lock);
  if (e.code == ERR_OK)
    return false;
  rpc_call_finish(call, &e);
  return true;
}

static bool is_asked(const ResolveRequest *r, const struct fake_dealer *d)
{
  for (size_t i = 0; i < r->n_dealer_ids; i++)
    if (strcmp(r->dealer_ids[i], d->id) == 0)
      return true;
  return r->n_dealer_ids == 0;
}

static void resolve_cohort(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const ResolveRequest *r = (const ResolveRequest *)message;
  if (auth_refuses(w, call))
    return;
  ResolveResponse out = ANALYTICS__AUTH__V1__RESOLVE_COHORT_RESPONSE__INIT;
  CohortMember members[FAKE_DEALERS], *list[FAKE_DEALERS];
  Dealer dealers[FAKE_DEALERS];
  out.cohort_id = (char *)"region:west@v1";
  out.label = (char *)"West";
  out.subject_index = -1;
  out.members = list;
  out.sealed_benchmark.data = (uint8_t *)benchmark_grant;
  out.sealed_benchmark.len = sizeof(benchmark_grant);
  Analytics__Auth__V1__ReleaseScope scope = ANALYTICS__AUTH__V1__RELEASE_SCOPE__INIT;
  scope.cohort = (char *)"west";
  scope.version = (char *)"v1";
  scope.view = (char *)"view";
  scope.viewer = (char *)"viewer";
  out.release_scope = &scope;
  for (size_t i = 0; i < w->n; i++) {
    const struct fake_dealer *d = &w->dealers[i];
    if (!is_asked(r, d))
      continue;
    CohortMember *m = list[out.n_members] = &members[i];
    analytics__auth__v1__cohort_member__init(m);
    m->dealer_ref = (char *)d->ref;
    m->visible = d->visible;
    m->owner_ref = (char *)d->owner;
    m->lead_event = (char *)d->lead_event;
    fill_dealer(&dealers[i], d);
    m->dealer = d->visible ? &dealers[i] : NULL;
    if (strcmp(r->subject_dealer_id, d->id) == 0)
      out.subject_index = (int32_t)out.n_members;
    out.n_members++;
  }
  rpc_call_reply(call, &out.base);
}

static void list_dealers(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  (void)message;
  if (auth_refuses(w, call))
    return;
  Analytics__Auth__V1__ListDealersResponse out = ANALYTICS__AUTH__V1__LIST_DEALERS_RESPONSE__INIT;
  Dealer dealers[FAKE_DEALERS], *list[FAKE_DEALERS];
  out.dealers = list;
  for (size_t i = 0; i < w->n; i++) {
    if (!w->dealers[i].visible)
      continue;
    fill_dealer(&dealers[i], &w->dealers[i]);
    list[out.n_dealers++] = &dealers[i];
  }
  out.total = (int32_t)out.n_dealers;
  rpc_call_reply(call, &out.base);
}

static const struct rpc_method auth_methods[] = {
    {"ResolveCohort", RPC_UNARY, RPC_ON_POLLER, resolve_cohort},
    {"ListDealers", RPC_UNARY, RPC_ON_POLLER, list_dealers},
};

/* ---------------------------------------------------------------------- report */

int64_t fake_shoppers(const struct fake_dealer *d)
{
  return d->sessions / 3;
}

double fake_value(const struct fake_dealer *d, size_t r, size_t m)
{
  return (double)((d->sessions + 31 * (int64_t)r + 7 * (int64_t)m) % 997) + 0.25 * (double)m;
}

void fake_row_name(const struct fake_dealer *d, size_t r, char *out, size_t size)
{
  if (r + 1 == d->rows)
    snprintf(out, size, "only-%s", d->id);
  else
    snprintf(out, size, "row-%zu", r);
}

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

static const struct fake_dealer *find_ref(const struct fake_world *w, const char *ref)
{
  for (size_t i = 0; i < w->n; i++)
    if (strcmp(w->dealers[i].ref, ref) == 0)
      return &w->dealers[i];
  return NULL;
}

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
  w->grants_benchmark |= len == sizeof(benchmark_grant) && memcmp(grant, benchmark_grant, len) == 0;
  w->grants_caller |= len == sizeof(caller_grant) && memcmp(grant, caller_grant, len) == 0;
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

static void fetch_reports(struct rpc_call *call, const ProtobufCMessage *message, void *service)
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
    s->senders[i].dealer = find_ref(w, r->dealer_refs[i]);
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

static void get_definitions(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const Analytics__Report__V1__GetCustomDimensionsAndMetricsRequest *r = (const void *)message;
  Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse out =
      ANALYTICS__REPORT__V1__GET_CUSTOM_DIMENSIONS_AND_METRICS_RESPONSE__INIT;
  static const char *const names[] = {"customEvent:item_make", "customEvent:item_model",
                                      "customEvent:comm_type"};
  Analytics__Ga4__V1beta__DimensionMetadata d[3], *list[3] = {&d[0], &d[1], &d[2]};
  pthread_mutex_lock(&w->lock);
  w->definition_calls++;
  const struct fake_dealer *dealer = find_ref(w, r->dealer_id);
  pthread_mutex_unlock(&w->lock);
  CU_ASSERT_PTR_NOT_NULL_FATAL(dealer);
  if (dealer->definitions.code != ERR_OK) {
    rpc_call_finish(call, &dealer->definitions);
    return;
  }
  for (size_t i = 0; i < 3; i++) {
    analytics__ga4__v1beta__dimension_metadata__init(&d[i]);
    d[i].api_name = (char *)names[i];
  }
  out.custom_dimensions = dealer->registered ? list : list + 2;
  out.n_custom_dimensions = (dealer->registered ? 2U : 0U) + dealer->comm_type;
  rpc_call_reply(call, &out.base);
}

/* Chats by comm_type. */
static void run_report(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const Analytics__Report__V1__RunReportRequest *r = (const void *)message;
  Analytics__Report__V1__RunReportResponse out = ANALYTICS__REPORT__V1__RUN_REPORT_RESPONSE__INIT;
  Analytics__Ga4__V1beta__Row rows[4], *row_list[4];
  Analytics__Ga4__V1beta__DimensionValue dimensions[4], *dimension_list[4];
  Analytics__Ga4__V1beta__MetricValue metrics[4], *metric_list[4];
  pthread_mutex_lock(&w->lock);
  w->run_report_calls++;
  const struct fake_dealer *dealer = find_ref(w, r->dealer_id);
  CU_ASSERT(dealer != NULL && dealer->visible && dealer->comm_type);
  CU_ASSERT_STRING_EQUAL(r->dimensions[0], "customEvent:comm_type");
  CU_ASSERT_STRING_EQUAL(r->metrics[0], "eventCount");
  CU_ASSERT_STRING_EQUAL(r->dimension_filter->filter->in_list_filter->values[0],
                         "asc_comm_submission");
  snprintf(w->run_report_days[0], sizeof(w->run_report_days[0]), "%s",
           r->date_ranges[0]->start_date);
  snprintf(w->run_report_days[1], sizeof(w->run_report_days[1]), "%s", r->date_ranges[0]->end_date);
  pthread_mutex_unlock(&w->lock);
  if (dealer == NULL || dealer->run_report.code != ERR_OK) {
    rpc_call_finish(call, dealer == NULL ? NULL : &dealer->run_report);
    return;
  }
  for (; out.n_rows < 4 && dealer->messages[out.n_rows][0] != NULL; out.n_rows++) {
    size_t i = out.n_rows;
    analytics__ga4__v1beta__row__init(&rows[i]);
    analytics__ga4__v1beta__dimension_value__init(&dimensions[i]);
    analytics__ga4__v1beta__metric_value__init(&metrics[i]);
    dimensions[i].value = (char *)dealer->messages[i][0];
    metrics[i].value = (char *)dealer->messages[i][1];
    dimension_list[i] = &dimensions[i];
    metric_list[i] = &metrics[i];
    rows[i].dimension_values = &dimension_list[i];
    rows[i].n_dimension_values = 1;
    rows[i].metric_values = &metric_list[i];
    rows[i].n_metric_values = 1;
    row_list[i] = &rows[i];
  }
  out.rows = row_list;
  rpc_call_reply(call, &out.base);
}

static void get_first_date(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const Analytics__Report__V1__GetFirstDateRequest *r = (const void *)message;
  Analytics__Report__V1__GetFirstDateResponse out =
      ANALYTICS__REPORT__V1__GET_FIRST_DATE_RESPONSE__INIT;
  char date[16];
  pthread_mutex_lock(&w->lock);
  w->first_date_calls++;
  const struct fake_dealer *dealer = find_ref(w, r->dealer_id);
  CU_ASSERT(dealer != NULL && dealer->visible);
  snprintf(date, sizeof(date), "%s", dealer == NULL ? "" : dealer->first_date);
  pthread_mutex_unlock(&w->lock);
  out.first_date = date;
  rpc_call_reply(call, &out.base);
}

static const struct rpc_method report_methods[] = {
    {"GetFirstDate", RPC_UNARY, RPC_ON_WORKER, get_first_date},
    {"GetCustomDimensionsAndMetrics", RPC_UNARY, RPC_ON_WORKER, get_definitions},
    {"RunReport", RPC_UNARY, RPC_ON_WORKER, run_report},
    {"FetchReports", RPC_SERVER_STREAMING, RPC_ON_WORKER, fetch_reports},
};

/* --------------------------------------------------------------------- fixture */

static struct rpc_server *serve(const ProtobufCServiceDescriptor *descriptor,
                                const struct rpc_method *methods, size_t n, void *service)
{
  struct rpc_server *s = NULL;
  struct err e = {0};
  struct rpc_server_options o = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 2000};
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_add(s, descriptor, methods, n, service, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s, &e), ERR_OK);
  return s;
}

static struct rpc_channel *connect_to(uint16_t port, const char *name)
{
  char target[64];
  struct rpc_channel *ch = NULL;
  struct err e = {0};
  snprintf(target, sizeof(target), "127.0.0.1:%u", port);
  struct rpc_channel_options o = {.target = target, .name = name};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  return ch;
}

static void make_dealers(struct fake_world *w, size_t n, unsigned seed)
{
  w->n = n;
  w->subject = -1;
  w->seed = seed;
  for (size_t i = 0; i < n; i++) {
    struct fake_dealer *d = &w->dealers[i];
    snprintf(d->id, sizeof(d->id), "d%02u", (unsigned)i);
    snprintf(d->ref, sizeof(d->ref), "d%02u", (unsigned)i);
    snprintf(d->name, sizeof(d->name), "Dealer %02u", (unsigned)i);
    snprintf(d->owner, sizeof(d->owner), "owner-%02u", (unsigned)i);
    snprintf(d->zone, sizeof(d->zone), "America/Los_Angeles");
    d->visible = true;
    d->sessions = 1000 + rand_r(&seed) % 9000;
    d->engaged = d->sessions / 4 + rand_r(&seed) % (d->sessions / 2);
    d->events[0] = 20 + rand_r(&seed) % 200;
    d->events[4] = d->events[0] / 2;
    d->events[2] = rand_r(&seed) % (2 * d->events[0]); /* asc_form_submission counts */
    d->rows = 1 + (size_t)rand_r(&seed) % 30;
  }
}

void fixture_init(struct fixture *f, size_t n, unsigned seed)
{
  memset(f, 0, sizeof(*f));
  pthread_mutex_init(&f->world.lock, NULL);
  make_dealers(&f->world, n, seed);
  f->service.options = AGGREGATE_OPTIONS_DEFAULT;
  f->service.options.batch_dealers = 5;
}

void fixture_serve(struct fixture *f)
{
  f->auth = serve(&analytics__auth__v1__auth_service__descriptor, auth_methods,
                  ARRAY_LEN(auth_methods), &f->world);
  f->report = serve(&analytics__report__v1__report_service__descriptor, report_methods,
                    ARRAY_LEN(report_methods), &f->world);
  f->service.auth = connect_to(f->unplug_auth ? 1 : rpc_server_port(f->auth), "auth-svc");
  f->service.report = connect_to(f->unplug_report ? 1 : rpc_server_port(f->report), "report-svc");
  f->service.pool = pool_new("test", 2, 16);
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(
      release_store_new(&f->service.store, &(struct release_store_options){0}, &e), ERR_OK);
  aggregate_service_init(&f->service);
  f->aggregate = serve(&analytics__aggregate__v1__aggregate_service__descriptor, aggregate_methods,
                       aggregate_n_methods, &f->service);
  f->client = connect_to(rpc_server_port(f->aggregate), "aggregate-svc");
}

void fixture_start(struct fixture *f, size_t n, unsigned seed)
{
  fixture_init(f, n, seed);
  fixture_serve(f);
}

void fixture_stop(struct fixture *f)
{
  rpc_channel_free(f->client);
  aggregate_service_stop(&f->service);
  rpc_server_stop(f->aggregate);
  rpc_channel_free(f->service.auth);
  rpc_channel_free(f->service.report);
  pool_free(f->service.pool);
  aggregate_service_free(&f->service);
  release_store_free(f->service.store);
  rpc_server_stop(f->auth);
  rpc_server_stop(f->report);
  CU_ASSERT_EQUAL(atomic_load(&f->service.bytes), 0);
  CU_ASSERT_EQUAL(atomic_load(&f->service.calls), 0);
  pthread_mutex_destroy(&f->world.lock);
}

bool fixture_is_idle(struct fixture *f)
{
  for (int i = 0; i < 500; i++) {
    if (atomic_load(&f->service.calls) == 0)
      return true;
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  return false;
}

/* ---------------------------------------------------------------------- client */

struct waiter {
  struct outcome *outcome;
  bool compare, across, vehicles; /* whose messages are kept */
  size_t cancel_after;
  struct rpc_client_call *call;
  pthread_mutex_t lock;
  pthread_cond_t ended;
  bool done;
};

static void take_progress(struct waiter *w, const Mcp__V1__Progress *p)
{
  struct outcome *o = w->outcome;
  o->progress_increases =
      (o->n_progress == 0 || o->progress_increases) && p->progress > o->last_progress;
  o->last_progress = p->progress;
  o->n_progress++;
  snprintf(o->last_text, sizeof(o->last_text), "%s", p->message);
  if (o->n_progress == w->cancel_after)
    rpc_client_cancel(w->call);
}

static void keep_result(struct outcome *o, const ProtobufCMessage *m)
{
  CU_ASSERT_PTR_NULL(o->packed); /* exactly one result */
  CU_ASSERT_TRUE(all_numbers_are_finite(m));
  o->packed_len = protobuf_c_message_get_packed_size(m);
  o->packed = xmalloc(o->packed_len + 1);
  protobuf_c_message_pack(m, o->packed);
}

static bool on_vehicles(struct waiter *w, const ProtobufCMessage *message)
{
  const Analytics__Aggregate__V1__AnalyzeVehicleInterestResponse *r = (const void *)message;
  if (r->event_case ==
      ANALYTICS__AGGREGATE__V1__ANALYZE_VEHICLE_INTEREST_RESPONSE__EVENT_PROGRESS) {
    take_progress(w, r->progress);
    return true;
  }
  keep_result(w->outcome, &r->result->base);
  w->outcome->vehicles = analytics__aggregate__v1__analyze_vehicle_interest_result__unpack(
      NULL, w->outcome->packed_len, w->outcome->packed);
  return true;
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct waiter *w = user;
  struct outcome *o = w->outcome;
  if (w->vehicles)
    return on_vehicles(w, message);
  if (w->compare) {
    const Analytics__Aggregate__V1__CompareDealerSessionsResponse *r = (const void *)message;
    if (r->event_case ==
        ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_PROGRESS) {
      take_progress(w, r->progress);
      return true;
    }
    keep_result(o, &r->result->base);
    o->compare = analytics__aggregate__v1__compare_dealer_sessions_result__unpack(
        NULL, o->packed_len, o->packed);
    return true;
  }
  if (!w->across)
    return true;
  const Analytics__Aggregate__V1__RunReportAcrossDealersResponse *r = (const void *)message;
  if (r->event_case ==
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESPONSE__EVENT_PROGRESS) {
    take_progress(w, r->progress);
    return true;
  }
  keep_result(o, &r->result->base);
  o->across = analytics__aggregate__v1__run_report_across_dealers_result__unpack(
      NULL, o->packed_len, o->packed);
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct waiter *w = user;
  pthread_mutex_lock(&w->lock);
  w->outcome->status = *status;
  w->done = true;
  pthread_cond_signal(&w->ended);
  pthread_mutex_unlock(&w->lock);
}

static void run(struct fixture *f, struct outcome *o, const char *method,
                const ProtobufCMessage *request, uint32_t timeout_ms, size_t cancel_after)
{
  struct waiter w = {.outcome = o,
                     .compare = strcmp(method, "CompareDealerSessions") == 0,
                     .across = strcmp(method, "RunReportAcrossDealers") == 0,
                     .vehicles = strcmp(method, "AnalyzeVehicleInterest") == 0,
                     .cancel_after = cancel_after,
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .ended = PTHREAD_COND_INITIALIZER};
  struct rpc_metadata grant = {RPC_META_GRANT, caller_grant, sizeof(caller_grant)};
  struct rpc_client_options options = {
      .timeout_ms = timeout_ms, .metadata = &grant, .n_metadata = 1};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  struct err e = {0};
  memset(o, 0, sizeof(*o));
  int64_t start = clock_mono_ms();
  pthread_mutex_lock(&f->world.lock); /* hands the world over to the fakes */
  pthread_mutex_unlock(&f->world.lock);
  CU_ASSERT_EQUAL_FATAL(
      rpc_client_start(&w.call, f->client, &analytics__aggregate__v1__aggregate_service__descriptor,
                       method, RPC_SERVER_STREAMING, request, &options, &callbacks, &w, &e),
      ERR_OK);
  pthread_mutex_lock(&w.lock);
  while (!w.done)
    pthread_cond_wait(&w.ended, &w.lock);
  pthread_mutex_unlock(&w.lock);
  pthread_mutex_lock(&f->world.lock); /* and takes it back */
  pthread_mutex_unlock(&f->world.lock);
  rpc_client_release(w.call);
  o->took_ms = clock_mono_ms() - start;
}

void fixture_compare(struct fixture *f, struct outcome *o,
                     const Analytics__Aggregate__V1__CompareDealerSessionsRequest *request,
                     uint32_t timeout_ms, size_t cancel_after_progress)
{
  run(f, o, "CompareDealerSessions", &request->base, timeout_ms, cancel_after_progress);
}

void fixture_across(struct fixture *f, struct outcome *o,
                    const Analytics__Aggregate__V1__RunReportAcrossDealersRequest *request,
                    uint32_t timeout_ms)
{
  run(f, o, "RunReportAcrossDealers", &request->base, timeout_ms, 0);
}

void fixture_vehicles(struct fixture *f, struct outcome *o,
                      const Analytics__Aggregate__V1__AnalyzeVehicleInterestRequest *request,
                      uint32_t timeout_ms)
{
  run(f, o, "AnalyzeVehicleInterest", &request->base, timeout_ms, 0);
}

void fixture_status(struct fixture *f, struct outcome *o, const char *method,
                    const ProtobufCMessage *request, uint32_t timeout_ms)
{
  run(f, o, method, request, timeout_ms, 0);
}

void outcome_free(struct outcome *o)
{
  free(o->packed);
  if (o->compare != NULL)
    protobuf_c_message_free_unpacked(&o->compare->base, NULL);
  if (o->across != NULL)
    protobuf_c_message_free_unpacked(&o->across->base, NULL);
  if (o->vehicles != NULL)
    protobuf_c_message_free_unpacked(&o->vehicles->base, NULL);
  memset(o, 0, sizeof(*o));
}
