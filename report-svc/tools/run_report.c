/* RunReport: one report of one dealer, its rows as Google's text. */
#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "report-svc/request/request.h"
#include "report-svc/rows/decoder.h"
#include "report-svc/ask/service.h"

typedef Analytics__Ga4__V1beta__Row ga4_row;
typedef Analytics__Report__V1__RunReportResponse report_response;

enum { DEFAULT_MAX_ANSWER = 4 * 1024 * 1024 };

#define RUN_REPORT_MAGIC 0x72756e72u

struct run_report {
  unsigned magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Report__V1__RunReportRequest *request;
  Analytics__Ga4__V1beta__RunReportRequest *report;
  int64_t limit;
  char wanted[REQUEST_PROPERTY_SIZE];   /* "" when the dealer's own */
  char property[REQUEST_PROPERTY_SIZE]; /* the one the report is about */
  struct google_call *google;
  struct rows_decoder *decoder;
  struct answer *answer;
  size_t packed; /* bytes the rows will take in the answer */
  size_t n_dimensions, n_metrics;
  struct err body_error;
  struct buf cache_key;
};

static void run_report_free(struct run_report *r)
{
  rows_decoder_free(r->decoder);
  answer_unref(r->answer);
  buf_free(&r->cache_key);
  google_call_unref(r->google);
  r->magic = 0;
  free(r);
}

/* ------------------------------------------------------------------ rows */

/* One block per row: the message, its lists, its values and their texts. */
static size_t row_bytes(const struct rows_row *row)
{
  size_t n = sizeof(ga4_row);
  for (size_t i = 0; i < row->n_dimensions; i++)
    n += sizeof(void *) + sizeof(Analytics__Ga4__V1beta__DimensionValue) + row->dimensions[i].len +
         1;
  for (size_t i = 0; i < row->n_metrics; i++)
    n += sizeof(void *) + sizeof(Analytics__Ga4__V1beta__MetricValue) + row->metrics[i].len + 1;
  return n;
}

static char *put_text(char **at, const struct rows_text *text)
{
  char *p = *at;
  memcpy(p, text->p, text->len);
  p[text->len] = '\0';
  *at += text->len + 1;
  return p;
}

static ga4_row *make_row(struct arena *arena, const struct rows_row *in)
{
  char *block = arena_alloc(arena, row_bytes(in));
  if (block == NULL)
    return NULL;
  ga4_row *row = (ga4_row *)(void *)block;
  analytics__ga4__v1beta__row__init(row);
  row->n_dimension_values = in->n_dimensions;
  row->n_metric_values = in->n_metrics;
  row->dimension_values = (void *)(row + 1);
  row->metric_values = (void *)(row->dimension_values + in->n_dimensions);
  Analytics__Ga4__V1beta__DimensionValue *dimensions = (void *)(row->metric_values + in->n_metrics);
  Analytics__Ga4__V1beta__MetricValue *metrics = (void *)(dimensions + in->n_dimensions);
  char *text = (char *)(metrics + in->n_metrics);
  for (size_t i = 0; i < in->n_dimensions; i++) {
    analytics__ga4__v1beta__dimension_value__init(&dimensions[i]);
    dimensions[i].value = put_text(&text, &in->dimensions[i]);
    row->dimension_values[i] = &dimensions[i];
  }
  for (size_t i = 0; i < in->n_metrics; i++) {
    analytics__ga4__v1beta__metric_value__init(&metrics[i]);
    metrics[i].value = put_text(&text, &in->metrics[i]);
    row->metric_values[i] = &metrics[i];
  }
  return row;
}

/* Bytes of a packed row; texts of 128 bytes and more count a little more. */
static size_t packed_bytes(const struct rows_row *row)
{
  size_t n = 4;
  for (size_t i = 0; i < row->n_dimensions; i++)
    n += 4 + row->dimensions[i].len + (row->dimensions[i].len > 120 ? 2 : 0);
  for (size_t i = 0; i < row->n_metrics; i++)
    n += 4 + row->metrics[i].len;
  return n;
}

