/* A list of sentences of an answer, in an arena. */
#ifndef AMCP_REPORT_ANSWER_TEXTS_H
#define AMCP_REPORT_ANSWER_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

enum { ANSWER_TEXTS_MAX = 16 };

struct answer_texts {
  struct arena *arena;
  char **items; /* ANSWER_TEXTS_MAX of them, or NULL before the first */
  size_t n;
  bool failed; /* the arena is full */
};

/* Appends a sentence; further ones than ANSWER_TEXTS_MAX are dropped. */
__attribute__((format(printf, 2, 3))) void answer_say(struct answer_texts *t, const char *format,
                                                      ...);

#endif
