/* The file of issuers: what is refused and how, all of it in one run; and where an issuer's keys
 * are found. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/discovery.h"
#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/jwt.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define RULES "\"rules\":[{\"claim\":\"role\",\"role\":\"admin\"}]"
#define ISSUER(more)                                                                               \
  "{\"issuers\":[\n{\"issuer\":\"https://id.example\",\"name\":\"id\"," more "}]}"
#define RULE(more) ISSUER("\"rules\":[\n{" more "}]")

static const struct issuers_options given = {.audience = "https://mcp.example/mcp",
                                             .own_issuer = "https://own.example"};

static struct issuers *accepted(const char *text)
{
  struct issuers *i = NULL;
  struct err e = {0};
  if (issuers_parse(&i, "i.json", text, strlen(text), &given, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(i);
  return i;
}

static void faults_are_named_with_line_and_field(void)
{
  static const struct {
    const char *text, *message;
  } table[] = {
      {"[]", "i.json line 1: the file: must be an object with \"issuers\""},
      {"{", "i.json: line 1, column 2: expected a name in quotes"},
      {"{\"issuer\":[]}", "i.json line 1: issuer: unknown key; did you mean \"issuers\"?"},
      {ISSUER("\n\"rules\":[]"),
       "i.json line 3: issuers[0].rules: must hold at least one rule: without one, nobody gets in"},
      {ISSUER("\"audiences\":[]," RULES),
       "i.json line 2: issuers[0].audiences: must name at least one, or be left out"},
      {ISSUER("\"algorithms\":[\n\"HS256\"]," RULES),
       "i.json line 3: issuers[0].algorithms[0]: must be RS256, ES256 or EdDSA; secrets for HS256 "
       "are set by AUTH_JWT_HS256_SECRET"},
      {ISSUER("\"jwks_uri\":\"http://keys.example\"," RULES),
       "i.json line 2: issuers[0].jwks_uri: must be an https URL of at most 1024 bytes (http only "
       "to a loopback address)"},
      {"{\"issuers\":[{\"issuer\":\"https://own.example\",\"name\":\"own\"," RULES "}]}",
       "i.json line 1: issuers[0].issuer: is AUTH_JWT_ISSUER already; set it here or there"},
      {"{\"issuers\":[{\"issuer\":\"https://a.example\",\"name\":\"a\"," RULES
       "},\n{\"issuer\":\"https://a.example\",\"name\":\"b\"," RULES "}]}",
       "i.json line 2: issuers[1].issuer: is used by issuers[0] already"},
      {"{\"issuers\":[{\"issuer\":\"https://a.example\",\"name\":\"a\"," RULES
       "},\n{\"issuer\":\"https://b.example\",\"name\":\"a\"," RULES "}]}",
       "i.json line 2: issuers[1].name: is used by issuers[0] already"},
      {RULE("\"claim\":\"https://northgate.example/role\",\"role\":\"admin\""),
       "i.json line 3: issuers[0].rules[0].claim: steps must be separated by dots; quote one with "
       "dots, slashes or blanks: 'https://example.com/dealers'"},
      {RULE("\"claim\":\"a\",\"equals\":\"x\",\"any\":[\"y\"],\"role\":\"admin\""),
       "i.json line 3: issuers[0].rules[0].any: cannot be combined with equals; give one of equals, "
       "contains, any and prefix, and further tests in \"and\""},
      {RULE("\"claim\":\"a\",\"role\":\"dealer\""),
       "i.json line 3: issuers[0].rules[0].role: dealer reads its own dealers: give dealers"},
      {RULE("\"claim\":\"a\",\"role\":\"dealer\",\"dealers\":[\"d-{value}\"]"),
       "i.json line 3: issuers[0].rules[0].dealers[0]: must be a name, {value} or {claim:PATH}, "
       "with nothing around it"},
      {RULE("\"claim\":\"a\",\"equals\":true,\"role\":\"dealer\",\"dealers\":[\"{value}\"]"),
       "i.json line 3: issuers[0].rules[0].dealers[0]: a truth value is not a name; use "
       "{claim:...}"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct issuers *out = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(issuers_parse(&out, "i.json", table[i].text, strlen(table[i].text), &given, &e),
                    ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(out);
    if (strcmp(e.message, table[i].message) != 0)
      printf("\n  want %s\n  got  %s\n", table[i].message, e.message);
    CU_ASSERT_STRING_EQUAL(e.message, table[i].message);
  }
}

static void note(void *user, const struct issuers_fault *f)
{
  buf_printf(user, "%zu %s\n", f->line, f->field);
}

static void every_fault_of_a_file_is_reported_in_one_run(void)
{
  static const char text[] = "{\"issuers\":[\n"
                             "{\"issuer\":\"http://a.example\",\"name\":\"A\",\n"
                             "\"leeway_s\":0,\n"
                             "\"rules\":[{\"claim\":\"\",\"role\":\"boss\"},\n"
                             "{\"claim\":\"a\",\"role\":\"group\",\n"
                             "\"groups\":[1,\"{x}\",\"good\"]}]},\n"
                             "7]}";
  AUTO_BUF struct buf seen = BUF_INIT(4096);
  struct issuers_options options = given;
  struct issuers *out = NULL;
  struct err e = {0};
  options.on_fault = note;
  options.user = &seen;
  CU_ASSERT_EQUAL(issuers_parse(&out, "i.json", text, strlen(text), &options, &e),
                  ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(buf_str(&seen), "2 issuers[0].issuer\n"
                                         "2 issuers[0].name\n"
                                         "3 issuers[0].leeway_s\n"
                                         "4 issuers[0].rules[0].claim\n"
                                         "4 issuers[0].rules[0].role\n"
                                         "6 issuers[0].rules[1].groups[0]\n"
                                         "6 issuers[0].rules[1].groups[0]\n"
                                         "7 issuers[1]\n");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "i.json line 2: issuers[0].issuer: "));
}

static void what_is_left_out_has_its_default(void)
{
  struct issuers *i = accepted(ISSUER(RULES));
  CU_ASSERT_EQUAL_FATAL(i->n, 1);
  CU_ASSERT_EQUAL_FATAL(i->items[0].audiences.n, 1);
  CU_ASSERT_STRING_EQUAL(i->items[0].audiences.items[0], "https://mcp.example/mcp");
  CU_ASSERT_EQUAL(i->items[0].algorithms, 1U << JWT_RS256 | 1U << JWT_ES256 | 1U << JWT_EDDSA);
  CU_ASSERT_PTR_NULL(i->items[0].jwks_uri);
  CU_ASSERT_PTR_NULL(i->items[0].typ);
  issuers_unref(i);
}

static void without_a_resource_url_audiences_must_be_named(void)
{
  static const struct issuers_options nothing = {0};
  static const char text[] = ISSUER(RULES);
  struct issuers *out = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(issuers_parse(&out, "i.json", text, strlen(text), &nothing, &e),
                  ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "set ANALYTICS_MCP_RESOURCE_URL"));
}

static void an_issuer_is_found_letter_for_letter(void)
{
  static const char *const others[] = {"", "https://id.example/", "https://ID.example",
                                       "https://id.exampl", "http://id.example"};
  struct issuers *i = accepted(ISSUER(RULES));
  CU_ASSERT_PTR_EQUAL(issuers_find(i, "https://id.example"), &i->items[0]);
  for (size_t k = 0; k < ARRAY_LEN(others); k++)
    CU_ASSERT_PTR_NULL(issuers_find(i, others[k]));
  CU_ASSERT_TRUE(issuers_own_subject(i, "id:ann"));
  CU_ASSERT_FALSE(issuers_own_subject(i, "id"));
  CU_ASSERT_FALSE(issuers_own_subject(i, "idx:ann"));
  issuers_unref(i);
}

static void the_example_is_accepted(void)
{
  struct issuers *i = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(issuers_load(&i, ISSUERS_EXAMPLE, &given, &e), ERR_OK);
  CU_ASSERT_EQUAL(i->n, 2);
  CU_ASSERT_EQUAL(i->items[0].mapping.n, 3);
  issuers_unref(i);
}

static void a_file_that_is_not_there_is_named(void)
{
  struct issuers *i = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(issuers_load(&i, "/nonexistent/i.json", &given, &e), ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(
      e.message, "AUTH_ISSUERS_FILE: cannot open /nonexistent/i.json: No such file or directory");
}

static void names_in_rules_that_no_dealer_has_are_reported(void)
{
  struct snapshot *world = world_new(12, NULL);
  struct issuers *i =
      accepted(RULE("\"claim\":\"a\",\"role\":\"group\",\"dealers\":[\"d01\",\"d99\",\"{value}\"],"
                    "\"regions\":[\"West\",\"Wets\"],\"groups\":[\"{claim:g}\",\"none\"]"));
  AUTO_BUF struct buf names = BUF_INIT(1024);
  CU_ASSERT_EQUAL(issuers_unknown_names(i, world->directory, &names), 3);
  CU_ASSERT_STRING_EQUAL(buf_str(&names), "issuers[0].rules[0].dealers \"d99\", "
                                          "issuers[0].rules[0].regions \"Wets\", "
                                          "issuers[0].rules[0].groups \"none\"");
  issuers_unref(i);
  snapshot_unref(world);
}

/* ------------------------------------------------------------------------ discovery */

