/* Names and nesting of the answers, after the published protos. */
#include "ga4-sim/api/responses.h"

#include "common/base/mem.h"

#define DATA "google.analytics.data.v1beta."
#define ADMIN "google.analytics.admin.v1beta."
#define ALPHA "google.analytics.admin.v1alpha."
#define FIELDS(table) table, ARRAY_LEN(table)
/* A field that is a message. */
#define PART(field, type)                                                                          \
  {                                                                                                \
    .name = field, .kind = KIND_MESSAGE, .message = &(type)                                        \
  }

static const struct message_field dimension_header_fields[] = {{.name = "name"}};
static const struct message_type dimension_header = {DATA "DimensionHeader",
                                                     FIELDS(dimension_header_fields)};

static const struct message_field metric_header_fields[] = {{.name = "name"}, {.name = "type"}};
static const struct message_type metric_header = {DATA "MetricHeader",
                                                  FIELDS(metric_header_fields)};

static const struct message_field cell_fields[] = {{.name = "value"}};
static const struct message_type cell = {DATA "DimensionValue", FIELDS(cell_fields)};

static const struct message_field row_fields[] = {PART("dimensionValues", cell),
                                                  PART("metricValues", cell)};
static const struct message_type row = {DATA "Row", FIELDS(row_fields)};

static const struct message_field sampling_fields[] = {{.name = "samplesReadCount"},
                                                       {.name = "samplingSpaceSize"}};
static const struct message_type sampling = {DATA "SamplingMetadata", FIELDS(sampling_fields)};

static const struct message_field restriction_fields[] = {{.name = "metricName"},
                                                          {.name = "restrictedMetricTypes"}};
static const struct message_type restriction = {
    DATA "ResponseMetaData.SchemaRestrictionResponse.ActiveMetricRestriction",
    FIELDS(restriction_fields)};

static const struct message_field restrictions_fields[] = {
    PART("activeMetricRestrictions", restriction)};
static const struct message_type restrictions = {DATA "ResponseMetaData.SchemaRestrictionResponse",
                                                 FIELDS(restrictions_fields)};

static const struct message_field truncated_range_fields[] = {{.name = "startDate"},
                                                              {.name = "endDate"}};
static const struct message_type truncated_range = {
    DATA "ResponseMetaData.DataTruncationReason.DataTruncationDateRange",
    FIELDS(truncated_range_fields)};

static const struct message_field truncation_fields[] = {
    {.name = "dataTruncationType"},
    {.name = "dataTruncationMessage"},
    {.name = "dataTruncationDate"},
    PART("dataTruncationDateRanges", truncated_range)};
static const struct message_type truncation = {DATA "ResponseMetaData.DataTruncationReason",
                                               FIELDS(truncation_fields)};

static const struct message_field response_metadata_of_report_fields[] = {
    {.name = "dataLossFromOtherRow"},
    PART("schemaRestrictionResponse", restrictions),
    {.name = "currencyCode"},
    {.name = "timeZone"},
    {.name = "emptyReason"},
    {.name = "subjectToThresholding"},
    PART("samplingMetadatas", sampling),
    PART("dataTruncationReasons", truncation)};
static const struct message_type response_metadata_of_report = {
    DATA "ResponseMetaData", FIELDS(response_metadata_of_report_fields)};

static const struct message_field quota_status_fields[] = {{.name = "consumed"},
                                                           {.name = "remaining"}};
static const struct message_type quota_status = {DATA "QuotaStatus", FIELDS(quota_status_fields)};

static const struct message_field property_quota_fields[] = {
    PART("tokensPerDay", quota_status),
    PART("tokensPerHour", quota_status),
    PART("concurrentRequests", quota_status),
    PART("serverErrorsPerProjectPerHour", quota_status),
    PART("potentiallyThresholdedRequestsPerHour", quota_status),
    PART("tokensPerProjectPerHour", quota_status)};
static const struct message_type property_quota = {DATA "PropertyQuota",
                                                   FIELDS(property_quota_fields)};

static const struct message_field response_run_report_fields[] = {
    PART("dimensionHeaders", dimension_header),
    PART("metricHeaders", metric_header),
    PART("rows", row),
    PART("totals", row),
    PART("maximums", row),
    PART("minimums", row),
    {.name = "rowCount"},
    PART("metadata", response_metadata_of_report),
    PART("propertyQuota", property_quota),
    {.name = "kind"}};
