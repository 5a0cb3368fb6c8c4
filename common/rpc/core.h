/* What the files of this room share: completion-queue events, polling threads, and the
 * start of batches. Private to common/rpc. */
#ifndef AMCP_RPC_CORE_H
#define AMCP_RPC_CORE_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/mem.h"

/* The happens-before edge from starting a batch to its completion runs through the
 * gRPC library, where ThreadSanitizer does not see it. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define RPC_TSAN_ACQUIRE(addr) __tsan_acquire(addr)
#define RPC_TSAN_RELEASE(addr) __tsan_release(addr)
#else
#define RPC_TSAN_ACQUIRE(addr) ((void)(addr))
#define RPC_TSAN_RELEASE(addr) ((void)(addr))
#endif

/* A server's word on retries, of gRPC's own design: negative means do not. */
#define RPC_META_PUSHBACK "grpc-retry-pushback-ms"

/* Every completion-queue tag points at one of these, embedded in the object it
 * concerns. run() is called on the poller when the operation is complete. */
struct rpc_event {
  uint32_t magic;
  void (*run)(struct rpc_event *ev, bool ok);
};
#define RPC_EVENT_MAGIC 0x52707445u
#define RPC_EVENT_INIT(fn) ((struct rpc_event){.magic = RPC_EVENT_MAGIC, .run = (fn)})

/* Starts a batch whose completion is `ev`. The ops may be on the stack; what they point
 * at must live until ev runs. A refusal by the core is a fault of this room, never of
 * input, and ends the process. */
void rpc_batch(grpc_call *call, const grpc_op *ops, size_t n, struct rpc_event *ev);
/* Completes `ev` on the call's poller and does nothing else: how another thread gets a
 * callback onto the poller. */
static inline void rpc_poke(grpc_call *call, struct rpc_event *ev)
{
  rpc_batch(call, NULL, 0, ev);
}

/* One completion queue and the thread that empties it. */
struct rpc_poller {
  grpc_completion_queue *cq;
  pthread_t thread;
  bool started; /* of the thread that starts and stops */
  /* Timers of the client: on_timer(arg) runs on the poller once the monotonic clock
   * has reached timer_ms. Only the poller itself may touch these after the start. */
  int64_t timer_ms;
  void (*on_timer)(void *arg);
  void *timer_arg;
};

/* Makes the queue. */
void rpc_poller_init(struct rpc_poller *p);
/* Starts the thread; name shows in ps and gdb (at most 15 characters). */
void rpc_poller_start(struct rpc_poller *p, const char *name);
/* Ends the thread after the last event and destroys the queue. No operation may be
 * started on the queue any more. Also for a poller that was never started. */
void rpc_poller_stop(struct rpc_poller *p);
/* Whether this thread is the poller's. */
bool rpc_poller_is_current(const struct rpc_poller *p);

#endif
