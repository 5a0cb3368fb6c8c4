/* The tools that show what a property is set up with, over a fake Google. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

static char d07[] = "d07";

#define REQUEST(type, INIT)                                                                        \
  Analytics__Report__V1__##type request = ANALYTICS__REPORT__V1__##INIT##__INIT;                   \
  request.dealer_id = d07

static void links_to_google_ads_are_listed(void)
{
  struct fakes f;
  struct err e;
  REQUEST(ListGoogleAdsLinksRequest, LIST_GOOGLE_ADS_LINKS_REQUEST);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = "{\"googleAdsLinks\":[{\"name\":\"properties/107/googleAdsLinks/1\","
                             "\"customerId\":\"1234567890\",\"canManageClients\":true,"
                             "\"adsPersonalizationEnabled\":true,\"creatorEmailAddress\":"
                             "\"a@example.com\",\"newField\":{}}]}");
  Analytics__Report__V1__ListGoogleAdsLinksResponse *r =
      tool_run(&f, "ListGoogleAdsLinks", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 1 link to Google Ads");
  CU_ASSERT_STRING_EQUAL(r->dealer_name, "Dealer 7");
  CU_ASSERT_STRING_EQUAL(r->property, "properties/107");
  CU_ASSERT_EQUAL_FATAL(r->n_google_ads_links, 1);
  CU_ASSERT_STRING_EQUAL(r->google_ads_links[0]->customer_id, "1234567890");
  CU_ASSERT_TRUE(r->google_ads_links[0]->can_manage_clients);
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107/googleAdsLinks", ""));
  tool_free(r);
  LOCKED(&f, f.google.body = "{}"); /* a property without links */
  r = tool_run(&f, "ListGoogleAdsLinks", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has no links to Google Ads");
  tool_free(r);
  fakes_stop(&f);
}

