/* GetPropertyDetails: the settings of one property. */
#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__GetPropertyDetailsResponse tool_response;

static bool put_texts(tool_response *m, const struct ask *a, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  const Analytics__Ga4__V1beta__Property *p = m->property;
  struct answer_texts caveats = {.arena = arena};
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  buf_printf(&text, ": %s \"%.200s\", days in %.64s, money in %.8s", p->name, p->display_name,
             p->time_zone, p->currency_code);
  m->headline = arena_strdup(arena, buf_str(&text));
  if (p->delete_time[0] != '\0')
    answer_say(&caveats,
               "The property is in the trash since %.40s and is deleted for good at %.40s.",
               p->delete_time, p->expire_time);
  return m->headline != NULL && answer_put_property(&m->base, a, arena) &&
         answer_put_texts(&m->base, "caveats", &caveats);
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  (void)request;
  tool_response *m = ARENA_NEW(arena, tool_response);
  if (m == NULL)
    return NULL;
  analytics__report__v1__get_property_details_response__init(m);
  m->dealer_id = ask_used_token(a)->dealer_ref;
  m->dealer_name = ask_used_token(a)->dealer_name;
  m->property = (Analytics__Ga4__V1beta__Property *)ask_message(a);
  return put_texts(m, a, arena) ? &m->base : NULL;
}

void property_details_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_GET_PROPERTY, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
