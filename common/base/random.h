/* Random numbers: for jitter and spreading, and for what nobody may guess. Thread-safe. */
#ifndef AMCP_BASE_RANDOM_H
#define AMCP_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Uniform random number in [0, bound), seeded from the system; not for secrets. bound 0 gives 0. */
uint64_t random_below(uint64_t bound);

/* Fills memory with bytes that nobody can guess, for ids and keys of hashes. Ends the process when
 * the system has none to give. */
void random_fill(void *out, size_t size);

/* An id of 128 bits that nobody can guess, in hexadecimal digits. */
enum { RANDOM_ID_SIZE = 33 };
void random_id(char out[RANDOM_ID_SIZE]);

#endif
