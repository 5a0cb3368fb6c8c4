/* Random numbers from the system, and a fast generator seeded by it. */
#include "common/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/base/clock.h"
#include "common/base/codec.h"

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

void random_fill(void *out, size_t size)
{
  unsigned char *p = out;
  for (size_t have = 0; have < size;) {
    ssize_t n = getrandom(p + have, size - have, 0);
    if (n > 0)
      have += (size_t)n;
    else if (n == 0 || errno != EINTR)
      abort();
  }
}

void random_id(char out[RANDOM_ID_SIZE])
{
  unsigned char bytes[(RANDOM_ID_SIZE - 1) / 2];
  random_fill(bytes, sizeof(bytes));
  hex_write(out, bytes, sizeof(bytes));
}
