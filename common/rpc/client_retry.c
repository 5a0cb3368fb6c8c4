/* What follows an attempt: another one, or the end of the call with a status that people
 * understand.
 *
 * Calls do not wait for a connection without limit (waitForReady), because a service that
 * is down must be named within seconds; nor do they fail at the first refused connection,
 * because a restart takes a moment. So an attempt that did not get an answer is repeated
 * for a short time; for longer behind a name, whose new addresses DNS may not give out yet. */
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <string.h>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/rpc/client.h"

enum {
  RETRY_MS = 2000, /* after the first failure */
  /* The same where no address behind a name answered: longer than DNS keeps an answer (5 s in
   * Kubernetes) and a connection takes. */
  RETRY_NAME_MS = 8000,
  RETRY_FIRST_MS = 20, /* waits between attempts */
  RETRY_LONGEST_MS = 200,
  MAX_REACHED = 3, /* attempts that reached a server: it may have worked on them */
  MAX_HUNG = 3,    /* attempts without an answer; with two servers, one may be met twice */
  RECONNECT_EVERY_MS = 250,
};

/* Whether the attempt got as far as a connection: only then the core knows the peer as an
 * address instead of the target. A target that is itself one address looks the same in
 * both cases; it counts as not reached, and time alone ends its attempts. */
static bool reached_server(const struct rpc_client_call *call)
{
  char *peer = grpc_call_get_peer(call->attempt);
  bool address = strncmp(peer, "ipv4:", 5) == 0 || strncmp(peer, "ipv6:", 5) == 0 ||
                 strncmp(peer, "unix:", 5) == 0;
  bool reached = address && strcmp(peer, call->channel->target) != 0;
  gpr_free(peer);
  return reached;
}

/* No server has answered. UNAVAILABLE: no connection, or it broke. CANCELLED without our caller's
 * doing: the attempt was given up, or the server was shutting down and had not accepted the call
 * yet (grpc/grpc#41785) or did not wait for its end. A handler that says either adds the
 * pushback. */
static bool unanswered(const struct rpc_client_call *call)
{
  if (call->status != GRPC_STATUS_UNAVAILABLE && call->status != GRPC_STATUS_CANCELLED)
    return false;
  if (call->parent != NULL && rpc_call_cancelled(call->parent))
    return false;
  char pushback[16];
  client_trailer(call, RPC_META_PUSHBACK, pushback, sizeof(pushback));
  return pushback[0] == '\0';
}

static bool worth_another(const struct rpc_client_call *call)
{
  return !call->delivered && call->local_error == NULL && unanswered(call);
}

/* Connects now instead of after the core's backoff: a caller is waiting. */
static void hurry_connection(struct rpc_channel *ch, int64_t now)
{
  if (now - ch->reconnected_ms < RECONNECT_EVERY_MS)
    return;
  ch->reconnected_ms = now;
  grpc_channel_reset_connect_backoff(ch->core);
}

/* Whether the number of attempts, or the time since the first failure, leaves another. */
static bool attempts_left(struct rpc_client_call *call, int64_t now, bool reached)
{
  if (call->gave_up)
    return ++call->hung < MAX_HUNG;
  if (call->failures == 0)
    call->failed_ms = now;
  struct backoff wait = {RETRY_FIRST_MS, RETRY_LONGEST_MS, call->failures++};
  call->retry_at_ms = now + backoff_next_ms(&wait);
  call->reached += reached;
  int64_t longest_ms = call->channel->named && call->reached == 0 ? RETRY_NAME_MS : RETRY_MS;
  return call->reached < MAX_REACHED && call->retry_at_ms <= call->failed_ms + longest_ms;
}

/* Puts the call on the waiting list. False when it has used up its time or attempts. */
static bool plan_next(struct rpc_client_call *call)
{
  struct rpc_channel *ch = call->channel;
  int64_t now = clock_mono_ms();
  bool reached = reached_server(call);
  call->retry_at_ms = now;
  if (!attempts_left(call, now, reached) || call->retry_at_ms >= call->deadline_ms)
    return false;
  if (!call->gave_up && !reached)
    hurry_connection(ch, now);
  pthread_mutex_lock(&call->lock);
  bool go = !call->cancelled;
  call->retrying = go;
  pthread_mutex_unlock(&call->lock);
  if (!go)
    return false;
  call->waiting_next = ch->waiting;
  ch->waiting = call;
  rpc_timer_arm(ch->poller, &ch->retry, call->retry_at_ms);
  return true;
}

