/* Workload Identity Federation: what STS and IAM are asked, and what their refusals come to. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/credential/fixture.h"
#include "tests/unit/side.h"

#define AUDIENCE                                                                                   \
  "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/eks/providers/oidc"
#define JWT_TYPE "urn:ietf:params:oauth:token-type:jwt"
#define HEAD                                                                                       \
  "{\"type\":\"external_account\",\"audience\":\"" AUDIENCE                                        \
  "\",\"subject_token_type\":\"" JWT_TYPE "\",\"token_url\":\"http://~/v1/token\","
#define IMPERSONATE                                                                                \
  "\"service_account_impersonation_url\":\"http://~/v1/projects/-/serviceAccounts/"                \
  "reader+p.iam:generateAccessToken\","
#define SUBJECT "subject.token-of.the-workload"
#define STS_OK                                                                                     \
  {                                                                                                \
    "POST /v1/token", 200, NULL,                                                                   \
        "{\"access_token\":\"federated-token\",\"issued_token_type\":\"urn:ietf:params:oauth:"     \
        "token-type:access_token\",\"token_type\":\"Bearer\",\"expires_in\":3600}",                \
        0, 0                                                                                       \
  }

static char path[64];

static void write_token(const char *text)
{
  if (path[0] == '\0') {
    snprintf(path, sizeof(path), "/tmp/auth-subject-XXXXXX");
    close(mkstemp(path));
  }
  FILE *f = fopen(path, "w");
  fputs(text, f);
  fclose(f);
}

/* A credential with '~' for the cloud's host. */
static struct credential *external(const struct cloud *cloud, const char *middle,
                                   const char *source)
{
  AUTO_FREE char *json = xasprintf("%s%s\"credential_source\":%s,\"quota_project_id\":\"payer\"}",
                                   HEAD, middle, source);
  for (char *p = json; *p != '\0'; p++)
    if (*p == '~')
      *p = '@';
  return cred_from(json, cloud);
}

static struct credential *with_file(const struct cloud *cloud, const char *middle)
{
  AUTO_FREE char *source = xasprintf("{\"file\":\"%s\"}", path);
  return external(cloud, middle, source);
}

