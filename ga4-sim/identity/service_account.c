/* Service-account keys and RS256 assertions. */
#include "ga4-sim/identity/service_account.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/jwt.h"

enum { CLOCK_SKEW_S = 300, LIFETIME_MAX_S = 3600 };

struct service_accounts {
  struct keyring *keys;
  size_t count; /* [0] is the agency's, [1 + i] that of property i */
  struct service_account *list;
  atomic_int *states;
};

static void describe(struct service_account *a, const char *name, int64_t identity, uint64_t seed)
{
  a->identity = identity;
  snprintf(a->name, sizeof(a->name), "%s", identity < 0 ? "agency" : name);
  snprintf(a->email, sizeof(a->email), "%.31s-reports@ga4-sim-%llu.iam.gserviceaccount.com", name,
           (unsigned long long)seed);
  snprintf(a->client_id, sizeof(a->client_id), "1%05u%015llu", (unsigned)(identity + 2) % 100000u,
           (unsigned long long)(seed % UINT64_C(1000000000000000)));
}

struct service_accounts *service_accounts_new(const struct world *w, struct keyring *keys)
{
  struct service_accounts *a = xcalloc(1, sizeof(*a));
  a->keys = keys;
  a->count = w->property_count + 1;
  a->list = xcalloc(a->count, sizeof(*a->list));
  a->states = xcalloc(a->count, sizeof(*a->states));
  describe(&a->list[0], "dealer", IDENTITY_SERVICE_ACCOUNT, w->params.seed);
  for (size_t i = 0; i < w->property_count; i++)
    describe(&a->list[i + 1], w->properties[i].dealer_id, (int64_t)i, w->params.seed);
  return a;
}

void service_accounts_free(struct service_accounts *a)
{
  if (a == NULL)
    return;
  free(a->list);
  free(a->states);
  free(a);
}

const struct service_account *service_accounts_by_email(const struct service_accounts *a,
                                                        const char *email)
{
  for (size_t i = 0; i < a->count; i++)
    if (strcmp(a->list[i].email, email) == 0)
      return &a->list[i];
  return NULL;
}

const struct service_account *service_accounts_of(const struct service_accounts *a,
                                                  int64_t identity)
{
  for (size_t i = 0; i < a->count; i++)
    if (a->list[i].identity == identity)
      return &a->list[i];
  return NULL;
}

enum service_account_state service_account_state(const struct service_accounts *a,
                                                 const struct service_account *account)
{
  return (enum service_account_state)atomic_load(&a->states[account - a->list]);
}

void service_account_set_state(struct service_accounts *a, const struct service_account *account,
                               enum service_account_state state)
{
  atomic_store(&a->states[account - a->list], (int)state);
}

static EVP_PKEY *key_of(struct service_accounts *a, const struct service_account *account,
                        bool make)
{
  char name[64];
  snprintf(name, sizeof(name), "service-account/%s", account->name);
  return keyring_get(a->keys, name, make ? "RS256" : NULL);
}

bool service_account_key_json(struct service_accounts *a, const struct service_account *account,
                              const char *base_url, struct buf *out)
{
  EVP_PKEY *key = key_of(a, account, true);
  AUTO_BUF struct buf pem = BUF_INIT(16 * 1024);
  char key_id[KEY_ID_SIZE];
  if (key == NULL || !keyring_pem(key, &pem))
    return false;
  jwt_key_id(key, key_id);
  AUTO_FREE char *token_uri = xasprintf("%s/token", base_url);
  AUTO_JSON cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "type", "service_account");
  cJSON_AddStringToObject(j, "project_id", "ga4-sim");
  cJSON_AddStringToObject(j, "private_key_id", key_id);
  cJSON_AddStringToObject(j, "private_key", buf_str(&pem));
  cJSON_AddStringToObject(j, "client_email", account->email);
  cJSON_AddStringToObject(j, "client_id", account->client_id);
  cJSON_AddStringToObject(j, "auth_uri", "https://accounts.google.com/o/oauth2/auth");
  cJSON_AddStringToObject(j, "token_uri", token_uri);
  cJSON_AddStringToObject(j, "universe_domain", "googleapis.com");
  AUTO_FREE char *text = cJSON_PrintUnformatted(j);
  return text != NULL && buf_puts(out, text);
}

static bool refuse(struct jwt_error *why, int status, const char *error, const char *description)
{
  *why = (struct jwt_error){status, error, description};
  return false;
}

/* The account that has the key a header names; NULL when none has. */
static const struct service_account *by_key_id(struct service_accounts *a, const char *kid)
{
  char own[KEY_ID_SIZE];
  for (size_t i = 0; kid != NULL && i < a->count; i++) {
    EVP_PKEY *key = key_of(a, &a->list[i], false);
    if (key == NULL)
      continue;
    jwt_key_id(key, own);
    if (strcmp(own, kid) == 0)
      return &a->list[i];
  }
  return NULL;
}

/* A key that was deleted, or never made, signs nothing; a kid must be the key's own. */
static bool signed_by(struct service_accounts *a, const struct service_account *account,
                      const struct jwt *j)
{
  EVP_PKEY *key = key_of(a, account, false);
  const cJSON *kid = cJSON_GetObjectItemCaseSensitive(j->header, "kid");
  char own[KEY_ID_SIZE];
  if (key == NULL || service_account_state(a, account) == SERVICE_ACCOUNT_KEY_DELETED)
    return false;
  jwt_key_id(key, own);
  return (kid == NULL || (cJSON_IsString(kid) && strcmp(kid->valuestring, own) == 0)) &&
         jwt_signed_by(j, key, "RS256");
}

