/* Calls that start the next one when they land; everything after the first on the poller. */
#include "tests/bench/bench_load.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/bench/bench_stats.h"

enum { WARM_UP_MS = 500 };

/* The lock guards what the first thread and the poller share while flights take off. */
struct run {
  const struct bench_load *load;
  struct bench_stats *stats;
  pthread_mutex_t lock;
  pthread_cond_t over;
  size_t flying;
  int64_t warm_ms, end_ms;
  bool measuring, printed;
  struct err error; /* of the first call that failed */
};

struct flight {
  struct run *run;
  size_t number;
  int64_t started_ns;
};

static bool on_message(void *user, const ProtobufCMessage *message);
static void on_done(void *user, const struct err *status);
static const struct rpc_client_callbacks callbacks = {on_message, on_done};

static enum err_code take_off(struct flight *f, struct err *e)
{
  const struct bench_load *l = f->run->load;
  f->started_ns = clock_mono_ns();
  return rpc_client_start(NULL, l->channel, l->service, l->method, RPC_UNARY,
                          l->request(l->user, f->number), l->options, &callbacks, f, e);
}

static void note_error(struct run *r, const struct err *e)
{
  pthread_mutex_lock(&r->lock);
  if (r->error.code == ERR_OK)
    r->error = *e;
  pthread_mutex_unlock(&r->lock);
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct flight *f = user;
  struct err e = {0};
  if (!f->run->load->is_right(message)) {
    err_set(&e, ERR_INTERNAL, "wrong_answer", "%s: wrong answer", f->run->load->method);
    note_error(f->run, &e);
  }
  return true;
}

/* Whether another call is to follow; counts this one. */
static bool count(struct run *r, int64_t latency_ns, int64_t now_ms)
{
  pthread_mutex_lock(&r->lock);
  bool over = r->error.code != ERR_OK || now_ms >= r->end_ms;
  if (!r->measuring && now_ms >= r->warm_ms) {
    r->measuring = true;
    bench_stats_restart(r->stats);
  } else if (!over) {
    bench_stats_add(r->stats, latency_ns);
  } else if (!r->printed && r->error.code == ERR_OK) {
    r->printed = true;
    bench_stats_print(r->stats);
  }
  pthread_mutex_unlock(&r->lock);
  return !over;
}

static void land(struct run *r)
{
  pthread_mutex_lock(&r->lock);
  if (--r->flying == 0)
    pthread_cond_signal(&r->over);
  pthread_mutex_unlock(&r->lock);
}

static void on_done(void *user, const struct err *status)
{
  struct flight *f = user;
  struct err e = {0};
  int64_t now = clock_mono_ns();
  if (status->code != ERR_OK)
    note_error(f->run, status);
  if (count(f->run, now - f->started_ns, now / 1000000)) {
    if (take_off(f, &e) == ERR_OK)
      return;
    note_error(f->run, &e);
  }
  land(f->run);
}

static void wait_for_landing(struct run *r)
{
  pthread_mutex_lock(&r->lock);
  while (r->flying > 0)
    pthread_cond_wait(&r->over, &r->lock);
  pthread_mutex_unlock(&r->lock);
}

enum err_code bench_load_run(const struct bench_load *load, struct err *e)
{
  struct run r = {.load = load, .stats = bench_stats_new(), .flying = load->in_flight};
  pthread_mutex_init(&r.lock, NULL);
  pthread_cond_init(&r.over, NULL);
  bench_stats_restart(r.stats);
  r.warm_ms = clock_mono_ms() + WARM_UP_MS;
  r.end_ms = r.warm_ms + load->seconds * 1000;
  AUTO_FREE struct flight *flights = xcalloc(load->in_flight, sizeof(*flights));
  for (size_t i = 0; i < load->in_flight; i++) {
    struct err failed = {0};
    flights[i] = (struct flight){.run = &r, .number = i};
    if (take_off(&flights[i], &failed) != ERR_OK) {
      note_error(&r, &failed);
      land(&r);
    }
  }
  wait_for_landing(&r);
  bench_stats_free(r.stats);
  pthread_cond_destroy(&r.over);
  pthread_mutex_destroy(&r.lock);
  *e = r.error;
  return e->code;
}
