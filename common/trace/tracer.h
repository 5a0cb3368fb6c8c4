/* Who records the spans of the process: nobody, until a recorder is installed.
 *
 * As log and metrics this is state of the process, so that libraries need no handle of it. */
#ifndef AMCP_TRACE_TRACER_H
#define AMCP_TRACE_TRACER_H

#include "common/trace/sampler.h"
#include "common/trace/span.h"

struct trace_recorder {
  struct trace_sampler sampler;
  /* A span has ended: it is the recorder's from now on. Any thread; must not block. */
  void (*take)(void *user, struct span *s);
  void *user;
};

/* Installs the recorder, which must outlive trace_remove(). One at a time. */
void trace_install(const struct trace_recorder *r);
/* When it returns, take() neither runs nor will run; spans that end later are freed. */
void trace_remove(void);
/* Whether a recorder is installed. */
bool trace_on(void);

/* For spans: whether the recorder wants one. `parent` NULL: it begins the trace. */
bool trace_wants(const uint8_t trace_id[TRACE_ID_BYTES], const struct trace_context *parent);
/* Hands a span over, or frees it. */
void trace_hand_over(struct span *s);

#endif
