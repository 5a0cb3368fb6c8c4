/* Names of Universal Analytics and deprecated names of GA4, and what GA4 calls the same thing now.
 *
 * Taken from Google's table of equivalents. Page paths of Universal Analytics held the query
 * string. A name that GA4 has as well ("sessions", "bounceRate") is GA4's; with "ga:" it means what
 * Universal Analytics meant, whose traffic sources were those of the session. */
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/arguments/ga4.h"
#include "gateway/arguments/text.h"

static const struct ua_field metrics[] = {
    {"users", "totalUsers", NULL, false},
    {"1dayusers", "active1DayUsers", NULL, false},
    {"7dayusers", "active7DayUsers", NULL, false},
    {"28dayusers", "active28DayUsers", NULL, false},
    {"pageviews", "screenPageViews", NULL, false},
    {"screenviews", "screenPageViews", NULL, false},
    {"uniquepageviews", "sessions",
     "ask for sessions with the dimension pagePath, which counts sessions in which a page was seen",
     true},
    {"pageviewspersession", "screenPageViewsPerSession", NULL, false},
    {"avgsessionduration", "averageSessionDuration", NULL, false},
    {"goalcompletionsall", "keyEvents", NULL, false},
    {"goalconversionrateall", "sessionKeyEventRate", NULL, false},
    {"conversions", "keyEvents", NULL, false},
    {"sessionconversionrate", "sessionKeyEventRate", NULL, false},
    {"userconversionrate", "userKeyEventRate", NULL, false},
    {"totalevents", "eventCount", NULL, false},
    {"transactionrevenue", "purchaseRevenue", NULL, false},
    {"itemquantity", "itemsPurchased", NULL, false},
    {"adclicks", "advertiserAdClicks", NULL, false},
    {"adcost", "advertiserAdCost", NULL, false},
    {"cpc", "advertiserAdCostPerClick", NULL, false},
    {"goalvalueall", NULL, "ask for totalRevenue or eventValue", false},
    {"bounces", NULL, "ask for bounceRate, or sessions and engagedSessions", false},
    {"sessionduration", NULL, "ask for averageSessionDuration or userEngagementDuration", false},
    {"percentnewsessions", NULL, "ask for sessions by the dimension newVsReturning", false},
    {"avgtimeonpage", NULL, "ask for userEngagementDuration and screenPageViews by pagePath",
     false},
    {"timeonpage", NULL, "ask for userEngagementDuration by pagePath", false},
    {"entrances", NULL, "ask for sessions by the dimension landingPage", false},
    {"entrancerate", NULL, "ask for sessions by the dimension landingPage", false},
    {"exits", NULL, "GA4's API has no exits; ask for sessions or screenPageViews by pagePath",
     false},
    {"exitrate", NULL, "GA4's API has no exits; ask for engagementRate by pagePath", false},
    {"hits", NULL, "ask for eventCount", false},
    {"uniqueevents", NULL, "ask for sessions or totalUsers by the dimension eventName", false},
    {"avgeventvalue", NULL, "ask for eventValue and eventCount", false},
    {"sessionswithevent", NULL, "ask for sessions with a filter on eventName", false},
    {"transactionspersession", NULL, "ask for sessionKeyEventRate:purchase", false},
    {"uniquepurchases", NULL, "ask for ecommercePurchases or itemsPurchased", false},
    {"searchuniques", NULL, "ask for sessions with eventName equal to view_search_results", false},
    {"avgpageloadtime", NULL, "GA4 measures no page load times", false},
    {"pageloadtime", NULL, "GA4 measures no page load times", false},
};

