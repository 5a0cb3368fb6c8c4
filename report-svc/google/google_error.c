/* Google's error answers, by kind. */
#include "report-svc/google/google_error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/http/client.h"

enum { MAX_GOOGLE_TEXT = 320, HOUR_MS = 3600000 };

/* What could be read from the body. */
struct envelope {
  char message[MAX_GOOGLE_TEXT];
  char reason[64]; /* of google.rpc.ErrorInfo */
  char url[160];   /* where a disabled API is enabled */
};

/* Copies text for people: control characters but newlines become spaces. */
static void copy_text(char *out, size_t size, const char *text)
{
  struct err cut; /* cuts at a character border */
  err_set(&cut, ERR_UNKNOWN, NULL, "%.*s", (int)size - 1, text);
  size_t len = strlen(cut.message);
  while (len > 0 && !utf8_valid(cut.message, len))
    len--;
  for (size_t i = 0; i < len; i++) {
    char c = cut.message[i];
    out[i] = (unsigned char)c < 0x20 && c != '\n' ? ' ' : c;
  }
  out[len] = '\0';
}

static void read_details(struct envelope *out, const cJSON *details)
{
  const cJSON *detail;
  cJSON_ArrayForEach(detail, details)
  {
    const char *reason = json_get_string(detail, "reason");
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(detail, "metadata");
    const char *url = json_get_string(metadata, "activationUrl");
    if (reason != NULL && out->reason[0] == '\0')
      copy_text(out->reason, sizeof(out->reason), reason);
    if (url != NULL)
      copy_text(out->url, sizeof(out->url), url);
  }
}

static void read_envelope(struct envelope *out, const struct google_failure *f)
{
  *out = (struct envelope){0};
  AUTO_JSON cJSON *root = NULL;
  if (f->body == NULL || json_parse(&root, f->body, f->body_len, NULL, NULL) != ERR_OK)
    return;
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
  const char *message = json_get_string(error, "message");
  if (message != NULL)
    copy_text(out->message, sizeof(out->message), message);
  if (f->access_token != NULL && f->access_token[0] != '\0' && message != NULL &&
      strstr(message, f->access_token) != NULL)
    snprintf(out->message, sizeof(out->message), "(text withheld: it holds a credential)");
  read_details(out, cJSON_GetObjectItemCaseSensitive(error, "details"));
}

static const char *said(const struct envelope *env)
{
  return env->message[0] == '\0' ? "no further text" : env->message;
}

static bool mentions(const struct envelope *env, const char *text)
{
  return ascii_case_find(env->message, text) != NULL;
}

/* ------------------------------------------------------------------ kinds */

static enum google_next refused_token(struct err *e, const struct envelope *env)
{
  (void)env;
  err_set(
      e, ERR_FAILED_PRECONDITION, "unauthenticated",
      "Google refused the dealer's access token, also after it was renewed; if this persists, the "
      "dealer must re-consent, or, with a service account, its key or the clock of auth-svc is at "
      "fault");
  return GOOGLE_RENEW_TOKEN;
}

static enum google_next forbidden(struct err *e, const struct envelope *env)
{
  if (strcmp(env->reason, "ACCESS_TOKEN_SCOPE_INSUFFICIENT") == 0 ||
      mentions(env, "insufficient authentication scopes")) {
    err_set(e, ERR_PERMISSION_DENIED, "insufficient_scopes",
            "the dealer's consent does not cover Google Analytics: %s The dealer must re-consent "
            "with the scope analytics.readonly",
            said(env));
    return GOOGLE_FAIL;
  }
  if (strcmp(env->reason, "SERVICE_DISABLED") == 0 ||
      mentions(env, "has not been used in project")) {
    err_set(e, ERR_FAILED_PRECONDITION, "api_disabled",
            "the Google Analytics API is not enabled in the credential's Google Cloud project; the "
            "operator must enable it%s%s",
            env->url[0] == '\0' ? "" : " at ", env->url);
    return GOOGLE_FAIL;
  }
  if (ascii_case_find(env->reason, "ratelimitexceeded") != NULL ||
      strcmp(env->reason, "RATE_LIMIT_EXCEEDED") == 0) {
    err_set(e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
            "the project's rate limit at Google is used up for this minute; try again in a minute");
    return GOOGLE_RETRY_LATER;
  }
  err_set(
      e, ERR_PERMISSION_DENIED, "permission_denied",
      "Google denies access: %s Check the property id, and that the dealer's credential has the "
      "role Viewer in Admin > Property access management",
      said(env));
  return GOOGLE_FAIL;
}

/* Quotas of an hour: of requests about people, of failures, of tokens. */
static enum google_next hourly_quota(struct err *e, const struct envelope *env, int64_t now_ms)
{
  char until[BUDGET_TIME_SIZE];
  budget_time(until, now_ms + HOUR_MS);
  if (mentions(env, "thresholded"))
    err_set(
        e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
        "quota exhausted until %s at the latest: the property's hourly quota of reports by age, "
        "gender, interests or audience is used up. Leave these dimensions out, or ask again "
        "then. Google: %s",
        until, said(env));
  else if (mentions(env, "server errors"))
    err_set(e, ERR_UNAVAILABLE, "server_errors",
            "Google failed too often within an hour at this property and refuses all reports until "
            "%s at the latest. Ask again then. Google: %s",
            until, said(env));
  else
    err_set(e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
            "quota exhausted until %s at the latest: the property's hourly quota is used up. Ask "
            "again then; fewer rows, dimensions or days cost less of it. Google: %s",
            until, said(env));
  return GOOGLE_FAIL;
}

