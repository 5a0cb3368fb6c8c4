/* Bearer tokens: every form, and every way to forge one. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/bearer.h"
#include "auth-svc/identity/claims.h"
#include "common/base/backoff.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

enum { NOW = 1800000000 };
#define SECRET "a shared secret of more than 32 bytes"
#define CLAIMS                                                                                     \
  "{\"iss\":\"https://issuer.example\",\"aud\":\"analytics-mcp\",\"exp\":1800003600,"              \
  "\"sub\":\"ann\",\"role\":\"admin\"}"

/* One set-up per test program: a world, a key of each kind, a policy. */
static struct snapshot *world;
static EVP_PKEY *rsa, *ec, *ed;
static struct jwt_keys *keys;

static bool holds(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE])
{
  (void)user;
  return credential_holds(snapshot_credential(world, dealer), digest);
}

static const char *standing_of_d05 = NULL;

static const char *bad_standing(void *user, const struct dealer *dealer)
{
  (void)user;
  return strcmp(dealer->dealer_id, "d05") == 0 ? standing_of_d05 : NULL;
}

static struct bearer_policy policy(void)
{
  return (struct bearer_policy){
      .enabled = true,
      .account_tokens = true,
      .jwt = {.keys = keys, .issuer = "https://issuer.example", .audience = "analytics-mcp"},
      .holds = holds,
      .bad_standing = bad_standing};
}

static void add_pem(struct jwt_keys *k, EVP_PKEY *key)
{
  AUTO_FREE char *pem = maker_public_pem(key);
  struct err e = {0};
  CU_ASSERT_EQUAL(jwt_keys_add_pem(k, "AUTH_JWT_KEY_FILE", pem, strlen(pem), &e), ERR_OK);
}

static void set_up(void)
{
  if (world != NULL)
    return;
  world = world_new(12, NULL);
  rsa = maker_key(JWT_RS256);
  ec = maker_key(JWT_ES256);
  ed = maker_key(JWT_EDDSA);
  keys = jwt_keys_new();
  add_pem(keys, rsa);
  add_pem(keys, ec);
  add_pem(keys, ed);
  jwt_keys_add_hs256(keys, "AUTH_JWT_HS256_SECRET", SECRET, strlen(SECRET), NULL);
}

/* Result of one bearer; the grant lives until the next call. */
static struct arena *arena;
static struct err last;
static enum bearer_form form;

static const Analytics__Auth__V1__Grant *ask_with(const struct bearer_policy *p, const char *bearer)
{
  Analytics__Auth__V1__Grant *g = NULL;
  arena_free(arena);
  arena = arena_new(1 << 20);
  last = (struct err){0};
  enum err_code code = bearer_grant(&g, &form, p, world->directory, bearer, NOW, arena, &last);
  CU_ASSERT_TRUE(code == ERR_OK ? g != NULL
                                : code == ERR_UNAUTHENTICATED || code == ERR_PERMISSION_DENIED);
  return code == ERR_OK ? g : NULL;
}

static const Analytics__Auth__V1__Grant *ask(const char *bearer)
{
  set_up();
  struct bearer_policy p = policy();
  return ask_with(&p, bearer);
}

static const Analytics__Auth__V1__Grant *ask_jwt(const char *header, const char *payload,
                                                 EVP_PKEY *key, const char *secret)
{
  AUTO_FREE char *token = maker_token(header, payload, key, secret);
  return ask(token);
}

static void check_rejected(const Analytics__Auth__V1__Grant *g, const char *why)
{
  CU_ASSERT_PTR_NULL(g);
  CU_ASSERT_STRING_EQUAL(last.reason, "invalid_credentials");
  if (strstr(last.message, why) == NULL)
    printf("\n  want %s\n  got  %s\n", why, last.message);
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, why));
}

/* ------------------------------------------------------------------------- JWT */

static void a_token_of_each_algorithm_is_accepted(void)
{
  set_up();
  CU_ASSERT_PTR_NOT_NULL(ask_jwt("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", CLAIMS, rsa, NULL));
  CU_ASSERT_PTR_NOT_NULL(ask_jwt("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", CLAIMS, ec, NULL));
  CU_ASSERT_PTR_NOT_NULL(ask_jwt("{\"alg\":\"EdDSA\"}", CLAIMS, ed, NULL));
  CU_ASSERT_PTR_NOT_NULL(ask_jwt("{\"alg\":\"Ed25519\"}", CLAIMS, ed, NULL)); /* RFC 9864 */
  const Analytics__Auth__V1__Grant *g = ask_jwt("{\"alg\":\"HS256\"}", CLAIMS, NULL, SECRET);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_EQUAL(form, BEARER_JWT);
  CU_ASSERT_STRING_EQUAL(g->subject, "ann");
  CU_ASSERT_TRUE(g->all_dealers);
  CU_ASSERT_EQUAL(strlen(g->principal_id), 64);
  CU_ASSERT_EQUAL(g->expires_at, NOW + GRANT_LIFE_S);
}

