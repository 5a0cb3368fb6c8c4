/* Allocation that does not fail. */
#include "common/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *checked(void *p, size_t size)
{
  if (p == NULL && size != 0) {
    fprintf(stderr, "out of memory: %zu bytes\n", size);
    abort();
  }
  return p;
}

void *xmalloc(size_t size)
{
  return checked(malloc(size), size);
}

/* glibc keeps a cache of small freed blocks for each thread, from which calloc() does not take. */
void *xcalloc(size_t count, size_t size)
{
  enum { SMALL = 1024 };
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > SMALL)
    return checked(calloc(count, size), count != 0 && size != 0 ? size : 0);
  return memset(xmalloc(bytes > 0 ? bytes : 1), 0, bytes);
}

void *xrealloc(void *p, size_t size)
{
  return checked(realloc(p, size), size);
}

char *xstrdup(const char *s)
{
  return s == NULL ? NULL : checked(strdup(s), 1);
}

char *xstrndup(const char *s, size_t n)
{
  if (s == NULL)
    return NULL;
  size_t len = strnlen(s, n); /* s need not be terminated within n bytes */
  char *copy = xmalloc(len + 1);
  memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

size_t text_clip(const char *s, size_t max)
{
  size_t n = strnlen(s, max + 1);
  if (n <= max)
    return n;
  n = max;
  while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
    n--;
  return n;
}

void text_copy(char *out, size_t size, const char *s)
{
  size_t len = text_clip(s, size - 1);
  memcpy(out, s, len);
  out[len] = '\0';
}

char *xasprintf(const char *fmt, ...)
{
  char *s = NULL;
  va_list args;
  va_start(args, fmt);
  int n = vasprintf(&s, fmt, args);
  va_end(args);
  return n < 0 ? checked(NULL, 1) : s;
}

void mem_wipe(void *p, size_t size)
{
  if (p != NULL)
    explicit_bzero(p, size);
}

void mem_magic_failed(const char *object, const char *magic, const char *file, int line)
{
  fprintf(stderr, "%s:%d: %s is not a live object (%s)\n", file, line, object, magic);
  abort();
}

void mem_give_back_large(void)
{
  (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024); /* setting it switches off its growth */
}
