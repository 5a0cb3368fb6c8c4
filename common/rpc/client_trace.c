/* The trace of a call on the client: each attempt is a span, which the server's is a child of. */
#include <grpc/slice.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/rpc/client.h"
#include "common/trace/tracer.h"

const struct trace_context *client_trace_of(const struct rpc_client_options *options)
{
  if (trace_context_exists(options->trace))
    return options->trace;
  if (options->parent != NULL && trace_context_exists(rpc_call_trace(options->parent)))
    return rpc_call_trace(options->parent);
  return trace_current();
}

void client_trace_begin(struct rpc_client_call *call)
{
  if (call->trace_at == SIZE_MAX || !trace_on())
    return;
  struct trace_context own;
  char name[SPAN_NAME_MAX + 1], parent[TRACE_PARENT_LEN + 1];
  const char *service = call->method->service->name, *method = call->method->descriptor->name;
  snprintf(name, sizeof(name), "%s/%s", service, method);
  call->span = span_begin(&own, SPAN_CLIENT, name, call->trace);
  span_text(call->span, "rpc.system", "grpc");
  span_text(call->span, "rpc.service", service);
  span_text(call->span, "rpc.method", method);
  span_text(call->span, "server.address", call->channel->name);
  trace_context_parent(&own, parent);
  grpc_metadata *md = &call->metadata[call->trace_at];
  grpc_slice_unref(md->value);
  md->value = grpc_slice_from_copied_string(parent);
}

void client_trace_end(struct rpc_client_call *call)
{
  struct span *s = TAKE_PTR(call->span);
  if (s == NULL)
    return;
  int code = call->local_error != NULL ? (int)call->local_error->code : (int)call->status;
  span_number(s, "rpc.grpc.status_code", code);
  if (call->failures > 0)
    span_number(s, "rpc.resend_count", call->failures);
  if (code != ERR_OK)
    span_fail(s, call->gave_up ? "no_answer" : err_code_name((enum err_code)code));
  span_end(s);
}

void client_trace_free(struct rpc_client_call *call)
{
  span_free(call->span);
  free(call->trace);
}
