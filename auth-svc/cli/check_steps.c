/* What check asks Google, and what its answers mean for an operator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/cli/cli.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "common/http/client.h"

enum { TIMEOUT_MS = 20000, BODY_MAX = 4 << 20, PAGES_MAX = 50, LISTED = 20 };

struct answer {
  struct wait_once end;
  struct err error;
  int status;
  int64_t ms;
  char *body;
};

static void answer_clear(struct answer *a)
{
  free(a->body);
}

static void on_done(void *user, const struct http_response *response)
{
  struct answer *a = user;
  a->error = response->error;
  a->status = response->status;
  a->ms = response->total_ms;
  a->body = xstrndup(response->body != NULL ? response->body : "", response->body_len);
  wait_once_over(&a->end);
}

/* body NULL asks with GET. */
static void ask(struct answer *a, const struct cli_google *c, const char *url, const char *body)
{
  AUTO_FREE char *bearer = xasprintf("Bearer %s", c->token);
  const struct http_header headers[] = {{"Authorization", bearer},
                                        {"Content-Type", "application/json"},
                                        {"x-goog-user-project", c->quota_project}};
  const struct http_request request = {.method = body != NULL ? "POST" : "GET",
                                       .url = url,
                                       .headers = headers,
                                       .n_headers = c->quota_project != NULL ? 3 : 2,
                                       .body = body,
                                       .body_len = body != NULL ? strlen(body) : 0,
                                       .timeout_ms = TIMEOUT_MS,
                                       .max_response_bytes = BODY_MAX,
                                       .on_done = on_done,
                                       .user = a};
  if (http_client_send(NULL, c->http, &request, &a->error) == ERR_OK)
    wait_once(&a->end);
  mem_wipe(bearer, strlen(bearer));
}

/* ------------------------------------------------------------------------ remedies */

/* error.details[].reason of Google's error body; NULL when there is none. */
static const char *error_reason(const cJSON *error)
{
  const cJSON *detail;
  cJSON_ArrayForEach(detail, cJSON_GetObjectItemCaseSensitive(error, "details"))
  {
    const char *reason = json_get_string(detail, "reason");
    if (reason != NULL)
      return reason;
  }
  return NULL;
}

static void advise(int status, const char *reason, const char *property_id)
{
  bool is = reason != NULL;
  if (is && strcmp(reason, "SERVICE_DISABLED") == 0)
    cli_remedy("enable the Google Analytics Data API and Admin API in the project of the OAuth "
               "client or service account");
  else if (is && strcmp(reason, "ACCESS_TOKEN_SCOPE_INSUFFICIENT") == 0)
    cli_remedy("the consent did not cover analytics.readonly: let the dealer consent again with "
               "that scope");
  else if (status == 401)
    cli_remedy("Google does not take the access token: was it made by the endpoint that "
               "OAUTH_TOKEN_ENDPOINT names for these APIs?");
  else if (status == 403 && property_id != NULL)
    cli_remedy("give the account Viewer access to property %s (Admin > Property access "
               "management), or correct the property id",
               property_id);
  else if (status == 403)
    cli_remedy("the account may not use this API: check its roles and the project's APIs");
  else if (status == 404 || status == 400)
    cli_remedy("correct the property id, and check GA4_ADMIN_ENDPOINT and GA4_DATA_ENDPOINT");
  else if (status == 429)
    cli_remedy("the quota is used up: try again in an hour; analytics quotas end daily at "
               "midnight Pacific time");
  else if (status == 0)
    cli_remedy("check the network path to Google (proxy, DNS, firewall)");
  else
    cli_remedy("Google's side failed: try again in a minute");
}

/* Whether it is a good answer in JSON; otherwise says why not and what to do. */
static bool good(cJSON **out, const struct answer *a, const char *step, const char *property_id)
{
  AUTO_JSON cJSON *j = NULL;
  if (a->error.code != ERR_OK) {
    cli_step(false, step, "%s", a->error.message);
    advise(0, NULL, property_id);
    return false;
  }
  bool parsed = json_parse(&j, a->body, strlen(a->body), NULL, NULL) == ERR_OK;
  if (a->status == 200 && parsed && cJSON_IsObject(j)) {
    *out = TAKE_PTR(j);
    return true;
  }
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(j, "error");
  const char *message = json_get_string(error, "message"),
             *status = json_get_string(error, "status");
  cli_step(false, step, "HTTP %d %s: %.300s", a->status, status != NULL ? status : "",
           message != NULL ? message
           : parsed        ? "no error message"
                           : "the answer is not JSON");
  advise(a->status == 200 ? 500 : a->status, error_reason(error), property_id);
  return false;
}

/* ------------------------------------------------------------------ accountSummaries */

struct summaries {
  const struct dealer *dealer;
  size_t seen;                        /* properties that may be read */
  struct buf *list;                   /* the first of them, for a dealer that names none */
  bool has[DIRECTORY_MAX_PROPERTIES]; /* by the dealer's property */
};

