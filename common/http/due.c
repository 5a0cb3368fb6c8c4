/* A binary heap of things that fall due. */
#include "common/http/due.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/base/mem.h"

static bool before(const struct due *a, const struct due *b)
{
  return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct due_heap *h, size_t i, struct due *d)
{
  h->items[i] = d;
  d->slot = i + 1;
}

static void sift_up(struct due_heap *h, size_t i, struct due *d)
{
  while (i > 0 && before(d, h->items[(i - 1) / 2])) {
    put(h, i, h->items[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  put(h, i, d);
}

static void sift_down(struct due_heap *h, size_t i, struct due *d)
{
  for (size_t child; (child = 2 * i + 1) < h->len; i = child) {
    if (child + 1 < h->len && before(h->items[child + 1], h->items[child]))
      child++;
    if (!before(h->items[child], d))
      break;
    put(h, i, h->items[child]);
  }
  put(h, i, d);
}

void due_heap_free(struct due_heap *h)
{
  free(h->items);
  *h = (struct due_heap){0};
}

void due_heap_add(struct due_heap *h, struct due *d, int64_t at_ms)
{
  if (h->len == h->cap) {
    h->cap = h->cap == 0 ? 64 : 2 * h->cap;
    h->items = xrealloc(h->items, h->cap * sizeof(struct due *));
  }
  d->at_ms = at_ms;
  d->order = h->next_order++;
  h->len++;
  sift_up(h, h->len - 1, d);
}

void due_heap_remove(struct due_heap *h, struct due *d)
{
  if (d->slot == 0)
    return;
  size_t i = d->slot - 1;
  d->slot = 0;
  struct due *last = h->items[--h->len];
  if (last == d)
    return;
  if (i > 0 && before(last, h->items[(i - 1) / 2]))
    sift_up(h, i, last);
  else
    sift_down(h, i, last);
}

struct due *due_heap_first(const struct due_heap *h)
{
  return h->len > 0 ? h->items[0] : NULL;
}
