/* Equal questions in flight, by the key of their answers in the cache. */
#include "report-svc/ask/flight.h"

#include <pthread.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

struct flight {
  struct map_node in_map;
  struct flight_waiter *waiters;
  char key[];
};

struct flights {
  struct metric *shared;
  pthread_mutex_t lock;
  struct map map; /* as many as questions are under way */
};

struct flights *flights_new(void)
{
  struct flights *f = xcalloc(1, sizeof(*f));
  pthread_mutex_init(&f->lock, NULL);
  f->shared = metrics_counter("report_shared_answers_total",
                              "Questions that took the answer of an equal one under way.", NULL);
  return f;
}

void flights_free(struct flights *f)
{
  if (f == NULL)
    return;
  map_free(&f->map);
  pthread_mutex_destroy(&f->lock);
  free(f);
}

static struct flight *find(const struct flights *f, const struct buf *key)
{
  return CONTAINER_OF(map_find(&f->map, buf_str(key), key->len), struct flight, in_map);
}

struct flight *flights_lead(struct flights *f, const struct buf *key)
{
  struct flight *flight = NULL;
  pthread_mutex_lock(&f->lock);
  if (find(f, key) == NULL) {
    flight = xcalloc(1, sizeof(*flight) + key->len);
    memcpy(flight->key, buf_str(key), key->len);
    map_add(&f->map, &flight->in_map, flight->key, key->len);
  }
  pthread_mutex_unlock(&f->lock);
  return flight;
}

bool flights_wait(struct flights *f, const struct buf *key, struct flight_waiter *waiter)
{
  pthread_mutex_lock(&f->lock);
  struct flight *flight = find(f, key);
  if (flight != NULL) {
    waiter->flight = flight;
    waiter->next = flight->waiters;
    flight->waiters = waiter;
  }
  pthread_mutex_unlock(&f->lock);
  return flight != NULL;
}

bool flights_leave(struct flights *f, struct flight_waiter *waiter)
{
  pthread_mutex_lock(&f->lock);
  bool waits = waiter->flight != NULL;
  if (waits) {
    struct flight_waiter **at = &waiter->flight->waiters;
    while (*at != waiter)
      at = &(*at)->next;
    *at = waiter->next;
    waiter->flight = NULL;
  }
  pthread_mutex_unlock(&f->lock);
  return waits;
}

void flights_end(struct flights *f, struct flight *flight, struct answer *answer,
                 const struct err *e)
{
  pthread_mutex_lock(&f->lock);
  map_remove(&f->map, &flight->in_map);
  struct flight_waiter *w = flight->waiters;
  for (struct flight_waiter *i = w; i != NULL; i = i->next)
    i->flight = NULL;
  pthread_mutex_unlock(&f->lock);
  free(flight);
  while (w != NULL) { /* a waiter may be gone after its on_end */
    struct flight_waiter *next = w->next;
    metric_add(f->shared, e->code == ERR_OK, NULL);
    w->on_end(w->user, answer, e);
    w = next;
  }
}
