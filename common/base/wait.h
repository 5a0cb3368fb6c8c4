/* Waiting for a condition on the monotonic clock, which no one sets back or forward. */
#ifndef AMCP_BASE_WAIT_H
#define AMCP_BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Makes a condition variable for wait_until(). Ends with pthread_cond_destroy(). */
void wait_init(pthread_cond_t *cond);

/* Waits with the lock held until the condition is signalled or clock_mono_ms() reaches `until_ms`.
 * False: the time is up. As with pthread_cond_wait(), true may be spurious, so call it in a loop:
 *
 *   while (!done && wait_until(&cond, &lock, until_ms))
 *     ;
 */
bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

/* One thread waits until another, or the same before it waits, says that something is over. */
struct wait_once {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool over; /* guarded by lock */
};
#define WAIT_ONCE_INIT                                                                             \
  {                                                                                                \
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                         \
  }
/* What was written before is seen after wait_once(), which may return at once: nothing that the
 * waiting thread owns may be touched afterwards. */
void wait_once_over(struct wait_once *w);
/* Waits for it, and makes it ready for the next. */
void wait_once(struct wait_once *w);

#endif
