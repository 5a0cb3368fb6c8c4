/* The steps of a call: cohort, fan-out, computing, answer. */
#include "aggregate-svc/call/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/call/envelope.h"
#include "aggregate-svc/call/late.h"
#include "aggregate-svc/words/text.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/rpc/grant_reasons.h"

typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;
typedef Analytics__Auth__V1__ListDealersRequest ListRequest;
typedef Analytics__Auth__V1__ListDealersResponse ListResponse;
typedef Analytics__Aggregate__V1__Period Period;

enum { LIST_PAGE = 500, PROGRESS_MESSAGES_MAX = 100, ENVELOPE_BYTES = 4096 };

/* ------------------------------------------------------------ beginning and end */

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

/* -------------------------------------------------------------------- computing */

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

void job_log_release(const struct job *j, const ProtobufCMessage *result)
{
  if (j->call.cohort.outside == 0)
    return;
  const Period *p = period_of(result);
  const char *trace = rpc_call_metadata(j->rpc, RPC_META_TRACEPARENT, NULL);
  log_info(
      "benchmark released", LOG_S("rpc", j->tool->rpc), LOG_S("cohort", j->call.cohort.id),
      LOG_S("start", p != NULL ? p->start_date : ""), LOG_S("end", p != NULL ? p->end_date : ""),
      LOG_I("dealers_ok", (int64_t)cohort_in_figures(&j->call.cohort)),
      LOG_I("undisclosed", (int64_t)j->call.cohort.outside),
      LOG_S("viewer", j->call.cohort.scope.viewer),
      LOG_I("figures", (int64_t)j->call.door.released), LOG_S("cells", buf_str(&j->call.door.log)),
      LOG_S("traceparent", trace != NULL ? trace : ""));
}

/* Sends the result in its envelope. */
static void send_result(struct job *j, ProtobufCMessage *result, struct arena *arena, struct err *e)
{
  ProtobufCMessage *response = envelope_wrap(envelope_of(j->tool->rpc), "result", result, arena);
  if (response == NULL) {
    err_set(e, ERR_INTERNAL, "internal", "%s has no such result", j->tool->rpc);
    return;
  }
  job_log_release(j, result);
  e->code = rpc_call_send_wait(j->rpc, response);
}

static void answer(struct job *j);

/* The caller has no reports of others left: says until when. */
static void refuse_benchmark(const struct cohort_member *spent, struct err *e)
{
  err_set(e, spent->code, spent->reason, "%s", spent->message);
}

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
  job_fan_out(j);
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

static void err_busy(struct err *e)
{
  err_set(e, ERR_RESOURCE_EXHAUSTED, "busy", "aggregate-svc is busy; try again in a moment");
}

static void on_looked_up(void *user, const struct err *status);

static struct lookup_call lookup_call_of(struct job *j)
{
  return (struct lookup_call){.report = j->service->report,
                              .parent = j->rpc,
                              .cohort = &j->call.cohort,
                              .deadline_ms = j->deadline_ms};
}

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
  struct lookup_call call = lookup_call_of(j);
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

/* Goes on on a worker. */
static void go_on(struct job *j)
{
  if (pool_submit(j->service->pool, compute, j))
    return;
  if (j->detached) {
    late_skip(j);
    return;
  }
  err_busy(&j->error);
  job_end(j, &j->error);
}

static void on_looked_up(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  j->error = *status;
  go_on(j);
}

