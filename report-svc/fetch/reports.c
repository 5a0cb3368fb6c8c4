/* FetchReports: the same reports for many dealers, streamed by column.
 *
 *     fetch (this file) -> dealer (dealer.c), up to fan_out at once
 *                            -> query (query.c), all of a dealer at once
 *                                 -> page after page (page.c): a google_call each
 *
 * fetch_pump() is the only place that starts dealers and ends the call. It runs whenever a dealer
 * has ended, on whatever thread that happened; only one thread is inside at a time, and one that
 * comes meanwhile asks it to go round once more, so starting a dealer that ends at once does not
 * recurse.
 *
 * Rows go straight from a transfer into columns and from there into the stream. When the stream is
 * full the query stops its transfer and parks a waiter; on_writable() wakes all that are parked.
 * The list of waiters points into queries and dealers, so a page that ends while its query is
 * parked keeps its end until it is woken: a query is never freed under the list.
 *
 * Each dealer under way is counted in `active` and keeps the fetch alive; it is counted off by the
 * fetch_pump() that follows its DealerDone, and whoever calls that may not touch the fetch again.
 * The lock guards the lists, counts and handles; it is never held while something is sent, started
 * or cancelled. */
#include "report-svc/fetch/reports.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/fetch/fetch.h"
#include "report-svc/own/own.h"

#include <stdio.h>

#define FETCH_MAGIC 0x66746368u

/* ------------------------------------------------------------------ room in the stream */

static void on_writable(void *arg)
{
  struct fetch *f = arg;
  MAGIC_CHECK(f, FETCH_MAGIC);
  pthread_mutex_lock(&f->lock);
  struct fetch_waiter *w = f->waiters;
  f->waiters = f->last_waiter = NULL;
  pthread_mutex_unlock(&f->lock);
  while (w != NULL) { /* the last one may free f */
    struct fetch_waiter *next = w->next;
    w->go(w->arg);
    w = next;
  }
}

void fetch_park(struct fetch *f, struct fetch_waiter *waiter)
{
  pthread_mutex_lock(&f->lock);
  bool armed = f->waiters != NULL;
  waiter->next = NULL;
  waiter->parked = true;
  *(f->last_waiter != NULL ? &f->last_waiter->next : &f->waiters) = waiter;
  f->last_waiter = waiter;
  pthread_mutex_unlock(&f->lock);
  if (!armed)
    rpc_call_on_writable(f->call, on_writable, f);
}

/* ------------------------------------------------------------------ dealers */

static void fetch_free(struct fetch *f)
{
  for (size_t i = 0; i < f->request->n_dealer_refs; i++)
    fetch_dealer_free(&f->dealers[i]);
  free(f->dealers);
  pthread_mutex_destroy(&f->lock);
  f->magic = 0;
  free(f);
}

static void fetch_finish(struct fetch *f)
{
  struct err e = {0};
  struct rpc_call *call = f->call;
  if (f->error.code != ERR_OK)
    e = f->error;
  else if (f->cancelled)
    err_set(&e, ERR_CANCELLED, "cancelled", "the caller went away");
  rpc_call_on_cancel(call, NULL, NULL);
  rpc_call_ref(call); /* the request lives as long as the call */
  rpc_call_finish(call, &e);
  fetch_free(f);
  rpc_call_unref(call);
}

size_t fetch_most_at_once(const struct fetch *f)
{
  return f->service->fan_out == 0 ? FETCH_FAN_OUT : f->service->fan_out;
}

/* The next dealer to start; NULL when there is none or enough are under way. */
static struct fetch_dealer *take_dealer(struct fetch *f)
{
  if (f->cancelled || f->active >= fetch_most_at_once(f) || f->next == f->request->n_dealer_refs)
    return NULL;
  f->active++;
  return &f->dealers[f->next++];
}

void fetch_pump(struct fetch *f, size_t ended)
{
  pthread_mutex_lock(&f->lock);
  f->active -= ended;
  f->again = true;
  if (f->pumping) { /* the thread that is at it goes round once more */
    pthread_mutex_unlock(&f->lock);
    return;
  }
  f->pumping = true;
  while (f->again) {
    struct fetch_dealer *d;
    f->again = false;
    while ((d = take_dealer(f)) != NULL) {
      pthread_mutex_unlock(&f->lock);
      fetch_dealer_start(d);
      pthread_mutex_lock(&f->lock);
    }
  }
  f->pumping = false;
  bool all = f->cancelled || f->next == f->request->n_dealer_refs;
  bool finish = all && f->active == 0 && !f->finished;
  f->finished |= finish;
  pthread_mutex_unlock(&f->lock);
  if (finish)
    fetch_finish(f);
}

