/* From an rpc to a question and back. */
#include "report-svc/ask/serve.h"

#include "common/base/mem.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/google/field.h"

#define SERVING_MAGIC 0x73727667u

struct serving {
  unsigned magic;
  const struct ask_tool *tool;
  struct service *service;
  struct rpc_call *call;
  const ProtobufCMessage *request;
  const ProtobufCMessage *body;
  struct ask *ask;
  struct ask *first_day; /* the look-up after it */
};

enum err_code ask_about_property(struct ask_options *out, const ProtobufCMessage *request,
                                 struct arena *arena, struct err *e)
{
  (void)arena;
  out->dealer_id = ga4_text(request, "dealer_id");
  out->property_id = ga4_text(request, "property_id");
  return request_check_target(out->dealer_id, out->property_id, e);
}

static enum err_code too_large(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                 "the answer is too large; ask for less");
}

/* The rows of one report were counted as they came; other answers are counted here. */
static enum err_code make_reply(ProtobufCMessage **out, const struct serving *s,
                                const struct ask *a, struct err *e)
{
  *out = s->tool->reply(a, s->request, rpc_call_arena(s->call));
  if (*out == NULL)
    return too_large(e);
  if (google_method(s->tool->method)->rows != GOOGLE_ROWS &&
      protobuf_c_message_get_packed_size(*out) > report_service_max_answer(s->service))
    return too_large(e);
  return ERR_OK;
}

static void end(struct serving *s)
{
  s->magic = 0;
  ask_unref(s->first_day);
  ask_unref(s->ask);
  free(s);
}

/* The end of the call, with the reply or the error. */
static void answer(struct serving *s, struct err *e)
{
  ProtobufCMessage *reply;
  if (e->code == ERR_OK && make_reply(&reply, s, s->ask, e) == ERR_OK) {
    rpc_call_reply(s->call, reply);
  } else {
    if (s->tool->locate != NULL && s->body != NULL)
      s->tool->locate(s->body, e);
    ask_name_dealer(s->ask, e);
    rpc_call_finish(s->call, e);
  }
  end(s);
}

static void on_cancel(void *arg)
{
  ask_cancel(arg);
}

/* A look-up that fails leaves the answer without the day. */
static void on_first_day(void *user, struct ask *a, const struct err *status)
{
  struct serving *s = user;
  struct err ok = {0};
  MAGIC_CHECK(s, SERVING_MAGIC);
  rpc_call_on_cancel(s->call, NULL, NULL);
  if (status->code == ERR_OK)
    ask_set_first_day(s->ask, first_day_of((const void *)ask_message(a)));
  answer(s, &ok);
}

/* False: there is nothing to look up. */
static bool look_up_first_day(struct serving *s, const struct ask *a)
{
  struct ask_options options = {
      .service = s->service, .parent = s->call, .on_done = on_first_day, .user = s};
  if (s->tool->lacks_data == NULL || !s->tool->lacks_data(a, s->request))
    return false;
  struct ask *look_up = first_day_ask(a, &options, rpc_call_arena(s->call));
  if (look_up == NULL)
    return false;
  s->first_day = ask_ref(look_up);
  rpc_call_on_cancel(s->call, on_cancel, look_up);
  ask_start(look_up); /* s may be gone after this */
  ask_unref(look_up);
  return true;
}

static void on_done(void *user, struct ask *a, const struct err *status)
{
  struct serving *s = user;
  MAGIC_CHECK(s, SERVING_MAGIC);
  rpc_call_on_cancel(s->call, NULL, NULL);
  struct err e = *status;
  if (e.code != ERR_OK && s->tool->instead != NULL &&
      s->tool->instead(s->call, s->request, s->service, &e))
    end(s);
  else if (e.code != ERR_OK || !look_up_first_day(s, a))
    answer(s, &e);
}

void ask_serve(struct rpc_call *call, const ProtobufCMessage *request, struct service *service,
               const struct ask_tool *tool)
{
  struct err e = {0};
  struct ask_options options = {.service = service,
                                .parent = call,
                                .method = google_method(tool->method),
                                .dealer_id = "",
                                .property_id = "",
                                .keep_ms = tool->keep_ms,
                                .on_done = on_done};
  if (tool->question(&options, request, rpc_call_arena(call), &e) != ERR_OK) {
    rpc_call_finish(call, &e);
    return;
  }
  struct serving *s = xcalloc(1, sizeof(*s));
  *s = (struct serving){SERVING_MAGIC, tool, service, call, request, options.body, NULL, NULL};
  options.user = s;
  struct ask *a = ask_new(&options);
  s->ask = ask_ref(a);
  rpc_call_on_cancel(call, on_cancel, a);
  ask_start(a); /* s may be gone after this */
  ask_unref(a);
}
