/* Reads what token endpoints and Google's APIs answer. */
#include "auth-svc/credential/answer.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/secret/json.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { RETRY_AFTER_MAX_MS = 300 * 1000, ECHO_MIN = 12 };

#define PUT_NEW_TOKEN                                                                              \
  "put the new refresh token into the dealers file, which is read again by itself"

/* What the messages of a grant say. */
static const struct {
  const char *endpoint;  /* who answers */
  const char *presented; /* what was refused */
  const char *url_field; /* where its address stands */
  const char *remedy;
  /* A consent behind a refresh token must cover one of them: people may untick scopes. */
  const char *scopes[2];
  const char *unticked; /* what is missing otherwise */
} words[] = {
    [GRANT_REFRESH_TOKEN] = {"token endpoint",
                             "this installation",
                             "oauth.token_uri",
                             "check client_id and client_secret of the OAuth client; the dealer's "
                             "consent is not the cause",
                             {ANALYTICS_SCOPE, "https://www.googleapis.com/auth/analytics"},
                             "Google Analytics (analytics.readonly"},
    [GRANT_REFRESH_SOURCE] = {"token endpoint",
                              "this installation",
                              "source_credentials.token_uri",
                              "check client_id and client_secret of source_credentials; the "
                              "consent is not the cause",
                              {CLOUD_PLATFORM_SCOPE, "https://www.googleapis.com/auth/iam"},
                              "impersonation (cloud-platform"},
    [GRANT_JWT_BEARER] = {"token endpoint",
                          "the service account's assertion",
                          "token_uri",
                          "check the service account's key and the clock of this machine",
                          {NULL},
                          NULL},
    [GRANT_STS_FILE] = {"Google STS",
                        "the projected token",
                        "token_url",
                        "check audience against the pool's provider, the provider's issuer and "
                        "attribute condition, and that the token's file is renewed",
                        {NULL},
                        NULL},
    [GRANT_STS_URL] = {"Google STS",
                       "the token of credential_source.url",
                       "token_url",
                       "check audience and subject_token_type against the pool's provider, and its "
                       "issuer and attribute condition",
                       {NULL},
                       NULL},
    [GRANT_STS_AWS] = {"Google STS",
                       "the signed AWS request",
                       "token_url",
                       "check the AWS account and attribute condition of the pool's provider, "
                       "audience, and the clock of this machine",
                       {NULL},
                       NULL},
    [GRANT_METADATA] = {"metadata server",
                        "the request",
                        "GCE_METADATA_HOST",
                        "check the service account of this machine",
                        {NULL},
                        NULL},
};

/* ------------------------------------------------------------------ the pieces */

/* 20260314T150926Z: the time of a signed request, which a refusal of it must be able to name. */
static bool is_time(const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    bool right = i == 8 ? s[i] == 'T' : i == 15 ? s[i] == 'Z' : isdigit((unsigned char)s[i]) != 0;
    if (!right)
      return false;
  }
  return len == 16;
}

/* Whether a run of token characters in the text is a piece of a secret. */
static bool echoes(const char *text, const char *secret)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789-._~+/=%";
  while (*text != '\0') {
    size_t run = strspn(text, alphabet);
    for (size_t i = 0; i + ECHO_MIN <= run && !is_time(text, run); i++)
      if (memmem(secret, strlen(secret), text + i, ECHO_MIN) != NULL)
        return true;
    text += run;
    text += *text != '\0';
  }
  return false;
}

static bool repeats_a_secret(const char *text, const struct form_field *form, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    const char *value = form[i].value;
    if (form[i].open || strlen(value) < 6)
      continue;
    if (strstr(text, value) != NULL || echoes(text, value))
      return true;
  }
  return false;
}

void answer_quote(char *out, size_t size, const char *text, const struct form_field *form, size_t n)
{
  size_t len = 0;
  out[0] = '\0';
  if (text == NULL || repeats_a_secret(text, form, n))
    return;
  for (; *text != '\0' && len + 1 < size; text++)
    out[len++] = (char)(*text >= 0x20 && *text < 0x7f ? *text : '?');
  out[len] = '\0';
}

