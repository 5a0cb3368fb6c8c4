/* IAM Credentials API: generateAccessToken (service-account impersonation). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/login/login.h"
#include "ga4-sim/sim/caller.h"

enum { LIFETIME_MAX_S = 3600, EMAIL_MAX = 128, DELEGATES_MAX = 8 };

#define PREFIX "projects/-/serviceAccounts/"
#define METHOD "google.iam.credentials.v1.IAMCredentials.GenerateAccessToken"

static void bad(struct reply *r, const char *text)
{
  reply_google_error(r, 400, "INVALID_ARGUMENT", text, NULL);
}

static void deny(struct reply *r)
{
  reply_google_error(
      r, 403, "PERMISSION_DENIED",
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      reply_error_info_of("IAM_PERMISSION_DENIED", "iam.googleapis.com", "permission",
                          "iam.serviceAccounts.getAccessToken", NULL));
}

/* Answers 401 or 403 and returns false unless a caller with a fitting scope is known. */
static bool authenticate(struct sim *s, const struct request *q, struct caller *c, struct reply *r)
{
  static const char service[] = "iamcredentials.googleapis.com";
  switch (caller_read(s, q->authorization, c)) {
  case CALLER_MISSING:
    reply_no_credentials(r, METHOD, service);
    return false;
  case CALLER_INVALID:
    reply_bad_credentials(r);
    return false;
  case CALLER_KNOWN:
    break;
  }
  if (c->scopes & SCOPES_IMPERSONATE)
    return true;
  reply_insufficient_scopes(r, METHOD, service, "https://www.googleapis.com/auth/cloud-platform");
  return false;
}

/* The account in /v1/projects/-/serviceAccounts/{email}:generateAccessToken. */
static const struct service_account *target_of(const struct sim *s, const char *path)
{
  static const char after[] = ":generateAccessToken";
  char email[EMAIL_MAX];
  const char *from = strstr(path, "/serviceAccounts/"), *end = strrchr(path, ':');
  if (from == NULL || end == NULL || strcmp(end, after) != 0)
    return NULL;
  from += strlen("/serviceAccounts/");
  if (end <= from || (size_t)(end - from) >= sizeof(email))
    return NULL;
  memcpy(email, from, (size_t)(end - from));
  email[end - from] = '\0';
  return service_accounts_by_email(s->service_accounts, email);
}

/* "3600s" or "3.5s"; absent is one hour. False when it is not a duration or out of bounds. */
static bool read_lifetime(const cJSON *body, int64_t *seconds)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "lifetime");
  char *end = NULL;
  *seconds = LIFETIME_MAX_S;
  if (item == NULL)
    return true;
  if (!cJSON_IsString(item) || item->valuestring[strspn(item->valuestring, "0123456789.")] != 's')
    return false;
  double value = strtod(item->valuestring, &end);
  *seconds = (int64_t)value;
  return end != item->valuestring && strcmp(end, "s") == 0 && value >= 1 && value <= LIFETIME_MAX_S;
}

static bool read_scopes(const cJSON *body, uint32_t *scopes)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "scope"), *item;
  *scopes = 0;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
    return false;
  cJSON_ArrayForEach(item, list)
  {
    uint32_t bit =
        cJSON_IsString(item) ? scope_bit(item->valuestring, strlen(item->valuestring)) : 0;
    if (bit == 0)
      return false;
    *scopes |= bit;
  }
  return true;
}

/* Each delegate must be permitted to act as the next, the last one as the target. */
static bool follow_delegates(const struct sim *s, const cJSON *body, struct caller *c)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "delegates"), *item;
  if (list == NULL)
    return true;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > DELEGATES_MAX)
    return false;
  cJSON_ArrayForEach(item, list)
  {
    const char *name = cJSON_IsString(item) ? item->valuestring : "";
    if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
      name += strlen(PREFIX);
    const struct service_account *next = service_accounts_by_email(s->service_accounts, name);
    if (next == NULL || !caller_may_act_as(c, next) ||
        service_account_state(s->service_accounts, next) == SERVICE_ACCOUNT_DELETED)
      return false;
    *c = (struct caller){
        .kind = TOKEN_SERVICE_ACCOUNT, .identity = next->identity, .may_impersonate = true};
  }
  return true;
}

static void issue(struct sim *s, const struct service_account *a, uint32_t scopes, int64_t life,
                  struct reply *r)
{
  char text[TOKEN_MAX_BYTES], until[32];
  int64_t expires = clock_unix_ms() / 1000 + life;
  const struct token token = {.identity = a->identity,
                              .kind = TOKEN_SERVICE_ACCOUNT,
                              .scopes = scopes,
                              .expires_unix_s = expires};
  tokens_issue(&s->tokens, &token, text, sizeof(text));
  clock_format_rfc3339(expires * 1000, until, sizeof(until));
  buf_clear(&r->body);
  /* Whole seconds, as Google prints them. */
  buf_printf(&r->body, "{\"accessToken\":\"%s\",\"expireTime\":\"%.19sZ\"}", text, until);
  r->no_store = true;
  stats_count(s->stats, a->identity >= 0 ? a->identity : IDENTITY_NONE, STATS_IAM_ISSUED);
}

static void generate(struct sim *s, const struct request *q, const struct service_account *a,
                     struct caller *c, struct reply *r)
{
  AUTO_JSON cJSON *body = NULL;
  struct err e;
  uint32_t scopes;
  int64_t life;
  if (json_parse(&body, q->body, q->body_len, NULL, &e) != ERR_OK || !cJSON_IsObject(body)) {
    bad(r, "Invalid JSON payload received. Unexpected token.");
  } else if (!read_scopes(body, &scopes)) {
    bad(r, cJSON_GetObjectItemCaseSensitive(body, "scope") == NULL
               ? "The scope field is required."
               : "Request contains an invalid argument.");
  } else if (!read_lifetime(body, &life)) {
    bad(r, "The access token lifetime must be positive and cannot exceed 3600s.");
  } else if (!follow_delegates(s, body, c) || a == NULL || !caller_may_act_as(c, a)) {
    deny(r);
  } else if (service_account_state(s->service_accounts, a) == SERVICE_ACCOUNT_DELETED) {
    AUTO_FREE char *text = xasprintf("Not found; Gaia id not found for email %s", a->email);
    reply_google_error(r, 404, "NOT_FOUND", text, NULL);
  } else {
    uint32_t usual = s->options->token_lifetime_s;
    issue(s, a, scopes, life > (int64_t)usual + 1 ? (int64_t)usual : life, r);
  }
}

void iam_generate_access_token(struct sim *s, const struct request *q, struct reply *r)
{
  const struct service_account *a = target_of(s, q->path);
  int64_t property = a != NULL && a->identity >= 0 ? a->identity : IDENTITY_NONE;
  struct caller c;
  r->pretty = !q->compact;
  stats_count(s->stats, property, STATS_IAM_REQUEST);
  if (!identity_fault(s, property, ENDPOINT_IAM, r) && authenticate(s, q, &c, r))
    generate(s, q, a, &c, r);
}
