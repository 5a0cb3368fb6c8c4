/* Jobs that go on after their answer. */
#include "aggregate-svc/call/late.h"

#include <stdlib.h>

#include "aggregate-svc/call/compute.h"
#include "aggregate-svc/call/reports.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum {
  MAX_ATTEMPTS = 5,
  LONGEST_MS = 540000, /* a grant lives for ten minutes */
  ATTEMPT_MS = 60000,
  SHARE_OF_VIEWER = 4, /* a viewer may fill a quarter of the queue */
};

static void end(struct job *j, const char *outcome)
{
  struct aggregate_service *s = j->service;
  metric_add(s->late_total, 1, METRIC_LABELS(outcome));
  finish_leave(s->late, &j->finish);
  metric_set(s->late_waiting, (double)finish_count(s->late), NULL);
  job_free(j);
}

/* On the queue's thread. */
static void start(struct finish_entry *x)
{
  struct job *j = CONTAINER_OF(x, struct job, finish);
  MAGIC_CHECK(j, JOB_MAGIC);
  int64_t most = j->service->options.timeout_ms;
  fanout_free(TAKE_PTR(j->fanout));
  j->error = (struct err){0};
  j->deadline_ms = clock_mono_ms() + (most < ATTEMPT_MS ? most : ATTEMPT_MS);
  door_retry(&j->call.door);
  reports_ask(j);
}

static void cancel(struct finish_entry *x)
{
  struct job *j = CONTAINER_OF(x, struct job, finish);
  MAGIC_CHECK(j, JOB_MAGIC);
  fanout_cancel(j->fanout);
}

static void drop(struct finish_entry *x)
{
  end(CONTAINER_OF(x, struct job, finish), "dropped");
}

struct finish_queue *late_queue_new(const struct aggregate_options *o)
{
  int64_t of_viewer = (o->late_max + SHARE_OF_VIEWER - 1) / SHARE_OF_VIEWER;
  return finish_new(&(struct finish_options){.max_entries = o->late_max,
                                             .max_per_viewer = of_viewer,
                                             .delay_ms = o->late_delay_ms,
                                             .max_attempts = MAX_ATTEMPTS,
                                             .longest_ms = LONGEST_MS,
                                             .start = start,
                                             .cancel = cancel,
                                             .drop = drop});
}

void late_admit(struct job *j)
{
  struct door *d = &j->call.door;
  const struct cohort_scope *scope = &j->call.cohort.scope;
  int64_t due = 0;
  if (!d->late || d->spent != NULL || j->finish.state != FINISH_OUT)
    return;
  AUTO_FREE char *key =
      xasprintf("%s\n%s\n%s\n%lld\n%lld", j->tool->rpc, scope->cohort, scope->view,
                (long long)d->period.first, (long long)d->period.last);
  if (finish_admit(j->service->late, &j->finish, key, scope->viewer, &due) == FINISH_REFUSED)
    metric_add(j->service->late_total, 1, METRIC_LABELS("refused"));
  else
    d->again_unix_ms = due;
}

/* Why the dealers are late, without their names. */
static void log_late(const struct job *j)
{
  for (size_t i = 0; i < j->call.cohort.n; i++) {
    const struct cohort_member *m = &j->call.cohort.members[i];
    if (m->visible || m->state != DEALER_FAILED)
      continue;
    log_info("a dealer outside a view is late again", LOG_S("rpc", j->tool->rpc),
             LOG_S("cohort", j->call.cohort.id), LOG_S("reason", m->reason),
             LOG_I("attempt", j->finish.attempts));
    return;
  }
}

/* Waits for the next attempt, or gives up. */
static void next(struct job *j)
{
  struct aggregate_service *s = j->service;
  if (!finish_again(s->late, &j->finish))
    end(j, "given_up");
  else
    metric_set(s->late_waiting, (double)finish_count(s->late), NULL);
}

bool late_keep(struct job *j)
{
  if (j->finish.state == FINISH_OUT)
    return false;
  rpc_call_ref(j->rpc); /* the request lives in it */
  job_close(j, NULL);
  j->detached = true;
  next(j);
  return true;
}

void late_skip(struct job *j)
{
  next(j);
}

void late_compute(struct job *j)
{
  struct err e = {0};
  if (j->error.code != ERR_OK) { /* the grant has run out, or the program ends */
    end(j, "dropped");
    return;
  }
  door_settle(&j->call.door);
  if (j->call.door.late) {
    log_late(j);
    next(j);
    return;
  }
  struct arena *arena = arena_new(SIZE_MAX / 4); /* inputs are capped where they enter */
  ProtobufCMessage *result = j->tool->result(&j->call, arena, &e);
  if (result != NULL)
    compute_log_release(j, result);
  arena_free(arena);
  end(j, result != NULL ? "finished" : "given_up");
}
