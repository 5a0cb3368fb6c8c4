/* The table of Google's methods, and what follows from a row: address, key, reading. */
#include "report-svc/google/methods.h"

#include <stdio.h>
#include <string.h>

#include "analytics/ga4/v1beta/admin.pb-c.h"
#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/pbjson/pbjson.h"
#include "report-svc/google/field.h"

enum { MAX_URL = 8192 };

#define MESSAGE(name) &analytics__ga4__v1beta__##name##__descriptor

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
  snprintf(out->key, sizeof(out->key), "%s%s/%.128s",
           m->quota == GOOGLE_QUOTA_ADMIN ? "admin/" : "",
           m->place == GOOGLE_OF_PROPERTY ? "properties" : "accounts", of);
  return ERR_OK;
}

enum err_code google_method_read(ProtobufCMessage **out, const struct google_method *m,
                                 const char *text, size_t len, struct arena *arena, struct err *e)
{
  static const struct pbjson_read_options lenient = {.ignore_unknown = true};
  struct err detail = {0};
  if (pbjson_read_text(out, m->response, text, len, arena, &lenient, &detail) != ERR_OK)
    return err_set(e, ERR_INTERNAL, "malformed_response", "Google's answer is not a valid %s: %s",
                   m->what, detail.message);
  if (m->named != NULL && ga4_text(*out, m->named)[0] == '\0')
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google's answer is not a valid %s: it has no %s; try again", m->what, m->named);
  return ERR_OK;
}