/* The fan-out or what was looked up beside it has ended; the other may go on. */
static void end_one(struct job *j)
{
  if (atomic_fetch_sub(&j->waiting, 1) > 1)
    return;
  if (j->error.code == ERR_OK)
    j->error = j->early_error;
  go_on(j);
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

/* ---------------------------------------------------------------------- fan-out */

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

/* Holds the cohort to what the tool takes: the subject in it, only visible dealers. */
static enum err_code check_cohort(struct job *j, struct err *e)
{
  struct tool_call *c = &j->call;
  if (c->fields.subject[0] != '\0' && c->cohort.subject < 0)
    return err_set(e, ERR_NOT_FOUND, "unknown_dealer",
                   "subject: no dealer \"%.*s\"; list_dealers shows those you may read",
                   (int)text_clip(c->fields.subject, 100), c->fields.subject);
  if (j->tool->dealers != TOOL_VISIBLE)
    return ERR_OK;
  c->not_visible = cohort_keep_visible(&c->cohort);
  if (c->cohort.n == 0)
    return err_set(e, ERR_PERMISSION_DENIED, "no_visible_dealer",
                   "region: you may read no dealer of %.*s by name; compare_dealer_sessions gives "
                   "benchmarks over it",
                   (int)text_clip(c->cohort.label, 100), c->cohort.label);
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
  struct lookup_call call = lookup_call_of(j);
  bool first = j->fanout == NULL && j->next_lookup == 0 && !j->detached;
  atomic_store(&j->waiting, 2);
  if (!first || j->messages_question.filter == NULL ||
      !lookup_start(&j->early, &messages_early_lookup, &call, &j->messages_question, on_early, j))
    atomic_store(&j->waiting, 1);
}

void job_fan_out(struct job *j)
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
  job_fan_out(j);
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

/* The dealers are known, and which of them may be asked. */
static void fan_out(struct job *j)
{
  struct lookup_call call = lookup_call_of(j);
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

/* On a worker: the store of releases may have to be asked. */
static void admit(void *arg)
{
  struct job *j = arg;
  MAGIC_CHECK(j, JOB_MAGIC);
  const struct period *p = &j->call.period;
  bool relative = p->start.relative || p->end.relative;
  struct period_days days = period_resolve(p, j->call.now_unix_ms, 0);
  door_admit(&j->call.door, (struct lattice_span){days.first, days.last}, relative);
  fan_out(j);
}

static void begin_asking(struct job *j)
{
  if (check_cohort(j, &j->error) != ERR_OK) {
    job_end(j, &j->error);
  } else if (j->call.cohort.outside == 0) {
    fan_out(j);
  } else if (!pool_submit(j->service->pool, admit, j)) {
    err_busy(&j->error);
    job_end(j, &j->error);
  }
}

/* ----------------------------------------------------------------------- cohort */

/* auth-svc names its own field; the caller's is called subject. */
static void rename_subject(struct err *e)
{
  static const char field[] = "subject_dealer_id:";
  if (strncmp(e->message, field, sizeof(field) - 1) == 0)
    err_reword(e, "subject:%s", e->message + sizeof(field) - 1);
}

/* No dealer can be asked. Whoever has no valid grant gets nothing all the same. */
static void end_or_go_without(struct job *j)
{
  bool ends =
      !j->tool->optional || j->error.code == ERR_UNAUTHENTICATED || j->error.code == ERR_CANCELLED;
  if (!ends) {
    j->call.without = j->error;
    j->error = (struct err){0};
    if (pool_submit(j->service->pool, compute, j))
      return;
    err_busy(&j->error);
  }
  job_end(j, &j->error);
}

static void on_auth_done(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  if (status->code != ERR_OK) {
    j->error = *status;
    rename_subject(&j->error);
  }
  if (j->error.code != ERR_OK)
    end_or_go_without(j);
  else
    begin_asking(j);
}

static void call_auth(struct job *j, const char *method, const ProtobufCMessage *request,
                      bool (*on_message)(void *, const ProtobufCMessage *),
                      void (*on_done)(void *, const struct err *))
{
  int64_t left = j->deadline_ms - clock_mono_ms();
  struct rpc_client_options options = {.timeout_ms = left < 1 ? 1 : (uint32_t)left,
                                       .attempt_ms = RPC_QUICK_ATTEMPT_MS,
                                       .parent = j->rpc};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  if (rpc_client_start(NULL, j->service->auth, &analytics__auth__v1__auth_service__descriptor,
                       method, RPC_UNARY, request, &options, &callbacks, j, &j->error) != ERR_OK)
    job_end(j, &j->error);
}

static bool on_resolved(void *user, const ProtobufCMessage *message)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  cohort_from_resolved(&j->call.cohort, (const Analytics__Auth__V1__ResolveCohortResponse *)message,
                       j->call.arena, &j->error);
  return true;
}

static void resolve(struct job *j)
{
  const struct request_fields *f = &j->call.fields;
  ResolveRequest request = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  request.dealer_ids = f->dealer_ids;
  request.n_dealer_ids = f->n_dealer_ids;
  request.region = borrow_text(f->region);
  request.subject_dealer_id = borrow_text(f->subject);
  request.cohort = borrow_text(f->cohort);
  call_auth(j, "ResolveCohort", &request.base, on_resolved, on_auth_done);
}

/* Dealers the caller may read come in pages; one more than fits is an error at once. */
static bool on_listed(void *user, const ProtobufCMessage *message)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  const ListResponse *r = (const ListResponse *)message;
  if (cohort_add_listed(&j->call.cohort, r, j->call.arena, &j->error) == ERR_OK &&
      j->call.cohort.n == 0)
    err_set(&j->error, ERR_NOT_FOUND, "empty_cohort",
            "no dealer to report on: your access covers none");
  return true;
}

static void list_visible(struct job *j)
{
  ListRequest request = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  request.limit = LIST_PAGE;
  call_auth(j, "ListDealers", &request.base, on_listed, on_auth_done);
}

void job_find_dealers(struct job *j)
{
  const struct request_fields *f = &j->call.fields;
  bool everything =
      f->n_dealer_ids == 0 && f->region[0] == '\0' && f->cohort[0] == '\0' && f->subject[0] == '\0';
  if (everything && j->tool->dealers == TOOL_VISIBLE)
    list_visible(j);
  else
    resolve(j);
}
