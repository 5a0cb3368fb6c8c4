/* Token exchange, impersonation, the metadata servers, and their faults. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/jwt.h"
#include "tests/unit/sim/support/identity_fixture.h"

#define JWT_TYPE "urn:ietf:params:oauth:token-type:jwt"
#define AWS_TYPE "urn:ietf:params:aws:token-type:aws4_request"

static struct answer exchange_as(const char *audience, const char *scope, const char *type,
                                 const char *token)
{
  AUTO_BUF struct buf encoded = BUF_INIT(65536);
  percent_encode(&encoded, token, strlen(token));
  AUTO_FREE char *body =
      xasprintf("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&audience=%s&scope=%s"
                "&requested_token_type=urn:ietf:params:oauth:token-type:access_token"
                "&subject_token_type=%s&subject_token=%s",
                audience, scope, type, buf_str(&encoded));
  return post("/v1/token", body, NULL);
}

static char *projected(const char *sub, const char *aud, int expires_in)
{
  AUTO_FREE char *body = xasprintf("{'sub':'%s','aud':'%s','expires_in':%d}", sub, aud, expires_in);
  AUTO_ANSWER struct answer a = control("/sim/projected-token", body);
  return xstrdup(member(&a, "token"));
}

static char *federated(const char *sub, const char *scope)
{
  AUTO_FREE char *token = projected(sub, FEDERATION_OIDC, 600);
  AUTO_ANSWER struct answer a = exchange_as(FEDERATION_OIDC, scope, JWT_TYPE, token);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&a, "issued_token_type"),
                         "urn:ietf:params:oauth:token-type:access_token");
  return xstrdup(member(&a, "access_token"));
}

static void projected_tokens_are_verified_before_they_are_exchanged(void)
{
  AUTO_FREE char *good = projected(FEDERATION_AGENCY_SUBJECT, FEDERATION_OIDC, 600);
  AUTO_FREE char *https = projected("a:b", "https:" FEDERATION_OIDC, 600);
  AUTO_FREE char *foreign = projected("a:b", "sts.amazonaws.com", 600);
  AUTO_FREE char *stale = projected("a:b", FEDERATION_OIDC, -120);
  AUTO_FREE char *long_lived = projected("a:b", FEDERATION_OIDC, 90000);
  AUTO_FREE char *forged = xstrdup(good);
  char *last = forged + strlen(forged) - 10;
  *last = *last == 'A' ? 'B' : 'A';
  const struct {
    const char *audience, *scope, *type, *token;
    const char *error, *text;
  } cases[] = {
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, good, "", ""},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, https, "", ""},
      {"", PLATFORM, JWT_TYPE, good, "invalid_request", "Invalid value for \"audience\"."},
      {FEDERATION_POOL "/providers/gone", PLATFORM, JWT_TYPE, good, "invalid_target",
       "The target service indicated by the \"audience\" parameters is invalid."},
      {FEDERATION_OIDC, PLATFORM, "saml3", good, "invalid_request", "subject_token_type"},
      {FEDERATION_AWS, PLATFORM, JWT_TYPE, good, "invalid_request", "subject_token_type"},
      {FEDERATION_OIDC, "", JWT_TYPE, good, "invalid_scope", ""},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, "", "invalid_request", "subject_token"},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, "a.b.c", "invalid_grant", "Unable to parse"},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, forged, "invalid_grant", "Invalid signature"},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, foreign, "invalid_grant",
       "The audience in ID Token [sts.amazonaws.com] does not match the expected audience."},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, stale, "invalid_grant", "is stale to sign-in."},
      {FEDERATION_OIDC, PLATFORM, JWT_TYPE, long_lived, "invalid_grant", "is stale to sign-in."},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_ANSWER struct answer a =
        exchange_as(cases[i].audience, cases[i].scope, cases[i].type, cases[i].token);
    CU_ASSERT_EQUAL(a.status, cases[i].error[0] == '\0' ? 200 : 400);
    CU_ASSERT_STRING_EQUAL(member(&a, "error"), cases[i].error);
    CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "error_description"), cases[i].text));
  }
}

static void another_issuers_token_is_refused(void)
{
  AUTO_FREE char *claims =
      xasprintf("{'alg':'RS256','claims':{'iss':'https://evil.test','sub':'a','aud':'%s','iat':1}}",
                FEDERATION_OIDC);
  AUTO_ANSWER struct answer minted = control("/sim/mint-jwt", claims);
  AUTO_ANSWER struct answer a =
      exchange_as(FEDERATION_OIDC, PLATFORM, JWT_TYPE, member(&minted, "token"));
  CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "error_description"), "https://evil.test"));
  CU_ASSERT_STRING_EQUAL(member(&a, "error"), "invalid_grant");
}

/* A token of an issuer outside, signed by a key; owned. */
static char *outside_token(EVP_PKEY *key, const char *iss, const char *kid, const char *aud)
{
  AUTO_FREE char *text = xasprintf(
      "{\"iss\":\"%s\",\"sub\":\"system:serviceaccount:analytics:outside\",\"aud\":[\"%s\"],"
      "\"iat\":%lld,\"exp\":%lld}",
      iss, aud, (long long)now_s(), (long long)now_s() + 600);
  AUTO_JSON cJSON *claims = cJSON_Parse(text);
  AUTO_BUF struct buf token = BUF_INIT(JWT_MAX);
  CU_ASSERT_TRUE(jwt_mint(&token, key, "RS256", kid, claims));
  return xstrdup(buf_str(&token));
}

