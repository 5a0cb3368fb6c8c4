/* W3C Trace Context: what names a trace and the span within it that a call is made for.
 * https://www.w3.org/TR/trace-context/ (level 1; of level 2 the flag "random" is passed on).
 *
 * Plain data, to be copied by trace_context_copy(). Reading is strict: what is malformed counts as
 * absent, because half a context joins calls that have nothing to do with each other. */
#ifndef AMCP_TRACE_CONTEXT_H
#define AMCP_TRACE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  TRACE_ID_BYTES = 16,
  SPAN_ID_BYTES = 8,
  TRACE_ID_HEX = 2 * TRACE_ID_BYTES,
  TRACE_PARENT_LEN = 55,    /* of a traceparent of version 00 */
  TRACE_STATE_MAX = 512,    /* bytes of a tracestate that go on */
  TRACE_STATE_READ = 4096,  /* bytes of one that are looked at; a longer one is dropped */
  TRACE_STATE_MEMBERS = 32, /* of a list; a longer one is malformed */
};

#define TRACE_HEADER_PARENT "traceparent"
#define TRACE_HEADER_STATE "tracestate"

enum trace_flags { TRACE_SAMPLED = 1, TRACE_RANDOM = 2 };

struct trace_context {
  uint8_t trace_id[TRACE_ID_BYTES]; /* all zero: no context */
  uint8_t span_id[SPAN_ID_BYTES];
  uint8_t flags;
  char state[TRACE_STATE_MAX + 1]; /* tracestate, normalised; "" for none */
};

/* Whether there is a context at all; false for NULL. */
bool trace_context_exists(const struct trace_context *c);
/* Reads what came in. traceparent NULL or malformed: false, and *out has no context. tracestate
 * NULL or malformed: the context has none. A traceparent of a later version is read as far as
 * version 00 goes. */
bool trace_context_read(struct trace_context *out, const char *traceparent, const char *tracestate);
/* A trace of its own, with ids that were never used before, not sampled. */
void trace_context_new(struct trace_context *out);
/* The same trace with another span id. */
void trace_context_child(struct trace_context *out, const struct trace_context *parent);
/* Copies as many bytes as there are; `from` NULL gives no context. */
void trace_context_copy(struct trace_context *out, const struct trace_context *from);
/* The traceparent to send: version 00. */
void trace_context_parent(const struct trace_context *c, char out[TRACE_PARENT_LEN + 1]);
/* The trace id as logs and messages show it. */
void trace_context_id(const struct trace_context *c, char out[TRACE_ID_HEX + 1]);

/* Reads a tracestate of `len` bytes into out: members without the spaces around them and without
 * empty ones. One that is longer than TRACE_STATE_MAX loses first its members of more than 128
 * bytes, then its last ones (section 3.3.1.5). False, and out is "", when it is malformed: a bad
 * key or value, a duplicate key, more than TRACE_STATE_MEMBERS, longer than TRACE_STATE_READ. */
bool trace_state_read(char out[TRACE_STATE_MAX + 1], const char *s, size_t len);

#endif
