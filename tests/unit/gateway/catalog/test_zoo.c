/* The plugin and the rules on a .proto with every construct and option. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/catalog/catalog.h"
#include "tests/unit/gateway/catalog/golden.h"
#include "tests/unit/harness.h"
#include "zoo.pb-c.h"

/* What `visit` fills in at the root beside favourite. */
#define ROOT_DEFAULTS "\"large\":\"18446744073709551615\",\"share\":0.25"
#define LEO "{\"name\":\"Leo\",\"legs\":4,\"habitat\":\"LAND\"}"

static void free_arena(struct arena **a)
{
  arena_free(*a);
}

static void expect(const char *arguments, const char *expected)
{
  AUTO_JSON cJSON *json = cJSON_Parse(arguments);
  CU_ASSERT_PTR_NOT_NULL_FATAL(json);
  struct err e = {0};
  enum err_code code = catalog_check(catalog_find("visit"), json, &e);
  AUTO_FREE char *after = cJSON_PrintUnformatted(json);
  const char *got = code == ERR_OK ? after : e.message;
  CU_ASSERT_STRING_EQUAL(got, expected);
  if (strcmp(got, expected) != 0)
    printf("\n  %s\n  gave %s\n", arguments, got);
}

static void tools_look_as_the_golden_files_say(void)
{
  CU_ASSERT_EQUAL(catalog_tools_len, 2);
  for (size_t i = 0; i < catalog_tools_len; i++) {
    golden_check(&catalog_tools[i]);
    golden_check_schema(catalog_tools[i].input_schema);
  }
}

static void comments_become_paragraphs(void)
{
  CU_ASSERT_STRING_EQUAL(catalog_find("visit")->description,
                         "Visits a zoo. The first paragraph goes over two lines.\n\nThe second "
                         "says \"quotes\", a \\ and an umlaut: ä.\n- one point\n- another point");
}

static void defaults_are_filled_inside_what_is_present(void)
{
  expect("{}", "{" ROOT_DEFAULTS ",\"favourite\":" LEO "}");
  expect("{\"favourite\":{\"name\":\"Tom\",\"legs\":2,\"habitat\":\"WATER\",\"mother\":{\"name\":"
         "\"Eva\"}}}",
         "{\"favourite\":{\"name\":\"Tom\",\"legs\":2,\"habitat\":\"WATER\",\"mother\":{\"name\":"
         "\"Eva\",\"legs\":4,\"habitat\":\"LAND\"}}," ROOT_DEFAULTS "}");
}

static void lists_and_maps_of_messages_are_checked_inside(void)
{
  expect("{\"animals\":[{\"name\":\"Leo\"},{\"young\":{}}]}",
         "animals[1].name: required, but missing: add it");
  expect("{\"animals\":[{\"name\":\"Leo\",\"young\":{\"Kim\":{\"name\":\"Kimberley\"}}}]}",
         "animals[0].young.Kim.name: at most 5 characters, got 9");
  expect("{\"favourite\":" LEO ",\"animals\":[{\"name\":\"L\",\"legs\":1,\"habitat\":\"WATER\","
         "\"young\":{\"K\":{\"name\":\"K\"}}}]}",
         "{\"favourite\":" LEO ",\"animals\":[{\"name\":\"L\",\"legs\":1,\"habitat\":\"WATER\","
         "\"young\":{\"K\":{\"name\":\"K\",\"legs\":4,\"habitat\":\"LAND\"}}}]," ROOT_DEFAULTS "}");
}

static void hidden_fields_are_unknown(void)
{
  expect("{\"secret\":{}}", "secret: unknown field");
  expect("{\"favourite\":{\"name\":\"Leo\",\"notes\":\"x\"}}", "favourite.notes: unknown field");
}

/* A chain of mothers, the last one without its name. */
static enum err_code check_mothers(int generations)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 16);
  buf_puts(&text, "{\"favourite\":");
  for (int i = 1; i < generations; i++)
    buf_puts(&text, "{\"name\":\"M\",\"mother\":");
  buf_puts(&text, "{}");
  for (int i = 0; i < generations; i++)
    buf_putc(&text, '}');
  AUTO_JSON cJSON *json = cJSON_Parse(buf_str(&text));
  return catalog_check(catalog_find("visit"), json, NULL);
}

static void rules_hold_to_the_depth_that_the_reader_takes(void)
{
  CU_ASSERT_EQUAL(check_mothers(PBJSON_MAX_DEPTH - 1), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(check_mothers(PBJSON_MAX_DEPTH), ERR_OK);
}

static void bounds_hold_for_every_kind_of_number(void)
{
  expect("{\"number\":-3}", "number: at least -2, got -3");
  expect("{\"number\":1501}", "number: at most 1500, got 1501");
  expect("{\"share\":1.5}", "share: at most 1, got 1.5");
  expect("{\"marks\":[1,5,\"6\"]}", "marks[2]: at most 5, got 6");
  expect("{\"days\":[\"MONDAY\",\"MONDAY\",\"SUNDAY\"]}", "days: at most 2 items, got 3");
  expect("{\"days\":[]}", "days: at least 1 item, got 0");
}

static void filled_in_arguments_are_read(void)
{
  AUTO_JSON cJSON *json = cJSON_Parse("{\"bike\":true,\"shoeSize\":43.5}");
  CLEANUP(free_arena) struct arena *arena = arena_new(1 << 16);
  struct err e = {0};
  ProtobufCMessage *message = NULL;
  CU_ASSERT_EQUAL(catalog_check(catalog_find("visit"), json, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(pbjson_read(&message, catalog_find("visit")->input, json, arena, NULL, &e),
                        ERR_OK);
  const Zoo__V1__VisitRequest *request = (const Zoo__V1__VisitRequest *)message;
  CU_ASSERT_EQUAL(request->large, UINT64_MAX);
  CU_ASSERT_EQUAL(request->share, 0.25);
  CU_ASSERT_STRING_EQUAL(request->favourite->name, "Leo");
  CU_ASSERT_EQUAL(request->favourite->legs, 4);
  CU_ASSERT_EQUAL(request->way_case, ZOO__V1__VISIT_REQUEST__WAY_BIKE);
}

TEST_MAIN("catalog zoo", TEST(tools_look_as_the_golden_files_say), TEST(comments_become_paragraphs),
          TEST(defaults_are_filled_inside_what_is_present),
          TEST(lists_and_maps_of_messages_are_checked_inside), TEST(hidden_fields_are_unknown),
          TEST(rules_hold_to_the_depth_that_the_reader_takes),
          TEST(bounds_hold_for_every_kind_of_number), TEST(filled_in_arguments_are_read))