static void a_projected_token_is_exchanged_at_sts(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  write_token(SUBJECT "\n");
  struct credential *c = with_file(cloud, "");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "federated-token");
  CU_ASSERT_EQUAL(r.expires_in_s, 3600);
  CU_ASSERT_STRING_EQUAL(c->quota_project, "payer");
  static const char *const want[][2] = {
      {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
      {"audience", AUDIENCE},
      {"scope", ANALYTICS_SCOPE},
      {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
      {"subject_token", SUBJECT},
      {"subject_token_type", JWT_TYPE},
  };
  for (size_t i = 0; i < ARRAY_LEN(want); i++) {
    AUTO_FREE char *value = request_form(cloud_request(cloud, 0), want[i][0]);
    CU_ASSERT_STRING_EQUAL(value != NULL ? value : "", want[i][1]);
  }
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void the_file_is_read_every_time(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  write_token("first.token");
  struct credential *c = with_file(cloud, "");
  struct token_reply r = cred_obtain(c, 0);
  token_reply_clear(&r);
  write_token("second.token");
  r = cred_obtain(c, 0);
  token_reply_clear(&r);
  AUTO_FREE char *first = request_form(cloud_request(cloud, 0), "subject_token");
  AUTO_FREE char *second = request_form(cloud_request(cloud, 1), "subject_token");
  CU_ASSERT_STRING_EQUAL(first, "first.token");
  CU_ASSERT_STRING_EQUAL(second, "second.token");
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_member_of_a_json_file_can_be_the_token(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  write_token("{\"other\":1,\"id\":\"" SUBJECT "\"}");
  AUTO_FREE char *source = xasprintf(
      "{\"file\":\"%s\",\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"id\"}}", path);
  struct credential *c = external(cloud, "", source);
  struct token_reply r = cred_obtain(c, 0);
  AUTO_FREE char *token = request_form(cloud_request(cloud, 0), "subject_token");
  CU_ASSERT_STRING_EQUAL(token != NULL ? token : "", SUBJECT);
  token_reply_clear(&r);
  write_token("{\"id\":7}");
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unusable", path,
                      "subject_token_field_name", NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_file_that_gives_no_token_is_named_with_the_reason(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  write_token("\n  \n");
  struct credential *c = with_file(cloud, "");
  struct token_reply r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unusable", path, "is empty", NULL);
  write_token("two\nlines");
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unusable", "not a token", NULL);
  AUTO_FREE char *large = xcalloc(1, 70001);
  memset(large, 'x', 70000);
  write_token(large);
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unreadable",
                      "larger than 65536 bytes", NULL);
  unlink(path);
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unreadable", path, "No such file",
                      "is the volume of the projected token mounted?", NULL);
  CU_ASSERT_EQUAL(mkfifo(path, 0600), 0); /* must not block */
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unreadable", "not a regular file",
                      NULL);
  unlink(path);
  CU_ASSERT_EQUAL(cloud_hits(cloud), 0);
  credential_unref(c);
  cloud_stop(cloud);
}

/* ------------------------------------------------------------------------- url */

static void a_url_gives_the_token_with_the_headers_it_wants(void)
{
  struct cloud *cloud =
      CLOUD({"GET /id?r=1", 200, NULL, "{\"tok\":\"" SUBJECT "\"}", 0, 0}, STS_OK);
  struct credential *c = external(
      cloud, "",
      "{\"url\":\"http://~/id?r=1\",\"headers\":{\"Metadata\":\"True\",\"X-Key\":\"sesame\"},"
      "\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"tok\"}}");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "federated-token");
  AUTO_FREE char *metadata = request_header(cloud_request(cloud, 0), "metadata");
  AUTO_FREE char *sesame = request_header(cloud_request(cloud, 0), "x-key");
  AUTO_FREE char *token = request_form(cloud_request(cloud, 1), "subject_token");
  CU_ASSERT_STRING_EQUAL(metadata, "True");
  CU_ASSERT_STRING_EQUAL(sesame, "sesame");
  CU_ASSERT_STRING_EQUAL(token, SUBJECT);
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void each_failure_of_the_url_is_told_apart(void)
{
  static const struct {
    struct cloud_answer answer;
    enum token_outcome outcome;
    const char *reason, *text;
  } table[] = {
      {{"GET", 403, NULL, "no", 0, 0}, TOKEN_OPERATOR_FAULT, "subject_token_refused", "HTTP 403"},
      {{"GET", 500, NULL, "no", 0, 0}, TOKEN_PASSING, "subject_token_unavailable", "HTTP 500"},
      {{"GET", 200, NULL, "", 0, 0}, TOKEN_OPERATOR_FAULT, "subject_token_unusable", "is empty"},
      {{"GET", 200, NULL, "x", 0, 1 << 20},
       TOKEN_PASSING,
       "subject_token_unavailable",
       "more than 64 KiB"},
      {{"GET", 200, NULL, "x", 1500, 0},
       TOKEN_PASSING,
       "subject_token_unavailable",
       "did not answer in time"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct cloud *cloud = cloud_start(&table[i].answer, 1);
    struct credential *c = external(cloud, "", "{\"url\":\"http://~/id\"}");
    struct token_reply r = cred_obtain(c, table[i].answer.delay_ms > 0 ? 300 : 0);
    cred_expect_failure(&r, table[i].outcome, table[i].reason, cloud_host(cloud), table[i].text,
                        NULL);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

/* ------------------------------------------------------------------------- sts */

static void each_refusal_of_sts_is_read_for_what_it_is(void)
{
  static const struct {
    struct cloud_answer answer;
    enum token_outcome outcome;
    const char *reason, *text;
  } table[] = {
      {{"POST", 400, NULL,
        "{\"error\":\"invalid_grant\",\"error_description\":\"The audience in ID Token [x] does "
        "not match the expected audience " AUDIENCE ".\"}",
        0, 0},
       TOKEN_OPERATOR_FAULT,
       "credential_refused",
       "The audience in ID Token"},
      {{"POST", 400, NULL,
        "{\"error\":\"invalid_target\",\"error_description\":\"The target service indicated by "
        "the \\\"audience\\\" parameters is invalid.\"}",
        0, 0},
       TOKEN_OPERATOR_FAULT,
       "invalid_target",
       "audience"},
      {{"POST", 403, NULL,
        "{\"error\":{\"code\":403,\"message\":\"Security Token Service API has not been used\","
        "\"status\":\"PERMISSION_DENIED\"}}",
        0, 0},
       TOKEN_OPERATOR_FAULT,
       "credential_refused",
       "has not been used"},
      {{"POST", 429, "Retry-After: 7\r\n", "{\"error\":\"rate_limit_exceeded\"}", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "HTTP 429"},
      {{"POST", 503, NULL, "<html>", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "HTTP 503"},
      {{"POST", 404, NULL, "no", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "check token_url"},
      {{"POST", 200, NULL, "<html>", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "not a JSON object"},
      {{"POST", 200, NULL, "{\"expires_in\":3600}", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "without a usable access_token"},
      {{"POST", 200, NULL, "{}", 0, 1 << 20},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "more than 64 KiB"},
      {{"POST", 200, NULL, "{}", 1500, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "did not answer in time"},
  };
  write_token(SUBJECT);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct cloud *cloud = cloud_start(&table[i].answer, 1);
    struct credential *c = with_file(cloud, "");
    struct token_reply r = cred_obtain(c, table[i].answer.delay_ms > 0 ? 300 : 0);
    CU_ASSERT_EQUAL(r.retry_after_ms, table[i].answer.status == 429 ? 7000 : 0);
    if (r.outcome == TOKEN_OPERATOR_FAULT)
      CU_ASSERT_PTR_NOT_NULL(strstr(r.error.message, "refused the projected token: "));
    cred_expect_failure(&r, table[i].outcome, table[i].reason, "Google STS", cloud_host(cloud),
                        table[i].text, NULL);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

static void sts_cannot_bring_the_subject_token_into_a_message(void)
{
  struct cloud *cloud = CLOUD({"POST", 400, NULL,
                               "{\"error\":\"invalid_grant\",\"error_description\":\"cannot read "
                               "token-of.the-workl\"}",
                               0, 0});
  write_token(SUBJECT);
  struct credential *c = with_file(cloud, "");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_PTR_NULL(strstr(r.error.message, "the-workl"));
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "credential_refused", "projected token", NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

static void the_override_of_the_oauth_endpoint_leaves_sts_alone(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  write_token(SUBJECT);
  struct credential *c = with_file(cloud, "");
  cred_override = "http://127.0.0.1:1/token";
  struct token_reply r = cred_obtain(c, 0);
  cred_override = NULL;
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

/* --------------------------------------------------------------- impersonation */

static char *iam_answer(int64_t from_now_s)
{
  char when[32];
  clock_format_rfc3339(clock_unix_ms() + from_now_s * 1000, when, sizeof(when));
  return xasprintf("{\"accessToken\":\"sa-token\",\"expireTime\":\"%s\"}", when);
}

static void a_service_account_is_impersonated_with_the_federated_token(void)
{
  AUTO_FREE char *answer = iam_answer(1800);
  struct cloud *cloud = CLOUD(STS_OK, {"POST /v1/projects/-/serviceAccounts/reader+p.iam:"
                                       "generateAccessToken ",
                                       200, NULL, answer, 0, 0});
  write_token(SUBJECT);
  struct credential *c = with_file(
      cloud, IMPERSONATE "\"service_account_impersonation\":{\"token_lifetime_seconds\":2400},");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "sa-token");
  CU_ASSERT_TRUE(r.expires_in_s > 1780 && r.expires_in_s <= 1800);
  AUTO_FREE char *scope = request_form(cloud_request(cloud, 0), "scope");
  AUTO_FREE char *bearer = request_header(cloud_request(cloud, 1), "authorization");
  AUTO_FREE char *type = request_header(cloud_request(cloud, 1), "content-type");
  CU_ASSERT_STRING_EQUAL(scope, CLOUD_PLATFORM_SCOPE);
  CU_ASSERT_STRING_EQUAL(bearer, "Bearer federated-token");
  CU_ASSERT_STRING_EQUAL(type, "application/json");
  CU_ASSERT_STRING_EQUAL(request_body(cloud_request(cloud, 1)),
                         "{\"scope\":[\"" ANALYTICS_SCOPE "\"],\"lifetime\":\"2400s\"}");
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

/* Our clock may be hours off; the answer must still be usable and never outlive the request. */
static void the_end_of_an_impersonated_token_survives_a_wrong_clock(void)
{
  static const struct {
    int64_t from_now_s, want_s;
  } table[] = {{-7200, 300}, {24 * 3600, 3600}};
  write_token(SUBJECT);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *answer = iam_answer(table[i].from_now_s);
    struct cloud *cloud = CLOUD(STS_OK, {"POST", 200, NULL, answer, 0, 0});
    struct credential *c = with_file(cloud, IMPERSONATE);
    struct token_reply r = cred_obtain(c, 0);
    CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
    CU_ASSERT_EQUAL(r.expires_in_s, table[i].want_s);
    token_reply_clear(&r);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

static void each_refusal_of_iam_is_read_for_what_it_is(void)
{
  static const struct {
    struct cloud_answer answer;
    enum token_outcome outcome;
    const char *reason, *text;
  } table[] = {
      {{"POST /v1/projects", 403, NULL,
        "{\"error\":{\"code\":403,\"message\":\"Permission 'iam.serviceAccounts.getAccessToken' "
        "denied on resource (or it may not exist).\",\"status\":\"PERMISSION_DENIED\"}}",
        0, 0},
       TOKEN_OPERATOR_FAULT,
       "credential_refused",
       "roles/iam.workloadIdentityUser"},
      {{"POST /v1/projects", 401, NULL,
        "{\"error\":{\"code\":401,\"message\":\"Request had federated-token\",\"status\":"
        "\"UNAUTHENTICATED\"}}",
        0, 0},
       TOKEN_OPERATOR_FAULT,
       "credential_refused",
       "the token of the step before"},
      {{"POST /v1/projects", 429, "Retry-After: 3\r\n",
        "{\"error\":{\"code\":429,\"message\":\"q\",\"status\":\"RESOURCE_EXHAUSTED\"}}", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "HTTP 429"},
      {{"POST /v1/projects", 403, NULL,
        "{\"error\":{\"code\":403,\"message\":\"q\",\"status\":\"RESOURCE_EXHAUSTED\"}}", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "HTTP 403"},
      {{"POST /v1/projects", 502, NULL, "<html>", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "HTTP 502"},
      {{"POST /v1/projects", 200, NULL, "[]", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "not a JSON object"},
      {{"POST /v1/projects", 200, NULL, "{\"expireTime\":\"2030-01-01T00:00:00Z\"}", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "without a usable accessToken"},
      {{"POST /v1/projects", 200, NULL, "{}", 0, 1 << 20},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "more than 64 KiB"},
      {{"POST /v1/projects", 200, NULL, "{}", 1500, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "did not answer in time"},
  };
  write_token(SUBJECT);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct cloud *cloud = CLOUD(STS_OK, table[i].answer);
    struct credential *c = with_file(cloud, IMPERSONATE);
    struct token_reply r = cred_obtain(c, table[i].answer.delay_ms > 0 ? 900 : 0);
    CU_ASSERT_PTR_NULL(strstr(r.error.message, "federated-token"));
    if (r.outcome == TOKEN_OPERATOR_FAULT)
      CU_ASSERT_PTR_NOT_NULL(strstr(r.error.message, "refused to impersonate reader+p.iam: "));
    cred_expect_failure(&r, table[i].outcome, table[i].reason, "IAM Credentials", cloud_host(cloud),
                        table[i].text, NULL);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

static void a_url_nobody_listens_at_is_a_passing_failure(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  struct credential *c = external(cloud, "", "{\"url\":\"http://127.0.0.1:1/id\"}");
  struct token_reply r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_PASSING, "subject_token_unavailable", "could not be reached", NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

TEST_MAIN_SIDE_BY_SIDE("auth cred external account", TEST(a_projected_token_is_exchanged_at_sts),
                       TEST(the_file_is_read_every_time),
                       TEST(a_member_of_a_json_file_can_be_the_token),
                       TEST(a_file_that_gives_no_token_is_named_with_the_reason),
                       TEST(a_url_gives_the_token_with_the_headers_it_wants),
                       TEST(each_failure_of_the_url_is_told_apart),
                       TEST(each_refusal_of_sts_is_read_for_what_it_is),
                       TEST(sts_cannot_bring_the_subject_token_into_a_message),
                       TEST(the_override_of_the_oauth_endpoint_leaves_sts_alone),
                       TEST(a_service_account_is_impersonated_with_the_federated_token),
                       TEST(the_end_of_an_impersonated_token_survives_a_wrong_clock),
                       TEST(each_refusal_of_iam_is_read_for_what_it_is),
                       TEST(a_url_nobody_listens_at_is_a_passing_failure))
