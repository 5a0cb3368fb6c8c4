/* One report of one dealer of FetchReports: rows into columns, chunks into the stream, QueryDone at
 * the end. */
#include <inttypes.h>

#include "common/base/clock.h"
#include "report-svc/answer/aggregates.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/fetch/fetch.h"
#include "report-svc/own/own.h"

enum { BESIDE_ARENA = 256 * 1024, MAX_RANGES = 4 };

typedef Analytics__Report__V1__ColumnChunk Chunk;
typedef Analytics__Report__V1__QueryDone QueryDone;

void fetch_query_init(struct fetch_query *q, struct fetch_dealer *d, size_t index)
{
  struct fetch *f = d->fetch;
  struct columns_options columns = {.chunk_rows = f->service->chunk_rows,
                                    .report = &f->reports[index]};
  q->dealer = d;
  q->query = f->request->queries[index];
  q->report = &f->reports[index];
  q->seen = seen_new(q->report->n_dimensions);
  q->page.dealer = d;
  q->columns = columns_new(&columns);
}

void fetch_query_free(struct fetch_query *q)
{
  fetch_page_free(&q->page);
  own_job_unref(q->own);
  answer_unref(q->kept);
  answer_unref(q->record);
  token_unref(q->token);
  columns_free(q->columns);
  seen_free(q->seen);
}

size_t fetch_query_memory(const struct fetch_query *q)
{
  return columns_memory(q->columns) + seen_memory(q->seen) +
         (q->record == NULL ? 0 : answer_size(q->record));
}

static struct fetch *fetch_of(const struct fetch_query *q)
{
  return q->dealer->fetch;
}

void fetch_query_end(struct fetch_query *q, const struct err *e)
{
  struct fetch *f = fetch_of(q);
  pthread_mutex_lock(&f->lock);
  struct own_job *own = TAKE_PTR(q->own);
  pthread_mutex_unlock(&f->lock);
  own_job_unref(own);
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

static enum err_code send_chunk(struct fetch_query *q, Chunk *chunk)
{
  Analytics__Report__V1__FetchReportsResponse response =
      ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  chunk->dealer_index = q->dealer->index;
  chunk->query_id = q->query->query_id;
  response.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_CHUNK;
  response.chunk = chunk;
  return rpc_call_send(fetch_of(q)->call, &response.base);
}

enum err_code fetch_query_send_chunk(struct fetch_query *q)
{
  Chunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  columns_chunk(&chunk, q->columns);
  enum err_code code = send_chunk(q, &chunk);
  if (code == ERR_OK) {
    fetch_kept_record(q, &chunk);
    columns_next(q->columns);
  }
  return code;
}

void fetch_query_begin_page(struct fetch_query *q, bool again)
{
  q->shape = (struct report_shape){0};
  if (again) {
    seen_begin_again(q->seen);
    return;
  }
  seen_begin_page(q->seen);
  q->page_rows = 0;
}

static enum rows_step changed(const struct fetch_query *q, const char *what, struct err *e)
{
  err_set(e, ERR_ABORTED, "inconsistent_paging",
          "row %" PRId64 " of Google's answer %s; the data changed while it was read, try again",
          q->rows, what);
  return ROWS_FAIL;
}

/* Takes the row that the columns have read. */
static enum rows_step take_row(struct fetch_query *q, struct err *e)
{
  if (q->rows >= fetch_of(q)->max_rows) {
    err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_rows",
            "the report has more than %" PRId64
            " rows; ask for fewer dimensions or days, or filter",
            fetch_of(q)->max_rows);
    return ROWS_FAIL;
  }
  columns_keep(q->columns);
  q->rows++;
  q->page_rows++;
  return columns_full(q->columns) ? ROWS_STOP : ROWS_MORE;
}

enum rows_step fetch_query_row(struct fetch_query *q, const struct rows_row *row, struct err *e)
{
  report_shape_add(&q->shape, row);
  if (columns_read(q->columns, row, e) != ERR_OK)
    return ROWS_FAIL;
  struct columns_row read = columns_last(q->columns);
  switch (seen_row(q->seen, &read)) {
  case SEEN_NEW:
    return take_row(q, e);
  case SEEN_AGAIN:
    return ROWS_MORE;
  case SEEN_TWICE:
    return changed(q, "has the dimension values of an earlier row", e);
  case SEEN_CHANGED:
    return changed(q, "has other values than before the answer was cut off", e);
  }
  return ROWS_FAIL;
}

