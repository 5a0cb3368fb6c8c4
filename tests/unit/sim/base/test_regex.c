/* RE2 patterns on POSIX regcomp, through SQL as reports use them. */
#include <sqlite3.h>

#include "ga4-sim/base/regex.h"
#include "tests/unit/harness.h"

static int match(const char *pattern, int whole, int sensitive, const char *value)
{
  sqlite3 *db;
  sqlite3_stmt *s;
  int result = -1;
  sqlite3_open(":memory:", &db);
  regex_register(db);
  sqlite3_prepare_v2(db, "SELECT regex_match(?1,?2,?3,?4)", -1, &s, NULL);
  sqlite3_bind_text(s, 1, pattern, -1, SQLITE_STATIC);
  sqlite3_bind_int(s, 2, whole);
  sqlite3_bind_int(s, 3, sensitive);
  sqlite3_bind_text(s, 4, value, -1, SQLITE_STATIC);
  if (sqlite3_step(s) == SQLITE_ROW)
    result = sqlite3_column_int(s, 0);
  sqlite3_finalize(s);
  sqlite3_close(db);
  return result;
}

static void a_full_match_spans_the_value_and_a_partial_one_does_not(void)
{
  CU_ASSERT_EQUAL(match("asc_.*", 1, 1, "asc_pageview"), 1);
  CU_ASSERT_EQUAL(match("asc", 1, 1, "asc_pageview"), 0);
  CU_ASSERT_EQUAL(match("asc", 0, 1, "asc_pageview"), 1);
  CU_ASSERT_EQUAL(match("a|b", 1, 1, "ab"), 0); /* ^(a|b)$, not ^a|b$ */
}

static void case_matters_only_when_asked(void)
{
  CU_ASSERT_EQUAL(match("RAV4", 1, 0, "rav4"), 1);
  CU_ASSERT_EQUAL(match("RAV4", 1, 1, "rav4"), 0);
  CU_ASSERT_EQUAL(match("(?i)RAV4", 1, 1, "rav4"), 1);
}

static void re2_syntax_is_understood(void)
{
  CU_ASSERT_EQUAL(match("/inventory/(?:new|used)-\\d{4}-.+?-[\\w]{17}/", 1, 1,
                        "/inventory/new-2026-toyota-rav4-abcdefgh123456789/"),
                  1);
  CU_ASSERT_EQUAL(match("[^\\d]+", 1, 1, "abc"), 1);
  CU_ASSERT_EQUAL(match("[^\\d]+", 1, 1, "ab1"), 0);
  CU_ASSERT_EQUAL(match("[a\\-z\\].]+", 1, 1, "a-z]."), 1);
  CU_ASSERT_EQUAL(match("[a\\-z]", 1, 1, "m"), 0);
  CU_ASSERT_EQUAL(match("[a-z]", 1, 1, "m"), 1);
  CU_ASSERT_EQUAL(match("a\\.b", 1, 1, "axb"), 0);
  CU_ASSERT_EQUAL(match("\\Aab\\z", 0, 1, "ab"), 1);
  CU_ASSERT_EQUAL(match("(?P<year>\\d+)", 1, 1, "2026"), 1);
  CU_ASSERT_EQUAL(match("\\bnew\\b", 0, 1, "a new car"), 1);
  CU_ASSERT_EQUAL(match("\\/used\\/", 0, 1, "/used/x"), 1);
}

static void what_re2_lacks_is_refused_with_a_reason(void)
{
  static const char *const bad[] = {"(?=a)", "(?<!a)", "(a)\\1", "[a", "(", "a\\", "\\Q"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct err e = {0};
    CU_ASSERT_EQUAL(regex_check(bad[i], &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_TRUE(e.message[0] != '\0');
  }
}

TEST_MAIN("sim_regex", TEST(a_full_match_spans_the_value_and_a_partial_one_does_not),
          TEST(case_matters_only_when_asked), TEST(re2_syntax_is_understood),
          TEST(what_re2_lacks_is_refused_with_a_reason))
