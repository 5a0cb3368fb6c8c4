/* One report of one dealer of FetchReports: page after page into columns, chunks into the
 * stream, QueryDone at the end. */
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "report-svc/fetch/fetch.h"

#include <inttypes.h>
#include <string.h>

#define QUERY_MAGIC 0x71757279u

enum { REST_ARENA = 8 * 1024 * 1024 };

static void start_page(struct fetch_query *q);
static void flush(void *arg);

void fetch_query_free(struct fetch_query *q)
{
  google_call_unref(q->google);
  token_unref(q->token);
  rows_decoder_free(q->decoder);
  columns_free(q->columns);
  arena_free(q->arena);
  q->magic = 0;
}

static struct fetch *fetch_of(const struct fetch_query *q)
{
  return q->dealer->fetch;
}

static void end(struct fetch_query *q, const struct err *e)
{
  q->state = QUERY_ENDED;
  fetch_dealer_query_ended(q->dealer, e);
}

static bool dealer_failed(struct fetch_query *q)
{
  struct fetch *f = fetch_of(q);
  pthread_mutex_lock(&f->lock);
  bool failed = q->dealer->error.code != ERR_OK || f->cancelled;
  pthread_mutex_unlock(&f->lock);
  return failed;
}

/* ------------------------------------------------------------------ chunks */

/* Sends the chunk at hand. ERR_RESOURCE_EXHAUSTED: no room, it is still at hand. */
static enum err_code send_chunk(struct fetch_query *q)
{
  Analytics__Report__V1__ColumnChunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  Analytics__Report__V1__FetchReportsResponse response =
      ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  columns_chunk(&chunk, q->columns);
  chunk.dealer_index = q->dealer->index;
  chunk.query_id = q->query->query_id;
  response.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_CHUNK;
  response.chunk = &chunk;
  enum err_code code = rpc_call_send(fetch_of(q)->call, &response.base);
  if (code == ERR_OK)
    columns_next(q->columns);
  return code;
}

static enum rows_step on_row(void *user, const struct rows_row *row, struct err *e)
{
  struct fetch_query *q = user;
  if (q->rows >= fetch_of(q)->max_rows) {
    err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_rows",
            "the report has more than %" PRId64
            " rows; ask for fewer dimensions or days, or filter",
            fetch_of(q)->max_rows);
    return ROWS_FAIL;
  }
  if (columns_add(q->columns, row, e) != ERR_OK)
    return ROWS_FAIL;
  q->rows++;
  report_shape_add(&q->shape, row);
  return columns_full(q->columns) ? ROWS_STOP : ROWS_MORE;
}

static void page_ended(struct fetch_query *q, const struct err *e);

/* There is room again. The page may have ended meanwhile (cut off, cancelled): its end was
 * kept for this moment, because q had to outlive its place in the list of waiters. */
static void resume_page(void *arg)
{
  struct fetch_query *q = arg;
  struct fetch *f = fetch_of(q);
  pthread_mutex_lock(&f->lock);
  q->waiter.parked = false;
  bool late = q->late;
  q->late = false;
  struct google_call *google = late || q->google == NULL ? NULL : google_call_ref(q->google);
  pthread_mutex_unlock(&f->lock);
  if (late) {
    page_ended(q, &q->late_end);
  } else if (google != NULL) { /* q may be gone already */
    google_call_resume(google);
    google_call_unref(google);
  }
}

/* The stream is full: stops the transfer until there is room. All of this piece comes again;
 * `taken` of its bytes were used. */
static enum http_flow pause_page(struct fetch_query *q, size_t taken)
{
  q->redelivered = taken;
  q->waiter = (struct fetch_waiter){.go = resume_page, .arg = q};
  fetch_park(fetch_of(q), &q->waiter);
  return HTTP_PAUSE;
}

