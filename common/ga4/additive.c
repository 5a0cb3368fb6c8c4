/* The table of additive metrics and of dimensions whose rows overlap. */
#include "common/ga4/additive.h"

#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/ga4/own.h"

/* Names of https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema */
static const struct {
  const char *name;
  enum additive kind;
} metrics[] = {
    {"sessions", ADDITIVE_YES},
    {"engagedSessions", ADDITIVE_YES},
    {"eventCount", ADDITIVE_YES},
    {"keyEvents", ADDITIVE_YES},
    {"conversions", ADDITIVE_YES},
    {"screenPageViews", ADDITIVE_YES},
    {"userEngagementDuration", ADDITIVE_YES},
    {"transactions", ADDITIVE_YES},
    {"ecommercePurchases", ADDITIVE_YES},
    {"addToCarts", ADDITIVE_YES},
    {"checkouts", ADDITIVE_YES},
    {"itemsAddedToCart", ADDITIVE_YES},
    {"itemsCheckedOut", ADDITIVE_YES},
    {"itemsClickedInList", ADDITIVE_YES},
    {"itemsClickedInPromotion", ADDITIVE_YES},
    {"itemsPurchased", ADDITIVE_YES},
    {"itemsViewed", ADDITIVE_YES},
    {"itemsViewedInList", ADDITIVE_YES},
    {"itemsViewedInPromotion", ADDITIVE_YES},
    {"itemListClickEvents", ADDITIVE_YES},
    {"itemListViewEvents", ADDITIVE_YES},
    {"itemPromotionClicks", ADDITIVE_YES},
    {"itemPromotionViews", ADDITIVE_YES},
    {"itemViewEvents", ADDITIVE_YES},
    {"promotionClicks", ADDITIVE_YES},
    {"promotionViews", ADDITIVE_YES},
    {"advertiserAdClicks", ADDITIVE_YES},
    {"advertiserAdImpressions", ADDITIVE_YES},
    {"publisherAdClicks", ADDITIVE_YES},
    {"publisherAdImpressions", ADDITIVE_YES},
    {"organicGoogleSearchClicks", ADDITIVE_YES},
    {"organicGoogleSearchImpressions", ADDITIVE_YES},
    {"purchaseRevenue", ADDITIVE_CURRENCY},
    {"totalRevenue", ADDITIVE_CURRENCY},
    {"grossPurchaseRevenue", ADDITIVE_CURRENCY},
    {"itemRevenue", ADDITIVE_CURRENCY},
    {"grossItemRevenue", ADDITIVE_CURRENCY},
    {"itemRefundAmount", ADDITIVE_CURRENCY},
    {"itemDiscountAmount", ADDITIVE_CURRENCY},
    {"refundAmount", ADDITIVE_CURRENCY},
    {"shippingAmount", ADDITIVE_CURRENCY},
    {"taxAmount", ADDITIVE_CURRENCY},
    {"totalAdRevenue", ADDITIVE_CURRENCY},
    {"advertiserAdCost", ADDITIVE_CURRENCY},
};

/* Dimensions of events, pages, items and times within a day. */
static const char *const splitting[] = {
    "eventName",
    "isKeyEvent",
    "isConversionEvent",
    "pagePath",
    "pagePathPlusQueryString",
    "pageTitle",
    "pageLocation",
    "fullPageUrl",
    "pageReferrer",
    "unifiedPagePathScreen",
    "unifiedPageScreen",
    "unifiedScreenName",
    "unifiedScreenClass",
    "contentGroup",
    "contentId",
    "contentType",
    "hostName",
    "hour",
    "dateHour",
    "dateHourMinute",
    "minute",
    "nthHour",
    "nthMinute",
    "linkUrl",
    "linkText",
    "linkDomain",
    "linkId",
    "linkClasses",
    "outbound",
    "fileName",
    "fileExtension",
    "searchTerm",
    "percentScrolled",
    "videoProvider",
    "videoTitle",
    "videoUrl",
    "visible",
    "method",
    "transactionId",
    "orderCoupon",
    "currencyCode",
    "shippingTier",
};
static const char *const splitting_prefixes[] = {"item", "customEvent:", "customItem:"};

static bool starts_with(const char *s, const char *prefix)
{
  return strncmp(s, prefix, strlen(prefix)) == 0;
}

enum additive additive_kind(const char *metric)
{
  if (starts_with(metric, "keyEvents:") || starts_with(metric, "conversions:"))
    return ADDITIVE_YES;
  for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
    if (strcmp(metrics[i].name, metric) == 0)
      return metrics[i].kind;
  const struct own_metric *own = own_metric_find(metric);
  return own != NULL && !own->rate ? ADDITIVE_YES : ADDITIVE_NO;
}

bool additive_counts(const char *metric)
{
  return additive_kind(metric) == ADDITIVE_YES && strcmp(metric, "userEngagementDuration") != 0;
}

bool metric_counts_sessions(const char *metric)
{
  const struct own_metric *own = own_metric_find(metric);
  if (own != NULL && !own->rate)
    return own->of == OWN_LEAD_SESSIONS || own->of == OWN_SHOPPER_SESSIONS;
  return strcmp(metric, "sessions") == 0 || strcmp(metric, "engagedSessions") == 0;
}

bool dimension_splits_sessions(const char *dimension)
{
  for (size_t i = 0; i < ARRAY_LEN(splitting); i++)
    if (strcmp(splitting[i], dimension) == 0)
      return true;
  for (size_t i = 0; i < ARRAY_LEN(splitting_prefixes); i++)
    if (starts_with(dimension, splitting_prefixes[i]))
      return true;
  return false;
}
