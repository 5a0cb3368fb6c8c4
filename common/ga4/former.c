/* Names of Universal Analytics and deprecated names of GA4, and what GA4 calls the same thing now.
 *
 * Taken from Google's table of equivalents. Page paths of Universal Analytics held the query
 * string. A name that GA4 has as well ("sessions", "bounceRate") is GA4's; with "ga:" it means what
 * Universal Analytics meant, whose traffic sources were those of the session. */
#include "common/ga4/former.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

static const struct ga4_former metrics[] = {
    {"users", "totalUsers", NULL, false},
    {"1dayUsers", "active1DayUsers", NULL, false},
    {"7dayUsers", "active7DayUsers", NULL, false},
    {"28dayUsers", "active28DayUsers", NULL, false},
    {"pageviews", "screenPageViews", NULL, false},
    {"screenviews", "screenPageViews", NULL, false},
    {"uniquePageviews", "sessions",
     "ask for sessions with the dimension pagePath, which counts sessions in which a page was seen",
     true},
    {"pageviewsPerSession", "screenPageViewsPerSession", NULL, false},
    {"avgSessionDuration", "averageSessionDuration", NULL, false},
    {"goalCompletionsAll", "keyEvents", NULL, false},
    {"goalConversionRateAll", "sessionKeyEventRate", NULL, false},
    {"conversions", "keyEvents", NULL, false},
    {"sessionConversionRate", "sessionKeyEventRate", NULL, false},
    {"userConversionRate", "userKeyEventRate", NULL, false},
    {"totalEvents", "eventCount", NULL, false},
    {"transactionRevenue", "purchaseRevenue", NULL, false},
    {"itemQuantity", "itemsPurchased", NULL, false},
    {"adClicks", "advertiserAdClicks", NULL, false},
    {"adCost", "advertiserAdCost", NULL, false},
    {"CPC", "advertiserAdCostPerClick", NULL, false},
    {"goalValueAll", NULL, "ask for totalRevenue or eventValue", false},
    {"bounces", NULL, "ask for bounceRate, or sessions and engagedSessions", false},
    {"sessionDuration", NULL, "ask for averageSessionDuration or userEngagementDuration", false},
    {"percentNewSessions", NULL, "ask for sessions by the dimension newVsReturning", false},
    {"avgTimeOnPage", NULL, "ask for userEngagementDuration and screenPageViews by pagePath",
     false},
    {"timeOnPage", NULL, "ask for userEngagementDuration by pagePath", false},
    {"entrances", NULL, "ask for sessions by the dimension landingPage", false},
    {"entranceRate", NULL, "ask for sessions by the dimension landingPage", false},
    {"exits", NULL, "GA4's API has no exits; ask for sessions or screenPageViews by pagePath",
     false},
    {"exitRate", NULL, "GA4's API has no exits; ask for engagementRate by pagePath", false},
    {"hits", NULL, "ask for eventCount", false},
    {"uniqueEvents", NULL, "ask for sessions or totalUsers by the dimension eventName", false},
    {"avgEventValue", NULL, "ask for eventValue and eventCount", false},
    {"sessionsWithEvent", NULL, "ask for sessions with a filter on eventName", false},
    {"transactionsPerSession", NULL, "ask for sessionKeyEventRate:purchase", false},
    {"uniquePurchases", NULL, "ask for ecommercePurchases or itemsPurchased", false},
    {"searchUniques", NULL, "ask for sessions with eventName equal to view_search_results", false},
    {"avgPageLoadTime", NULL, "GA4 measures no page load times", false},
    {"pageLoadTime", NULL, "GA4 measures no page load times", false},
};

static const struct ga4_former dimensions[] = {
    {"channelGrouping", "sessionDefaultChannelGroup", NULL, false},
    {"sessionDefaultChannelGrouping", "sessionDefaultChannelGroup", NULL, false},
    {"firstUserDefaultChannelGrouping", "firstUserDefaultChannelGroup", NULL, false},
    {"defaultChannelGrouping", "defaultChannelGroup", NULL, false},
    {"isConversionEvent", "isKeyEvent", NULL, false},
    {"source", "sessionSource", NULL, false},
    {"medium", "sessionMedium", NULL, false},
    {"sourceMedium", "sessionSourceMedium", NULL, false},
    {"campaign", "sessionCampaignName", NULL, false},
    {"keyword", "sessionManualTerm", NULL, false},
    {"adContent", "sessionManualAdContent", NULL, false},
    {"fullReferrer", "pageReferrer", NULL, false},
    {"landingPagePath", "landingPagePlusQueryString", NULL, false},
    {"pagePath", "pagePathPlusQueryString", NULL, false},
    {"userType", "newVsReturning", NULL, false},
    {"searchKeyword", "searchTerm", NULL, false},
    {"productName", "itemName", NULL, false},
    {"productSku", "itemId", NULL, false},
    {"productBrand", "itemBrand", NULL, false},
    {"exitPagePath", NULL, "GA4's API has no exit page; ask for pagePath or landingPage", false},
    {"secondPagePath", NULL, "ask for landingPage or pagePath", false},
    {"pageDepth", NULL, "ask for the metric screenPageViewsPerSession", false},
    {"sessionCount", NULL, "ask for newVsReturning", false},
    {"daysSinceLastSession", NULL, "ask for newVsReturning", false},
    {"eventCategory", NULL,
     "ask for eventName, or customEvent:event_category where it is registered", false},
    {"eventAction", NULL, "ask for eventName, or customEvent:event_action where it is registered",
     false},
    {"eventLabel", NULL, "ask for eventName, or customEvent:event_label where it is registered",
     false},
    {"socialNetwork", NULL, "ask for sessionSource", false},
    {"referralPath", NULL, "ask for pageReferrer", false},
    {"metro", NULL, "ask for city or region", false},
    {"networkDomain", NULL, "GA4 has no network dimension", false},
    {"browserVersion", NULL, "ask for browser", false},
    {"mobileDeviceInfo", NULL, "ask for mobileDeviceModel or mobileDeviceMarketingName", false},
};

/* The first of a table for which a member is `text`. */
static const struct ga4_former *named(const struct ga4_former *table, size_t n, const char *text)
{
  for (size_t i = 0; i < n; i++) {
    if (ascii_case_equal(table[i].name, text))
      return &table[i];
  }
  return NULL;
}

static const char *name_of(const struct ga4_former *table, size_t n, const char *field)
{
  for (size_t i = 0; i < n; i++) {
    if (table[i].field != NULL && !table[i].per_page && strcmp(table[i].field, field) == 0)
      return table[i].name;
  }
  return NULL;
}

const struct ga4_former *ga4_former_find(enum ga4_kind kind, const char *name)
{
  const struct ga4_former *found = NULL;
  if ((kind & GA4_DIMENSION) != 0)
    found = named(dimensions, ARRAY_LEN(dimensions), name);
  if (found == NULL && (kind & GA4_METRIC) != 0)
    found = named(metrics, ARRAY_LEN(metrics), name);
  return found;
}

const char *ga4_former_name(enum ga4_kind kind, const char *field)
{
  return kind == GA4_DIMENSION ? name_of(dimensions, ARRAY_LEN(dimensions), field)
                               : name_of(metrics, ARRAY_LEN(metrics), field);
}
