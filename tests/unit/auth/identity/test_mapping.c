/* From the claims of other issuers to grants: what each provider's tokens look like, what the rules
 * make of them, and what a token must be to get so far. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/bearer.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define NOW 1800000000
#define BASE "\"iss\":\"https://id.example\",\"aud\":\"mcp\",\"exp\":1800000600,\"sub\":\"ann\""

static struct snapshot *world; /* dealers d01 (East), d02 (North), d03 (West), ... */
static struct issuers *issuers;
static struct jwt_keys *keys;
static EVP_PKEY *ec, *rsa;
static struct arena *arena;
static struct err last;

static void use(const char *more, const char *rules)
{
  static const struct issuers_options options = {.audience = "mcp"};
  AUTO_FREE char *text = xasprintf("{\"issuers\":[{\"issuer\":\"https://id.example\",\"name\":"
                                   "\"id\",%s\"rules\":[%s]}]}",
                                   more, rules);
  struct err e = {0};
  issuers_unref(issuers);
  issuers = NULL;
  if (issuers_parse(&issuers, "i.json", text, strlen(text), &options, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(issuers);
}

static void add(EVP_PKEY *key)
{
  AUTO_FREE char *pem = maker_public_pem(key);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(keys, "KEY", pem, strlen(pem), NULL), ERR_OK);
}

static void set_up(void)
{
  if (world != NULL)
    return;
  world = world_new(12, NULL);
  ec = maker_key(JWT_ES256);
  rsa = maker_key(JWT_RS256);
  keys = jwt_keys_new();
  add(ec);
  add(rsa);
}

/* The grant of a token with these claims; NULL when it was refused, and `last` says why. */
static const Analytics__Auth__V1__Grant *ask_as(const char *header, EVP_PKEY *key,
                                                const char *claims)
{
  AUTO_FREE char *token = maker_token(header, claims, key, NULL);
  struct bearer_policy policy = {.enabled = true};
  bearer_policy_choose(&policy, issuers, NULL, token);
  policy.jwt.fetched = keys;
  Analytics__Auth__V1__Grant *g = NULL;
  enum bearer_form form;
  arena_free(arena);
  arena = arena_new(1 << 20);
  last = (struct err){0};
  enum err_code code = bearer_grant(&g, &form, &policy, world->directory, token, NOW, arena, &last);
  CU_ASSERT_EQUAL(form, BEARER_JWT);
  if (code == ERR_PERMISSION_DENIED) { /* who asked, and nothing that may be read */
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    CU_ASSERT_STRING_EQUAL(g->subject, "id:ann");
    CU_ASSERT_EQUAL(g->n_dealer_ids + g->n_benchmark_regions, 0);
    CU_ASSERT_FALSE(g->all_dealers);
  }
  return code == ERR_OK ? g : NULL;
}

static const Analytics__Auth__V1__Grant *ask(const char *claims)
{
  AUTO_FREE char *all = xasprintf("{" BASE "%s%s}", *claims != '\0' ? "," : "", claims);
  return ask_as("{\"alg\":\"ES256\"}", ec, all);
}

/* "group d01,d03", "admin", "" for none. */
static void gives(const char *claims, const char *want)
{
  static const char *const roles[] = {"?", "admin", "group", "dealer"};
  const Analytics__Auth__V1__Grant *g = ask(claims);
  AUTO_BUF struct buf got = BUF_INIT(1024);
  for (size_t i = 0; g != NULL && i <= g->n_dealer_ids; i++)
    buf_printf(&got, "%s%s",
               i == 0   ? roles[g->role]
               : i == 1 ? " "
                        : ",",
               i == 0 ? "" : g->dealer_ids[i - 1]);
  if (strcmp(buf_str(&got), want) != 0)
    printf("\n  %s\n  want \"%s\"\n  got  \"%s\" %s\n", claims, want, buf_str(&got), last.message);
  CU_ASSERT_STRING_EQUAL(buf_str(&got), want);
  CU_ASSERT_STRING_EQUAL(last.reason, *want == '\0' ? "no_mapping" : "");
}

/* --------------------------------------------------------------------------- shapes */

static void tokens_of_each_provider_are_read(void)
{
  set_up();
  use("", "{\"claim\":\"realm_access.roles\",\"contains\":\"admin\",\"role\":\"admin\"},"
          "{\"claim\":\"resource_access.'mcp.app'.roles\",\"contains\":\"dealer\",\"role\":"
          "\"dealer\",\"dealers\":[\"{claim:dealer_ids}\"]}");
  gives("\"realm_access\":{\"roles\":[\"x\",\"admin\"]}", "admin");
  gives(
      "\"resource_access\":{\"mcp.app\":{\"roles\":[\"dealer\"]}},\"dealer_ids\":[\"d03\",\"a05\"]",
      "dealer d03,d05");
  gives("\"realm_access\":{\"roles\":[\"Admin\",\"administrator\"]}", "");
  use("", "{\"claim\":\"groups\",\"any\":[\"5b1f\",\"77aa\"],\"role\":\"group\",\"regions\":"
          "[\"West\"]},{\"claim\":\"roles\",\"prefix\":\"Dealer.\",\"role\":\"dealer\","
          "\"dealers\":[\"{value}\"]}"); /* Entra */
  gives("\"groups\":[\"0000\",\"77aa\"]", "group d03,d06,d09,d12");
  gives("\"roles\":[\"Dealer.d01\",\"Dealer.\",\"Reader\",\"Dealer.d04\"]", "dealer d01,d04");
  use("", "{\"claim\":\"'https://northgate.example/dealers'\",\"role\":\"dealer\",\"dealers\":"
          "[\"{value}\"]}"); /* Auth0 */
  gives("\"https://northgate.example/dealers\":[\"d02\"]", "dealer d02");
  gives("\"https://northgate.example/dealers\":\"d02\"", "dealer d02");
  gives("\"https://northgate\":{\"example/dealers\":[\"d02\"]}", "");
  use("", "{\"claim\":\"cognito:groups\",\"contains\":\"bmw\",\"role\":\"group\",\"groups\":"
          "[\"group1\",\"{claim:custom:more}\"]}"); /* Cognito */
  gives("\"cognito:groups\":[\"bmw\"],\"custom:more\":\"GROUP2\"", "group d01,d02,d05,d06,d09,d10");
  use("", "{\"claim\":\"hd\",\"equals\":\"northgate.example\",\"and\":[{\"claim\":\"email\","
          "\"any\":[\"ann@northgate.example\"]},{\"claim\":\"email_verified\",\"equals\":true}],"
          "\"role\":\"dealer\",\"dealers\":[\"d07\"]}"); /* Google */
  gives("\"hd\":\"northgate.example\",\"email\":\"ann@northgate.example\",\"email_verified\":true",
        "dealer d07");
  gives("\"hd\":\"northgate.example\",\"email\":\"ann@northgate.example\",\"email_verified\":false",
        "");
  gives(
      "\"hd\":[\"northgate.example\"],\"email\":\"ann@northgate.example\",\"email_verified\":true",
      "");
}

/* --------------------------------------------------------------------------- merging */

static void the_first_rule_decides_the_role_and_others_of_it_add(void)
{
  set_up();
  use("", "{\"claim\":\"g\",\"contains\":\"a\",\"role\":\"dealer\",\"dealers\":[\"d01\"]},"
          "{\"claim\":\"g\",\"contains\":\"b\",\"role\":\"group\",\"regions\":[\"West\"]},"
          "{\"claim\":\"g\",\"contains\":\"c\",\"role\":\"dealer\",\"dealers\":[\"d02\",\"d01\"]},"
          "{\"claim\":\"g\",\"contains\":\"d\",\"role\":\"admin\"}");
  gives("\"g\":[\"a\",\"b\",\"c\",\"d\"]", "dealer d01,d02");
  gives("\"g\":[\"c\",\"b\"]", "group d03,d06,d09,d12");
  gives("\"g\":[\"d\"]", "admin");
  gives("\"g\":[]", "");
}

static void a_rule_without_dealers_does_not_fit(void)
{
  set_up();
  use("", "{\"claim\":\"g\",\"contains\":\"a\",\"role\":\"dealer\",\"regions\":[\"East\"],"
          "\"dealers\":[\"{claim:ids}\"]},"
          "{\"claim\":\"g\",\"role\":\"group\",\"dealers\":[\"d05\"]}");
  gives("\"g\":[\"a\"]", "group d05");
  gives("\"g\":[\"a\"],\"ids\":[]", "group d05");
  gives("\"g\":[\"a\"],\"ids\":[7,null,\"\",{\"x\":1}]", "group d05");
  gives("\"g\":[\"a\"],\"ids\":[\"d02\"]", "dealer d02");
  gives("\"g\":[\"a\"],\"ids\":[\"d99\"]", ""); /* fits, but names nobody */
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "names no dealer that is set up here"));
  CU_ASSERT_PTR_NULL(strstr(last.message, "d99"));
}