static enum rows_step on_row(void *user, const struct rows_row *row, struct err *e)
{
  struct run_report *r = user;
  struct answer *a = r->answer;
  size_t max = r->service->max_answer_bytes;
  r->packed += packed_bytes(row);
  ga4_row *message = NULL;
  if (r->packed <= (max == 0 ? DEFAULT_MAX_ANSWER : max))
    message = make_row(a->arena, row);
  if (message == NULL) {
    err_set(
        e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
        "the answer is too large after %zu rows; use limit=%zu and page with offset, or ask for "
        "fewer dimensions or filter the report",
        a->n_rows, a->n_rows > 1 ? a->n_rows * 9 / 10 : 1);
    return ROWS_FAIL;
  }
  if (a->n_rows == a->cap_rows) {
    a->cap_rows = a->cap_rows == 0 ? 64 : a->cap_rows * 2;
    a->rows = xrealloc(a->rows, a->cap_rows * sizeof(*a->rows));
  }
  r->n_dimensions = row->n_dimensions;
  r->n_metrics = row->n_metrics;
  a->rows[a->n_rows++] = message;
  return ROWS_MORE;
}

/* ------------------------------------------------------------------ the call to Google */

/* The key: whose, and what exactly is asked. */
static enum err_code make_cache_key(struct run_report *r, const struct token *t, struct err *e)
{
  buf_init(&r->cache_key, REQUEST_MAX_BODY + 1024);
  buf_printf(&r->cache_key, "%s\n%s\n%s\n", t->dealer_ref, r->property, t->quota_project);
  return request_put_body(&r->cache_key, r->report, r->request->offset, r->limit, e);
}

static enum err_code on_token(void *user, const struct token *t, struct google_target *out,
                              struct err *e)
{
  struct run_report *r = user;
  if (token_property(r->property, t, r->wanted, e) != ERR_OK || make_cache_key(r, t, e) != ERR_OK)
    return e->code;
  if (!r->request->return_property_quota) /* of which a minute-old figure is of no use */
    r->answer = cache_get(r->service->cache, &r->cache_key, clock_mono_ms());
  if (r->answer == NULL)
    report_service_target(out, r->service, r->property);
  return ERR_OK;
}

static enum err_code prepare(void *user, struct buf *body, struct err *e)
{
  struct run_report *r = user;
  answer_unref(r->answer);
  r->answer = answer_new();
  r->packed = 0;
  r->body_error = (struct err){0};
  rows_decoder_reset(r->decoder);
  return request_put_body(body, r->report, r->request->offset, r->limit, e);
}

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct run_report *r = user;
  size_t used;
  if (rows_decoder_feed(r->decoder, data, len, &used, &r->body_error) == ROWS_FED_ERROR)
    return HTTP_ABORT;
  return HTTP_CONTINUE;
}

static enum err_code set_message(struct run_report *r, struct token *t,
                                 const Analytics__Ga4__V1beta__RunReportResponse *rest,
                                 struct err *e)
{
  struct answer *a = r->answer;
  report_response *m = &a->message;
  m->dealer_id = arena_strdup(a->arena, t->dealer_ref);
  m->dealer_name = arena_strdup(a->arena, t->dealer_name);
  m->property = arena_printf(a->arena, "properties/%s", r->property);
  m->n_dimension_headers = rest->n_dimension_headers;
  m->dimension_headers = rest->dimension_headers;
  m->n_metric_headers = rest->n_metric_headers;
  m->metric_headers = rest->metric_headers;
  m->n_rows = a->n_rows;
  m->rows = a->rows;
  m->row_count = rest->row_count;
  m->metadata = rest->metadata;
  m->property_quota = rest->property_quota;
  int64_t next = r->request->offset + (int64_t)a->n_rows;
  m->next_offset = a->n_rows > 0 && next < rest->row_count ? next : 0;
  if (m->dealer_id == NULL || m->dealer_name == NULL || m->property == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                   "the answer is too large; lower limit");
  return ERR_OK;
}

