/* What the files of this room share: completion-queue events, the polling threads, and the
 * start of batches. Private to common/rpc. */
#ifndef AMCP_RPC_CORE_H
#define AMCP_RPC_CORE_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
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

enum { RPC_MAX_POLLERS = 16 };

/* run(arg) is called on the poller once the monotonic clock has reached at_ms. */
struct rpc_timer {
  struct rpc_timer *next;
  bool armed;
  int64_t at_ms;
  void (*run)(void *arg);
  void *arg;
};

/* A completion queue and the thread that empties it. All servers and channels of the process
 * share the pollers: a call that comes in, asks another service and is answered stays on one
 * thread, without a wake-up between. They start with the first server or channel and end with
 * rpc_shutdown(). */
struct rpc_poller {
  grpc_completion_queue *cq;
  pthread_t thread;
  atomic_uint turn;         /* odd while an event or timer runs */
  struct rpc_timer *timers; /* armed ones; the poller's own */
};

/* The pollers, started if need be: at least one, at most RPC_MAX_POLLERS. */
struct rpc_poller *rpc_pollers(size_t *n);
/* One of them, each in its turn. */
struct rpc_poller *rpc_poller_pick(void);
/* Ends them after the last event. No operation may be started on their queues any more. */
void rpc_pollers_stop(void);

/* Waits until the event that runs now, if one does, has returned: afterwards nothing of it
 * touches what it was about. Not on the poller. */
void rpc_poller_settle(struct rpc_poller *p);
/* Whether this thread is the poller's. */
bool rpc_poller_is_current(const struct rpc_poller *p);

/* Sets the timer, or moves it forward. On the poller. */
void rpc_timer_arm(struct rpc_poller *p, struct rpc_timer *t, int64_t at_ms);
/* On the poller. */
void rpc_timer_disarm(struct rpc_poller *p, struct rpc_timer *t);

#endif