bool answer_is_error_code(const char *s)
{
  size_t n = s != NULL ? strspn(s, "abcdefghijklmnopqrstuvwxyz_") : 0;
  return n > 0 && n < 40 && s[n] == '\0';
}

bool answer_is_token(const char *s)
{
  size_t n = s != NULL ? strnlen(s, TOKEN_MAX_BYTES + 1) : 0;
  if (n == 0 || n > TOKEN_MAX_BYTES)
    return false;
  for (size_t i = 0; i < n; i++)
    if (s[i] <= 0x20 || s[i] >= 0x7f)
      return false;
  return true;
}

/* ------------------------------------------------------------------ what it came to */

void answer_passing(struct token_reply *out, const struct http_response *r, const char *reason,
                    const char *who, const char *fmt, ...)
{
  char text[sizeof(out->error.message)];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  out->outcome = TOKEN_PASSING;
  out->retry_after_ms =
      r != NULL ? http_retry_after_ms(r->retry_after, clock_unix_ms(), RETRY_AFTER_MAX_MS) : 0;
  err_set(&out->error, ERR_UNAVAILABLE, reason, "%s %s", who, text);
}

static bool is_busy(int status)
{
  return status == 408 || status == 429 || status >= 500;
}

bool answer_busy(struct token_reply *out, const struct http_response *r, const char *reason,
                 const char *who)
{
  if (is_busy(r->status))
    answer_passing(out, r, reason, who, "answered HTTP %d", r->status);
  return is_busy(r->status);
}

cJSON *answer_object(struct token_reply *out, const struct http_response *r, const char *reason,
                     const char *who)
{
  AUTO_WIPED_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) == ERR_OK && cJSON_IsObject(body))
    return TAKE_PTR(body);
  answer_passing(out, r, reason, who, "answered HTTP 200 with something that is not a JSON object");
  return NULL;
}

void answer_operator_fault(struct token_reply *out, const char *reason, const char *fmt, ...)
{
  char text[sizeof(out->error.message)];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  out->outcome = TOKEN_OPERATOR_FAULT;
  err_set(&out->error, ERR_FAILED_PRECONDITION, reason, "%s", text);
}

void answer_not_sent(struct token_reply *out, const struct err *e)
{
  bool wrong = e->code == ERR_INVALID_ARGUMENT;
  out->outcome = wrong ? TOKEN_OPERATOR_FAULT : TOKEN_PASSING;
  err_set(&out->error, wrong ? ERR_FAILED_PRECONDITION : ERR_UNAVAILABLE, e->reason, "%s",
          e->message);
}

bool answer_lost(struct token_reply *out, const struct http_response *r, const char *reason,
                 const char *who, const char *most)
{
  bool tls = strcmp(r->error.reason, "tls_failed") == 0,
       large = r->error.code == ERR_RESOURCE_EXHAUSTED;
  const char *what = r->error.code == ERR_DEADLINE_EXCEEDED ? "did not answer in time"
                     : large                                ? "answered with more than "
                     : r->error.code == ERR_CANCELLED ? "was not waited for: auth-svc is stopping"
                                                      : "could not be reached";
  if (r->error.code == ERR_OK)
    return false;
  if (tls) /* asking again at once does not help */
    answer_operator_fault(out, "certificate_refused",
                          "the certificate of %s is not trusted (%s); set SSL_CERT_FILE to the CA "
                          "of the proxy in front of it, or check its address and the clock",
                          who, r->error.message);
  else
    answer_passing(out, r, reason, who, "%s%s", what, large ? most : "");
  return true;
}

static void lower_snake(char *out, size_t size, const char *s)
{
  size_t i = 0;
  for (; s[i] != '\0' && i + 1 < size; i++)
    out[i] = isalpha((unsigned char)s[i]) ? (char)tolower((unsigned char)s[i]) : '_';
  out[i] = '\0';
}

