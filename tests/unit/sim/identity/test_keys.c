/* SigV4 by AWS's published vectors; JWTs and the key set; keys that outlive a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/identity/sigv4.h"
#include "tests/unit/sim/support/identity_fixture.h"

/* aws-sig-v4-test-suite: get-vanilla, get-vanilla-query-order-key-case, post-vanilla,
 * post-x-www-form-urlencoded. */
static void sigv4_agrees_with_the_vectors_of_aws(void)
{
  static const char secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  static const char date[] = "20150830T123600Z";
  static const struct {
    const char *method, *query, *body, *signed_headers, *signature;
  } cases[] = {
      {"GET", "", "", "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"GET", "Param2=value2&Param1=value1", "", "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"POST", "", "", "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"POST", "", "Param1=value1", "content-type;host;x-amz-date",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct sigv4_authorization a;
    char signature[SIGV4_SIGNATURE_SIZE];
    AUTO_FREE char *header = xasprintf("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
                                       "service/aws4_request, SignedHeaders=%s, Signature=%s",
                                       cases[i].signed_headers, cases[i].signature);
    const struct sigv4_request q = {
        .method = cases[i].method,
        .path = "/",
        .query = cases[i].query,
        .headers = {{"Host", "example.amazonaws.com"},
                    {"X-Amz-Date", date},
                    {"Content-Type", "application/x-www-form-urlencoded"}},
        .header_count = 3,
        .body = cases[i].body,
        .body_len = strlen(cases[i].body)};
    CU_ASSERT_TRUE_FATAL(sigv4_read_authorization(header, &a));
    CU_ASSERT_STRING_EQUAL(a.access_key_id, "AKIDEXAMPLE");
    CU_ASSERT_TRUE(sigv4_signature(&q, &a, secret, date, signature));
    CU_ASSERT_STRING_EQUAL(signature, a.signature);
  }
}

static void half_an_authorization_header_is_refused(void)
{
  static const char *const bad[] = {
      "",
      "Bearer x",
      "AWS4-HMAC-SHA256 ",
      "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request",
      "AWS4-HMAC-SHA256 Credential=a/20150830/c/d, SignedHeaders=host, Signature=00",
      "AWS4-HMAC-SHA256 Credential=a/20150830/c/d/aws5, SignedHeaders=host, Signature=00"};
  struct sigv4_authorization a;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    CU_ASSERT_FALSE(sigv4_read_authorization(bad[i], &a));
  CU_ASSERT_FALSE(sigv4_read_authorization(NULL, &a));
}

/* Public key of a JWK, by its kid; NULL when the set has none. */
static const cJSON *find(const cJSON *set, const char *kid)
{
  const cJSON *k;
  cJSON_ArrayForEach(k, cJSON_GetObjectItem(set, "keys"))
  {
    if (strcmp(json_get_string(k, "kid"), kid) == 0)
      return k;
  }
  return NULL;
}

static void the_key_set_rotates_and_forgets(void)
{
  AUTO_ANSWER struct answer first = call("GET", "/sim/jwks", NULL, NULL);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(first.json, "keys")), 3);
  AUTO_ANSWER struct answer kept = control("/sim/jwks/rotate", "{}");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(kept.json, "keys")), 6);
  CU_ASSERT_PTR_NOT_NULL(find(kept.json, "rs256-1"));
  AUTO_ANSWER struct answer dropped = control("/sim/jwks/rotate", "{'keep_old':false}");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(dropped.json, "keys")), 3);
  CU_ASSERT_PTR_NULL(find(dropped.json, "rs256-2"));
  CU_ASSERT_STRING_EQUAL(json_get_string(find(dropped.json, "es256-3"), "crv"), "P-256");
  CU_ASSERT_STRING_EQUAL(json_get_string(find(dropped.json, "eddsa-3"), "kty"), "OKP");
  CU_ASSERT_EQUAL(strlen(json_get_string(find(dropped.json, "es256-3"), "y")), 43);
}

