/* The token endpoint: refresh_token and jwt-bearer grants with Google's answers. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/base/form.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/login/login.h"

/* Writes the token response. refresh_token: a new one, or "". */
static void issue(struct sim *s, struct token *token, const char *refresh_token, struct reply *r)
{
  char text[TOKEN_MAX_BYTES];
  struct grants_lifetime lifetime;
  AUTO_BUF struct buf scopes = BUF_INIT(1024);
  grants_lifetime(s->grants, token->kind == TOKEN_USER ? token->identity : IDENTITY_NONE,
                  &lifetime);
  int64_t life = lifetime.lifetime_s > 0 ? lifetime.lifetime_s : s->options->token_lifetime_s;
  token->expires_unix_s = clock_unix_ms() / 1000 + life;
  tokens_issue(&s->tokens, token, text, sizeof(text));
  scopes_write(&scopes, token->scopes);
  buf_clear(&r->body);
  buf_printf(&r->body, "{\"access_token\":\"%s\",", text);
  if (lifetime.expires_in[0] != '\0')
    buf_printf(&r->body, "\"expires_in\":%s,", lifetime.expires_in);
  else if (!lifetime.omit)
    buf_printf(&r->body, "\"expires_in\":%lld,", (long long)life);
  if (refresh_token[0] != '\0')
    buf_printf(&r->body, "\"refresh_token\":\"%s\",", refresh_token);
  if (token->kind == TOKEN_USER)
    buf_printf(&r->body, "\"scope\":\"%s\",", buf_str(&scopes));
  buf_puts(&r->body, "\"token_type\":\"Bearer\"}");
  r->no_store = true;
  stats_issued(s->stats, token->identity >= 0 ? token->identity : IDENTITY_NONE, clock_unix_ms());
}

/* Client and secret; answers and returns false when they are wrong. */
static bool check_client(struct sim *s, const char *id, const char *secret, struct reply *r)
{
  const char *expected = "";
  if (id == NULL || id[0] == '\0') {
    reply_oauth_error(r, 400, "invalid_request", "Could not determine client ID from request.");
    return false;
  }
  switch (grants_client(s->grants, id, &expected)) {
  case CLIENT_UNKNOWN:
    reply_oauth_error(r, 401, "invalid_client", "The OAuth client was not found.");
    return false;
  case CLIENT_DELETED:
    reply_oauth_error(r, 401, "deleted_client", "The OAuth client was deleted.");
    return false;
  case CLIENT_DISABLED:
    reply_oauth_error(r, 401, "disabled_client", "The OAuth client was disabled.");
    return false;
  case CLIENT_ACTIVE:
    break;
  }
  if (secret == NULL)
    reply_oauth_error(r, 400, "invalid_request", "client_secret is missing.");
  else if (strcmp(expected, secret) != 0)
    reply_oauth_error(r, 401, "invalid_client", "Unauthorized");
  else
    return true;
  return false;
}

/* A scope in a refresh may narrow what was consented to, not widen it. */
static bool narrow(const char *scope, uint32_t granted, uint32_t *out)
{
  unsigned unknown;
  *out = granted;
  if (scope == NULL || scope[0] == '\0')
    return true;
  *out = scopes_read(scope, &unknown);
  return unknown == 0 && *out != 0 && (*out & ~granted) == 0;
}

static void refresh(struct sim *s, const struct form *f, enum grants_verdict verdict,
                    int64_t identity, struct reply *r)
{
  const char *id = form_get(f, "client_id"), *used = form_get(f, "refresh_token");
  char rotated[160];
  uint32_t scopes;
  if (!check_client(s, id, form_get(f, "client_secret"), r))
    return;
  if (used == NULL || used[0] == '\0') {
    reply_oauth_error(r, 400, "invalid_request", "Missing required parameter: refresh_token");
  } else if (verdict == GRANTS_UNKNOWN) {
    reply_oauth_error(r, 400, "invalid_grant", "Bad Request");
  } else if (strcmp(grants_client_of(s->grants, identity), id) != 0) {
    reply_oauth_error(r, 401, "unauthorized_client", "Unauthorized");
  } else if (verdict == GRANTS_DEAD) {
    reply_oauth_error(r, 400, "invalid_grant", "Token has been expired or revoked.");
  } else if (!narrow(form_get(f, "scope"), grants_scopes(s->grants, identity), &scopes)) {
    reply_oauth_error(r, 400, "invalid_scope", "Bad Request");
  } else {
    struct token token = {.identity = identity, .kind = TOKEN_USER, .scopes = scopes};
    grants_refreshed(s->grants, identity, used, clock_unix_ms(), rotated, sizeof(rotated));
    issue(s, &token, rotated, r);
  }
}

