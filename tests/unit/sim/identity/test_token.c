/* The token endpoint: assertions in Google's order, consents, rotation, revocation. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/identity_fixture.h"

/* A signer of our own: nothing of the simulator's. */
static char *sign(const char *header, const char *claims, EVP_PKEY *key)
{
  AUTO_BUF struct buf text = BUF_INIT(8192);
  unsigned char signature[512];
  size_t n = sizeof(signature);
  base64url_encode(&text, header, strlen(header));
  buf_putc(&text, '.');
  base64url_encode(&text, claims, strlen(claims));
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  CU_ASSERT_EQUAL(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
  CU_ASSERT_EQUAL(EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text.data, text.len),
                  1);
  EVP_MD_CTX_free(ctx);
  buf_putc(&text, '.');
  base64url_encode(&text, signature, n);
  return xstrdup(buf_str(&text));
}

static EVP_PKEY *key_of(const struct answer *account)
{
  const char *pem = json_get_string(account->json, "private_key");
  CU_ASSERT_PTR_NOT_NULL_FATAL(pem);
  BIO *bio = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  BIO_free(bio);
  return key;
}

static struct answer grant(const char *assertion)
{
  AUTO_FREE char *body = xasprintf(JWT_BEARER "%s", assertion);
  return post("/token", body, NULL);
}

