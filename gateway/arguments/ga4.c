/* Names of GA4 dimensions and metrics (Data API v1 schema, 2026-09). */
#include "gateway/arguments/ga4.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/ga4/own.h"
#include "gateway/arguments/text.h"

static const struct ga4_field dimensions[] = {
    {"achievementId", NULL},
    {"adFormat", NULL},
    {"adSourceName", "Ad source"},
    {"adUnitName", "Ad unit"},
    {"appVersion", NULL},
    {"audienceId", NULL},
    {"audienceName", NULL},
    {"audienceResourceName", NULL},
    {"brandingInterest", "Interests"},
    {"browser", NULL},
    {"campaignId", NULL},
    {"campaignName", "Campaign"},
    {"character", NULL},
    {"city", NULL},
    {"cityId", NULL},
    {"cohort", NULL},
    {"cohortNthDay", "Daily cohort"},
    {"cohortNthMonth", "Monthly cohort"},
    {"cohortNthWeek", "Weekly cohort"},
    {"comparison", NULL},
    {"contentGroup", NULL},
    {"contentId", NULL},
    {"contentType", NULL},
    {"continent", NULL},
    {"continentId", NULL},
    {"country", NULL},
    {"countryId", NULL},
    {"currencyCode", "Currency"},
    {"date", NULL},
    {"dateHour", "Date + hour (YYYYMMDDHH)"},
    {"dateHourMinute", "Date hour and minute"},
    {"day", NULL},
    {"dayOfWeek", NULL},
    {"dayOfWeekName", NULL},
    {"defaultChannelGroup", NULL},
    {"deviceCategory", NULL},
    {"deviceModel", NULL},
    {"eventName", NULL},
    {"fileExtension", NULL},
    {"fileName", NULL},
    {"firstSessionDate", NULL},
    {"firstUserCampaignId", NULL},
    {"firstUserCampaignName", "First user campaign"},
    {"firstUserDefaultChannelGroup", NULL},
    {"firstUserGoogleAdsAdGroupName", NULL},
    {"firstUserGoogleAdsAdNetworkType", NULL},
    {"firstUserGoogleAdsCampaignName", "First user Google Ads campaign"},
    {"firstUserGoogleAdsKeyword", "First user Google Ads keyword text"},
    {"firstUserManualAdContent", NULL},
    {"firstUserManualTerm", NULL},
    {"firstUserMedium", NULL},
    {"firstUserPrimaryChannelGroup", NULL},
    {"firstUserSource", NULL},
    {"firstUserSourceMedium", "First user source / medium"},
    {"firstUserSourcePlatform", NULL},
    {"fullPageUrl", NULL},
    {"googleAdsAccountName", NULL},
    {"googleAdsAdGroupId", NULL},
    {"googleAdsAdGroupName", NULL},
    {"googleAdsAdNetworkType", NULL},
    {"googleAdsCampaignId", NULL},
    {"googleAdsCampaignName", "Google Ads campaign"},
    {"googleAdsCampaignType", NULL},
    {"googleAdsKeyword", "Google Ads keyword text"},
    {"googleAdsQuery", NULL},
    {"groupId", NULL},
    {"hostName", NULL},
    {"hour", NULL},
    {"isKeyEvent", NULL},
    {"isoWeek", "ISO week of the year"},
    {"isoYear", NULL},
    {"isoYearIsoWeek", "ISO week of ISO year"},
    {"itemAffiliation", NULL},
    {"itemBrand", NULL},
    {"itemCategory", NULL},
    {"itemCategory2", NULL},
    {"itemCategory3", NULL},
    {"itemCategory4", NULL},
    {"itemCategory5", NULL},
    {"itemId", NULL},
    {"itemListId", NULL},
    {"itemListName", NULL},
    {"itemListPosition", NULL},
    {"itemLocationID", NULL},
    {"itemName", NULL},
    {"itemPromotionCreativeName", NULL},
    {"itemPromotionId", NULL},
    {"itemPromotionName", NULL},
    {"itemVariant", NULL},
    {"landingPage", NULL},
    {"landingPagePlusQueryString", "Landing page + query string"},
    {"language", NULL},
    {"languageCode", NULL},
    {"level", NULL},
    {"linkClasses", NULL},
    {"linkDomain", NULL},
    {"linkId", NULL},
    {"linkText", NULL},
    {"linkUrl", NULL},
    {"manualAdContent", NULL},
    {"manualTerm", NULL},
    {"medium", NULL},
    {"method", NULL},
    {"minute", NULL},
    {"minutesAgo", "Realtime minutes ago"},
    {"mobileDeviceBranding", "Device brand"},
    {"mobileDeviceMarketingName", NULL},
    {"mobileDeviceModel", "Mobile model"},
    {"month", NULL},
    {"newVsReturning", "New / returning"},
    {"nthDay", NULL},
    {"nthHour", NULL},
    {"nthMinute", NULL},
    {"nthMonth", NULL},
    {"nthWeek", NULL},
    {"nthYear", NULL},
    {"operatingSystem", NULL},
    {"operatingSystemVersion", "OS version"},
    {"operatingSystemWithVersion", "Operating system with version"},
    {"orderCoupon", NULL},
    {"outbound", NULL},
    {"pageLocation", NULL},
    {"pagePath", NULL},
    {"pagePathPlusQueryString", "Page path + query string"},
    {"pageReferrer", NULL},
    {"pageTitle", NULL},
    {"percentScrolled", NULL},
    {"platform", NULL},
    {"platformDeviceCategory", "Platform / device category"},
    {"primaryChannelGroup", NULL},
    {"region", NULL},
    {"screenResolution", NULL},
    {"searchTerm", NULL},
    {"sessionCampaignId", NULL},
    {"sessionCampaignName", "Session campaign"},
    {"sessionDefaultChannelGroup", NULL},
    {"sessionGoogleAdsAccountName", NULL},
    {"sessionGoogleAdsAdGroupName", NULL},
    {"sessionGoogleAdsAdNetworkType", NULL},
    {"sessionGoogleAdsCampaignName", "Session Google Ads campaign"},
    {"sessionGoogleAdsKeyword", "Session Google Ads keyword text"},
    {"sessionGoogleAdsQuery", NULL},
    {"sessionManualAdContent", NULL},
    {"sessionManualTerm", NULL},
    {"sessionMedium", NULL},
    {"sessionPrimaryChannelGroup", NULL},
    {"sessionSource", NULL},
    {"sessionSourceMedium", "Session source / medium"},
    {"sessionSourcePlatform", NULL},
    {"shippingTier", NULL},
    {"signedInWithUserId", NULL},
    {"source", NULL},
    {"sourceMedium", "Source / medium"},
    {"sourcePlatform", NULL},
    {"streamId", NULL},
    {"streamName", NULL},
    {"subContinent", NULL},
    {"testDataFilterId", NULL},
    {"testDataFilterName", NULL},
    {"transactionId", NULL},
    {"unifiedPagePathScreen", "Page path and screen class"},
    {"unifiedPageScreen", "Page path + query string and screen class"},
    {"unifiedScreenClass", "Page title and screen class"},
    {"unifiedScreenName", "Page title and screen name"},
    {"userAgeBracket", "Age"},
    {"userGender", "Gender"},
    {"videoProvider", NULL},
    {"videoTitle", NULL},
    {"videoUrl", NULL},
    {"virtualCurrencyName", NULL},
    {"visible", NULL},
    {"week", NULL},
    {"year", NULL},
    {"yearMonth", NULL},
    {"yearWeek", NULL},
};

