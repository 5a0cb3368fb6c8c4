/* The gRPC library's start and end, its log lines, and the polling threads. */
#include "common/rpc/core.h"

#include <grpc/support/log.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/rpc/rpc.h"

enum { LIBRARY_LINES_PER_S = 5, SHUTDOWN_WAIT_MS = 2000 };

static atomic_int inits;

/* True a few times per second: a stranger who fails one handshake after the other must
 * not fill the log. */
static bool may_log(void)
{
  static atomic_llong second;
  static atomic_int lines;
  long long now = (long long)clock_mono_ms() / 1000;
  if (atomic_exchange(&second, now) != now)
    atomic_store(&lines, 0);
  return atomic_fetch_add(&lines, 1) < LIBRARY_LINES_PER_S;
}

/* What the library calls an error is mostly a peer that went away or was not let in; the
 * call that suffers from it says so with the backend's name. */
static void log_from_library(gpr_log_func_args *args)
{
  enum log_level level =
      args->severity == GPR_LOG_SEVERITY_ERROR && may_log() ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
  LOG_AT(level, "grpc", LOG_S("detail", args->message), LOG_S("file", args->file),
         LOG_I("line", args->line));
}

void rpc_init(void)
{
  gpr_set_log_function(log_from_library);
  atomic_fetch_add(&inits, 1);
  grpc_init();
}

void rpc_shutdown(void)
{
  grpc_shutdown_blocking();
  if (atomic_fetch_sub(&inits, 1) != 1)
    return;
  /* A channel or server that a thread of the library's own gives back last ends the library
   * there, later. A process that exits meanwhile ends OpenSSL under those threads. */
  for (int i = 0; i < SHUTDOWN_WAIT_MS && grpc_is_initialized(); i++)
    usleep(1000);
}

void rpc_batch(grpc_call *call, const grpc_op *ops, size_t n, struct rpc_event *ev)
{
  RPC_TSAN_RELEASE(ev);
  grpc_call_error error = grpc_call_start_batch(call, ops, n, ev, NULL);
  if (error != GRPC_CALL_OK) {
    log_error("gRPC refused a batch", LOG_S("error", grpc_call_error_to_string(error)));
    abort();
  }
}

void rpc_poller_init(struct rpc_poller *p)
{
  *p = (struct rpc_poller){.timer_ms = INT64_MAX};
  p->cq = grpc_completion_queue_create_for_next(NULL);
}

/* When the next wait must end. */
static gpr_timespec next_deadline(const struct rpc_poller *p)
{
  if (p->timer_ms == INT64_MAX)
    return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  int64_t wait = p->timer_ms - clock_mono_ms();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(wait > 0 ? wait : 0, GPR_TIMESPAN));
}

static _Thread_local const struct rpc_poller *current;

static void *poll_events(void *arg)
{
  struct rpc_poller *p = arg;
  current = p;
  for (;;) {
    grpc_event event = grpc_completion_queue_next(p->cq, next_deadline(p), NULL);
    if (event.type == GRPC_QUEUE_SHUTDOWN)
      return NULL;
    if (event.type == GRPC_OP_COMPLETE) {
      struct rpc_event *ev = event.tag;
      RPC_TSAN_ACQUIRE(ev);
      MAGIC_CHECK(ev, RPC_EVENT_MAGIC);
      ev->run(ev, event.success != 0);
    }
    if (p->timer_ms != INT64_MAX && clock_mono_ms() >= p->timer_ms) {
      p->timer_ms = INT64_MAX;
      p->on_timer(p->timer_arg);
    }
  }
}

void rpc_poller_start(struct rpc_poller *p, const char *name)
{
  if (pthread_create(&p->thread, NULL, poll_events, p) != 0) {
    log_error("cannot start a polling thread", LOG_S("name", name));
    abort();
  }
  p->started = true;
  pthread_setname_np(p->thread, name);
}

void rpc_poller_stop(struct rpc_poller *p)
{
  if (p->cq == NULL)
    return;
  grpc_completion_queue_shutdown(p->cq);
  if (p->started)
    pthread_join(p->thread, NULL);
  else
    poll_events(p);
  grpc_completion_queue_destroy(p->cq);
  p->cq = NULL;
}

bool rpc_poller_is_current(const struct rpc_poller *p)
{
  return current == p;
}
