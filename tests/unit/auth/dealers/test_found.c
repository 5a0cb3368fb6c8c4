/* Which properties are a dealer's out of those that its login can read. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/found.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define OAUTH(n)                                                                                   \
  "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":\"r" n "\"}"

/* d1 has account 100 and names no property, d2 has 5 and 6. */
static struct snapshot *world(void)
{
  return world_parse("[{\"dealer_id\":\"d1\",\"account_id\":\"100\",\"name\":\"N\",\"region\":"
                     "\"W\"," OAUTH("1") "},{\"dealer_id\":\"d2\",\"name\":\"M\",\"region\":\"W\","
                                         "\"properties\":[\"5\",\"6\"]," OAUTH("2") "}]");
}

/* What is found of `seen`, as "7 8 9"; or the reason of the error. */
static const char *found(const struct found_property *seen, size_t n)
{
  static char out[64];
  struct found_property all[8];
  struct snapshot *s = world();
  struct err e = {0};
  memcpy(all, seen, n * sizeof(*seen));
  out[0] = '\0';
  if (found_own(all, &n, s->directory, directory_by_id(s->directory, "d1"), &e) != ERR_OK) {
    CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
    snprintf(out, sizeof(out), "%s", e.reason);
    n = 0;
  }
  for (size_t i = 0; i < n; i++)
    snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i > 0 ? " " : "",
             all[i].property_id);
  snapshot_unref(s);
  return out;
}
#define FOUND(expected, ...)                                                                       \
  do {                                                                                             \
    const struct found_property list[] = {__VA_ARGS__};                                            \
    CU_ASSERT_STRING_EQUAL(found(list, ARRAY_LEN(list)), expected);                                \
  } while (0)

static void the_only_one_is_the_dealers(void)
{
  FOUND("7", {"7", "Site", "1", true});
}

static void the_default_is_the_ordinary_one_with_the_lowest_id(void)
{
  FOUND("9 10 8", {"10", "", "1", true}, {"8", "", "1", false}, {"9", "", "1", true});
}

static void those_of_other_dealers_are_never_the_dealers(void)
{
  FOUND("7", {"5", "", "1", true}, {"7", "", "1", true}, {"6", "", "2", true});
  FOUND("no_property", {"5", "", "1", true}, {"6", "", "2", true});
  FOUND("no_property", {"5", "", "100", true}); /* not even in the dealer's own account */
}

static void the_account_of_the_dealers_account_id_has_its_properties(void)
{
  FOUND("8 9", {"7", "", "1", true}, {"9", "", "100", true}, {"8", "", "100", true});
  FOUND("7 9", {"7", "", "1", true}, {"9", "", "1000", true}); /* there is no account 100 */
}

static void none_and_too_many_are_said(void)
{
  struct found_property many[DIRECTORY_MAX_PROPERTIES + 1];
  char ids[DIRECTORY_MAX_PROPERTIES + 1][8];
  struct snapshot *s = world();
  struct err e = {0};
  size_t n = 0;
  const struct dealer *d = directory_by_id(s->directory, "d1");
  CU_ASSERT_EQUAL(found_own(many, &n, s->directory, d, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "no_property");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "can read none: give the login Viewer access"));
  for (n = 0; n < ARRAY_LEN(many); n++) {
    snprintf(ids[n], sizeof(ids[n]), "%zu", 1000 + n);
    many[n] = (struct found_property){ids[n], "", "1", true};
  }
  CU_ASSERT_EQUAL(found_own(many, &n, s->directory, d, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "too_many_properties");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "can read 51: more than 50"));
  n = ARRAY_LEN(many) - 1;
  CU_ASSERT_EQUAL(found_own(many, &n, s->directory, d, &e), ERR_OK);
  CU_ASSERT_EQUAL(n, DIRECTORY_MAX_PROPERTIES);
  snapshot_unref(s);
}

TEST_MAIN("auth properties found", TEST(the_only_one_is_the_dealers),
          TEST(the_default_is_the_ordinary_one_with_the_lowest_id),
          TEST(those_of_other_dealers_are_never_the_dealers),
          TEST(the_account_of_the_dealers_account_id_has_its_properties),
          TEST(none_and_too_many_are_said))
