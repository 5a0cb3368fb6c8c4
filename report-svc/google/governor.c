/* Places per property: a queue per key, and a ring of the keys that could go on.
 *
 *     keys -> key "properties/1": active 10, queue t4 t5 t6        (full: not in the ring)
 *             key "properties/2": active 3,  queue t7        <- ready_first
 *             key "properties/3": active 0,  queue t8 t9     <- ready_last
 *
 * A key is in the ring while it has a waiter that may go on: fewer than per_key requests are under
 * way, and for a guest fewer than per_key_guests of guests. Guests wait in a line of their own, so
 * that they hold up nobody; of two first ones that may go on, the one that came first does. Each
 * turn takes the first key of the ring, admits its first waiter, and puts the key back at the end:
 * waiters of one property are served in order, properties in turn, and a dealer with thousands of
 * requests delays another by one turn. A key lives while it has requests under way, waiters or a
 * seat in the ring, so the table is as large as the work at the moment.
 *
 * Tickets belong to their owners and are linked into the queue; the governor allocates nothing for
 * them. on_admitted runs without the lock, one thread at a time: an owner that gives its place back
 * inside its callback does not recurse, because the thread that is handing out places goes round
 * once more and finds it. Deadlines are kept by governor_expire(), which the caller's clock runs
 * while anybody waits. */
#include "report-svc/google/governor.h"

#include <pthread.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/mem.h"

struct line {
  struct governor_ticket *first, *last;
};

struct governor_key {
  struct map_node in_map;
  struct governor_key *next_ready;
  struct line lines[2];  /* waiting: owners, guests */
  size_t active, guests; /* under way, and of those, guests */
  bool ready;            /* in the ring */
  char name[];
};

struct governor {
  struct governor_options options;
  pthread_mutex_t lock;
  struct map keys;
  struct governor_key *ready_first, *ready_last;
  size_t active, waiting;
  uint64_t turns; /* given out to those that queue */
  bool dispatching;
};

struct governor *governor_new(const struct governor_options *options)
{
  struct governor *g = xcalloc(1, sizeof(*g));
  g->options = *options;
  if (g->options.per_key_guests == 0)
    g->options.per_key_guests = g->options.per_key;
  pthread_mutex_init(&g->lock, NULL);
  return g;
}

void governor_free(struct governor *g)
{
  if (g == NULL)
    return;
  map_free(&g->keys);
  pthread_mutex_destroy(&g->lock);
  free(g);
}

static struct governor_key *find_or_add(struct governor *g, const char *name)
{
  struct map_node *node = map_find_text(&g->keys, name);
  if (node != NULL)
    return CONTAINER_OF(node, struct governor_key, in_map);
  size_t size = strlen(name) + 1;
  struct governor_key *key = xcalloc(1, sizeof(*key) + size);
  memcpy(key->name, name, size);
  map_add_text(&g->keys, &key->in_map, key->name);
  return key;
}

static void drop_if_idle(struct governor *g, struct governor_key *key)
{
  if (key->active > 0 || key->lines[0].first != NULL || key->lines[1].first != NULL || key->ready)
    return;
  map_remove(&g->keys, &key->in_map);
  free(key);
}

/* The waiter of a key that may go on; NULL when none may. */
static struct governor_ticket *next_of(const struct governor *g, const struct governor_key *key)
{
  struct governor_ticket *owner = key->lines[0].first, *guest = key->lines[1].first;
  if (key->active >= g->options.per_key)
    return NULL;
  if (key->guests >= g->options.per_key_guests)
    guest = NULL;
  if (owner == NULL || guest == NULL)
    return owner != NULL ? owner : guest;
  return owner->turn < guest->turn ? owner : guest;
}

/* Puts a key that could go on at the end of the ring. */
static void make_ready(struct governor *g, struct governor_key *key)
{
  if (key->ready || next_of(g, key) == NULL)
    return;
  key->ready = true;
  key->next_ready = NULL;
  if (g->ready_last != NULL)
    g->ready_last->next_ready = key;
  else
    g->ready_first = key;
  g->ready_last = key;
}

static struct governor_key *take_ready(struct governor *g)
{
  struct governor_key *key = g->ready_first;
  g->ready_first = key->next_ready;
  if (g->ready_first == NULL)
    g->ready_last = NULL;
  key->ready = false;
  return key;
}

static void unlink_ticket(struct governor *g, struct governor_ticket *t)
{
  struct line *line = &t->key->lines[t->guest];
  *(t->prev != NULL ? &t->prev->next : &line->first) = t->next;
  *(t->next != NULL ? &t->next->prev : &line->last) = t->prev;
  t->prev = t->next = NULL;
  t->queued = false;
  g->waiting--;
}

/* The next ticket to admit, already counted; NULL when none can be. */
static struct governor_ticket *admit_one(struct governor *g)
{
  while (g->active < g->options.total && g->ready_first != NULL) {
    struct governor_key *key = take_ready(g);
    struct governor_ticket *t = next_of(g, key);
    if (t == NULL) { /* its waiters went away */
      drop_if_idle(g, key);
      continue;
    }
    unlink_ticket(g, t);
    key->active++;
    key->guests += t->guest;
    g->active++;
    make_ready(g, key);
    return t;
  }
  return NULL;
}

