/* A growing byte buffer with a hard cap.
 *
 * A failed append (cap reached) leaves the content as it was, sets `failed` and
 * makes every later append fail too, so a writer may append many times and check
 * once at the end. Not thread-safe. */
#ifndef AMCP_BASE_BUF_H
#define AMCP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"

struct buf {
  char *data; /* NUL-terminated after any append; NULL while empty */
  size_t len; /* bytes, without the NUL */
  size_t cap; /* bytes allocated */
  size_t max; /* most bytes len may reach */
  bool failed;
  bool secret; /* memory is overwritten before it goes back, also when the buffer grows */
};

/* Starts an empty buffer that may grow to max bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);
#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})
/* The same for what may hold a secret. buf_take() hands the duty to overwrite over. */
#define BUF_SECRET(max_bytes) ((struct buf){.max = (max_bytes), .secret = true})
/* Frees the memory; the buffer is empty again, with the same cap. */
void buf_free(struct buf *b);
/* Drops the content, keeps the memory, clears `failed`. */
void buf_clear(struct buf *b);
/* Drops what was appended beyond the first `len` bytes, and the mark of a failed append. */
void buf_truncate(struct buf *b, size_t len);

/* Each returns false when the cap would be passed. */
bool buf_append(struct buf *b, const void *data, size_t len);
bool buf_puts(struct buf *b, const char *s);
bool buf_putc(struct buf *b, char c);
/* A whole number in decimal. */
bool buf_put_whole(struct buf *b, bool negative, uint64_t magnitude);
/* As printf. No argument may point into the buffer. */
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends s as a JSON string with quotes. The input must be UTF-8. */
bool buf_put_json_string(struct buf *b, const char *s, size_t len);
/* Makes room for n more bytes and returns where they go; NULL at the cap. Add
 * what was written to len yourself. */
char *buf_reserve(struct buf *b, size_t n);
/* n more bytes or so are about to be appended: takes their memory at once, unless the cap is below
 * that. */
void buf_expect(struct buf *b, size_t n);

/* Gives the memory to the caller (free with free()); the buffer is empty then.
 * An empty buffer gives an empty string. */
char *buf_take(struct buf *b, size_t *len);
/* Content as a string; "" while empty. Valid until the next change. */
const char *buf_str(const struct buf *b);

#define AUTO_BUF CLEANUP(buf_free)

#endif