bool answer_google_error(struct token_reply *out, const struct http_response *r, const char *who,
                         const char *what, const char *remedy, const struct form_field *secrets,
                         size_t n)
{
  AUTO_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK)
    return false;
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(body, "error");
  const char *status = json_get_string(error, "status");
  char detail[240], word[40];
  if (status == NULL)
    return false;
  answer_quote(detail, sizeof(detail), json_get_string(error, "message"), secrets, n);
  lower_snake(word, sizeof(word), status);
  if (is_busy(r->status) || strcmp(status, "RESOURCE_EXHAUSTED") == 0) {
    answer_passing(out, r, "token_endpoint_unavailable", who, "answered HTTP %d %s", r->status,
                   word);
    return true;
  }
  const char *open = *detail != '\0' ? " (" : "", *close = *detail != '\0' ? ")" : "";
  /* One reason of ours: permission_denied and the like mean the dealer's property elsewhere. */
  answer_operator_fault(out, "credential_refused", "%s refused %s: %s%s%s%s; %s", who, what, word,
                        open, detail, close, remedy);
  return true;
}

/* ------------------------------------------------------------------ token endpoints */

static bool is_refresh(enum grant_kind grant)
{
  return grant == GRANT_REFRESH_TOKEN || grant == GRANT_REFRESH_SOURCE;
}

/* Whose consent it is. */
static const char *person(enum grant_kind grant)
{
  return grant == GRANT_REFRESH_TOKEN ? "dealer" : "the user of source_credentials";
}

static void refused(struct token_reply *out, const char *host, const char *code, const char *detail,
                    enum grant_kind grant)
{
  const char *open = *detail != '\0' ? " (" : "", *close = *detail != '\0' ? ")" : "";
  bool invalid_grant = strcmp(code, "invalid_grant") == 0;
  if (invalid_grant && is_refresh(grant)) {
    out->outcome = TOKEN_NEEDS_CONSENT;
    err_set(&out->error, ERR_FAILED_PRECONDITION, "invalid_grant",
            "%s must re-consent: %s refused the refresh token%s%s%s; " PUT_NEW_TOKEN, person(grant),
            host, open, detail, close);
    return;
  }
  if (is_refresh(grant)) {
    answer_operator_fault(out, code, "%s: %s refused this installation%s%s%s; %s", code, host, open,
                          detail, close, words[grant].remedy);
    return;
  }
  /* The reason invalid_grant belongs to a dealer who must consent: callers go by it. */
  answer_operator_fault(out, invalid_grant ? "credential_refused" : code,
                        "%s %s refused %s: %s%s%s%s; %s", words[grant].endpoint, host,
                        words[grant].presented, code, open, detail, close, words[grant].remedy);
}

static void read_error(struct token_reply *out, const struct http_response *r, const char *who,
                       const char *host, enum grant_kind grant, const struct form_field *form,
                       size_t n)
{
  bool sts = grant == GRANT_STS_FILE || grant == GRANT_STS_URL || grant == GRANT_STS_AWS;
  if (sts && answer_google_error(out, r, who, words[grant].presented, words[grant].remedy, form, n))
    return;
  static const char *const transient[] = {"temporarily_unavailable", "server_error",
                                          "internal_failure", "rate_limit_exceeded", "slow_down"};
  AUTO_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK)
    body = NULL;
  const char *code = body != NULL ? json_get_string(body, "error") : NULL;
  bool known = answer_is_error_code(code);
  bool again = r->status == 429 || r->status >= 500 || !known ||
               (r->status == 403 && strcmp(code, "invalid_grant") != 0) ||
               TEXT_IS_IN(transient, code);
  char detail[200];
  answer_quote(detail, sizeof(detail),
               body != NULL ? json_get_string(body, "error_description") : NULL, form, n);
  if (again)
    answer_passing(out, r, "token_endpoint_unavailable", who, "answered HTTP %d%s%s%s%s", r->status,
                   known ? " " : "", known ? code : "", r->status == 404 ? "; check " : "",
                   r->status == 404 ? words[grant].url_field : "");
  else
    refused(out, host, code, detail, grant);
}

