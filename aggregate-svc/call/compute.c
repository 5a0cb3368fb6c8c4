/* Looks up what is left, makes the answer and sends it. */
#include "aggregate-svc/call/compute.h"

#include <string.h>

#include "aggregate-svc/call/envelope.h"
#include "aggregate-svc/call/late.h"
#include "aggregate-svc/call/reports.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/log.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__Period Period;

/* The period of a result as it is shown; NULL when the result has none. */
static const Period *period_of(const ProtobufCMessage *result)
{
  const ProtobufCFieldDescriptor *f =
      protobuf_c_message_descriptor_get_field_by_name(result->descriptor, "period");
  const Period *p = NULL;
  if (f != NULL && f->descriptor == &analytics__aggregate__v1__period__descriptor)
    memcpy(&p, (const char *)result + f->offset, sizeof(p));
  return p;
}

void compute_log_release(const struct job *j, const ProtobufCMessage *result)
{
  if (j->call.cohort.outside == 0)
    return;
  const Period *p = period_of(result);
  char trace[TRACE_PARENT_LEN + 1] = "";
  if (trace_context_exists(rpc_call_trace(j->rpc)))
    trace_context_parent(rpc_call_trace(j->rpc), trace);
  log_info("benchmark released", LOG_S("rpc", j->tool->rpc), LOG_S("cohort", j->call.cohort.id),
           LOG_S("start", p != NULL ? p->start_date : ""),
           LOG_S("end", p != NULL ? p->end_date : ""),
           LOG_I("dealers_ok", (int64_t)cohort_in_figures(&j->call.cohort)),
           LOG_I("undisclosed", (int64_t)j->call.cohort.outside),
           LOG_S("viewer", j->call.cohort.scope.viewer),
           LOG_I("figures", (int64_t)j->call.door.released),
           LOG_S("cells", buf_str(&j->call.door.log)), LOG_S("traceparent", trace));
}

/* Sends the result in its envelope. */
static void send_result(struct job *j, ProtobufCMessage *result, struct arena *arena, struct err *e)
{
  ProtobufCMessage *response = envelope_wrap(envelope_of(j->tool->rpc), "result", result, arena);
  if (response == NULL) {
    err_set(e, ERR_INTERNAL, "internal", "%s has no such result", j->tool->rpc);
    return;
  }
  compute_log_release(j, result);
  e->code = rpc_call_send_wait(j->rpc, response);
}

/* The caller has no reports of others left: says until when. */
static void refuse_benchmark(const struct cohort_member *spent, struct err *e)
{
  err_set(e, spent->code, spent->reason, "%s", spent->message);
}

static void answer(struct job *j);

/* The released figures were not enough: the dealers outside are asked as well, and the answer is
 * made again. */
static void ask_others(struct job *j)
{
  if (!door_reopen(&j->call.door)) {
    answer(j);
    return;
  }
  fanout_free(TAKE_PTR(j->fanout));
  j->ended = cohort_count(&j->call.cohort, DEALER_OK);
  j->asked = j->call.cohort.n;
  reports_ask(j);
}

static void answer(struct job *j)
{
  struct err e = {0};
  struct arena *arena = arena_new(SIZE_MAX / 4); /* inputs are capped where they enter */
  door_settle(&j->call.door);
  late_admit(j);
  ProtobufCMessage *result = j->tool->result(&j->call, arena, &e);
  if (result != NULL && j->call.door.missing) {
    arena_free(arena);
    ask_others(j);
    return;
  }
  if (j->call.door.spent != NULL && j->call.door.released == 0)
    refuse_benchmark(j->call.door.spent, &e); /* what was asked for is not in it */
  else if (result != NULL)
    send_result(j, result, arena, &e);
  arena_free(arena);
  if (e.code != ERR_OK || !late_keep(j))
    job_end(j, &e);
}

static void on_looked_up(void *user, const struct err *status);

/* Where data of the period begins that some dealers lack. */
static const struct lookup_kind *first_days_of(struct job *j, const void **question)
{
  struct period_days days = period_resolve(&j->call.period, j->call.now_unix_ms, 0);
  j->first_days_question = (struct first_days_question){&j->call.cohort, &j->presence, days.last};
  *question = &j->first_days_question;
  return days.first <= days.today ? &first_days_lookup : NULL;
}

/* What is looked up next; NULL: nothing. */
static const struct lookup_kind *lookup_of(struct job *j, enum job_lookup which,
                                           const void **question)
{
  bool messages = j->messages_question.filter != NULL;
  if (which == JOB_FIRST_DAYS)
    return first_days_of(j, question);
  *question = which == JOB_MESSAGES ? (const void *)&j->messages_question
                                    : &j->messages_registered_question;
  return !messages ? NULL : which == JOB_MESSAGES ? &messages_lookup : &definitions_lookup;
}

/* Asks for what the answer lacks. True: the job goes on once it has come, and is not to be touched.
 */
static bool look_up(struct job *j)
{
  struct lookup_call call = job_lookup_call(j);
  if (j->next_lookup == 0 && j->messages_question.filter != NULL)
    messages_settle(&j->messages_question);
  while (j->next_lookup < JOB_LOOKUPS) {
    enum job_lookup which = (enum job_lookup)j->next_lookup++;
    const void *question;
    const struct lookup_kind *kind = lookup_of(j, which, &question);
    if (kind != NULL && lookup_start(&j->after[which], kind, &call, question, on_looked_up, j))
      return true;
  }
  return false;
}

/* On a worker, after the fan-out, and again after what it leaves to be looked up. */
static void compute(void *arg)
{
  struct job *j = arg;
  MAGIC_CHECK(j, JOB_MAGIC);
  if (j->detached) {
    late_compute(j);
  } else if (rpc_call_cancelled(j->rpc)) {
    err_set(&j->error, ERR_CANCELLED, "cancelled", "the caller went away");
    job_end(j, &j->error);
  } else if (j->error.code != ERR_OK) {
    job_end(j, &j->error);
  } else if (cohort_in_figures(&j->call.cohort) == 0 && !j->tool->optional) {
    const struct cohort_member *spent = cohort_share_spent(&j->call.cohort);
    if (spent != NULL)
      refuse_benchmark(spent, &j->error);
    else
      cohort_all_failed(&j->call.cohort, &j->error);
    job_end(j, &j->error);
  } else if (!look_up(j)) {
    answer(j);
  }
}

void compute_on_worker(struct job *j)
{
  if (pool_submit(j->service->pool, compute, j))
    return;
  if (j->detached) {
    late_skip(j);
    return;
  }
  job_end_busy(j);
}

static void on_looked_up(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  j->error = *status;
  compute_on_worker(j);
}
