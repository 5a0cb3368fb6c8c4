/* Definitions, plan, fan-out, and what is looked up beside it. */
#include "aggregate-svc/call/reports.h"

#include <stdio.h>

#include "aggregate-svc/call/compute.h"
#include "aggregate-svc/call/envelope.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"

enum { PROGRESS_MESSAGES_MAX = 100, ENVELOPE_BYTES = 4096 };

static void send_progress(struct job *j, Mcp__V1__Progress *progress)
{
  struct arena *arena = arena_new(ENVELOPE_BYTES);
  const ProtobufCMessage *response =
      envelope_wrap(envelope_of(j->tool->rpc), "progress", &progress->base, arena);
  if (response != NULL)
    rpc_call_send(j->rpc, response); /* progress that finds no room is not worth waiting for */
  arena_free(arena);
}

static void on_progress(void *user, size_t done)
{
  struct job *j = user;
  char text[64];
  if (j->detached)
    return;
  done += j->ended;
  if (done % (size_t)j->progress_step != 0 && done != j->asked)
    return;
  snprintf(text, sizeof(text), "%zu of %zu dealer%s", done, j->asked, text_s(j->asked));
  Mcp__V1__Progress p = MCP__V1__PROGRESS__INIT;
  p.progress = (double)done;
  p.total = (double)j->asked;
  p.message = text;
  send_progress(j, &p);
}

static const struct query_set *set_of(const struct job *j, size_t member)
{
  const struct query_set *sets = j->plan.sets != NULL ? j->plan.sets : &j->plan.all;
  return &sets[j->plan.set_of != NULL ? j->plan.set_of[member] : 0];
}

static enum err_code on_chunk(void *user, size_t member,
                              const Analytics__Report__V1__ColumnChunk *chunk, struct err *e)
{
  struct job *j = user;
  presence_see(&j->presence, member, set_of(j, member), chunk);
  return j->tool->fold->chunk(j->call.state, member, chunk, e);
}

static void on_query_done(void *user, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  struct job *j = user;
  j->tool->fold->query_done(j->call.state, member, done);
}

static void on_drop(void *user, size_t member)
{
  struct job *j = user;
  presence_ask(&j->presence, member, set_of(j, member));
  j->tool->fold->drop(j->call.state, member);
}

/* The fan-out has ended, or what was looked up beside it; whichever is last goes on. */
static void end_one(struct job *j)
{
  if (atomic_fetch_sub(&j->waiting, 1) > 1)
    return;
  if (j->error.code == ERR_OK)
    j->error = j->early_error;
  compute_on_worker(j);
}

static void on_fanned_out(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  j->error = *status;
  end_one(j);
}

static void on_early(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  j->early_error = *status;
  end_one(j);
}

/* Dealers outside the caller's view are read with the grant auth-svc sealed for exactly
 * this cohort; otherwise the caller's own grant is enough. */
static enum err_code set_grant(const struct cohort *cohort, struct fanout_options *o, struct err *e)
{
  o->purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  if (cohort->outside == 0)
    return ERR_OK;
  if (cohort->sealed_len == 0)
    return err_set(e, ERR_INTERNAL, "internal", "auth-svc sealed no grant for the benchmark");
  o->purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  o->grant = cohort->sealed;
  o->grant_len = cohort->sealed_len;
  return ERR_OK;
}

/* With dealers that may not be asked, and none of the caller's own, there is nothing to say. */
static enum err_code check_asked(struct job *j, struct err *e)
{
  AUTO_BUF struct buf why = BUF_INIT(sizeof(e->message));
  j->asked = cohort_count(&j->call.cohort, DEALER_PENDING);
  if (j->asked > 0 || j->call.door.kept_only)
    return ERR_OK;
  door_explain(&j->call.door, &why);
  return err_set(e, ERR_FAILED_PRECONDITION, disclosure_code_name(j->call.door.withheld), "%s%s",
                 j->call.door.withheld == DISCLOSURE_NOT_IN_LATTICE ? "date_range: " : "",
                 buf_str(&why));
}

/* Beside the first fan-out: what may be asked before its answers have come. */
static void look_up_early(struct job *j)
{
  struct lookup_call call = job_lookup_call(j);
  bool first = j->fanout == NULL && j->next_lookup == 0 && !j->detached;
  atomic_store(&j->waiting, 2);
  if (!first || j->messages_question.filter == NULL ||
      !lookup_start(&j->early, &messages_early_lookup, &call, &j->messages_question, on_early, j))
    atomic_store(&j->waiting, 1);
}

void reports_ask(struct job *j)
{
  struct aggregate_service *s = j->service;
  struct fanout_options o = {.report = s->report,
                             .parent = j->detached ? NULL : j->rpc,
                             .cohort = &j->call.cohort,
                             .batch_dealers = (size_t)s->options.batch_dealers,
                             .deadline_ms = j->deadline_ms};
  struct fanout_callbacks callbacks = {on_chunk, on_query_done, on_drop, on_progress,
                                       on_fanned_out};
  if (set_grant(&j->call.cohort, &o, &j->error) != ERR_OK) {
    job_end(j, &j->error);
    return;
  }
  o.sets = j->plan.sets != NULL ? j->plan.sets : &j->plan.all;
  o.set_of = j->plan.set_of;
  o.add_properties = j->plan.add_properties;
  o.max_rows_per_report = j->plan.max_rows_per_report;
  j->progress_step = 1 + (int64_t)j->asked / PROGRESS_MESSAGES_MAX;
  look_up_early(j);
  fanout_start(&j->fanout, &o, &callbacks, j);
}

/* The questions about chats. */
static void ask_messages(struct job *j)
{
  struct messages_question *q = &j->messages_question;
  q->cache = &j->service->definitions;
  q->cohort = &j->call.cohort;
  q->some = j->tool->has_messages;
  q->state = j->call.state;
  j->messages_registered_question = (struct definitions_question){
      &j->service->definitions, &j->call.cohort, messages_need_definitions, q};
  messages_question_init(q, &j->call.period, j->call.arena);
}

/* Plans the reports and asks for them. */
static void ask(struct job *j)
{
  if (j->tool->plan(&j->call, &j->plan, &j->error) != ERR_OK) {
    job_end(j, &j->error);
    return;
  }
  presence_init(&j->presence, &j->call.period, j->call.cohort.n, j->call.arena);
  for (size_t i = 0; i < j->call.cohort.n; i++)
    presence_ask(&j->presence, i, set_of(j, i));
  if (j->tool->has_messages != NULL)
    ask_messages(j);
  reports_ask(j);
}

/* Every dealer that has not failed. */
static bool is_pending(const void *cohort, size_t member)
{
  return ((const struct cohort *)cohort)->members[member].state == DEALER_PENDING;
}

static void on_defined(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  if (status->code != ERR_OK) {
    j->error = *status;
    job_end(j, &j->error);
    return;
  }
  ask(j);
}

void reports_plan(struct job *j)
{
  struct lookup_call call = job_lookup_call(j);
  struct definitions_question *q = &j->registered_question;
  *q = (struct definitions_question){.cache = &j->service->definitions, .cohort = &j->call.cohort};
  if (j->tool->definitions == TOOL_ALL_DEFINITIONS) {
    q->needed = is_pending;
    q->user = &j->call.cohort;
  }
  if (check_asked(j, &j->error) != ERR_OK)
    job_end(j, &j->error);
  else if (j->tool->definitions == TOOL_NO_DEFINITIONS ||
           !lookup_start(&j->registered, &definitions_lookup, &call, q, on_defined, j))
    ask(j);
}