const struct message_type response_run_report = {DATA "RunReportResponse",
                                                 FIELDS(response_run_report_fields)};

static const struct message_field response_batch_run_reports_fields[] = {
    PART("reports", response_run_report), {.name = "kind"}};
const struct message_type response_batch_run_reports = {DATA "BatchRunReportsResponse",
                                                        FIELDS(response_batch_run_reports_fields)};

static const struct message_field dimension_metadata_fields[] = {
    {.name = "apiName"},          {.name = "uiName"},
    {.name = "description"},      {.name = "deprecatedApiNames"},
    {.name = "customDefinition"}, {.name = "category"}};
static const struct message_type dimension_metadata = {DATA "DimensionMetadata",
                                                       FIELDS(dimension_metadata_fields)};

static const struct message_field metric_metadata_fields[] = {{.name = "apiName"},
                                                              {.name = "uiName"},
                                                              {.name = "description"},
                                                              {.name = "deprecatedApiNames"},
                                                              {.name = "type"},
                                                              {.name = "expression"},
                                                              {.name = "customDefinition"},
                                                              {.name = "blockedReasons"},
                                                              {.name = "category"}};
static const struct message_type metric_metadata = {DATA "MetricMetadata",
                                                    FIELDS(metric_metadata_fields)};

static const struct message_field comparison_metadata_fields[] = {
    {.name = "apiName"}, {.name = "uiName"}, {.name = "description"}};
static const struct message_type comparison_metadata = {DATA "ComparisonMetadata",
                                                        FIELDS(comparison_metadata_fields)};

static const struct message_field response_metadata_fields[] = {
    {.name = "name"},
    PART("dimensions", dimension_metadata),
    PART("metrics", metric_metadata),
    PART("comparisons", comparison_metadata)};
const struct message_type response_metadata = {DATA "Metadata", FIELDS(response_metadata_fields)};

static const struct message_field pivot_dimension_header_fields[] = {PART("dimensionValues", cell)};
static const struct message_type pivot_dimension_header = {DATA "PivotDimensionHeader",
                                                           FIELDS(pivot_dimension_header_fields)};
static const struct message_field pivot_header_fields[] = {
    PART("pivotDimensionHeaders", pivot_dimension_header), {.name = "rowCount"}};
static const struct message_type pivot_header = {DATA "PivotHeader", FIELDS(pivot_header_fields)};
static const struct message_field response_run_pivot_report_fields[] = {
    PART("pivotHeaders", pivot_header),
    PART("dimensionHeaders", dimension_header),
    PART("metricHeaders", metric_header),
    PART("rows", row),
    PART("aggregates", row),
    PART("metadata", response_metadata_of_report),
    PART("propertyQuota", property_quota),
    {.name = "kind"}};
const struct message_type response_run_pivot_report = {DATA "RunPivotReportResponse",
                                                       FIELDS(response_run_pivot_report_fields)};
static const struct message_field response_batch_run_pivot_reports_fields[] = {
    PART("pivotReports", response_run_pivot_report), {.name = "kind"}};
const struct message_type response_batch_run_pivot_reports = {
    DATA "BatchRunPivotReportsResponse", FIELDS(response_batch_run_pivot_reports_fields)};

static const struct message_field response_run_realtime_report_fields[] = {
    PART("dimensionHeaders", dimension_header),
    PART("metricHeaders", metric_header),
    PART("rows", row),
    PART("totals", row),
    PART("maximums", row),
    PART("minimums", row),
    {.name = "rowCount"},
    PART("propertyQuota", property_quota),
    {.name = "kind"}};
const struct message_type response_run_realtime_report = {
    DATA "RunRealtimeReportResponse", FIELDS(response_run_realtime_report_fields)};

static const struct message_field funnel_metadata_fields[] = {PART("samplingMetadatas", sampling)};
static const struct message_type funnel_metadata = {
    "google.analytics.data.v1alpha.FunnelResponseMetadata", FIELDS(funnel_metadata_fields)};
static const struct message_field funnel_sub_report_fields[] = {
    PART("dimensionHeaders", dimension_header), PART("metricHeaders", metric_header),
    PART("rows", row), PART("metadata", funnel_metadata)};
static const struct message_type funnel_sub_report = {
    "google.analytics.data.v1alpha.FunnelSubReport", FIELDS(funnel_sub_report_fields)};
static const struct message_field response_run_funnel_report_fields[] = {
    PART("funnelTable", funnel_sub_report),
    PART("funnelVisualization", funnel_sub_report),
    PART("propertyQuota", property_quota),
    {.name = "kind"}};
