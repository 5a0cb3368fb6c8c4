/* The policy file: what is read, what is refused and how, whom it lets in and whom not. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/policies.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct policies *accepted(const char *text)
{
  struct policies *p = NULL;
  struct err e = {0};
  if (policies_parse(&p, "p.json", text, strlen(text), &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  return p;
}

static void refused(const char *text, const char *message)
{
  struct policies *p = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(policies_parse(&p, "p.json", text, strlen(text), &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NULL(p);
  if (strcmp(e.message, message) != 0)
    printf("\n  want %s\n  got  %s\n", message, e.message);
  CU_ASSERT_STRING_EQUAL(e.message, message);
}

#define POLICY(more) "{\"policies\":[\n{\"identity\":\"export\",\"subject\":\"s\"" more "}]}"

static void faults_are_named_with_line_field_and_identity(void)
{
  static const struct {
    const char *text, *message;
  } table[] = {
      {"[]", "p.json line 1: the file: must be an object with \"policies\" and \"revoked\""},
      {"{", "p.json: line 1, column 2: expected a name in quotes"},
      {"{\"policy\":[]}", "p.json line 1: policy: unknown key; did you mean \"policies\"?"},
      {"{\"policies\":{}}", "p.json line 1: policies: must be an array"},
      {"{\n\"policies\":[7]}", "p.json line 2: policies[0]: must be an object"},
      {"{\"policies\":[\n{\"identiy\":\"x\"}]}",
       "p.json line 2: policies[0].identiy: unknown key; did you mean \"identity\"?"},
      {"{\"policies\":[\n{\"subject\":\"x\"}]}",
       "p.json line 2: policies[0].identity: missing; must be a non-empty string"},
      {"{\"policies\":[\n{\"identity\":\"export\",\"role\":\"admin\"}]}",
       "p.json line 2: policies[0].subject (identity \"export\"): missing; must be a non-empty "
       "string"},
      {POLICY(""), "p.json line 2: policies[0].role (identity \"export\"): missing; must be a "
                   "non-empty string"},
      {POLICY(",\n\"role\":\"boss\""),
       "p.json line 3: policies[0].role (identity \"export\"): must be \"admin\", \"group\" or "
       "\"dealer\""},
      {POLICY(",\"role\":\"admin\",\"dealers\":[\"d01\"]"),
       "p.json line 2: policies[0].role (identity \"export\"): admin reads everything: take "
       "dealers, regions and groups out, or make the role group"},
      {POLICY(",\"role\":\"group\",\"dealers\":[]"),
       "p.json line 2: policies[0].role (identity \"export\"): group reads what is listed: give "
       "dealers, regions or groups"},
      {POLICY(",\"role\":\"dealer\",\"regions\":[\"West\"]"),
       "p.json line 2: policies[0].role (identity \"export\"): dealer reads its own dealers: give "
       "dealers"},
      {POLICY(",\"role\":\"dealer\",\"dealers\":[\"d01\"],\n\"groups\":[\"g\"]"),
       "p.json line 3: policies[0].groups (identity \"export\"): has no effect with the role "
       "dealer; list dealers, or make the role group"},
      {POLICY(",\"role\":\"group\",\"dealers\":[\"a\",\n\"\"]"),
       "p.json line 3: policies[0].dealers[1] (identity \"export\"): must be a string of 1 to 256 "
       "bytes"},
      {POLICY(",\"role\":\"group\",\"regions\":\"West\""),
       "p.json line 2: policies[0].regions (identity \"export\"): must be an array"},
      {POLICY(
           ",\"role\":\"admin\"},\n{\"identity\":\"Export\",\"subject\":\"t\",\"role\":\"admin\""),
       "p.json line 3: policies[1].identity (identity \"Export\"): is used by policies[0] already"},
      {"{\"revoked\":[\n{}]}", "p.json line 2: revoked[0]: must hold one of subject, token_id and "
                               "token_sha256"},
      {"{\"revoked\":[\n{\"subject\":\"a\",\"token_id\":\"b\"}]}",
       "p.json line 2: revoked[0]: must hold one of subject, token_id and token_sha256"},
      {"{\"revoked\":[{\"jti\":\"a\"}]}",
       "p.json line 1: revoked[0].jti: unknown key; known are subject, token_id, token_sha256"},
      {"{\"revoked\":[{\"token_sha256\":\"abc\"}]}",
       "p.json line 1: revoked[0].token_sha256: must be 64 hexadecimal digits, the sha256 of a "
       "bearer token as auth-svc token inspect prints it"},
      {"{\"revoked\":[{\"subject\":\"a\\nb\"}]}",
       "p.json line 1: revoked[0].subject: holds a control character, such as a tab or a line end"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++)
    refused(table[i].text, table[i].message);
}

static void a_file_that_is_not_there_is_named(void)
{
  struct policies *p = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(policies_load(&p, "/nonexistent/policies.json", &e), ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(
      e.message,
      "AUTH_POLICY_FILE: cannot open /nonexistent/policies.json: No such file or directory");
}

static void the_example_is_accepted_and_knows_the_example_dealers(void)
{
  struct policies *p = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(policies_load(&p, POLICIES_EXAMPLE, &e), ERR_OK);
  CU_ASSERT_TRUE(p->n >= 3);
  CU_ASSERT_TRUE(p->subjects.n > 0 && p->token_ids.n > 0 && p->token_hashes.n > 0);
  struct snapshot *dealers = NULL;
  CU_ASSERT_EQUAL_FATAL(snapshot_load(&dealers, DEALERS_EXAMPLE, NULL, &e), ERR_OK);
  AUTO_BUF struct buf names = BUF_INIT(1024);
  CU_ASSERT_EQUAL(policies_unknown_names(p, dealers->directory, &names), 0);
  CU_ASSERT_STRING_EQUAL(buf_str(&names), "");
  snapshot_unref(dealers);
  policies_unref(p);
}

/* -------------------------------------------------------------------- certificates */

