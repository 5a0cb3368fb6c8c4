/* Workload identity on AWS: environment and instance metadata, and a signed GetCallerIdentity
 * request that this test signs again from its own words. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/credential/fixture.h"
#include "tests/unit/harness.h"

#define AUDIENCE                                                                                   \
  "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/aws/providers/ec2"
#define ID "AKIAIOSFODNN7EXAMPLE"
#define KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SESSION "AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT+FvwqnKwRcOIfrRh3c/LTo6UDdyJw=="
#define JSON                                                                                       \
  "{\"type\":\"external_account\",\"audience\":\"" AUDIENCE                                        \
  "\",\"subject_token_type\":\"urn:ietf:params:aws:token-type:aws4_request\","                     \
  "\"token_url\":\"http://@/v1/token\",\"credential_source\":{\"environment_id\":\"aws1\","        \
  "\"region_url\":\"http://@/zone\",\"url\":\"http://@/role\","                                    \
  "\"regional_cred_verification_url\":"                                                            \
  "\"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15\","            \
  "\"imdsv2_session_token_url\":\"http://@/api/token\"}}"
#define STS_OK                                                                                     \
  {                                                                                                \
    "POST /v1/token", 200, NULL, "{\"access_token\":\"federated\",\"expires_in\":3600}", 0, 0      \
  }
#define IMDS_TOKEN                                                                                 \
  {                                                                                                \
    "PUT /api/token", 200, NULL, "imds-session==", 0, 0                                            \
  }
#define ZONE                                                                                       \
  {                                                                                                \
    "GET /zone", 200, NULL, "us-east-2b", 0, 0                                                     \
  }
#define ROLE                                                                                       \
  {                                                                                                \
    "GET /role ", 200, NULL, "reader-role\n", 0, 0                                                 \
  }
#define ROLE_KEY                                                                                   \
  {                                                                                                \
    "GET /role/reader-role ", 200, NULL,                                                           \
        "{\"Code\":\"Success\",\"AccessKeyId\":\"" ID "\",\"SecretAccessKey\":\"" KEY              \
        "\",\"Token\":\"" SESSION "\",\"Expiration\":\"2030-01-01T00:00:00Z\"}",                   \
        0, 0                                                                                       \
  }

static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};

static void environment(const char *region, const char *default_region, const char *id,
                        const char *key, const char *session)
{
  const char *const values[] = {region, default_region, id, key, session};
  for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
    unsetenv(variables[i]);
    if (values[i] != NULL)
      setenv(variables[i], values[i], 1);
  }
}

/* ------------------------------------------------------- the signature, once more */

static void hmac_into(uint8_t out[32], const void *key, size_t n, const char *text)
{
  unsigned len = 32;
  HMAC(EVP_sha256(), key, (int)n, (const uint8_t *)text, strlen(text), out, &len);
}

