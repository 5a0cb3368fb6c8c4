/* The gRPC library's start and end, its log lines, and the start of batches. */
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

/* Debian builds abseil, whose mutexes the library uses, with the search for deadlocks on: each lock
 * that is taken is looked up in one graph of the process. That is for finding faults of the
 * library's own code and costs 2 to 4 % of the CPU time here, so it is switched off
 * (SetMutexDeadlockDetectionMode(OnDeadlockCycle::kIgnore)). The name is that of Debian's version;
 * where it is another, nothing is done. */
__attribute__((weak)) void set_deadlock_search(int mode) __asm__(
    "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE");

static void stop_deadlock_search(void)
{
  enum { IGNORE = 0 };
  if (set_deadlock_search != NULL)
    set_deadlock_search(IGNORE);
}

void rpc_init(void)
{
  stop_deadlock_search();
  gpr_set_log_function(log_from_library);
  atomic_fetch_add(&inits, 1);
  grpc_init();
}

void rpc_shutdown(void)
{
  if (atomic_load(&inits) == 1)
    rpc_pollers_stop();
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
