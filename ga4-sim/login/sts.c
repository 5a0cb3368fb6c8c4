/* Security Token Service: exchanges an external subject token for a federated one
 * (RFC 8693). The texts are Google's where they are known; docs/internals says which. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/base/form.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/login/login.h"

enum { SUBJECT_MAX = 256, SKEW_S = 60, LIFETIME_MAX_S = 24 * 3600 };

#define TYPE "urn:ietf:params:oauth:token-type:"

struct exchange {
  const char *audience, *subject_token;
  char subject[SUBJECT_MAX];
  uint32_t scopes;
};

static bool refuse(struct reply *r, const char *error, const char *description)
{
  reply_oauth_error(r, 400, error, description);
  return false;
}

static bool invalid_grant(struct reply *r, char *owned_text)
{
  refuse(r, "invalid_grant", owned_text);
  free(owned_text);
  return false;
}

/* aud: a text or a list with the provider's full resource name, with or without https:. */
static bool audience_fits(const cJSON *aud, const char *provider)
{
  const cJSON *item = cJSON_IsArray(aud) ? aud->child : aud;
  for (; item != NULL; item = cJSON_IsArray(aud) ? item->next : NULL) {
    if (!cJSON_IsString(item))
      continue;
    const char *text = item->valuestring;
    if (strncmp(text, "https:", 6) == 0)
      text += 6;
    if (strcmp(text, provider) == 0)
      return true;
  }
  return false;
}

static const char *first_audience(const cJSON *aud)
{
  const cJSON *item = cJSON_IsArray(aud) ? aud->child : aud;
  return cJSON_IsString(item) ? item->valuestring : "";
}

static bool check_times(struct sim *s, const cJSON *claims, struct reply *r)
{
  int64_t now = sim_now_s(s);
  double iat = json_get_number(claims, "iat", -1), exp = json_get_number(claims, "exp", -1);
  if (iat < 0 || exp < 0)
    return refuse(r, "invalid_grant",
                  iat < 0 ? "The ID Token must contain an \"iat\" claim."
                          : "The ID Token must contain an \"exp\" claim.");
  if (exp <= (double)(now - SKEW_S) || exp > iat + LIFETIME_MAX_S)
    return invalid_grant(r, xasprintf("ID Token issued at %.0f is stale to sign-in.", iat));
  if (iat > (double)(now + SKEW_S) || json_get_number(claims, "nbf", 0) > (double)(now + SKEW_S))
    return invalid_grant(r, xasprintf("ID Token issued at %.0f is not yet valid.", iat));
  return true;
}

static bool check_jwt(struct sim *s, struct exchange *x, struct reply *r)
{
  AUTO_JWT struct jwt j;
  char own[KEY_ID_SIZE];
  if (!jwt_read(&j, x->subject_token))
    return refuse(r, "invalid_grant", "Unable to parse the ID Token.");
  const char *iss = json_get_string(j.claims, "iss"), *sub = json_get_string(j.claims, "sub");
  const char *kid = json_get_string(j.header, "kid");
  const cJSON *aud = cJSON_GetObjectItemCaseSensitive(j.claims, "aud");
  enum issuer_says outside = issuer_check(s->issuer, &j);
  if (outside == ISSUER_OTHER && (iss == NULL || strcmp(iss, s->base_url) != 0))
    return invalid_grant(
        r, xasprintf("The issuer in ID Token %.300s does not match the expected ones: %s",
                     iss == NULL ? "" : iss, s->base_url));
  EVP_PKEY *key = oidc_key(s);
  jwt_key_id(key, own);
  bool good = outside == ISSUER_GOOD || (outside == ISSUER_OTHER && kid != NULL &&
                                         strcmp(kid, own) == 0 && jwt_signed_by(&j, key, "RS256"));
  if (!good)
    return refuse(r, "invalid_grant", "Invalid signature of the ID Token.");
  if (!audience_fits(aud, x->audience))
    return invalid_grant(
        r, xasprintf("The audience in ID Token [%.300s] does not match the expected audience.",
                     first_audience(aud)));
  if (!check_times(s, j.claims, r))
    return false;
  if (sub == NULL || sub[0] == '\0' || strlen(sub) >= 128)
    return refuse(r, "invalid_grant",
                  "The mapped attribute google.subject must be of 1 to 127 bytes.");
  snprintf(x->subject, sizeof(x->subject), "%s", sub);
  return true;
}

static bool check_aws(struct sim *s, struct exchange *x, struct reply *r)
{
  struct err why;
  AUTO_FREE char *text = xstrdup(x->subject_token);
  form_decode(text);
  if (aws_check_caller_identity(s->aws, text, x->audience, sim_now_s(s), x->subject,
                                sizeof(x->subject), &why))
    return true;
  return refuse(r, why.code == ERR_UNAUTHENTICATED ? "invalid_grant" : "invalid_request",
                why.message);
}

