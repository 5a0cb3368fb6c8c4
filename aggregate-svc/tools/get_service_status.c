/* get_service_status: what every service says of itself, put together. For admins: auth-svc is
 * asked first, with the caller's grant, and whom it refuses gets nothing. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/status/own.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/clock.h"
#include "common/pbjson/borrow.h"
#include "common/status/join.h"

typedef Analytics__Status__V1__ServiceStatus joined;
typedef Analytics__Status__V1__GetServiceStatusRequest request;

enum { ASK_MS = 3000, TEXT_MOST = 6000, TEXT_COLUMNS = 450, COHORTS_SHOWN = 20 };

/* What was answered, to be freed. */
struct answers {
  ProtobufCMessage *auth, *report;
};

static void answers_free(struct answers *a)
{
  if (a->auth != NULL)
    protobuf_c_message_free_unpacked(a->auth, NULL);
  if (a->report != NULL)
    protobuf_c_message_free_unpacked(a->report, NULL);
}

static enum err_code ask(ProtobufCMessage **out, struct rpc_channel *channel,
                         const ProtobufCServiceDescriptor *service, struct rpc_call *call,
                         struct err *e)
{
  const Analytics__Status__V1__GetStatusRequest message =
      ANALYTICS__STATUS__V1__GET_STATUS_REQUEST__INIT;
  const struct rpc_client_options options = {.timeout_ms = ASK_MS, .parent = call};
  return rpc_client_call_sync(out, channel, service, "GetStatus", &message.base, &options, e);
}

static joined *look(struct aggregate_service *s, struct rpc_call *call, struct answers *a,
                    struct arena *arena, struct err *e)
{
  struct status_parts parts = {.now_unix_ms = clock_unix_ms()};
  if (ask(&a->auth, s->auth, &analytics__auth__v1__status_service__descriptor, call, e) != ERR_OK)
    return NULL;
  parts.auth = (const void *)a->auth;
  ask(&a->report, s->report, &analytics__report__v1__status_service__descriptor, call,
      &parts.away[1]);
  parts.report = (const void *)a->report;
  parts.aggregate = status_own(s, call, arena, e);
  joined *out = parts.aggregate != NULL ? status_join(&parts, arena) : NULL;
  if (out == NULL && e->code == ERR_OK)
    err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large", "not enough memory for the status");
  return out;
}

/* ---------------------------------------------------------------------------- page */

/* They stand first. */
static void keep_problems(joined *out)
{
  size_t n = 0;
  while (n < out->n_dealers && status_is_problem(status_state_of(out->dealers[n]->state)))
    n++;
  out->n_dealers = n;
}

/* The other tables are those of the first page, and long lists of cohorts end. */
static bool trim(joined *out, size_t offset, struct arena *arena)
{
  if (offset > 0)
    out->n_services = out->n_cohorts = out->n_facts = 0;
  if (out->n_cohorts <= COHORTS_SHOWN)
    return true;
  char **notes = ARENA_ARRAY(arena, char *, out->n_notes + 1);
  if (notes == NULL)
    return false;
  memcpy(notes, out->notes, out->n_notes * sizeof(*notes));
  notes[out->n_notes] = arena_printf(arena, "%d of %zu cohorts are shown; list_cohorts has all.",
                                     COHORTS_SHOWN, out->n_cohorts);
  out->notes = notes;
  out->n_cohorts = COHORTS_SHOWN;
  return notes[out->n_notes++] != NULL;
}

static void cut_page(joined *out, size_t offset, size_t limit)
{
  Analytics__Status__V1__DealerRow **all = out->dealers;
  size_t n = out->n_dealers;
  out->n_dealers = 0;
  struct paging page = {.offset = offset,
                        .limit = limit,
                        .left =
                            paging_left(TEXT_MOST, paging_head_bytes(&out->base) + TEXT_COLUMNS)};
  out->dealers = &all[offset < n ? offset : n];
  for (size_t i = offset; i < n && paging_take(&page, paging_text_bytes(&all[i]->base)); i++)
    out->n_dealers++;
  out->next_offset = paging_next(&page, n);
}

void get_service_status_handle(struct rpc_call *call, const ProtobufCMessage *message, void *user)
{
  const request *r = (const void *)message;
  struct err e = {0};
  struct answers answers = {0};
  size_t limit = 0, offset = 0;
  struct arena *arena = arena_new(STATUS_ARENA_MAX);
  joined *out = NULL;
  if (request_check_page("limit", r->limit, r->offset, &limit, &offset, &e) == ERR_OK)
    out = look(user, call, &answers, arena, &e);
  if (out != NULL && r->problems_only)
    keep_problems(out);
  if (out != NULL && trim(out, offset, arena)) {
    cut_page(out, offset, limit);
    rpc_call_reply(call, &out->base);
  } else {
    if (e.code == ERR_OK)
      err_set(&e, ERR_RESOURCE_EXHAUSTED, "answer_too_large", "not enough memory for the status");
    rpc_call_finish(call, &e);
  }
  answers_free(&answers);
  arena_free(arena);
}
