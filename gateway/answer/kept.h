/* Answers as they were written, by the messages that they were written from.
 *
 * The same message of the same tool gives the same answer, so one that comes again need not be
 * checked, unpacked and written again. An answer is found by all bytes of its message, never by
 * question or caller: a caller gets what would have been written from the message that the service
 * sent for this call. Thread-safe. */
#ifndef AMCP_GATEWAY_ANSWER_KEPT_H
#define AMCP_GATEWAY_ANSWER_KEPT_H

#include <stdatomic.h>

#include "common/base/buf.h"
#include "gateway/answer/answer.h"

enum { KEPT_MESSAGE_MAX = 32 * 1024 }; /* longer messages are not kept */

struct kept;

/* An answer in both forms. Does not change; shared by reference. */
struct written {
  atomic_uint refs;
  struct buf text, structured;
};

/* At most max_bytes with their messages; the one used longest ago goes first. */
struct kept *kept_new(size_t max_bytes);
void kept_free(struct kept *k);

/* Writes into `key` what tells answers apart: tool, offset and message. Empty when such an answer
 * is not kept: one with notes of the call's own, or a long one. */
void kept_put_key(struct buf *key, const struct catalog_tool *tool, const struct answer_notes *own,
                  const void *message, size_t len);
/* The answer of a key, a reference for the caller; NULL when there is none, or the key is empty. */
struct written *kept_find(struct kept *k, const struct buf *key);
/* Keeps an answer, of which it takes both buffers, unless the key is empty or the answer too large;
 * returns a reference to it in any case. */
struct written *kept_add(struct kept *k, const struct buf *key, struct buf *text,
                         struct buf *structured);
/* NULL is fine. */
void written_unref(struct written *w);

#endif
