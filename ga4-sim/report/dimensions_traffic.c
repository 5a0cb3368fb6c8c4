/* The dimensions of traffic sources: of an event, of its session, of the user's first visit, each
 * with the same families of advertising products. */
#include "common/base/mem.h"
#include "ga4-sim/report/fields.h"

/* Families: what follows the product's name, and its words. */
#define CM360(F)                                                                                   \
  F("AccountId", "account ID"), F("AccountName", "account name"),                                  \
      F("AdvertiserId", "advertiser ID"), F("AdvertiserName", "advertiser name"),                  \
      F("CampaignId", "campaign ID"), F("CampaignName", "campaign name"),                          \
      F("CreativeFormat", "creative format"), F("CreativeId", "creative ID"),                      \
      F("CreativeName", "creative name"), F("CreativeType", "creative type"),                      \
      F("CreativeTypeId", "creative type ID"), F("CreativeVersion", "creative version"),           \
      F("Medium", "medium"), F("PlacementCostStructure", "placement cost structure"),              \
      F("PlacementId", "placement ID"), F("PlacementName", "placement name"),                      \
      F("RenderingId", "rendering ID"), F("SiteId", "site ID"), F("SiteName", "site name"),        \
      F("Source", "source"), F("SourceMedium", "source / medium")
#define DV360(F)                                                                                   \
  F("AdvertiserId", "advertiser ID"), F("AdvertiserName", "advertiser name"),                      \
      F("CampaignId", "campaign ID"), F("CampaignName", "campaign name"),                          \
      F("CreativeFormat", "creative format"), F("CreativeId", "creative ID"),                      \
      F("CreativeName", "creative name"), F("ExchangeId", "exchange ID"),                          \
      F("ExchangeName", "exchange name"), F("InsertionOrderId", "insertion order ID"),             \
      F("InsertionOrderName", "insertion order name"), F("LineItemId", "line item ID"),            \
      F("LineItemName", "line item name"), F("Medium", "medium"), F("PartnerId", "partner ID"),    \
      F("PartnerName", "partner name"), F("Source", "source"),                                     \
      F("SourceMedium", "source / medium")
#define GOOGLE_ADS(F)                                                                              \
  F("AccountName", "account name"), F("AdGroupId", "ad group ID"),                                 \
      F("AdGroupName", "ad group name"), F("AdNetworkType", "ad network type"),                    \
      F("CampaignId", "campaign ID"), F("CampaignName", "campaign"),                               \
      F("CampaignType", "campaign type"), F("CreativeId", "creative ID"),                          \
      F("CustomerId", "customer ID"), F("Keyword", "keyword text"), F("Query", "query")
#define MANUAL(F)                                                                                  \
  F("AdContent", "ad content"), F("CampaignId", "campaign ID"),                                    \
      F("CampaignName", "campaign name"), F("CreativeFormat", "creative format"),                  \
      F("MarketingTactic", "marketing tactic"), F("Medium", "medium"), F("Source", "source"),      \
      F("SourceMedium", "source / medium"), F("SourcePlatform", "source platform"),                \
      F("Term", "term")
#define SA360(F)                                                                                   \
  F("AdGroupId", "ad group ID"), F("AdGroupName", "ad group name"),                                \
      F("CampaignId", "campaign ID"), F("CampaignName", "campaign"),                               \
      F("CreativeFormat", "creative format"), F("EngineAccountId", "engine account ID"),           \
      F("EngineAccountName", "engine account name"),                                               \
      F("EngineAccountType", "engine account type"), F("KeywordText", "keyword text"),             \
      F("ManagerAccountId", "manager account ID"),                                                 \
      F("ManagerAccountName", "manager account name"), F("Medium", "medium"), F("Query", "query"), \
      F("Source", "source"), F("SourceMedium", "source / medium")

#define ROW(api, ui, scope, sql, description, former)                                              \
  {                                                                                                \
    api, ui, scope, METRIC_TYPE_UNSPECIFIED, "Traffic Source", GROUP_COMMON, sql, 0, description,  \
        former                                                                                     \
  }
/* A product's dimension at each scope; the world has no linked advertising accounts. */
#define OF_EVENT(api, ui) ROW(api, ui, SCOPE_EVENT, NULL, "The " ui " that led to the event.", NULL)
#define OF_SESSION(api, ui)                                                                        \
  ROW("session" api, "Session " ui, SCOPE_SESSION, NULL, "The " ui " that led to the session.",    \
      NULL)
#define OF_USER(api, ui)                                                                           \
  ROW("firstUser" api, "First user " ui, SCOPE_USER, NULL,                                         \
      "The " ui " by which the user was first acquired.", NULL)