/* ------------------------------------------------------------------ the end of the report */

/* The report is whole: it is kept, if it may be. */
static void keep(struct fetch_query *q)
{
  if (q->record != NULL)
    fetch_kept_put(q);
  answer_unref(TAKE_PTR(q->record));
}

/* Leaves the rest of a whole report to the end of its dealer. The dealer may be gone afterwards. */
static void gather(struct fetch_query *q)
{
  Chunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  if (q->record != NULL && columns_rows(q->columns) > 0) {
    columns_chunk(&chunk, q->columns);
    fetch_kept_record(q, &chunk);
  }
  keep(q);
  q->gathered = true;
  fetch_query_end(q, NULL);
}

/* What the caller asked for beside the rows. False at the arena's cap. */
static bool put_beside(QueryDone *done, const struct fetch_query *q, struct arena *arena)
{
  struct answer_days days[MAX_RANGES];
  struct answer_texts notes = {.arena = arena};
  struct ranges_question ranges = {.asked = q->report, .days = days, .report = q->rest};
  const char *zone = q->rest->metadata == NULL ? "" : q->rest->metadata->time_zone;
  for (size_t i = 0; i < q->report->n_date_ranges && q->report->n_metric_aggregations > 0; i++)
    days[i] = answer_days_of(q->report->date_ranges[i], zone, clock_unix_ms());
  done->aggregates = aggregates_of(&done->n_aggregates, &ranges, arena);
  if (q->query->report->return_property_quota)
    notes_of_quota(&notes, q->rest->property_quota);
  done->quota_notes = notes.items;
  done->n_quota_notes = notes.n;
  return done->aggregates != NULL && !notes.failed;
}

/* The rows of a gathered report that were not sent. False at the arena's cap. */
static bool put_rows(QueryDone *done, struct fetch_query *q, struct arena *arena)
{
  bool kept = q->kept != NULL && q->kept_sent < q->kept->lists[0].n;
  if (!q->gathered || (!kept && columns_rows(q->columns) == 0))
    return true;
  Chunk *chunk = ARENA_NEW(arena, Chunk);
  if (chunk == NULL)
    return false;
  analytics__report__v1__column_chunk__init(chunk);
  if (kept)
    *chunk = *(const Chunk *)q->kept->lists[0].items[q->kept_sent];
  else
    columns_chunk(chunk, q->columns);
  chunk->dealer_index = q->dealer->index;
  chunk->query_id = q->query->query_id;
  done->rows = chunk;
  return true;
}

QueryDone *fetch_query_done(struct fetch_query *q, struct arena *arena)
{
  QueryDone *done = ARENA_NEW(arena, QueryDone);
  if (done == NULL)
    return NULL;
  analytics__report__v1__query_done__init(done);
  done->dealer_index = q->dealer->index;
  done->query_id = q->query->query_id;
  done->row_count = q->rows;
  done->n_dimension_headers = q->rest->n_dimension_headers;
  done->dimension_headers = q->rest->dimension_headers;
  done->n_metric_headers = q->rest->n_metric_headers;
  done->metric_headers = q->rest->metric_headers;
  done->metadata = q->rest->metadata;
  return put_beside(done, q, arena) && put_rows(done, q, arena) ? done : NULL;
}

static void send_query_done(void *arg)
{
  struct fetch_query *q = arg;
  CLEANUP(arena_cleanup) struct arena *arena = arena_new(BESIDE_ARENA);
  Analytics__Report__V1__FetchReportsResponse response =
      ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  keep(q);
  response.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_QUERY_DONE;
  response.query_done = fetch_query_done(q, arena);
  if (response.query_done == NULL) {
    struct err e = {0};
    err_set(&e, ERR_INTERNAL, "internal", "the aggregates of the report are too large");
    fetch_query_end(q, &e);
    return;
  }
  enum err_code code = rpc_call_send(fetch_of(q)->call, &response.base);
  if (code == ERR_RESOURCE_EXHAUSTED) {
    q->waiter = (struct fetch_waiter){.go = send_query_done, .arg = q};
    fetch_park(fetch_of(q), &q->waiter);
    return;
  }
  struct err e = {.code = code};
  fetch_query_end(q, code == ERR_OK ? NULL : &e);
}