const struct message_type response_run_funnel_report = {
    "google.analytics.data.v1alpha.RunFunnelReportResponse",
    FIELDS(response_run_funnel_report_fields)};

static const struct message_field dimension_compatibility_fields[] = {
    PART("dimensionMetadata", dimension_metadata), {.name = "compatibility"}};
static const struct message_type dimension_compatibility = {DATA "DimensionCompatibility",
                                                            FIELDS(dimension_compatibility_fields)};
static const struct message_field metric_compatibility_fields[] = {
    PART("metricMetadata", metric_metadata), {.name = "compatibility"}};
static const struct message_type metric_compatibility = {DATA "MetricCompatibility",
                                                         FIELDS(metric_compatibility_fields)};
static const struct message_field response_check_compatibility_fields[] = {
    PART("dimensionCompatibilities", dimension_compatibility),
    PART("metricCompatibilities", metric_compatibility)};
const struct message_type response_check_compatibility = {
    DATA "CheckCompatibilityResponse", FIELDS(response_check_compatibility_fields)};

static const struct message_field response_quotas_snapshot_fields[] = {
    {.name = "name"},
    PART("corePropertyQuota", property_quota),
    PART("realtimePropertyQuota", property_quota),
    PART("funnelPropertyQuota", property_quota)};
const struct message_type response_quotas_snapshot = {
    "google.analytics.data.v1alpha.PropertyQuotasSnapshot",
    FIELDS(response_quotas_snapshot_fields)};

static const struct message_field property_summary_fields[] = {{.name = "property"},
                                                               {.name = "displayName"},
                                                               {.name = "propertyType"},
                                                               {.name = "parent"},
                                                               {.name = "canEdit"}};
static const struct message_type property_summary = {ADMIN "PropertySummary",
                                                     FIELDS(property_summary_fields)};

static const struct message_field account_summary_fields[] = {
    {.name = "name"},
    {.name = "account"},
    {.name = "displayName"},
    PART("propertySummaries", property_summary)};
static const struct message_type account_summary = {ADMIN "AccountSummary",
                                                    FIELDS(account_summary_fields)};

static const struct message_field response_account_summaries_fields[] = {
    PART("accountSummaries", account_summary), {.name = "nextPageToken"}};
const struct message_type response_account_summaries = {ADMIN "ListAccountSummariesResponse",
                                                        FIELDS(response_account_summaries_fields)};

static const struct message_field response_property_fields[] = {{.name = "name"},
                                                                {.name = "propertyType"},
                                                                {.name = "createTime"},
                                                                {.name = "updateTime"},
                                                                {.name = "parent"},
                                                                {.name = "displayName"},
                                                                {.name = "industryCategory"},
                                                                {.name = "timeZone"},
                                                                {.name = "currencyCode"},
                                                                {.name = "serviceLevel"},
                                                                {.name = "deleteTime"},
                                                                {.name = "expireTime"},
                                                                {.name = "account"}};
const struct message_type response_property = {ADMIN "Property", FIELDS(response_property_fields)};

static const struct message_field default_value_fields[] = {{.name = "numericValue"},
                                                            {.name = "currencyCode"}};
static const struct message_type default_value = {ADMIN "KeyEvent.DefaultValue",
                                                  FIELDS(default_value_fields)};

static const struct message_field key_event_fields[] = {{.name = "name"},
                                                        {.name = "eventName"},
                                                        {.name = "createTime"},
                                                        {.name = "deletable"},
                                                        {.name = "custom"},
                                                        {.name = "countingMethod"},
                                                        PART("defaultValue", default_value)};
static const struct message_type key_event = {ADMIN "KeyEvent", FIELDS(key_event_fields)};

static const struct message_field response_key_events_fields[] = {PART("keyEvents", key_event),
                                                                  {.name = "nextPageToken"}};
const struct message_type response_key_events = {ADMIN "ListKeyEventsResponse",
                                                 FIELDS(response_key_events_fields)};

static const struct message_field google_ads_link_fields[] = {{.name = "name"},
                                                              {.name = "customerId"},
                                                              {.name = "canManageClients"},
                                                              {.name = "adsPersonalizationEnabled"},
                                                              {.name = "createTime"},
                                                              {.name = "updateTime"},
                                                              {.name = "creatorEmailAddress"}};
static const struct message_type google_ads_link = {ADMIN "GoogleAdsLink",
                                                    FIELDS(google_ads_link_fields)};

