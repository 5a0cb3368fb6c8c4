/* The table of Google's methods, and what follows from a row: address, key, reading. */
#include "report-svc/google/methods.h"

#include <stdio.h>
#include <string.h>

#include "analytics/ga4/v1alpha/admin.pb-c.h"
#include "analytics/ga4/v1alpha/data.pb-c.h"
#include "analytics/ga4/v1beta/admin.pb-c.h"
#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/pbjson/pbjson.h"
#include "report-svc/google/field.h"

enum { MAX_URL = 8192 };

#define MESSAGE(name) &analytics__ga4__v1beta__##name##__descriptor
#define ALPHA_MESSAGE(name) &analytics__ga4__v1alpha__##name##__descriptor

/* A list of the Admin API about one property. */
#define LIST(id, VERSION, of, RESPONSE)                                                            \
  {                                                                                                \
    .name = id, .api = GOOGLE_ADMIN_API, .version = VERSION, .verb = "GET",                        \
    .path = "properties/{p}/" id, .quota = GOOGLE_QUOTA_ADMIN, .place = GOOGLE_OF_PROPERTY,        \
    .response = RESPONSE, .items = of, .cacheable = true, .what = "list of " id                    \
  }

static const struct google_method methods[] = {
    [GOOGLE_RUN_REPORT] = {.name = "runReport",
                           .api = GOOGLE_DATA_API,
                           .version = "v1beta",
                           .verb = "POST",
                           .path = "properties/{p}:runReport",
                           .quota = GOOGLE_QUOTA_CORE,
                           .place = GOOGLE_OF_PROPERTY,
                           .request = MESSAGE(run_report_request),
                           .response = MESSAGE(run_report_response),
                           .rows = GOOGLE_ROWS,
                           .cacheable = true,
                           .what = "report"},
    [GOOGLE_BATCH_RUN_REPORTS] = {.name = "batchRunReports",
                                  .api = GOOGLE_DATA_API,
                                  .version = "v1beta",
                                  .verb = "POST",
                                  .path = "properties/{p}:batchRunReports",
                                  .quota = GOOGLE_QUOTA_CORE,
                                  .place = GOOGLE_OF_PROPERTY,
                                  .request = MESSAGE(batch_run_reports_request),
                                  .response = MESSAGE(batch_run_reports_response),
                                  .rows = GOOGLE_ROWS_OF_REPORTS,
                                  .what = "batch of reports"},
    [GOOGLE_GET_METADATA] = {.name = "getMetadata",
                             .api = GOOGLE_DATA_API,
                             .version = "v1beta",
                             .verb = "GET",
                             .path = "properties/{p}/metadata",
                             .quota = GOOGLE_QUOTA_CORE,
                             .place = GOOGLE_OF_PROPERTY,
                             .response = MESSAGE(metadata),
                             .named = "name",
                             .cacheable = true,
                             .what = "list of dimensions and metrics"},
    [GOOGLE_GET_PROPERTY] = {.name = "getProperty",
                             .api = GOOGLE_ADMIN_API,
                             .version = "v1beta",
                             .verb = "GET",
                             .path = "properties/{p}",
                             .quota = GOOGLE_QUOTA_ADMIN,
                             .place = GOOGLE_OF_PROPERTY,
                             .response = MESSAGE(property),
                             .named = "name",
                             .cacheable = true,
                             .what = "property"},
    [GOOGLE_ACCOUNT_SUMMARIES] = {.name = "accountSummaries",
                                  .api = GOOGLE_ADMIN_API,
                                  .version = "v1beta",
                                  .verb = "GET",
                                  .path = "accountSummaries",
                                  .quota = GOOGLE_QUOTA_ADMIN,
                                  .place = GOOGLE_OF_CREDENTIAL,
                                  .response = MESSAGE(list_account_summaries_response),
                                  .items = "account_summaries",
                                  .what = "list of accounts"},
    [GOOGLE_ADS_LINKS] = LIST("googleAdsLinks", "v1beta", "google_ads_links",
                              MESSAGE(list_google_ads_links_response)),
    [GOOGLE_ANNOTATIONS] = LIST("reportingDataAnnotations", "v1alpha", "reporting_data_annotations",
                                ALPHA_MESSAGE(list_reporting_data_annotations_response)),
    [GOOGLE_KEY_EVENTS] =
        LIST("keyEvents", "v1beta", "key_events", MESSAGE(list_key_events_response)),
    [GOOGLE_DATA_STREAMS] =
        LIST("dataStreams", "v1beta", "data_streams", MESSAGE(list_data_streams_response)),
    /* Asked when the quota of reports is gone: it must not wait for that. */
    [GOOGLE_QUOTAS_SNAPSHOT] = {.name = "getPropertyQuotasSnapshot",
                                .api = GOOGLE_DATA_API,
                                .version = "v1alpha",
                                .verb = "GET",
                                .path = "properties/{p}/propertyQuotasSnapshot",
                                .quota = GOOGLE_QUOTA_ADMIN,
                                .place = GOOGLE_OF_PROPERTY,
                                .response = ALPHA_MESSAGE(property_quotas_snapshot),
                                .named = "name",
                                .what = "snapshot of quotas"},
    [GOOGLE_CHECK_COMPATIBILITY] = {.name = "checkCompatibility",
                                    .api = GOOGLE_DATA_API,
                                    .version = "v1beta",
                                    .verb = "POST",
                                    .path = "properties/{p}:checkCompatibility",
                                    .quota = GOOGLE_QUOTA_CORE,
                                    .place = GOOGLE_OF_PROPERTY,
                                    .request = MESSAGE(check_compatibility_request),
                                    .response = MESSAGE(check_compatibility_response),
                                    .cacheable = true,
                                    .what = "list of compatible fields"},
    [GOOGLE_RUN_REALTIME_REPORT] = {.name = "runRealtimeReport",
                                    .api = GOOGLE_DATA_API,
                                    .version = "v1beta",
                                    .verb = "POST",
                                    .path = "properties/{p}:runRealtimeReport",
                                    .quota = GOOGLE_QUOTA_REALTIME,
                                    .place = GOOGLE_OF_PROPERTY,
                                    .request = MESSAGE(run_realtime_report_request),
                                    .response = MESSAGE(run_realtime_report_response),
                                    .headed = true,
                                    .what = "realtime report"},
    [GOOGLE_RUN_PIVOT_REPORT] = {.name = "runPivotReport",
                                 .api = GOOGLE_DATA_API,
                                 .version = "v1beta",
                                 .verb = "POST",
                                 .path = "properties/{p}:runPivotReport",
                                 .quota = GOOGLE_QUOTA_CORE,
                                 .place = GOOGLE_OF_PROPERTY,
                                 .request = MESSAGE(run_pivot_report_request),
                                 .response = MESSAGE(run_pivot_report_response),
                                 .headed = true,
                                 .cacheable = true,
                                 .what = "pivot report"},
    [GOOGLE_RUN_CONVERSIONS_REPORT] = {.name = "runReport (conversions)",
                                       .api = GOOGLE_DATA_API,
                                       .version = "v1alpha",
                                       .verb = "POST",
                                       .path = "properties/{p}:runReport",
                                       .quota = GOOGLE_QUOTA_CORE,
                                       .place = GOOGLE_OF_PROPERTY,
                                       .request = ALPHA_MESSAGE(run_conversions_report_request),
                                       .response = MESSAGE(run_report_response),
                                       .headed = true,
                                       .cacheable = true,
                                       .what = "report of conversions"},
    [GOOGLE_RUN_FUNNEL_REPORT] = {.name = "runFunnelReport",
                                  .api = GOOGLE_DATA_API,
                                  .version = "v1alpha",
                                  .verb = "POST",
                                  .path = "properties/{p}:runFunnelReport",
                                  .quota = GOOGLE_QUOTA_FUNNEL,
                                  .place = GOOGLE_OF_PROPERTY,
                                  .request = ALPHA_MESSAGE(run_funnel_report_request),
                                  .response = ALPHA_MESSAGE(run_funnel_report_response),
                                  .part = "funnel_table",
                                  .what = "funnel report"},
};

