/* A bounded ring. Each place has a turn, which says whose move it is: turn == position, the place
 * is free for the writer of that position; turn == position + 1, it holds what the reader of that
 * position takes, who then gives it to the writer one round later (turn = position + size). Writers
 * settle among themselves who has a position by compare-and-swap on `tail`. */
#include "common/otlp/queue.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "common/trace/span.h"

struct place {
  atomic_size_t turn;
  struct span *span;
};

struct otlp_queue {
  size_t mask;
  struct place *places;
  alignas(64) atomic_size_t tail; /* next position to write */
  alignas(64) atomic_size_t head; /* next position to read */
};

struct otlp_queue *otlp_queue_new(size_t size)
{
  size_t n = 2;
  while (n < size)
    n *= 2;
  struct otlp_queue *q = aligned_alloc(64, sizeof(*q));
  if (q == NULL)
    abort();
  q->mask = n - 1;
  q->places = xcalloc(n, sizeof(*q->places));
  for (size_t i = 0; i < n; i++)
    atomic_init(&q->places[i].turn, i);
  atomic_init(&q->tail, 0);
  atomic_init(&q->head, 0);
  return q;
}

void otlp_queue_free(struct otlp_queue *q)
{
  if (q == NULL)
    return;
  for (struct span *s = otlp_queue_take(q); s != NULL; s = otlp_queue_take(q))
    span_free(s);
  free(q->places);
  free(q);
}

bool otlp_queue_put(struct otlp_queue *q, struct span *s)
{
  size_t at = atomic_load_explicit(&q->tail, memory_order_relaxed);
  for (;;) {
    struct place *p = &q->places[at & q->mask];
    size_t turn = atomic_load_explicit(&p->turn, memory_order_acquire);
    intptr_t ahead = (intptr_t)(turn - at);
    if (ahead < 0)
      return false; /* a round behind: the reader has not been here yet */
    if (ahead > 0) {
      at = atomic_load_explicit(&q->tail, memory_order_relaxed);
    } else if (atomic_compare_exchange_weak_explicit(&q->tail, &at, at + 1, memory_order_relaxed,
                                                     memory_order_relaxed)) {
      p->span = s;
      atomic_store_explicit(&p->turn, at + 1, memory_order_release);
      return true;
    }
  }
}

struct span *otlp_queue_take(struct otlp_queue *q)
{
  size_t at = atomic_load_explicit(&q->head, memory_order_relaxed);
  struct place *p = &q->places[at & q->mask];
  if (atomic_load_explicit(&p->turn, memory_order_acquire) != at + 1)
    return NULL;
  struct span *s = TAKE_PTR(p->span);
  atomic_store_explicit(&p->turn, at + q->mask + 1, memory_order_release);
  atomic_store_explicit(&q->head, at + 1, memory_order_relaxed);
  return s;
}

size_t otlp_queue_len(struct otlp_queue *q)
{
  size_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
  size_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
  return tail > head ? tail - head : 0;
}
