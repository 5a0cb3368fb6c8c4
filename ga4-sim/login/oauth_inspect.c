/* Revocation of a user's consent, and what a token is. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/base/form.h"
#include "ga4-sim/login/login.h"

/* A parameter of the query or the form. Free with free(). */
static char *parameter(const struct request *q, const char *name)
{
  struct form f;
  const char *value = request_query(q, name);
  if (value != NULL)
    return xstrdup(value);
  form_parse(&f, q->body, q->body_len);
  char *copy = xstrdup(form_get(&f, name));
  form_free(&f);
  return copy;
}

/* Whether it came of the consent screen. */
static bool is_consent(const struct token *t)
{
  return t->kind == TOKEN_USER && t->identity >= IDENTITY_CONSENT;
}

void oauth_revoke(struct sim *s, const struct request *q, struct reply *r)
{
  AUTO_FREE char *text = parameter(q, "token");
  struct token token;
  int64_t now = clock_unix_ms();
  stats_count(s->stats, IDENTITY_NONE, STATS_REVOKE_REQUEST);
  if (text == NULL || text[0] == '\0') {
    reply_oauth_error(r, 400, "invalid_request", "Missing required parameter: token");
    return;
  }
  if (consents_revoke(s->consents, text)) {
    buf_clear(&r->body);
    buf_puts(&r->body, "{}");
    return;
  }
  bool user = tokens_check(&s->tokens, text, now / 1000, &token) && token.kind == TOKEN_USER &&
              !is_consent(&token) &&
              !grants_revoked_since(s->grants, token.identity, token.issued_unix_ms);
  if (user)
    grants_revoke(s->grants, token.identity, now); /* its refresh token dies too */
  if (user || grants_revoke_token(s->grants, text, now)) {
    buf_clear(&r->body);
    buf_puts(&r->body, "{}");
  } else {
    reply_oauth_error(r, 400, "invalid_token", "Token expired or revoked");
  }
}

static const char *client_of(struct sim *s, const struct token *t)
{
  const struct service_account *a = service_accounts_of(s->service_accounts, t->identity);
  return is_consent(t)                                   ? CONSENT_CLIENT_ID
         : t->kind == TOKEN_USER                         ? grants_client_of(s->grants, t->identity)
         : t->kind == TOKEN_SERVICE_ACCOUNT && a != NULL ? a->client_id
                                                         : "";
}

static bool is_alive(struct sim *s, const struct token *t)
{
  const struct service_account *a = service_accounts_of(s->service_accounts, t->identity);
  size_t first, count;
  if (is_consent(t))
    return consents_reads(s->consents, t->identity, &first, &count);
  return t->kind == TOKEN_USER ? !grants_revoked_since(s->grants, t->identity, t->issued_unix_ms)
                               : t->kind == TOKEN_FEDERATED ||
                                     (a != NULL && service_account_state(s->service_accounts, a) !=
                                                       SERVICE_ACCOUNT_DELETED);
}

static void add_number_text(cJSON *json, const char *name, int64_t n)
{
  char text[24];
  snprintf(text, sizeof(text), "%lld", (long long)n);
  cJSON_AddStringToObject(json, name, text);
}

void oauth_tokeninfo(struct sim *s, const struct request *q, struct reply *r)
{
  AUTO_FREE char *text = parameter(q, "access_token");
  AUTO_BUF struct buf scopes = BUF_INIT(1024);
  struct token t;
  int64_t now = clock_unix_ms() / 1000;
  if (text == NULL || !tokens_check(&s->tokens, text, now, &t) || !is_alive(s, &t)) {
    reply_oauth_error(r, 400, "invalid_token", "Invalid Value");
    return;
  }
  AUTO_JSON cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "azp", client_of(s, &t));
  cJSON_AddStringToObject(json, "aud", client_of(s, &t));
  scopes_write(&scopes, t.scopes);
  cJSON_AddStringToObject(json, "scope", buf_str(&scopes));
  add_number_text(json, "exp", t.expires_unix_s);
  add_number_text(json, "expires_in", t.expires_unix_s - now);
  cJSON_AddStringToObject(json, "access_type", t.kind == TOKEN_USER ? "offline" : "online");
  reply_json(r, 200, json);
  r->no_store = true;
}
