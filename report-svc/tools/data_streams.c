/* ListDataStreams: what Google's list of the property's data streams says. */
#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  (void)request;
  return answer_list(a, &analytics__report__v1__list_data_streams_response__descriptor,
                     "data_streams", "data_streams", "data stream", "data streams", arena);
}

void data_streams_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_DATA_STREAMS, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