static void minted_tokens_verify_under_their_own_key_only(void)
{
  static const char *const algorithms[] = {"RS256", "ES256", "EdDSA"};
  for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
    char name[32];
    snprintf(name, sizeof(name), "jwks/%s/3", algorithms[i]);
    EVP_PKEY *key = keyring_get(identity_sim()->keyring, name, NULL);
    AUTO_FREE char *body = xasprintf("{'alg':'%s','claims':{'sub':'me'}}", algorithms[i]);
    AUTO_FREE char *foreign =
        xasprintf("{'alg':'%s','claims':{'sub':'me'},'key':'foreign'}", algorithms[i]);
    AUTO_ANSWER struct answer good = control("/sim/mint-jwt", body);
    AUTO_ANSWER struct answer bad = control("/sim/mint-jwt", foreign);
    AUTO_JWT struct jwt j, k;
    CU_ASSERT_TRUE_FATAL(jwt_read(&j, member(&good, "token")));
    k = (struct jwt){0};
    CU_ASSERT_TRUE(jwt_signed_by(&j, key, algorithms[i]));
    CU_ASSERT_FALSE(jwt_signed_by(&j, key, algorithms[(i + 1) % 3]));
    CU_ASSERT_STRING_EQUAL(json_get_string(j.claims, "sub"), "me");
    CU_ASSERT_TRUE_FATAL(jwt_read(&k, member(&bad, "token")));
    CU_ASSERT_STRING_EQUAL(json_get_string(k.header, "kid"), json_get_string(j.header, "kid"));
    CU_ASSERT_FALSE(jwt_signed_by(&k, key, algorithms[i]));
    jwt_free(&k);
  }
  AUTO_ANSWER struct answer wrong = post("/sim/mint-jwt", "{\"alg\":\"RS1\",\"claims\":{}}", NULL);
  CU_ASSERT_EQUAL(wrong.status, 400);
}

static void the_issuer_publishes_the_key_of_projected_tokens(void)
{
  AUTO_ANSWER struct answer about = call("GET", "/.well-known/openid-configuration", NULL, NULL);
  CU_ASSERT_STRING_EQUAL(member(&about, "issuer"), BASE);
  CU_ASSERT_STRING_EQUAL(member(&about, "jwks_uri"), BASE "/openid/v1/jwks");
  AUTO_ANSWER struct answer set = call("GET", "/openid/v1/jwks", NULL, NULL);
  AUTO_ANSWER struct answer minted =
      control("/sim/projected-token", "{'sub':'system:serviceaccount:ns:name'}");
  AUTO_JWT struct jwt j;
  CU_ASSERT_TRUE_FATAL(jwt_read(&j, member(&minted, "token")));
  CU_ASSERT_PTR_NOT_NULL(find(set.json, json_get_string(j.header, "kid")));
  const cJSON *k = cJSON_GetObjectItem(j.claims, "kubernetes.io");
  CU_ASSERT_STRING_EQUAL(json_get_string(k, "namespace"), "ns");
}

static void keys_outlive_a_restart_when_they_are_kept(void)
{
  char path[] = "/tmp/ga4-sim-keys-XXXXXX";
  struct keyring *k;
  struct err e = {0};
  struct stat st;
  char first[KEY_ID_SIZE], second[KEY_ID_SIZE];
  close(mkstemp(path));
  CU_ASSERT_EQUAL_FATAL(keyring_open(&k, path, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(keyring_get(k, "a", NULL));
  jwt_key_id(keyring_get(k, "a", "ES256"), first);
  keyring_close(k);
  CU_ASSERT_TRUE(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
  CU_ASSERT_EQUAL_FATAL(keyring_open(&k, path, &e), ERR_OK);
  jwt_key_id(keyring_get(k, "a", NULL), second);
  keyring_close(k);
  CU_ASSERT_STRING_EQUAL(first, second);
  FILE *f = fopen(path, "w");
  fputs("{\"a\":\"nonsense\"}", f);
  fclose(f);
  CU_ASSERT_EQUAL(keyring_open(&k, path, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, path));
  unlink(path);
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_identity_keys", TEST(sigv4_agrees_with_the_vectors_of_aws),
          TEST(half_an_authorization_header_is_refused), TEST(the_key_set_rotates_and_forgets),
          TEST(minted_tokens_verify_under_their_own_key_only),
          TEST(the_issuer_publishes_the_key_of_projected_tokens),
          TEST(keys_outlive_a_restart_when_they_are_kept), TEST(cleanup_last))