#define CM_EVENT(api, ui) OF_EVENT("cm360" api, "CM360 " ui)
#define CM_SESSION(api, ui) OF_SESSION("Cm360" api, "CM360 " ui)
#define CM_USER(api, ui) OF_USER("Cm360" api, "CM360 " ui)
#define DV_EVENT(api, ui) OF_EVENT("dv360" api, "DV360 " ui)
#define DV_SESSION(api, ui) OF_SESSION("Dv360" api, "DV360 " ui)
#define DV_USER(api, ui) OF_USER("Dv360" api, "DV360 " ui)
#define ADS_EVENT(api, ui) OF_EVENT("googleAds" api, "Google Ads " ui)
#define ADS_SESSION(api, ui) OF_SESSION("GoogleAds" api, "Google Ads " ui)
#define ADS_USER(api, ui) OF_USER("GoogleAds" api, "Google Ads " ui)
#define MANUAL_EVENT(api, ui) OF_EVENT("manual" api, "Manual " ui)
#define MANUAL_SESSION(api, ui) OF_SESSION("Manual" api, "manual " ui)
#define MANUAL_USER(api, ui) OF_USER("Manual" api, "manual " ui)
#define SA_EVENT(api, ui) OF_EVENT("sa360" api, "SA360 " ui)
#define SA_SESSION(api, ui) OF_SESSION("Sa360" api, "SA360 " ui)
#define SA_USER(api, ui) OF_USER("Sa360" api, "SA360 " ui)

/* Events of this world have the source of their session. */
static const struct field rows[] = {
    ROW("campaignId", "Campaign ID", SCOPE_EVENT, NULL, "The identifier of the marketing campaign.",
        NULL),
    ROW("campaignName", "Campaign", SCOPE_EVENT, "s.campaign",
        "The name of the marketing campaign that led to the event.", NULL),
    CM360(CM_EVENT),
    ROW("defaultChannelGroup", "Default channel group", SCOPE_EVENT, "s.channel",
        "The default channel group, based primarily on source and medium.", NULL),
    DV360(DV_EVENT),
    ROW("firstUserCampaignId", "First user campaign ID", SCOPE_USER, NULL,
        "The campaign by which the user was first acquired.", NULL),
    ROW("firstUserCampaignName", "First user campaign", SCOPE_USER, NULL,
        "The name of the campaign by which the user was first acquired.", NULL),
    CM360(CM_USER),
    ROW("firstUserDefaultChannelGroup", "First user default channel group", SCOPE_USER, NULL,
        "The default channel group by which the user was first acquired.",
        "firstUserDefaultChannelGrouping"),
    DV360(DV_USER),
    GOOGLE_ADS(ADS_USER),
    MANUAL(MANUAL_USER),
    ROW("firstUserMedium", "First user medium", SCOPE_USER, NULL,
        "The medium by which the user was first acquired.", NULL),
    ROW("firstUserPrimaryChannelGroup", "First user primary channel group", SCOPE_USER, NULL,
        "The primary channel group by which the user was first acquired.", NULL),
    SA360(SA_USER),
    ROW("firstUserSource", "First user source", SCOPE_USER, NULL,
        "The source by which the user was first acquired.", NULL),
    ROW("firstUserSourceMedium", "First user source / medium", SCOPE_USER, NULL,
        "The combined values of firstUserSource and firstUserMedium.", NULL),
    ROW("firstUserSourcePlatform", "First user source platform", SCOPE_USER, NULL,
        "The source platform by which the user was first acquired.", NULL),
    GOOGLE_ADS(ADS_EVENT),
    MANUAL(MANUAL_EVENT),
    ROW("medium", "Medium", SCOPE_EVENT, "s.medium", "The medium that led to the event.", NULL),
    ROW("primaryChannelGroup", "Primary channel group", SCOPE_EVENT, "s.channel",
        "The primary channel group that led to the event.", NULL),
    SA360(SA_EVENT),
    ROW("sessionCampaignId", "Session campaign ID", SCOPE_SESSION, NULL,
        "The marketing campaign ID of a session.", NULL),
    ROW("sessionCampaignName", "Session campaign", SCOPE_SESSION, "s.campaign",
        "The marketing campaign name for a session.", NULL),
    CM360(CM_SESSION),
    ROW("sessionDefaultChannelGroup", "Session default channel group", SCOPE_SESSION, "s.channel",
        "The session's default channel group, based primarily on source and medium.",
        "sessionDefaultChannelGrouping"),
    DV360(DV_SESSION),
    GOOGLE_ADS(ADS_SESSION),
    MANUAL(MANUAL_SESSION),
    ROW("sessionMedium", "Session medium", SCOPE_SESSION, "s.medium",
        "The medium that initiated a session on your website or app.", NULL),
    ROW("sessionPrimaryChannelGroup", "Session primary channel group", SCOPE_SESSION, "s.channel",
        "The primary channel group that led to the session.", NULL),
    SA360(SA_SESSION),
    ROW("sessionSource", "Session source", SCOPE_SESSION, "s.source",
        "The source that initiated a session on your website or app.", NULL),
    ROW("sessionSourceMedium", "Session source / medium", SCOPE_SESSION,
        "s.source||' / '||s.medium",
        "The combined values of the dimensions sessionSource and sessionMedium.", NULL),
    ROW("sessionSourcePlatform", "Session source platform", SCOPE_SESSION, NULL,
        "The source platform of the session's campaign.", NULL),
    ROW("source", "Source", SCOPE_EVENT, "s.source", "The source that led to the event.", NULL),
    ROW("sourceMedium", "Source / medium", SCOPE_EVENT, "s.source||' / '||s.medium",
        "The combined values of the dimensions source and medium.", NULL),
    ROW("sourcePlatform", "Source platform", SCOPE_EVENT, NULL,
        "The source platform of the event's campaign.", NULL),
};
const struct field_list traffic_fields = {rows, ARRAY_LEN(rows)};