static void key_events_are_listed_and_a_counting_method_from_tomorrow_is_unset(void)
{
  struct fakes f;
  struct err e;
  REQUEST(ListKeyEventsRequest, LIST_KEY_EVENTS_REQUEST);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body =
                 "{\"keyEvents\":[{\"name\":\"properties/107/keyEvents/1\",\"eventName\":"
                 "\"asc_form_submission\",\"countingMethod\":\"ONCE_PER_EVENT\",\"custom\":true,"
                 "\"defaultValue\":{\"numericValue\":12.5,\"currencyCode\":\"USD\"}},"
                 "{\"eventName\":\"purchase\",\"countingMethod\":\"ONCE_A_WEEK\"}]}");
  Analytics__Report__V1__ListKeyEventsResponse *r =
      tool_run(&f, "ListKeyEvents", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL_FATAL(r->n_key_events, 2);
  CU_ASSERT_STRING_EQUAL(r->key_events[0]->event_name, "asc_form_submission");
  CU_ASSERT_EQUAL(r->key_events[0]->counting_method,
                  ANALYTICS__GA4__V1BETA__KEY_EVENT__COUNTING_METHOD__ONCE_PER_EVENT);
  CU_ASSERT_EQUAL(r->key_events[0]->default_value->numeric_value, 12.5);
  CU_ASSERT_EQUAL(r->key_events[1]->counting_method, 0);
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107/keyEvents", ""));
  tool_free(r);
  LOCKED(&f, f.google.body = "{\"error\":{\"code\":500,\"message\":\"x\"}}"); /* with status 200 */
  CU_ASSERT_PTR_NULL(tool_run(&f, "ListKeyEvents", &request.base, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
  fakes_stop(&f);
}

static void data_streams_are_listed(void)
{
  struct fakes f;
  struct err e;
  REQUEST(ListDataStreamsRequest, LIST_DATA_STREAMS_REQUEST);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body =
                 "{\"dataStreams\":[{\"name\":\"properties/107/dataStreams/1\",\"type\":"
                 "\"WEB_DATA_STREAM\",\"displayName\":\"Site\",\"webStreamData\":{"
                 "\"measurementId\":\"G-1\",\"defaultUri\":\"https://d07.example\"}},"
                 "{\"name\":\"properties/107/dataStreams/2\",\"type\":\"IOS_APP_DATA_STREAM\","
                 "\"iosAppStreamData\":{\"bundleId\":\"b\"}}]}");
  Analytics__Report__V1__ListDataStreamsResponse *r =
      tool_run(&f, "ListDataStreams", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 2 data streams");
  CU_ASSERT_STRING_EQUAL(r->data_streams[0]->web_stream_data->measurement_id, "G-1");
  CU_ASSERT_STRING_EQUAL(r->data_streams[1]->ios_app_stream_data->bundle_id, "b");
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107/dataStreams", ""));
  tool_free(r);
  fakes_stop(&f);
}

static void annotations_of_a_day_and_of_several_have_first_and_last_day(void)
{
  struct fakes f;
  struct err e;
  REQUEST(ListPropertyAnnotationsRequest, LIST_PROPERTY_ANNOTATIONS_REQUEST);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body =
                 "{\"reportingDataAnnotations\":[{\"title\":\"Sale\",\"color\":\"BLUE\","
                 "\"annotationDateRange\":{\"startDate\":{\"year\":2026,\"month\":10,\"day\":1},"
                 "\"endDate\":{\"year\":2026,\"month\":10,\"day\":9}}},{\"title\":\"Outage\","
                 "\"systemGenerated\":true,\"annotationDate\":{\"year\":2026,\"month\":11,"
                 "\"day\":20}}]}");
  Analytics__Report__V1__ListPropertyAnnotationsResponse *r =
      tool_run(&f, "ListPropertyAnnotations", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL_FATAL(r->n_annotations, 2);
  CU_ASSERT_STRING_EQUAL(r->annotations[0]->start_date, "2026-10-01");
  CU_ASSERT_STRING_EQUAL(r->annotations[0]->end_date, "2026-10-09");
  CU_ASSERT_STRING_EQUAL(r->annotations[0]->color, "BLUE");
  CU_ASSERT_STRING_EQUAL(r->annotations[1]->start_date, "2026-11-20");
  CU_ASSERT_STRING_EQUAL(r->annotations[1]->end_date, "2026-11-20");
  CU_ASSERT_TRUE(r->annotations[1]->system_generated);
  CU_ASSERT(tool_asked(&f, "/v1alpha/properties/107/reportingDataAnnotations", ""));
  tool_free(r);
  fakes_stop(&f);
}

static void quotas_are_rows_by_category(void)
{
  struct fakes f;
  struct err e;
  REQUEST(GetPropertyQuotasRequest, GET_PROPERTY_QUOTAS_REQUEST);
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body =
                 "{\"name\":\"properties/107/propertyQuotasSnapshot\",\"corePropertyQuota\":{"
                 "\"tokensPerDay\":{\"consumed\":5,\"remaining\":199995},\"tokensPerHour\":{"
                 "\"consumed\":5,\"remaining\":39995}},\"realtimePropertyQuota\":{"
                 "\"tokensPerDay\":{\"remaining\":200000}}}");
  Analytics__Report__V1__GetPropertyQuotasResponse *r =
      tool_run(&f, "GetPropertyQuotas", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 199995 tokens for reports left today and "
                                      "39995 this hour");
  CU_ASSERT_EQUAL_FATAL(r->n_quotas, 3);
  CU_ASSERT_STRING_EQUAL(r->quotas[1]->quota, "tokens_per_hour");
  CU_ASSERT_EQUAL(r->quotas[1]->remaining, 39995);
  CU_ASSERT_STRING_EQUAL(r->quotas[2]->category, "realtime");
  CU_ASSERT(tool_asked(&f, "/v1alpha/properties/107/propertyQuotasSnapshot?prettyPrint=false", ""));
  tool_free(r);
  LOCKED(&f, f.google.body = "{}");
  CU_ASSERT_PTR_NULL(tool_run(&f, "GetPropertyQuotas", &request.base, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
  fakes_stop(&f);
}

static void fields_that_cannot_be_added_are_listed(void)
{
  struct fakes f;
  struct err e;
  char city[] = "city", sessions[] = "sessions", *dimensions[] = {city}, *metrics[] = {sessions};
  REQUEST(CheckCompatibilityRequest, CHECK_COMPATIBILITY_REQUEST);
  request.n_dimensions = request.n_metrics = 1;
  request.dimensions = dimensions;
  request.metrics = metrics;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body =
                 "{\"dimensionCompatibilities\":[{\"dimensionMetadata\":{\"apiName\":"
                 "\"itemName\",\"uiName\":\"Item name\",\"category\":\"Ecommerce\"},"
                 "\"compatibility\":\"INCOMPATIBLE\"}],\"metricCompatibilities\":[{"
                 "\"metricMetadata\":{\"apiName\":\"itemRevenue\",\"type\":\"TYPE_CURRENCY\"},"
                 "\"compatibility\":\"INCOMPATIBLE\"}]}");
  Analytics__Report__V1__CheckCompatibilityResponse *r =
      tool_run(&f, "CheckCompatibility", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->headline,
                         "The fields go together; 2 fields cannot be added for Dealer 7 (d07)");
  CU_ASSERT_STRING_EQUAL(r->fields[0]->api_name, "itemName");
  CU_ASSERT_STRING_EQUAL(r->fields[0]->kind, "dimension");
  CU_ASSERT_STRING_EQUAL(r->fields[1]->kind, "metric");
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107:checkCompatibility?prettyPrint=false",
                       "{\"dimensions\":[{\"name\":\"city\"}],\"metrics\":[{\"name\":"
                       "\"sessions\"}],\"compatibilityFilter\":\"INCOMPATIBLE\"}"));
  tool_free(r);
  fakes_stop(&f);
}

TEST_MAIN("report-svc lists", TEST(links_to_google_ads_are_listed),
          TEST(key_events_are_listed_and_a_counting_method_from_tomorrow_is_unset),
          TEST(data_streams_are_listed),
          TEST(annotations_of_a_day_and_of_several_have_first_and_last_day),
          TEST(quotas_are_rows_by_category), TEST(fields_that_cannot_be_added_are_listed))