/* Else a revoked token could be signed again: ECDSA signs differently each time. */
static void a_token_has_one_name_whatever_its_signature(void)
{
  set_up();
  AUTO_FREE char *one = maker_token("{\"alg\":\"ES256\"}", CLAIMS, ec, NULL);
  AUTO_FREE char *other = maker_token("{\"alg\":\"ES256\"}", CLAIMS, ec, NULL);
  CU_ASSERT_STRING_NOT_EQUAL(one, other);
  const Analytics__Auth__V1__Grant *g = ask(one);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  AUTO_FREE char *name = xstrdup(g->principal_id);
  g = ask(other);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_STRING_EQUAL(g->principal_id, name);
  g = ask_jwt("{\"alg\":\"EdDSA\"}", CLAIMS, ed, NULL); /* another header is another token */
  CU_ASSERT_STRING_NOT_EQUAL(g->principal_id, name);
}

static void a_token_id_goes_into_the_grant_and_must_make_sense(void)
{
  static const char *const bad[] = {"7", "\"\"", "\"a\\nb\"", "[\"x\"]", "null"};
  set_up();
  AUTO_FREE char *with = xasprintf("%.*s,\"jti\":\"id-1\"}", (int)strlen(CLAIMS) - 1, CLAIMS);
  const Analytics__Auth__V1__Grant *g = ask_jwt("{\"alg\":\"HS256\"}", with, NULL, SECRET);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_STRING_EQUAL(g->token_id, "id-1");
  g = ask_jwt("{\"alg\":\"HS256\"}", CLAIMS, NULL, SECRET);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_STRING_EQUAL(g->token_id, "");
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO_FREE char *claims = xasprintf("%.*s,\"jti\":%s}", (int)strlen(CLAIMS) - 1, CLAIMS, bad[i]);
    check_rejected(ask_jwt("{\"alg\":\"HS256\"}", claims, NULL, SECRET), "claim jti must be");
  }
}

static void the_algorithm_of_the_token_decides_nothing(void)
{
  set_up();
  AUTO_FREE char *pem = maker_public_pem(rsa);
  check_rejected(ask_jwt("{\"alg\":\"none\"}", CLAIMS, NULL, NULL), "not three parts");
  check_rejected(ask_jwt("{\"alg\":\"none\"}", CLAIMS, NULL, "x"), "no configured key");
  check_rejected(ask_jwt("{\"alg\":\"None\"}", CLAIMS, rsa, NULL), "no configured key");
  /* The classic: a public key used as the secret of HS256. */
  check_rejected(ask_jwt("{\"alg\":\"HS256\"}", CLAIMS, NULL, pem), "signature does not match");
  check_rejected(ask_jwt("{\"alg\":\"RS256\"}", CLAIMS, NULL, SECRET), "signature does not match");
  check_rejected(ask_jwt("{\"alg\":\"ES256\"}", CLAIMS, rsa, NULL), "signature does not match");
  check_rejected(ask_jwt("{\"alg\":\"RS512\"}", CLAIMS, rsa, NULL), "no configured key");
  check_rejected(ask_jwt("{\"alg\":7}", CLAIMS, rsa, NULL), "no configured key");
  check_rejected(ask_jwt("{}", CLAIMS, rsa, NULL), "no configured key");
  check_rejected(ask_jwt("[]", CLAIMS, rsa, NULL), "header is not a JSON object");
  check_rejected(ask_jwt("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", CLAIMS, rsa, NULL),
                 "crit");
  check_rejected(ask_jwt("{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", CLAIMS, rsa, NULL), "typ");
}

static void keys_of_others_do_not_sign(void)
{
  set_up();
  EVP_PKEY *other_rsa = maker_key(JWT_RS256), *other_ec = maker_key(JWT_ES256);
  check_rejected(ask_jwt("{\"alg\":\"RS256\"}", CLAIMS, other_rsa, NULL), "signature");
  check_rejected(ask_jwt("{\"alg\":\"ES256\"}", CLAIMS, other_ec, NULL), "signature");
  check_rejected(ask_jwt("{\"alg\":\"HS256\"}", CLAIMS, NULL, SECRET "x"), "signature");
  /* Keys a token brings along count for nothing. */
  AUTO_FREE char *jwk = maker_jwk(other_rsa, "k");
  AUTO_FREE char *header = xasprintf("{\"alg\":\"RS256\",\"jwk\":%s}", jwk);
  check_rejected(ask_jwt(header, CLAIMS, other_rsa, NULL), "signature");
  EVP_PKEY_free(other_rsa);
  EVP_PKEY_free(other_ec);
}

