/* A hash of numbers in a few instructions, for tables of one report: codes and values, millions of
 * them. Start from a secret of the table, so that strangers who choose texts cannot choose hashes.
 *
 * The two halves of a product of 128 bits, as in wyhash (Wang Yi, github.com/wangyi-fudan/wyhash);
 * two values that differ meet once in some 2^63. */
#ifndef AMCP_REPORT_ROWS_MIX_H
#define AMCP_REPORT_ROWS_MIX_H

#include <stdint.h>

/* The hash so far, or the secret, with one more number. */
static inline uint64_t rows_mix(uint64_t hash, uint64_t value)
{
  unsigned __int128 product = (unsigned __int128)(hash ^ value) * UINT64_C(0xa0761d6478bd642f);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