static const struct ua_field dimensions[] = {
    {"channelgrouping", "sessionDefaultChannelGroup", NULL, false},
    {"sessiondefaultchannelgrouping", "sessionDefaultChannelGroup", NULL, false},
    {"firstuserdefaultchannelgrouping", "firstUserDefaultChannelGroup", NULL, false},
    {"defaultchannelgrouping", "defaultChannelGroup", NULL, false},
    {"isconversionevent", "isKeyEvent", NULL, false},
    {"source", "sessionSource", NULL, false},
    {"medium", "sessionMedium", NULL, false},
    {"sourcemedium", "sessionSourceMedium", NULL, false},
    {"campaign", "sessionCampaignName", NULL, false},
    {"keyword", "sessionManualTerm", NULL, false},
    {"adcontent", "sessionManualAdContent", NULL, false},
    {"fullreferrer", "pageReferrer", NULL, false},
    {"landingpagepath", "landingPagePlusQueryString", NULL, false},
    {"pagepath", "pagePathPlusQueryString", NULL, false},
    {"usertype", "newVsReturning", NULL, false},
    {"searchkeyword", "searchTerm", NULL, false},
    {"productname", "itemName", NULL, false},
    {"productsku", "itemId", NULL, false},
    {"productbrand", "itemBrand", NULL, false},
    {"exitpagepath", NULL, "GA4's API has no exit page; ask for pagePath or landingPage", false},
    {"secondpagepath", NULL, "ask for landingPage or pagePath", false},
    {"pagedepth", NULL, "ask for the metric screenPageViewsPerSession", false},
    {"sessioncount", NULL, "ask for newVsReturning", false},
    {"dayssincelastsession", NULL, "ask for newVsReturning", false},
    {"eventcategory", NULL,
     "ask for eventName, or customEvent:event_category where it is registered", false},
    {"eventaction", NULL, "ask for eventName, or customEvent:event_action where it is registered",
     false},
    {"eventlabel", NULL, "ask for eventName, or customEvent:event_label where it is registered",
     false},
    {"socialnetwork", NULL, "ask for sessionSource", false},
    {"referralpath", NULL, "ask for pageReferrer", false},
    {"metro", NULL, "ask for city or region", false},
    {"networkdomain", NULL, "GA4 has no network dimension", false},
    {"browserversion", NULL, "ask for browser", false},
    {"mobiledeviceinfo", NULL, "ask for mobileDeviceModel or mobileDeviceMarketingName", false},
};

static const struct ua_field numbered[] = {
    {"dimension", NULL,
     "GA4 names custom dimensions customEvent:NAME; "
     "get_custom_dimensions_and_metrics lists them",
     false},
    {"metric", NULL,
     "GA4 names custom metrics customEvent:NAME; get_custom_dimensions_and_metrics "
     "lists them",
     false},
    {"goal", NULL,
     "GA4 names key events by their event: keyEvents:NAME, such as "
     "keyEvents:generate_lead",
     false},
};

/* dimension1, metric12, goal3Completions */
static const struct ua_field *find_numbered(const char *folded)
{
  for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
    size_t len = strlen(numbered[i].name), digits;
    if (strncmp(folded, numbered[i].name, len) != 0)
      continue;
    digits = strspn(folded + len, "0123456789");
    const char *rest = folded + len + digits;
    if (digits > 0 && digits <= 3 && (*rest == '\0' || numbered[i].name[0] == 'g'))
      return &numbered[i];
  }
  return NULL;
}

static const struct ua_field *find_in(const struct ua_field *fields, size_t n, const char *folded)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp(fields[i].name, folded) == 0)
      return &fields[i];
  }
  return NULL;
}

const struct ua_field *ua_find(enum ga4_kind kind, const char *text, bool *prefixed)
{
  char folded[FOLD_SIZE];
  *prefixed = ascii_case_find(text, "ga:") == text;
  text_fold(folded, *prefixed ? text + 3 : text);
  const struct ua_field *found = NULL;
  if (!*prefixed && ga4_find(kind, text) != NULL)
    return NULL;
  if ((kind & GA4_DIMENSION) != 0)
    found = find_in(dimensions, ARRAY_LEN(dimensions), folded);
  if (found == NULL && (kind & GA4_METRIC) != 0)
    found = find_in(metrics, ARRAY_LEN(metrics), folded);
  return found != NULL ? found : find_numbered(folded);
}
