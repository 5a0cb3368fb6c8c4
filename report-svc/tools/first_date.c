/* GetFirstDate: from which day on a property has data. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__GetFirstDateResponse tool_response;

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  if (ask_about_property(out, message, arena, e) != ERR_OK)
    return e->code;
  return first_day_question(out, arena)
             ? ERR_OK
             : err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  char text[16] = "";
  int64_t day = first_day_of((const Analytics__Ga4__V1beta__RunReportResponse *)ask_message(a));
  tool_response *m = ARENA_NEW(arena, tool_response);
  (void)request;
  if (m == NULL)
    return NULL;
  analytics__report__v1__get_first_date_response__init(m);
  if (day != FIRST_DAY_NONE && day != FIRST_DAY_UNKNOWN)
    clock_format_date(day, text, sizeof(text));
  m->first_date = arena_strdup(arena, text);
  return m->first_date == NULL ? NULL : &m->base;
}

void first_date_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_RUN_REPORT, .question = question, .reply = reply};
  ask_serve(call, request, service, &tool);
}
