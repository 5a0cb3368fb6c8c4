/* The context of the thread. */
#include "common/trace/scope.h"

#include <stddef.h>

static _Thread_local const struct trace_context *current;

struct trace_scope trace_enter(const struct trace_context *context)
{
  struct trace_scope scope = {current};
  current = trace_context_exists(context) ? context : NULL;
  return scope;
}

void trace_leave(struct trace_scope scope)
{
  current = scope.outer;
}

const struct trace_context *trace_current(void)
{
  return current;
}