static void metadata_is_where_the_standards_say(void)
{
  static const struct {
    const char *issuer, *oidc, *oauth;
  } table[] = {
      {"https://id.example", "https://id.example/.well-known/openid-configuration",
       "https://id.example/.well-known/oauth-authorization-server"},
      {"https://id.example/", "https://id.example/.well-known/openid-configuration",
       "https://id.example/.well-known/oauth-authorization-server"},
      {"https://id.example:8443/realms/a", /* OpenID Connect Discovery 4.1, RFC 8414 3.1 */
       "https://id.example:8443/realms/a/.well-known/openid-configuration",
       "https://id.example:8443/.well-known/oauth-authorization-server/realms/a"},
      {"http://[::1]:80/a/", "http://[::1]:80/a/.well-known/openid-configuration",
       "http://[::1]:80/.well-known/oauth-authorization-server/a"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_BUF struct buf oidc = BUF_INIT(1024), oauth = BUF_INIT(1024);
    discovery_put_url(&oidc, table[i].issuer, false);
    discovery_put_url(&oauth, table[i].issuer, true);
    CU_ASSERT_STRING_EQUAL(buf_str(&oidc), table[i].oidc);
    CU_ASSERT_STRING_EQUAL(buf_str(&oauth), table[i].oauth);
  }
}

static void metadata_of_another_issuer_or_without_a_safe_address_is_refused(void)
{
  static const struct {
    const char *metadata, *why; /* why NULL: good */
  } table[] = {
      {"{\"issuer\":\"https://id.example\",\"jwks_uri\":\"https://k.example/k\"}", NULL},
      {"{\"issuer\":\"https://id.example/\",\"jwks_uri\":\"https://k.example/k\"}", "another"},
      {"{\"issuer\":\"https://evil.example\",\"jwks_uri\":\"https://k.example/k\"}", "another"},
      {"{\"jwks_uri\":\"https://k.example/k\"}", "another"},
      {"{\"issuer\":\"https://id.example\"}", "no jwks_uri"},
      {"{\"issuer\":\"https://id.example\",\"jwks_uri\":\"http://k.example/k\"}", "no jwks_uri"},
      {"{\"issuer\":\"https://id.example\",\"jwks_uri\":\"file:///etc/passwd\"}", "no jwks_uri"},
      {"{\"issuer\":\"https://id.example\",\"jwks_uri\":7}", "no jwks_uri"},
      {"[]", "not a JSON object"},
      {"<html>", "not a JSON object"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_BUF struct buf uri = BUF_INIT(1024);
    struct err e = {0};
    const char *text = table[i].metadata;
    enum err_code code = discovery_read(&uri, "https://id.example", text, strlen(text), &e);
    CU_ASSERT_EQUAL(code == ERR_OK, table[i].why == NULL);
    CU_ASSERT_STRING_EQUAL(buf_str(&uri), table[i].why == NULL ? "https://k.example/k" : "");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, table[i].why != NULL ? table[i].why : ""));
  }
}

TEST_MAIN("auth issuers", TEST(faults_are_named_with_line_and_field),
          TEST(every_fault_of_a_file_is_reported_in_one_run),
          TEST(what_is_left_out_has_its_default),
          TEST(without_a_resource_url_audiences_must_be_named),
          TEST(an_issuer_is_found_letter_for_letter), TEST(the_example_is_accepted),
          TEST(a_file_that_is_not_there_is_named),
          TEST(names_in_rules_that_no_dealer_has_are_reported),
          TEST(metadata_is_where_the_standards_say),
          TEST(metadata_of_another_issuer_or_without_a_safe_address_is_refused))
