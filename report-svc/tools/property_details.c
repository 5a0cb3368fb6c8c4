/* GetPropertyDetails: the settings of one property. */
#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__GetPropertyDetailsResponse tool_response;

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
  return &m->base;
}

void property_details_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_GET_PROPERTY, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