static void assertions_are_refused_in_googles_order_and_words(void)
{
  struct answer account = control("/sim/service-accounts", "{'dealer_id':'d03'}");
  EVP_PKEY *key = key_of(&account), *other = EVP_RSA_gen(2048);
  const char *me = member(&account, "client_email"), *kid = member(&account, "private_key_id");
  AUTO_FREE char *good_header = xasprintf("{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
  long long now = (long long)now_s();
  const struct {
    const char *header, *iss, *rest; /* rest: claims after iss, %lld is now */
    long long exp_after;
    EVP_PKEY *key;
    int status;
    const char *error, *text;
  } cases[] = {
      /* Each case is wrong in what follows it too, so the order shows. */
      {"[]", me, "", 60, key, 400, "invalid_request", "Bad Request"},
      {"{\"alg\":\"HS256\"}", me, "", 9999, key, 400, "invalid_grant", "Invalid JWT Signature."},
      {"{\"alg\":\"none\"}", me, "", 9999, key, 400, "invalid_grant", "Invalid JWT Signature."},
      {good_header, me, "", 9999, other, 400, "invalid_grant", "Invalid JWT Signature."},
      {"{\"alg\":\"RS256\",\"kid\":\"00\"}", me, "", 60, key, 400, "invalid_grant",
       "Invalid JWT Signature."},
      {good_header, "x@y.iam.gserviceaccount.com", "", 9999, other, 400, "invalid_grant",
       "Invalid JWT Signature."},
      {good_header, "x@y.iam.gserviceaccount.com", "", 9999, key, 400, "invalid_grant",
       "Invalid grant: account not found"},
      {"{\"alg\":\"RS256\"}", "x@y.iam.gserviceaccount.com", "", 60, other, 400, "invalid_grant",
       "Invalid grant: account not found"},
      {good_header, me, "", 9999, key, 400, "invalid_grant",
       "Invalid JWT: iat (issued at) is not set."},
      {good_header, me, ",\"iat\":%lld", 3601, key, 400, "invalid_grant",
       "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
       "Check your iat and exp values in the JWT claim."},
      {good_header, me, ",\"iat\":%lld,\"aud\":\"" BASE "/token\"", -1, key, 400, "invalid_grant",
       "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
       "Check your iat and exp values in the JWT claim."},
      {good_header, me, ",\"iat\":%lld", 60, key, 400, "invalid_scope",
       "Invalid OAuth scope or ID token audience provided."},
      {good_header, me, ",\"iat\":%lld,\"scope\":\" \"", 60, key, 400, "invalid_scope",
       "Invalid OAuth scope or ID token audience provided."},
      {good_header, me, ",\"iat\":%lld,\"scope\":\"" ANALYTICS "\",\"aud\":\"https://x.test/\"", 60,
       key, 400, "invalid_grant", "Invalid JWT: Failed audience check."},
      {good_header, me,
       ",\"iat\":%lld,\"scope\":\"" ANALYTICS "\",\"aud\":\"" BASE
       "/token\",\"sub\":\"boss@dealer.test\"",
       60, key, 401, "unauthorized_client",
       "Client is unauthorized to retrieve access tokens using this method, or client not "
       "authorized for any of the scopes requested."},
      {good_header, me, ",\"iat\":%lld,\"scope\":\"" ANALYTICS "\",\"aud\":\"" BASE "/token\"",
       3600, key, 200, "", ""},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    char rest[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(rest, sizeof(rest), cases[i].rest, now);
#pragma GCC diagnostic pop
    AUTO_FREE char *claims =
        xasprintf("{\"iss\":\"%s\",\"exp\":%lld%s}", cases[i].iss, now + cases[i].exp_after, rest);
    AUTO_FREE char *jwt = sign(cases[i].header, claims, cases[i].key);
    AUTO_ANSWER struct answer a = grant(jwt);
    CU_ASSERT_EQUAL(a.status, cases[i].status);
    CU_ASSERT_STRING_EQUAL(member(&a, "error"), cases[i].error);
    CU_ASSERT_STRING_EQUAL(member(&a, "error_description"), cases[i].text);
  }
  EVP_PKEY_free(key);
  EVP_PKEY_free(other);
  answer_free(&account);
}

/* An assertion of a dealer's account, good but for its scope. */
static char *assertion_of(const char *dealer, const char *scope, bool bearer)
{
  AUTO_FREE char *body = xasprintf("{'dealer_id':'%s'}", dealer);
  AUTO_ANSWER struct answer account = control("/sim/service-accounts", body);
  EVP_PKEY *key = key_of(&account);
  const char *me = member(&account, "client_email");
  AUTO_FREE char *header =
      xasprintf("{\"alg\":\"RS256\",\"kid\":\"%s\"}", member(&account, "private_key_id"));
  AUTO_FREE char *end =
      bearer ? xasprintf("\"sub\":\"%s\"", me) : xasprintf("\"aud\":\"" BASE "/token\"");
  AUTO_FREE char *claims =
      xasprintf("{\"iss\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"scope\":\"%s\",%s}", me,
                (long long)now_s(), (long long)now_s() + 3600, scope, end);
  char *jwt = sign(header, claims, key);
  EVP_PKEY_free(key);
  return jwt;
}

static void an_unknown_scope_gives_only_an_id_token(void)
{
  AUTO_FREE char *jwt = assertion_of("d03", "https://example.test/x", false);
  AUTO_ANSWER struct answer a = grant(jwt);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(a.json), 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(member(&a, "id_token"), "eyJ"));
}

static void a_service_account_reads_its_own_dealer_until_it_is_revoked(void)
{
  AUTO_FREE char *jwt = assertion_of("d03", ANALYTICS, false);
  AUTO_FREE char *bearer = assertion_of("d03", ANALYTICS, true);
  AUTO_FREE char *wrong = assertion_of("d03", PLATFORM, true);
  AUTO_ANSWER struct answer a = grant(jwt);
  const char *token = member(&a, "access_token");
  CU_ASSERT_EQUAL(read_metadata(2, token), 200);
  CU_ASSERT_EQUAL(read_metadata(3, token), 403);
  CU_ASSERT_EQUAL(read_metadata(2, bearer), 200);
  CU_ASSERT_EQUAL(read_metadata(3, bearer), 403);
  CU_ASSERT_EQUAL(read_metadata(2, wrong), 403);
  CU_ASSERT_EQUAL(read_metadata(2, jwt), 401); /* an assertion is not a bearer */
  struct answer c = control("/sim/service-accounts", "{'dealer_id':'d03','state':'key_deleted'}");
  answer_free(&c);
  CU_ASSERT_EQUAL(read_metadata(2, bearer), 401);
  AUTO_ANSWER struct answer dead = grant(jwt);
  CU_ASSERT_STRING_EQUAL(member(&dead, "error_description"), "Invalid JWT Signature.");
  c = control("/sim/service-accounts", "{'dealer_id':'d03','state':'deleted'}");
  answer_free(&c);
  CU_ASSERT_EQUAL(read_metadata(2, token), 401);
  AUTO_ANSWER struct answer gone = grant(jwt);
  CU_ASSERT_STRING_EQUAL(member(&gone, "error_description"), "Invalid grant: account not found");
  c = control("/sim/service-accounts", "{'dealer_id':'d03','state':'active'}");
  answer_free(&c);
  CU_ASSERT_EQUAL(read_metadata(2, bearer), 200);
}

static struct answer refresh(size_t dealer, const char *token, const char *more)
{
  const struct world_property *p = &identity_sim()->world->properties[dealer];
  AUTO_FREE char *body =
      xasprintf("grant_type=refresh_token&client_id=%s&client_secret=%s&refresh_token=%s%s",
                p->client_id, p->client_secret, token == NULL ? p->refresh_token : token, more);
  return post("/token", body, NULL);
}

static void a_refresh_may_narrow_its_scope_but_not_widen_it(void)
{
  AUTO_ANSWER struct answer same = refresh(4, NULL, "&scope=" ANALYTICS);
  CU_ASSERT_EQUAL(same.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&same, "scope"), ANALYTICS);
  AUTO_ANSWER struct answer more = refresh(4, NULL, "&scope=" PLATFORM);
  CU_ASSERT_EQUAL(more.status, 400);
  CU_ASSERT_STRING_EQUAL(member(&more, "error"), "invalid_scope");
}

