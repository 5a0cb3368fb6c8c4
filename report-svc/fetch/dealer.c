/* One dealer of FetchReports: its queries side by side, then DealerDone. */
#include <stdio.h>

#include "common/base/mem.h"
#include "report-svc/fetch/fetch.h"
#include "report-svc/own/own.h"

enum { DONE_ARENA = FETCH_MAX_QUERIES * 256 * 1024 };

/* The ends of reports that were left to this one. False at the arena's cap. */
static bool put_queries(Analytics__Report__V1__DealerDone *done, const struct fetch_dealer *d,
                        struct arena *arena)
{
  size_t n = d->fetch->request->n_queries;
  done->queries = ARENA_ARRAY(arena, Analytics__Report__V1__QueryDone *, n);
  for (size_t i = 0; done->queries != NULL && i < n; i++) {
    if (!d->queries[i].gathered)
      continue;
    Analytics__Report__V1__QueryDone *query = fetch_query_done(&d->queries[i], arena);
    if (query == NULL)
      return false;
    done->queries[done->n_queries++] = query;
  }
  return done->queries != NULL;
}

/* Sends DealerDone; comes again when there was no room. */
static void send_done(void *arg)
{
  struct fetch_dealer *d = arg;
  struct fetch *f = d->fetch;
  CLEANUP(arena_cleanup) struct arena *arena = arena_new(DONE_ARENA);
  Analytics__Report__V1__DealerDone done = ANALYTICS__REPORT__V1__DEALER_DONE__INIT;
  Analytics__Report__V1__FetchReportsResponse response =
      ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  if (d->error.code == ERR_OK && !put_queries(&done, d, arena)) {
    err_set(&d->error, ERR_INTERNAL, "internal", "the aggregates of the reports are too large");
    done.n_queries = 0;
  }
  done.dealer_index = d->index;
  done.code = (int32_t)d->error.code;
  done.reason = d->error.reason;
  done.message = d->error.message;
  done.property_id = d->property;
  done.properties = (uint32_t)d->properties;
  done.properties_read = (uint32_t)d->properties_read;
  response.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE;
  response.dealer_done = &done;
  enum err_code code = rpc_call_send(f->call, &response.base);
  if (code == ERR_RESOURCE_EXHAUSTED) {
    d->waiter = (struct fetch_waiter){.go = send_done, .arg = d};
    fetch_park(f, &d->waiter);
    return;
  }
  pthread_mutex_lock(&f->lock);
  struct fetch_dealer old = *d;
  d->queries = NULL;
  d->batch = (struct fetch_page){0};
  d->token = NULL;
  f->cancelled |= code != ERR_OK; /* nobody is there to hear of the others */
  pthread_mutex_unlock(&f->lock);
  fetch_dealer_free(&old);
  intake_leave(&d->share);
  fetch_pump(f, 1); /* d may be gone after this */
}

static size_t add_call(struct fetch_call *out, const struct fetch_page *p, struct own_job *own)
{
  struct google_call *google = p->google == NULL ? NULL : google_call_ref(p->google);
  *out = (struct fetch_call){google, own == NULL ? NULL : own_job_ref(own)};
  return google != NULL || own != NULL;
}

size_t fetch_dealer_calls(struct fetch_call *out, const struct fetch_dealer *d)
{
  size_t n = add_call(out, &d->batch, NULL);
  for (size_t i = 0; d->queries != NULL && i < d->fetch->request->n_queries; i++)
    n += add_call(out + n, &d->queries[i].page, d->queries[i].own);
  return n;
}

void fetch_cancel_calls(struct fetch_call *calls, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    google_call_cancel(calls[i].google);
    google_call_unref(calls[i].google);
    if (calls[i].own != NULL)
      own_job_cancel(calls[i].own);
    own_job_unref(calls[i].own);
  }
  free(calls);
}

void fetch_dealer_free(struct fetch_dealer *d)
{
  for (size_t i = 0; d->queries != NULL && i < d->fetch->request->n_queries; i++)
    fetch_query_free(&d->queries[i]);
  free(d->queries);
  fetch_page_free(&d->batch);
  token_unref(d->token);
}

/* What must end because of an error: the dealer's other calls, or all calls when no dealer can
 * answer. The lock is held. */
static struct fetch_call *calls_to_end(size_t *n, struct fetch_dealer *d, const struct err *e)
{
  struct fetch *f = d->fetch;
  d->error = *e;
  if (!request_is_unknown_everywhere(e)) {
    struct fetch_call *calls = xcalloc(FETCH_MAX_CALLS, sizeof(*calls));
    *n = fetch_dealer_calls(calls, d);
    return calls;
  }
  if (f->error.code == ERR_OK && !f->cancelled)
    f->error = *e;
  f->cancelled = true;
  return fetch_calls_under_way(n, f);
}

void fetch_dealer_query_ended(struct fetch_dealer *d, const struct err *e)
{
  struct fetch *f = d->fetch;
  struct fetch_call *calls = NULL;
  size_t n = 0;
  pthread_mutex_lock(&f->lock);
  if (e != NULL && d->error.code == ERR_OK)
    calls = calls_to_end(&n, d, e);
  bool last = --d->open == 0;
  pthread_mutex_unlock(&f->lock);
  fetch_cancel_calls(calls, n); /* d may be gone after this */
  if (last)
    send_done(d);
}

void fetch_dealer_know(struct fetch_dealer *d, const char *property, const struct token *t)
{
  pthread_mutex_lock(&d->fetch->lock);
  if (d->property[0] == '\0') {
    snprintf(d->property, sizeof(d->property), "%s", property);
    d->properties = t->n_property_ids;
    d->opaque = t->opaque;
  }
  pthread_mutex_unlock(&d->fetch->lock);
}

void fetch_dealer_start(struct fetch_dealer *d)
{
  struct fetch *f = d->fetch;
  size_t n = f->request->n_queries;
  struct fetch_query *queries = xcalloc(n, sizeof(*queries));
  for (size_t i = 0; i < n; i++)
    fetch_query_init(&queries[i], d, i);
  pthread_mutex_lock(&f->lock);
  d->queries = queries;
  d->open = n + 1; /* one for this function: the dealer stays until all are started */
  pthread_mutex_unlock(&f->lock);
  d->batch.dealer = d;
  if (f->own)
    for (size_t i = 0; i < n; i++)
      fetch_own_start(&queries[i]);
  else if (f->request->batch && n > 1)
    fetch_page_start(&d->batch, queries, n, d->token);
  else
    for (size_t i = 0; i < n; i++)
      fetch_page_start(&queries[i].page, &queries[i], 1, d->token);
  fetch_dealer_query_ended(d, NULL);
}
