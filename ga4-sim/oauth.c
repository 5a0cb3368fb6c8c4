/* The token endpoint: refresh_token and jwt-bearer grants with Google's answers. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ga4-sim/sim.h"

enum { FORM_FIELDS = 16 };

/* A decoded application/x-www-form-urlencoded body. */
struct form {
  char *text; /* owns all strings */
  struct {
    const char *name, *value;
  } fields[FORM_FIELDS];
  size_t count;
};

static int hex_digit(char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* Decodes %XX and + in place. */
static void form_decode(char *s)
{
  char *out = s;
  for (; *s != '\0'; s++) {
    int high = *s == '%' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);
    if (low >= 0 && high + low > 0) {
      *out++ = (char)(high * 16 + low);
      s += 2;
    } else {
      *out++ = *s == '+' ? ' ' : *s;
    }
  }
  *out = '\0';
}

static void form_parse(struct form *f, const char *body, size_t len)
{
  *f = (struct form){.text = xstrndup(body, len)};
  char *rest = f->text, *pair;
  while (f->count < FORM_FIELDS && (pair = strsep(&rest, "&")) != NULL) {
    char *value = strchr(pair, '=');
    if (value == NULL)
      continue;
    *value++ = '\0';
    form_decode(pair);
    form_decode(value);
    f->fields[f->count].name = pair;
    f->fields[f->count++].value = value;
  }
}

static const char *form_get(const struct form *f, const char *name)
{
  for (size_t i = 0; i < f->count; i++)
    if (strcmp(f->fields[i].name, name) == 0)
      return f->fields[i].value;
  return NULL;
}

static void issue(struct sim *s, int64_t identity, struct reply *r)
{
  char token[TOKEN_MAX_BYTES];
  uint32_t life = s->options->token_lifetime_s;
  tokens_issue(&s->tokens, identity, clock_unix_ms() / 1000 + life, token, sizeof(token));
  buf_clear(&r->body);
  buf_printf(&r->body,
             "{\"access_token\":\"%s\",\"expires_in\":%u,\"scope\":\"https://www.googleapis.com/"
             "auth/analytics.readonly\",\"token_type\":\"Bearer\"}",
             token, life);
  r->no_store = true;
  stats_count(s->stats, identity >= 0 ? identity : IDENTITY_NONE, STATS_TOKEN_ISSUED);
}

/* True when a fault answered in our place. */
static bool token_fault(struct sim *s, int64_t property, struct reply *r)
{
  struct fault_effect x = faults_take(s->faults, property, ENDPOINT_TOKEN);
  sim_wait(s, x.delay_ms);
  switch (x.kind) {
  case FAULT_NONE:
    return false;
  case FAULT_INVALID_GRANT:
    reply_oauth_error(r, 400, "invalid_grant", "Token has been expired or revoked.");
    return true;
  case FAULT_INVALID_CLIENT:
    reply_oauth_error(r, 401, "invalid_client", "The OAuth client was not found.");
    return true;
  case FAULT_TOKEN_503:
  case FAULT_503:
    reply_oauth_error(r, 503, "backend_error", "The service is currently unavailable.");
    return true;
  case FAULT_HTML_502:
    reply_bad_gateway(r);
    return true;
  case FAULT_SLOW_BODY:
    r->slow_ms = x.ms;
    return false;
  case FAULT_CUT:
    r->cut = true;
    return false;
  case FAULT_MALFORMED:
    r->malformed = true;
    return false;
  case FAULT_429_HOURLY:
  case FAULT_429_DAILY:
  case FAULT_429_CONCURRENT:
    reply_oauth_error(r, 429, "rate_limit_exceeded", "Rate Limit Exceeded");
    return true;
  default:
    reply_oauth_error(r, 500, "internal_failure", "Internal error.");
    return true;
  }
}

static const struct world_property *by_refresh_token(const struct world *w, const char *token)
{
  for (size_t i = 0; i < w->property_count; i++)
    if (strcmp(w->properties[i].refresh_token, token) == 0)
      return &w->properties[i];
  return NULL;
}

/* The client's secret, or NULL when the world has no such client. */
static const char *secret_of(const struct world *w, const char *client_id)
{
  for (size_t i = 0; i < w->property_count; i++)
    if (strcmp(w->properties[i].client_id, client_id) == 0)
      return w->properties[i].client_secret;
  return NULL;
}

static void grant_refresh_token(struct sim *s, const struct form *f, struct reply *r)
{
  const char *id = form_get(f, "client_id"), *secret = form_get(f, "client_secret");
  const char *token = form_get(f, "refresh_token");
  const struct world_property *p = token == NULL ? NULL : by_refresh_token(s->world, token);
  int64_t property = p == NULL ? IDENTITY_NONE : (int64_t)p->index;
  stats_count(s->stats, property, STATS_TOKEN_REQUEST);
  if (token_fault(s, property, r))
    return;
  if (id == NULL || id[0] == '\0') {
    reply_oauth_error(r, 400, "invalid_request", "Could not determine client ID from request.");
    return;
  }
  const char *expected = secret_of(s->world, id);
  if (expected == NULL) {
    reply_oauth_error(r, 401, "invalid_client", "The OAuth client was not found.");
  } else if (secret == NULL) {
    reply_oauth_error(r, 400, "invalid_request", "client_secret is missing.");
  } else if (strcmp(expected, secret) != 0) {
    reply_oauth_error(r, 401, "invalid_client", "Unauthorized");
  } else if (token == NULL || token[0] == '\0') {
    reply_oauth_error(r, 400, "invalid_request", "Missing required parameter: refresh_token");
  } else if (p == NULL) {
    reply_oauth_error(r, 400, "invalid_grant", "Bad Request");
  } else if (strcmp(p->client_id, id) != 0) {
    reply_oauth_error(r, 401, "unauthorized_client", "Unauthorized");
  } else {
    issue(s, property, r);
  }
}

static void grant_jwt_bearer(struct sim *s, const struct form *f, struct reply *r)
{
  const char *assertion = form_get(f, "assertion");
  struct jwt_error why;
  stats_count(s->stats, IDENTITY_NONE, STATS_TOKEN_REQUEST);
  if (token_fault(s, IDENTITY_NONE, r))
    return;
  if (assertion == NULL)
    reply_oauth_error(r, 400, "invalid_request", "Missing required parameter: assertion");
  else if (!service_account_verify(s->service_account, assertion, false, clock_unix_ms() / 1000,
                                   &why))
    reply_oauth_error(r, 400, why.error, why.description);
  else
    issue(s, IDENTITY_SERVICE_ACCOUNT, r);
}

void oauth_token(struct sim *s, const struct request *q, struct reply *r)
{
  struct form f;
  form_parse(&f, q->body, q->body_len);
  const char *type = form_get(&f, "grant_type");
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
  free(f.text);
}