/* ------------------------------------------------------------------ cancel */

struct fetch_call *fetch_calls_under_way(size_t *n, const struct fetch *f)
{
  size_t most = f->request->n_dealer_refs * FETCH_MAX_CALLS;
  struct fetch_call *calls = xcalloc(most + 1, sizeof(*calls));
  *n = 0;
  for (size_t i = 0; i < f->next; i++)
    *n += fetch_dealer_calls(calls + *n, &f->dealers[i]);
  return calls;
}

/* After the first cancel the fetch may be gone: only the list is used then. */
static void on_cancel(void *arg)
{
  struct fetch *f = arg;
  MAGIC_CHECK(f, FETCH_MAGIC);
  size_t n;
  pthread_mutex_lock(&f->lock);
  f->cancelled = true;
  struct fetch_call *calls = fetch_calls_under_way(&n, f);
  pthread_mutex_unlock(&f->lock);
  fetch_cancel_calls(calls, n);
}

/* ------------------------------------------------------------------ start */

static enum err_code check_query(const Analytics__Report__V1__FetchReportsRequest *request,
                                 size_t i, struct err *e)
{
  char path[48];
  const Analytics__Report__V1__ReportQuery *query = request->queries[i];
  for (size_t k = 0; k < i; k++) {
    if (request->queries[k]->query_id == query->query_id)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "queries[%zu].query_id: %u occurs twice", i, query->query_id);
  }
  if (query->report == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "queries[%zu].report: missing", i);
  snprintf(path, sizeof(path), "queries[%zu].report.", i);
  if (request_check_report(query->report, path, e) == ERR_OK && own_is_asked(query->report))
    own_check(query->report, e);
  return e->code;
}

static enum err_code check_request(const Analytics__Report__V1__FetchReportsRequest *request,
                                   struct err *e)
{
  if (request->n_dealer_refs == 0 || request->n_dealer_refs > FETCH_MAX_DEALERS)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "dealer_refs: expected 1 to %d, got %zu", FETCH_MAX_DEALERS,
                   request->n_dealer_refs);
  if (request->n_queries == 0 || request->n_queries > FETCH_MAX_QUERIES)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "queries: expected 1 to %d, got %zu", FETCH_MAX_QUERIES, request->n_queries);
  if (request->max_rows_per_report < 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "max_rows_per_report: must not be negative");
  for (size_t i = 0; i < request->n_queries; i++) {
    if (check_query(request, i, e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}

/* What is sent: every row has its place, and the quota is known afterwards. */
static bool complete_reports(struct fetch *f, struct arena *arena)
{
  for (size_t i = 0; i < f->request->n_queries; i++) {
    f->reports[i] = *f->request->queries[i]->report;
    f->reports[i].return_property_quota = true;
    if (!request_complete_order(&f->reports[i], arena) ||
        !request_complete_cohorts(&f->reports[i].cohort_spec, arena))
      return false;
  }
  return true;
}

void fetch_reports_handle(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  const Analytics__Report__V1__FetchReportsRequest *request = (const void *)message;
  struct err e = {0};
  if (check_request(request, &e) != ERR_OK) {
    rpc_call_finish(call, &e);
    return;
  }
  struct fetch *f = xcalloc(1, sizeof(*f));
  f->magic = FETCH_MAGIC;
  f->service = service;
  f->call = call;
  f->request = request;
  f->max_rows =
      request->max_rows_per_report == 0 ? FETCH_DEFAULT_MAX_ROWS : request->max_rows_per_report;
  f->own = fetch_is_own(request);
  f->group.intake = &f->service->intake;
  f->deadline_ms = google_work_deadline_ms(f->service->google, call);
  if (!complete_reports(f, rpc_call_arena(call))) {
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
    free(f);
    rpc_call_finish(call, &e);
    return;
  }
  pthread_mutex_init(&f->lock, NULL);
  f->dealers = xcalloc(request->n_dealer_refs, sizeof(*f->dealers));
  for (size_t i = 0; i < request->n_dealer_refs; i++) {
    f->dealers[i].fetch = f;
    f->dealers[i].index = (uint32_t)i;
    f->dealers[i].share.group = &f->group;
  }
  rpc_call_on_cancel(call, on_cancel, f);
  fetch_tokens_seek(f);
}
