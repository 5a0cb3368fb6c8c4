/* How long one attempt may go without an answer, for calls with options.attempt_ms: a server that
 * hangs keeps its connection, so the call has to give up on it by itself.
 *
 * The attempts that are timed hang in the channel's list, on the poller only. An attempt that was
 * started on another thread joins it through an event of its own. The core's deadline would not do
 * for this: the server would see it, and end work early that a second attempt can share. */
#include "common/base/clock.h"
#include "common/rpc/client.h"

static void join(struct rpc_client_call *call)
{
  struct rpc_channel *ch = call->channel;
  call->timed_next = ch->timed;
  call->timed_link = &ch->timed;
  if (call->timed_next != NULL)
    call->timed_next->timed_link = &call->timed_next;
  ch->timed = call;
  rpc_timer_arm(ch->poller, &ch->patience, call->give_up_ms);
}

void client_patience_end(struct rpc_client_call *call)
{
  struct rpc_channel *ch = call->channel;
  call->timing = false;
  if (call->timed_link == NULL)
    return;
  *call->timed_link = call->timed_next;
  if (call->timed_next != NULL)
    call->timed_next->timed_link = call->timed_link;
  call->timed_link = NULL;
  if (ch->timed == NULL) /* the poller outlives the channel */
    rpc_timer_disarm(ch->poller, &ch->patience);
}

/* The attempt may have ended, and even the next one begun, before this came. */
static void on_join(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_client_call *call = CONTAINER_OF(ev, struct rpc_client_call, patience_event);
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  struct rpc_channel *ch = call->channel;
  pthread_mutex_lock(&call->lock); /* its starter has let go */
  pthread_mutex_unlock(&call->lock);
  if (call->timing && call->timed_link == NULL)
    join(call);
  client_call_unref(call);
  channel_poked(ch);
}

void client_patience_begin(struct rpc_client_call *call)
{
  struct rpc_channel *ch = call->channel;
  if (call->attempt_ms == 0)
    return;
  call->timing = true;
  call->gave_up = false;
  call->give_up_ms = clock_mono_ms() + call->attempt_ms;
  if (rpc_poller_is_current(ch->poller)) {
    join(call);
    return;
  }
  call->patience_event = RPC_EVENT_INIT(on_join);
  client_call_ref(call);
  atomic_fetch_add(&ch->pokes, 1);
  rpc_poke(call->attempt, &call->patience_event);
}

/* The end of the attempt follows from its cancellation. */
static void give_up(struct rpc_client_call *call)
{
  client_patience_end(call);
  call->gave_up = true;
  pthread_mutex_lock(&call->lock);
  if (call->attempt != NULL)
    grpc_call_cancel(call->attempt, NULL);
  pthread_mutex_unlock(&call->lock);
}

void client_patience_due(void *channel)
{
  struct rpc_channel *ch = channel;
  int64_t now = clock_mono_ms();
  struct rpc_client_call *next;
  for (struct rpc_client_call *call = ch->timed; call != NULL; call = next) {
    next = call->timed_next;
    if (call->give_up_ms <= now)
      give_up(call);
    else
      rpc_timer_arm(ch->poller, &ch->patience, call->give_up_ms);
  }
}
