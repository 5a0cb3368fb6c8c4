/* What every API call goes through: route, authentication, body, property, quota, faults. */
#include "ga4-sim/api/api.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/api/call.h"
#include "ga4-sim/api/partial.h"
#include "ga4-sim/sim/caller.h"

static void reply_disabled(const struct call *c, struct reply *r)
{
  const char *api = c->route->faults == ENDPOINT_ADMIN ? "Google Analytics Admin API"
                                                       : "Google Analytics Data API";
  AUTO_FREE char *url = xasprintf("https://console.developers.google.com/apis/api/%s/overview?"
                                  "project=123456789012",
                                  route_service(c->route));
  AUTO_FREE char *text = xasprintf(
      "%s has not been used in project 123456789012 before or it is disabled. Enable it by "
      "visiting %s then retry. If you enabled this API recently, wait a few minutes for the "
      "action to propagate to our systems and retry.",
      api, url);
  reply_google_error(r, 403, "PERMISSION_DENIED", text,
                     reply_error_info("SERVICE_DISABLED", "consumer", "projects/123456789012",
                                      "containerInfo", "123456789012", "service",
                                      route_service(c->route), "activationUrl", url, NULL));
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

/* The limit of requests per minute, which the Admin API's documentation gives as a 403. */
static void reply_rate_limited(const struct call *c, struct reply *r)
{
  AUTO_FREE char *text =
      xasprintf("Quota exceeded for quota metric 'Requests' and limit 'Requests per minute per "
                "user' of service '%s' for consumer 'project_number:123456789012'.",
                route_service(c->route));
  reply_google_error(r, 403, "PERMISSION_DENIED", text,
                     reply_error_info("rateLimitExceeded", "service", route_service(c->route),
                                      "consumer", "projects/123456789012", NULL));
}

static void reply_scopes(const struct call *c, struct reply *r)
{
  reply_insufficient_scopes(r, c->route->rpc, route_service(c->route),
                            "https://www.googleapis.com/auth/analytics.readonly");
}

/* Who is asking; answers 401 or 403 and returns false when nobody who may is. */
static bool authenticate(struct call *c, struct reply *r)
{
  struct sim *s = c->sim;
  struct caller caller;
  enum caller_verdict verdict = caller_read(s, c->request->authorization, &caller);
  if (verdict != CALLER_KNOWN) {
    stats_count(s->stats, IDENTITY_NONE, STATS_UNAUTHENTICATED);
    if (verdict == CALLER_MISSING)
      reply_no_credentials(r, c->route->rpc, route_service(c->route));
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
  c->first = caller.first;
  c->count = caller.count;
  c->project = caller.kind == TOKEN_USER ? 0 : 1;
  return true;
}

/* The row at which the page asked for begins; of a batch, the furthest. */
static int64_t first_row(const cJSON *body)
{
  const cJSON *offset = cJSON_GetObjectItemCaseSensitive(body, "offset"), *one;
  double row = cJSON_IsNumber(offset) ? offset->valuedouble : 0;
  cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(body, "requests"))
  {
    offset = cJSON_GetObjectItemCaseSensitive(one, "offset");
    if (cJSON_IsNumber(offset) && offset->valuedouble > row)
      row = offset->valuedouble;
  }
  return (int64_t)row;
}

/* True when a fault answered. Faults that spoil a good answer only mark it. */
static bool api_fault(struct call *c, int64_t property, struct reply *r)
{
  struct sim *s = c->sim;
  struct fault_effect x = faults_take_at(s->faults, property, c->route->faults, first_row(c->body));
  c->conditions.unknown_enum |= x.kind == FAULT_UNKNOWN_ENUM;
  c->conditions.reverse_ties |= x.kind == FAULT_TIE_REORDER;
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
  case FAULT_429_THRESHOLDED:
    reply_exhausted(QUOTA_EXHAUSTED_THRESHOLDED, r);
    return true;
  case FAULT_429_SERVER_ERRORS:
    reply_exhausted(QUOTA_EXHAUSTED_SERVER_ERRORS, r);
    return true;
  case FAULT_403_RATE:
    reply_rate_limited(c, r);
    return true;
  case FAULT_EMPTY_OBJECT:
    buf_puts(&r->body, "{}");
    return true;
  case FAULT_ERROR_200:
    reply_google_error(r, 500, "INTERNAL", "Internal error encountered.", NULL);
    r->status = 200;
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

/* Whether the property of this index is open to the caller. */
static bool may_read(const struct call *c, size_t index)
{
  if (c->identity >= IDENTITY_CONSENT)
    return index >= c->first && index - c->first < c->count;
  return c->identity == IDENTITY_SERVICE_ACCOUNT || c->identity == (int64_t)index;
}

/* Finds the property and whether the caller may read it. */
static bool authorize(struct call *c, struct reply *r)
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
  c->target = world_property_find(c->sim->world, id);
  /* properties/0 is the schema common to all; nobody owns it. */
  if (c->route->subject == SUBJECT_PROPERTY_OR_SCHEMA && id == 0)
    return true;
  if (c->target == NULL || !may_read(c, c->target->index)) {
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

/* Data API calls stand under the property's quota; the Admin API has its own, which
 * no test comes near. */
static void serve(struct call *c, struct reply *r)
{
  struct sim *s = c->sim;
  int64_t property = c->target != NULL                 ? (int64_t)c->target->index
                     : c->identity >= IDENTITY_CONSENT ? IDENTITY_NONE
                                                       : c->identity;
  int64_t now = clock_unix_ms();
  if (c->target != NULL)
    c->conditions = conditions_of(s->conditions, c->target->index);
  bool metered = c->route->quota != QUOTA_NONE && c->target != NULL;
  struct quota_account books = {(size_t)property, c->route->quota, c->project};
  stats_count(s->stats, property >= 0 ? property : IDENTITY_NONE,
              c->route->faults == ENDPOINT_REPORT ? STATS_REPORT_REQUEST : STATS_ADMIN_REQUEST);
  if (metered) {
    enum quota_verdict verdict = quota_enter(s->quota, books, now);
    if (verdict != QUOTA_OK) {
      stats_count(s->stats, property, STATS_QUOTA_REFUSED);
      reply_exhausted(verdict, r);
      return;
    }
  }
  if (!api_fault(c, property, r))
    c->route->handle(c, r);
  if (metered) {
    if (r->status == 500 || r->status == 503) /* those that Google counts */
      quota_server_error(s->quota, books, now);
    quota_leave(s->quota, books);
  }
}

/* Google's front end refuses a parameter with the field's name in the details. */
static void reply_bad_parameter(struct reply *r, const char *field, const char *description)
{
  cJSON *list = cJSON_CreateArray(), *bad = cJSON_CreateObject();
  cJSON_AddStringToObject(bad, "@type", "type.googleapis.com/google.rpc.BadRequest");
  cJSON *violation = cJSON_CreateObject();
  cJSON_AddStringToObject(violation, "field", field);
  cJSON_AddStringToObject(violation, "description", description);
  cJSON_AddItemToArray(cJSON_AddArrayToObject(bad, "fieldViolations"), violation);
  cJSON_AddItemToArray(list, bad);
  reply_google_error(r, 400, "INVALID_ARGUMENT", description, list);
}

/* Reads alt and fields. False: the reply says what is wrong. *mask NULL: the whole answer. */
static bool read_parameters(const struct call *c, cJSON **mask, struct reply *r)
{
  const char *alt = request_system_parameter(c->request, "alt");
  const char *fields = request_system_parameter(c->request, "fields");
  struct err e;
  *mask = NULL;
  if (fields == NULL) /* the header by which Google's clients ask for the same */
    fields = request_header(c->request, "X-Goog-FieldMask");
  if (alt != NULL && strcmp(alt, "json") != 0 && strncmp(alt, "json;", 5) != 0) {
    AUTO_FREE char *text = xasprintf("Invalid value at 'alt', \"%s\": must be json.", alt);
    reply_bad_parameter(r, "alt", text);
    return false;
  }
  if (fields == NULL || fields[0] == '\0')
    return true;
  *mask = partial_read(fields, c->route->response, &e);
  if (*mask == NULL)
    reply_bad_parameter(r, "fields", e.message);
  return *mask != NULL;
}

static void cut_out(const cJSON *mask, struct reply *r)
{
  AUTO_JSON cJSON *whole = r->status == 200 ? cJSON_Parse(buf_str(&r->body)) : NULL;
  if (whole == NULL)
    return; /* an error, or a fault's own body */
  partial_apply(whole, mask);
  reply_json(r, 200, whole);
}

static void enter(struct call *c, struct reply *r)
{
  int64_t property = c->target != NULL ? (int64_t)c->target->index : IDENTITY_NONE;
  stats_enter(c->sim->stats, property);
  serve(c, r);
  stats_leave(c->sim->stats, property);
}

void api_handle(struct sim *s, const struct request *q, struct reply *r)
{
  struct call c = {.sim = s, .request = q, .identity = IDENTITY_NONE};
  r->pretty = !q->compact;
  c.route = route_find(q->method, q->path, c.property);
  if (c.route == NULL) {
    reply_not_found(r, q->path);
    return;
  }
  AUTO_JSON cJSON *mask = NULL;
  if (!authenticate(&c, r) || !read_parameters(&c, &mask, r))
    return;
  struct transcode_errors errors = {0};
  AUTO_JSON cJSON *tree = c.route->body == NULL
                              ? cJSON_CreateObject()
                              : transcode_request(q->body, q->body_len, c.route->body, &errors);
  c.body = tree;
  if (tree == NULL)
    reply_transcode_errors(&errors, r);
  else if (c.route->subject == SUBJECT_CALLER || authorize(&c, r))
    enter(&c, r);
  if (mask != NULL)
    cut_out(mask, r);
  transcode_errors_free(&errors);
}