/* The parameters every exchange needs, and the provider the audience names. */
static bool check_form(const struct form *f, struct exchange *x, bool *aws, struct reply *r)
{
  const char *grant = form_get(f, "grant_type"), *type = form_get(f, "subject_token_type");
  const char *wanted = form_get(f, "requested_token_type"), *scope = form_get(f, "scope");
  unsigned unknown;
  x->audience = form_get(f, "audience");
  x->subject_token = form_get(f, "subject_token");
  if (grant == NULL || strcmp(grant, "urn:ietf:params:oauth:grant-type:token-exchange") != 0)
    return refuse(r, grant == NULL ? "invalid_request" : "unsupported_grant_type",
                  "Invalid value for \"grant_type\". It should be "
                  "\"urn:ietf:params:oauth:grant-type:token-exchange\".");
  if (x->audience == NULL ||
      strncmp(x->audience, "//iam.googleapis.com/", strlen("//iam.googleapis.com/")) != 0)
    return refuse(r, "invalid_request",
                  "Invalid value for \"audience\". This value should be the full resource name of "
                  "the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/"
                  "v1/TopLevel/token for the list of possible formats.");
  if (wanted == NULL || strcmp(wanted, TYPE "access_token") != 0)
    return refuse(r, "invalid_request", "Invalid value for \"requested_token_type\".");
  if (x->subject_token == NULL || x->subject_token[0] == '\0')
    return refuse(r, "invalid_request", "Missing required parameter: subject_token");
  bool is_aws = type != NULL && strcmp(type, "urn:ietf:params:aws:token-type:aws4_request") == 0;
  bool is_jwt =
      type != NULL && (strcmp(type, TYPE "jwt") == 0 || strcmp(type, TYPE "id_token") == 0);
  if (!is_aws && !is_jwt)
    return refuse(r, "invalid_request", "Invalid value for \"subject_token_type\".");
  if (strcmp(x->audience, FEDERATION_OIDC) != 0 && strcmp(x->audience, FEDERATION_AWS) != 0)
    return refuse(r, "invalid_target",
                  "The target service indicated by the \"audience\" parameters is invalid. This "
                  "might either be because the pool or provider is disabled or deleted or because "
                  "it doesn't exist.");
  *aws = strcmp(x->audience, FEDERATION_AWS) == 0;
  if (*aws != is_aws)
    return refuse(r, "invalid_request",
                  "The subject_token_type does not match the type of the identity provider.");
  x->scopes = scopes_read(scope, &unknown);
  if (x->scopes == 0 || unknown > 0)
    return refuse(r, "invalid_scope", "Invalid OAuth scope.");
  return true;
}

static void issue(struct sim *s, const struct exchange *x, int64_t identity, struct reply *r)
{
  char text[TOKEN_MAX_BYTES];
  uint32_t life = s->options->token_lifetime_s;
  const struct token token = {.identity = identity,
                              .kind = TOKEN_FEDERATED,
                              .scopes = x->scopes,
                              .expires_unix_s = clock_unix_ms() / 1000 + life};
  tokens_issue(&s->tokens, &token, text, sizeof(text));
  buf_clear(&r->body);
  buf_printf(&r->body,
             "{\"access_token\":\"%s\",\"issued_token_type\":\"" TYPE "access_token\","
             "\"token_type\":\"Bearer\",\"expires_in\":%u}",
             text, life);
  r->no_store = true;
}

/* The dealer whose subject this is, for faults and counters. */
static int64_t property_of(struct sim *s, const char *subject)
{
  struct federation_binding b;
  int64_t identity = subject[0] == '\0' ? 0 : federation_identity(s->federation, subject);
  return identity != 0 && federation_find(s->federation, identity, &b) && b.scope >= 0
             ? b.scope
             : IDENTITY_NONE;
}

void sts_token(struct sim *s, const struct request *q, struct reply *r)
{
  struct form f;
  struct exchange x = {0};
  bool aws = false;
  form_parse(&f, q->body, q->body_len);
  bool good = check_form(&f, &x, &aws, r) && (aws ? check_aws(s, &x, r) : check_jwt(s, &x, r));
  int64_t property = property_of(s, x.subject);
  stats_count(s->stats, property, STATS_STS_REQUEST);
  if (identity_fault(s, property, ENDPOINT_STS, r) || !good) {
    form_free(&f);
    return;
  }
  int64_t identity = federation_identity(s->federation, x.subject);
  if (identity == 0) {
    reply_oauth_error(r, 500, "internal_failure", "Internal error.");
  } else {
    issue(s, &x, identity, r);
    stats_count(s->stats, property, STATS_STS_ISSUED);
  }
  form_free(&f);
}
