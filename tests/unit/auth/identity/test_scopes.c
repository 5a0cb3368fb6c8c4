/* Scopes of signed tokens, as issuers write them. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/identity/scopes.h"
#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* What a token with these claims may be used for: "none" when it knows no scopes, "bad" when its
 * claims are refused, else its scopes with bars between them. */
static void expect(const char *claims, const char *wanted)
{
  AUTO_JSON cJSON *root = cJSON_Parse(claims);
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  struct arena *arena = arena_new(1024 * 1024);
  struct buf got AUTO_BUF = BUF_INIT(65536);
  CU_ASSERT_PTR_NOT_NULL_FATAL(root);
  if (!scopes_read(&grant, root, arena))
    buf_puts(&got, "bad");
  else if (!grant.scoped)
    buf_puts(&got, "none");
  else
    for (size_t i = 0; i < grant.n_scopes; i++)
      buf_printf(&got, "|%s", grant.scopes[i]);
  if (strcmp(buf_str(&got), wanted) != 0)
    printf("\n  %.80s: got %s, wanted %s\n", claims, buf_str(&got), wanted);
  CU_ASSERT_STRING_EQUAL(buf_str(&got), wanted);
  arena_free(arena);
}

static void a_token_without_the_claims_knows_no_scopes(void)
{
  expect("{}", "none");
  expect("{\"roles\":[\"admin\"],\"scopes\":\"a\"}", "none");
}

static void scopes_come_as_texts_and_as_arrays(void)
{
  expect("{\"scope\":\"a\"}", "|a");
  expect("{\"scope\":\"\"}", "");
  expect("{\"scp\":[]}", "");
  expect("{\"scp\":\" x \"}", "|x");
  expect("{\"scp\":[\"y\"]}", "|y");
}

static void both_claims_count(void)
{
  expect("{\"scope\":\"a  https://m/b\",\"scp\":[\"c\",\"d\"]}", "|a|https://m/b|c|d");
}

static void other_forms_are_refused(void)
{
  static const char *const bad[] = {"{\"scope\":7}",       "{\"scope\":null}", "{\"scp\":{}}",
                                    "{\"scp\":[\"a\",1]}", "{\"scp\":[\"\"]}", "{\"scope\":true}"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    expect(bad[i], "bad");
}

static void scopes_are_bounded(void)
{
  struct buf many AUTO_BUF = BUF_INIT(65536);
  buf_puts(&many, "{\"scope\":\"");
  for (int i = 0; i <= SCOPES_MAX; i++)
    buf_printf(&many, "s%d ", i);
  buf_puts(&many, "\"}");
  expect(buf_str(&many), "bad");
  AUTO_FREE char *text = xasprintf("{\"scope\":\"%0*d\"}", SCOPE_MAX_BYTES + 1, 0);
  expect(text, "bad");
}

TEST_MAIN("auth_identity_scopes", TEST(a_token_without_the_claims_knows_no_scopes),
          TEST(scopes_come_as_texts_and_as_arrays), TEST(both_claims_count),
          TEST(other_forms_are_refused), TEST(scopes_are_bounded))
