/* Which traces are recorded: the samplers of OpenTelemetry, by their names in
 * OTEL_TRACES_SAMPLER. */
#ifndef AMCP_TRACE_SAMPLER_H
#define AMCP_TRACE_SAMPLER_H

#include "common/base/error.h"
#include "common/trace/context.h"

struct trace_sampler {
  bool parent_based; /* a trace that came from outside is recorded if its caller records it */
  uint64_t bound;    /* of the last 63 bits of a trace id: below it the trace is recorded */
};

/* always_on, always_off, traceidratio, and each with parentbased_ before it. NULL or "" is
 * parentbased_always_on. `arg` is the ratio of the two with traceidratio, from 0 to 1; NULL or ""
 * is 1; the others have none, and it is not looked at. ERR_INVALID_ARGUMENT names
 * OTEL_TRACES_SAMPLER or OTEL_TRACES_SAMPLER_ARG. */
enum err_code trace_sampler_read(struct trace_sampler *out, const char *name, const char *arg,
                                 struct err *e);
/* Whether a span is recorded. `parent` NULL: it begins a trace, whose id decides. */
bool trace_sampler_takes(const struct trace_sampler *s, const uint8_t trace_id[TRACE_ID_BYTES],
                         const struct trace_context *parent);

#endif
