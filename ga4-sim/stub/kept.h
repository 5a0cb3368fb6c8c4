/* Answers that were made before. All dealers of a fan-out are asked the same, and making 50 KB of
 * JSON for each would be the larger part of what a benchmark measures. */
#ifndef GA4_SIM_STUB_KEPT_H
#define GA4_SIM_STUB_KEPT_H

#include <stdbool.h>
#include <stddef.h>

/* KEPT_MAX: bytes of an answer and its question together; longer ones are not kept. */
enum { STUB_KEPT_SLOTS = 32, STUB_KEPT_MAX = 1024 * 1024 };

/* Bytes that several may hold. */
struct stub_text;
/* Takes over the bytes, which are malloc's; the caller has a reference. */
struct stub_text *stub_text_new(char *data, size_t len);
/* Not to be written to: what sends it takes no const. */
char *stub_text_data(const struct stub_text *t);
size_t stub_text_len(const struct stub_text *t);
/* Gives a reference back. */
void stub_text_unref(void *text);

/* The last answers, at most STUB_KEPT_SLOTS. Thread-safe. */
struct stub_kept;
struct stub_kept *stub_kept_new(void);
void stub_kept_free(struct stub_kept *k);
/* The answer to this question, with a reference; NULL when it is not kept. batch: asked of
 * batchRunReports, else of runReport. */
struct stub_text *stub_kept_get(struct stub_kept *k, bool batch, const char *body, size_t len);
void stub_kept_put(struct stub_kept *k, bool batch, const char *body, size_t len,
                   struct stub_text *answer);

#endif