static const struct ga4_field metrics[] = {
    {"active1DayUsers", "1-day active users"},
    {"active28DayUsers", "28-day active users"},
    {"active7DayUsers", "7-day active users"},
    {"activeUsers", NULL},
    {"adUnitExposure", NULL},
    {"addToCarts", NULL},
    {"advertiserAdClicks", "Ads clicks"},
    {"advertiserAdCost", "Ads cost"},
    {"advertiserAdCostPerClick", "Ads cost per click"},
    {"advertiserAdCostPerKeyEvent", "Cost per key event"},
    {"advertiserAdImpressions", "Ads impressions"},
    {"averagePurchaseRevenue", NULL},
    {"averagePurchaseRevenuePerPayingUser", "ARPPU"},
    {"averagePurchaseRevenuePerUser", "Average purchase revenue per active user"},
    {"averageRevenuePerUser", "ARPU"},
    {"averageSessionDuration", NULL},
    {"bounceRate", NULL},
    {"cartToViewRate", NULL},
    {"checkouts", NULL},
    {"cohortActiveUsers", NULL},
    {"cohortTotalUsers", NULL},
    {"crashAffectedUsers", NULL},
    {"crashFreeUsersRate", NULL},
    {"dauPerMau", "DAU / MAU"},
    {"dauPerWau", "DAU / WAU"},
    {"ecommercePurchases", NULL},
    {"engagedSessions", NULL},
    {"engagementRate", NULL},
    {"eventCount", NULL},
    {"eventCountPerUser", "Event count per active user"},
    {"eventValue", NULL},
    {"eventsPerSession", NULL},
    {"firstTimePurchaserRate", NULL},
    {"firstTimePurchasers", NULL},
    {"firstTimePurchasersPerNewUser", NULL},
    {"grossItemRevenue", NULL},
    {"grossPurchaseRevenue", NULL},
    {"itemDiscountAmount", NULL},
    {"itemListClickEvents", NULL},
    {"itemListClickThroughRate", NULL},
    {"itemListViewEvents", NULL},
    {"itemPromotionClickThroughRate", NULL},
    {"itemRefundAmount", NULL},
    {"itemRevenue", NULL},
    {"itemViewEvents", NULL},
    {"itemsAddedToCart", NULL},
    {"itemsCheckedOut", NULL},
    {"itemsClickedInList", NULL},
    {"itemsClickedInPromotion", NULL},
    {"itemsPurchased", NULL},
    {"itemsViewed", NULL},
    {"itemsViewedInList", NULL},
    {"itemsViewedInPromotion", NULL},
    {"keyEvents", NULL},
    {"newUsers", NULL},
    {"organicGoogleSearchAveragePosition", NULL},
    {"organicGoogleSearchClickThroughRate", NULL},
    {"organicGoogleSearchClicks", NULL},
    {"organicGoogleSearchImpressions", NULL},
    {"promotionClicks", NULL},
    {"promotionViews", NULL},
    {"publisherAdClicks", NULL},
    {"publisherAdImpressions", NULL},
    {"purchaseRevenue", NULL},
    {"purchaseToViewRate", NULL},
    {"purchaserRate", NULL},
    {"refundAmount", NULL},
    {"returnOnAdSpend", NULL},
    {"screenPageViews", "Views"},
    {"screenPageViewsPerSession", "Views per session"},
    {"screenPageViewsPerUser", "Views per active user"},
    {"scrolledUsers", NULL},
    {"sessionKeyEventRate", NULL},
    {"sessions", NULL},
    {"sessionsPerUser", "Sessions per active user"},
    {"shippingAmount", NULL},
    {"taxAmount", NULL},
    {"totalAdRevenue", NULL},
    {"totalPurchasers", NULL},
    {"totalRevenue", NULL},
    {"totalUsers", NULL},
    {"transactions", NULL},
    {"transactionsPerPurchaser", NULL},
    {"userEngagementDuration", "User engagement"},
    {"userKeyEventRate", NULL},
    {"wauPerMau", "WAU / MAU"},
};

