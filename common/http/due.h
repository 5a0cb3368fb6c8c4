/* A binary heap of things that fall due, embedded in the objects themselves.
 *
 * Not thread-safe. */
#ifndef AMCP_HTTP_DUE_H
#define AMCP_HTTP_DUE_H

#include <stddef.h>
#include <stdint.h>

/* Part of an object that can wait in a heap. A zeroed one waits in none. */
struct due {
  int64_t at_ms;  /* on the monotonic clock */
  uint64_t order; /* equal times fall due in the order they were added */
  size_t slot;    /* place in the heap, from 1; 0 means in none */
};

struct due_heap {
  struct due **items;
  size_t len;
  size_t cap;
  uint64_t next_order;
};

void due_heap_free(struct due_heap *h);
/* Puts in an item that waits in no heap. The heap does not own it. */
void due_heap_add(struct due_heap *h, struct due *d, int64_t at_ms);
/* Takes an item out, from any place; does nothing when it waits in none. */
void due_heap_remove(struct due_heap *h, struct due *d);
/* The one that falls due first; NULL when none waits. */
struct due *due_heap_first(const struct due_heap *h);

#endif