static enum err_code check(void *user, const struct http_response *response, struct err *e)
{
  struct run_report *r = user;
  Analytics__Ga4__V1beta__RunReportResponse *rest;
  if (response == NULL) {
    *e = r->body_error;
    return e->code != ERR_OK ? e->code : err_set(e, ERR_CANCELLED, "cancelled", "cancelled");
  }
  metric_add(r->service->rows, (double)rows_decoder_count(r->decoder), NULL);
  if (report_service_read_rest(&rest, r->decoder, r->n_dimensions, r->n_metrics, r->answer->arena,
                               e) != ERR_OK)
    return e->code;
  struct token *t = google_call_token(r->google);
  enum err_code code = set_message(r, t, rest, e);
  token_unref(t);
  if (code == ERR_OK && !r->request->return_property_quota)
    cache_put(r->service->cache, &r->cache_key, r->answer, clock_mono_ms());
  return code;
}

/* Whose failure it is, unless the arguments are at fault or auth-svc named the dealer already. */
static void name_dealer(const struct run_report *r, struct err *e)
{
  struct token *t = google_call_token(r->google);
  if (t != NULL && t->dealer_name[0] != '\0' && e->code != ERR_INVALID_ARGUMENT &&
      e->code != ERR_CANCELLED && strncmp(e->message, "dealer \"", 8) != 0)
    err_prefix(e, "dealer \"%s\" %s: ", t->dealer_ref, t->dealer_name);
  token_unref(t);
}

static void on_done(void *user, const struct err *e)
{
  struct run_report *r = user;
  MAGIC_CHECK(r, RUN_REPORT_MAGIC);
  rpc_call_on_cancel(r->call, NULL, NULL);
  if (e->code == ERR_OK) {
    rpc_call_reply(r->call, &r->answer->message.base);
  } else {
    struct err located = *e;
    request_locate(r->report, &located);
    name_dealer(r, &located);
    rpc_call_finish(r->call, &located);
  }
  run_report_free(r);
}

static const struct google_call_ops ops = {.api = "runReport",
                                           .method = "POST",
                                           .on_token = on_token,
                                           .prepare = prepare,
                                           .on_body = on_body,
                                           .check = check,
                                           .on_done = on_done};

/* ------------------------------------------------------------------ start */

static void on_cancel(void *arg)
{
  google_call_cancel(arg);
}

static struct run_report *make(struct rpc_call *call,
                               const Analytics__Report__V1__RunReportRequest *request,
                               struct service *s)
{
  struct run_report *r = xcalloc(1, sizeof(*r));
  r->magic = RUN_REPORT_MAGIC;
  r->service = s;
  r->call = call;
  r->request = request;
  r->limit = request->limit == 0 ? REQUEST_DEFAULT_LIMIT : request->limit;
  struct rows_options options = {.on_row = on_row, .user = r};
  r->decoder = rows_decoder_new(&options);
  return r;
}

static void start(struct run_report *r)
{
  bool by_dealer = r->request->dealer_id[0] != '\0';
  struct google_call_options options = {.parent = r->call,
                                        .subject = by_dealer ? GOOGLE_DEALER : GOOGLE_PROPERTY,
                                        .subject_id = by_dealer ? r->request->dealer_id : r->wanted,
                                        .purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT,
                                        .deadline_ms = google_work_deadline_ms(r->call),
                                        .ops = &ops,
                                        .user = r};
  struct google_call *google = google_call_new(r->service->google, &options);
  r->google = google_call_ref(google);
  rpc_call_on_cancel(r->call, on_cancel, google);
  google_call_start(google); /* r may be gone after this */
  google_call_unref(google);
}

void run_report_handle(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  const Analytics__Report__V1__RunReportRequest *request = (const void *)message;
  struct err e = {0};
  char wanted[REQUEST_PROPERTY_SIZE] = "";
  Analytics__Ga4__V1beta__RunReportRequest *report = NULL;
  enum err_code code = request_check(request, &e);
  if (code == ERR_OK && request->property_id[0] != '\0')
    code = request_parse_property(wanted, request->property_id, &e);
  if (code == ERR_OK) {
    report = request_to_ga4(request, rpc_call_arena(call));
    if (report == NULL)
      code = err_set(&e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  }
  if (code != ERR_OK) {
    rpc_call_finish(call, &e);
    return;
  }
  struct run_report *r = make(call, request, service);
  r->report = report;
  memcpy(r->wanted, wanted, sizeof(wanted));
  start(r);
}
