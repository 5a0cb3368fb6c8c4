/* Data API v1beta and Admin API v1beta: authentication, faults, quota, methods. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/api/api.h"
#include "ga4-sim/api/methods.h"
#include "ga4-sim/report/messages.h"
#include "ga4-sim/report/report.h"
#include "ga4-sim/report/transcode.h"
#include "ga4-sim/sim/caller.h"

enum { ARENA_MAX = 64 * 1024 * 1024 };

enum method { METHOD_NONE, METHOD_RUN_REPORT, METHOD_METADATA, METHOD_SUMMARIES, METHOD_PROPERTY };

struct call {
  enum method method;
  char property[64]; /* as in the path */
  const char *rpc, *service;
  enum fault_endpoint endpoint;
  int64_t identity;
  const struct world_property *target;
  unsigned project;
};

#define DATA "google.analytics.data.v1beta.BetaAnalyticsData."
#define ADMIN "google.analytics.admin.v1beta.AnalyticsAdminService."

static const struct {
  enum method method;
  const char *verb, *before, *after, *rpc;
  enum fault_endpoint endpoint;
} routes[] = {
    {METHOD_RUN_REPORT, "POST", "/v1beta/properties/", ":runReport", DATA "RunReport",
     ENDPOINT_REPORT},
    {METHOD_METADATA, "GET", "/v1beta/properties/", "/metadata", DATA "GetMetadata",
     ENDPOINT_REPORT},
    {METHOD_SUMMARIES, "GET", "/v1beta/accountSummaries", "", ADMIN "ListAccountSummaries",
     ENDPOINT_ADMIN},
    {METHOD_PROPERTY, "GET", "/v1beta/properties/", "", ADMIN "GetProperty", ENDPOINT_ADMIN},
};

static bool route(const struct request *q, struct call *c)
{
  for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
    size_t before = strlen(routes[i].before), after = strlen(routes[i].after);
    size_t n = strlen(q->path);
    if (strcmp(q->method, routes[i].verb) != 0 || n < before + after ||
        strncmp(q->path, routes[i].before, before) != 0 ||
        strcmp(q->path + n - after, routes[i].after) != 0)
      continue;
    size_t id = n - before - after;
    bool named = routes[i].method != METHOD_SUMMARIES;
    if (named ? id == 0 || id >= sizeof(c->property) : id != 0)
      continue;
    memcpy(c->property, q->path + before, id);
    c->property[id] = '\0';
    if (strpbrk(c->property, "/:") != NULL)
      continue;
    c->method = routes[i].method;
    c->rpc = routes[i].rpc;
    c->endpoint = routes[i].endpoint;
    c->service = c->endpoint == ENDPOINT_ADMIN ? "analyticsadmin.googleapis.com"
                                               : "analyticsdata.googleapis.com";
    return true;
  }
  return false;
}

static void reply_disabled(const struct call *c, struct reply *r)
{
  const char *api =
      c->endpoint == ENDPOINT_ADMIN ? "Google Analytics Admin API" : "Google Analytics Data API";
  AUTO_FREE char *url = xasprintf("https://console.developers.google.com/apis/api/%s/overview?"
                                  "project=123456789012",
                                  c->service);
  AUTO_FREE char *text = xasprintf(
      "%s has not been used in project 123456789012 before or it is disabled. Enable it by "
      "visiting %s then retry. If you enabled this API recently, wait a few minutes for the "
      "action to propagate to our systems and retry.",
      api, url);
  reply_google_error(r, 403, "PERMISSION_DENIED", text,
                     reply_error_info("SERVICE_DISABLED", "consumer", "projects/123456789012",
                                      "containerInfo", "123456789012", "service", c->service,
                                      "activationUrl", url, NULL));
}

static void reply_denied(struct reply *r)
{
  reply_google_error(r, 403, "PERMISSION_DENIED",
                     "User does not have sufficient permissions for this property. To learn more "
                     "about Property ID, see "
                     "https://developers.google.com/analytics/devguides/reporting/data/v1/"
                     "property-id.",
                     NULL);
}