#define THREE                                                                                      \
  "{\"policies\":["                                                                                \
  "{\"identity\":\"nightly-export\",\"subject\":\"export\",\"role\":\"group\",\"regions\":["       \
  "\"west\"],\"dealers\":[\"d01\"]},"                                                              \
  "{\"identity\":\"spiffe://corp/ns/bi/sa/board\",\"subject\":\"board\",\"role\":\"admin\"},"      \
  "{\"identity\":\"kiosk.d02\",\"subject\":\"kiosk\",\"role\":\"dealer\",\"dealers\":[\"a02\"]}]}"

struct asked {
  struct arena *arena;
  struct snapshot *world;
  struct policies *policies;
  Analytics__Auth__V1__Grant *grant;
  struct err e;
};

static enum err_code ask(struct asked *a, const char *identity)
{
  a->grant = NULL;
  a->e = (struct err){0};
  return certificate_grant(&a->grant, a->policies, identity, a->world->directory, 5000, a->arena,
                           &a->e);
}

static struct asked prepare(const char *text)
{
  return (struct asked){
      .arena = arena_new(1 << 20), .world = world_new(12, NULL), .policies = accepted(text)};
}

static void done(struct asked *a)
{
  arena_free(a->arena);
  snapshot_unref(a->world);
  policies_unref(a->policies);
}

