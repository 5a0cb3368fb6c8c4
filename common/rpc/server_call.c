/* A call on the server: its references, and the callbacks for cancellation and room. */
#include "common/rpc/server.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

/* What a handler may take from the call's arena besides the request itself. */
enum { ARENA_BYTES = 16 * 1024 * 1024 };

static void on_close(struct rpc_event *ev, bool ok);
static void on_poke(struct rpc_event *ev, bool ok);

struct rpc_call *call_new(struct rpc_server *s, struct server_method *m, struct rpc_poller *p)
{
  struct rpc_call *call = xcalloc(1, sizeof(*call));
  call->magic = RPC_CALL_MAGIC;
  atomic_init(&call->refs, 1);
  call->server = s;
  call->method = m;
  call->poller = p;
  call->queue_end = &call->queue;
  call->close_event = RPC_EVENT_INIT(on_close);
  call->send_event = RPC_EVENT_INIT(call_on_send_event);
  call->poke_event = RPC_EVENT_INIT(on_poke);
  call->recv_event = RPC_EVENT_INIT(call_on_recv_event);
  grpc_metadata_array_init(&call->metadata);
  if (m == NULL)
    grpc_call_details_init(&call->details);
  pthread_mutex_init(&call->lock, NULL);
  pthread_cond_init(&call->changed, NULL);
  atomic_fetch_add(&s->live, 1);
  return call;
}

static void call_free(struct rpc_call *call)
{
  struct rpc_server *s = call->server;
  rpc_unpacked_free(&call->request);
  arena_wipe(call->arena); /* small requests are in it, with their bearers */
  arena_free(call->arena);
  call_facts_free(call->facts);
  span_free(call->span);
  if (call->payload != NULL)
    grpc_byte_buffer_destroy(call->payload);
  if (call->core != NULL)
    grpc_call_unref(call->core);
  grpc_metadata_array_destroy(&call->metadata);
  if (call->method == NULL)
    grpc_call_details_destroy(&call->details);
  pthread_cond_destroy(&call->changed);
  pthread_mutex_destroy(&call->lock);
  call->magic = 0;
  free(call);
  server_call_gone(s);
}

void rpc_call_ref(struct rpc_call *call)
{
  atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
}

void rpc_call_unref(struct rpc_call *call)
{
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  if (atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) == 1)
    call_free(call);
}

struct arena *rpc_call_arena(struct rpc_call *call)
{
  if (call->arena == NULL)
    call->arena = arena_new(ARENA_BYTES);
  return call->arena;
}

int64_t rpc_work_deadline_ms(int64_t now_ms, int64_t call_deadline_ms, int64_t longest_ms)
{
  enum { MARGIN_MIN_MS = 100, MARGIN_MAX_MS = 2000, MARGIN_SHARE = 10 };
  int64_t longest = now_ms + longest_ms;
  if (call_deadline_ms == INT64_MAX)
    return longest;
  int64_t left = call_deadline_ms > now_ms ? call_deadline_ms - now_ms : 0;
  int64_t margin = left / MARGIN_SHARE;
  if (margin < MARGIN_MIN_MS)
    margin = left / 2 < MARGIN_MIN_MS ? left / 2 : MARGIN_MIN_MS;
  if (margin > MARGIN_MAX_MS)
    margin = MARGIN_MAX_MS;
  int64_t work = now_ms + left - margin;
  return work < longest ? work : longest;
}

