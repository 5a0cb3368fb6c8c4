/* Google's errors as recorded, and what we make of them. */
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/http/client.h"
#include "report-svc/google/google_error.h"
#include "tests/unit/harness.h"

/* 2026-11-22T15:20:00Z */
static const int64_t now_ms = 1795360800000;

static enum google_next classify(struct err *e, int status, const char *body)
{
  struct google_failure f = {.status = status,
                             .body = body,
                             .body_len = strlen(body),
                             .now_unix_ms = now_ms,
                             .access_token = "ya29.secret"};
  *e = (struct err){0};
  return google_error_classify(e, &f);
}

static bool is(int status, const char *body, enum google_next next, enum err_code code,
               const char *reason, const char *text)
{
  struct err e;
  enum google_next got = classify(&e, status, body);
  bool ok = got == next && e.code == code && strcmp(e.reason, reason) == 0 &&
            strstr(e.message, text) != NULL;
  if (!ok)
    printf("\n    next %d, %s, %s: %s\n", got, err_code_name(e.code), e.reason, e.message);
  return ok;
}

static void refused_token_is_renewed(void)
{
  CU_ASSERT(is(401,
               "{\"error\":{\"code\":401,\"message\":\"Request had invalid authentication "
               "credentials. Expected OAuth 2 access token...\",\"status\":\"UNAUTHENTICATED\"}}",
               GOOGLE_RENEW_TOKEN, ERR_FAILED_PRECONDITION, "unauthenticated", "re-consent"));
}

static void kinds_of_403_have_errors_of_their_own(void)
{
  CU_ASSERT(
      is(403,
         "{\"error\":{\"code\":403,\"message\":\"User does not have sufficient permissions for "
         "this property.\",\"status\":\"PERMISSION_DENIED\"}}",
         GOOGLE_FAIL, ERR_PERMISSION_DENIED, "permission_denied", "Viewer"));
  CU_ASSERT(
      is(403,
         "{\"error\":{\"code\":403,\"message\":\"Request had insufficient authentication "
         "scopes.\",\"status\":\"PERMISSION_DENIED\",\"details\":[{\"@type\":\"type.googleapis."
         "com/google.rpc.ErrorInfo\",\"reason\":\"ACCESS_TOKEN_SCOPE_INSUFFICIENT\"}]}}",
         GOOGLE_FAIL, ERR_PERMISSION_DENIED, "insufficient_scopes", "analytics.readonly"));
  CU_ASSERT(
      is(403,
         "{\"error\":{\"code\":403,\"message\":\"Google Analytics Data API has not been used in "
         "project 1 before or it is disabled.\",\"details\":[{\"reason\":\"SERVICE_DISABLED\","
         "\"metadata\":{\"activationUrl\":\"https://console.example/enable\"}}]}}",
         GOOGLE_FAIL, ERR_FAILED_PRECONDITION, "api_disabled", "https://console.example/enable"));
  CU_ASSERT(
      is(403,
         "{\"error\":{\"code\":403,\"message\":\"Rate Limit Exceeded\",\"details\":[{\"reason\":"
         "\"rateLimitExceeded\"}]}}",
         GOOGLE_RETRY_LATER, ERR_RESOURCE_EXHAUSTED, "quota_exhausted", "minute"));
}

static void quotas_say_when_they_return(void)
{
  CU_ASSERT(is(429, "{\"error\":{\"message\":\"Exhausted property tokens per day.\"}}", GOOGLE_FAIL,
               ERR_RESOURCE_EXHAUSTED, "quota_exhausted", "quota exhausted until 08:00Z"));
  CU_ASSERT(is(429,
               "{\"error\":{\"message\":\"Exhausted property tokens for a project per hour. These "
               "quota tokens will return in under an hour.\"}}",
               GOOGLE_FAIL, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
               "quota exhausted until 16:20Z"));
  CU_ASSERT(is(429,
               "{\"error\":{\"message\":\"Exhausted potentially thresholded requests quota.\"}}",
               GOOGLE_FAIL, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
               "until 16:20Z at the latest: the property's hourly quota of reports by age, gender, "
               "interests or audience is used up. Leave these dimensions out, or ask again then."));
  CU_ASSERT(is(429, "{\"error\":{\"message\":\"Exhausted server errors quota.\"}}", GOOGLE_FAIL,
               ERR_UNAVAILABLE, "server_errors",
               "refuses all reports until 16:20Z at the latest. Ask again then."));
  CU_ASSERT(is(429, "{\"error\":{\"message\":\"Exhausted concurrent requests quota.\"}}",
               GOOGLE_RETRY_LATER, ERR_RESOURCE_EXHAUSTED, "quota_exhausted", "half a minute"));
}

static void day_of_quotas_ends_at_midnight_in_los_angeles(void)
{
  static const struct {
    const char *now, *end;
  } cases[] = {
      {"2026-11-22T15:20:00Z", "2026-11-23T08:00:00Z"}, /* winter */
      {"2026-11-22T07:59:59Z", "2026-11-22T08:00:00Z"},
      {"2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"},
      {"2026-07-01T06:59:00Z", "2026-07-01T07:00:00Z"}, /* summer */
      {"2026-07-01T12:00:00Z", "2026-07-02T07:00:00Z"},
      {"2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"}, /* clocks go forward at 2 that day */
      {"2026-03-08T20:00:00Z", "2026-03-09T07:00:00Z"},
      {"2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"}, /* and back */
      {"2026-11-01T20:00:00Z", "2026-11-02T08:00:00Z"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int64_t now = 0, end = 0;
    CU_ASSERT(clock_parse_rfc3339(cases[i].now, &now));
    CU_ASSERT(clock_parse_rfc3339(cases[i].end, &end));
    CU_ASSERT_EQUAL(google_quota_day_end_ms(now), end);
  }
}

static void validation_text_is_passed_on_as_it_is(void)
{
  struct err e;
  CU_ASSERT_EQUAL(classify(&e, 400,
                           "{\"error\":{\"message\":\"Field foo is not a valid metric.  For a "
                           "list\\nsee x \"}}"),
                  GOOGLE_FAIL);
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "Field foo is not a valid metric.  For a list\nsee x ");
}

