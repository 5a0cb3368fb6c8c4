/* Closest matches for a name that was not found. */
#ifndef AMCP_BASE_NEAREST_H
#define AMCP_BASE_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX = 3, NEAREST_FAR = 1000 };

/* How far a candidate is from what was asked, ASCII letters without case: 0 when they are equal, 1
 * when one contains the other (of 3 bytes or more), else the edits (insert, delete, replace, swap
 * of neighbours) between them; NEAREST_FAR when that takes more than half as many edits as bytes
 * were asked, or more than 8. Only the first 64 bytes count. */
unsigned nearest_distance(const char *asked, const char *candidate);

/* The same, but NEAREST_FAR also for what takes more than `limit` edits (at most 8): the fewer, the
 * sooner it is found out. Equality and containment count as ever. */
unsigned nearest_within(const char *asked, const char *candidate, unsigned limit);

/* The best candidates seen so far, best first; start it zeroed. */
struct nearest {
  size_t item[NEAREST_MAX];
  unsigned distance[NEAREST_MAX];
  size_t n;
};
/* Offers a candidate; equal distances keep the order they came in. */
void nearest_offer(struct nearest *best, size_t item, unsigned distance);
/* The most edits with which a candidate would still come among the best: for nearest_within(). */
unsigned nearest_wanted(const struct nearest *best);

#endif
