/* Spans: one piece of work of a trace, from its begin to its end, for whoever records traces
 * (tracer.h). Without a recorder no span is made, and each function costs a branch.
 *
 * A span holds names of ours, codes and counts: never a row of data, a token, a query string, an
 * address of a page, or what a caller wrote. One thread at a time may use a span. */
#ifndef AMCP_TRACE_SPAN_H
#define AMCP_TRACE_SPAN_H

#include "common/trace/context.h"

/* The numbers are OTLP's. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };

enum {
  SPAN_NAME_MAX = 80,  /* bytes; a longer one is cut */
  SPAN_ATTRIBUTES = 8, /* more are dropped, and counted */
  SPAN_TEXT_MAX = 320, /* bytes of all texts of a span; what does not fit is dropped, and counted */
  SPAN_VALUE_MAX = 80, /* bytes of one text; a longer one is cut */
};

struct span;

/* What the recorder reads of a span that has ended. */
struct span_attribute {
  const char *key;  /* static */
  const char *text; /* NULL: a number */
  int64_t number;
};
struct span_view {
  const uint8_t *trace_id, *span_id;
  const uint8_t *parent_id; /* NULL: the trace begins here */
  const char *state, *name;
  const struct trace_context *link; /* NULL: none */
  enum span_kind kind;
  uint8_t flags;
  uint64_t start_unix_ns, end_unix_ns;
  bool failed;
  const struct span_attribute *attributes;
  size_t n_attributes;
  uint32_t dropped_attributes;
};

/* Begins a span of `parent`; NULL or no context: of a new trace. *context (may be parent itself) is
 * what calls of the span are made for, whether it is recorded or not: without a recorder it is the
 * parent's, or a new trace's. NULL when the span is not recorded, which all functions here take. */
struct span *span_begin(struct trace_context *context, enum span_kind kind, const char *name,
                        const struct trace_context *parent);
/* Attributes by the names of OpenTelemetry's semantic conventions. `key` is static; `value` is
 * copied, and dropped when it is NULL or no UTF-8. */
void span_text(struct span *s, const char *key, const char *value);
void span_number(struct span *s, const char *key, int64_t value);
/* Another context that the work belongs to; one per span. */
void span_link(struct span *s, const struct trace_context *other);
/* The work has failed: a code of ours, as the attribute error.type. */
void span_fail(struct span *s, const char *type);
/* Ends the span: it is the recorder's. */
void span_end(struct span *s);

/* For the recorder. The view is valid as long as the span. */
void span_look(const struct span *s, struct span_view *out);
void span_free(struct span *s);

#endif