static void a_changed_token_is_noticed_anywhere(void)
{
  set_up();
  EVP_PKEY *signers[] = {rsa, ec, ed};
  const char *const headers[] = {"{\"alg\":\"RS256\"}", "{\"alg\":\"ES256\"}",
                                 "{\"alg\":\"EdDSA\"}"};
  for (size_t k = 0; k < ARRAY_LEN(signers); k++) {
    AUTO_FREE char *token = maker_token(headers[k], CLAIMS, signers[k], NULL);
    size_t len = strlen(token), taken = 0;
    /* The last character of each part may hold bits that mean nothing: leave it. */
    for (size_t i = 0; i + 1 < len; i += 3) {
      if (token[i] == '.' || token[i + 1] == '.')
        continue;
      char kept = token[i];
      token[i] = kept == 'A' ? 'B' : 'A';
      taken += ask(token) != NULL;
      token[i] = kept;
    }
    CU_ASSERT_EQUAL(taken, 0);
    CU_ASSERT_PTR_NOT_NULL(ask(token));
  }
}

#define WITH(rest)                                                                                 \
  "{\"iss\":\"https://issuer.example\",\"sub\":\"ann\",\"role\":\"admin\"," rest "}"

static void issuer_audience_and_time_are_checked(void)
{
  static const struct {
    const char *claims, *why; /* NULL: accepted */
  } table[] = {
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1800000100"), NULL},
      {WITH("\"aud\":[\"x\",\"analytics-mcp\"],\"exp\":1800000100"), NULL},
      {WITH("\"aud\":\"other\",\"exp\":1800000100"), "audience"},
      {WITH("\"aud\":[\"other\",7],\"exp\":1800000100"), "audience"},
      {WITH("\"aud\":{\"analytics-mcp\":1},\"exp\":1800000100"), "audience"},
      {WITH("\"exp\":1800000100"), "audience"},
      {WITH("\"aud\":\"analytics-mcp\""), "no expiry"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":\"1800000100\""), "not a number of seconds"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":null"), "not a number of seconds"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1799999960"), "has expired"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":-1e300"), "not a number of seconds"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1799999980"), NULL}, /* within the leeway */
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1e300"), "not a number of seconds"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1e400"), ""}, /* no JSON number, or too large */
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1800000000000"), "not a number of seconds"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1800000100,\"nbf\":1800000020"), NULL},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1800000100,\"nbf\":1800000060"), "not valid yet"},
      {WITH("\"aud\":\"analytics-mcp\",\"exp\":1800000100,\"nbf\":\"0\""), "nbf"},
      {"{\"iss\":\"https://evil.example\",\"aud\":\"analytics-mcp\",\"exp\":1800000100}", "issuer"},
      {"{\"aud\":\"analytics-mcp\",\"exp\":1800000100}", "issuer"},
      {"[]", "claims are not a JSON object"},
      {"{\"iss\":\"a\",\"iss\":\"https://issuer.example\"}", "claims are not a JSON object"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    const Analytics__Auth__V1__Grant *g =
        ask_jwt("{\"alg\":\"HS256\"}", table[i].claims, NULL, SECRET);
    if (table[i].why != NULL)
      check_rejected(g, table[i].why);
    else
      CU_ASSERT_TRUE(g != NULL && g->expires_at > NOW);
  }
}

/* exp and iat as seconds after NOW; iat 0: none. */
static const Analytics__Auth__V1__Grant *ask_life(int64_t max_life_s, int64_t exp, int64_t iat)
{
  set_up();
  struct bearer_policy p = policy();
  p.jwt.max_life_s = max_life_s;
  AUTO_FREE char *issued =
      iat != 0 ? xasprintf("\"iat\":%lld,", (long long)(NOW + iat)) : xstrdup("");
  AUTO_FREE char *payload =
      xasprintf("{\"iss\":\"https://issuer.example\",\"sub\":\"ann\",\"role\":\"admin\",%s\"aud\":"
                "\"analytics-mcp\",\"exp\":%lld}",
                issued, (long long)(NOW + exp));
  AUTO_FREE char *token = maker_token("{\"alg\":\"HS256\"}", payload, NULL, SECRET);
  return ask_with(&p, token);
}

static void a_token_lives_no_longer_than_is_accepted(void)
{
  static const char longer[] = "lives longer than the 86400 s";
  CU_ASSERT_PTR_NOT_NULL(ask_life(0, 86400, 0));                /* a day, unless it is set */
  CU_ASSERT_PTR_NOT_NULL(ask_life(0, 86400 + JWT_LEEWAY_S, 0)); /* clocks differ */
  check_rejected(ask_life(0, 86400 + JWT_LEEWAY_S + 1, 0), longer);
  check_rejected(ask_life(0, 4LL * 365 * 86400, 0), longer);
  CU_ASSERT_PTR_NOT_NULL(ask_life(0, 600, 600 - 86400)); /* by its issue, in its last minutes */
  check_rejected(ask_life(0, 600, 600 - 86401), longer);
  check_rejected(ask_life(0, 2 * 86400, 86400),
                 longer); /* issued in the future: it may be, but not so */
  CU_ASSERT_PTR_NOT_NULL(ask_life(90000, 90000, -1 + 1));
  check_rejected(ask_life(90000, 90000, -1), "lives longer than the 90000 s");
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "AUTH_JWT_MAX_LIFE_S"));
  check_rejected(ask_jwt("{\"alg\":\"HS256\"}",
                         WITH("\"aud\":\"analytics-mcp\",\"exp\":1800000100,\"iat\":\"0\""), NULL,
                         SECRET),
                 "iat) is not a number of seconds");
}

