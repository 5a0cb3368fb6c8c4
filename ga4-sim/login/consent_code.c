/* The token endpoint for the web application of the consent screen. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/base/form.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/login/login.h"

static void put_id_token(struct sim *s, const struct consent *what, int64_t now_s, cJSON *out)
{
  AUTO_BUF struct buf text = BUF_INIT(JWT_MAX);
  AUTO_JSON cJSON *claims = cJSON_CreateObject();
  char kid[KEY_ID_SIZE];
  cJSON_AddStringToObject(claims, "iss", "https://accounts.google.com");
  cJSON_AddStringToObject(claims, "aud", CONSENT_CLIENT_ID);
  cJSON_AddStringToObject(claims, "azp", CONSENT_CLIENT_ID);
  AUTO_FREE char *sub = xasprintf("sub-of-%s", what->email);
  cJSON_AddStringToObject(claims, "sub", sub);
  if (what->scopes & SCOPE_EMAIL) {
    cJSON_AddStringToObject(claims, "email", what->email);
    cJSON_AddTrueToObject(claims, "email_verified");
  }
  cJSON_AddStringToObject(claims, "nonce", what->nonce);
  cJSON_AddNumberToObject(claims, "iat", (double)now_s);
  cJSON_AddNumberToObject(claims, "exp", (double)(now_s + 3600));
  jwt_key_id(oidc_key(s), kid);
  if (jwt_mint(&text, oidc_key(s), "RS256", kid, claims))
    cJSON_AddStringToObject(out, "id_token", buf_str(&text));
}

/* The answer without a refresh token. */
static cJSON *access(struct sim *s, int64_t identity, uint32_t granted, int64_t now_s)
{
  char text[TOKEN_MAX_BYTES];
  AUTO_BUF struct buf scopes = BUF_INIT(1024);
  const int64_t life = s->options->token_lifetime_s;
  struct token token = {
      .identity = identity, .kind = TOKEN_USER, .scopes = granted, .expires_unix_s = now_s + life};
  cJSON *out = cJSON_CreateObject();
  tokens_issue(&s->tokens, &token, text, sizeof(text));
  scopes_write(&scopes, granted);
  cJSON_AddStringToObject(out, "access_token", text);
  cJSON_AddNumberToObject(out, "expires_in", (double)life);
  cJSON_AddStringToObject(out, "scope", buf_str(&scopes));
  cJSON_AddStringToObject(out, "token_type", "Bearer");
  return out;
}

static void take_code(struct sim *s, const struct form *f, struct reply *r)
{
  struct consent what;
  int64_t identity = 0, now_ms = clock_unix_ms();
  char refresh_token[128];
  uint32_t slow_ms;
  const char *code = form_get(f, "code"), *verifier = form_get(f, "code_verifier"),
             *uri = form_get(f, "redirect_uri");
  enum consent_policy policy = consents_policy(s->consents, &slow_ms);
  sim_wait(s, slow_ms);
  enum consent_verdict verdict = consents_take_code(
      s->consents, code != NULL ? code : "", verifier != NULL ? verifier : "",
      uri != NULL ? uri : "", now_ms, &what, &identity, refresh_token, sizeof(refresh_token));
  if (verdict != CONSENT_GOOD) {
    reply_oauth_error(r, 400, "invalid_grant",
                      verdict == CONSENT_UNKNOWN ? "Malformed auth code." : "Bad Request");
    return;
  }
  AUTO_JSON cJSON *out = access(s, identity, what.scopes, now_ms / 1000);
  if (policy != CONSENT_NO_REFRESH_TOKEN)
    cJSON_AddStringToObject(out, "refresh_token", refresh_token);
  put_id_token(s, &what, now_ms / 1000, out);
  reply_json(r, 200, out);
  r->no_store = true;
}

static void refresh(struct sim *s, const struct form *f, struct reply *r)
{
  int64_t identity = 0;
  uint32_t scopes = 0;
  const char *token = form_get(f, "refresh_token");
  enum consent_verdict verdict =
      consents_find(s->consents, token != NULL ? token : "", &identity, &scopes);
  if (verdict == CONSENT_GOOD) {
    AUTO_JSON cJSON *out = access(s, identity, scopes, clock_unix_ms() / 1000);
    reply_json(r, 200, out);
    r->no_store = true;
  } else {
    reply_oauth_error(r, 400, "invalid_grant",
                      verdict == CONSENT_DEAD ? "Token has been expired or revoked."
                                              : "Bad Request");
  }
}

bool consent_token(struct sim *s, const struct form *f, struct reply *r)
{
  const char *id = form_get(f, "client_id"), *secret = form_get(f, "client_secret"),
             *type = form_get(f, "grant_type");
  bool code = type != NULL && strcmp(type, "authorization_code") == 0;
  if (id == NULL || strcmp(id, CONSENT_CLIENT_ID) != 0 || type == NULL ||
      (!code && strcmp(type, "refresh_token") != 0))
    return false;
  stats_count(s->stats, IDENTITY_NONE, STATS_TOKEN_REQUEST);
  if (secret == NULL || strcmp(secret, CONSENT_CLIENT_SECRET) != 0)
    reply_oauth_error(r, 401, "invalid_client", "Unauthorized");
  else if (code)
    take_code(s, f, r);
  else
    refresh(s, f, r);
  return true;
}