static void an_outside_issuers_tokens_are_verified_by_its_uploaded_keys(void)
{
  EVP_PKEY *key = EVP_RSA_gen(2048), *foreign = EVP_RSA_gen(2048);
  AUTO_JSON cJSON *keys = cJSON_CreateArray();
  jwt_put_jwk(keys, key, "RS256", "one");
  AUTO_FREE char *printed = cJSON_PrintUnformatted(keys);
  AUTO_FREE char *body =
      xasprintf("{\"issuer\":\"https://cluster.test\",\"jwks\":{\"keys\":%s}}", printed);
  AUTO_FREE char *good = outside_token(key, "https://cluster.test", "one", FEDERATION_OIDC);
  const struct {
    char *token;
    int status;
    const char *text;
  } cases[] = {
      {xstrdup(good), 200, ""},
      {outside_token(foreign, "https://cluster.test", "one", FEDERATION_OIDC), 400,
       "Invalid signature"},
      {outside_token(key, "https://cluster.test", "two", FEDERATION_OIDC), 400,
       "Invalid signature"},
      {outside_token(key, "https://other.test", "one", FEDERATION_OIDC), 400, "https://other.test"},
      /* The simulator's own issuer is not taken over. */
      {outside_token(key, BASE, "one", FEDERATION_OIDC), 400, "Invalid signature"},
      {outside_token(key, "https://cluster.test", "one", "sts.amazonaws.com"), 400,
       "does not match the expected audience"},
  };
  AUTO_ANSWER struct answer before = exchange_as(FEDERATION_OIDC, PLATFORM, JWT_TYPE, good);
  CU_ASSERT_EQUAL(before.status, 400);
  AUTO_ANSWER struct answer set = control("/sim/issuer", body);
  CU_ASSERT_EQUAL(set.status, 200);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_ANSWER struct answer a = exchange_as(FEDERATION_OIDC, PLATFORM, JWT_TYPE, cases[i].token);
    CU_ASSERT_EQUAL(a.status, cases[i].status);
    CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "error_description"), cases[i].text));
    free(cases[i].token);
  }
  AUTO_ANSWER struct answer bad =
      post("/sim/issuer", "{\"issuer\":\"https://x.test\",\"jwks\":{\"keys\":[]}}", NULL);
  CU_ASSERT_EQUAL(bad.status, 400);
  EVP_PKEY_free(key);
  EVP_PKEY_free(foreign);
}

