/* The random numbers of the world: the same on every machine for the same seed.
 *
 * Integers only: no result depends on floating point. Not for secrets. */
#ifndef GA4_SIM_PRNG_H
#define GA4_SIM_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
  uint64_t state;
};

/* Starts a stream. Different (seed, stream) pairs give unrelated numbers, so one
 * property's data does not depend on how many others there are. */
void prng_init(struct prng *p, uint64_t seed, uint64_t stream);
/* Next 64 bits (splitmix64, Steele, Lea and Flood 2014). */
uint64_t prng_next(struct prng *p);
/* Uniform in [0, bound); 0 for bound 0. */
uint32_t prng_below(struct prng *p, uint32_t bound);
/* Uniform in [low, high]. */
uint32_t prng_between(struct prng *p, uint32_t low, uint32_t high);
/* True with a chance of permille in 1000. */
bool prng_chance(struct prng *p, uint32_t permille);
/* Number of successes before the first failure, chance permille in 1000, at most max. */
uint32_t prng_geometric(struct prng *p, uint32_t permille, uint32_t max);
/* Index drawn by weight; the weights' sum must be above 0. */
size_t prng_weighted(struct prng *p, const uint32_t *weights, size_t n);
/* One well-mixed value of a key, for attributes that must not change between visits. */
uint64_t prng_hash(uint64_t key);

#endif
