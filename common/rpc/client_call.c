/* A call on the client: start, references, cancellation, end. */
#include "common/rpc/client.h"

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { DEFAULT_TIMEOUT_MS = 30 * 1000 };

void client_call_ref(struct rpc_client_call *call)
{
  atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
}

void client_call_unref(struct rpc_client_call *call)
{
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  if (atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) > 1)
    return;
  client_attempt_clear(call);
  client_metadata_free(call);
  client_trace_free(call);
  free(call->local_error);
  grpc_slice_unref(call->request);
  if (call->parent != NULL)
    rpc_call_unref(call->parent);
  pthread_mutex_destroy(&call->lock);
  call->magic = 0;
  free(call);
}

void rpc_client_release(struct rpc_client_call *call)
{
  if (call != NULL)
    client_call_unref(call);
}

/* -------------------------------------------------------------------- end */

/* Ends the call: on_done, then the references go. On the poller. */
static void end_call(struct rpc_client_call *call)
{
  struct rpc_channel *ch = call->channel;
  struct err status;
  client_retry_status(call, &status);
  pthread_mutex_lock(&call->lock);
  call->ended = true;
  grpc_call *attempt = TAKE_PTR(call->attempt);
  pthread_mutex_unlock(&call->lock);
  if (attempt != NULL)
    grpc_call_unref(attempt);
  rpc_metrics_client(ch->name, call->method->descriptor->name, (int)status.code, call->started_ns);
  struct trace_scope scope = trace_enter(call->trace);
  if (call->callbacks.on_done != NULL)
    call->callbacks.on_done(call->user, &status);
  trace_leave(scope);
  if (call->parent != NULL)
    rpc_call_unref(TAKE_PTR(call->parent));
  channel_unlink(ch, call);
  client_call_unref(call);
}

static void on_attempt_over(struct rpc_client_call *call)
{
  client_trace_end(call);
  if (!client_retry_plan(call))
    end_call(call);
}

/* A call that is cancelled between two attempts need not wait for the next one. */
static void on_poke(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_client_call *call = CONTAINER_OF(ev, struct rpc_client_call, poke_event);
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  struct rpc_channel *ch = call->channel;
  if (client_retry_forget(call))
    end_call(call);
  client_call_unref(call);
  channel_poked(ch);
}

/* ------------------------------------------------------------------ start */

/* The call's own time limit, cut by its parent's. */
static void set_deadline(struct rpc_client_call *call, const struct rpc_client_options *o)
{
  uint32_t timeout = o->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : o->timeout_ms;
  int64_t now = clock_mono_ms();
  call->deadline_ms = now + timeout;
  if (o->parent != NULL && rpc_call_deadline_ms(o->parent) < call->deadline_ms)
    call->deadline_ms = rpc_call_deadline_ms(o->parent);
  call->deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                gpr_time_from_millis(call->deadline_ms - now, GPR_TIMESPAN));
}

static struct rpc_client_call *call_new(struct rpc_channel *ch, const struct channel_method *m,
                                        enum rpc_kind kind, const struct rpc_client_options *o)
{
  struct rpc_client_call *call = xcalloc(1, sizeof(*call));
  call->magic = RPC_CLIENT_CALL_MAGIC;
  atomic_init(&call->refs, 1);
  call->channel = ch;
  call->method = m;
  call->kind = kind;
  call->attempt_ms = o->attempt_ms;
  call->on_bytes = o->on_bytes;
  call->started_ns = clock_mono_ns();
  call->request = grpc_empty_slice();
  call->parent = o->parent;
  if (call->parent != NULL)
    rpc_call_ref(call->parent);
  set_deadline(call, o);
  pthread_mutex_init(&call->lock, NULL);
  call->poke_event = RPC_EVENT_INIT(on_poke);
  client_attempt_init(call, on_attempt_over);
  return call;
}

enum err_code client_call_start(struct rpc_client_call **out, struct rpc_channel *ch,
                                const ProtobufCServiceDescriptor *service, const char *method,
                                enum rpc_kind kind, bool keep_message,
                                const ProtobufCMessage *request,
                                const struct rpc_client_options *options,
                                const struct rpc_client_callbacks *callbacks, void *user,
                                struct err *e)
{
  static const struct rpc_client_options none;
  if (out != NULL)
    *out = NULL;
  if (options == NULL)
    options = &none;
  const struct channel_method *m = channel_method_get(ch, service, method, e);
  if (m == NULL)
    return ERR_INVALID_ARGUMENT;
  struct rpc_client_call *call = call_new(ch, m, kind, options);
  call->keep_message = keep_message;
  call->callbacks = *callbacks;
  call->user = user;
  enum err_code code = client_metadata_make(call, options, e);
  if (code == ERR_OK && !channel_link(ch, call))
    code = err_set(e, ERR_CANCELLED, NULL, "the connection to %s is being closed", ch->name);
  if (code != ERR_OK) {
    client_call_unref(call);
    return code;
  }
  call->request = rpc_pack_slice(request);
  client_call_ref(call);
  if (out != NULL) {
    client_call_ref(call);
    *out = call;
  }
  pthread_mutex_lock(&call->lock);
  client_attempt_start(call);
  pthread_mutex_unlock(&call->lock);
  client_call_unref(call);
  return ERR_OK;
}

enum err_code rpc_client_start(struct rpc_client_call **out, struct rpc_channel *ch,
                               const ProtobufCServiceDescriptor *service, const char *method,
                               enum rpc_kind kind, const ProtobufCMessage *request,
                               const struct rpc_client_options *options,
                               const struct rpc_client_callbacks *callbacks, void *user,
                               struct err *e)
{
  return client_call_start(out, ch, service, method, kind, false, request, options, callbacks, user,
                           e);
}

void rpc_client_cancel(struct rpc_client_call *call)
{
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  pthread_mutex_lock(&call->lock);
  if (!call->ended && !call->cancelled) {
    call->cancelled = true;
    if (call->attempt != NULL)
      grpc_call_cancel(call->attempt, NULL);
    if (call->retrying) { /* wake the poller: the old attempt can still carry an event */
      client_call_ref(call);
      atomic_fetch_add(&call->channel->pokes, 1);
      rpc_poke(call->attempt, &call->poke_event);
    }
  }
  pthread_mutex_unlock(&call->lock);
}
