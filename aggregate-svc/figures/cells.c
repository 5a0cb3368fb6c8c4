/* Sums by a 64-bit key. */
#include "aggregate-svc/figures/cells.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

enum { FIRST_CELLS = 32 };

/* Where a key is, or where it goes. */
static size_t slot_of(const struct cells *c, uint64_t key)
{
  size_t slot = hash_data(&key, sizeof(key)) & (c->n_slots - 1);
  while (c->slots[slot] != 0 && c->list[c->slots[slot] - 1].key != key)
    slot = (slot + 1) & (c->n_slots - 1);
  return slot;
}

/* Room for one more cell, at most half of the slots in use. */
static bool grow(struct cells *c, struct budget *budget)
{
  if (c->n < c->cap)
    return true;
  size_t cap = c->cap == 0 ? FIRST_CELLS : 2 * c->cap;
  size_t bytes = (cap - c->cap) * (sizeof(*c->list) + 2 * sizeof(*c->slots));
  if (cap > UINT32_MAX / 4 || !budget_take(budget, bytes))
    return false;
  c->bytes += (long long)bytes;
  c->list = xrealloc(c->list, cap * sizeof(*c->list));
  free(c->slots);
  c->cap = cap;
  c->n_slots = 2 * cap;
  c->slots = xcalloc(c->n_slots, sizeof(*c->slots));
  for (size_t i = 0; i < c->n; i++)
    c->slots[slot_of(c, c->list[i].key)] = (uint32_t)i + 1;
  return true;
}

struct cell *cells_at(struct cells *c, struct budget *budget, uint64_t key)
{
  if (!grow(c, budget))
    return NULL;
  size_t slot = slot_of(c, key);
  if (c->slots[slot] == 0) {
    c->list[c->n] = (struct cell){.key = key};
    c->slots[slot] = (uint32_t)++c->n;
  }
  return &c->list[c->slots[slot] - 1];
}

const struct cell *cells_find(const struct cells *c, uint64_t key)
{
  size_t slot = c->n_slots > 0 ? slot_of(c, key) : 0;
  return c->n_slots > 0 && c->slots[slot] != 0 ? &c->list[c->slots[slot] - 1] : NULL;
}

void cells_free(struct cells *c, struct budget *budget)
{
  if (c->bytes > 0)
    budget_give(budget, c->bytes);
  free(c->list);
  free(c->slots);
  memset(c, 0, sizeof(*c));
}