/* Hands out places; enters and leaves with the lock held. */
static void dispatch(struct governor *g)
{
  static const struct err ok = {0};
  if (g->dispatching)
    return;
  g->dispatching = true;
  struct governor_ticket *t;
  while ((t = admit_one(g)) != NULL) {
    pthread_mutex_unlock(&g->lock);
    t->on_admitted(t->user, &ok);
    pthread_mutex_lock(&g->lock);
  }
  g->dispatching = false;
}

static void enqueue(struct governor *g, struct governor_ticket *t, const char *name)
{
  struct governor_key *key = find_or_add(g, name);
  struct line *line = &key->lines[t->guest];
  t->key = key;
  t->turn = g->turns++;
  t->next = NULL;
  t->prev = line->last;
  *(line->last != NULL ? &line->last->next : &line->first) = t;
  line->last = t;
  t->queued = true;
  g->waiting++;
  make_ready(g, key);
}

/* Whether a place is free for the ticket, and nobody before it. */
static bool has_place(const struct governor *g, const struct governor_ticket *t, const char *name)
{
  struct map_node *node = map_find_text(&g->keys, name);
  if (g->active >= g->options.total || g->ready_first != NULL)
    return false;
  if (node == NULL)
    return true;
  const struct governor_key *key = CONTAINER_OF(node, struct governor_key, in_map);
  return key->active < g->options.per_key && key->lines[t->guest].first == NULL &&
         (!t->guest || key->guests < g->options.per_key_guests);
}

void governor_acquire(struct governor *g, struct governor_ticket *t, const char *name)
{
  pthread_mutex_lock(&g->lock);
  if (t->on_wait != NULL && !has_place(g, t, name)) {
    pthread_mutex_unlock(&g->lock);
    t->on_wait(t->user);
    pthread_mutex_lock(&g->lock);
  }
  if (g->waiting >= g->options.waiting_max) {
    pthread_mutex_unlock(&g->lock);
    struct err e;
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "busy",
            "too many reports wait for Google already; try again in a minute");
    t->on_admitted(t->user, &e);
    return;
  }
  enqueue(g, t, name);
  dispatch(g);
  pthread_mutex_unlock(&g->lock);
}

bool governor_cancel(struct governor *g, struct governor_ticket *t)
{
  pthread_mutex_lock(&g->lock);
  bool queued = t->queued;
  if (queued) {
    unlink_ticket(g, t);
    drop_if_idle(g, t->key);
  }
  pthread_mutex_unlock(&g->lock);
  return queued;
}

void governor_release(struct governor *g, struct governor_ticket *t)
{
  pthread_mutex_lock(&g->lock);
  struct governor_key *key = t->key;
  key->active--;
  key->guests -= t->guest;
  g->active--;
  make_ready(g, key);
  drop_if_idle(g, key);
  dispatch(g);
  pthread_mutex_unlock(&g->lock);
}

static struct governor_ticket *expired_in(const struct line *line, int64_t now_ms)
{
  struct governor_ticket *t = line->first;
  while (t != NULL && t->deadline_ms > now_ms)
    t = t->next;
  return t;
}

static struct governor_ticket *first_expired(struct governor *g, int64_t now_ms)
{
  struct governor_ticket *t = NULL;
  for (struct map_node *n = map_first(&g->keys); n != NULL && t == NULL;
       n = map_next(&g->keys, n)) {
    const struct governor_key *key = CONTAINER_OF(n, struct governor_key, in_map);
    t = expired_in(&key->lines[0], now_ms);
    if (t == NULL)
      t = expired_in(&key->lines[1], now_ms);
  }
  return t;
}

enum err_code governor_too_late(const struct governor *g, struct err *e)
{
  return err_set(
      e, ERR_DEADLINE_EXCEEDED, "timeout",
      "the report waited too long for a place at Google (at most %zu at once per property); try "
      "again in half a minute",
      g->options.per_key);
}

void governor_expire(struct governor *g, int64_t now_ms)
{
  struct governor_ticket *t;
  struct err e;
  governor_too_late(g, &e);
  pthread_mutex_lock(&g->lock);
  while ((t = first_expired(g, now_ms)) != NULL) {
    unlink_ticket(g, t);
    drop_if_idle(g, t->key);
    pthread_mutex_unlock(&g->lock);
    t->on_admitted(t->user, &e);
    pthread_mutex_lock(&g->lock);
  }
  pthread_mutex_unlock(&g->lock);
}

size_t governor_waiting(struct governor *g)
{
  pthread_mutex_lock(&g->lock);
  size_t n = g->waiting;
  pthread_mutex_unlock(&g->lock);
  return n;
}

size_t governor_active(struct governor *g)
{
  pthread_mutex_lock(&g->lock);
  size_t n = g->active;
  pthread_mutex_unlock(&g->lock);
  return n;
}