static void flush(void *arg)
{
  struct fetch_query *q = arg;
  enum err_code code = ERR_OK;
  if (dealer_failed(q)) {
    fetch_query_end(q, NULL);
    return;
  }
  if (columns_rows(q->columns) > 0)
    code = fetch_query_send_chunk(q);
  if (code == ERR_RESOURCE_EXHAUSTED) {
    q->waiter = (struct fetch_waiter){.go = flush, .arg = q};
    fetch_park(fetch_of(q), &q->waiter);
  } else if (code != ERR_OK) {
    struct err e = {.code = code};
    fetch_query_end(q, &e);
  } else {
    send_query_done(q);
  }
}

void fetch_query_flush(struct fetch_query *q)
{
  flush(q);
}

/* ------------------------------------------------------------------ what is kept */

/* All of it is sent, or all but the last chunk, which is gathered. */
static void end_kept(struct fetch_query *q)
{
  const struct answer_list *chunks = &q->kept->lists[0];
  q->rest = (const Analytics__Ga4__V1beta__RunReportResponse *)q->kept->message;
  if (!fetch_of(q)->request->gather) {
    send_query_done(q);
    return;
  }
  if (q->kept_sent < chunks->n)
    q->rows += ((const Chunk *)chunks->items[q->kept_sent])->row_count;
  gather(q);
}

static void send_kept(void *arg)
{
  struct fetch_query *q = arg;
  const struct answer_list *chunks = &q->kept->lists[0];
  size_t n = chunks->n - (fetch_of(q)->request->gather && chunks->n > 0);
  enum err_code code = ERR_OK;
  while (q->kept_sent < n && code == ERR_OK && !dealer_failed(q)) {
    Chunk chunk = *(const Chunk *)chunks->items[q->kept_sent];
    code = send_chunk(q, &chunk);
    if (code == ERR_OK) {
      q->rows += chunk.row_count;
      q->kept_sent++;
    }
  }
  if (code == ERR_RESOURCE_EXHAUSTED) {
    q->waiter = (struct fetch_waiter){.go = send_kept, .arg = q};
    fetch_park(fetch_of(q), &q->waiter);
  } else if (code != ERR_OK || q->kept_sent < n) {
    struct err e = {.code = code};
    fetch_query_end(q, code == ERR_OK ? NULL : &e);
  } else {
    end_kept(q);
  }
}

void fetch_query_send_kept(struct fetch_query *q)
{
  send_kept(q);
}

/* ------------------------------------------------------------------ pages */

/* What has come, in Google's unit. A whole page goes up to its limit or to the end. */
static int64_t counted(const struct fetch_query *q)
{
  int64_t end = q->offset + fetch_of(q)->service->page_rows;
  return seen_counted(q->seen, end < q->row_count ? end : q->row_count);
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
  int64_t taken = counted(q);
  bool no_progress = q->shape.rows == 0 && taken < q->row_count;
  if (taken > q->row_count || no_progress || q->page_rows != q->shape.rows)
    return err_set(e, ERR_ABORTED, "inconsistent_paging",
                   "Google announced %" PRId64 " rows and delivered %" PRId64
                   "; the data changed while it was read, try again",
                   q->row_count, taken);
  return ERR_OK;
}

enum err_code fetch_query_rest(struct fetch_query *q,
                               const Analytics__Ga4__V1beta__RunReportResponse *rest, struct err *e)
{
  q->rest = rest;
  google_saw_quota(fetch_of(q)->service->google, q->dealer->property, rest->property_quota,
                   q->dealer->opaque);
  q->row_count = rest->row_count;
  return check_count(q, e);
}

static void next_page(struct fetch_query *q, struct token *token)
{
  q->offset = counted(q);
  fetch_page_start(&q->page, q, 1, token);
}

/* All rows are there: what is left of them is sent, now or with the dealer, and the report kept. */
static void finish_page(struct fetch_query *q, struct token *token)
{
  q->token = token_ref(token);
  if (fetch_of(q)->request->gather)
    gather(q);
  else
    flush(q);
}

void fetch_query_page_ended(struct fetch_query *q, struct token *token, const struct err *e)
{
  if (e->code != ERR_OK)
    fetch_query_end(q, e);
  else if (q->kept != NULL)
    fetch_query_send_kept(q);
  else if (counted(q) < q->row_count)
    next_page(q, token);
  else
    finish_page(q, token);
}