static void what_was_looked_for_is_named_and_nothing_of_token_or_dealers(void)
{
  set_up();
  use("", "{\"claim\":\"realm_access.roles\",\"contains\":\"boss\",\"role\":\"admin\"},"
          "{\"claim\":\"hd\",\"equals\":\"x\",\"role\":\"dealer\",\"dealers\":[\"d01\"]},"
          "{\"claim\":\"groups\",\"role\":\"dealer\",\"dealers\":[\"{claim:'https://x/ids'}\"]}");
  gives("\"realm_access\":{\"roles\":[\"guest-s3cret\"]},\"groups\":[\"g\"]", "");
  CU_ASSERT_STRING_EQUAL(
      last.message,
      "bearer token: no rule of the issuer id gives it access; looked for realm_access.roles (no "
      "rule for what it holds), hd (not in the token), 'https://x/ids' (not in the token)");
  gives("\"_claim_names\":{\"groups\":\"src1\"}", "");
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "(overage): use app roles"));
  gives("\"hasgroups\":true", "");
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "(overage): use app roles"));
  gives("", "");
  CU_ASSERT_PTR_NULL(strstr(last.message, "overage"));
}

static void a_list_is_bounded(void)
{
  set_up();
  use("", "{\"claim\":\"ids\",\"role\":\"dealer\",\"dealers\":[\"{value}\"]}");
  AUTO_BUF struct buf list = BUF_INIT(1 << 20);
  buf_puts(&list, "\"ids\":[");
  for (int i = 0; i < 1001; i++)
    buf_printf(&list, "%s\"%d\"", i > 0 ? "," : "", i);
  buf_puts(&list, "]");
  gives(buf_str(&list), "");
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "more than 1,000"));
}