static void reply_exhausted(enum quota_verdict verdict, struct reply *r)
{
  reply_google_error(r, 429, "RESOURCE_EXHAUSTED", quota_message(verdict), NULL);
}

static void reply_scopes(const struct call *c, struct reply *r)
{
  reply_insufficient_scopes(r, c->rpc, c->service,
                            "https://www.googleapis.com/auth/analytics.readonly");
}

/* Who is asking; answers 401 or 403 and returns false when nobody who may is. */
static bool authenticate(struct sim *s, const struct request *q, struct call *c, struct reply *r)
{
  struct caller caller;
  enum caller_verdict verdict = caller_read(s, q->authorization, &caller);
  if (verdict != CALLER_KNOWN) {
    stats_count(s->stats, IDENTITY_NONE, STATS_UNAUTHENTICATED);
    if (verdict == CALLER_MISSING)
      reply_no_credentials(r, c->rpc, c->service);
    else
      reply_bad_credentials(r);
    return false;
  }
  if (!(caller.scopes & SCOPES_READ_ANALYTICS)) {
    reply_scopes(c, r);
    return false;
  }
  /* Who has no role on any property is denied at the property. */
  c->identity =
      caller.reads && caller.identity != IDENTITY_OPERATOR ? caller.identity : IDENTITY_NONE;
  c->project = caller.kind == TOKEN_USER ? 0 : 1;
  return true;
}

/* True when a fault answered. Faults that spoil a good answer only mark it. */
static bool api_fault(struct sim *s, const struct call *c, int64_t property, struct reply *r)
{
  struct fault_effect x = faults_take(s->faults, property, c->endpoint);
  sim_wait(s, x.delay_ms + s->options->latency_ms);
  switch (x.kind) {
  case FAULT_401:
    reply_bad_credentials(r);
    return true;
  case FAULT_403:
    reply_denied(r);
    return true;
  case FAULT_403_SCOPES:
    reply_scopes(c, r);
    return true;
  case FAULT_403_DISABLED:
    reply_disabled(c, r);
    return true;
  case FAULT_429_HOURLY:
    reply_exhausted(QUOTA_EXHAUSTED_PROJECT_HOUR, r);
    return true;
  case FAULT_429_DAILY:
    reply_exhausted(QUOTA_EXHAUSTED_DAY, r);
    return true;
  case FAULT_429_CONCURRENT:
    reply_exhausted(QUOTA_EXHAUSTED_CONCURRENT, r);
    return true;
  case FAULT_500:
    reply_google_error(r, 500, "INTERNAL", "Internal error encountered.", NULL);
    return true;
  case FAULT_503:
    reply_google_error(r, 503, "UNAVAILABLE", "The service is currently unavailable.", NULL);
    return true;
  case FAULT_400:
    reply_google_error(r, 400, "INVALID_ARGUMENT", "Request contains an invalid argument.", NULL);
    return true;
  default:
    return reply_spoil(r, &x);
  }
}

/* Finds the property and whether the caller may read it. */
static bool authorize(struct sim *s, struct call *c, struct reply *r)
{
  size_t digits = strspn(c->property, "0123456789");
  if (c->property[digits] != '\0' || digits > 18) {
    AUTO_FREE char *text =
        xasprintf("Invalid property ID: %s. A numeric Property ID is required. To learn more about "
                  "Property ID, see "
                  "https://developers.google.com/analytics/devguides/reporting/data/v1/"
                  "property-id.",
                  c->property);
    reply_google_error(r, 400, "INVALID_ARGUMENT", text, NULL);
    return false;
  }
  int64_t id = 0;
  for (size_t i = 0; i < digits; i++)
    id = id * 10 + (c->property[i] - '0');
  c->target = world_property_find(s->world, id);
  /* properties/0 is the schema common to all; nobody owns it. */
  if (c->method == METHOD_METADATA && id == 0)
    return true;
  if (c->target == NULL ||
      (c->identity != IDENTITY_SERVICE_ACCOUNT && c->identity != (int64_t)c->target->index)) {
    reply_denied(r);
    return false;
  }
  return true;
}