static void federated_tokens_open_the_apis_only_when_bound_so(void)
{
  AUTO_FREE char *agency = federated(FEDERATION_AGENCY_SUBJECT, ANALYTICS);
  AUTO_FREE char *dealer = federated(FEDERATION_DEALER_NAMESPACE "d02", ANALYTICS);
  AUTO_FREE char *scope = federated(FEDERATION_DEALER_NAMESPACE "d02", PLATFORM);
  AUTO_FREE char *nobody = federated("system:serviceaccount:x:y", ANALYTICS);
  CU_ASSERT_EQUAL(read_metadata(1, agency), 403);
  CU_ASSERT_EQUAL(read_metadata(1, dealer), 200);
  CU_ASSERT_EQUAL(read_metadata(2, dealer), 403);
  CU_ASSERT_EQUAL(read_metadata(1, scope), 403);
  CU_ASSERT_EQUAL(read_metadata(1, nobody), 403);
  struct answer c = control(
      "/sim/federation", "{'subject':'system:serviceaccount:x:y','dealer_id':'d02','direct':true}");
  answer_free(&c);
  CU_ASSERT_EQUAL(read_metadata(1, nobody), 200);
}

/* body: ' stands for ". (Not fixture_json(): addresses have an @.) */
static struct answer impersonate(size_t dealer, const char *bearer, const char *body)
{
  const char *email = service_accounts_of(identity_sim()->service_accounts, (int64_t)dealer)->email;
  AUTO_FREE char *path = xasprintf("/v1/projects/-/serviceAccounts/%s:generateAccessToken", email);
  AUTO_FREE char *json = xstrdup(body);
  for (char *c = json; *c != '\0'; c++)
    if (*c == '\'')
      *c = '"';
  return post(path, json, bearer);
}

#define SCOPED "{'scope':['" ANALYTICS "']}"

static void impersonation_needs_permission_scope_and_a_sound_request(void)
{
  AUTO_FREE char *agency = federated(FEDERATION_AGENCY_SUBJECT, PLATFORM);
  AUTO_FREE char *narrow = federated(FEDERATION_AGENCY_SUBJECT, ANALYTICS);
  AUTO_FREE char *dealer = federated(FEDERATION_DEALER_NAMESPACE "d02", PLATFORM);
  AUTO_FREE char *nobody = federated("system:serviceaccount:nobody:y", PLATFORM);
  const struct {
    size_t target;
    const char *bearer, *body;
    int status;
    const char *text;
  } cases[] = {
      {1, agency, SCOPED, 200, ""},
      {1, dealer, SCOPED, 200, ""},
      {2, dealer, SCOPED, 403, "Permission 'iam.serviceAccounts.getAccessToken' denied"},
      {1, nobody, SCOPED, 403, "Permission 'iam.serviceAccounts.getAccessToken' denied"},
      {1, narrow, SCOPED, 403, "Request had insufficient authentication scopes."},
      {1, "ya29.made-up", SCOPED, 401, "invalid authentication credentials"},
      {1, NULL, SCOPED, 401, "missing required authentication credential"},
      {1, agency, "{}", 400, "scope"},
      {1, agency, "{'scope':['nonsense']}", 400, "invalid argument"},
      {1, agency, "{'scope':", 400, "Invalid JSON"},
      {1, agency, "{'scope':['" ANALYTICS "'],'lifetime':'3600s'}", 200, ""},
      {1, agency, "{'scope':['" ANALYTICS "'],'lifetime':'3601s'}", 400, "3600s"},
      {1, agency, "{'scope':['" ANALYTICS "'],'lifetime':'0s'}", 400, "3600s"},
      {1, agency, "{'scope':['" ANALYTICS "'],'lifetime':3600}", 400, "3600s"},
      {1, agency, "{'scope':['" ANALYTICS "'],'delegates':['nobody@x.test']}", 403, "Permission"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_ANSWER struct answer a = impersonate(cases[i].target, cases[i].bearer, cases[i].body);
    CU_ASSERT_EQUAL(a.status, cases[i].status);
    CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "error.message"), cases[i].text));
    if (a.status == 200) {
      int64_t ms = 0;
      CU_ASSERT_TRUE(clock_parse_rfc3339(member(&a, "expireTime"), &ms));
      CU_ASSERT_TRUE(ms / 1000 > now_s() + 3500 && ms / 1000 <= now_s() + 3600);
      CU_ASSERT_EQUAL(read_metadata(1, member(&a, "accessToken")), 200);
      CU_ASSERT_EQUAL(read_metadata(2, member(&a, "accessToken")), 403);
    }
  }
}

