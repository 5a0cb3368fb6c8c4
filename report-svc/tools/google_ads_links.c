/* ListGoogleAdsLinks: what Google's list of the property's links to Google Ads says. */
#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  (void)request;
  return answer_list(a, &analytics__report__v1__list_google_ads_links_response__descriptor,
                     "google_ads_links", "google_ads_links", "link to Google Ads",
                     "links to Google Ads", arena);
}

void google_ads_links_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_ADS_LINKS, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
