/* ResolveCohort or ListDealers at auth-svc, and whether the cohort does for the tool. */
#include "aggregate-svc/call/dealers.h"

#include <string.h>

#include "aggregate-svc/call/compute.h"
#include "aggregate-svc/call/reports.h"
#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;
typedef Analytics__Auth__V1__ListDealersRequest ListRequest;
typedef Analytics__Auth__V1__ListDealersResponse ListResponse;

enum { LIST_PAGE = 500 };

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
  if (!j->tool->optional || j->error.code == ERR_UNAUTHENTICATED ||
      j->error.code == ERR_CANCELLED) {
    job_end(j, &j->error);
    return;
  }
  j->call.without = j->error;
  j->error = (struct err){0};
  compute_on_worker(j);
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

/* On a worker: the store of releases may have to be asked. */
static void admit(void *arg)
{
  struct job *j = arg;
  MAGIC_CHECK(j, JOB_MAGIC);
  const struct period *p = &j->call.period;
  bool relative = p->start.relative || p->end.relative;
  struct period_days days = period_resolve(p, j->call.now_unix_ms, 0);
  door_admit(&j->call.door, (struct lattice_span){days.first, days.last}, relative);
  reports_plan(j);
}

static void begin_asking(struct job *j)
{
  if (check_cohort(j, &j->error) != ERR_OK) {
    job_end(j, &j->error);
  } else if (j->call.cohort.outside == 0) {
    reports_plan(j);
  } else if (!pool_submit(j->service->pool, admit, j)) {
    job_end_busy(j);
  }
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

void dealers_find(struct job *j)
{
  const struct request_fields *f = &j->call.fields;
  bool everything =
      f->n_dealer_ids == 0 && f->region[0] == '\0' && f->cohort[0] == '\0' && f->subject[0] == '\0';
  if (everything && j->tool->dealers == TOOL_VISIBLE)
    list_visible(j);
  else
    resolve(j);
}