static const struct message_field response_google_ads_links_fields[] = {
    PART("googleAdsLinks", google_ads_link), {.name = "nextPageToken"}};
const struct message_type response_google_ads_links = {ADMIN "ListGoogleAdsLinksResponse",
                                                       FIELDS(response_google_ads_links_fields)};

static const struct message_field custom_dimension_fields[] = {
    {.name = "name"},        {.name = "parameterName"}, {.name = "displayName"},
    {.name = "description"}, {.name = "scope"},         {.name = "disallowAdsPersonalization"}};
static const struct message_type custom_dimension = {ADMIN "CustomDimension",
                                                     FIELDS(custom_dimension_fields)};

static const struct message_field response_custom_dimensions_fields[] = {
    PART("customDimensions", custom_dimension), {.name = "nextPageToken"}};
const struct message_type response_custom_dimensions = {ADMIN "ListCustomDimensionsResponse",
                                                        FIELDS(response_custom_dimensions_fields)};

static const struct message_field custom_metric_fields[] = {{.name = "name"},
                                                            {.name = "parameterName"},
                                                            {.name = "displayName"},
                                                            {.name = "description"},
                                                            {.name = "measurementUnit"},
                                                            {.name = "scope"},
                                                            {.name = "restrictedMetricType"}};
static const struct message_type custom_metric = {ADMIN "CustomMetric",
                                                  FIELDS(custom_metric_fields)};

static const struct message_field response_custom_metrics_fields[] = {
    PART("customMetrics", custom_metric), {.name = "nextPageToken"}};
const struct message_type response_custom_metrics = {ADMIN "ListCustomMetricsResponse",
                                                     FIELDS(response_custom_metrics_fields)};

static const struct message_field web_stream_data_fields[] = {
    {.name = "measurementId"}, {.name = "firebaseAppId"}, {.name = "defaultUri"}};
static const struct message_type web_stream_data = {ADMIN "DataStream.WebStreamData",
                                                    FIELDS(web_stream_data_fields)};

static const struct message_field android_stream_data_fields[] = {{.name = "firebaseAppId"},
                                                                  {.name = "packageName"}};
static const struct message_type android_stream_data = {ADMIN "DataStream.AndroidAppStreamData",
                                                        FIELDS(android_stream_data_fields)};

static const struct message_field ios_stream_data_fields[] = {{.name = "firebaseAppId"},
                                                              {.name = "bundleId"}};
static const struct message_type ios_stream_data = {ADMIN "DataStream.IosAppStreamData",
                                                    FIELDS(ios_stream_data_fields)};

static const struct message_field data_stream_fields[] = {
    PART("webStreamData", web_stream_data),
    PART("androidAppStreamData", android_stream_data),
    PART("iosAppStreamData", ios_stream_data),
    {.name = "name"},
    {.name = "type"},
    {.name = "displayName"},
    {.name = "createTime"},
    {.name = "updateTime"}};
static const struct message_type data_stream = {ADMIN "DataStream", FIELDS(data_stream_fields)};

static const struct message_field response_data_streams_fields[] = {
    PART("dataStreams", data_stream), {.name = "nextPageToken"}};
const struct message_type response_data_streams = {ADMIN "ListDataStreamsResponse",
                                                   FIELDS(response_data_streams_fields)};

static const struct message_field date_fields[] = {
    {.name = "year"}, {.name = "month"}, {.name = "day"}};
static const struct message_type date = {"google.type.Date", FIELDS(date_fields)};

static const struct message_field annotation_range_fields[] = {PART("startDate", date),
                                                               PART("endDate", date)};
static const struct message_type annotation_range = {ALPHA "ReportingDataAnnotation.DateRange",
                                                     FIELDS(annotation_range_fields)};

static const struct message_field annotation_fields[] = {
    PART("annotationDate", date),
    PART("annotationDateRange", annotation_range),
    {.name = "name"},
    {.name = "title"},
    {.name = "description"},
    {.name = "color"},
    {.name = "systemGenerated"}};
static const struct message_type annotation = {ALPHA "ReportingDataAnnotation",
                                               FIELDS(annotation_fields)};

static const struct message_field response_annotations_fields[] = {
    PART("reportingDataAnnotations", annotation), {.name = "nextPageToken"}};
const struct message_type response_annotations = {ALPHA "ListReportingDataAnnotationsResponse",
                                                  FIELDS(response_annotations_fields)};