static void grant_refresh_token(struct sim *s, const struct form *f, struct reply *r)
{
  const char *token = form_get(f, "refresh_token");
  int64_t identity = IDENTITY_NONE;
  enum grants_verdict verdict =
      token == NULL ? GRANTS_UNKNOWN : grants_find(s->grants, token, clock_unix_ms(), &identity);
  int64_t property = identity >= 0 ? identity : IDENTITY_NONE;
  stats_count(s->stats, property, STATS_TOKEN_REQUEST);
  if (!identity_fault(s, property, ENDPOINT_TOKEN, r))
    refresh(s, f, verdict, identity, r);
}

/* What an assertion gets whose scopes Google does not know: it takes the text for the
 * audience of an ID token. */
static void issue_id_token(struct sim *s, const struct assertion *a, const char *aud,
                           struct reply *r)
{
  AUTO_BUF struct buf text = BUF_INIT(JWT_MAX);
  int64_t now = clock_unix_ms() / 1000;
  AUTO_JSON cJSON *claims = cJSON_CreateObject();
  cJSON_AddStringToObject(claims, "aud", aud);
  cJSON_AddStringToObject(claims, "azp", a->account->email);
  cJSON_AddStringToObject(claims, "email", a->account->email);
  cJSON_AddTrueToObject(claims, "email_verified");
  cJSON_AddNumberToObject(claims, "exp", (double)(now + 3600));
  cJSON_AddNumberToObject(claims, "iat", (double)now);
  cJSON_AddStringToObject(claims, "iss", "https://accounts.google.com");
  cJSON_AddStringToObject(claims, "sub", a->account->client_id);
  jwt_mint(&text, oidc_key(s), "RS256", NULL, claims);
  buf_clear(&r->body);
  buf_printf(&r->body, "{\"id_token\":\"%s\"}", buf_str(&text));
  r->no_store = true;
}

/* The scope claim of an assertion that was checked already. */
static char *scope_of(const char *assertion)
{
  AUTO_JWT struct jwt j;
  return jwt_read(&j, assertion) ? xstrdup(json_get_string(j.claims, "scope")) : NULL;
}

static void grant_jwt_bearer(struct sim *s, const struct form *f, struct reply *r)
{
  const char *text = form_get(f, "assertion");
  struct jwt_error why = {400, "invalid_request", "Missing required parameter: assertion"};
  struct assertion a = {0};
  bool good = text != NULL && text[0] != '\0' &&
              service_account_check_grant(s->service_accounts, text, sim_now_s(s), &a, &why);
  int64_t property =
      a.account != NULL && a.account->identity >= 0 ? a.account->identity : IDENTITY_NONE;
  stats_count(s->stats, property, STATS_TOKEN_REQUEST);
  if (identity_fault(s, property, ENDPOINT_TOKEN, r))
    return;
  if (!good) {
    reply_oauth_error(r, why.status, why.error, why.description);
  } else if (a.scopes == 0) {
    AUTO_FREE char *scope = scope_of(text);
    issue_id_token(s, &a, scope, r);
  } else {
    struct token token = {
        .identity = a.account->identity, .kind = TOKEN_SERVICE_ACCOUNT, .scopes = a.scopes};
    issue(s, &token, "", r);
  }
}

void oauth_token(struct sim *s, const struct request *q, struct reply *r)
{
  struct form f;
  form_parse(&f, q->body, q->body_len);
  const char *type = form_get(&f, "grant_type");
  if (consent_token(s, &f, r)) {
    form_free(&f);
    return;
  }
  if (type == NULL || type[0] == '\0') {
    reply_oauth_error(r, 400, "invalid_request", "Required parameter is missing: grant_type");
  } else if (strcmp(type, "refresh_token") == 0) {
    grant_refresh_token(s, &f, r);
  } else if (strcmp(type, "urn:ietf:params:oauth:grant-type:jwt-bearer") == 0) {
    grant_jwt_bearer(s, &f, r);
  } else {
    AUTO_FREE char *text = xasprintf("Invalid grant_type: %.200s", type);
    reply_oauth_error(r, 400, "unsupported_grant_type", text);
  }
  form_free(&f);
}
