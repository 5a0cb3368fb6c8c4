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

#endif
