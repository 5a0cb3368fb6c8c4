/* Google's whole answer to one question, its rows or list items included, in an arena of its own:
 * shared by the reply and the cache. Immutable once made; reference-counted, thread-safe. */
#ifndef AMCP_REPORT_ANSWER_H
#define AMCP_REPORT_ANSWER_H

#include <protobuf-c/protobuf-c.h>
#include <stdatomic.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "report-svc/rows/decoder.h"

/* Messages that arrive one by one. They live in the arena, the list on the heap. */
struct answer_list {
  ProtobufCMessage **items;
  size_t n, cap;
};

struct answer {
  atomic_int refs;
  struct arena *arena;
  struct answer_list lists[ROWS_MAX_REPORTS]; /* rows of each report; [0]: of the only one, or the
                                                 items of a list that came in pages */
  ProtobufCMessage *message;                  /* what the method answers; NULL while it arrives */
};

/* An answer whose arena takes at most max_arena bytes. */
struct answer *answer_new(size_t max_arena);
struct answer *answer_ref(struct answer *a);
/* NULL is fine. */
void answer_unref(struct answer *a);
/* Memory it takes, in bytes. */
size_t answer_size(const struct answer *a);

void answer_list_add(struct answer_list *list, ProtobufCMessage *item);

/* The bytes that answer_unpack() makes the answer of again; false when they are more than `out` may
 * hold. */
bool answer_pack(struct buf *out, const struct answer *a);
/* An answer of a type that another replica packed; NULL when it is malformed or larger than
 * max_arena. */
struct answer *answer_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t len,
                             size_t max_arena);
#endif