static const Analytics__Auth__V1__Grant *ask_claims(const char *rest)
{
  AUTO_FREE char *payload = xasprintf("{\"iss\":\"https://issuer.example\",\"aud\":"
                                      "\"analytics-mcp\",\"exp\":1800000100,%s}",
                                      rest);
  return ask_jwt("{\"alg\":\"HS256\"}", payload, NULL, SECRET);
}

static void the_scopes_of_a_token_go_into_its_grant(void)
{
#define ANN "\"sub\":\"ann\",\"role\":\"admin\""
  const Analytics__Auth__V1__Grant *g = ask_claims(ANN ",\"scope\":\"analytics.read openid\"");
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_TRUE(g->scoped);
  CU_ASSERT_EQUAL_FATAL(g->n_scopes, 2);
  CU_ASSERT_STRING_EQUAL(g->scopes[0], "analytics.read");
  g = ask_claims(ANN);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_FALSE(g->scoped);
  check_rejected(ask_claims(ANN ",\"scope\":{}"), "scope");
}

static void identity_claims_must_make_sense(void)
{
  check_rejected(ask_claims("\"role\":\"admin\""), "sub");
  check_rejected(ask_claims("\"sub\":\"\",\"role\":\"admin\""), "sub");
  check_rejected(ask_claims("\"sub\":\"a\\nb\",\"role\":\"admin\""), "sub");
  check_rejected(ask_claims("\"sub\":\"ann\""), "role");
  check_rejected(ask_claims("\"sub\":\"ann\",\"role\":\"root\""), "role");
  check_rejected(ask_claims("\"sub\":\"ann\",\"role\":\"group\",\"dealers\":\"d01\""), "dealers");
  check_rejected(ask_claims("\"sub\":\"ann\",\"role\":\"group\",\"regions\":[7]"), "regions");
}

static void roles_reach_what_they_should(void)
{
  const Analytics__Auth__V1__Grant *g =
      ask_claims("\"sub\":\"s\",\"role\":\"dealer\",\"dealers\":[\"d01\",\"a03\",\"ghost\"]");
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_EQUAL(g->role, ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER);
  CU_ASSERT_EQUAL_FATAL(g->n_dealer_ids, 2);
  CU_ASSERT_STRING_EQUAL(g->dealer_ids[0], "d01");
  CU_ASSERT_STRING_EQUAL(g->dealer_ids[1], "d03");
  CU_ASSERT_EQUAL_FATAL(g->n_benchmark_regions, 2); /* d01 East, d03 West */
  CU_ASSERT_STRING_EQUAL(g->benchmark_regions[0], "East");
  CU_ASSERT_EQUAL(g->expires_at, NOW + 100 + JWT_LEEWAY_S); /* the bearer ends first */

  g = ask_claims("\"sub\":\"s\",\"role\":\"dealer\",\"dealers\":[\"d01\",\"d03\"],"
                 "\"regions\":[\"west\",\"North\"],\"groups\":[\"group1\"]");
  CU_ASSERT_EQUAL(g->n_dealer_ids, 2);
  CU_ASSERT_EQUAL_FATAL(g->n_benchmark_regions, 1); /* narrowed, not widened */
  CU_ASSERT_STRING_EQUAL(g->benchmark_regions[0], "West");

  g = ask_claims("\"sub\":\"s\",\"role\":\"group\",\"dealers\":[\"d01\"],\"regions\":[\"WEST\"],"
                 "\"groups\":[\"group2\"]");
  /* d01; West: d03 d06 d09 d12; group2: d02 d06 d10 */
  CU_ASSERT_EQUAL(g->n_dealer_ids, 7);
  CU_ASSERT_EQUAL_FATAL(g->n_benchmark_regions, 3); /* of its dealers; the claim narrows none */
  CU_ASSERT_STRING_EQUAL(g->benchmark_regions[0], "East");
  CU_ASSERT_STRING_EQUAL(g->benchmark_regions[1], "North");
  CU_ASSERT_STRING_EQUAL(g->benchmark_regions[2], "West");
  CU_ASSERT_FALSE(g->all_dealers);

  g = ask_claims("\"sub\":\"s\",\"role\":\"group\"");
  CU_ASSERT_EQUAL(g->n_dealer_ids, 0);
  CU_ASSERT_FALSE(g->all_dealers);
}