static void hex_sha256(const char *text, char out[65])
{
  uint8_t digest[32];
  unsigned n = sizeof(digest);
  EVP_Digest(text, strlen(text), digest, &n, EVP_sha256(), NULL);
  for (size_t i = 0; i < 32; i++)
    snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static const char *member(const cJSON *request, const char *key)
{
  const cJSON *h;
  cJSON_ArrayForEach(h, cJSON_GetObjectItem(request, "headers"))
  {
    if (strcmp(json_get_string(h, "key"), key) == 0)
      return json_get_string(h, "value");
  }
  return NULL;
}

/* Writes out what AWS's documentation says a GetCallerIdentity by POST is signed as. */
static char *expected_authorization(const cJSON *request, const char *region, bool session)
{
  char hash[65], day[9], signature[65];
  const char *date = member(request, "x-amz-date");
  static const char *const names[] = {
      "host;x-amz-date;x-goog-cloud-target-resource",
      "host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource"};
  AUTO_FREE char *token_line =
      session ? xasprintf("x-amz-security-token:%s\n", member(request, "x-amz-security-token"))
              : xstrdup("");
  AUTO_FREE char *canonical =
      xasprintf("POST\n/\nAction=GetCallerIdentity&Version=2011-06-15\nhost:sts.%s.amazonaws.com\n"
                "x-amz-date:%s\n%sx-goog-cloud-target-resource:%s\n\n%s\n"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                region, date, token_line, AUDIENCE, names[session]);
  hex_sha256(canonical, hash);
  snprintf(day, sizeof(day), "%.8s", date);
  AUTO_FREE char *to_sign =
      xasprintf("AWS4-HMAC-SHA256\n%s\n%s/%s/sts/aws4_request\n%s", date, day, region, hash);
  uint8_t k[32];
  hmac_into(k, "AWS4" KEY, strlen("AWS4" KEY), day);
  hmac_into(k, k, 32, region);
  hmac_into(k, k, 32, "sts");
  hmac_into(k, k, 32, "aws4_request");
  hmac_into(k, k, 32, to_sign);
  for (size_t i = 0; i < 32; i++)
    snprintf(signature + 2 * i, 3, "%02x", k[i]);
  return xasprintf("AWS4-HMAC-SHA256 Credential=" ID "/%s/%s/sts/aws4_request, "
                   "SignedHeaders=%s, Signature=%s",
                   day, region, names[session], signature);
}

/* The subject token of an STS request, checked as AWS and Google would. */
static void check_sts_request(const char *raw, const char *region, bool session)
{
  AUTO_FREE char *type = request_form(raw, "subject_token_type");
  AUTO_FREE char *encoded = request_form(raw, "subject_token");
  CU_ASSERT_STRING_EQUAL(type, "urn:ietf:params:aws:token-type:aws4_request");
  CU_ASSERT_PTR_NOT_NULL_FATAL(encoded);
  CU_ASSERT_PTR_NULL(strpbrk(encoded, "{}\" ,:/")); /* the JSON is itself percent-encoded */
  AUTO_FREE char *json = percent_decoded(encoded);
  AUTO_JSON cJSON *request = NULL;
  CU_ASSERT_EQUAL_FATAL(json_parse(&request, json, strlen(json), NULL, NULL), ERR_OK);
  AUTO_FREE char *url =
      xasprintf("https://sts.%s.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15", region);
  AUTO_FREE char *host = xasprintf("sts.%s.amazonaws.com", region);
  CU_ASSERT_STRING_EQUAL(json_get_string(request, "url"), url);
  CU_ASSERT_STRING_EQUAL(json_get_string(request, "method"), "POST");
  CU_ASSERT_STRING_EQUAL(member(request, "host"), host);
  CU_ASSERT_STRING_EQUAL(member(request, "x-goog-cloud-target-resource"), AUDIENCE);
  CU_ASSERT_EQUAL(member(request, "x-amz-security-token") != NULL, session);
  AUTO_FREE char *want = expected_authorization(request, region, session);
  CU_ASSERT_STRING_EQUAL(member(request, "Authorization"), want);
  char today[32];
  clock_format_rfc3339(clock_unix_ms(), today, sizeof(today));
  CU_ASSERT_EQUAL(strncmp(member(request, "x-amz-date"), today, 4), 0);
}

/* ------------------------------------------------------------------------ the sources */

static void the_environment_alone_is_enough(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  struct credential *c = cred_from(JSON, cloud);
  environment("eu-west-1", "us-west-1", ID, KEY, SESSION);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "federated");
  token_reply_clear(&r);
  environment(NULL, "us-west-1", ID, KEY, NULL);
  r = cred_obtain(c, 0);
  token_reply_clear(&r);
  CU_ASSERT_EQUAL_FATAL(cloud_hits(cloud), 2);
  check_sts_request(cloud_request(cloud, 0), "eu-west-1", true);
  check_sts_request(cloud_request(cloud, 1), "us-west-1", false);
  credential_unref(c);
  cloud_stop(cloud);
}