/* Seconds of life. Numbers and numeric strings; what makes no sense counts as unknown. */
static int64_t read_expires_in(const cJSON *body)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(body, "expires_in");
  double s = cJSON_IsNumber(v) ? v->valuedouble : NAN;
  if (cJSON_IsString(v)) {
    char *end = NULL;
    s = strtod(v->valuestring, &end);
    if (end == v->valuestring || *end != '\0')
      s = NAN;
  }
  if (isnan(s) || s < 1)
    return TOKEN_LIFE_UNKNOWN_S;
  return s > TOKEN_LIFE_MAX_S ? TOKEN_LIFE_MAX_S : (int64_t)s;
}

bool answer_has_scope(const char *list, const char *scope)
{
  size_t len = strlen(scope);
  for (list += strspn(list, " "); *list != '\0'; list += strspn(list, " ")) {
    size_t n = strcspn(list, " ");
    if (n == len && strncmp(list, scope, n) == 0)
      return true;
    list += n;
  }
  return false;
}

/* Whether the answer says that the consent is too small; an answer that says nothing of scopes
 * is left to the API. Asking again is pointless: a consent's scopes do not grow. */
static bool lacks_scope(struct token_reply *out, const char *scope, const char *host,
                        enum grant_kind grant)
{
  const char *const *wanted = words[grant].scopes;
  if (!is_refresh(grant) || scope == NULL || scope[strspn(scope, " ")] == '\0' ||
      answer_has_scope(scope, wanted[0]) || answer_has_scope(scope, wanted[1]))
    return false;
  out->outcome = TOKEN_NEEDS_CONSENT;
  err_set(&out->error, ERR_FAILED_PRECONDITION, "missing_scope",
          "%s must re-consent: the consent that %s knows does not cover %s was unticked or never "
          "asked for); " PUT_NEW_TOKEN,
          person(grant), host, words[grant].unticked);
  return true;
}

static void read_token(struct token_reply *out, const struct http_response *r, const char *who,
                       const char *host, enum grant_kind grant)
{
  static const char reason[] = "token_endpoint_unavailable";
  AUTO_WIPED_JSON cJSON *body = answer_object(out, r, reason, who);
  if (body == NULL)
    return;
  const char *access = json_get_string(body, "access_token");
  const char *refresh = json_get_string(body, "refresh_token");
  const char *type = json_get_string(body, "token_type");
  /* Also of a token that is of no use: the one before may be void already. */
  out->refresh_token = answer_is_token(refresh) ? secret_from(refresh) : NULL;
  if (type != NULL && !ascii_case_equal(type, "bearer")) {
    answer_passing(out, r, reason, who, "gave a token that is not a bearer token");
  } else if (!answer_is_token(access)) {
    answer_passing(out, r, reason, who,
                   "answered without a usable access_token; is the scope right?");
  } else if (!lacks_scope(out, json_get_string(body, "scope"), host, grant)) {
    out->outcome = TOKEN_OBTAINED;
    out->access_token = secret_from(access);
    out->expires_in_s = read_expires_in(body);
  }
}

void token_reply_read(struct token_reply *out, const struct http_response *response,
                      const char *host, enum grant_kind grant, const struct form_field *form,
                      size_t n)
{
  *out = (struct token_reply){0};
  AUTO_FREE char *who = xasprintf("%s %s", words[grant].endpoint, host);
  if (answer_lost(out, response, "token_endpoint_unavailable", who, "64 KiB"))
    return;
  if (response->status == 200)
    read_token(out, response, who, host, grant);
  else
    read_error(out, response, who, host, grant, form, n);
}
