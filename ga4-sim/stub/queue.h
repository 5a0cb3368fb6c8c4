/* Things that go on after one fixed delay, in their order; one thread for all of them. */
#ifndef GA4_SIM_STUB_QUEUE_H
#define GA4_SIM_STUB_QUEUE_H

#include <stdint.h>

/* Owned by the caller; linked until on_due ran. */
struct stub_waiter {
  struct stub_waiter *next;
  int64_t due_ms;
};

struct stub_queue;

/* on_due runs on the queue's thread, after the end on that of stub_queue_add(). */
struct stub_queue *stub_queue_new(uint32_t delay_ms, void (*on_due)(struct stub_waiter *w));
void stub_queue_add(struct stub_queue *q, struct stub_waiter *w);
/* Runs what waits at once and ends the thread; what is added later does not wait. */
void stub_queue_end(struct stub_queue *q);
void stub_queue_free(struct stub_queue *q);

#endif
