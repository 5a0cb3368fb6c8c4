/* Keeps the spans that end, for tests of what makes them. */
#ifndef AMCP_TESTS_TRACE_COLLECT_H
#define AMCP_TESTS_TRACE_COLLECT_H

#include "common/trace/span.h"

enum { COLLECT_MAX = 64 };

struct collected {
  char name[SPAN_NAME_MAX + 1];
  uint8_t trace_id[TRACE_ID_BYTES], span_id[SPAN_ID_BYTES], parent_id[SPAN_ID_BYTES];
  bool is_root, failed, linked;
  enum span_kind kind;
  char attributes[1024]; /* "key=value;key=value;" */
};

/* From now on spans are recorded, sampled as the sampler says. */
void collect_begin(const char *sampler);
/* Nothing is recorded any more, and everything is forgotten. */
void collect_end(void);
/* Waits until so many spans have ended; false after 20 s. */
bool collect_wait(size_t n);
size_t collect_count(void);
/* The nth span (from 0) of a name, in the order of their ends; NULL when there is none. */
const struct collected *collect_find(const char *name, size_t nth);
/* Whether one is the parent of the other, in the same trace. */
bool collect_is_child(const struct collected *child, const struct collected *parent);

#endif