/* A JWK with what it says of its use in the place of "use":"sig". */
static void put_jwk(struct buf *out, EVP_PKEY *key, const char *kid, const char *use)
{
  static const char said[] = ",\"use\":\"sig\"";
  AUTO_FREE char *jwk = maker_jwk(key, kid);
  const char *at = strstr(jwk, said);
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  buf_printf(out, "%s%.*s%s%s", out->len > 0 ? "," : "{\"keys\":[", (int)(at - jwk), jwk, use,
             at + sizeof(said) - 1);
}

/* More keys than there is room for, most of them unmarked, and the marked ones behind them. */
static void surplus_keys_of_a_jwks_are_skipped_and_marked_ones_come_first(void)
{
  static const char *const marked[] = {",\"use\":\"sig\"", ",\"key_ops\":[\"verify\"]",
                                       ",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"]"};
  AUTO_BUF struct buf set = BUF_INIT(1 << 20);
  EVP_PKEY *key = maker_key(JWT_ES256);
  put_jwk(&set, key, "e0", ",\"use\":\"enc\"");
  put_jwk(&set, key, "e1", ",\"key_ops\":[\"sign\"]");
  for (int i = 0; i < JWT_KEYS_MAX + 4; i++) {
    AUTO_FREE char *kid = xasprintf("u%02d", i);
    put_jwk(&set, key, kid, "");
  }
  for (int i = 0; i < 3; i++) {
    AUTO_FREE char *kid = xasprintf("s%02d", i);
    put_jwk(&set, key, kid, marked[i]);
  }
  buf_puts(&set, "]}");
  struct jwt_keys *k = jwt_keys_new();
  CU_ASSERT_EQUAL(jwt_keys_add_jwks(k, "URL", buf_str(&set), set.len, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(k->n, JWT_KEYS_MAX);
  for (int i = 0; i < JWT_KEYS_MAX; i++) {
    AUTO_FREE char *wanted = xasprintf("%c%02d", i < 3 ? 's' : 'u', i < 3 ? i : i - 3);
    CU_ASSERT_STRING_EQUAL(k->keys[i].kid, wanted);
  }
  jwt_keys_unref(k);
  EVP_PKEY_free(key);
}

static void a_key_id_chooses_among_keys_of_a_jwks(void)
{
  set_up();
  EVP_PKEY *a = maker_key(JWT_ES256), *b = maker_key(JWT_ES256);
  AUTO_FREE char *ja = maker_jwk(a, "ka"), *jb = maker_jwk(b, "kb"), *jr = maker_jwk(rsa, "kr");
  AUTO_FREE char *je = maker_jwk(ed, "ke");
  AUTO_FREE char *set = xasprintf(
      "{\"keys\":[%s,%s,%s,%s,{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"EC\",\"crv\":\"P-256\","
      "\"x\":\"AAAA\",\"y\":\"AAAA\"}]}",
      ja, jb, jr, je);
  struct jwt_keys *from_set = jwt_keys_new();
  CU_ASSERT_EQUAL(jwt_keys_add_jwks(from_set, "AUTH_JWT_KEY_FILE", set, strlen(set), NULL), ERR_OK);
  CU_ASSERT_EQUAL(from_set->n, 4);
  struct bearer_policy p = policy();
  p.jwt.keys = from_set;
  const struct {
    const char *header;
    EVP_PKEY *key;
    bool good;
  } table[] = {
      {"{\"alg\":\"ES256\",\"kid\":\"kb\"}", b, true},
      {"{\"alg\":\"ES256\",\"kid\":\"ka\"}", b, false},
      {"{\"alg\":\"ES256\",\"kid\":\"zz\"}", b, false},
      {"{\"alg\":\"ES256\"}", b, true},
      {"{\"alg\":\"RS256\",\"kid\":\"kr\"}", rsa, true},
      {"{\"alg\":\"EdDSA\",\"kid\":\"ke\"}", ed, true},
      {"{\"alg\":\"HS256\"}", NULL, false},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *token = maker_token(table[i].header, CLAIMS, table[i].key, SECRET);
    CU_ASSERT_EQUAL(ask_with(&p, token) != NULL, table[i].good);
  }
  jwt_keys_unref(from_set);
  EVP_PKEY_free(a);
  EVP_PKEY_free(b);
}

static void weak_keys_are_refused(void)
{
  struct jwt_keys *k = jwt_keys_new();
  struct err e = {0};
  EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
  EVP_PKEY *curve = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
  AUTO_FREE char *a = maker_public_pem(small), *b = maker_public_pem(curve);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(k, "F", a, strlen(a), &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(k, "F", b, strlen(b), &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(k, "F", "junk", 4, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(jwt_keys_add_jwks(k, "F", "{\"keys\":[]}", 11, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(jwt_keys_add_hs256(k, "F", "short", 5, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(k->n, 0);
  jwt_keys_unref(k);
  EVP_PKEY_free(small);
  EVP_PKEY_free(curve);
}

static void a_damaged_key_among_good_ones_is_named(void)
{
  struct jwt_keys *k = jwt_keys_new();
  struct err e = {0};
  EVP_PKEY *one = maker_key(JWT_ES256), *two = maker_key(JWT_ES256), *three = maker_key(JWT_ES256);
  AUTO_FREE char *a = maker_public_pem(one), *b = maker_public_pem(two);
  AUTO_FREE char *c = maker_public_pem(three);
  AUTO_FREE char *good = xasprintf("# old\n%s\n# new\n%s%s", a, b, c);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(k, "F", good, strlen(good), &e), ERR_OK);
  CU_ASSERT_EQUAL(k->n, 3);
  char *at = strstr(strstr(good, "# new"), "MFkw"); /* in the second */
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  memset(at, '!', 4);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(k, "F", good, strlen(good), &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "of 3 PEM blocks \"PUBLIC KEY\" can be read"));
  jwt_keys_unref(k);
  EVP_PKEY_free(one);
  EVP_PKEY_free(two);
  EVP_PKEY_free(three);
}

static void without_keys_no_signed_token_is_accepted(void)
{
  set_up();
  struct bearer_policy p = policy();
  p.jwt.keys = NULL;
  AUTO_FREE char *token = maker_token("{\"alg\":\"HS256\"}", CLAIMS, NULL, SECRET);
  CU_ASSERT_PTR_NULL(ask_with(&p, token));
  struct jwt_keys *none = jwt_keys_new();
  p.jwt.keys = none;
  CU_ASSERT_PTR_NULL(ask_with(&p, token));
  jwt_keys_unref(none);
}

/* -------------------------------------------------------------- account tokens */

static const Analytics__Auth__V1__Grant *ask_json(const char *json)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 16);
  base64_encode(&b, json, strlen(json));
  return ask(buf_str(&b));
}

static void the_plans_token_needs_the_accounts_secret(void)
{
  const Analytics__Auth__V1__Grant *g =
      ask_json("{\"account_id\":\"a02\",\"access_token\":\"stale\",\"refresh_token\":"
               "\"refresh-token-02\",\"expires_at\":1,\"dealer_name\":\"whatever\"}");
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_EQUAL(form, BEARER_ACCOUNT);
  CU_ASSERT_EQUAL(g->role, ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER);
  CU_ASSERT_EQUAL_FATAL(g->n_dealer_ids, 1);
  CU_ASSERT_STRING_EQUAL(g->dealer_ids[0], "d02");
  CU_ASSERT_EQUAL_FATAL(g->n_benchmark_regions, 1);
  CU_ASSERT_STRING_EQUAL(g->benchmark_regions[0], "North");
  CU_ASSERT_EQUAL(g->expires_at, NOW + GRANT_LIFE_S);
}

static void the_plans_token_may_name_its_account_or_its_dealer(void)
{
  const Analytics__Auth__V1__Grant *g =
      ask_json("{\"account_id\":\"d02\",\"refresh_token\":\"refresh-token-02\"}");
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_STRING_EQUAL(g->subject, "a02"); /* one subject, to be revoked by */
  CU_ASSERT_EQUAL_FATAL(g->n_dealer_ids, 1);
  CU_ASSERT_STRING_EQUAL(g->dealer_ids[0], "d02");
  check_rejected(ask_json("{\"account_id\":\"d01\",\"refresh_token\":\"refresh-token-02\"}"),
                 "no account accepts it");
}

static void an_account_that_is_not_in_good_standing_is_refused(void)
{
  static const char token[] = "{\"account_id\":\"a05\",\"refresh_token\":\"refresh-token-05\"}";
  static const char *const states[] = {"needs_reconsent", "misconfigured"};
  static const char *const remedies[] = {"consent again", "Google refuses the OAuth client"};
  CU_ASSERT_PTR_NOT_NULL(ask_json(token));
  for (size_t i = 0; i < ARRAY_LEN(states); i++) {
    standing_of_d05 = states[i];
    CU_ASSERT_PTR_NULL(ask_json(token));
    CU_ASSERT_EQUAL(last.code, ERR_PERMISSION_DENIED);
    CU_ASSERT_STRING_EQUAL(last.reason, states[i]);
    CU_ASSERT_PTR_NOT_NULL(strstr(last.message, remedies[i]));
    /* Who cannot prove it does not learn of it. */
    check_rejected(ask_json("{\"account_id\":\"a05\",\"refresh_token\":\"refresh-token-04\"}"),
                   "no account accepts it");
    CU_ASSERT_PTR_NOT_NULL(ask_json("{\"account_id\":\"a04\",\"refresh_token\":"
                                    "\"refresh-token-04\"}"));
  }
  standing_of_d05 = NULL;
}

static void account_tokens_can_be_switched_off(void)
{
  set_up();
  struct bearer_policy p = policy();
  p.account_tokens = false;
  static const char json[] = "{\"account_id\":\"a02\",\"refresh_token\":\"refresh-token-02\"}";
  AUTO_BUF struct buf b = BUF_INIT(1024);
  base64_encode(&b, json, strlen(json));
  check_rejected(ask_with(&p, buf_str(&b)), "AUTH_ACCOUNT_TOKENS=off");
  CU_ASSERT_EQUAL(form, BEARER_ACCOUNT);
  AUTO_FREE char *jwt = maker_token("{\"alg\":\"HS256\"}", CLAIMS, NULL, SECRET);
  CU_ASSERT_PTR_NOT_NULL(ask_with(&p, jwt));
}

static void a_wrong_proof_reads_the_same_as_an_unknown_account(void)
{
  static const char *const bad[] = {
      "{\"account_id\":\"a01\",\"refresh_token\":\"refresh-token-02\"}",
      "{\"account_id\":\"a01\",\"refresh_token\":\"refresh-token-0\"}",
      "{\"account_id\":\"a01\",\"refresh_token\":\"\",\"access_token\":\"\"}",
      "{\"account_id\":\"a01\",\"refresh_token\":7,\"access_token\":[]}",
      "{\"account_id\":\"a01\",\"access_token\":\"ya29.other\"}",
      "{\"account_id\":\"a02\",\"access_token\":\"ya29.current\"}",
      "{\"account_id\":\"a01\",\"access_token\":\"refresh-token-01\"}",
      "{\"account_id\":\"a01\",\"access_token\":\"ya29.current\",\"expires_at\":1799999999}",
      "{\"account_id\":\"a01\",\"access_token\":\"ya29.current\",\"expires_at\":1800000050}",
      "{\"account_id\":\"a01\",\"access_token\":\"ya29.current\",\"expires_at\":\"soon\"}",
      "{\"account_id\":\"a01\",\"access_token\":\"x\",\"refresh_token\":\"refresh-token-02\"}",
      "{\"account_id\":\"nobody\",\"refresh_token\":\"refresh-token-01\"}",
      "{\"account_id\":7,\"refresh_token\":\"refresh-token-01\"}",
      "{\"refresh_token\":\"refresh-token-01\"}",
  };
  char first[600] = "";
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    check_rejected(ask_json(bad[i]), "no account accepts it");
    if (i == 0)
      snprintf(first, sizeof(first), "%s", last.message);
    CU_ASSERT_STRING_EQUAL(last.message, first);
  }
}

static void base64_of_either_alphabet_is_taken(void)
{
  static const char json[] =
      "{\"account_id\":\"a02\",\"x\":\"\\u00ff?\?\?>>>\",\"refresh_token\":\"refresh-token-02\"}";
  AUTO_BUF struct buf url = BUF_INIT(1024);
  base64url_encode(&url, json, strlen(json));
  CU_ASSERT_PTR_NOT_NULL(ask(buf_str(&url)));
  CU_ASSERT_PTR_NOT_NULL(ask_json(json));
}

static void an_unsigned_account_passes_only_when_allowed(void)
{
  check_rejected(ask_json("{\"account_id\":\"a01\"}"), "holds no proof");
  CU_ASSERT_EQUAL(form, BEARER_UNSIGNED);
  struct bearer_policy p = policy();
  p.allow_unsigned = true;
  AUTO_BUF struct buf b = BUF_INIT(1024), c = BUF_INIT(1024), d = BUF_INIT(1024);
  base64_encode(&b, "{\"account_id\":\"a01\"}", 20);
  const Analytics__Auth__V1__Grant *g = ask_with(&p, buf_str(&b));
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_STRING_EQUAL(g->dealer_ids[0], "d01");
  CU_ASSERT_EQUAL(g->role, ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER);
  base64_encode(&c, "{\"account_id\":\"zz\"}", 19);
  CU_ASSERT_PTR_NULL(ask_with(&p, buf_str(&c)));
  /* A proof that is given must hold, even then. */
  static const char wrong[] = "{\"account_id\":\"a01\",\"refresh_token\":\"wrong\"}";
  base64_encode(&d, wrong, strlen(wrong));
  CU_ASSERT_PTR_NULL(ask_with(&p, buf_str(&d)));
}

/* --------------------------------------------------------------------- the rest */

static void garbage_is_refused(void)
{
  static const char *const bad[] = {
      "x",           "a.b.c",      "..",      "a..c", "{\"account_id\":\"a01\"}",
      "e30=",        "bnVsbA==",   "W10=",    "....", "%%%%",
      "e30.e30.e30", "Bearer abc", "\xff\xfe"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    check_rejected(ask(bad[i]), "bearer token: ");
  struct buf big = BUF_INIT(1 << 20);
  for (int i = 0; i < BEARER_MAX_BYTES + 1; i++)
    buf_putc(&big, 'A');
  check_rejected(ask(buf_str(&big)), "longer than");
  buf_free(&big);
  CU_ASSERT_PTR_NULL(ask(""));
  CU_ASSERT_STRING_EQUAL(last.reason, "missing_credentials");
  CU_ASSERT_EQUAL(form, BEARER_NONE);
}

/* Against a comparison of every claim with every dealer: random claims of role group. */
static bool should_cover(const struct claims *c, const struct dealer *d)
{
  for (size_t i = 0; i < c->dealers.n; i++)
    if (strcmp(c->dealers.items[i], d->dealer_id) == 0 ||
        strcmp(c->dealers.items[i], d->account_id) == 0)
      return true;
  for (size_t i = 0; i < c->regions.n; i++)
    if (ascii_case_equal(c->regions.items[i], d->region))
      return true;
  for (size_t i = 0; i < c->groups.n; i++)
    if (dealer_in_group(d, c->groups.items[i]))
      return true;
  return false;
}

static struct claim_list pick_some(const char **out, const char *const *from, size_t n)
{
  struct claim_list list = {out, 0};
  for (size_t k = random_below(4); k > 0; k--)
    out[list.n++] = from[random_below(n)];
  return list;
}

static void a_group_covers_exactly_what_its_claims_name_in_500_random_cases(void)
{
  static const char *const dealers[] = {"d01", "a02", "d12", "a12", "d13", "D03", "", "a01"};
  static const char *const regions[] = {"west", "EAST", "North", "South", "", "Wes"};
  static const char *const groups[] = {"group1", "GROUP2", "group9", "", "group"};
  set_up();
  size_t wrong = 0;
  for (int round = 0; round < 500; round++) {
    const char *lists[3][4];
    struct arena *a = arena_new(1 << 20);
    const struct claims c = {.subject = "s",
                             .principal_id = "p",
                             .role = ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP,
                             .dealers = pick_some(lists[0], dealers, ARRAY_LEN(dealers)),
                             .regions = pick_some(lists[1], regions, ARRAY_LEN(regions)),
                             .groups = pick_some(lists[2], groups, ARRAY_LEN(groups)),
                             .expires_at = NOW + 60};
    const Analytics__Auth__V1__Grant *g = claims_grant(&c, world->directory, NOW, a);
    size_t at = 0;
    for (size_t i = 0; i < world->directory->n_dealers; i++) {
      const struct dealer *d = &world->directory->dealers[i];
      bool covered = at < g->n_dealer_ids && strcmp(g->dealer_ids[at], d->dealer_id) == 0;
      wrong += covered != should_cover(&c, d);
      at += covered;
    }
    wrong += at != g->n_dealer_ids;
    arena_free(a);
  }
  CU_ASSERT_EQUAL(wrong, 0);
}

static void without_authentication_everybody_may_do_everything(void)
{
  set_up();
  struct bearer_policy p = policy();
  p.enabled = false;
  static const char *const any[] = {"", "whatever", "a.b.c"};
  for (size_t i = 0; i < ARRAY_LEN(any); i++) {
    const Analytics__Auth__V1__Grant *g = ask_with(&p, any[i]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    CU_ASSERT_STRING_EQUAL(g->subject, "local-development");
    CU_ASSERT_TRUE(g->all_dealers);
    CU_ASSERT_EQUAL(form, BEARER_LOCAL);
  }
}

TEST_MAIN("auth bearer", TEST(a_token_of_each_algorithm_is_accepted),
          TEST(a_token_has_one_name_whatever_its_signature),
          TEST(a_token_id_goes_into_the_grant_and_must_make_sense),
          TEST(the_algorithm_of_the_token_decides_nothing), TEST(keys_of_others_do_not_sign),
          TEST(a_changed_token_is_noticed_anywhere), TEST(issuer_audience_and_time_are_checked),
          TEST(a_token_lives_no_longer_than_is_accepted),
          TEST(the_scopes_of_a_token_go_into_its_grant), TEST(identity_claims_must_make_sense),
          TEST(roles_reach_what_they_should),
          TEST(a_group_covers_exactly_what_its_claims_name_in_500_random_cases),
          TEST(a_key_id_chooses_among_keys_of_a_jwks),
          TEST(surplus_keys_of_a_jwks_are_skipped_and_marked_ones_come_first),
          TEST(weak_keys_are_refused), TEST(a_damaged_key_among_good_ones_is_named),
          TEST(without_keys_no_signed_token_is_accepted),
          TEST(the_plans_token_needs_the_accounts_secret),
          TEST(the_plans_token_may_name_its_account_or_its_dealer),
          TEST(an_account_that_is_not_in_good_standing_is_refused),
          TEST(account_tokens_can_be_switched_off),
          TEST(a_wrong_proof_reads_the_same_as_an_unknown_account),
          TEST(base64_of_either_alphabet_is_taken),
          TEST(an_unsigned_account_passes_only_when_allowed), TEST(garbage_is_refused),
          TEST(without_authentication_everybody_may_do_everything))