/* Signature, then issuer. An issuer nobody knows has no keys: its assertion is judged by
 * the key its header names, and when that is unknown too the account was not found (the
 * answer for a deleted account). */
static bool check_signer(struct service_accounts *a, const struct jwt *j, struct assertion *out,
                         struct jwt_error *why)
{
  const char *iss = json_get_string(j->claims, "iss"), *alg = json_get_string(j->header, "alg");
  const struct service_account *account = iss == NULL ? NULL : service_accounts_by_email(a, iss);
  if (account != NULL && service_account_state(a, account) == SERVICE_ACCOUNT_DELETED)
    return refuse(why, 400, "invalid_grant", "Invalid grant: account not found");
  const struct service_account *signer =
      account != NULL ? account : by_key_id(a, json_get_string(j->header, "kid"));
  if (alg == NULL || strcmp(alg, "RS256") != 0 || (signer != NULL && !signed_by(a, signer, j)))
    return refuse(why, 400, "invalid_grant", "Invalid JWT Signature.");
  if (account == NULL)
    return refuse(why, 400, "invalid_grant", "Invalid grant: account not found");
  out->account = account;
  return true;
}

static bool window_is_good(const cJSON *claims, int64_t now, int64_t *expires)
{
  double iat = json_get_number(claims, "iat", -1), exp = json_get_number(claims, "exp", -1);
  *expires = exp > 0 && exp < 1e12 ? (int64_t)exp : 0;
  return iat >= 0 && exp > (double)now && exp > iat && exp <= iat + LIFETIME_MAX_S &&
         iat <= (double)(now + CLOCK_SKEW_S);
}

/* Of any host: the name a client reaches us by is not known here. */
static bool is_token_endpoint(const char *aud)
{
  static const char path[] = "/token";
  size_t n = aud == NULL ? 0 : strlen(aud);
  return n >= sizeof(path) && strcmp(aud + n - (sizeof(path) - 1), path) == 0;
}

bool service_account_check_grant(struct service_accounts *a, const char *jwt, int64_t now_unix_s,
                                 struct assertion *out, struct jwt_error *why)
{
  AUTO_JWT struct jwt j;
  unsigned unknown;
  *out = (struct assertion){0};
  if (!jwt_read(&j, jwt))
    return refuse(why, 400, "invalid_request", "Bad Request");
  if (!check_signer(a, &j, out, why))
    return false;
  if (cJSON_GetObjectItemCaseSensitive(j.claims, "iat") == NULL)
    return refuse(why, 400, "invalid_grant", "Invalid JWT: iat (issued at) is not set.");
  if (!window_is_good(j.claims, now_unix_s, &out->expires_unix_s))
    return refuse(why, 400, "invalid_grant",
                  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
                  "timeframe. Check your iat and exp values in the JWT claim.");
  const char *scope = json_get_string(j.claims, "scope"), *sub = json_get_string(j.claims, "sub");
  if (scope == NULL || scope[strspn(scope, " ")] == '\0')
    return refuse(why, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  if (!is_token_endpoint(json_get_string(j.claims, "aud")))
    return refuse(why, 400, "invalid_grant", "Invalid JWT: Failed audience check.");
  /* Nobody granted these accounts domain-wide delegation. */
  if (sub != NULL && strcmp(sub, out->account->email) != 0)
    return refuse(why, 401, "unauthorized_client",
                  "Client is unauthorized to retrieve access tokens using this method, or client "
                  "not authorized for any of the scopes requested.");
  out->scopes = scopes_read(scope, &unknown);
  return true;
}

static bool is_api(const char *aud)
{
  static const char *const apis[] = {
      "https://analyticsdata.googleapis.com", "https://analyticsadmin.googleapis.com",
      "https://iamcredentials.googleapis.com", "http://127.0.0.1", "http://localhost"};
  for (size_t i = 0; i < ARRAY_LEN(apis); i++) {
    size_t n = strlen(apis[i]);
    if (strncmp(aud, apis[i], n) == 0 && (aud[n] == '\0' || aud[n] == '/' || aud[n] == ':'))
      return true;
  }
  return false;
}

bool service_account_check_bearer(struct service_accounts *a, const char *jwt, int64_t now_unix_s,
                                  struct assertion *out)
{
  AUTO_JWT struct jwt j;
  struct jwt_error why;
  unsigned unknown;
  *out = (struct assertion){0};
  if (!jwt_read(&j, jwt) || !check_signer(a, &j, out, &why) ||
      !window_is_good(j.claims, now_unix_s, &out->expires_unix_s))
    return false;
  const char *sub = json_get_string(j.claims, "sub"), *aud = json_get_string(j.claims, "aud");
  const char *scope = json_get_string(j.claims, "scope");
  if (sub == NULL || strcmp(sub, out->account->email) != 0)
    return false;
  out->scopes = scopes_read(scope, &unknown);
  if (aud != NULL && is_api(aud)) /* an API as audience stands for all its scopes */
    out->scopes |= SCOPE_ANALYTICS | SCOPE_CLOUD_PLATFORM;
  return aud != NULL ? is_api(aud) : scope != NULL;
}
