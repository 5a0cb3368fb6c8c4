/* Waiting on the monotonic clock that delay_end() cuts short. */
#include "ga4-sim/sim/delay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

struct delay {
  pthread_mutex_t lock;
  pthread_cond_t end;
  bool ended;
};

struct delay *delay_new(void)
{
  struct delay *d = xcalloc(1, sizeof(*d));
  pthread_mutex_init(&d->lock, NULL);
  wait_init(&d->end);
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
  int64_t until = clock_mono_ms() + ms;
  pthread_mutex_lock(&d->lock);
  while (!d->ended && wait_until(&d->end, &d->lock, until))
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
