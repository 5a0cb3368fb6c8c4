/* Service accounts: the assertion of the JWT-bearer grant, the self-signed bearer, delegation,
 * and how each refusal of Google's is read. */
#include <string.h>

#include "auth-svc/credential/config.h"
#include "auth-svc/identity/jwt.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/credential/fixture.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

#define EMAIL "reader@p.iam.gserviceaccount.com"
#define OK_TOKEN "{\"access_token\":\"ya29.one\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"

static EVP_PKEY *key;

/* Key file with more members of ours ("\"subject\":..."), as a dealer's credential. */
static struct credential *with(const char *more, const char *token_uri)
{
  char message[600];
  if (key == NULL)
    key = maker_key(JWT_RS256);
  AUTO_FREE char *pem = maker_private_pem(key);
  AUTO_FREE char *file = cred_key_file(pem, token_uri);
  file[strlen(file) - 1] = '\0';
  AUTO_FREE char *member = xasprintf("\"service_account\":%s%s}", file, more);
  struct credential *c = cred_of_dealer(member, "dealers.json", message, sizeof(message));
  if (c == NULL)
    printf("\n  %s\n", message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  return c;
}

/* The parts of a JWT whose signature OpenSSL itself finds good. */
static void open_jwt(const char *jwt, cJSON **header, cJSON **claims)
{
  const char *dot1 = strchr(jwt, '.'), *dot2 = dot1 != NULL ? strchr(dot1 + 1, '.') : NULL;
  AUTO_BUF struct buf h = BUF_INIT(4096), p = BUF_INIT(4096), sig = BUF_INIT(1024);
  CU_ASSERT_PTR_NOT_NULL_FATAL(dot2);
  CU_ASSERT_TRUE(base64_decode(&h, jwt, (size_t)(dot1 - jwt)));
  CU_ASSERT_TRUE(base64_decode(&p, dot1 + 1, (size_t)(dot2 - dot1 - 1)));
  CU_ASSERT_TRUE(base64_decode(&sig, dot2 + 1, strlen(dot2 + 1)));
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  CU_ASSERT_EQUAL(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
  CU_ASSERT_EQUAL(EVP_DigestVerify(ctx, (const uint8_t *)sig.data, sig.len, (const uint8_t *)jwt,
                                   (size_t)(dot2 - jwt)),
                  1);
  EVP_MD_CTX_free(ctx);
  CU_ASSERT_EQUAL(json_parse(header, h.data, h.len, NULL, NULL), ERR_OK);
  CU_ASSERT_EQUAL(json_parse(claims, p.data, p.len, NULL, NULL), ERR_OK);
}

static void check_common(const cJSON *header, const cJSON *claims)
{
  double now = (double)clock_unix_ms() / 1000, iat = json_get_number(claims, "iat", 0);
  CU_ASSERT_STRING_EQUAL(json_get_string(header, "alg"), "RS256");
  CU_ASSERT_STRING_EQUAL(json_get_string(header, "typ"), "JWT");
  CU_ASSERT_STRING_EQUAL(json_get_string(header, "kid"), "key-1");
  CU_ASSERT_STRING_EQUAL(json_get_string(claims, "iss"), EMAIL);
  CU_ASSERT_STRING_EQUAL(json_get_string(claims, "scope"), ANALYTICS_SCOPE);
  CU_ASSERT_TRUE(iat <= now && iat > now - 10);
  CU_ASSERT_EQUAL(json_get_number(claims, "exp", 0), iat + 3600);
}

static void the_grant_carries_an_assertion_for_the_token_endpoint(void)
{
  struct cloud *cloud = CLOUD({"POST /token", 200, NULL, OK_TOKEN, 0, 0});
  AUTO_FREE char *uri = cred_at("http://@/token", cloud_host(cloud));
  struct credential *c = with("", uri);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "ya29.one");
  CU_ASSERT_EQUAL(r.expires_in_s, 3599);
  AUTO_FREE char *grant = request_form(cloud_request(cloud, 0), "grant_type");
  AUTO_FREE char *jwt = request_form(cloud_request(cloud, 0), "assertion");
  CU_ASSERT_STRING_EQUAL(grant, "urn:ietf:params:oauth:grant-type:jwt-bearer");
  AUTO_JSON cJSON *header = NULL;
  AUTO_JSON cJSON *claims = NULL;
  open_jwt(jwt, &header, &claims);
  check_common(header, claims);
  CU_ASSERT_STRING_EQUAL(json_get_string(claims, "aud"), uri);
  CU_ASSERT_PTR_NULL(json_get_string(claims, "sub"));
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void delegation_names_the_user_it_acts_for(void)
{
  struct cloud *cloud = CLOUD({"POST /token", 200, NULL, OK_TOKEN, 0, 0});
  AUTO_FREE char *uri = cred_at("http://@/token", cloud_host(cloud));
  struct credential *c = with(",\"subject\":\"ana@dealer.example\"", uri);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  AUTO_FREE char *jwt = request_form(cloud_request(cloud, 0), "assertion");
  AUTO_JSON cJSON *header = NULL;
  AUTO_JSON cJSON *claims = NULL;
  open_jwt(jwt, &header, &claims);
  check_common(header, claims);
  CU_ASSERT_STRING_EQUAL(json_get_string(claims, "sub"), "ana@dealer.example");
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

static void a_self_signed_jwt_is_the_bearer_and_nobody_is_asked(void)
{
  struct cloud *cloud = CLOUD({"POST /token", 200, NULL, OK_TOKEN, 0, 0});
  AUTO_FREE char *uri = cred_at("http://@/token", cloud_host(cloud));
  struct credential *c = with(",\"self_signed\":true", uri);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_EQUAL(r.outcome, TOKEN_OBTAINED);
  CU_ASSERT_EQUAL(r.expires_in_s, 3600);
  AUTO_JSON cJSON *header = NULL;
  AUTO_JSON cJSON *claims = NULL;
  open_jwt(secret_text(r.access_token), &header, &claims);
  check_common(header, claims);
  CU_ASSERT_STRING_EQUAL(json_get_string(claims, "sub"), EMAIL);
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(claims, "aud")); /* Google takes either aud or scope */
  CU_ASSERT_EQUAL(cloud_hits(cloud), 0);
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

struct refusal {
  int status;
  const char *body;
  enum token_outcome outcome;
  const char *reason;
  const char *text;
};

static void each_refusal_of_google_is_read_for_what_it_is(void)
{
  static const struct refusal table[] = {
      {400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
       TOKEN_OPERATOR_FAULT, "credential_refused", "Invalid JWT Signature."},
      {400,
       "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT: Token must be a "
       "short-lived token (60 minutes)\"}",
       TOKEN_OPERATOR_FAULT, "credential_refused", "clock of this machine"},
      {400, "{\"error\":\"invalid_scope\",\"error_description\":\"Invalid OAuth scope\"}",
       TOKEN_OPERATOR_FAULT, "invalid_scope", "Invalid OAuth scope"},
      {401, "{\"error\":\"unauthorized_client\",\"error_description\":\"Client is unauthorized\"}",
       TOKEN_OPERATOR_FAULT, "unauthorized_client", "refused the service account's assertion"},
      {429, "{\"error\":\"rate_limit_exceeded\"}", TOKEN_PASSING, "token_endpoint_unavailable",
       "HTTP 429"},
      {503, "down", TOKEN_PASSING, "token_endpoint_unavailable", "HTTP 503"},
      {200, "{\"id_token\":\"x\"}", TOKEN_PASSING, "token_endpoint_unavailable",
       "is the scope right?"},
      {200, "<html>", TOKEN_PASSING, "token_endpoint_unavailable", "not a JSON object"},
      {403,
       "{\"error\":{\"code\":403,\"message\":\"API disabled\",\"status\":\"PERMISSION_DENIED\"}}",
       TOKEN_PASSING, "token_endpoint_unavailable", "HTTP 403"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct cloud *cloud = CLOUD({"POST /token", table[i].status, NULL, table[i].body, 0, 0});
    AUTO_FREE char *uri = cred_at("http://@/token", cloud_host(cloud));
    struct credential *c = with("", uri);
    struct token_reply r = cred_obtain(c, 0);
    CU_ASSERT_PTR_NULL(strstr(r.error.message, "re-consent"));
    cred_expect_failure(&r, table[i].outcome, table[i].reason, table[i].text, NULL);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

static void slow_and_huge_answers_pass(void)
{
  struct cloud *slow = CLOUD({"POST", 200, NULL, OK_TOKEN, 600, 0});
  AUTO_FREE char *uri = cred_at("http://@/token", cloud_host(slow));
  struct credential *c = with("", uri);
  struct token_reply r = cred_obtain(c, 150);
  cred_expect_failure(&r, TOKEN_PASSING, "token_endpoint_unavailable", "did not answer in time",
                      NULL);
  credential_unref(c);
  cloud_stop(slow);
  struct cloud *huge = CLOUD({"POST", 200, NULL, OK_TOKEN, 0, 1 << 20});
  AUTO_FREE char *huge_uri = cred_at("http://@/token", cloud_host(huge));
  c = with("", huge_uri);
  r = cred_obtain(c, 0);
  cred_expect_failure(&r, TOKEN_PASSING, "token_endpoint_unavailable", "more than 64 KiB", NULL);
  credential_unref(c);
  cloud_stop(huge);
}

/* An endpoint that repeats a part of the assertion does not bring it into our messages. */
static void an_echoed_piece_of_the_assertion_is_not_quoted(void)
{
  struct cloud *cloud =
      CLOUD({"POST", 400, NULL,
             "{\"error\":\"invalid_grant\",\"error_description\":\"bad: eyJhbGciOiJSUzI1NiIs...\"}",
             0, 0});
  AUTO_FREE char *uri = cred_at("http://@/token", cloud_host(cloud));
  struct credential *c = with("", uri);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_PTR_NULL(strstr(r.error.message, "eyJ"));
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "credential_refused", "invalid_grant", NULL);
  credential_unref(c);
  cloud_stop(cloud);
}

/* tokens.h drops a cached token when the fingerprint changes. */
static void every_setting_is_part_of_the_fingerprint(void)
{
  struct credential *all[] = {
      with("", "https://a.example/token"),
      with("", "https://b.example/token"),
      with(",\"subject\":\"u@x.example\"", "https://a.example/token"),
      with(",\"self_signed\":true", "https://a.example/token"),
  };
  struct credential *same = with("", "https://a.example/token");
  CU_ASSERT_EQUAL(memcmp(all[0]->fingerprint, same->fingerprint, SHA256_SIZE), 0);
  for (size_t i = 0; i < ARRAY_LEN(all); i++)
    for (size_t j = 0; j < i; j++)
      CU_ASSERT_NOT_EQUAL(memcmp(all[i]->fingerprint, all[j]->fingerprint, SHA256_SIZE), 0);
  for (size_t i = 0; i < ARRAY_LEN(all); i++)
    credential_unref(all[i]);
  credential_unref(same);
}

static void the_key_is_released(void)
{
  EVP_PKEY_free(key); /* last: the leak check of the run sees whether the rest was */
  key = NULL;
  CU_ASSERT_PTR_NULL(key);
}

TEST_MAIN("auth cred service account", TEST(the_grant_carries_an_assertion_for_the_token_endpoint),
          TEST(delegation_names_the_user_it_acts_for),
          TEST(a_self_signed_jwt_is_the_bearer_and_nobody_is_asked),
          TEST(each_refusal_of_google_is_read_for_what_it_is), TEST(slow_and_huge_answers_pass),
          TEST(an_echoed_piece_of_the_assertion_is_not_quoted),
          TEST(every_setting_is_part_of_the_fingerprint), TEST(the_key_is_released))
