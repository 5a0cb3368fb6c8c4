/* The steps of a call: cohort, fan-out, computing, answer. */
#include "aggregate-svc/call/job.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;
typedef Analytics__Auth__V1__ListDealersRequest ListRequest;
typedef Analytics__Auth__V1__ListDealersResponse ListResponse;

enum { MARGIN_MIN_MS = 100, MARGIN_MAX_MS = 2000, MARGIN_SHARE = 10 };
enum { LIST_PAGE = 500, PROGRESS_MESSAGES_MAX = 100 };

/* ------------------------------------------------------------ beginning and end */

int64_t job_work_deadline(int64_t now_ms, int64_t call_deadline_ms, int64_t timeout_ms)
{
  int64_t longest = now_ms + timeout_ms;
  if (call_deadline_ms == INT64_MAX)
    return longest;
  int64_t left = call_deadline_ms > now_ms ? call_deadline_ms - now_ms : 0;
  int64_t margin = left / MARGIN_SHARE;
  if (margin < MARGIN_MIN_MS)
    margin = left / 2 < MARGIN_MIN_MS ? left / 2 : MARGIN_MIN_MS;
  if (margin > MARGIN_MAX_MS)
    margin = MARGIN_MAX_MS;
  int64_t work = now_ms + left - margin;
  return work < longest ? work : longest;
}

bool job_begin(struct job *j, const struct job_type *type, struct aggregate_service *service,
               struct rpc_call *call)
{
  struct err e = {0};
  j->magic = JOB_MAGIC;
  j->type = type;
  j->service = service;
  j->call = call;
  j->arena = arena_new(JOB_ARENA_BYTES);
  j->started_ms = clock_mono_ms();
  j->now_unix_ms = clock_unix_ms();
  j->deadline_ms =
      job_work_deadline(j->started_ms, rpc_call_deadline_ms(call), service->options.timeout_ms);
  if (atomic_fetch_add(&service->calls, 1) < service->options.max_calls)
    return true;
  err_set(&e, ERR_RESOURCE_EXHAUSTED, "busy",
          "aggregate-svc is busy with %lld comparisons; try again in a moment",
          (long long)service->options.max_calls);
  job_end(j, &e);
  return false;
}

/* Outcomes that become a label; the others are counted as "other". */
static const char *outcome_label(const struct cohort_member *m)
{
  static const char *const known[] = {"invalid_grant",    "permission_denied", "quota_exhausted",
                                      "timeout",          "unavailable",       "unreachable",
                                      "invalid_argument", "too_many_rows",     "invalid_data",
                                      "data_loss",        "not_found"};
  if (m->state == DEALER_OK)
    return "ok";
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (strcmp(known[i], m->reason) == 0)
      return known[i];
  return "other";
}

static void count_dealers(const struct job *j)
{
  for (size_t i = 0; i < j->cohort.n; i++)
    if (j->cohort.members[i].state != DEALER_PENDING)
      metric_add(j->service->dealers_total, 1, METRIC_LABELS(outcome_label(&j->cohort.members[i])));
}

void job_end(struct job *j, const struct err *e)
{
  MAGIC_CHECK(j, JOB_MAGIC);
  rpc_call_finish(j->call, e);
  count_dealers(j);
  metric_observe(j->service->seconds, (double)(clock_mono_ms() - j->started_ms) / 1000.0,
                 METRIC_LABELS(j->type->rpc));
  atomic_fetch_sub(&j->service->calls, 1);
  fanout_free(j->fanout);
  arena_free(j->arena);
  j->magic = 0;
  j->type->free(j);
}

/* -------------------------------------------------------------------- computing */

static void answer(struct job *j)
{
  struct err e = {0};
  struct arena *arena = arena_new(SIZE_MAX / 4); /* inputs are capped where they enter */
  const ProtobufCMessage *message = j->type->result(j, arena, &e);
  if (message != NULL)
    e.code = rpc_call_send_wait(j->call, message);
  arena_free(arena);
  job_end(j, &e);
}