static void delegates_are_followed_one_after_the_other(void)
{
  struct sim *s = identity_sim();
  AUTO_FREE char *agency = federated(FEDERATION_AGENCY_SUBJECT, PLATFORM);
  const char *via = service_accounts_of(s->service_accounts, IDENTITY_SERVICE_ACCOUNT)->email;
  const char *wrong = service_accounts_of(s->service_accounts, 4)->email;
  AUTO_FREE char *good =
      xasprintf("{'scope':['" ANALYTICS "'],'delegates':['projects/-/serviceAccounts/%s']}", via);
  AUTO_FREE char *bad =
      xasprintf("{'scope':['" ANALYTICS "'],'delegates':['projects/-/serviceAccounts/%s']}", wrong);
  AUTO_ANSWER struct answer a = impersonate(1, agency, good);
  CU_ASSERT_EQUAL(a.status, 200);
  AUTO_ANSWER struct answer b = impersonate(1, agency, bad); /* d05 may not act as d02 */
  CU_ASSERT_EQUAL(b.status, 403);
}

static void mac(const void *key, size_t len, const char *text, unsigned char *out)
{
  HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)text, strlen(text), out, NULL);
}

/* A signer of our own for GetCallerIdentity; answers the subject token before encoding. */
static char *sign_aws(const struct aws_credentials *c, const char *target, const char *date,
                      const char *region)
{
  unsigned char k[64], d[64];
  AUTO_BUF struct buf digest = BUF_INIT(128), signature = BUF_INIT(128);
  AUTO_FREE char *canonical =
      xasprintf("POST\n/\nAction=GetCallerIdentity&Version=2011-06-15\nhost:sts.%s.amazonaws.com\n"
                "x-amz-date:%s\nx-amz-security-token:%s\nx-goog-cloud-target-resource:%s\n\n"
                "host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource\n"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                region, date, c->session_token, target);
  EVP_Digest(canonical, strlen(canonical), d, NULL, EVP_sha256(), NULL);
  hex_encode(&digest, d, 32);
  AUTO_FREE char *to_sign = xasprintf("AWS4-HMAC-SHA256\n%s\n%.8s/%s/sts/aws4_request\n%s", date,
                                      date, region, buf_str(&digest));
  AUTO_FREE char *first = xasprintf("AWS4%s", c->secret_access_key);
  AUTO_FREE char *day = xstrndup(date, 8);
  mac(first, strlen(first), day, k);
  mac(k, 32, region, d);
  mac(d, 32, "sts", k);
  mac(k, 32, "aws4_request", d);
  mac(d, 32, to_sign, k);
  hex_encode(&signature, k, 32);
  AUTO_BUF struct buf encoded = BUF_INIT(16384);
  AUTO_FREE char *json = xasprintf(
      "{\"url\":\"https://sts.%s.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15\","
      "\"method\":\"POST\",\"headers\":[{\"key\":\"Authorization\",\"value\":\"AWS4-HMAC-SHA256 "
      "Credential=%s/%.8s/%s/sts/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;"
      "x-goog-cloud-target-resource, Signature=%s\"},{\"key\":\"host\",\"value\":\"sts.%s.amazonaws"
      ".com\"},{\"key\":\"x-amz-date\",\"value\":\"%s\"},{\"key\":\"x-amz-security-token\","
      "\"value\""
      ":\"%s\"},{\"key\":\"x-goog-cloud-target-resource\",\"value\":\"%s\"}]}",
      region, c->access_key_id, date, region, buf_str(&signature), region, date, c->session_token,
      target);
  percent_encode(&encoded, json, strlen(json));
  return xstrdup(buf_str(&encoded));
}

static void amz_date(int64_t unix_s, char out[20])
{
  char rfc[32];
  clock_format_rfc3339(unix_s * 1000, rfc, sizeof(rfc));
  snprintf(out, 20, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", rfc, rfc + 5, rfc + 8, rfc + 11, rfc + 14,
           rfc + 17);
}

