/* One dealer of FetchReports: its queries side by side, then DealerDone. */
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/fetch/fetch.h"

/* Sends DealerDone; comes again when there was no room. */
static void send_done(void *arg)
{
  struct fetch_dealer *d = arg;
  struct fetch *f = d->fetch;
  Analytics__Report__V1__DealerDone done = ANALYTICS__REPORT__V1__DEALER_DONE__INIT;
  Analytics__Report__V1__FetchReportsResponse response =
      ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__INIT;
  done.dealer_index = d->index;
  done.code = (int32_t)d->error.code;
  done.reason = d->error.reason;
  done.message = d->error.message;
  done.property_id = d->property;
  response.event_case = ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE;
  response.dealer_done = &done;
  enum err_code code = rpc_call_send(f->call, &response.base);
  if (code == ERR_RESOURCE_EXHAUSTED) {
    d->waiter = (struct fetch_waiter){.go = send_done, .arg = d};
    fetch_park(f, &d->waiter);
    return;
  }
  pthread_mutex_lock(&f->lock);
  struct fetch_query *queries = TAKE_PTR(d->queries);
  f->cancelled |= code != ERR_OK; /* nobody is there to hear of the others */
  pthread_mutex_unlock(&f->lock);
  for (size_t i = 0; i < f->request->n_queries; i++)
    fetch_query_free(&queries[i]);
  free(queries);
  fetch_pump(f, 1); /* d may be gone after this */
}

/* References to the dealer's other calls, to be cancelled. Under the lock. */
static size_t others(struct google_call **out, struct fetch_dealer *d)
{
  size_t n = 0;
  for (size_t i = 0; i < d->fetch->request->n_queries; i++) {
    if (d->queries[i].google != NULL)
      out[n++] = google_call_ref(d->queries[i].google);
  }
  return n;
}

void fetch_dealer_query_ended(struct fetch_dealer *d, const struct err *e)
{
  struct fetch *f = d->fetch;
  struct google_call *cancel[FETCH_MAX_QUERIES];
  size_t n = 0;
  pthread_mutex_lock(&f->lock);
  if (e != NULL && d->error.code == ERR_OK) {
    d->error = *e;
    n = others(cancel, d);
  }
  bool last = --d->open == 0;
  pthread_mutex_unlock(&f->lock);
  for (size_t i = 0; i < n; i++) { /* d may be gone after the first */
    google_call_cancel(cancel[i]);
    google_call_unref(cancel[i]);
  }
  if (last)
    send_done(d);
}

void fetch_dealer_start(struct fetch_dealer *d)
{
  struct fetch *f = d->fetch;
  size_t n = f->request->n_queries;
  struct fetch_query *queries = xcalloc(n, sizeof(*queries));
  for (size_t i = 0; i < n; i++) {
    queries[i].dealer = d;
    queries[i].query = f->request->queries[i];
  }
  pthread_mutex_lock(&f->lock);
  d->queries = queries;
  d->open = n + 1; /* one for this function: the dealer stays until all are started */
  pthread_mutex_unlock(&f->lock);
  for (size_t i = 0; i < n; i++)
    fetch_query_start(&queries[i]);
  fetch_dealer_query_ended(d, NULL);
}