static void reply_transcode_errors(struct transcode_errors *x, struct reply *r)
{
  cJSON *list = cJSON_CreateArray(), *bad = cJSON_CreateObject();
  cJSON_AddStringToObject(bad, "@type", "type.googleapis.com/google.rpc.BadRequest");
  cJSON_AddItemToObject(bad, "fieldViolations", x->violations);
  x->violations = NULL;
  cJSON_AddItemToArray(list, bad);
  reply_google_error(r, 400, "INVALID_ARGUMENT", buf_str(&x->message), list);
}

static void run_report(struct sim *s, const struct request *q, const struct call *c,
                       const cJSON *tree, struct reply *r)
{
  struct arena *arena = arena_new(ARENA_MAX);
  AUTO_FREE struct report_request *request = xcalloc(1, sizeof(*request));
  struct err e = {0};
  const struct report_style style = {.enums_as_numbers = q->enums_as_numbers};
  if (request_read(request, tree, c->target, world_today(s->world, c->target), arena, &e) !=
          ERR_OK ||
      report_run(s->world, request, s->quota, c->project, &style, &r->body, &e) != ERR_OK)
    reply_err(r, &e);
  else
    stats_count(s->stats, (int64_t)c->target->index, STATS_REPORT_OK);
  arena_free(arena);
}

static void dispatch(struct sim *s, const struct request *q, const struct call *c,
                     const cJSON *tree, struct reply *r)
{
  switch (c->method) {
  case METHOD_RUN_REPORT:
    run_report(s, q, c, tree, r);
    break;
  case METHOD_METADATA:
    metadata_render(c->target, q->enums_as_numbers, &r->body);
    break;
  case METHOD_SUMMARIES:
    admin_account_summaries(s->world, c->identity, q, r);
    break;
  case METHOD_PROPERTY:
    admin_property(s->world, c->target, q->enums_as_numbers, &r->body);
    break;
  case METHOD_NONE:
    break;
  }
}

/* Data API calls stand under the property's quota; the Admin API has its own, which
 * no test comes near. */
static void serve(struct sim *s, const struct request *q, const struct call *c, const cJSON *tree,
                  struct reply *r)
{
  int64_t property = c->target != NULL ? (int64_t)c->target->index : c->identity;
  int64_t now = clock_unix_ms();
  bool metered = c->endpoint == ENDPOINT_REPORT && c->target != NULL;
  stats_count(s->stats, property >= 0 ? property : IDENTITY_NONE,
              c->endpoint == ENDPOINT_REPORT ? STATS_REPORT_REQUEST : STATS_ADMIN_REQUEST);
  if (metered) {
    enum quota_verdict verdict = quota_enter(s->quota, (size_t)property, c->project, now);
    if (verdict != QUOTA_OK) {
      stats_count(s->stats, property, STATS_QUOTA_REFUSED);
      reply_exhausted(verdict, r);
      return;
    }
  }
  if (!api_fault(s, c, property, r))
    dispatch(s, q, c, tree, r);
  if (metered) {
    if (r->status >= 500)
      quota_server_error(s->quota, (size_t)property, c->project, now);
    quota_leave(s->quota, (size_t)property);
  }
}

void api_handle(struct sim *s, const struct request *q, struct reply *r)
{
  struct call c = {.identity = IDENTITY_NONE};
  r->pretty = !q->compact;
  if (!route(q, &c)) {
    reply_not_found(r, q->path);
    return;
  }
  if (!authenticate(s, q, &c, r))
    return;
  struct transcode_errors errors = {0};
  AUTO_JSON cJSON *tree =
      c.method == METHOD_RUN_REPORT
          ? transcode_request(q->body, q->body_len, &message_run_report_request, &errors)
          : cJSON_CreateObject();
  if (tree == NULL) {
    reply_transcode_errors(&errors, r);
  } else if (c.method == METHOD_SUMMARIES || authorize(s, &c, r)) {
    int64_t property = c.target != NULL ? (int64_t)c.target->index : IDENTITY_NONE;
    stats_enter(s->stats, property);
    serve(s, q, &c, tree, r);
    stats_leave(s->stats, property);
  }
  transcode_errors_free(&errors);
}