const struct google_method *google_method(enum google_method_id id)
{
  return &methods[id];
}

static void put_path(struct buf *url, const char *path, const char *of)
{
  const char *hole = strstr(path, "{p}");
  if (hole == NULL)
    buf_puts(url, path);
  else
    buf_printf(url, "%.*s%s%s", (int)(hole - path), path, of, hole + 3);
}

/* What the governor and the budget keep apart, since Google does. */
static const char *const categories[] = {[GOOGLE_QUOTA_CORE] = "",
                                         [GOOGLE_QUOTA_REALTIME] = "realtime/",
                                         [GOOGLE_QUOTA_FUNNEL] = "funnel/",
                                         [GOOGLE_QUOTA_ADMIN] = "admin/"};

enum err_code google_method_target(struct google_target *out, const struct google_method *m,
                                   const char *endpoint, const char *of, const char *page_token,
                                   struct err *e)
{
  AUTO_BUF struct buf url = BUF_INIT(MAX_URL);
  buf_printf(&url, "%s/%s/", endpoint, m->version);
  put_path(&url, m->path, of);
  if (m->api == GOOGLE_DATA_API)
    buf_puts(&url, "?prettyPrint=false");
  else if (m->items != NULL)
    buf_puts(&url, "?pageSize=200");
  if (page_token != NULL) {
    buf_puts(&url, "&pageToken=");
    percent_encode(&url, page_token, strlen(page_token));
  }
  if (url.failed)
    return err_set(e, ERR_INTERNAL, "malformed_response", "Google's page token is too long");
  out->url = buf_take(&url, NULL);
  snprintf(out->key, sizeof(out->key), "%s%s/%.128s", categories[m->quota],
           m->place == GOOGLE_OF_PROPERTY ? "properties" : "accounts", of);
  return ERR_OK;
}

/* An error that came with status 200. */
static bool is_error(const char *text, size_t len)
{
  if (memmem(text, len, "\"error\"", 7) == NULL)
    return false;
  AUTO_JSON cJSON *root = NULL;
  return json_parse(&root, text, len, NULL, NULL) == ERR_OK &&
         cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "error"));
}

enum err_code google_method_read(ProtobufCMessage **out, const struct google_method *m,
                                 const char *text, size_t len, struct arena *arena, struct err *e)
{
  static const struct pbjson_read_options lenient = {.ignore_unknown = true};
  struct err detail = {0};
  if (is_error(text, len))
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google's answer is not a valid %s: it is an error under status 200; try again",
                   m->what);
  if (pbjson_read_text(out, m->response, text, len, arena, &lenient, &detail) != ERR_OK)
    return err_set(e, ERR_INTERNAL, "malformed_response", "Google's answer is not a valid %s: %s",
                   m->what, detail.message);
  if (m->part != NULL && ga4_message(*out, m->part) == NULL)
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google's answer is not a valid %s: it has no %s; try again", m->what, m->part);
  if (m->named != NULL && ga4_text(*out, m->named)[0] == '\0')
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google's answer is not a valid %s: it has no %s; try again", m->what, m->named);
  return ERR_OK;
}
