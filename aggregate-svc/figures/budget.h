/* A byte budget shared by all calls of the process. */
#ifndef AMCP_AGGREGATE_BUDGET_H
#define AMCP_AGGREGATE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
  atomic_llong *used; /* shared */
  long long max;
  long long held; /* by this holder */
};

/* Takes bytes; false, and nothing taken, when the budget is used up. */
static inline bool budget_take(struct budget *b, size_t bytes)
{
  long long want = (long long)bytes;
  if (atomic_fetch_add(b->used, want) + want > b->max) {
    atomic_fetch_sub(b->used, want);
    return false;
  }
  b->held += want;
  return true;
}

/* Gives back part of what the holder took. */
static inline void budget_give(struct budget *b, long long bytes)
{
  atomic_fetch_sub(b->used, bytes);
  b->held -= bytes;
}

#endif
