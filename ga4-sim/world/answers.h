/* What the world answered, by question: the rows of a world do not change while it is open, so a
 * question that was asked before need not be computed again. The least recently used answers make
 * room. Thread-safe. */
#ifndef GA4_SIM_ANSWERS_H
#define GA4_SIM_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

struct answers;

/* Questions and answers together take max_bytes at most. Free with answers_free(). */
struct answers *answers_new(size_t max_bytes);
void answers_free(struct answers *a);

/* Appends the answer to a question to `out`; false when it is not known, or does not fit there. */
bool answers_find(struct answers *a, const struct buf *question, struct buf *out);
/* Copies both. One that would take more than a sixteenth of the room is not kept. */
void answers_keep(struct answers *a, const struct buf *question, const struct buf *answer);

#endif