static void a_subject_says_whose_it_is(void)
{
  set_up();
  use("", "{\"claim\":\"sub\",\"role\":\"admin\"}");
  CU_ASSERT_STRING_EQUAL(ask("")->subject, "id:ann");
  /* The issuer of AUTH_JWT_* must not be able to pose as it. */
  const struct bearer_policy own = {
      .enabled = true,
      .issuers = issuers,
      .jwt = {.keys = keys, .issuer = "https://id.example", .audience = "mcp"}};
  AUTO_FREE char *token =
      maker_token("{\"alg\":\"ES256\"}",
                  "{\"iss\":\"https://id.example\",\"aud\":\"mcp\",\"exp\":1800000600,\"sub\":"
                  "\"id:ann\",\"role\":\"admin\"}",
                  ec, NULL);
  Analytics__Auth__V1__Grant *g = NULL;
  enum bearer_form form;
  CU_ASSERT_EQUAL(bearer_grant(&g, &form, &own, world->directory, token, NOW, arena, &last),
                  ERR_UNAUTHENTICATED);
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "claim sub begins like"));
}

/* --------------------------------------------------------------------------- demands */

static bool let_in(const char *header, EVP_PKEY *key, const char *claims)
{
  return ask_as(header, key, claims) != NULL;
}

#define EC "{\"alg\":\"ES256\"}"
#define ADMIN "{\"claim\":\"sub\",\"role\":\"admin\"}"