static void rotation_hands_out_a_new_token_and_ends_the_old_one(void)
{
  const char *account = identity_sim()->world->properties[5].account_id;
  AUTO_FREE char *on = xasprintf("{'account_id':'%s','old_valid_s':0}", account);
  AUTO_FREE char *grace = xasprintf("{'account_id':'%s','old_valid_s':60}", account);
  struct answer c = control("/sim/rotation", on);
  answer_free(&c);
  AUTO_ANSWER struct answer first = refresh(5, NULL, "");
  const char *second = member(&first, "refresh_token");
  CU_ASSERT_PTR_NOT_NULL(strstr(second, "1//0r"));
  AUTO_ANSWER struct answer old = refresh(5, NULL, "");
  CU_ASSERT_EQUAL(old.status, 400);
  CU_ASSERT_STRING_EQUAL(member(&old, "error"), "invalid_grant");
  CU_ASSERT_STRING_EQUAL(member(&old, "error_description"), "Token has been expired or revoked.");
  c = control("/sim/rotation", grace);
  answer_free(&c);
  AUTO_ANSWER struct answer third = refresh(5, second, "");
  AUTO_ANSWER struct answer again = refresh(5, second, "");
  CU_ASSERT_EQUAL(again.status, 200);
  CU_ASSERT_STRING_NOT_EQUAL(member(&third, "refresh_token"), second);
  CU_ASSERT_STRING_EQUAL(member(&again, "refresh_token"), member(&third, "refresh_token"));
}

static void the_told_lifetime_can_be_anything_or_missing(void)
{
  const char *account = identity_sim()->world->properties[6].account_id;
  static const char *const reported[] = {"-5", "\"soon\"", "1e300", "null", "[1]"};
  for (size_t i = 0; i < ARRAY_LEN(reported); i++) {
    AUTO_FREE char *body =
        xasprintf("{\"account_id\":\"%s\",\"expires_in\":%s}", account, reported[i]);
    struct answer c = control("/sim/tokens", body);
    answer_free(&c);
    AUTO_ANSWER struct answer a = refresh(6, NULL, "");
    AUTO_JSON cJSON *expected = cJSON_Parse(reported[i]);
    CU_ASSERT_TRUE(cJSON_Compare(cJSON_GetObjectItem(a.json, "expires_in"), expected, true));
    CU_ASSERT_EQUAL(read_metadata(6, member(&a, "access_token")), 200);
  }
  AUTO_FREE char *omit = xasprintf("{'account_id':'%s','omit_expires_in':true}", account);
  struct answer c = control("/sim/tokens", omit);
  answer_free(&c);
  AUTO_ANSWER struct answer a = refresh(6, NULL, "");
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(a.json, "expires_in"));
  CU_ASSERT_EQUAL(a.status, 200);
}

