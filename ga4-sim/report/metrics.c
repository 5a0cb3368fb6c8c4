/* The metrics of the public schema. SQL is over the primitives of one group (query.c). */
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/fields.h"

#define RATIO(a, b) "COALESCE(CAST(" a " AS REAL)/NULLIF(" b ",0),0.0)"

#define INTEGER METRIC_TYPE_INTEGER
#define FLOAT METRIC_TYPE_FLOAT
#define SECONDS METRIC_TYPE_SECONDS
#define MILLISECONDS METRIC_TYPE_MILLISECONDS
#define CURRENCY METRIC_TYPE_CURRENCY

/* One row each: name, display name, scope, type, category, group, SQL. */
#define METRIC(api, ui, scope, type, category, group, sql, description)                            \
  {                                                                                                \
    api, ui, SCOPE_##scope, type, category, GROUP_##group, sql, 0, description, NULL               \
  }
#define RENAMED(api, ui, scope, type, category, group, sql, description, former)                   \
  {                                                                                                \
    api, ui, SCOPE_##scope, type, category, GROUP_##group, sql, 0, description, former             \
  }

static const struct field rows[] = {
    METRIC("active1DayUsers", "1-day active users", USER, INTEGER, "User", EVENT, NULL,
           "Distinct active users within a 1-day period that ends with the date range."),
    METRIC("active28DayUsers", "28-day active users", USER, INTEGER, "User", EVENT, NULL,
           "Distinct active users within a 28-day period that ends with the date range."),
    METRIC("active7DayUsers", "7-day active users", USER, INTEGER, "User", EVENT, NULL,
           "Distinct active users within a 7-day period that ends with the date range."),
    METRIC("activeUsers", "Active users", USER, INTEGER, "User", EVENT, "n_active",
           "The number of distinct users who visited your site or app."),
    METRIC("adUnitExposure", "Ad unit exposure", EVENT, MILLISECONDS, "Publisher", EVENT, NULL,
           "The time, in milliseconds, that an ad unit was shown to a user."),
    METRIC("addToCarts", "Add to carts", EVENT, INTEGER, "Ecommerce", EVENT, NULL,
           "How often users added items to their carts."),
    METRIC("advertiserAdClicks", "Ads clicks", EVENT, INTEGER, "Advertising", ADS, NULL,
           "How often users clicked an ad to reach the property."),
    METRIC("advertiserAdCost", "Ads cost", EVENT, CURRENCY, "Advertising", ADS, NULL,
           "The amount paid for ads."),
    METRIC("advertiserAdCostPerClick", "Ads cost per click", EVENT, CURRENCY, "Advertising", ADS,
           NULL, "Ads cost divided by ads clicks."),
    RENAMED("advertiserAdCostPerKeyEvent", "Cost per key event", EVENT, CURRENCY, "Advertising",
            ADS, NULL, "Ads cost divided by key events.", "advertiserAdCostPerConversion"),
    METRIC("advertiserAdImpressions", "Ads impressions", EVENT, INTEGER, "Advertising", ADS, NULL,
           "The number of times ads were shown."),
    METRIC("averagePurchaseRevenue", "Average purchase revenue", EVENT, CURRENCY, "Ecommerce",
           EVENT, NULL, "The average revenue of a purchase in a transaction group of events."),
    METRIC(
        "averagePurchaseRevenuePerPayingUser", "ARPPU", USER, CURRENCY, "Ecommerce", EVENT, NULL,
        "Average revenue per paying user: purchase revenue per active user who logged a purchase."),
    METRIC("averagePurchaseRevenuePerUser", "Average purchase revenue per user", USER, CURRENCY,
           "Ecommerce", EVENT, NULL, "Purchase revenue per active user."),
    METRIC("averageRevenuePerUser", "ARPU", USER, CURRENCY, "Revenue", EVENT, NULL,
           "Average revenue per active user."),
    METRIC("averageSessionDuration", "Average session duration", SESSION, SECONDS, "Session", EVENT,
           RATIO("sum_duration", "n_sessions"),
           "The average duration (in seconds) of users' sessions."),
    METRIC(
        "bounceRate", "Bounce rate", SESSION, FLOAT, "Session", EVENT,
        RATIO("(n_sessions-n_engaged)", "n_sessions"),
        "The share of sessions that were not engaged ((Sessions Minus Engaged sessions) divided by "
        "Sessions)."),
    METRIC("cartToViewRate", "Cart-to-view rate", ITEM, FLOAT, "Ecommerce", ITEM, NULL,
           "Users who added a product to their cart divided by those who viewed it."),
    METRIC("checkouts", "Checkouts", EVENT, INTEGER, "Ecommerce", EVENT, NULL,
           "How often users started the checkout process."),
    METRIC("cohortActiveUsers", "Cohort active users", USER, INTEGER, "Cohort", COHORT, "n_active",
           "Users of the cohort who are active in the window of the nth day, week or month."),
    METRIC("cohortTotalUsers", "Cohort total users", USER, INTEGER, "Cohort", COHORT, "n_cohort",
           "All users of the cohort, the same number in each row of it."),
    METRIC("crashAffectedUsers", "Crash-affected users", USER, INTEGER, "User", EVENT, NULL,
           "Users who logged a crash in this row of the report."),
    METRIC("crashFreeUsersRate", "Crash-free users rate", USER, FLOAT, "User", EVENT, NULL,
           "The share of users without a crash."),
    METRIC("dauPerMau", "DAU / MAU", USER, FLOAT, "User", EVENT, NULL,
           "The rolling share of 28-day active users who are also 1-day active users."),
    METRIC("dauPerWau", "DAU / WAU", USER, FLOAT, "User", EVENT, NULL,
           "The rolling share of 7-day active users who are also 1-day active users."),
    METRIC("ecommercePurchases", "Ecommerce purchases", EVENT, INTEGER, "Ecommerce", EVENT, NULL,
           "How often users completed a purchase."),
    METRIC("engagedSessions", "Engaged sessions", SESSION, INTEGER, "Session", EVENT, "n_engaged",
           "The number of sessions that lasted longer than 10 seconds, or had a key event, or had "
           "2 or "
           "more screen views."),
    METRIC("engagementRate", "Engagement rate", SESSION, FLOAT, "Session", EVENT,
           RATIO("n_engaged", "n_sessions"),
           "The share of engaged sessions (Engaged sessions divided by Sessions)."),
    METRIC("eventCount", "Event count", EVENT, INTEGER, "Event", EVENT, "n_events",
           "The count of events."),
    METRIC("eventCountPerUser", "Event count per user", EVENT, FLOAT, "Event", EVENT,
           RATIO("n_events", "n_active"),
           "The average number of events per user (Event count divided by Active users)."),
    METRIC("eventValue", "Event value", EVENT, FLOAT, "Event", EVENT, NULL,
           "The sum of the event parameter named value."),
    METRIC("eventsPerSession", "Events per session", SESSION, FLOAT, "Event", EVENT,
           RATIO("n_events", "n_sessions"),
           "The average number of events per session (Event count divided by Sessions)."),
    METRIC("firstTimePurchaserRate", "First-time purchaser rate", USER, FLOAT, "Ecommerce", EVENT,
           NULL, "The share of active users who made their first purchase."),
    METRIC("firstTimePurchasers", "First time purchasers", USER, INTEGER, "Ecommerce", EVENT, NULL,
           "Users who completed their first purchase event."),
    METRIC("firstTimePurchasersPerNewUser", "First-time purchasers per new user", USER, FLOAT,
           "Ecommerce", EVENT, NULL, "First-time purchasers per new user."),
    METRIC("grossItemRevenue", "Gross item revenue", ITEM, CURRENCY, "Ecommerce", ITEM, NULL,
           "Revenue from items only, before refunds."),
    METRIC("grossPurchaseRevenue", "Gross purchase revenue", EVENT, CURRENCY, "Ecommerce", EVENT,
           NULL, "Revenue from purchases, before refunds."),
    METRIC("itemDiscountAmount", "Item discount amount", ITEM, CURRENCY, "Ecommerce", ITEM, NULL,
           "The monetary value of item discounts in ecommerce events."),
    METRIC("itemListClickEvents", "Item-list click events", EVENT, INTEGER, "Ecommerce", ITEM, NULL,
           "How often users clicked an item that appeared in a list."),
    METRIC("itemListClickThroughRate", "Item list click through rate", ITEM, FLOAT, "Ecommerce",
           ITEM, NULL, "Users who selected a list divided by those who viewed it."),
    METRIC("itemListViewEvents", "Item-list view events", EVENT, INTEGER, "Ecommerce", ITEM, NULL,
           "How often an item list was viewed."),
    METRIC("itemPromotionClickThroughRate", "Item promotion click through rate", ITEM, FLOAT,
           "Ecommerce", ITEM, NULL,
           "Users who selected a promotion divided by those who viewed it."),
    METRIC("itemRefundAmount", "Item refund amount", ITEM, CURRENCY, "Ecommerce", ITEM, NULL,
           "Refunded revenue from items only."),
    METRIC("itemRevenue", "Item revenue", ITEM, CURRENCY, "Ecommerce", ITEM, NULL,
           "Revenue from items only, less refunds."),
    METRIC("itemViewEvents", "Item view events", EVENT, INTEGER, "Ecommerce", ITEM, NULL,
           "How often item details were viewed."),
    METRIC("itemsAddedToCart", "Items added to cart", ITEM, INTEGER, "Ecommerce", ITEM, NULL,
           "Units added to a cart, for a single item."),
    METRIC("itemsCheckedOut", "Items checked out", ITEM, INTEGER, "Ecommerce", ITEM, NULL,
           "Units checked out, for a single item."),
    METRIC("itemsClickedInList", "Items clicked in list", ITEM, INTEGER, "Ecommerce", ITEM, NULL,
           "Units clicked in a list, for a single item."),
    METRIC("itemsClickedInPromotion", "Items clicked in promotion", ITEM, INTEGER, "Ecommerce",
           ITEM, NULL, "Units clicked in a promotion, for a single item."),
    METRIC("itemsPurchased", "Items purchased", ITEM, INTEGER, "Ecommerce", ITEM, NULL,
           "Units in purchase events, for a single item."),
    METRIC("itemsViewed", "Items viewed", ITEM, INTEGER, "Ecommerce", ITEM, NULL,
           "Units viewed, for a single item."),
    METRIC("itemsViewedInList", "Items viewed in list", ITEM, INTEGER, "Ecommerce", ITEM, NULL,
           "Units viewed in a list, for a single item."),
    METRIC("itemsViewedInPromotion", "Items viewed in promotion", ITEM, INTEGER, "Ecommerce", ITEM,
           NULL, "Units viewed in a promotion, for a single item."),
    RENAMED("keyEvents", "Key events", EVENT, FLOAT, "Event", EVENT, "CAST(n_key AS REAL)",
            "The count of key events.", "conversions"),
    METRIC("newUsers", "New users", USER, INTEGER, "User", EVENT, "n_new",
           "The number of users who interacted with your site or launched your app for the first "
           "time."),
    METRIC("organicGoogleSearchAveragePosition", "Organic Google Search average position", EVENT,
           FLOAT, "Search Console", SEARCH, NULL,
           "The average ranking of your pages in Google Search."),
    METRIC("organicGoogleSearchClickThroughRate", "Organic Google Search click through rate", EVENT,
           FLOAT, "Search Console", SEARCH, NULL, "Organic clicks divided by organic impressions."),
    METRIC("organicGoogleSearchClicks", "Organic Google Search clicks", EVENT, INTEGER,
           "Search Console", SEARCH, NULL, "Clicks reported from Search Console."),
    METRIC("organicGoogleSearchImpressions", "Organic Google Search impressions", EVENT, INTEGER,
           "Search Console", SEARCH, NULL, "Impressions reported from Search Console."),
    METRIC("promotionClicks", "Promotion clicks", EVENT, INTEGER, "Ecommerce", EVENT, NULL,
           "How often an item promotion was clicked."),
    METRIC("promotionViews", "Promotion views", EVENT, INTEGER, "Ecommerce", EVENT, NULL,
           "How often an item promotion was viewed."),
    METRIC("publisherAdClicks", "Publisher ad clicks", EVENT, INTEGER, "Publisher", EVENT, NULL,
           "Clicks on ads that the site or app shows."),
    METRIC("publisherAdImpressions", "Publisher ad impressions", EVENT, INTEGER, "Publisher", EVENT,
           NULL, "Impressions of ads that the site or app shows."),
    METRIC("purchaseRevenue", "Purchase revenue", EVENT, CURRENCY, "Ecommerce", EVENT, NULL,
           "Revenue from purchases less refunds."),
    METRIC("purchaseToViewRate", "Purchase-to-view rate", ITEM, FLOAT, "Ecommerce", ITEM, NULL,
           "Users who purchased a product divided by those who viewed it."),
    METRIC("purchaserRate", "Purchaser rate", USER, FLOAT, "Ecommerce", EVENT, NULL,
           "The share of active users who made a purchase."),
    METRIC("refundAmount", "Refund amount", EVENT, CURRENCY, "Ecommerce", EVENT, NULL,
           "The refunded transaction revenue."),
    METRIC("returnOnAdSpend", "Return on ad spend", EVENT, FLOAT, "Advertising", ADS, NULL,
           "Revenue divided by the cost of ads."),
    METRIC("screenPageViews", "Views", EVENT, INTEGER, "Page / Screen", EVENT, "n_views",
           "The number of app screens or web pages your users viewed."),
    METRIC("screenPageViewsPerSession", "Views per session", SESSION, FLOAT, "Page / Screen", EVENT,
           RATIO("n_views", "n_sessions"), "App screens or web pages viewed per session."),
    METRIC("screenPageViewsPerUser", "Views per active user", USER, FLOAT, "Page / Screen", EVENT,
           RATIO("n_views", "n_active"), "App screens or web pages viewed per active user."),
    METRIC("scrolledUsers", "Scrolled users", USER, INTEGER, "Page / Screen", EVENT, NULL,
           "Users who scrolled at least 90% of a page."),
    RENAMED("sessionKeyEventRate", "Session key event rate", SESSION, FLOAT, "Session", EVENT,
            RATIO("n_key_sessions", "n_sessions"),
            "The share of sessions in which any key event was triggered.", "sessionConversionRate"),
    METRIC("sessions", "Sessions", SESSION, INTEGER, "Session", EVENT, "n_sessions",
           "The number of sessions that began on your site or app."),
    METRIC("sessionsPerUser", "Sessions per active user", SESSION, FLOAT, "Session", EVENT,
           RATIO("n_sessions", "n_active"),
           "The average number of sessions per user (Session count divided by Active Users)."),
    METRIC("shippingAmount", "Shipping amount", EVENT, CURRENCY, "Ecommerce", EVENT, NULL,
           "Shipping costs of transactions."),
    METRIC("taxAmount", "Tax amount", EVENT, CURRENCY, "Ecommerce", EVENT, NULL,
           "Taxes of transactions."),
    METRIC("totalAdRevenue", "Total ad revenue", EVENT, CURRENCY, "Revenue", EVENT, NULL,
           "Revenue from AdMob and third-party ad networks."),
    METRIC("totalPurchasers", "Total purchasers", USER, INTEGER, "Ecommerce", EVENT, NULL,
           "Users who logged purchase events."),
    METRIC("totalRevenue", "Total revenue", EVENT, CURRENCY, "Revenue", EVENT, NULL,
           "Revenue from purchases, subscriptions and advertising, less refunds."),
    METRIC("totalUsers", "Total users", USER, INTEGER, "User", EVENT, "n_users",
           "The number of distinct users who have logged at least one event."),
    METRIC("transactions", "Transactions", EVENT, INTEGER, "Ecommerce", EVENT, NULL,
           "The count of transaction events with purchase revenue."),
    METRIC("transactionsPerPurchaser", "Transactions per purchaser", USER, FLOAT, "Ecommerce",
           EVENT, NULL, "The average number of transactions per purchaser."),
    METRIC(
        "userEngagementDuration", "User engagement", EVENT, SECONDS, "User", EVENT,
        "CAST(sum_engagement AS REAL)",
        "The total time (in seconds) your website or app was in the foreground of users' devices."),
    RENAMED("userKeyEventRate", "User key event rate", USER, FLOAT, "User", EVENT,
            RATIO("n_key_users", "n_active"), "The share of users who triggered any key event.",
            "userConversionRate"),
    METRIC("wauPerMau", "WAU / MAU", USER, FLOAT, "User", EVENT, NULL,
           "The rolling share of 28-day active users who are also 7-day active users."),
};
const struct field_list metric_fields = {rows, ARRAY_LEN(rows)};

const struct custom_metric_form custom_metric_forms[] = {
    {"customEvent:", "", "An event scoped custom metric for your Analytics property.", SECONDS},
    {"averageCustomEvent:", "Average ", "The average of an event scoped custom metric.", SECONDS},
    {"countCustomEvent:", "Count of ", "How many events carry an event scoped custom metric.",
     INTEGER},
};
const size_t custom_metric_form_count = ARRAY_LEN(custom_metric_forms);

const struct custom_metric_form *custom_metric_find(const struct world_property *p,
                                                    const char *name)
{
  for (size_t i = 0; i < custom_metric_form_count; i++) {
    size_t n = strlen(custom_metric_forms[i].prefix);
    if (strncmp(name, custom_metric_forms[i].prefix, n) == 0 && world_has_metric(p, name + n))
      return &custom_metric_forms[i];
  }
  return NULL;
}