static void describe_deadline(const struct rpc_client_call *call, struct err *e)
{
  int64_t waited = (clock_mono_ns() - call->started_ns) / 1000000;
  err_set(e, ERR_DEADLINE_EXCEEDED, "deadline_exceeded",
          "%s did not answer within %lld ms; try again, or ask for less", call->channel->name,
          (long long)waited);
}

static void describe_hung(const struct rpc_client_call *call, struct err *e)
{
  int64_t waited = (clock_mono_ns() - call->started_ns) / 1000000;
  err_set(e, ERR_UNAVAILABLE, RPC_REASON_UNREACHABLE,
          "%s at %s accepts calls but did not answer %u attempts within %lld ms; it may be "
          "hanging, try again in a moment",
          call->channel->name, call->channel->target, call->hung, (long long)waited);
}

/* The attempt's status as an error. */
static void describe(const struct rpc_client_call *call, struct err *e)
{
  char reason[sizeof(e->reason)];
  client_trailer(call, RPC_META_REASON, reason, sizeof(reason));
  bool lost = reason[0] == '\0' && unanswered(call);
  const char *name = call->channel->name;
  int len = (int)GRPC_SLICE_LENGTH(call->details);
  const char *text = (const char *)GRPC_SLICE_START_PTR(call->details);
  enum err_code code = (enum err_code)call->status;
  if (code == ERR_DEADLINE_EXCEEDED && reason[0] == '\0')
    describe_deadline(call, e);
  else if (lost && call->gave_up)
    describe_hung(call, e);
  else if (lost)
    err_set(e, ERR_UNAVAILABLE, RPC_REASON_UNREACHABLE,
            "%s cannot be reached at %s (%.*s); it may be starting or down, try again in a moment",
            name, call->channel->target, len, text);
  else if (len == 0)
    err_set(e, code, reason, "%s answered %s without saying why", name, err_code_name(code));
  else
    err_set(e, code, reason, "%.*s", len, text);
  client_details(call, e);
}

void client_retry_status(struct rpc_client_call *call, struct err *status)
{
  pthread_mutex_lock(&call->lock);
  bool cancelled = call->cancelled;
  pthread_mutex_unlock(&call->lock);
  *status = (struct err){0};
  if (call->local_error != NULL)
    *status = *call->local_error;
  else if (call->status == GRPC_STATUS_OK)
    status->code = ERR_OK;
  else if (cancelled)
    err_set(status, ERR_CANCELLED, "cancelled", "the call to %s was cancelled",
            call->channel->name);
  else
    describe(call, status);
}

bool client_retry_plan(struct rpc_client_call *call)
{
  return worth_another(call) && plan_next(call);
}

void client_retry_due(void *channel)
{
  struct rpc_channel *ch = channel;
  int64_t now = clock_mono_ms();
  struct rpc_client_call *all = TAKE_PTR(ch->waiting);
  while (all != NULL) {
    struct rpc_client_call *call = all;
    all = call->waiting_next;
    if (call->retry_at_ms <= now) {
      pthread_mutex_lock(&call->lock);
      client_attempt_start(call);
      pthread_mutex_unlock(&call->lock);
      continue;
    }
    call->waiting_next = ch->waiting;
    ch->waiting = call;
    rpc_timer_arm(ch->poller, &ch->retry, call->retry_at_ms);
  }
}

bool client_retry_forget(struct rpc_client_call *call)
{
  struct rpc_channel *ch = call->channel;
  struct rpc_client_call **at = &ch->waiting;
  while (*at != NULL && *at != call)
    at = &(*at)->waiting_next;
  if (*at == NULL)
    return false;
  *at = call->waiting_next;
  if (ch->waiting == NULL) /* the poller outlives the channel */
    rpc_timer_disarm(ch->poller, &ch->retry);
  return true;
}
