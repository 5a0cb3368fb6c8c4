/* The context that a thread works for right now. Whoever calls code that may make calls of its own
 * enters it, so that those calls are part of the trace without every function passing it on:
 *
 *   struct trace_scope scope = trace_enter(&context);
 *   ... handle the request ...
 *   trace_leave(scope);
 *
 * What the code leaves for later (a timer, a queue, another thread) is outside of it. */
#ifndef AMCP_TRACE_SCOPE_H
#define AMCP_TRACE_SCOPE_H

#include "common/trace/context.h"

struct trace_scope {
  const struct trace_context *outer;
};

/* `context` must live until trace_leave(), which comes on the same thread, in reverse order. NULL:
 * no context. */
struct trace_scope trace_enter(const struct trace_context *context);
void trace_leave(struct trace_scope scope);
/* NULL for none. Valid until the scope is left. */
const struct trace_context *trace_current(void);

#endif
