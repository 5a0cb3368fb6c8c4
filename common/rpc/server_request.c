/* Slots that wait for requests, and the way of a request to its handler. */
#include "common/rpc/server.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/trace/scope.h"

/* Requests beyond the armed slots wait inside the core, none is lost; a slot is armed
 * again before its request is handled. */
enum { SLOTS = 4, SLOTS_UNKNOWN = 4 };

static void on_request(struct rpc_event *ev, bool ok);

static void arm(struct rpc_server *s, struct server_method *m, struct rpc_poller *p)
{
  struct rpc_call *call = call_new(s, m, p);
  call->request_event = RPC_EVENT_INIT(on_request);
  RPC_TSAN_RELEASE(&call->request_event);
  if (m != NULL)
    grpc_server_request_registered_call(s->core, m->registered, &call->core, &call->deadline,
                                        &call->metadata, &call->payload, p->cq, p->cq,
                                        &call->request_event);
  else
    grpc_server_request_call(s->core, &call->core, &call->details, &call->metadata, p->cq, p->cq,
                             &call->request_event);
}

void server_arm_all(struct rpc_server *s)
{
  for (size_t i = 0; i < s->n_pollers; i++) {
    for (struct server_method *m = s->methods; m != NULL; m = m->next)
      for (int n = 0; n < SLOTS; n++)
        arm(s, m, &s->pollers[i]);
    for (int n = 0; n < SLOTS_UNKNOWN; n++)
      arm(s, NULL, &s->pollers[i]);
  }
}

/* Every answer of this layer goes this way. */
static void refuse(struct rpc_call *call, struct err *e)
{
  const struct rpc_server_options *o = &call->server->options;
  const char *path = call->method != NULL ? call->method->path : "";
  AUTO_FREE char *asked = NULL;
  if (o->on_refusal != NULL && call->method == NULL)
    path = asked = xstrndup((const char *)GRPC_SLICE_START_PTR(call->details.method),
                            GRPC_SLICE_LENGTH(call->details.method));
  if (o->on_refusal != NULL)
    o->on_refusal(o->user, call, path, e);
  rpc_call_finish(call, e);
}

/* Unpacks the request and calls the handler, which takes over a reference. */
static void handle(struct rpc_call *call)
{
  struct server_method *m = call->method;
  struct err e = {0};
  size_t max = call->server->options.max_message_bytes * RPC_UNPACK_FACTOR;
  enum err_code code =
      rpc_unpack(&call->request, m->input, call->payload, rpc_call_arena(call), max, &e);
  if (call->payload != NULL)
    grpc_byte_buffer_destroy(call->payload);
  call->payload = NULL;
  if (code != ERR_OK) {
    refuse(call, &e);
    return;
  }
  rpc_call_ref(call); /* its trace is in use until the handler returns */
  struct trace_scope scope = trace_enter(&call->trace);
  m->method->handle(call, call->request.message, m->service);
  trace_leave(scope);
  rpc_call_unref(call);
}

static void handle_on_worker(void *arg)
{
  struct rpc_call *call = arg;
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  struct err gone = {.code = ERR_CANCELLED, .reason = "cancelled"};
  if (rpc_call_cancelled(call))
    refuse(call, &gone); /* nobody waits for the answer any more */
  else
    handle(call);
}

static void dispatch_to_worker(struct rpc_call *call)
{
  call_watch_close(call);
  if (pool_submit(call->server->pool, handle_on_worker, call))
    return;
  struct err full = {0};
  err_set(&full, ERR_RESOURCE_EXHAUSTED, "queue_full",
          "the server is busy: %zu calls wait already; try again in a moment",
          call->server->options.queue_max);
  refuse(call, &full);
}

/* Most handlers that run here reply before they return; then one batch answers the call
 * and watches for its end at once. The others get their watch afterwards: what it brings comes on
 * this thread, so not before the handler has returned. */
static void dispatch_on_poller(struct rpc_call *call)
{
  rpc_call_ref(call);
  call->watched_later = call->method->method->kind == RPC_UNARY;
  if (!call->watched_later)
    call_watch_close(call);
  handle(call);
  call_watch_close(call);
  rpc_call_unref(call);
}

static void refuse_unknown(struct rpc_call *call)
{
  struct err e = {0};
  const char *path = (const char *)GRPC_SLICE_START_PTR(call->details.method);
  int len = (int)GRPC_SLICE_LENGTH(call->details.method);
  err_set(&e, ERR_UNIMPLEMENTED, "unknown_method", "this server has no method %.*s", len, path);
  refuse(call, &e);
}

static void on_request(struct rpc_event *ev, bool ok)
{
  struct rpc_call *call = CONTAINER_OF(ev, struct rpc_call, request_event);
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  if (!ok) { /* the server shuts down */
    rpc_call_unref(call);
    return;
  }
  arm(call->server, call->method, call->poller);
  call->started_ns = clock_mono_ns();
  call_trace_begin(call);
  if (call->method == NULL || call->method->is_work)
    rpc_metrics_server_begun();
  if (call->method == NULL)
    refuse_unknown(call);
  else if (call->method->method->thread == RPC_ON_WORKER)
    dispatch_to_worker(call);
  else
    dispatch_on_poller(call);
}