static enum http_flow gone(struct fetch_query *q)
{
  err_set(&q->body_error, ERR_CANCELLED, "cancelled", "the caller went away");
  return HTTP_ABORT;
}

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct fetch_query *q = user;
  size_t at = q->redelivered < len ? q->redelivered : len;
  q->redelivered -= at;
  for (;;) {
    if (columns_full(q->columns)) {
      enum err_code code = send_chunk(q);
      if (code == ERR_RESOURCE_EXHAUSTED)
        return pause_page(q, at);
      if (code != ERR_OK)
        return gone(q);
    }
    if (at == len)
      return HTTP_CONTINUE;
    size_t used;
    if (rows_decoder_feed(q->decoder, data + at, len - at, &used, &q->body_error) == ROWS_FED_ERROR)
      return HTTP_ABORT;
    at += used;
  }
}

/* ------------------------------------------------------------------ the end of the report */

static void send_query_done(void *arg)
{
  struct fetch_query *q = arg;
  Analytics__Report__V1__QueryDone done = ANALYTICS__REPORT__V1__QUERY_DONE__INIT;
  Analytics__Report__V1__FetchReportsResponse response =
      ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  done.dealer_index = q->dealer->index;
  done.query_id = q->query->query_id;
  done.row_count = q->rows;
  done.n_dimension_headers = q->rest->n_dimension_headers;
  done.dimension_headers = q->rest->dimension_headers;
  done.n_metric_headers = q->rest->n_metric_headers;
  done.metric_headers = q->rest->metric_headers;
  done.metadata = q->rest->metadata;
  response.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_QUERY_DONE;
  response.query_done = &done;
  enum err_code code = rpc_call_send(fetch_of(q)->call, &response.base);
  if (code == ERR_RESOURCE_EXHAUSTED) {
    q->waiter = (struct fetch_waiter){.go = send_query_done, .arg = q};
    fetch_park(fetch_of(q), &q->waiter);
    return;
  }
  struct err e = {.code = code};
  end(q, code == ERR_OK ? NULL : &e);
}

static void flush(void *arg)
{
  struct fetch_query *q = arg;
  enum err_code code = ERR_OK;
  if (dealer_failed(q)) {
    end(q, NULL);
    return;
  }
  if (columns_rows(q->columns) > 0)
    code = send_chunk(q);
  if (code == ERR_RESOURCE_EXHAUSTED) {
    q->waiter = (struct fetch_waiter){.go = flush, .arg = q};
    fetch_park(fetch_of(q), &q->waiter);
  } else if (code != ERR_OK) {
    struct err e = {.code = code};
    end(q, &e);
  } else {
    send_query_done(q);
  }
}

/* ------------------------------------------------------------------ pages */

static enum err_code on_token(void *user, const struct token *t, struct google_target *out,
                              struct err *e)
{
  struct fetch_query *q = user;
  if (token_property(q->property, t, NULL, e) != ERR_OK)
    return e->code;
  struct fetch *f = fetch_of(q);
  pthread_mutex_lock(&f->lock);
  memcpy(q->dealer->property, q->property, sizeof(q->property));
  pthread_mutex_unlock(&f->lock);
  return google_target_of(out, f->service->google, google_method(GOOGLE_RUN_REPORT), q->property,
                          NULL, e);
}

/* A page that is tried again goes on after the rows that were taken from it. */
static enum err_code prepare(void *user, struct buf *body, struct err *e)
{
  struct fetch_query *q = user;
  rows_decoder_reset(q->decoder);
  q->shape = (struct report_shape){0};
  q->redelivered = 0;
  q->body_error = (struct err){0};
  return request_put_body(body, q->query->report, q->rows, fetch_of(q)->service->page_rows, e);
}

