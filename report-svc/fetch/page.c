/* One page of FetchReports: a request to Google for one query, or for the first rows of all queries
 * of a dealer, its rows handed to the queries as they arrive. */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "report-svc/fetch/fetch.h"
#include "report-svc/google/field.h"
#include "report-svc/own/own.h"

#define PAGE_MAGIC 0x66706167u

/* PAGE_MEMORY: what a page under way takes beside its rows, in curl and the decoder. */
enum { REST_ARENA = 8 * 1024 * 1024, PAGE_MEMORY = 64 * 1024 };

void fetch_page_free(struct fetch_page *p)
{
  google_call_unref(p->google);
  token_unref(p->token);
  rows_decoder_free(p->decoder);
  arena_free(p->arena);
  p->magic = 0;
}

static struct fetch *fetch_of(const struct fetch_page *p)
{
  return p->dealer->fetch;
}

static const struct google_method *method_of(const struct fetch_page *p)
{
  return google_method(p->n == 1 ? GOOGLE_RUN_REPORT : GOOGLE_BATCH_RUN_REPORTS);
}

/* ------------------------------------------------------------------ the end */

/* Puts the path of the argument before the error, of the first report that has it. */
static void locate(const struct fetch_page *p, struct err *e)
{
  size_t before = strlen(e->message);
  for (size_t i = 0; i < p->n && strlen(e->message) == before; i++)
    request_locate(p->queries[i].query->report, e);
}

/* The dealer has several properties, which are read one by one and added up. The last query to end
 * may take the dealer and this page with it. */
static void start_jobs(struct fetch_query *queries, size_t n)
{
  for (size_t i = 0; i < n; i++)
    fetch_own_start(&queries[i]);
}

/* The last query to end may take the dealer and this page with it. */
static void page_ended(struct fetch_page *p, const struct err *e)
{
  struct fetch_query *queries = p->queries;
  size_t n = p->n;
  struct err located = *e;
  if (strcmp(e->reason, TOKEN_SEVERAL_PROPERTIES) == 0) {
    start_jobs(queries, n);
    return;
  }
  struct token *token = token_ref(p->token);
  locate(p, &located);
  for (size_t i = 0; i < n; i++)
    fetch_query_page_ended(&queries[i], token, &located);
  token_unref(token);
}

static void on_done(void *user, const struct err *e)
{
  struct fetch_page *p = user;
  MAGIC_CHECK(p, PAGE_MAGIC);
  struct fetch *f = fetch_of(p);
  bool out_of_line = intake_forget(&p->in_line); /* without the lock: others may go on */
  pthread_mutex_lock(&f->lock);
  struct google_call *google = TAKE_PTR(p->google);
  token_unref(p->token);
  p->token = google_call_token(google);
  if (out_of_line)
    p->waiter.parked = false;
  bool parked = p->waiter.parked;
  p->late = parked;
  if (parked)
    p->late_end = *e;
  pthread_mutex_unlock(&f->lock);
  google_call_unref(google);
  if (!parked)
    page_ended(p, e);
}

/* ------------------------------------------------------------------ rows */

static enum rows_step on_row(void *user, const struct rows_row *row, struct err *e)
{
  struct fetch_page *p = user;
  if (row->report >= p->n_asked) {
    err_set(e, ERR_INTERNAL, "malformed_response", "Google answered more reports than were asked");
    return ROWS_FAIL;
  }
  return fetch_query_row(p->asked[row->report], row, e);
}

/* There is room again. The page may have ended meanwhile (cut off, cancelled): its end was
 * kept for this moment, because p had to outlive its place in the list of waiters. */
static void resume(void *arg)
{
  struct fetch_page *p = arg;
  struct fetch *f = fetch_of(p);
  pthread_mutex_lock(&f->lock);
  p->waiter.parked = false;
  bool late = p->late;
  p->late = false;
  struct google_call *google = late || p->google == NULL ? NULL : google_call_ref(p->google);
  pthread_mutex_unlock(&f->lock);
  if (late) {
    page_ended(p, &p->late_end);
  } else if (google != NULL) { /* p may be gone already */
    google_call_resume(google);
    google_call_unref(google);
  }
}

/* The stream is full: stops the transfer until there is room. All of this piece comes again;
 * `taken` of its bytes were used. */