static void revoking_an_access_token_ends_the_consent(void)
{
  const char *account = identity_sim()->world->properties[7].account_id;
  AUTO_ANSWER struct answer a = refresh(7, NULL, "");
  const char *token = member(&a, "access_token");
  AUTO_FREE char *ask = xasprintf("access_token=%s", token);
  AUTO_FREE char *revoke = xasprintf("token=%s", token);
  AUTO_ANSWER struct answer info = post("/tokeninfo", ask, NULL);
  CU_ASSERT_STRING_EQUAL(member(&info, "aud"), identity_sim()->world->properties[7].client_id);
  CU_ASSERT_STRING_EQUAL(member(&info, "scope"), ANALYTICS);
  AUTO_ANSWER struct answer done = post("/revoke", revoke, NULL);
  CU_ASSERT_EQUAL(done.status, 200);
  AUTO_ANSWER struct answer twice = post("/revoke", revoke, NULL);
  CU_ASSERT_STRING_EQUAL(member(&twice, "error"), "invalid_token");
  AUTO_ANSWER struct answer late = post("/tokeninfo", ask, NULL);
  CU_ASSERT_EQUAL(late.status, 400);
  CU_ASSERT_EQUAL(read_metadata(7, token), 401);
  AUTO_ANSWER struct answer dead = refresh(7, NULL, "");
  CU_ASSERT_STRING_EQUAL(member(&dead, "error"), "invalid_grant");
  AUTO_FREE char *back = xasprintf("{'account_id':'%s','revoked':false}", account);
  struct answer c = control("/sim/revocation", back);
  answer_free(&c);
  AUTO_ANSWER struct answer alive = refresh(7, NULL, "");
  CU_ASSERT_EQUAL(alive.status, 200);
}

static void a_deleted_client_is_the_operators_fault(void)
{
  const char *account = identity_sim()->world->properties[8].account_id;
  static const char *const states[][2] = {
      {"deleted", "deleted_client"}, {"disabled", "disabled_client"}, {"active", ""}};
  for (size_t i = 0; i < ARRAY_LEN(states); i++) {
    AUTO_FREE char *body = xasprintf("{'account_id':'%s','state':'%s'}", account, states[i][0]);
    struct answer c = control("/sim/clients", body);
    answer_free(&c);
    AUTO_ANSWER struct answer a = refresh(8, NULL, "");
    CU_ASSERT_EQUAL(a.status, states[i][1][0] == '\0' ? 200 : 401);
    CU_ASSERT_STRING_EQUAL(member(&a, "error"), states[i][1]);
  }
}

static void a_new_consent_ends_a_revocation_and_has_the_scopes_that_were_ticked(void)
{
  const struct world_property *p = &identity_sim()->world->properties[2];
  AUTO_FREE char *to = xasprintf("{'account_id':'%s'}", p->account_id);
  AUTO_FREE char *unticked = xasprintf("{'account_id':'%s','scope':'openid'}", p->account_id);
  struct answer AUTO_ANSWER first = control("/sim/consent", to);
  struct answer AUTO_ANSWER good = refresh(2, member(&first, "refresh_token"), "");
  CU_ASSERT_EQUAL(good.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&good, "scope"), ANALYTICS);
  struct answer AUTO_ANSWER old = refresh(2, NULL, "");
  CU_ASSERT_EQUAL(old.status, 200); /* two consents live side by side */
  struct answer AUTO_ANSWER revoked = control("/sim/revocation", to);
  CU_ASSERT_EQUAL(revoked.status, 200);
  struct answer AUTO_ANSWER second = control("/sim/consent", unticked);
  CU_ASSERT_STRING_EQUAL(member(&second, "scope"), "openid");
  usleep(5000); /* tokens of the revocation's own millisecond are dead */
  struct answer AUTO_ANSWER dead = refresh(2, member(&first, "refresh_token"), "");
  CU_ASSERT_STRING_EQUAL(member(&dead, "error"), "invalid_grant");
  struct answer AUTO_ANSWER small = refresh(2, member(&second, "refresh_token"), "");
  CU_ASSERT_STRING_EQUAL(member(&small, "scope"), "openid");
  CU_ASSERT_EQUAL(read_metadata(2, member(&small, "access_token")), 403);
  CU_ASSERT_EQUAL(read_metadata(2, member(&good, "access_token")), 401);
  struct answer AUTO_ANSWER third = control("/sim/consent", to);
  struct answer AUTO_ANSWER again = refresh(2, member(&third, "refresh_token"), "");
  CU_ASSERT_EQUAL(read_metadata(2, member(&again, "access_token")), 200);
  struct answer AUTO_ANSWER all = post("/sim/consent", "{\"account_id\":\"*\"}", NULL);
  struct answer AUTO_ANSWER odd =
      post("/sim/consent", "{\"account_id\":\"operator\",\"scope\":\"x\"}", NULL);
  CU_ASSERT_EQUAL(all.status, 400);
  CU_ASSERT_EQUAL(odd.status, 400);
}

