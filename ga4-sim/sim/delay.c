/* Waiting on the monotonic clock that delay_end() cuts short. */
#include "ga4-sim/sim/delay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/mem.h"

struct delay {
  pthread_mutex_t lock;
  pthread_cond_t end;
  bool ended;
};

struct delay *delay_new(void)
{
  struct delay *d = xcalloc(1, sizeof(*d));
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&d->lock, NULL);
  pthread_cond_init(&d->end, &attributes);
  pthread_condattr_destroy(&attributes);
  return d;
}

void delay_free(struct delay *d)
{
  if (d == NULL)
    return;
  pthread_cond_destroy(&d->end);
  pthread_mutex_destroy(&d->lock);
  free(d);
}

void delay_wait(struct delay *d, uint32_t ms)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += (long)(ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&d->lock);
  while (!d->ended && pthread_cond_timedwait(&d->end, &d->lock, &until) == 0)
    ;
  pthread_mutex_unlock(&d->lock);
}

void delay_end(struct delay *d)
{
  pthread_mutex_lock(&d->lock);
  d->ended = true;
  pthread_cond_broadcast(&d->end);
  pthread_mutex_unlock(&d->lock);
}