static enum http_flow wait_for_room(struct fetch_page *p, size_t taken)
{
  p->redelivered = taken;
  p->waiter = (struct fetch_waiter){.go = resume, .arg = p};
  fetch_park(fetch_of(p), &p->waiter);
  return HTTP_PAUSE;
}

/* Bytes that the dealer's queries keep, and its transfers. A dealer's pages are all read by one thread
 * (their lane), which alone counts; a query that is put together counts elsewhere (own/own.h). */
static size_t memory_of(struct fetch_page *p)
{
  size_t n =
      PAGE_MEMORY * (p->dealer->fetch->request->batch ? 1 : p->dealer->fetch->request->n_queries);
  for (size_t i = 0; i < p->n_asked; i++)
    p->asked[i]->counted = fetch_query_memory(p->asked[i]);
  for (size_t i = 0; i < fetch_of(p)->request->n_queries; i++)
    n += p->dealer->queries[i].counted;
  return n;
}

/* Whether the next piece may be read. False: the page is in line; the piece comes again. */
static bool may_read(struct fetch_page *p)
{
  struct fetch *f = fetch_of(p);
  struct intake_share *share = &p->dealer->share;
  size_t bytes = memory_of(p);
  if (intake_take(share, bytes))
    return true;
  pthread_mutex_lock(&f->lock);
  p->waiter.parked = true;
  pthread_mutex_unlock(&f->lock);
  p->in_line = (struct intake_waiter){.share = share, .bytes = bytes, .go = resume, .user = p};
  if (!intake_take_or_wait(&p->in_line))
    return false;
  pthread_mutex_lock(&f->lock);
  p->waiter.parked = false;
  pthread_mutex_unlock(&f->lock);
  return true;
}

static enum http_flow gone(struct fetch_page *p)
{
  err_set(&p->body_error, ERR_CANCELLED, "cancelled", "the caller went away");
  return HTTP_ABORT;
}

/* The query whose chunk is full; NULL when none is. */
static struct fetch_query *full_query(const struct fetch_page *p)
{
  for (size_t i = 0; i < p->n_asked; i++) {
    if (columns_full(p->asked[i]->columns))
      return p->asked[i];
  }
  return NULL;
}

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct fetch_page *p = user;
  if (!may_read(p))
    return HTTP_PAUSE;
  size_t at = p->redelivered < len ? p->redelivered : len;
  p->redelivered -= at;
  for (;;) {
    struct fetch_query *full = full_query(p);
    enum err_code code = full == NULL ? ERR_OK : fetch_query_send_chunk(full);
    if (code == ERR_RESOURCE_EXHAUSTED)
      return wait_for_room(p, at);
    if (code != ERR_OK)
      return gone(p);
    if (at == len)
      return HTTP_CONTINUE;
    size_t used;
    if (rows_decoder_feed(p->decoder, data + at, len - at, &used, &p->body_error) == ROWS_FED_ERROR)
      return HTTP_ABORT;
    at += used;
  }
}

/* ------------------------------------------------------------------ the request */

/* Whether the reports may be added up over properties. */
static bool can_be_joined(const struct fetch_page *p)
{
  struct err e = {0};
  if (!fetch_of(p)->request->add_properties)
    return false;
  for (size_t i = 0; i < p->n; i++)
    if (own_check(p->queries[i].report, &e) != ERR_OK)
      return false;
  return true;
}

/* The reports that Google is asked for: those that are not kept. */
static void choose_asked(struct fetch_page *p, const struct token *t, const char *property)
{
  p->n_asked = 0;
  for (size_t i = 0; i < p->n; i++)
    if (!fetch_kept_find(&p->queries[i], t, property))
      p->asked[p->n_asked++] = &p->queries[i];
}

static enum err_code on_token(void *user, const struct token *t, struct google_target *out,
                              struct err *e)
{
  struct fetch_page *p = user;
  char property[REQUEST_PROPERTY_SIZE];
  struct fetch *f = fetch_of(p);
  if (token_property(property, t, NULL, e) != ERR_OK ||
      (can_be_joined(p) && token_check_one_property(t, e) != ERR_OK))
    return e->code;
  fetch_dealer_know(p->dealer, property, t);
  choose_asked(p, t, property);
  if (p->n_asked == 0)
    return ERR_OK; /* without a target nothing is sent */
  return google_target_of(out, f->service->google, method_of(p), property, NULL, e);
}

