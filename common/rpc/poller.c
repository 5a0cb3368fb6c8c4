/* The polling threads of the process, and their timers. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/processors.h"
#include "common/rpc/core.h"
#include "common/rpc/rpc.h"

static struct {
  pthread_mutex_t lock;
  /* Guarded by lock: */
  size_t wanted; /* 0: one per two processors */
  size_t n;      /* running; 0 before the first is needed */
  size_t next;   /* whose turn it is to be picked */
  struct rpc_poller pollers[RPC_MAX_POLLERS];
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ------------------------------------------------------------------ timers */

void rpc_timer_arm(struct rpc_poller *p, struct rpc_timer *t, int64_t at_ms)
{
  if (t->armed && t->at_ms <= at_ms)
    return;
  t->at_ms = at_ms;
  if (t->armed)
    return;
  t->armed = true;
  t->next = p->timers;
  p->timers = t;
}

void rpc_timer_disarm(struct rpc_poller *p, struct rpc_timer *t)
{
  if (!t->armed)
    return;
  struct rpc_timer **at = &p->timers;
  while (*at != t)
    at = &(*at)->next;
  *at = t->next;
  t->armed = false;
}

/* A timer that is due, taken off the list; NULL for none. */
static struct rpc_timer *take_due(struct rpc_poller *p)
{
  if (p->timers == NULL)
    return NULL;
  int64_t now = clock_mono_ms();
  for (struct rpc_timer *t = p->timers; t != NULL; t = t->next) {
    if (t->at_ms > now)
      continue;
    rpc_timer_disarm(p, t);
    return t;
  }
  return NULL;
}

/* When the next wait must end. */
static gpr_timespec next_deadline(const struct rpc_poller *p)
{
  if (p->timers == NULL)
    return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  int64_t at_ms = INT64_MAX;
  for (const struct rpc_timer *t = p->timers; t != NULL; t = t->next)
    at_ms = t->at_ms < at_ms ? t->at_ms : at_ms;
  int64_t wait = at_ms - clock_mono_ms();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(wait > 0 ? wait : 0, GPR_TIMESPAN));
}

/* ------------------------------------------------------------------ the thread */

static _Thread_local const struct rpc_poller *current;

static void run_event(const grpc_event *event)
{
  struct rpc_event *ev = event->tag;
  RPC_TSAN_ACQUIRE(ev);
  MAGIC_CHECK(ev, RPC_EVENT_MAGIC);
  ev->run(ev, event->success != 0);
}

static void *poll_events(void *arg)
{
  struct rpc_poller *p = arg;
  current = p;
  for (;;) {
    grpc_event event = grpc_completion_queue_next(p->cq, next_deadline(p), NULL);
    if (event.type == GRPC_QUEUE_SHUTDOWN)
      return NULL;
    atomic_fetch_add(&p->turn, 1);
    if (event.type == GRPC_OP_COMPLETE)
      run_event(&event);
    for (struct rpc_timer *t = take_due(p); t != NULL; t = take_due(p))
      t->run(t->arg);
    atomic_fetch_add(&p->turn, 1);
  }
}

bool rpc_poller_is_current(const struct rpc_poller *p)
{
  return current == p;
}

void rpc_poller_settle(struct rpc_poller *p)
{
  unsigned turn = atomic_load(&p->turn);
  while (turn % 2 == 1 && atomic_load(&p->turn) == turn)
    sched_yield(); /* callbacks are short */
}

/* ------------------------------------------------------------------ all of them */

void rpc_set_pollers(size_t n)
{
  pthread_mutex_lock(&all.lock);
  all.wanted = n < RPC_MAX_POLLERS ? n : RPC_MAX_POLLERS;
  pthread_mutex_unlock(&all.lock);
}

static size_t one_per_two_processors(void)
{
  size_t n = (processors() + 1) / 2;
  return n < RPC_MAX_POLLERS ? n : RPC_MAX_POLLERS;
}

static void start(struct rpc_poller *p)
{
  *p = (struct rpc_poller){.cq = grpc_completion_queue_create_for_next(NULL)};
  if (pthread_create(&p->thread, NULL, poll_events, p) != 0) {
    log_error("cannot start a polling thread");
    abort();
  }
  pthread_setname_np(p->thread, "rpc");
}

/* The lock is held. */
static void start_all(void)
{
  if (all.n > 0)
    return;
  all.n = all.wanted > 0 ? all.wanted : one_per_two_processors();
  for (size_t i = 0; i < all.n; i++)
    start(&all.pollers[i]);
}

struct rpc_poller *rpc_pollers(size_t *n)
{
  pthread_mutex_lock(&all.lock);
  start_all();
  *n = all.n;
  pthread_mutex_unlock(&all.lock);
  return all.pollers;
}

struct rpc_poller *rpc_poller_pick(void)
{
  pthread_mutex_lock(&all.lock);
  start_all();
  struct rpc_poller *p = &all.pollers[all.next++ % all.n];
  pthread_mutex_unlock(&all.lock);
  return p;
}

void rpc_pollers_stop(void)
{
  pthread_mutex_lock(&all.lock);
  for (size_t i = 0; i < all.n; i++)
    grpc_completion_queue_shutdown(all.pollers[i].cq);
  for (size_t i = 0; i < all.n; i++) {
    pthread_join(all.pollers[i].thread, NULL);
    grpc_completion_queue_destroy(all.pollers[i].cq);
  }
  all.n = all.next = 0;
  pthread_mutex_unlock(&all.lock);
}