static enum google_next quota(struct err *e, const struct envelope *env, int64_t now_ms)
{
  char until[BUDGET_TIME_SIZE];
  if (mentions(env, "concurrent requests")) {
    err_set(e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
            "too many requests at once at this property (other programs count too); try again in "
            "half a minute. Google: %s",
            said(env));
    return GOOGLE_RETRY_LATER;
  }
  if (mentions(env, "per day") || mentions(env, "daily")) {
    budget_time(until, google_quota_day_end_ms(now_ms));
    err_set(e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
            "quota exhausted until %s: the property's daily quota is used up. Ask again then. "
            "Google: %s",
            until, said(env));
    return GOOGLE_FAIL;
  }
  if (mentions(env, "hour") || mentions(env, "thresholded") || mentions(env, "server errors"))
    return hourly_quota(e, env, now_ms);
  err_set(e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
          "Google limits the rate of requests; try again in a minute. Google: %s", said(env));
  return GOOGLE_RETRY_LATER;
}

enum budget_quota google_error_quota(const struct google_failure *f)
{
  struct envelope env;
  read_envelope(&env, f);
  if (mentions(&env, "server errors"))
    return BUDGET_SERVER_ERRORS;
  if (mentions(&env, "thresholded") || mentions(&env, "concurrent"))
    return BUDGET_OTHER;
  if (mentions(&env, "per day") || mentions(&env, "daily"))
    return BUDGET_DAY;
  return mentions(&env, "hour") ? BUDGET_HOUR : BUDGET_OTHER;
}

static enum google_next transport(struct err *e, const struct err *cause)
{
  switch (cause->code) {
  case ERR_DEADLINE_EXCEEDED:
    if (strcmp(cause->reason, HTTP_NOT_TAKEN) == 0)
      err_set(
          e, ERR_DEADLINE_EXCEEDED, "timeout",
          "the time of this call was over before all of Google's rows were passed on, because the "
          "caller read them slowly; ask for fewer rows or fewer dealers at once, or try again");
    else
      err_set(
          e, ERR_DEADLINE_EXCEEDED, "timeout",
          "Google did not answer in time; ask for fewer rows, dimensions or days, or try again");
    return GOOGLE_FAIL;
  case ERR_UNAVAILABLE:
    if (strcmp(cause->reason, "tls_failed") == 0) {
      err_set(e, ERR_FAILED_PRECONDITION, "certificate_refused",
              "Google's certificate is not trusted: %s. Only the operator of this service can fix "
              "that: its log says how",
              cause->message);
      return GOOGLE_FAIL;
    }
    err_set(e, ERR_UNAVAILABLE, "unavailable", "%s: %s; try again",
            strcmp(cause->reason, "connection_lost") == 0 ? "Google's answer was cut off"
                                                          : "Google could not be reached",
            cause->message);
    return GOOGLE_RETRY;
  case ERR_RESOURCE_EXHAUSTED:
    err_set(e, ERR_RESOURCE_EXHAUSTED, "response_too_large",
            "Google's answer is larger than this service accepts: %s", cause->message);
    return GOOGLE_FAIL;
  default:
    *e = *cause;
    return GOOGLE_FAIL;
  }
}

/* An answer without Google's words comes from something else than its API. */
static void not_found(struct err *e, const struct envelope *env)
{
  if (env->message[0] == '\0')
    err_set(e, ERR_NOT_FOUND, "not_found",
            "the server in Google's place does not offer this method (404). Only the operator of "
            "this service can fix that: its log says how");
  else
    err_set(
        e, ERR_NOT_FOUND, "not_found",
        "Google does not find what was asked for, or does not offer this method to the property "
        "(404): %s",
        env->message);
}

static enum google_next other(struct err *e, int status, const struct envelope *env)
{
  if (status >= 500 || status < 400) {
    err_set(e, ERR_UNAVAILABLE, "unavailable",
            "Google answered %d (%s); this usually passes, try again in a minute", status,
            said(env));
    return status >= 500 ? GOOGLE_RETRY : GOOGLE_FAIL;
  }
  err_set(e, ERR_UNKNOWN, "google_error", "Google answered %d: %s", status, said(env));
  return GOOGLE_FAIL;
}

/* Google's list of fields is a page of the web, of no property: search_fields is what a caller has.
 * It does not know which fields a realtime report has, so what Google says of that stays. */
static void refused_request(struct err *e, struct envelope *env)
{
  char *list = strstr(env->message, "For a list of valid");
  bool unknown = strstr(env->message, " is not a valid dimension") != NULL ||
                 strstr(env->message, " is not a valid metric") != NULL;
  if (list == NULL || !unknown || mentions(env, "realtime")) {
    err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s",
            env->message[0] == '\0' ? "Google refused the request without a reason" : env->message);
    return;
  }
  while (list > env->message && (list[-1] == ' ' || list[-1] == '\n'))
    list--;
  *list = '\0';
  err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
          "%s search_fields finds this property's dimensions and metrics by words", env->message);
}

enum google_next google_error_classify(struct err *e, const struct google_failure *f)
{
  struct envelope env;
  if (f->transport != NULL && f->transport->code != ERR_OK)
    return transport(e, f->transport);
  read_envelope(&env, f);
  switch (f->status) {
  case 400:
    refused_request(e, &env);
    return GOOGLE_FAIL;
  case 401:
    return refused_token(e, &env);
  case 403:
    return forbidden(e, &env);
  case 404:
    not_found(e, &env);
    return GOOGLE_FAIL;
  case 429:
    return quota(e, &env, f->now_unix_ms);
  default:
    return other(e, f->status, &env);
  }
}
