/* The trace of a call on the server. */
#include <grpc/slice.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/rpc/server.h"
#include "common/trace/tracer.h"

static void read_trace(struct rpc_call *call)
{
  char parent[TRACE_PARENT_LEN + 2] = ""; /* one byte more shows that it goes on */
  const grpc_slice *value = call_metadata_find(call, RPC_META_TRACEPARENT);
  if (value == NULL)
    return;
  size_t len = GRPC_SLICE_LENGTH(*value);
  memcpy(parent, GRPC_SLICE_START_PTR(*value), len < sizeof(parent) ? len : sizeof(parent) - 1);
  if (!trace_context_read(&call->trace, parent, NULL))
    return;
  value = call_metadata_find(call, RPC_META_TRACESTATE);
  if (value != NULL)
    trace_state_read(call->trace.state, (const char *)GRPC_SLICE_START_PTR(*value),
                     GRPC_SLICE_LENGTH(*value));
}

void call_trace_begin(struct rpc_call *call)
{
  const struct server_method *m = call->method;
  read_trace(call);
  if (!trace_on() || (m != NULL && !m->is_work))
    return;
  const char *path = m != NULL ? m->path + 1 : "other"; /* as in the metrics: a caller wrote it */
  call->span = span_begin(&call->trace, SPAN_SERVER, path, &call->trace);
  span_text(call->span, "rpc.system", "grpc");
  span_text(call->span, "rpc.service", m != NULL ? m->service_name : "other");
  span_text(call->span, "rpc.method", m != NULL ? m->method->name : "other");
}

/* What counts as the server's failure, by OpenTelemetry's conventions for gRPC. */
static bool is_failure(grpc_status_code status)
{
  return status == GRPC_STATUS_UNKNOWN || status == GRPC_STATUS_DEADLINE_EXCEEDED ||
         status == GRPC_STATUS_UNIMPLEMENTED || status == GRPC_STATUS_INTERNAL ||
         status == GRPC_STATUS_UNAVAILABLE || status == GRPC_STATUS_DATA_LOSS;
}

void call_trace_end(struct rpc_call *call)
{
  struct span *s = TAKE_PTR(call->span);
  span_number(s, "rpc.grpc.status_code", (int64_t)call->status);
  if (is_failure(call->status))
    span_fail(s, err_code_name((enum err_code)call->status));
  span_end(s);
}

const struct trace_context *rpc_call_trace(const struct rpc_call *call)
{
  return call != NULL ? &call->trace : NULL;
}
