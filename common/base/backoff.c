/* Exponential backoff with jitter, and ordinary random numbers. */
#include "common/base/backoff.h"

#include <sys/random.h>

#include "common/base/clock.h"

/* xorshift64*, one state per thread: enough for jitter, useless for secrets. */
static uint64_t random_next(void)
{
  static _Thread_local uint64_t state;
  if (state == 0 &&
      (getrandom(&state, sizeof(state), GRND_NONBLOCK) != sizeof(state) || state == 0))
    state = (uint64_t)clock_mono_ns() | 1;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717ULL;
}

uint64_t random_below(uint64_t bound)
{
  if (bound == 0)
    return 0;
  return (uint64_t)(((unsigned __int128)random_next() * bound) >> 64);
}

uint32_t backoff_next_ms(struct backoff *b)
{
  uint64_t top = b->base_ms;
  for (uint32_t i = 0; i < b->attempt && top < b->max_ms; i++)
    top *= 2;
  if (top > b->max_ms)
    top = b->max_ms;
  if (b->attempt < UINT32_MAX)
    b->attempt++;
  uint64_t low = b->base_ms / 2 < top ? b->base_ms / 2 : top;
  return (uint32_t)(low + random_below(top - low + 1));
}
