/* What the fuzz targets share: taking choices and texts off the front of the input. */
#ifndef AMCP_TESTS_FUZZ_H
#define AMCP_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run when a promise of the code under test is broken. */
#define FUZZ_MUST(condition)                                                                       \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);              \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

struct fuzz_input {
  const uint8_t *data;
  size_t len;
};

/* The next byte; 0 at the end. */
static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
  if (in->len == 0)
    return 0;
  in->len--;
  return *in->data++;
}

/* A copy of n bytes with a NUL behind, of exactly that size, so that the sanitizer sees every
 * read beyond it. Free with free(). */
static inline char *fuzz_copy(const uint8_t *data, size_t n)
{
  char *copy = xmalloc(n + 1);
  if (n > 0)
    memcpy(copy, data, n);
  copy[n] = '\0';
  return copy;
}

/* The next line without its end; the rest of the input when there is no end. */
static inline char *fuzz_line(struct fuzz_input *in)
{
  const uint8_t *end = in->len > 0 ? memchr(in->data, '\n', in->len) : NULL;
  size_t n = end != NULL ? (size_t)(end - in->data) : in->len;
  char *line = fuzz_copy(in->data, n);
  size_t used = end != NULL ? n + 1 : n;
  in->data += used;
  in->len -= used;
  return line;
}

/* What is left. */
static inline char *fuzz_rest(const struct fuzz_input *in)
{
  return fuzz_copy(in->data, in->len);
}

#endif