static void read_summaries(struct summaries *s, const cJSON *page)
{
  const cJSON *account, *property;
  cJSON_ArrayForEach(account, cJSON_GetObjectItemCaseSensitive(page, "accountSummaries"))
  {
    cJSON_ArrayForEach(property, cJSON_GetObjectItemCaseSensitive(account, "propertySummaries"))
    {
      const char *name = json_get_string(property, "property");
      const char *display = json_get_string(property, "displayName");
      if (name != NULL && s->seen < LISTED)
        buf_printf(s->list, "%s%s (%.100s)", s->seen > 0 ? ", " : "",
                   strncmp(name, "properties/", 11) == 0 ? name + 11 : name,
                   display != NULL ? display : "no name");
      s->seen++;
      for (size_t i = 0; name != NULL && i < s->dealer->n_property_ids; i++)
        if (strncmp(name, "properties/", 11) == 0 &&
            strcmp(name + 11, s->dealer->property_ids[i]) == 0)
          s->has[i] = true;
    }
  }
}

static bool fetch_summaries(struct summaries *s, const struct cli_google *c)
{
  static const char step[] = "accountSummaries";
  const char *base = c->settings->ga4_admin;
  AUTO_FREE char *page_token = NULL;
  for (int pages = 0; pages < PAGES_MAX; pages++) {
    __attribute__((cleanup(answer_clear))) struct answer a = {.end = WAIT_ONCE_INIT};
    AUTO_JSON cJSON *page = NULL;
    AUTO_FREE char *url =
        xasprintf("%s/v1beta/accountSummaries?pageSize=200%s%s", base,
                  page_token != NULL ? "&pageToken=" : "", page_token != NULL ? page_token : "");
    ask(&a, c, url, NULL);
    if (!good(&page, &a, step, NULL))
      return false;
    read_summaries(s, page);
    const char *next = json_get_string(page, "nextPageToken");
    if (next == NULL || *next == '\0')
      return true;
    AUTO_BUF struct buf encoded = BUF_INIT(8192);
    if (!percent_encode(&encoded, next, strlen(next)))
      return true;
    free(page_token);
    page_token = xstrdup(buf_str(&encoded));
  }
  return true;
}

/* What the service will find, for a dealer that names no property. */
static bool check_found(const struct summaries *s)
{
  if (s->seen == 0) {
    cli_step(false, "property", "none is configured, and none may be read");
    cli_remedy("give the account Viewer access to the dealer's property (Admin > Property access "
               "management)");
    return false;
  }
  cli_step(true, "property", "none is configured; may be read: %s%s", buf_str(s->list),
           s->seen > LISTED ? ", and others" : "");
  if (s->seen > 1)
    cli_remedy(
        "several may be read: name the dealer's in \"properties\", the default one first, or "
        "the one with the lowest id is the default");
  return true;
}

bool cli_check_account(const struct cli_google *c, const struct dealer *dealer)
{
  AUTO_BUF struct buf list = BUF_INIT(8192);
  struct summaries s = {.dealer = dealer, .list = &list};
  bool ok = true;
  if (!fetch_summaries(&s, c))
    return false;
  cli_step(true, "accountSummaries", "%zu propert%s may be read", s.seen,
           s.seen == 1 ? "y" : "ies");
  if (dealer->n_property_ids == 0)
    return check_found(&s);
  for (size_t i = 0; i < dealer->n_property_ids; i++) {
    if (s.has[i])
      continue;
    ok = false;
    cli_step(false, "property", "%s is not among them", dealer->property_ids[i]);
    advise(403, NULL, dealer->property_ids[i]);
  }
  return ok;
}

/* ---------------------------------------------------------------- metadata, runReport */

static int list_size(const cJSON *j, const char *key)
{
  return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(j, key));
}

static bool check_metadata(const struct cli_google *c, const char *base, const char *id)
{
  __attribute__((cleanup(answer_clear))) struct answer a = {.end = WAIT_ONCE_INIT};
  AUTO_JSON cJSON *j = NULL;
  AUTO_FREE char *url = xasprintf("%s/v1beta/properties/%s/metadata", base, id);
  ask(&a, c, url, NULL);
  if (!good(&j, &a, "metadata", id))
    return false;
  cli_step(true, "metadata", "property %s: %d dimensions, %d metrics, in %lld ms", id,
           list_size(j, "dimensions"), list_size(j, "metrics"), (long long)a.ms);
  return true;
}

static bool check_report(const struct cli_google *c, const char *base, const char *id)
{
  static const char body[] = "{\"dateRanges\":[{\"startDate\":\"7daysAgo\",\"endDate\":"
                             "\"yesterday\"}],\"metrics\":[{\"name\":\"sessions\"}],\"limit\":"
                             "\"1\"}";
  __attribute__((cleanup(answer_clear))) struct answer a = {.end = WAIT_ONCE_INIT};
  AUTO_JSON cJSON *j = NULL;
  AUTO_FREE char *url = xasprintf("%s/v1beta/properties/%s:runReport", base, id);
  ask(&a, c, url, body);
  if (!good(&j, &a, "runReport", id))
    return false;
  const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(j, "rows"), 0);
  const cJSON *value = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(row, "metricValues"), 0);
  const char *sessions = json_get_string(value, "value");
  cli_step(true, "runReport", "property %s: %s sessions in the last 7 days, in %lld ms", id,
           sessions != NULL ? sessions : "no", (long long)a.ms);
  return true;
}

bool cli_check_property(const struct cli_google *c, const char *property_id)
{
  const char *base = c->settings->ga4_data;
  bool ok = check_metadata(c, base, property_id);
  return check_report(c, base, property_id) && ok;
}
