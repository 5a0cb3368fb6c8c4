/* Base64, base64url, hexadecimal and percent encoding; UTF-8 checks. */
#ifndef AMCP_BASE_CODEC_H
#define AMCP_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Standard base64 with padding, and base64url without. */
bool base64_encode(struct buf *out, const void *data, size_t len);
bool base64url_encode(struct buf *out, const void *data, size_t len);
/* Accepts both alphabets, with or without padding; false (and nothing appended)
 * on any other character or a wrong length. */
bool base64_decode(struct buf *out, const char *s, size_t len);
bool hex_encode(struct buf *out, const void *data, size_t len);
/* Both cases of letters; false (and nothing appended) on any other character or an odd length. */
bool hex_decode(struct buf *out, const char *s, size_t len);
/* The same between fixed sizes: 2 * size lower-case digits and a NUL, and back. hex_read() takes
 * what hex_write() writes and nothing else, so that a value has one spelling; false (and nothing
 * of use in out) otherwise. */
void hex_write(char *out, const void *data, size_t size);
bool hex_read(void *out, size_t size, const char *s, size_t len);
/* A whole number in decimal, with its sign and a NUL. Returns out. */
enum { WHOLE_TEXT = 21 };
const char *whole_write(char out[WHOLE_TEXT], int64_t n);
/* Percent-encodes everything but A-Z a-z 0-9 - . _ ~ (RFC 3986). */
bool percent_encode(struct buf *out, const char *s, size_t len);

/* Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms). */
bool utf8_valid(const char *s, size_t len);
/* Compares ASCII letters without case; other bytes exactly. */
bool ascii_case_equal(const char *a, const char *b);
/* The place of a text among n others, exactly as it is written; n when it is none of them. */
size_t text_find(const char *const *texts, size_t n, const char *text);
#define TEXT_IS_IN(texts, text) (text_find(texts, ARRAY_LEN(texts), text) < ARRAY_LEN(texts))
/* First place of needle in haystack, ASCII letters without case; NULL if none. */
const char *ascii_case_find(const char *haystack, const char *needle);
/* Leaves out blanks and tabs at both ends of *len bytes: what HTTP allows around the parts of a
 * header (RFC 9110 section 5.6.3). */
void ascii_trim(const char **s, size_t *len);

#endif
