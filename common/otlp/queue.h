/* Spans that wait for export: a ring of fixed size that many threads fill without a lock and one
 * empties. */
#ifndef AMCP_OTLP_QUEUE_H
#define AMCP_OTLP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct otlp_queue;
struct span;

/* At least `size` places, rounded up to a power of two. */
struct otlp_queue *otlp_queue_new(size_t size);
/* Frees the spans that are left. Nobody may use it any more. NULL is fine. */
void otlp_queue_free(struct otlp_queue *q);
/* False: it is full, and the span is the caller's still. Any thread; never waits. */
bool otlp_queue_put(struct otlp_queue *q, struct span *s);
/* The oldest span, which is the caller's from now on; NULL when there is none. One thread only. */
struct span *otlp_queue_take(struct otlp_queue *q);
/* How many there are, about. */
size_t otlp_queue_len(struct otlp_queue *q);

#endif
