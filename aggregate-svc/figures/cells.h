/* Sums by a 64-bit key: a hash table whose memory is charged to a byte budget.
 *
 * Cells stay in the order in which their keys came first. */
#ifndef AMCP_AGGREGATE_CELLS_H
#define AMCP_AGGREGATE_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/figures/budget.h"

struct cell {
  uint64_t key;
  int64_t events, sessions, engaged_sessions;
  double seconds;
};

/* Zeroed is empty. */
struct cells {
  struct cell *list;
  size_t n, cap;
  uint32_t *slots; /* index into list, plus 1 */
  size_t n_slots;
  long long bytes; /* taken from the budget */
};

/* The cell of a key, zeroed when it is new. NULL when the budget is used up. Valid until the next
 * call. */
struct cell *cells_at(struct cells *c, struct budget *budget, uint64_t key);
/* NULL when the key has none. */
const struct cell *cells_find(const struct cells *c, uint64_t key);
/* Frees all, and gives the memory back to the budget. */
void cells_free(struct cells *c, struct budget *budget);

#endif