static void instance_metadata_gives_zone_role_and_key_with_a_session_token(void)
{
  struct cloud *cloud = CLOUD(IMDS_TOKEN, ZONE, ROLE, ROLE_KEY, STS_OK);
  struct credential *c = cred_from(JSON, cloud);
  environment(NULL, NULL, NULL, NULL, NULL);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  CU_ASSERT_EQUAL_FATAL(cloud_hits(cloud), 5);
  AUTO_FREE char *ttl =
      request_header(cloud_request(cloud, 0), "x-aws-ec2-metadata-token-ttl-seconds");
  CU_ASSERT_STRING_EQUAL(ttl, "300");
  for (size_t i = 1; i <= 3; i++) {
    AUTO_FREE char *token = request_header(cloud_request(cloud, i), "x-aws-ec2-metadata-token");
    CU_ASSERT_STRING_EQUAL(token != NULL ? token : "", "imds-session==");
  }
  check_sts_request(cloud_request(cloud, 4), "us-east-2", true);
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void metadata_is_asked_only_for_what_the_environment_lacks(void)
{
  struct cloud *cloud = CLOUD(IMDS_TOKEN, ZONE, ROLE, ROLE_KEY, STS_OK);
  struct credential *c = cred_from(JSON, cloud);
  environment(NULL, NULL, ID, KEY, NULL);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  token_reply_clear(&r);
  CU_ASSERT_EQUAL_FATAL(cloud_hits(cloud), 3); /* session token, zone, STS */
  check_sts_request(cloud_request(cloud, 2), "us-east-2", false);
  environment("ap-south-1", NULL, ID, NULL, NULL); /* half a key is none */
  r = cred_obtain(c, 0);
  token_reply_clear(&r);
  CU_ASSERT_EQUAL_FATAL(cloud_hits(cloud), 7); /* session token, role, key, STS */
  check_sts_request(cloud_request(cloud, 6), "ap-south-1", true);
  credential_unref(c);
  cloud_stop(cloud);
}

static void without_imdsv2_no_session_token_is_asked_for(void)
{
  struct cloud *cloud = CLOUD(ZONE, ROLE, ROLE_KEY, STS_OK);
  AUTO_FREE char *json = xstrdup(JSON);
  char *at = strstr(json, ",\"imdsv2_session_token_url\"");
  snprintf(at, 3, "}}");
  struct credential *c = cred_from(json, cloud);
  environment(NULL, NULL, NULL, NULL, NULL);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  CU_ASSERT_EQUAL(cloud_hits(cloud), 4);
  CU_ASSERT_PTR_NULL(strcasestr(cloud_request(cloud, 0), "x-aws-ec2-metadata-token"));
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

/* ---------------------------------------------------------------------- failures */

static void each_failure_of_aws_metadata_names_the_step(void)
{
  static const struct {
    struct cloud_answer answer;
    enum token_outcome outcome;
    const char *reason, *text;
  } table[] = {
      {{"PUT", 403, NULL, "", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_refused",
       "asked for its session token (IMDSv2), answered HTTP 403"},
      {{"PUT", 200, NULL, "x", 1500, 0},
       TOKEN_PASSING,
       "aws_metadata_unavailable",
       "asked for its session token (IMDSv2), did not answer in time; in a container"},
      {{"PUT", 200, NULL, "", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_unusable",
       "gave something that is not an IMDSv2 session token"},
      {{"GET /zone", 200, NULL, "<html>", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_unusable",
       "no availability zone"},
      {{"GET /zone", 500, NULL, "", 0, 0},
       TOKEN_PASSING,
       "aws_metadata_unavailable",
       "asked for the availability zone, answered HTTP 500"},
      {{"GET /role ", 404, NULL, "", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_refused",
       "attach a role to the instance"},
      {{"GET /role ", 200, NULL, "../../secrets", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_unusable",
       "names no role"},
      {{"GET /role/", 200, NULL, "{\"AccessKeyId\":\"" ID "\"}", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_unusable",
       "without AccessKeyId and SecretAccessKey"},
      {{"GET /role/", 200, NULL, "nonsense", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "aws_metadata_unusable",
       "not a JSON object"},
      {{"GET /role/", 200, NULL, "{}", 0, 1 << 20},
       TOKEN_PASSING,
       "aws_metadata_unavailable",
       "more than 16 KiB"},
  };
  environment(NULL, NULL, NULL, NULL, NULL);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct cloud *cloud = CLOUD(table[i].answer, IMDS_TOKEN, ZONE, ROLE, ROLE_KEY, STS_OK);
    struct credential *c = cred_from(JSON, cloud);
    struct token_reply r = cred_obtain(c, table[i].answer.delay_ms > 0 ? 300 : 0);
    cred_expect_failure(&r, table[i].outcome, table[i].reason, "AWS metadata", cloud_host(cloud),
                        table[i].text, NULL);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

static void sts_refusing_the_request_is_told_without_the_key(void)
{
  struct cloud *cloud = CLOUD({"POST", 400, NULL,
                               "{\"error\":\"invalid_grant\",\"error_description\":\"Received "
                               "invalid AWS response of type InvalidClientTokenId\"}",
                               0, 0});
  struct credential *c = cred_from(JSON, cloud);
  environment("eu-west-1", NULL, ID, KEY, SESSION);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_PTR_NULL(strstr(r.error.message, ID));
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "credential_refused", "Google STS",
                      "refused the signed AWS request", "InvalidClientTokenId", "clock", NULL);
  credential_unref(c);
  cloud_stop(cloud);
  cloud = CLOUD({"POST", 400, NULL,
                 "{\"error\":\"invalid_grant\",\"error_description\":\"token FvwqnKwRcOIfrRh3c\"}",
                 0, 0});
  c = cred_from(JSON, cloud);
  r = cred_obtain(c, 0);
  CU_ASSERT_PTR_NULL(strstr(r.error.message, "FvwqnKwR"));
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_refusal_may_name_the_time_of_the_request_and_nothing_else_of_it(void)
{
  static const struct form_field form[] = {
      {"subject_token", "%7B%22x-amz-date%22%2C%2220260314T150926Z%22%2C%22FvwqnKwRcOIfrRh3c",
       false}};
  static const struct {
    const char *text;
    bool quoted;
  } table[] = {{"Signature expired: 20260314T150926Z is now earlier", true},
               {"Signature expired: 20260314T150926Z", true},
               {"of 20260314T150926Z%22", false},
               {"of 2%2220260314T150926Z", false},
               {"20260314T150926Z FvwqnKwRcOIfrR", false},
               {"x-amz-date%22%2C", false}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    char out[100];
    answer_quote(out, sizeof(out), table[i].text, form, ARRAY_LEN(form));
    CU_ASSERT_STRING_EQUAL(out, table[i].quoted ? table[i].text : "");
  }
}

static void a_wrong_environment_is_named(void)
{
  struct cloud *cloud = CLOUD(STS_OK);
  struct credential *c = cred_from(JSON, cloud);
  environment("evil.example/", NULL, ID, KEY, NULL);
  struct token_reply r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "aws_environment", "AWS_REGION", NULL);
  environment("eu-west-1", NULL, "two words", KEY, NULL);
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "aws_environment", "AWS_ACCESS_KEY_ID", NULL);
  CU_ASSERT_EQUAL(cloud_hits(cloud), 0);
  environment(NULL, NULL, NULL, NULL, NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

TEST_MAIN("auth cred aws", TEST(the_environment_alone_is_enough),
          TEST(instance_metadata_gives_zone_role_and_key_with_a_session_token),
          TEST(metadata_is_asked_only_for_what_the_environment_lacks),
          TEST(without_imdsv2_no_session_token_is_asked_for),
          TEST(each_failure_of_aws_metadata_names_the_step),
          TEST(sts_refusing_the_request_is_told_without_the_key),
          TEST(a_refusal_may_name_the_time_of_the_request_and_nothing_else_of_it),
          TEST(a_wrong_environment_is_named))
