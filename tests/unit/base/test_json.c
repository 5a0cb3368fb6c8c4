/* Checked JSON parsing. */
#include "common/base/json.h"

#include <string.h>

#include "common/base/backoff.h"
#include "common/base/json_check.h"
#include "tests/unit/harness.h"

static enum err_code parse(const char *text, struct err *e)
{
  cJSON *tree AUTO_JSON = NULL;
  return json_parse(&tree, text, strlen(text), NULL, e);
}

static void what_cjson_lets_through_is_refused(void)
{
  static const char *const bad[] = {
      "{\"a\":\"x\\u0000y\"}",
      "\"\xff\"",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\\ud800\\u0041\"",
      "{\"a\":1} x",
      "{\"a\":1,\"a\":2}",
      "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
      "01",
      "1.",
      "-",
      "1e",
      "[1,]",
      "{,}",
      "{\"a\" 1}",
      "'a'",
      "nul",
      "\"a\nb\"",
      "",
      " ",
      "\"abc",
      "[1 2]",
      "\"\\x\"",
      "1e309",
      "[-1e3123456]",
      "0.1234567890123456789012345678901234567890123456789012345678901234",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct err e = {0};
    CU_ASSERT_EQUAL(parse(bad[i], &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_TRUE(e.message[0] != '\0');
  }
}

static void well_formed_text_is_accepted(void)
{
  static const char *const good[] = {
      "null",
      " [ ] ",
      "{}",
      "-0.5e+3",
      "\"\\ud83d\\ude00 é\"",
      "{\"a\":[1,2,{\"b\":null}],\"A\":true}",
      "0",
      "1.7976931348623157e308",
      "1e-999",
      "123456789012345678901234567890123456789012345678901234567890123",
      "\"\""};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    CU_ASSERT_EQUAL(parse(good[i], NULL), ERR_OK);
}

static void errors_tell_line_and_column(void)
{
  struct err e = {0};
  parse("{\n  \"a\": 1,\n  \"b\" 2\n}", &e);
  CU_ASSERT_STRING_EQUAL(e.message, "line 3, column 7: expected ':'");
}

static void a_repeated_name_is_found_with_its_line(void)
{
  struct err e = {0};
  parse("{\"dealers\": [{}, {\"oauth\": {\"a\": 1}},\n {\"oauth\": {\"a\": {},\n \"a\": 2}}]}", &e);
  CU_ASSERT_STRING_EQUAL(e.message, "line 3, column 7: name \"a\" occurs twice in one object");
  parse("{\"a\": 1, \"\\u0061\": 2}", &e);
  CU_ASSERT_STRING_EQUAL(e.message, "name \"a\" occurs twice in one object");
}

static void depth_and_size_are_bounded(void)
{
  char deep[200001];
  memset(deep, '[', 100000);
  memset(deep + 100000, ']', 100000);
  deep[200000] = '\0';
  struct err e = {0};
  CU_ASSERT_EQUAL(parse(deep, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "nested too deep"));
  cJSON *tree AUTO_JSON = NULL;
  struct json_limits small = {.max_bytes = 4};
  CU_ASSERT_EQUAL(json_parse(&tree, "[1,2]", 5, &small, &e), ERR_INVALID_ARGUMENT);
}

static void a_path_is_found_with_its_line(void)
{
  const char *text = "{\"dealers\": [\n"
                     "  {\"id\": \"d01\", \"oauth\": {\"client_id\": \"x\"}},\n"
                     "  {\"id\": \"d02\",\n"
                     "   \"oauth\": {\"other\": [1, {}, \"}\"],\n"
                     "     \"client_id\": 7}}\n"
                     "]}";
  size_t n = strlen(text);
  CU_ASSERT_EQUAL(json_line_of(text, n, "dealers[0].oauth.client_id"), 2);
  CU_ASSERT_EQUAL(json_line_of(text, n, "dealers[1].oauth.client_id"), 5);
  CU_ASSERT_EQUAL(json_line_of(text, n, "dealers[1].oauth.other[2]"), 4);
  CU_ASSERT_EQUAL(json_line_of(text, n, "dealers[2]"), 0);
  CU_ASSERT_EQUAL(json_line_of(text, n, "dealers.id"), 0);
  CU_ASSERT_EQUAL(json_line_of(text, n, ""), 1);
}

static void mutated_text_never_crashes_and_agrees_with_cjson(void)
{
  const char *seed = "{\"a\":[1,2.5e3,\"x\\u00e9\\n\",null,true],\"b\":{\"c\":\"é\",\"d\":[]}}";
  size_t n = strlen(seed);
  int accepted = 0;
  for (int round = 0; round < 20000; round++) {
    char text[128];
    memcpy(text, seed, n + 1);
    for (uint64_t k = 0; k <= random_below(3); k++)
      text[random_below(n)] = (char)random_below(256);
    cJSON *tree AUTO_JSON = NULL;
    if (json_parse(&tree, text, n, NULL, NULL) == ERR_OK) {
      CU_ASSERT_PTR_NOT_NULL(tree);
      accepted++;
    }
    size_t ignored = json_offset_of(text, n, "b.d[0]");
    (void)ignored;
  }
  CU_ASSERT_TRUE(accepted > 100);
}

TEST_MAIN("base/json", TEST(what_cjson_lets_through_is_refused), TEST(well_formed_text_is_accepted),
          TEST(errors_tell_line_and_column), TEST(a_repeated_name_is_found_with_its_line),
          TEST(depth_and_size_are_bounded), TEST(a_path_is_found_with_its_line),
          TEST(mutated_text_never_crashes_and_agrees_with_cjson))