const struct ga4_field *ga4_fields(enum ga4_kind kind, size_t *n)
{
  *n = kind == GA4_DIMENSION ? ARRAY_LEN(dimensions) : ARRAY_LEN(metrics);
  return kind == GA4_DIMENSION ? dimensions : metrics;
}

/* Whether text_fold() of the name, which is ASCII, gives the text. */
static bool equal_folded(const char *folded, const char *name)
{
  for (; *name != '\0'; name++) {
    unsigned char c = (unsigned char)*name;
    if (isalnum(c) && tolower(c) != (unsigned char)*folded++)
      return false;
  }
  return *folded == '\0';
}

/* Names before labels: the label of one field may look like the name of another. */
static const char *find_in(enum ga4_kind kind, const char *folded)
{
  size_t n;
  const struct ga4_field *fields = ga4_fields(kind, &n);
  for (size_t i = 0; i < n; i++) {
    if (equal_folded(folded, fields[i].name))
      return fields[i].name;
  }
  for (size_t i = 0; i < n; i++) {
    if (fields[i].label != NULL && equal_folded(folded, fields[i].label))
      return fields[i].name;
  }
  return NULL;
}

/* Metrics that are not GA4's, by their names and further names. */
static const char *find_own(const char *folded)
{
  size_t n;
  const char *name;
  const struct own_metric *all = own_metrics(&n), *metric;
  for (size_t i = 0; i < n; i++)
    if (equal_folded(folded, all[i].name))
      return all[i].name;
  for (size_t i = 0; own_metric_alias(i, &name, &metric); i++)
    if (equal_folded(folded, name))
      return metric->name;
  return NULL;
}

static int compare_name(const void *text, const void *field)
{
  return strcmp(text, ((const struct ga4_field *)field)->name);
}

/* Most callers write a name as it is. */
static const char *find_exact(enum ga4_kind kind, const char *text)
{
  size_t n;
  const struct ga4_field *fields = ga4_fields(kind, &n);
  const struct ga4_field *found = bsearch(text, fields, n, sizeof(*fields), compare_name);
  return found != NULL ? found->name : NULL;
}

const char *ga4_find(enum ga4_kind kind, const char *text)
{
  char folded[FOLD_SIZE];
  if (kind == GA4_DIMENSION || kind == GA4_METRIC) {
    const char *exact = find_exact(kind, text);
    if (exact != NULL)
      return exact;
  }
  text_fold(folded, text);
  const char *found = (kind & GA4_DIMENSION) != 0 ? find_in(GA4_DIMENSION, folded) : NULL;
  if (found == NULL && (kind & GA4_METRIC) != 0)
    found = find_in(GA4_METRIC, folded);
  return found == NULL && (kind & GA4_METRIC) != 0 ? find_own(folded) : found;
}
