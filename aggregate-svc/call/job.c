/* The beginning and the end of a call. */
#include "aggregate-svc/call/job.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/rpc/grant_reasons.h"

/* What the tool sees of the call. */
static void fill_call(struct job *j, const ProtobufCMessage *request)
{
  const struct aggregate_options *o = &j->service->options;
  j->call.request = request;
  j->call.fields = request_read(request);
  j->call.now_unix_ms = clock_unix_ms();
  j->call.arena = arena_new(JOB_ARENA_BYTES);
  j->call.budget = (struct budget){&j->service->bytes, o->max_bytes, 0};
  j->call.max_rows = o->max_rows;
  door_init(&j->call.door, &(struct door_options){j->service->store, o->policy, o->cells_per_day},
            &j->call.cohort, j->call.now_unix_ms);
  j->call.door.kept_first = j->tool->kept;
  j->call.lookback = &j->service->lookback;
  j->call.lately = j->service->lately;
  j->call.state = xcalloc(1, j->tool->state_size);
}

struct job *job_begin(const struct tool *tool, struct aggregate_service *service,
                      struct rpc_call *rpc, const ProtobufCMessage *request)
{
  struct job *j = xcalloc(1, sizeof(*j));
  struct err e = {0};
  j->magic = JOB_MAGIC;
  j->tool = tool;
  j->service = service;
  j->rpc = rpc;
  j->started_ms = clock_mono_ms();
  j->deadline_ms =
      rpc_work_deadline_ms(j->started_ms, rpc_call_deadline_ms(rpc), service->options.timeout_ms);
  fill_call(j, request);
  if (atomic_fetch_add(&service->calls, 1) < service->options.max_calls)
    return j;
  err_set(&e, ERR_RESOURCE_EXHAUSTED, "busy",
          "aggregate-svc is busy with %lld comparisons; try again in a moment",
          (long long)service->options.max_calls);
  job_end(j, &e);
  return NULL;
}

/* Outcomes that become a label; the others are counted as "other". */
static const char *outcome_label(const struct cohort_member *m)
{
  static const char *const known[] = {
      "invalid_grant", "permission_denied", "quota_exhausted",  "timeout",
      "unavailable",   "unreachable",       "invalid_argument", "too_many_rows",
      "invalid_data",  "data_loss",         "not_found",        GRANT_REASON_SHARE_SPENT};
  if (m->state == DEALER_OK)
    return "ok";
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (strcmp(known[i], m->reason) == 0)
      return known[i];
  return "other";
}

static void count_dealers(const struct job *j)
{
  for (size_t i = 0; i < j->call.cohort.n; i++)
    if (j->call.cohort.members[i].state != DEALER_PENDING &&
        j->call.cohort.members[i].state != DEALER_NOT_ASKED)
      metric_add(j->service->dealers_total, 1,
                 METRIC_LABELS(outcome_label(&j->call.cohort.members[i])));
}

void job_close(struct job *j, const struct err *e)
{
  rpc_call_finish(j->rpc, e);
  count_dealers(j);
  metric_observe(j->service->seconds, (double)(clock_mono_ms() - j->started_ms) / 1000.0,
                 METRIC_LABELS(j->tool->rpc));
  atomic_fetch_sub(&j->service->calls, 1);
}

void job_end(struct job *j, const struct err *e)
{
  MAGIC_CHECK(j, JOB_MAGIC);
  if (j->finish.state != FINISH_OUT) /* it had a place, and needs none */
    finish_leave(j->service->late, &j->finish);
  job_close(j, e);
  job_free(j);
}

void job_free(struct job *j)
{
  MAGIC_CHECK(j, JOB_MAGIC);
  if (j->detached)
    rpc_call_unref(j->rpc);
  lookup_free(j->registered);
  lookup_free(j->early);
  for (size_t i = 0; i < JOB_LOOKUPS; i++)
    lookup_free(j->after[i]);
  fanout_free(j->fanout);
  door_close(&j->call.door);
  j->tool->fold->free(j->call.state);
  free(j->call.state);
  arena_free(j->call.arena);
  j->magic = 0;
  free(j);
}

void job_end_busy(struct job *j)
{
  err_set(&j->error, ERR_RESOURCE_EXHAUSTED, "busy",
          "aggregate-svc is busy; try again in a moment");
  job_end(j, &j->error);
}

struct lookup_call job_lookup_call(struct job *j)
{
  return (struct lookup_call){.report = j->service->report,
                              .parent = j->rpc,
                              .cohort = &j->call.cohort,
                              .deadline_ms = j->deadline_ms};
}
