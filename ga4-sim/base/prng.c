/* splitmix64 and the few draws the world needs. */
#include "ga4-sim/base/prng.h"

static uint64_t mix(uint64_t z)
{
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

uint64_t prng_hash(uint64_t key)
{
  return mix(key + UINT64_C(0x9e3779b97f4a7c15));
}

void prng_init(struct prng *p, uint64_t seed, uint64_t stream)
{
  p->state = prng_hash(prng_hash(seed) ^ (stream * UINT64_C(0xd1342543de82ef95)));
}

uint64_t prng_next(struct prng *p)
{
  p->state += UINT64_C(0x9e3779b97f4a7c15);
  return mix(p->state);
}

uint32_t prng_below(struct prng *p, uint32_t bound)
{
  /* Multiply-shift; the bias of at most 2^-32 is of no account here. */
  return (uint32_t)(((prng_next(p) >> 32) * bound) >> 32);
}

uint32_t prng_between(struct prng *p, uint32_t low, uint32_t high)
{
  return low + prng_below(p, high - low + 1);
}

bool prng_chance(struct prng *p, uint32_t permille)
{
  return prng_below(p, 1000) < permille;
}

uint32_t prng_geometric(struct prng *p, uint32_t permille, uint32_t max)
{
  uint32_t n = 0;
  while (n < max && prng_chance(p, permille))
    n++;
  return n;
}

size_t prng_weighted(struct prng *p, const uint32_t *weights, size_t n)
{
  uint32_t total = 0;
  for (size_t i = 0; i < n; i++)
    total += weights[i];
  uint32_t r = prng_below(p, total);
  for (size_t i = 0; i + 1 < n; i++) {
    if (r < weights[i])
      return i;
    r -= weights[i];
  }
  return n - 1;
}
