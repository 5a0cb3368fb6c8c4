/* Closest matches for a name that was not found. */
#ifndef AMCP_AUTH_NEAREST_H
#define AMCP_AUTH_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX = 3, NEAREST_FAR = 1000 };

/* How far a candidate is from what was asked, ASCII letters without case: 0 equal, 1 one
 * holds the other, else the edits (insert, delete, replace, swap of neighbours) between
 * them; NEAREST_FAR when it takes more edits than half of what was asked, or than 8. Only the first
 * 64 bytes count. */
unsigned nearest_distance(const char *asked, const char *candidate);

/* The best candidates seen so far, best first; start it zeroed. */
struct nearest {
  size_t item[NEAREST_MAX];
  unsigned distance[NEAREST_MAX];
  size_t n;
};
/* Offers a candidate; equal distances keep the order they came in. */
void nearest_offer(struct nearest *best, size_t item, unsigned distance);

#endif
