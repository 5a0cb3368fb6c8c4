/* A list whose head is due first, since all wait equally long. */
#include "ga4-sim/stub/queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

struct stub_queue {
  uint32_t delay_ms;
  void (*on_due)(struct stub_waiter *w);
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct stub_waiter *first, **last; /* guarded by lock, like the next */
  bool ending;
};

/* The head once it is due; NULL at the end. The lock is held. */
static struct stub_waiter *next_due(struct stub_queue *q)
{
  for (;;) {
    struct stub_waiter *w = q->first;
    if (w == NULL && q->ending)
      return NULL;
    if (w == NULL) {
      pthread_cond_wait(&q->changed, &q->lock);
    } else if (q->ending || w->due_ms <= clock_mono_ms()) {
      q->first = w->next;
      if (q->first == NULL)
        q->last = &q->first;
      return w;
    } else {
      wait_until(&q->changed, &q->lock, w->due_ms);
    }
  }
}

static void *serve(void *arg)
{
  struct stub_queue *q = arg;
  struct stub_waiter *w;
  pthread_mutex_lock(&q->lock);
  while ((w = next_due(q)) != NULL) {
    pthread_mutex_unlock(&q->lock);
    q->on_due(w);
    pthread_mutex_lock(&q->lock);
  }
  pthread_mutex_unlock(&q->lock);
  return NULL;
}

struct stub_queue *stub_queue_new(uint32_t delay_ms, void (*on_due)(struct stub_waiter *w))
{
  struct stub_queue *q = xcalloc(1, sizeof(*q));
  q->delay_ms = delay_ms;
  q->on_due = on_due;
  q->last = &q->first;
  pthread_mutex_init(&q->lock, NULL);
  wait_init(&q->changed);
  if (pthread_create(&q->thread, NULL, serve, q) != 0)
    abort(); /* a program of one purpose, at its start */
  return q;
}

void stub_queue_add(struct stub_queue *q, struct stub_waiter *w)
{
  w->next = NULL;
  w->due_ms = clock_mono_ms() + q->delay_ms;
  pthread_mutex_lock(&q->lock);
  bool late = q->ending, was_empty = q->first == NULL;
  if (!late) {
    *q->last = w;
    q->last = &w->next;
  }
  if (was_empty)
    pthread_cond_signal(&q->changed);
  pthread_mutex_unlock(&q->lock);
  if (late)
    q->on_due(w);
}

void stub_queue_end(struct stub_queue *q)
{
  pthread_mutex_lock(&q->lock);
  q->ending = true;
  pthread_cond_signal(&q->changed);
  pthread_mutex_unlock(&q->lock);
  pthread_join(q->thread, NULL);
}

void stub_queue_free(struct stub_queue *q)
{
  pthread_cond_destroy(&q->changed);
  pthread_mutex_destroy(&q->lock);
  free(q);
}
