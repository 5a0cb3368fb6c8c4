/* Memory: allocation that does not fail, and cleanup on scope exit.
 *
 * The x-functions end the process with a message when memory is out: a service
 * under a memory limit is restarted clean instead of limping on. Sizes that come
 * from input must be capped before they reach these. */
#ifndef AMCP_BASE_MEM_H
#define AMCP_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
/* Copies a string; NULL gives NULL. Free with free(). */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
/* Most bytes of s, at most max, that end at a UTF-8 character border. */
size_t text_clip(const char *s, size_t max);
/* Copies at most size - 1 bytes, cut at a character border, and ends with NUL. */
void text_copy(char *out, size_t size, const char *s);
/* Formatted string on the heap; free with free(). */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Overwrites memory that held a secret; the compiler cannot drop it. */
void mem_wipe(void *p, size_t size);

/* From now on a block of 128 KiB or more goes back to the system when it is freed. glibc would keep
 * such blocks once one was freed, and a program that takes tables of all sizes side by side would
 * hold about twice what is in use. Call it before threads begin. */
void mem_give_back_large(void);

/* Runs fn(&variable) when the variable goes out of scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
static inline void mem_cleanup_free(void *p)
{
  free(*(void **)p);
}
/* `AUTO_FREE char *s = xstrdup(t);` frees s on every way out. */
#define AUTO_FREE CLEANUP(mem_cleanup_free)

/* Hands the pointer over: yields it and leaves NULL behind. */
#define TAKE_PTR(p)                                                                                \
  ({                                                                                               \
    __typeof__(p) *take_ptr_ = &(p);                                                               \
    __typeof__(p) take_val_ = *take_ptr_;                                                          \
    *take_ptr_ = NULL;                                                                             \
    take_val_;                                                                                     \
  })

/* The object of a type that `p` is the given member of; NULL for NULL. */
#define CONTAINER_OF(p, type, member) ((type *)mem_container((p), offsetof(type, member)))
static inline void *mem_container(void *member, size_t offset)
{
  return member != NULL ? (char *)member - offset : NULL;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Objects that travel through a void * start with a magic number that is
 * checked on arrival; a wrong one ends the process. */
#define MAGIC_CHECK(obj, value)                                                                    \
  do {                                                                                             \
    if ((obj) == NULL || (obj)->magic != (value))                                                  \
      mem_magic_failed(#obj, #value, __FILE__, __LINE__);                                          \
  } while (0)
void mem_magic_failed(const char *object, const char *magic, const char *file, int line)
    __attribute__((noreturn));

#endif