static void a_certificate_gets_the_grant_of_its_policy(void)
{
  struct asked a = prepare(THREE);
  CU_ASSERT_EQUAL_FATAL(ask(&a, "nightly-export"), ERR_OK);
  CU_ASSERT_STRING_EQUAL(a.grant->subject, "export");
  CU_ASSERT_EQUAL(a.grant->role, ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP);
  CU_ASSERT_EQUAL(a.grant->n_dealer_ids, 5); /* d01 and the four of the west */
  CU_ASSERT_EQUAL(a.grant->expires_at, 5000 + GRANT_LIFE_S);
  CU_ASSERT_EQUAL(strlen(a.grant->principal_id), 64);
  CU_ASSERT_STRING_EQUAL(a.grant->token_id, "");
  char first[65];
  snprintf(first, sizeof(first), "%s", a.grant->principal_id);
  CU_ASSERT_EQUAL_FATAL(ask(&a, "spiffe://corp/ns/bi/sa/board"), ERR_OK);
  CU_ASSERT_TRUE(a.grant->all_dealers);
  CU_ASSERT_STRING_NOT_EQUAL(a.grant->principal_id, first);
  CU_ASSERT_EQUAL_FATAL(ask(&a, "kiosk.d02"), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(a.grant->n_dealer_ids, 1);
  CU_ASSERT_STRING_EQUAL(a.grant->dealer_ids[0], "d02");
  CU_ASSERT_EQUAL(a.grant->n_benchmark_regions, 1);
  done(&a);
}

static void an_identity_is_compared_byte_for_byte(void)
{
  static const char *const others[] = {"Nightly-Export", "nightly-expor",     "nightly-export ",
                                       "nightly",        "spiffe://corp/ns/", "export"};
  struct asked a = prepare(THREE);
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    CU_ASSERT_EQUAL(ask(&a, others[i]), ERR_UNAUTHENTICATED);
    CU_ASSERT_STRING_EQUAL(a.e.reason, "invalid_credentials");
    CU_ASSERT_PTR_NOT_NULL(strstr(a.e.message, "AUTH_POLICY_FILE"));
    CU_ASSERT_PTR_NOT_NULL(strstr(a.e.message, others[i]));
    CU_ASSERT_PTR_NULL(a.grant);
  }
  CU_ASSERT_EQUAL(ask(&a, ""), ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(a.e.reason, "missing_credentials");
  CU_ASSERT_PTR_NOT_NULL(strstr(a.e.message, "AUTH_POLICY_FILE"));
  done(&a);
}

static void without_policies_nobody_gets_in_by_certificate(void)
{
  struct asked a = prepare("{}");
  CU_ASSERT_EQUAL(ask(&a, "nightly-export"), ERR_UNAUTHENTICATED);
  done(&a);
}

/* ---------------------------------------------------------------------- revocations */

static bool is_revoked(const struct policies *p, const char *subject, const char *id,
                       const char *hash)
{
  struct err e = {0};
  enum err_code code = policies_check_revoked(p, subject, id, hash, &e);
  CU_ASSERT_TRUE(code == ERR_OK || strcmp(e.reason, "revoked") == 0);
  return code == ERR_UNAUTHENTICATED;
}

static void revoked_is_what_is_listed_and_nothing_else(void)
{
  struct policies *p = accepted("{\"revoked\":[{\"subject\":\"zoe\"},{\"subject\":\"ann\"},"
                                "{\"token_id\":\"t-1\"},{\"subject\":\"mia\"},{\"token_sha256\":\""
                                "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"
                                "\"}]}");
  CU_ASSERT_TRUE(is_revoked(p, "ann", "", ""));
  CU_ASSERT_TRUE(is_revoked(p, "mia", "", ""));
  CU_ASSERT_TRUE(is_revoked(p, "zoe", "", ""));
  CU_ASSERT_TRUE(is_revoked(p, "bob", "t-1", ""));
  CU_ASSERT_TRUE(is_revoked(p, "bob", "t-2", HASH)); /* written in any case */
  CU_ASSERT_FALSE(is_revoked(p, "bob", "t-2", ""));
  CU_ASSERT_FALSE(is_revoked(p, "t-1", "ann", "zoe")); /* each list is its own */
  CU_ASSERT_FALSE(is_revoked(p, "Ann", "T-1", ""));
  CU_ASSERT_FALSE(is_revoked(p, "", "", ""));
  policies_unref(p);
}

static void thousands_of_revocations_are_found(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  buf_puts(&text, "{\"revoked\":[");
  for (int i = 0; i < 5000; i++)
    buf_printf(&text, "%s{\"token_id\":\"id-%d\"}", i > 0 ? "," : "", i * 7919 % 5000);
  buf_puts(&text, "]}");
  struct policies *p = accepted(buf_str(&text));
  size_t found = 0;
  for (int i = 0; i < 6000; i++) {
    char id[16];
    snprintf(id, sizeof(id), "id-%d", i);
    found += is_revoked(p, "s", id, "");
  }
  CU_ASSERT_EQUAL(found, 5000);
  policies_unref(p);
}

/* --------------------------------------------------------------------- unknown names */

static void names_that_no_dealer_has_are_told_and_refuse_nothing(void)
{
  struct snapshot *world = world_new(12, NULL);
  struct policies *p =
      accepted("{\"policies\":[{\"identity\":\"a\",\"subject\":\"a\",\"role\":\"group\","
               "\"dealers\":[\"d01\",\"a02\",\"d99\"],\"regions\":[\"WEST\",\"Wets\"],"
               "\"groups\":[\"Group1\",\"none\"]},{\"identity\":\"b\",\"subject\":\"b\",\"role\":"
               "\"dealer\",\"dealers\":[\"d01\"],\"regions\":[\"east\",\"no-cohort\"]}]}");
  AUTO_BUF struct buf names = BUF_INIT(1024);
  CU_ASSERT_EQUAL(policies_unknown_names(p, world->directory, &names), 4);
  CU_ASSERT_STRING_EQUAL(buf_str(&names),
                         "policies[0].dealers \"d99\", policies[0].regions \"Wets\", "
                         "policies[0].groups \"none\", policies[1].regions \"no-cohort\"");
  policies_unref(p);
  p = accepted("{\"policies\":[{\"identity\":\"a\",\"subject\":\"a\",\"role\":\"group\","
               "\"dealers\":[\"x1\",\"x2\",\"x3\",\"x4\",\"x5\",\"x6\",\"x7\"]}]}");
  buf_clear(&names);
  CU_ASSERT_EQUAL(policies_unknown_names(p, world->directory, &names), 7);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&names), "\"x5\" and 2 more"));
  policies_unref(p);
  snapshot_unref(world);
}

TEST_MAIN("auth policies", TEST(faults_are_named_with_line_field_and_identity),
          TEST(a_file_that_is_not_there_is_named),
          TEST(the_example_is_accepted_and_knows_the_example_dealers),
          TEST(a_certificate_gets_the_grant_of_its_policy),
          TEST(an_identity_is_compared_byte_for_byte),
          TEST(without_policies_nobody_gets_in_by_certificate),
          TEST(revoked_is_what_is_listed_and_nothing_else),
          TEST(thousands_of_revocations_are_found),
          TEST(names_that_no_dealer_has_are_told_and_refuse_nothing))
