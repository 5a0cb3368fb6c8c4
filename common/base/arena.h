/* Memory that is freed all at once: one arena per request or message.
 *
 * Not thread-safe: one owner at a time. */
#ifndef AMCP_BASE_ARENA_H
#define AMCP_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* New arena that hands out at most max bytes in all. Free with arena_free(). */
struct arena *arena_new(size_t max);
void arena_free(struct arena *a);
/* Overwrites everything that was handed out; before arena_free() when a secret was in it. What
 * points into the arena is of no use afterwards. NULL is fine. */
void arena_wipe(struct arena *a);
static inline void arena_cleanup(struct arena **a)
{
  arena_free(*a);
}

/* Zeroed memory, aligned for any type; NULL when the cap is reached. size 0
 * gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* Copies; NULL when the cap is reached. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for an owner whose own caps are below the arena's: end the process when it is full. */
void *arena_xalloc(struct arena *a, size_t size);
char *arena_xstrdup(struct arena *a, const char *s);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

/* New zeroed object of a type. */
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