static void signed_aws_requests_are_recomputed(void)
{
  struct aws_credentials role, wrong, expired;
  struct aws *aws = identity_sim()->aws;
  char now[20], old[20], early[20];
  aws_role_credentials(aws, now_s(), &expired);
  aws_rotate(aws, true);
  aws_role_credentials(aws, now_s(), &role);
  CU_ASSERT_STRING_NOT_EQUAL(role.access_key_id, expired.access_key_id);
  wrong = role;
  wrong.secret_access_key[3] ^= 1;
  struct aws_credentials foreign = role, stolen = role;
  snprintf(foreign.access_key_id, sizeof(foreign.access_key_id), "ASIAUNKNOWN");
  stolen.session_token[20] ^= 1;
  amz_date(now_s(), now);
  amz_date(now_s() - 16 * 60, old);
  amz_date(now_s() + 16 * 60, early);
  const struct {
    const struct aws_credentials *key;
    const char *target, *date;
    const char *error, *text;
  } cases[] = {
      {&role, FEDERATION_AWS, now, "", ""},
      {&wrong, FEDERATION_AWS, now, "invalid_grant", "type SignatureDoesNotMatch"},
      {&foreign, FEDERATION_AWS, now, "invalid_grant", "type InvalidClientTokenId"},
      {&stolen, FEDERATION_AWS, now, "invalid_grant", "type InvalidClientTokenId"},
      {&expired, FEDERATION_AWS, now, "invalid_grant", "type ExpiredToken"},
      {&role, FEDERATION_AWS, old, "invalid_grant", "Signature expired: "},
      {&role, FEDERATION_AWS, early, "invalid_grant", "Signature not yet current: "},
      {&role, FEDERATION_OIDC, now, "invalid_request", "x-goog-cloud-target-resource"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *token = sign_aws(cases[i].key, cases[i].target, cases[i].date, "eu-west-1");
    AUTO_ANSWER struct answer a = exchange_as(FEDERATION_AWS, PLATFORM, AWS_TYPE, token);
    CU_ASSERT_EQUAL(a.status, cases[i].error[0] == '\0' ? 200 : 400);
    CU_ASSERT_STRING_EQUAL(member(&a, "error"), cases[i].error);
    CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "error_description"), cases[i].text));
    if (a.status == 200) {
      AUTO_ANSWER struct answer t = impersonate(3, member(&a, "access_token"), SCOPED);
      CU_ASSERT_EQUAL(t.status, 200);
    }
  }
}

