/* Entries in a list, and one thread that starts what is due. */
#include "aggregate-svc/call/finish.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

struct finish_queue {
  struct finish_options options;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool ending;
  struct finish_entry *entries;
  size_t n, running;
};

/* ------------------------------------------------------------ all under the lock */

static void set_state(struct finish_queue *q, struct finish_entry *x, enum finish_state state)
{
  q->running += state == FINISH_RUNNING;
  q->running -= x->state == FINISH_RUNNING;
  x->state = state;
  pthread_cond_broadcast(&q->changed);
}

static void take_out(struct finish_queue *q, struct finish_entry *x)
{
  struct finish_entry **link = &q->entries;
  if (x->state == FINISH_OUT)
    return;
  while (*link != x)
    link = &(*link)->next;
  *link = x->next;
  q->n--;
  free(TAKE_PTR(x->key));
  free(TAKE_PTR(x->viewer));
  set_state(q, x, FINISH_OUT);
}

static size_t count_of(const struct finish_queue *q, const char *viewer)
{
  size_t n = 0;
  for (const struct finish_entry *x = q->entries; x != NULL; x = x->next)
    n += strcmp(x->viewer, viewer) == 0;
  return n;
}

static struct finish_entry *find(const struct finish_queue *q, const char *key)
{
  struct finish_entry *x = q->entries;
  while (x != NULL && strcmp(x->key, key) != 0)
    x = x->next;
  return x;
}

/* The one that waits and is due first; NULL for none. */
static struct finish_entry *first_due(const struct finish_queue *q)
{
  struct finish_entry *first = NULL;
  for (struct finish_entry *x = q->entries; x != NULL; x = x->next)
    if (x->state == FINISH_WAITING && (first == NULL || x->due_ms < first->due_ms))
      first = x;
  return first;
}

static int64_t delay_of(const struct finish_queue *q, const struct finish_entry *x)
{
  int64_t delay = q->options.delay_ms;
  for (int64_t i = 0; i < x->attempts && delay < q->options.longest_ms; i++)
    delay *= 2;
  return delay;
}

static bool has_room(const struct finish_queue *q, const char *viewer)
{
  return !q->ending && (int64_t)q->n < q->options.max_entries &&
         (int64_t)count_of(q, viewer) < q->options.max_per_viewer;
}

/* ------------------------------------------------------------------------- thread */

/* Starts one that is due, without the lock. */
static void start(struct finish_queue *q, struct finish_entry *x)
{
  x->attempts++;
  set_state(q, x, FINISH_RUNNING);
  pthread_mutex_unlock(&q->lock);
  q->options.start(x);
  pthread_mutex_lock(&q->lock);
}

static void *serve(void *arg)
{
  struct finish_queue *q = arg;
  pthread_mutex_lock(&q->lock);
  while (!q->ending) {
    struct finish_entry *x = first_due(q);
    if (x == NULL)
      pthread_cond_wait(&q->changed, &q->lock);
    else if (x->due_ms > clock_mono_ms())
      wait_until(&q->changed, &q->lock, x->due_ms);
    else
      start(q, x);
  }
  pthread_mutex_unlock(&q->lock);
  return NULL;
}

struct finish_queue *finish_new(const struct finish_options *options)
{
  struct finish_queue *q = xcalloc(1, sizeof(*q));
  q->options = *options;
  pthread_mutex_init(&q->lock, NULL);
  wait_init(&q->changed);
  if (pthread_create(&q->thread, NULL, serve, q) != 0)
    abort();
  return q;
}

/* ---------------------------------------------------------------------------- end */

/* One that waits, taken out; NULL for none. */
static struct finish_entry *take_waiting(struct finish_queue *q)
{
  pthread_mutex_lock(&q->lock);
  struct finish_entry *x = first_due(q);
  if (x != NULL)
    take_out(q, x);
  pthread_mutex_unlock(&q->lock);
  return x;
}

void finish_stop(struct finish_queue *q)
{
  struct finish_entry *x;
  pthread_mutex_lock(&q->lock);
  q->ending = true;
  pthread_cond_broadcast(&q->changed);
  pthread_mutex_unlock(&q->lock);
  pthread_join(q->thread, NULL); /* no start() is under way from here on */
  while ((x = take_waiting(q)) != NULL)
    q->options.drop(x);
  pthread_mutex_lock(&q->lock);
  for (x = q->entries; x != NULL; x = x->next)
    if (x->state == FINISH_RUNNING)
      q->options.cancel(x);
  while (q->running > 0)
    pthread_cond_wait(&q->changed, &q->lock);
  pthread_mutex_unlock(&q->lock);
}

void finish_free(struct finish_queue *q)
{
  if (q == NULL)
    return;
  pthread_cond_destroy(&q->changed);
  pthread_mutex_destroy(&q->lock);
  free(q);
}

/* ------------------------------------------------------------------------ entries */

enum finish_admission finish_admit(struct finish_queue *q, struct finish_entry *x, const char *key,
                                   const char *viewer, int64_t *due_unix_ms)
{
  enum finish_admission admission = FINISH_REFUSED;
  int64_t now = clock_mono_ms(), due = now;
  pthread_mutex_lock(&q->lock);
  struct finish_entry *other = find(q, key);
  if (other != NULL && !q->ending) {
    admission = FINISH_THERE;
    due = other->state == FINISH_WAITING ? other->due_ms : now + delay_of(q, other);
  } else if (has_room(q, viewer)) {
    admission = FINISH_TAKEN;
    *x = (struct finish_entry){.key = xstrdup(key),
                               .viewer = xstrdup(viewer),
                               .until_ms = now + q->options.longest_ms,
                               .next = q->entries};
    q->entries = x;
    q->n++;
    set_state(q, x, FINISH_ADMITTED);
    due = now + delay_of(q, x);
  }
  pthread_mutex_unlock(&q->lock);
  *due_unix_ms = clock_unix_ms() + (due > now ? due - now : 0);
  return admission;
}

bool finish_again(struct finish_queue *q, struct finish_entry *x)
{
  pthread_mutex_lock(&q->lock);
  int64_t due = clock_mono_ms() + delay_of(q, x);
  bool again = !q->ending && x->attempts < q->options.max_attempts && due <= x->until_ms;
  if (again) {
    x->due_ms = due;
    set_state(q, x, FINISH_WAITING);
  } else {
    take_out(q, x);
  }
  pthread_mutex_unlock(&q->lock);
  return again;
}

void finish_leave(struct finish_queue *q, struct finish_entry *x)
{
  pthread_mutex_lock(&q->lock);
  take_out(q, x);
  pthread_mutex_unlock(&q->lock);
}

size_t finish_count(struct finish_queue *q)
{
  pthread_mutex_lock(&q->lock);
  size_t n = q->n;
  pthread_mutex_unlock(&q->lock);
  return n;
}
