/* Arguments of the real tools against the rules of the .proto options. */
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/catalog/catalog.h"
#include "tests/unit/harness.h"

/* Checks arguments; the result is the text of the error, or the arguments afterwards. */
static void expect(const char *tool, const char *arguments, const char *expected)
{
  AUTO_JSON cJSON *json = cJSON_Parse(arguments);
  CU_ASSERT_PTR_NOT_NULL_FATAL(json);
  struct err e = {0};
  enum err_code code = catalog_check(catalog_find(tool), json, &e);
  AUTO_FREE char *after = cJSON_PrintUnformatted(json);
  const char *got = code == ERR_OK ? after : e.message;
  CU_ASSERT_TRUE(code == ERR_OK || code == ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(got, expected);
  if (strcmp(got, expected) != 0)
    printf("\n  %s\n  gave %s\n", arguments, got);
}

static void rules_of_a_message_are_all_rules_that_name_it(void)
{
  for (size_t i = 0; i < catalog_rules_len; i++) {
    size_t n, expected = 0;
    const struct catalog_rule *rules = catalog_rules_of(catalog_rules[i].message, &n);
    for (size_t k = 0; k < catalog_rules_len; k++)
      expected += catalog_rules[k].message == catalog_rules[i].message;
    CU_ASSERT_EQUAL_FATAL(n, expected);
    for (size_t k = 0; k < n; k++)
      CU_ASSERT_PTR_EQUAL(rules[k].message, catalog_rules[i].message);
    CU_ASSERT_PTR_EQUAL(catalog_rule_of(catalog_rules[i].message, catalog_rules[i].field),
                        &catalog_rules[i]);
  }
  size_t n = 1;
  CU_ASSERT_PTR_NULL(catalog_rules_of(NULL, &n));
  CU_ASSERT_EQUAL(n, 0);
}

static void defaults_are_filled_in(void)
{
  expect("list_dealers", "{}", "{\"limit\":100,\"offset\":0}");
  expect("list_dealers", "{\"limit\":null,\"offset\":7}", "{\"offset\":7,\"limit\":100}");
  expect("compare_dealer_sessions", "{}", "{}"); /* its default is for the service to find */
  expect("run_report_across_dealers", "{\"metrics\":[\"sessions\"]}",
         "{\"metrics\":[\"sessions\"],\"limit_per_dealer\":25,\"pooled_limit\":100}");
  expect("run_report", "{\"metrics\":[\"sessions\"]}",
         "{\"metrics\":[\"sessions\"],\"limit\":100,\"offset\":0,\"return_property_quota\":false}");
}

static void given_values_are_kept_in_either_case(void)
{
  expect("run_report",
         "{\"dateRanges\":[{\"startDate\":\"2026-01-01\",\"endDate\":\"2026-01-31\"}],\"limit\":5,"
         "\"offset\":5,\"returnPropertyQuota\":true}",
         "{\"dateRanges\":[{\"startDate\":\"2026-01-01\",\"endDate\":\"2026-01-31\"}],\"limit\":5,"
         "\"offset\":5,\"returnPropertyQuota\":true}");
}

static void required_fields_must_be_there(void)
{
  expect("run_report_across_dealers", "{}", "metrics: required, but missing: add it");
  expect("run_report_across_dealers", "{\"metrics\":null}",
         "metrics: required, but missing: add it");
  expect("run_report", "{\"date_ranges\":[{\"start_date\":\"today\"}]}",
         "date_ranges[0].end_date: required, but missing: add it");
  expect("run_report", "{\"dateRanges\":[{\"startDate\":\"today\",\"endDate\":\"\"}]}",
         "dateRanges[0].endDate: required, but it is empty: give a value");
  expect("compare_dealer_sessions", "{\"date_range\":{}}",
         "date_range.start_date: required, but missing: add it");
}

static void lists_keep_their_bounds(void)
{
  expect("run_report",
         "{\"metrics\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]}",
         "metrics: at most 10 items, got 11");
  expect("run_report_across_dealers", "{\"metrics\":[]}", "metrics: at least 1 item, got 0");
}

static void numbers_keep_their_bounds(void)
{
  expect("run_report", "{\"limit\":0}", "limit: at least 1, got 0");
  expect("run_report", "{\"limit\":250001}", "limit: at most 250000, got 250001");
  expect("run_report", "{\"limit\":\"250001\"}", "limit: at most 250000, got 250001");
  expect("list_dealers", "{\"offset\":-1}", "offset: at least 0, got -1");
}

static void lengths_count_characters_not_bytes(void)
{
  AUTO_BUF struct buf text = BUF_INIT(4096);
  AUTO_BUF struct buf after = BUF_INIT(4096);
  buf_puts(&text, "{\"query\":\"");
  for (int i = 0; i < 128; i++)
    buf_puts(&text, "\u00e9");
  buf_printf(&after, "%s\",\"limit\":1,\"offset\":0}", buf_str(&text));
  expect("list_dealers", buf_str(&after), buf_str(&after));
  buf_puts(&text, "x\"}");
  expect("list_dealers", buf_str(&text), "query: at most 128 characters, got 129");
}

static void items_of_a_list_keep_the_length(void)
{
  AUTO_BUF struct buf text = BUF_INIT(4096);
  buf_puts(&text, "{\"dealer_ids\":[\"d01\",\"");
  for (int i = 0; i < 200; i++)
    buf_putc(&text, 'x');
  buf_puts(&text, "\"]}");
  expect("compare_dealer_sessions", buf_str(&text),
         "dealer_ids[1]: at most 128 characters, got 200");
}

/* Types, unknown names and too deep nesting are for pbjson to refuse, with its texts. */
static void wrong_types_are_left_to_the_reader(void)
{
  expect("list_dealers", "{\"limit\":[],\"offset\":\"x\",\"query\":5,\"nope\":1}",
         "{\"limit\":[],\"offset\":\"x\",\"query\":5,\"nope\":1}");
  expect("compare_dealer_sessions", "{\"date_range\":\"last week\"}",
         "{\"date_range\":\"last week\"}");
}

static void deep_arguments_do_not_exhaust_the_stack(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  buf_puts(&text, "{\"dimension_filter\":");
  for (int i = 0; i < 400; i++)
    buf_puts(&text, "{\"not_expression\":");
  buf_puts(&text, "{}");
  for (int i = 0; i < 401; i++)
    buf_putc(&text, '}');
  AUTO_JSON cJSON *json = cJSON_Parse(buf_str(&text));
  CU_ASSERT_PTR_NOT_NULL_FATAL(json);
  CU_ASSERT_EQUAL(catalog_check(catalog_find("run_report"), json, NULL), ERR_OK);
}

TEST_MAIN("catalog rules", TEST(rules_of_a_message_are_all_rules_that_name_it),
          TEST(defaults_are_filled_in), TEST(given_values_are_kept_in_either_case),
          TEST(required_fields_must_be_there), TEST(lists_keep_their_bounds),
          TEST(numbers_keep_their_bounds), TEST(lengths_count_characters_not_bytes),
          TEST(items_of_a_list_keep_the_length), TEST(wrong_types_are_left_to_the_reader),
          TEST(deep_arguments_do_not_exhaust_the_stack))
