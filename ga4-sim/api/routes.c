/* The methods of the Data API and the Admin API, one row each. */
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/api/call.h"
#include "ga4-sim/api/responses.h"
#include "ga4-sim/report/messages.h"

#define DATA "google.analytics.data.v1beta.BetaAnalyticsData."
#define DATA_ALPHA "google.analytics.data.v1alpha.AlphaAnalyticsData."
#define ADMIN "google.analytics.admin.v1beta.AnalyticsAdminService."
#define ADMIN_ALPHA "google.analytics.admin.v1alpha.AnalyticsAdminService."
/* A list of a property in the Admin API. */
#define LIST(path, handle, rpc, response)                                                          \
  {                                                                                                \
    "GET", path, handle, rpc, SUBJECT_PROPERTY, QUOTA_NONE, ENDPOINT_ADMIN, NULL, response         \
  }

static const struct route routes[] = {
    {"POST", "/v1beta/properties/{property}:runReport", api_run_report, DATA "RunReport",
     SUBJECT_PROPERTY, QUOTA_CORE, ENDPOINT_REPORT, &message_run_report_request,
     &response_run_report},
    {"POST", "/v1beta/properties/{property}:batchRunReports", api_batch_run_reports,
     DATA "BatchRunReports", SUBJECT_PROPERTY, QUOTA_CORE, ENDPOINT_REPORT,
     &message_batch_run_reports_request, &response_batch_run_reports},
    {"POST", "/v1beta/properties/{property}:runPivotReport", api_run_pivot_report,
     DATA "RunPivotReport", SUBJECT_PROPERTY, QUOTA_CORE, ENDPOINT_REPORT,
     &message_run_pivot_report_request, &response_run_pivot_report},
    {"POST", "/v1beta/properties/{property}:batchRunPivotReports", api_batch_run_pivot_reports,
     DATA "BatchRunPivotReports", SUBJECT_PROPERTY, QUOTA_CORE, ENDPOINT_REPORT,
     &message_batch_run_pivot_reports_request, &response_batch_run_pivot_reports},
    {"POST", "/v1beta/properties/{property}:runRealtimeReport", api_run_realtime_report,
     DATA "RunRealtimeReport", SUBJECT_PROPERTY, QUOTA_REALTIME, ENDPOINT_REPORT,
     &message_run_realtime_report_request, &response_run_realtime_report},
    {"POST", "/v1beta/properties/{property}:checkCompatibility", api_check_compatibility,
     DATA "CheckCompatibility", SUBJECT_PROPERTY, QUOTA_CORE, ENDPOINT_REPORT,
     &message_check_compatibility_request, &response_check_compatibility},
    {"POST", "/v1alpha/properties/{property}:runReport", api_run_alpha_report,
     DATA_ALPHA "RunReport", SUBJECT_PROPERTY, QUOTA_CORE, ENDPOINT_REPORT,
     &message_run_alpha_report_request, &response_run_report},
    {"POST", "/v1alpha/properties/{property}:runFunnelReport", api_run_funnel_report,
     DATA_ALPHA "RunFunnelReport", SUBJECT_PROPERTY, QUOTA_FUNNEL, ENDPOINT_REPORT,
     &message_run_funnel_report_request, &response_run_funnel_report},
    {"GET", "/v1alpha/properties/{property}/propertyQuotasSnapshot", api_get_quotas_snapshot,
     DATA_ALPHA "GetPropertyQuotasSnapshot", SUBJECT_PROPERTY, QUOTA_NONE, ENDPOINT_REPORT, NULL,
     &response_quotas_snapshot},
    {"GET", "/v1beta/properties/{property}/metadata", api_get_metadata, DATA "GetMetadata",
     SUBJECT_PROPERTY_OR_SCHEMA, QUOTA_CORE, ENDPOINT_REPORT, NULL, &response_metadata},
    {"GET", "/v1beta/accountSummaries", api_list_account_summaries, ADMIN "ListAccountSummaries",
     SUBJECT_CALLER, QUOTA_NONE, ENDPOINT_ADMIN, NULL, &response_account_summaries},
    {"GET", "/v1beta/properties/{property}", api_get_property, ADMIN "GetProperty",
     SUBJECT_PROPERTY, QUOTA_NONE, ENDPOINT_ADMIN, NULL, &response_property},
    LIST("/v1beta/properties/{property}/keyEvents", api_list_key_events, ADMIN "ListKeyEvents",
         &response_key_events),
    LIST("/v1beta/properties/{property}/googleAdsLinks", api_list_google_ads_links,
         ADMIN "ListGoogleAdsLinks", &response_google_ads_links),
    LIST("/v1beta/properties/{property}/customDimensions", api_list_custom_dimensions,
         ADMIN "ListCustomDimensions", &response_custom_dimensions),
    LIST("/v1beta/properties/{property}/customMetrics", api_list_custom_metrics,
         ADMIN "ListCustomMetrics", &response_custom_metrics),
    LIST("/v1beta/properties/{property}/dataStreams", api_list_data_streams,
         ADMIN "ListDataStreams", &response_data_streams),
    LIST("/v1alpha/properties/{property}/reportingDataAnnotations", api_list_annotations,
         ADMIN_ALPHA "ListReportingDataAnnotations", &response_annotations),
};

static bool matches(const struct route *route, const char *path, char property[CALL_PROPERTY_MAX])
{
  static const char mark[] = "{property}";
  const char *at = strstr(route->path, mark);
  property[0] = '\0';
  if (at == NULL)
    return strcmp(path, route->path) == 0;
  const char *end = at + sizeof(mark) - 1;
  size_t before = (size_t)(at - route->path), after = strlen(end), n = strlen(path);
  if (n <= before + after || n - before - after >= CALL_PROPERTY_MAX ||
      strncmp(path, route->path, before) != 0 || strcmp(path + n - after, end) != 0)
    return false;
  memcpy(property, path + before, n - before - after);
  property[n - before - after] = '\0';
  return strpbrk(property, "/:") == NULL;
}

const struct route *route_find(const char *verb, const char *path, char property[CALL_PROPERTY_MAX])
{
  for (size_t i = 0; i < ARRAY_LEN(routes); i++)
    if (strcmp(routes[i].verb, verb) == 0 && matches(&routes[i], path, property))
      return &routes[i];
  return NULL;
}

const char *route_service(const struct route *route)
{
  return route->faults == ENDPOINT_ADMIN ? "analyticsadmin.googleapis.com"
                                         : "analyticsdata.googleapis.com";
}