/* A page that is tried again starts again: rows of equal value may come in another order. */
static enum err_code prepare(void *user, struct buf *body, struct err *e)
{
  struct fetch_page *p = user;
  const Analytics__Ga4__V1beta__RunReportRequest *reports[FETCH_MAX_QUERIES];
  int64_t offsets[FETCH_MAX_QUERIES], limit = fetch_of(p)->service->page_rows;
  rows_decoder_reset(p->decoder);
  p->redelivered = 0;
  p->body_error = (struct err){0};
  for (size_t i = 0; i < p->n_asked; i++) {
    fetch_query_begin_page(p->asked[i], p->attempts > 0);
    reports[i] = p->asked[i]->report;
    offsets[i] = p->asked[i]->offset;
  }
  p->attempts++;
  if (p->n == 1)
    return request_put_body(body, reports[0], offsets[0], limit, e);
  return request_put_batch(body, reports, offsets, p->n_asked, limit, e);
}

/* Hands each query what came beside its rows. */
static enum err_code hand_rests(struct fetch_page *p, ProtobufCMessage *rest, struct err *e)
{
  struct ga4_list reports = {&rest, 1};
  if (p->n > 1)
    reports = ga4_list(rest, "reports");
  for (size_t i = 0; i < p->n_asked; i++) {
    if (fetch_query_rest(p->asked[i],
                         (const Analytics__Ga4__V1beta__RunReportResponse *)reports.items[i],
                         e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}

static enum err_code check(void *user, const struct http_response *response, struct err *e)
{
  struct fetch_page *p = user;
  struct report_shape shapes[FETCH_MAX_QUERIES] = {0};
  const Analytics__Ga4__V1beta__RunReportRequest *reports[FETCH_MAX_QUERIES] = {0};
  ProtobufCMessage *rest;
  if (response == NULL) {
    *e = p->body_error;
    return e->code != ERR_OK ? e->code : err_set(e, ERR_CANCELLED, "cancelled", "cancelled");
  }
  metric_add(fetch_of(p)->service->rows, (double)rows_decoder_count(p->decoder), NULL);
  for (size_t i = 0; i < p->n_asked; i++) {
    shapes[i] = p->asked[i]->shape;
    reports[i] = p->asked[i]->report;
  }
  arena_free(p->arena);
  p->arena = arena_new(REST_ARENA);
  if (report_read(&rest, method_of(p), p->decoder, reports, p->n_asked, shapes, p->arena, e) !=
      ERR_OK)
    return e->code;
  return hand_rests(p, rest, e);
}

/* Who waits for a place must not keep those from reading who hold them. */
static void on_wait(void *user)
{
  struct fetch_page *p = user;
  intake_yield(&p->dealer->share);
}

static const struct google_call_ops ops = {.on_token = on_token,
                                           .on_wait = on_wait,
                                           .prepare = prepare,
                                           .on_body = on_body,
                                           .check = check,
                                           .on_done = on_done};

static void make_ready(struct fetch_page *p, struct fetch_query *queries, size_t n,
                       struct token *token)
{
  struct rows_options rows = {.on_row = on_row, .user = p, .batch = n > 1};
  p->magic = PAGE_MAGIC;
  p->queries = queries;
  p->n = n;
  p->attempts = 0;
  if (p->decoder == NULL)
    p->decoder = rows_decoder_new(&rows);
  struct token *before = p->token;
  p->token = token_ref(token);
  token_unref(before);
}

void fetch_page_start(struct fetch_page *p, struct fetch_query *queries, size_t n,
                      struct token *token)
{
  struct fetch *f = fetch_of(p);
  make_ready(p, queries, n, token);
  struct google_call_options options = {.parent = f->call,
                                        .method = method_of(p),
                                        .subject = GOOGLE_DEALER,
                                        .subject_id = f->request->dealer_refs[p->dealer->index],
                                        .purpose = f->request->purpose,
                                        .token = p->token,
                                        .lane = p->dealer->index + 1,
                                        .deadline_ms = f->deadline_ms,
                                        .ops = &ops,
                                        .user = p};
  struct google_call *google = google_call_new(f->service->google, &options);
  pthread_mutex_lock(&f->lock);
  p->google = google_call_ref(google);
  bool stop = f->cancelled || p->dealer->error.code != ERR_OK;
  pthread_mutex_unlock(&f->lock);
  if (stop)
    google_call_cancel(google); /* before the start: ends it at once */
  google_call_start(google);    /* p may be gone after this */
  google_call_unref(google);
}