/* On a worker, after the fan-out. */
static void compute(void *arg)
{
  struct job *j = arg;
  MAGIC_CHECK(j, JOB_MAGIC);
  if (rpc_call_cancelled(j->call)) {
    err_set(&j->error, ERR_CANCELLED, "cancelled", "the caller went away");
    job_end(j, &j->error);
  } else if (j->error.code != ERR_OK) {
    job_end(j, &j->error);
  } else if (cohort_count(&j->cohort, DEALER_OK) == 0) {
    cohort_all_failed(&j->cohort, &j->error);
    job_end(j, &j->error);
  } else {
    answer(j);
  }
}

static void on_finished(void *user, const struct err *status)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  j->error = *status;
  if (pool_submit(j->service->pool, compute, j))
    return;
  err_set(&j->error, ERR_RESOURCE_EXHAUSTED, "busy",
          "aggregate-svc is busy; try again in a moment");
  job_end(j, &j->error);
}

/* ---------------------------------------------------------------------- fan-out */

static void on_progress(void *user, size_t done)
{
  struct job *j = user;
  char text[64];
  if (done % (size_t)j->progress_step != 0 && done != j->cohort.n)
    return;
  snprintf(text, sizeof(text), "%zu of %zu dealers", done, j->cohort.n);
  Mcp__V1__Progress p = MCP__V1__PROGRESS__INIT;
  p.progress = (double)done;
  p.total = (double)j->cohort.n;
  p.message = text;
  j->type->send_progress(j, &p);
}

static void fan_out(struct job *j)
{
  struct aggregate_service *s = j->service;
  struct fanout_options o = {.report = s->report,
                             .parent = j->call,
                             .cohort = &j->cohort,
                             .batch_dealers = (size_t)s->options.batch_dealers,
                             .deadline_ms = j->deadline_ms};
  struct fanout_callbacks callbacks = {j->type->chunk, j->type->query_done, j->type->drop,
                                       on_progress, on_finished};
  if (j->type->plan(j, &o, &j->error) != ERR_OK) {
    job_end(j, &j->error);
    return;
  }
  j->progress_step = 1 + (int64_t)j->cohort.n / PROGRESS_MESSAGES_MAX;
  fanout_start(&j->fanout, &o, &callbacks, j);
}

/* ----------------------------------------------------------------------- cohort */

/* auth-svc names its own field; the caller's is called subject. */
static void rename_subject(struct err *e)
{
  static const char field[] = "subject_dealer_id:";
  if (strncmp(e->message, field, sizeof(field) - 1) == 0)
    err_set(e, e->code, e->reason, "subject:%s", e->message + sizeof(field) - 1);
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
    job_end(j, &j->error);
  else
    fan_out(j);
}

static void call_auth(struct job *j, const char *method, const ProtobufCMessage *request,
                      bool (*on_message)(void *, const ProtobufCMessage *),
                      void (*on_done)(void *, const struct err *))
{
  int64_t left = j->deadline_ms - clock_mono_ms();
  struct rpc_client_options options = {.timeout_ms = left < 1 ? 1 : (uint32_t)left,
                                       .parent = j->call};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  if (rpc_client_start(NULL, j->service->auth, &analytics__auth__v1__auth_service__descriptor,
                       method, RPC_UNARY, request, &options, &callbacks, j, &j->error) != ERR_OK)
    job_end(j, &j->error);
}

static bool on_resolved(void *user, const ProtobufCMessage *message)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  cohort_from_resolved(&j->cohort, (const Analytics__Auth__V1__ResolveCohortResponse *)message,
                       j->arena, &j->error);
  return true;
}

void job_resolve(struct job *j, const ResolveRequest *request)
{
  call_auth(j, "ResolveCohort", &request->base, on_resolved, on_auth_done);
}

/* Dealers the caller may read come in pages; one more than fits is an error at once. */
static bool on_listed(void *user, const ProtobufCMessage *message)
{
  struct job *j = user;
  MAGIC_CHECK(j, JOB_MAGIC);
  const ListResponse *r = (const ListResponse *)message;
  if (cohort_add_listed(&j->cohort, r, j->arena, &j->error) == ERR_OK && j->cohort.n == 0)
    err_set(&j->error, ERR_NOT_FOUND, "empty_cohort",
            "no dealer to report on: your access covers none");
  return true;
}

void job_list_visible(struct job *j)
{
  ListRequest request = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  request.limit = LIST_PAGE;
  call_auth(j, "ListDealers", &request.base, on_listed, on_auth_done);
}
