/* A pool of threads with a bounded queue. */
#ifndef AMCP_BASE_POOL_H
#define AMCP_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* Starts `threads` threads; at most queue_max jobs wait. */
struct pool *pool_new(const char *name, size_t threads, size_t queue_max);
/* Queues fn(arg). False when the queue is full or the pool is ending: the caller
 * answers RESOURCE_EXHAUSTED. Thread-safe, never blocks on the work. */
bool pool_submit(struct pool *p, void (*fn)(void *arg), void *arg);
/* Jobs waiting. */
size_t pool_queued(struct pool *p);
/* Runs what is queued, ends the threads and frees the pool. */
void pool_free(struct pool *p);

#endif
