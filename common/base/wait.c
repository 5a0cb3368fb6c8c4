/* Condition variables on the monotonic clock. */
#include "common/base/wait.h"

#include <time.h>

void wait_init(pthread_cond_t *cond)
{
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &attr);
  pthread_condattr_destroy(&attr);
}

bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
  struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = (long)(until_ms % 1000) * 1000000};
  return pthread_cond_timedwait(cond, lock, &until) == 0;
}

void wait_once_over(struct wait_once *w)
{
  pthread_mutex_lock(&w->lock);
  w->over = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->lock);
}

void wait_once(struct wait_once *w)
{
  pthread_mutex_lock(&w->lock);
  while (!w->over)
    pthread_cond_wait(&w->changed, &w->lock);
  w->over = false;
  pthread_mutex_unlock(&w->lock);
}