int64_t rpc_call_deadline_ms(struct rpc_call *call)
{
  gpr_timespec t = gpr_convert_clock_type(call->deadline, GPR_CLOCK_MONOTONIC);
  if (gpr_time_cmp(t, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0)
    return INT64_MAX;
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void call_watch_close(struct rpc_call *call)
{
  if (atomic_exchange(&call->close_watched, true))
    return;
  rpc_call_ref(call);
  grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
  op.data.recv_close_on_server.cancelled = &call->close_cancelled;
  rpc_batch(call->core, &op, 1, &call->close_event);
}

bool rpc_call_cancelled(struct rpc_call *call)
{
  call_watch_close(call);
  return atomic_load(&call->cancelled);
}

static void on_close(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_call *call = CONTAINER_OF(ev, struct rpc_call, close_event);
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  if (call->close_cancelled != 0) {
    pthread_mutex_lock(&call->lock);
    atomic_store(&call->cancelled, true);
    call_drop_queue(call);
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock);
    call_run_due(call);
  }
  rpc_call_unref(call);
}

/* Takes the callback that is due, if any, and marks it as running. The lock is held. */
static bool take_due(struct rpc_call *call, void (**fn)(void *), void **arg)
{
  if (call->finished || call->running != CALLBACK_NONE)
    return false;
  bool room = call->queued_bytes <= RPC_SEND_QUEUE_BYTES / 2;
  if (call->on_cancel != NULL && atomic_load(&call->cancelled)) {
    *fn = call->on_cancel;
    *arg = call->cancel_arg;
    call->on_cancel = NULL;
    call->running = CALLBACK_CANCEL;
    return true;
  }
  if (call->on_writable != NULL && (room || call->peer_gone)) {
    *fn = call->on_writable;
    *arg = call->writable_arg;
    call->on_writable = NULL;
    call->running = CALLBACK_WRITABLE;
    return true;
  }
  return false;
}

void call_run_due(struct rpc_call *call)
{
  void (*fn)(void *) = NULL;
  void *arg = NULL;
  pthread_mutex_lock(&call->lock);
  while (take_due(call, &fn, &arg)) {
    pthread_mutex_unlock(&call->lock);
    fn(arg);
    pthread_mutex_lock(&call->lock);
    call->running = CALLBACK_NONE;
    pthread_cond_broadcast(&call->changed);
  }
  pthread_mutex_unlock(&call->lock);
}

void call_poke(struct rpc_call *call)
{
  if (call->poking || call->finished)
    return;
  call->poking = true;
  rpc_call_ref(call);
  rpc_poke(call->core, &call->poke_event);
}

static void on_poke(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_call *call = CONTAINER_OF(ev, struct rpc_call, poke_event);
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  pthread_mutex_lock(&call->lock);
  call->poking = false;
  pthread_mutex_unlock(&call->lock);
  call_run_due(call);
  rpc_call_unref(call);
}

/* Waits until the callback that runs now is over; not when called from within it, which
 * is on the poller. The lock is held. */
static void wait_for_callback(struct rpc_call *call, enum call_callback which)
{
  while (call->running == which && !rpc_poller_is_current(call->poller))
    pthread_cond_wait(&call->changed, &call->lock);
}

void call_drop_callbacks(struct rpc_call *call)
{
  call->on_cancel = NULL;
  call->on_writable = NULL;
  wait_for_callback(call, CALLBACK_CANCEL);
  wait_for_callback(call, CALLBACK_WRITABLE);
}

void rpc_call_on_cancel(struct rpc_call *call, void (*fn)(void *arg), void *arg)
{
  if (fn != NULL && !call->watched_later)
    call_watch_close(call);
  pthread_mutex_lock(&call->lock);
  call->on_cancel = fn;
  call->cancel_arg = arg;
  if (fn == NULL)
    wait_for_callback(call, CALLBACK_CANCEL);
  else if (atomic_load(&call->cancelled))
    call_poke(call);
  pthread_mutex_unlock(&call->lock);
}

void rpc_call_on_writable(struct rpc_call *call, void (*fn)(void *arg), void *arg)
{
  pthread_mutex_lock(&call->lock);
  call->on_writable = fn;
  call->writable_arg = arg;
  if (fn != NULL && (call->peer_gone || call->queued_bytes <= RPC_SEND_QUEUE_BYTES / 2))
    call_poke(call);
  pthread_mutex_unlock(&call->lock);
}
