/* Memory that is freed all at once: a chain of blocks, bump allocation. */
#include "common/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

/* With its head the first block stays below 1 KiB, beyond which malloc() tidies up its lists first.
 */
enum { FIRST_BLOCK = 960, LARGEST_BLOCK = 64 * 1024, ALIGN = 16 };

struct block {
  struct block *next;
  size_t size;
  size_t used;
  char data[] __attribute__((aligned(ALIGN)));
};

struct arena {
  struct block *head;
  size_t max;
  size_t total;
  size_t next_size;
};

struct arena *arena_new(size_t max)
{
  struct arena *a = xcalloc(1, sizeof(*a));
  a->max = max;
  a->next_size = FIRST_BLOCK;
  return a;
}

void arena_free(struct arena *a)
{
  if (a == NULL)
    return;
  for (struct block *b = a->head; b != NULL;) {
    struct block *next = b->next;
    free(b);
    b = next;
  }
  free(a);
}

void arena_wipe(struct arena *a)
{
  for (struct block *b = a != NULL ? a->head : NULL; b != NULL; b = b->next)
    mem_wipe(b->data, b->used);
}

/* Puts a block of at least size bytes in front. */
static void add_block(struct arena *a, size_t size)
{
  size_t want = a->next_size > size ? a->next_size : size;
  if (a->next_size < LARGEST_BLOCK)
    a->next_size *= 2;
  struct block *b = xmalloc(sizeof(*b) + want);
  b->size = want;
  b->used = 0;
  /* A block made for one large object goes behind the head, which still has room. */
  if (a->head != NULL && want == size && a->head->size - a->head->used > ALIGN * 4) {
    b->next = a->head->next;
    a->head->next = b;
    return;
  }
  b->next = a->head;
  a->head = b;
}

void *arena_alloc(struct arena *a, size_t size)
{
  if (size > a->max || a->total > a->max - size)
    return NULL;
  size_t rounded = (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
  if (rounded == 0)
    rounded = ALIGN;
  struct block *b = a->head;
  if (b == NULL || b->size - b->used < rounded) {
    add_block(a, rounded);
    b = a->head;
    if (b->size - b->used < rounded)
      b = b->next;
  }
  void *p = b->data + b->used;
  b->used += rounded;
  a->total += rounded;
  memset(p, 0, rounded);
  return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
  size_t len = strnlen(s, n);
  char *copy = arena_alloc(a, len + 1);
  if (copy != NULL)
    memcpy(copy, s, len);
  return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
  return arena_strndup(a, s, strlen(s));
}

void *arena_xalloc(struct arena *a, size_t size)
{
  void *p = arena_alloc(a, size);
  if (p == NULL)
    abort();
  return p;
}

char *arena_xstrdup(struct arena *a, const char *s)
{
  size_t size = strlen(s) + 1;
  return memcpy(arena_xalloc(a, size), s, size);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  char *s = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
  if (s != NULL)
    vsnprintf(s, (size_t)n + 1, fmt, again);
  va_end(again);
  return s;
}

size_t arena_used(const struct arena *a)
{
  return a->total;
}