static void a_clock_that_is_wrong_refuses_assertions_and_nothing_else(void)
{
  struct answer AUTO_ANSWER account = control("/sim/service-accounts", "{'dealer_id':'d02'}");
  EVP_PKEY *key = key_of(&account);
  AUTO_FREE char *claims =
      xasprintf("{\"iss\":\"%s\",\"aud\":\"" BASE "/token\",\"scope\":\"" ANALYTICS
                "\",\"iat\":%lld,\"exp\":%lld}",
                member(&account, "client_email"), (long long)now_s(), (long long)now_s() + 3600);
  AUTO_FREE char *assertion = sign("{\"alg\":\"RS256\"}", claims, key);
  struct answer AUTO_ANSWER before = grant(assertion);
  CU_ASSERT_EQUAL(before.status, 200);
  static const char *const wrong[] = {"{'offset_s':7200}", "{'offset_s':-7200}"};
  for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
    struct answer AUTO_ANSWER set = control("/sim/clock", wrong[i]);
    CU_ASSERT_EQUAL(set.status, 200);
    struct answer AUTO_ANSWER refused = grant(assertion);
    CU_ASSERT_STRING_EQUAL(member(&refused, "error"), "invalid_grant");
    CU_ASSERT_EQUAL(strncmp(member(&refused, "error_description"),
                            "Invalid JWT: Token must be a short-lived token", 46),
                    0);
    CU_ASSERT_EQUAL(read_metadata(1, member(&before, "access_token")), 200);
  }
  struct answer AUTO_ANSWER right = control("/sim/clock", "{'offset_s':0}");
  CU_ASSERT_EQUAL(right.status, 200);
  struct answer AUTO_ANSWER after = grant(assertion);
  CU_ASSERT_EQUAL(after.status, 200);
  EVP_PKEY_free(key);
}

static void every_refresh_is_counted_with_its_time(void)
{
  const char *account = identity_sim()->world->properties[9].account_id;
  AUTO_ANSWER struct answer one = refresh(9, NULL, "");
  AUTO_ANSWER struct answer two = refresh(9, NULL, "");
  CU_ASSERT_TRUE(one.status == 200 && two.status == 200);
  AUTO_ANSWER struct answer stats = call("GET", "/sim/stats", NULL, NULL);
  const cJSON *a = cJSON_GetObjectItem(cJSON_GetObjectItem(stats.json, "accounts"), account);
  const cJSON *times = cJSON_GetObjectItem(a, "issued_at_ms");
  CU_ASSERT_EQUAL(json_get_number(a, "tokens_issued", 0), 2);
  CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(times), 2);
  CU_ASSERT_TRUE(cJSON_GetArrayItem(times, 1)->valuedouble >=
                 cJSON_GetArrayItem(times, 0)->valuedouble);
  CU_ASSERT_TRUE(cJSON_GetArrayItem(times, 0)->valuedouble > 1.7e12);
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_identity_token", TEST(assertions_are_refused_in_googles_order_and_words),
          TEST(an_unknown_scope_gives_only_an_id_token),
          TEST(a_service_account_reads_its_own_dealer_until_it_is_revoked),
          TEST(a_refresh_may_narrow_its_scope_but_not_widen_it),
          TEST(rotation_hands_out_a_new_token_and_ends_the_old_one),
          TEST(the_told_lifetime_can_be_anything_or_missing),
          TEST(revoking_an_access_token_ends_the_consent),
          TEST(a_deleted_client_is_the_operators_fault),
          TEST(a_new_consent_ends_a_revocation_and_has_the_scopes_that_were_ticked),
          TEST(a_clock_that_is_wrong_refuses_assertions_and_nothing_else),
          TEST(every_refresh_is_counted_with_its_time), TEST(cleanup_last))
