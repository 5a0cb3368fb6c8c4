/* From an rpc to a report that is put together, and back. */
#include "report-svc/own/serve.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/google/field.h"

#define OWN_SERVING_MAGIC 0x6f777376u

struct serving {
  unsigned magic;
  struct service *service;
  struct rpc_call *call;
  const ProtobufCMessage *request;
  const Analytics__Ga4__V1beta__RunReportRequest *asked;
  own_reply reply;
  struct own_job *job;
  size_t at;             /* property whose first day is looked up after it */
  struct ask *first_day; /* the look-up under way */
};

static enum err_code make_reply(ProtobufCMessage **out, const struct serving *s,
                                const struct own_job *j, struct err *e)
{
  *out = s->reply(j, s->request, s->asked, rpc_call_arena(s->call));
  if (*out == NULL ||
      protobuf_c_message_get_packed_size(*out) > report_service_max_answer(s->service))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                   "the answer is too large; use a smaller limit and page with offset");
  return ERR_OK;
}

/* The end of the call, with the reply or the error. */
static void answer(struct serving *s, struct err *e)
{
  ProtobufCMessage *reply;
  const struct own_job *j = s->job;
  if (e->code == ERR_OK && make_reply(&reply, s, j, e) == ERR_OK) {
    rpc_call_reply(s->call, reply);
  } else {
    request_locate(s->asked, e);
    if (own_ask(j) != NULL)
      ask_name_dealer(own_ask(j), e);
    rpc_call_finish(s->call, e);
  }
  s->magic = 0;
  ask_unref(s->first_day);
  own_job_unref(s->job);
  free(s);
}

static void on_cancel_look_up(void *arg)
{
  ask_cancel(arg);
}

static bool look_up_first_day(struct serving *s, size_t from);

/* A look-up that fails leaves the answer without the day. */
static void on_first_day(void *user, struct ask *a, const struct err *status)
{
  struct serving *s = user;
  struct err ok = {0};
  MAGIC_CHECK(s, OWN_SERVING_MAGIC);
  rpc_call_on_cancel(s->call, NULL, NULL);
  if (status->code == ERR_OK)
    own_set_first_day(s->job, s->at, first_day_of((const void *)ask_message(a)));
  ask_unref(TAKE_PTR(s->first_day));
  if (!look_up_first_day(s, s->at + 1))
    answer(s, &ok);
}

/* One property after the other. False: there is nothing more to look up. */
static bool look_up_first_day(struct serving *s, size_t from)
{
  struct ask_options options = {
      .service = s->service, .parent = s->call, .on_done = on_first_day, .user = s};
  s->at = own_without_rows(s->job, from);
  if (s->at == own_facts(s->job)->properties)
    return false;
  struct ask *look_up = first_day_ask(own_ask_of(s->job, s->at), &options, rpc_call_arena(s->call));
  if (look_up == NULL)
    return false;
  s->first_day = ask_ref(look_up);
  rpc_call_on_cancel(s->call, on_cancel_look_up, look_up);
  ask_start(look_up); /* s may be gone after this */
  ask_unref(look_up);
  return true;
}

static void on_done(void *user, struct own_job *j, const struct err *status)
{
  struct serving *s = user;
  MAGIC_CHECK(s, OWN_SERVING_MAGIC);
  rpc_call_on_cancel(s->call, NULL, NULL);
  struct err e = *status;
  (void)j; /* s->job */
  if (e.code != ERR_OK || !look_up_first_day(s, 0))
    answer(s, &e);
}

static void on_cancel(void *arg)
{
  own_job_cancel(arg);
}

void own_serve(struct rpc_call *call, const ProtobufCMessage *request, struct service *service,
               const Analytics__Ga4__V1beta__RunReportRequest *asked, own_reply reply)
{
  struct serving *s = xcalloc(1, sizeof(*s));
  *s = (struct serving){OWN_SERVING_MAGIC, service, call, request, asked, reply, NULL, 0, NULL};
  struct own_options options = {.service = service,
                                .parent = call,
                                .dealer_id = ga4_text(request, "dealer_id"),
                                .property_id = ga4_text(request, "property_id"),
                                .asked = asked,
                                .on_done = on_done,
                                .user = s};
  struct own_job *j = own_job_new(&options);
  s->job = own_job_ref(j);
  rpc_call_on_cancel(call, on_cancel, j);
  own_job_start(j); /* s may be gone after this */
  own_job_unref(j);
}