/* What a whole page says about the paging so far. */
static enum err_code check_count(const struct fetch_query *q, struct err *e)
{
  int64_t max = fetch_of(q)->max_rows;
  if (q->row_count > max)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_rows",
                   "the report has %" PRId64 " rows, more than %" PRId64
                   "; ask for fewer dimensions or days, or filter",
                   q->row_count, max);
  bool no_progress = rows_decoder_count(q->decoder) == 0 && q->rows < q->row_count;
  if (q->rows > q->row_count || no_progress)
    return err_set(e, ERR_ABORTED, "inconsistent_paging",
                   "Google announced %" PRId64 " rows and delivered %" PRId64
                   "; the data changed while it was read, try again",
                   q->row_count, q->rows);
  return ERR_OK;
}

static enum err_code check(void *user, const struct http_response *response, struct err *e)
{
  struct fetch_query *q = user;
  if (response == NULL) {
    *e = q->body_error;
    return e->code != ERR_OK ? e->code : err_set(e, ERR_CANCELLED, "cancelled", "cancelled");
  }
  metric_add(fetch_of(q)->service->rows, (double)rows_decoder_count(q->decoder), NULL);
  arena_free(q->arena);
  q->arena = arena_new(REST_ARENA);
  ProtobufCMessage *rest;
  if (report_read(&rest, google_method(GOOGLE_RUN_REPORT), q->decoder, &q->shape, q->arena, e) !=
      ERR_OK)
    return e->code;
  q->rest = (Analytics__Ga4__V1beta__RunReportResponse *)rest;
  q->row_count = q->rest->row_count;
  return check_count(q, e);
}

static void page_ended(struct fetch_query *q, const struct err *e)
{
  if (e->code != ERR_OK) {
    struct err located = *e;
    request_locate(q->query->report, &located);
    end(q, &located);
  } else if (q->rows < q->row_count) {
    start_page(q);
  } else {
    q->state = QUERY_FLUSHING;
    flush(q);
  }
}

static void on_done(void *user, const struct err *e)
{
  struct fetch_query *q = user;
  MAGIC_CHECK(q, QUERY_MAGIC);
  struct fetch *f = fetch_of(q);
  pthread_mutex_lock(&f->lock);
  struct google_call *google = TAKE_PTR(q->google);
  token_unref(q->token);
  q->token = google_call_token(google);
  bool parked = q->waiter.parked;
  q->late = parked;
  if (parked)
    q->late_end = *e;
  pthread_mutex_unlock(&f->lock);
  google_call_unref(google);
  if (!parked)
    page_ended(q, e);
}

static const struct google_call_ops ops = {.on_token = on_token,
                                           .prepare = prepare,
                                           .on_body = on_body,
                                           .check = check,
                                           .on_done = on_done};

static void start_page(struct fetch_query *q)
{
  struct fetch *f = fetch_of(q);
  struct google_call_options options = {.parent = f->call,
                                        .method = google_method(GOOGLE_RUN_REPORT),
                                        .subject = GOOGLE_DEALER,
                                        .subject_id = f->request->dealer_refs[q->dealer->index],
                                        .purpose = f->request->purpose,
                                        .token = q->token,
                                        .deadline_ms = f->deadline_ms,
                                        .ops = &ops,
                                        .user = q};
  struct google_call *google = google_call_new(f->service->google, &options);
  pthread_mutex_lock(&f->lock);
  q->google = google_call_ref(google);
  bool stop = f->cancelled || q->dealer->error.code != ERR_OK;
  pthread_mutex_unlock(&f->lock);
  if (stop)
    google_call_cancel(google); /* before the start: ends it at once */
  google_call_start(google);    /* q may be gone after this */
  google_call_unref(google);
}

void fetch_query_start(struct fetch_query *q)
{
  struct fetch *f = fetch_of(q);
  q->magic = QUERY_MAGIC;
  struct columns_options columns = {.chunk_rows = f->service->chunk_rows,
                                    .report = q->query->report};
  struct rows_options rows = {.on_row = on_row, .user = q};
  q->columns = columns_new(&columns);
  q->decoder = rows_decoder_new(&rows);
  start_page(q);
}