static void an_unknown_field_points_to_search_fields(void)
{
#define SEE "For a list of valid dimensions and metrics, see https://developers.google.com/"
  struct err e;
  classify(&e, 400,
           "{\"error\":{\"message\":\"Did you mean city? Field town is not a valid dimension. " SEE
           "api-schema \"}}");
  CU_ASSERT_STRING_EQUAL(e.message,
                         "Did you mean city? Field town is not a valid dimension. search_fields "
                         "finds this property's dimensions and metrics by words");
  classify(&e, 400,
           "{\"error\":{\"message\":\"Field x is not a valid metric. " SEE
           "realtime-api-schema\"}}");
  CU_ASSERT_STRING_EQUAL(e.message, "Field x is not a valid metric. " SEE "realtime-api-schema");
}

static void server_errors_are_tried_again(void)
{
  CU_ASSERT(is(500, "{\"error\":{\"message\":\"Internal error\"}}", GOOGLE_RETRY, ERR_UNAVAILABLE,
               "unavailable", "Internal error"));
  CU_ASSERT(is(503, "", GOOGLE_RETRY, ERR_UNAVAILABLE, "unavailable", "503"));
  CU_ASSERT(is(302, "", GOOGLE_FAIL, ERR_UNAVAILABLE, "unavailable", "302"));
}

static void bodies_that_are_not_json_are_survived(void)
{
  static const char *const bodies[] = {"<html>404</html>", "",     "[]", "{\"error\":\"x\"}",
                                       "{\"error\":{}}",   "\xff", "{"};
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    CU_ASSERT(is(404, bodies[i], GOOGLE_FAIL, ERR_NOT_FOUND, "not_found", "Only the operator"));
    CU_ASSERT(is(400, bodies[i], GOOGLE_FAIL, ERR_INVALID_ARGUMENT, "invalid_argument", "Google"));
    CU_ASSERT(is(418, bodies[i], GOOGLE_FAIL, ERR_UNKNOWN, "google_error", "418"));
  }
}

static void long_text_is_cut_at_a_character(void)
{
  AUTO_BUF struct buf body = BUF_INIT(1 << 16);
  struct err e;
  buf_puts(&body, "{\"error\":{\"message\":\"");
  for (int i = 0; i < 1000; i++)
    buf_puts(&body, "\xe2\x82\xac");
  buf_puts(&body, "\"}}");
  classify(&e, 400, buf_str(&body));
  size_t len = strlen(e.message);
  CU_ASSERT(len > 200 && len < sizeof(e.message) && len % 3 == 0);
}

static void an_echoed_token_is_withheld(void)
{
  struct err e;
  classify(&e, 400, "{\"error\":{\"message\":\"bad token ya29.secret\"}}");
  CU_ASSERT_PTR_NULL(strstr(e.message, "ya29"));
}

static void transport_errors_keep_their_kind(void)
{
  struct err transport, e;
  struct google_failure f = {.transport = &transport};
  err_set(&transport, ERR_DEADLINE_EXCEEDED, "x", "y");
  CU_ASSERT_EQUAL(google_error_classify(&e, &f), GOOGLE_FAIL);
  CU_ASSERT_STRING_EQUAL(e.reason, "timeout");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "Google did not answer in time"));
  err_set(&transport, ERR_DEADLINE_EXCEEDED, HTTP_NOT_TAKEN, "y");
  CU_ASSERT_EQUAL(google_error_classify(&e, &f), GOOGLE_FAIL);
  CU_ASSERT_STRING_EQUAL(e.reason, "timeout");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "because the caller read them slowly"));
  err_set(&transport, ERR_UNAVAILABLE, "connection_lost", "host:443: cut");
  CU_ASSERT_EQUAL(google_error_classify(&e, &f), GOOGLE_RETRY);
  CU_ASSERT_STRING_EQUAL(e.message, "Google's answer was cut off: host:443: cut; try again");
  err_set(&transport, ERR_UNAVAILABLE, "x", "connection refused");
  CU_ASSERT_EQUAL(google_error_classify(&e, &f), GOOGLE_RETRY);
  CU_ASSERT_STRING_EQUAL(e.reason, "unavailable");
  err_set(&transport, ERR_UNAVAILABLE, "tls_failed", "host:443: unable to get local issuer");
  CU_ASSERT_EQUAL(google_error_classify(&e, &f), GOOGLE_FAIL);
  CU_ASSERT_STRING_EQUAL(e.reason, "certificate_refused");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "Only the operator"));
  err_set(&transport, ERR_RESOURCE_EXHAUSTED, "x", "too large");
  CU_ASSERT_EQUAL(google_error_classify(&e, &f), GOOGLE_FAIL);
}

TEST_MAIN("report google errors", TEST(refused_token_is_renewed),
          TEST(kinds_of_403_have_errors_of_their_own), TEST(quotas_say_when_they_return),
          TEST(day_of_quotas_ends_at_midnight_in_los_angeles),
          TEST(validation_text_is_passed_on_as_it_is),
          TEST(an_unknown_field_points_to_search_fields), TEST(server_errors_are_tried_again),
          TEST(bodies_that_are_not_json_are_survived), TEST(long_text_is_cut_at_a_character),
          TEST(an_echoed_token_is_withheld), TEST(transport_errors_keep_their_kind))