static void a_token_must_have_what_its_issuer_demands(void)
{
  set_up();
  use("\"algorithms\":[\"ES256\"],\"typ\":\"at+jwt\",\"audiences\":[\"one\",\"two\"],"
      "\"leeway_s\":100,\"max_life_s\":3600,",
      ADMIN);
#define CLAIMS(aud, exp)                                                                           \
  "{\"iss\":\"https://id.example\",\"sub\":\"ann\",\"aud\":" aud ",\"exp\":" exp "}"
  static const char at[] = "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}";
  static const char good[] = CLAIMS("[\"x\",\"two\"]", "1800000600");
  CU_ASSERT_TRUE(let_in(at, ec, good));
  CU_ASSERT_TRUE(let_in("{\"alg\":\"ES256\",\"typ\":\"application/AT+JWT\"}", ec, good));
  CU_ASSERT_FALSE(let_in("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", ec, good));
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "typ"));
  CU_ASSERT_FALSE(let_in(EC, ec, good));
  CU_ASSERT_FALSE(let_in("{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", rsa, good));
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "no configured key has the token's algorithm"));
  CU_ASSERT_TRUE(let_in(at, ec, CLAIMS("\"one\"", "1800000600")));
  CU_ASSERT_FALSE(let_in(at, ec, CLAIMS("\"mcp\"", "1800000600"))); /* the default counts no more */
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "another audience"));
  CU_ASSERT_TRUE(let_in(at, ec, CLAIMS("\"one\"", "1799999901"))); /* 99 s ago */
  CU_ASSERT_FALSE(let_in(at, ec, CLAIMS("\"one\"", "1799999900")));
  CU_ASSERT_FALSE(let_in(at, ec, CLAIMS("\"one\"", "1800003701")));
  CU_ASSERT_PTR_NOT_NULL(strstr(last.message, "raise max_life_s of the issuer"));
}

static void scopes_limit_a_mapped_token_like_any_other(void)
{
  set_up();
  use("", ADMIN);
  const Analytics__Auth__V1__Grant *g = ask("\"scope\":\"openid analytics.read\"");
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  CU_ASSERT_TRUE(g->scoped);
  CU_ASSERT_EQUAL_FATAL(g->n_scopes, 2);
  CU_ASSERT_STRING_EQUAL(g->scopes[1], "analytics.read");
  CU_ASSERT_FALSE(ask("")->scoped);
  CU_ASSERT_PTR_NULL(ask("\"scp\":7"));
  CU_ASSERT_STRING_EQUAL(last.reason, "invalid_credentials");
}

static void an_audience_may_stand_in_another_claim(void)
{
  set_up();
  use("\"audiences\":[\"app1\"],\"audience_claim\":\"client_id\",", ADMIN);
  CU_ASSERT_TRUE(let_in(EC, ec, "{" BASE ",\"client_id\":\"app1\"}"));
  CU_ASSERT_FALSE(let_in(EC, ec, "{" BASE ",\"client_id\":\"app2\"}"));
  CU_ASSERT_FALSE(let_in(EC, ec,
                         "{\"iss\":\"https://id.example\",\"sub\":\"ann\",\"exp\":"
                         "1800000600,\"aud\":\"app1\"}"));
}

static void an_unchecked_issuer_is_only_peeked_at(void)
{
  static const char *const bad[] = {"", ".", "..", "a.b.c", "e30.W10.", "e30.e30.x"};
  char iss[32];
  set_up();
  AUTO_FREE char *token = maker_token(EC, "{" BASE "}", ec, NULL);
  jwt_peek_issuer(token, strlen(token), iss, sizeof(iss));
  CU_ASSERT_STRING_EQUAL(iss, "https://id.example");
  jwt_peek_issuer(token, strlen(token), iss, 9);
  CU_ASSERT_STRING_EQUAL(iss, "https://");
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    jwt_peek_issuer(bad[i], strlen(bad[i]), iss, sizeof(iss));
    CU_ASSERT_STRING_EQUAL(iss, "");
  }
}

TEST_MAIN("auth mapping", TEST(tokens_of_each_provider_are_read),
          TEST(the_first_rule_decides_the_role_and_others_of_it_add),
          TEST(a_rule_without_dealers_does_not_fit),
          TEST(what_was_looked_for_is_named_and_nothing_of_token_or_dealers),
          TEST(a_list_is_bounded), TEST(a_subject_says_whose_it_is),
          TEST(a_token_must_have_what_its_issuer_demands),
          TEST(scopes_limit_a_mapped_token_like_any_other),
          TEST(an_audience_may_stand_in_another_claim), TEST(an_unchecked_issuer_is_only_peeked_at))