static void the_subject_token_must_be_a_get_caller_identity_at_aws(void)
{
  struct err why;
  char arn[128];
  static const char *const bad[] = {
      "",
      "{}",
      "[]",
      "{'url':'https://evil.test?Action=GetCallerIdentity&Version=2011-06-15','method':'POST',"
      "'headers':[]}",
      "{'url':'https://sts.us-east-2.amazonaws.com.evil.test?Action=GetCallerIdentity&Version="
      "2011-06-15','method':'POST','headers':[]}",
      "{'url':'https://"
      "sts.us-east-2.amazonaws.com?Action=AssumeRole','method':'POST','headers':[]}",
      "{'url':'http://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15',"
      "'method':'POST','headers':[]}"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    CU_ASSERT_FALSE(aws_check_caller_identity(identity_sim()->aws, fixture_json(bad[i]),
                                              FEDERATION_AWS, now_s(), arn, sizeof(arn), &why));
}

static void the_metadata_server_wants_and_shows_its_flavor(void)
{
  static const char path[] = "/computeMetadata/v1/instance/service-accounts/default/token";
  static const char *const flavor[] = {"Metadata-Flavor", "Google", NULL};
  static const char *const scoped[] = {"Metadata-Flavor", "Google", "?scopes", ANALYTICS, NULL};
  static const char *const proxied[] = {"Metadata-Flavor", "Google", "X-Forwarded-For", "10.0.0.1",
                                        NULL};
  AUTO_ANSWER struct answer bare = call("GET", path, NULL, NULL);
  CU_ASSERT_EQUAL(bare.status, 403);
  AUTO_ANSWER struct answer forwarded = call("GET", path, NULL, proxied);
  CU_ASSERT_EQUAL(forwarded.status, 403);
  AUTO_ANSWER struct answer machine = call("GET", path, NULL, flavor);
  CU_ASSERT_EQUAL(machine.status, 200);
  CU_ASSERT_STRING_EQUAL(machine.header_name, "Metadata-Flavor");
  CU_ASSERT_STRING_EQUAL(machine.header_value, "Google");
  CU_ASSERT_EQUAL(read_metadata(0, member(&machine, "access_token")), 403); /* cloud-platform */
  AUTO_ANSWER struct answer reader = call("GET", path, NULL, scoped);
  CU_ASSERT_EQUAL(read_metadata(0, member(&reader, "access_token")), 200);
  CU_ASSERT_EQUAL(json_get_number(reader.json, "expires_in", 0), 3599);
  AUTO_ANSWER struct answer email =
      call("GET", "/computeMetadata/v1/instance/service-accounts/default/email", NULL, flavor);
  CU_ASSERT_PTR_NOT_NULL(strstr(email.text, "gserviceaccount.com"));
  AUTO_ANSWER struct answer other = call(
      "GET", "/computeMetadata/v1/instance/service-accounts/nobody@x.test/token", NULL, flavor);
  CU_ASSERT_EQUAL(other.status, 404);
  AUTO_ANSWER struct answer set =
      control("/sim/faults", "{'dealer_id':'*','kind':'no_flavor','times':1}");
  CU_ASSERT_EQUAL(set.status, 200);
  AUTO_ANSWER struct answer silent = call("GET", path, NULL, flavor);
  CU_ASSERT_EQUAL(silent.status, 200);
  CU_ASSERT_PTR_NULL(silent.header_name);
  AUTO_ANSWER struct answer misplaced = post(
      "/sim/faults", "{\"dealer_id\":\"*\",\"kind\":\"no_flavor\",\"endpoint\":\"imds\"}", NULL);
  CU_ASSERT_EQUAL(misplaced.status, 400);
}

static void imds_answers_nothing_without_a_session_token(void)
{
  static const char roles[] = "/latest/meta-data/iam/security-credentials";
  static const char *const ttl[] = {"X-aws-ec2-metadata-token-ttl-seconds", "300", NULL};
  static const char *const too_long[] = {"X-aws-ec2-metadata-token-ttl-seconds", "21601", NULL};
  static const char *const made_up[] = {"X-aws-ec2-metadata-token", "AQAEA1.x", NULL};
  AUTO_ANSWER struct answer none = call("GET", roles, NULL, NULL);
  AUTO_ANSWER struct answer fake = call("GET", roles, NULL, made_up);
  AUTO_ANSWER struct answer no_ttl = call("PUT", "/latest/api/token", NULL, NULL);
  AUTO_ANSWER struct answer long_ttl = call("PUT", "/latest/api/token", NULL, too_long);
  AUTO_ANSWER struct answer session = call("PUT", "/latest/api/token", NULL, ttl);
  CU_ASSERT_EQUAL(none.status, 401);
  CU_ASSERT_EQUAL(fake.status, 401);
  CU_ASSERT_EQUAL(no_ttl.status, 400);
  CU_ASSERT_EQUAL(long_ttl.status, 400);
  CU_ASSERT_EQUAL(session.status, 200);
  const char *const with[] = {"X-aws-ec2-metadata-token", session.text, NULL};
  AUTO_ANSWER struct answer role = call("GET", roles, NULL, with);
  CU_ASSERT_STRING_EQUAL(role.text, AWS_ROLE);
  AUTO_ANSWER struct answer zone =
      call("GET", "/latest/meta-data/placement/availability-zone", NULL, with);
  CU_ASSERT_STRING_EQUAL(zone.text, AWS_REGION_NAME "b");
  AUTO_FREE char *path = xasprintf("%s/%s", roles, role.text);
  AUTO_ANSWER struct answer one = call("GET", path, NULL, with);
  AUTO_ANSWER struct answer same = call("GET", path, NULL, with);
  struct answer c = control("/sim/aws/rotate", "{}");
  answer_free(&c);
  AUTO_ANSWER struct answer next = call("GET", path, NULL, with);
  CU_ASSERT_STRING_EQUAL(member(&one, "AccessKeyId"), member(&same, "AccessKeyId"));
  CU_ASSERT_STRING_NOT_EQUAL(member(&one, "AccessKeyId"), member(&next, "AccessKeyId"));
  CU_ASSERT_STRING_EQUAL(member(&one, "Code"), "Success");
  struct aws *aws = identity_sim()->aws;
  CU_ASSERT_TRUE(aws_imds_token_is_good(aws, session.text, now_s()));
  CU_ASSERT_FALSE(aws_imds_token_is_good(aws, session.text, now_s() + 301));
}

static void faults_strike_each_identity_endpoint_in_its_own_form(void)
{
  static const char *const flavor[] = {"Metadata-Flavor", "Google", NULL};
  static const struct {
    const char *endpoint, *method, *path, *member, *value;
  } cases[] = {
      {"sts", "POST", "/v1/token", "error", "backend_error"},
      {"token", "POST", "/token", "error", "backend_error"},
      {"iam", "POST", "/v1/projects/-/serviceAccounts/x@y:generateAccessToken", "error.status",
       "UNAVAILABLE"},
      {"metadata", "GET", "/computeMetadata/v1/instance/", "", ""},
      {"imds", "GET", "/latest/meta-data/", "", ""},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *fault =
        xasprintf("{'dealer_id':'*','kind':'503','times':1,'endpoint':'%s'}", cases[i].endpoint);
    struct answer c = control("/sim/faults", fault);
    answer_free(&c);
    AUTO_ANSWER struct answer a =
        call(cases[i].method, cases[i].path, "grant_type=refresh_token", flavor);
    CU_ASSERT_EQUAL(a.status, 503);
    if (cases[i].member[0] != '\0')
      CU_ASSERT_STRING_EQUAL(member(&a, cases[i].member), cases[i].value);
    AUTO_ANSWER struct answer after =
        call(cases[i].method, cases[i].path, "grant_type=refresh_token", flavor);
    CU_ASSERT_NOT_EQUAL(after.status, 503);
  }
  AUTO_FREE char *token = projected(FEDERATION_DEALER_NAMESPACE "d06", FEDERATION_OIDC, 600);
  struct answer c =
      control("/sim/faults", "{'dealer_id':'d06','kind':'not_json','times':1,'endpoint':'sts'}");
  answer_free(&c);
  AUTO_ANSWER struct answer html = exchange_as(FEDERATION_OIDC, PLATFORM, JWT_TYPE, token);
  CU_ASSERT_EQUAL(html.status, 200);
  CU_ASSERT_PTR_NULL(html.json);
  c = control("/sim/faults", "{'dealer_id':'d06','kind':'huge_body','times':1,'endpoint':'sts'}");
  answer_free(&c);
  AUTO_ANSWER struct answer huge = exchange_as(FEDERATION_OIDC, PLATFORM, JWT_TYPE, token);
  CU_ASSERT_PTR_NOT_NULL(strstr(huge.text, "padding"));
  AUTO_ANSWER struct answer good = exchange_as(FEDERATION_OIDC, PLATFORM, JWT_TYPE, token);
  CU_ASSERT_EQUAL(good.status, 200);
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_identity_federation", TEST(projected_tokens_are_verified_before_they_are_exchanged),
          TEST(another_issuers_token_is_refused),
          TEST(an_outside_issuers_tokens_are_verified_by_its_uploaded_keys),
          TEST(federated_tokens_open_the_apis_only_when_bound_so),
          TEST(impersonation_needs_permission_scope_and_a_sound_request),
          TEST(delegates_are_followed_one_after_the_other),
          TEST(signed_aws_requests_are_recomputed),
          TEST(the_subject_token_must_be_a_get_caller_identity_at_aws),
          TEST(the_metadata_server_wants_and_shows_its_flavor),
          TEST(imds_answers_nothing_without_a_session_token),
          TEST(faults_strike_each_identity_endpoint_in_its_own_form), TEST(cleanup_last))
