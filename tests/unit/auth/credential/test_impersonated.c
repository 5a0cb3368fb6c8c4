/* Impersonation with each kind of source. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/identity/jwt.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/credential/fixture.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

#define IAM_OK                                                                                     \
  {                                                                                                \
    "POST /v1/projects/-/serviceAccounts/target@p.iam:generateAccessToken ", 200, NULL,            \
        "{\"accessToken\":\"target-token\",\"expireTime\":\"2099-01-01T00:00:00Z\"}", 0, 0         \
  }
#define TOKEN_OK                                                                                   \
  {                                                                                                \
    "POST /token", 200, NULL,                                                                      \
        "{\"access_token\":\"source-token\",\"expires_in\":3599,\"refresh_token\":\"1//new\"}", 0, \
        0                                                                                          \
  }
#define USER                                                                                       \
  "{\"type\":\"authorized_user\",\"client_id\":\"client\",\"client_secret\":\"s3cret\","           \
  "\"refresh_token\":\"1//r3fresh\",\"token_uri\":\"http://~/token\"}"

/* '~' is the cloud, '@' stays: emails have one. */
static struct credential *impersonated(const struct cloud *cloud, const char *source,
                                       const char *more)
{
  struct buf json = BUF_INIT(1 << 16);
  AUTO_FREE char *text =
      xasprintf("{\"type\":\"impersonated_service_account\",\"service_account_impersonation_url\":"
                "\"http://~/v1/projects/-/serviceAccounts/target@p.iam:generateAccessToken\"%s,"
                "\"quota_project_id\":\"payer\",\"source_credentials\":%s}",
                more, source);
  for (const char *p = text; *p != '\0'; p++)
    if (*p == '~')
      buf_puts(&json, cloud_host(cloud));
    else if (*p == '@')
      buf_puts(&json, "\\u0040"); /* cred_from() puts a host for '@' */
    else
      buf_putc(&json, *p);
  struct credential *c = cred_from(buf_str(&json), NULL);
  buf_free(&json);
  return c;
}

static void a_user_impersonates_through_delegates(void)
{
  struct cloud *cloud = CLOUD(TOKEN_OK, IAM_OK);
  struct credential *c = impersonated(
      cloud, USER, ",\"delegates\":[\"a@p.iam\",\"projects/-/serviceAccounts/b@p.iam\"]");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(c->kind->name, "impersonated_service_account");
  CU_ASSERT_STRING_EQUAL(c->quota_project, "payer");
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "target-token");
  CU_ASSERT_EQUAL(r.expires_in_s, 3600); /* never longer than was asked for */
  AUTO_FREE char *refresh = request_form(cloud_request(cloud, 0), "refresh_token");
  AUTO_FREE char *bearer = request_header(cloud_request(cloud, 1), "authorization");
  CU_ASSERT_STRING_EQUAL(refresh, "1//r3fresh");
  CU_ASSERT_STRING_EQUAL(bearer, "Bearer source-token");
  CU_ASSERT_STRING_EQUAL(request_body(cloud_request(cloud, 1)),
                         "{\"scope\":[\"" ANALYTICS_SCOPE
                         "\"],\"lifetime\":\"3600s\",\"delegates\":[\"projects/-/serviceAccounts/"
                         "a@p.iam\",\"projects/-/serviceAccounts/b@p.iam\"]}");
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_new_refresh_token_of_the_source_is_handed_on_even_when_iam_refuses(void)
{
  struct cloud *cloud = CLOUD(TOKEN_OK, {"POST /v1", 403, NULL,
                                         "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":"
                                         "\"PERMISSION_DENIED\"}}",
                                         0, 0});
  struct credential *c = impersonated(cloud, USER, "");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.refresh_token), "1//new");
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "credential_refused", "to impersonate target@p.iam",
                      "roles/iam.serviceAccountTokenCreator", NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_revoked_source_needs_consent(void)
{
  struct cloud *cloud = CLOUD({"POST /token", 400, NULL,
                               "{\"error\":\"invalid_grant\",\"error_description\":\"Token has "
                               "been expired or revoked.\"}",
                               0, 0},
                              IAM_OK);
  struct credential *c = impersonated(cloud, USER, "");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_EQUAL(cloud_hits(cloud), 1);
  cred_expect_failure(&r, TOKEN_NEEDS_CONSENT, "invalid_grant", "re-consent", NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

static void the_source_proves_itself_as_the_account_in_bearer_tokens(void)
{
  struct cloud *cloud = CLOUD(IAM_OK);
  struct credential *c = impersonated(cloud, USER, "");
  uint8_t digest[SHA256_SIZE];
  sha256_of("1//r3fresh", 10, digest);
  CU_ASSERT_TRUE(credential_holds(c, digest));
  sha256_of("1//another", 10, digest);
  CU_ASSERT_FALSE(credential_holds(c, digest));
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_service_account_asks_for_cloud_platform_to_impersonate(void)
{
  struct cloud *cloud = CLOUD(TOKEN_OK, IAM_OK);
  EVP_PKEY *key = maker_key(JWT_RS256);
  AUTO_FREE char *pem = maker_private_pem(key);
  AUTO_FREE char *file = cred_key_file(pem, "http://~/token");
  struct credential *c = impersonated(cloud, file, "");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "target-token");
  AUTO_FREE char *jwt = request_form(cloud_request(cloud, 0), "assertion");
  AUTO_BUF struct buf claims = BUF_INIT(4096);
  const char *dot = strchr(jwt, '.');
  CU_ASSERT_TRUE(base64_decode(&claims, dot + 1, strcspn(dot + 1, ".")));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&claims), "\"scope\":\"" CLOUD_PLATFORM_SCOPE "\""));
  token_reply_clear(&r);
  credential_unref(c);
  EVP_PKEY_free(key);
  cloud_stop(cloud);
}

static void a_workload_identity_asks_for_cloud_platform_to_impersonate(void)
{
  char path[] = "/tmp/auth-subject-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_EQUAL(write(fd, "subject", 7), 7);
  close(fd);
  struct cloud *cloud =
      CLOUD({"POST /v1/token", 200, NULL, "{\"access_token\":\"federated\"}", 0, 0}, IAM_OK);
  AUTO_FREE char *source = xasprintf(
      "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/projects/7/locations/"
      "global/workloadIdentityPools/p/providers/q\",\"subject_token_type\":"
      "\"urn:ietf:params:oauth:token-type:jwt\",\"token_url\":\"http://~/v1/token\","
      "\"credential_source\":{\"file\":\"%s\"}}",
      path);
  struct credential *c = impersonated(cloud, source, "");
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "target-token");
  AUTO_FREE char *scope = request_form(cloud_request(cloud, 0), "scope");
  AUTO_FREE char *bearer = request_header(cloud_request(cloud, 1), "authorization");
  CU_ASSERT_STRING_EQUAL(scope, CLOUD_PLATFORM_SCOPE);
  CU_ASSERT_STRING_EQUAL(bearer, "Bearer federated");
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
  unlink(path);
}

TEST_MAIN("auth cred impersonated", TEST(a_user_impersonates_through_delegates),
          TEST(a_new_refresh_token_of_the_source_is_handed_on_even_when_iam_refuses),
          TEST(a_revoked_source_needs_consent),
          TEST(the_source_proves_itself_as_the_account_in_bearer_tokens),
          TEST(a_service_account_asks_for_cloud_platform_to_impersonate),
          TEST(a_workload_identity_asks_for_cloud_platform_to_impersonate))
