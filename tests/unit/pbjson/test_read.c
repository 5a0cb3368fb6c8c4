/* What JSON is read as, and what a refusal says. */
#include <analytics/ga4/v1beta/data.pb-c.h>
#include <analytics/report/v1/report.pb-c.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "kitchen.pb-c.h"
#include "tests/unit/harness.h"

typedef const ProtobufCMessageDescriptor *type;
static type scalars = &kitchen__scalars__descriptor;
static type lists = &kitchen__lists__descriptor;
static type maps = &kitchen__maps__descriptor;
static type choices = &kitchen__choices__descriptor;
static type well_known = &kitchen__well_known__descriptor;
static type kitchen = &kitchen__kitchen__descriptor;
static type report = &analytics__report__v1__run_report_request__descriptor;

static void free_arena(struct arena **a)
{
  arena_free(*a);
}

/* Reads text and writes the message again: "" when it was refused. */
static void expect_same(type t, const char *text, const char *expected)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(1 << 20);
  AUTO_BUF struct buf out = BUF_INIT(65536);
  struct err e = {0};
  ProtobufCMessage *message = NULL;
  if (pbjson_read_text(&message, t, text, strlen(text), arena, NULL, &e) == ERR_OK)
    pbjson_write(&out, message, NULL, &e);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), expected);
  if (strcmp(buf_str(&out), expected) != 0)
    printf("\n  %s\n  gave %s %s\n", text, buf_str(&out), e.message);
}

static void expect_refused(type t, const char *text, const char *expected)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(1 << 20);
  struct err e = {0};
  ProtobufCMessage *message = NULL;
  enum err_code code = pbjson_read_text(&message, t, text, strlen(text), arena, NULL, &e);
  CU_ASSERT_EQUAL(code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NULL(message);
  CU_ASSERT_STRING_EQUAL(e.message, expected);
  if (strcmp(e.message, expected) != 0)
    printf("\n  %s\n  said %s\n", text, e.message);
}

static void both_name_cases_are_read(void)
{
  expect_same(report, "{\"dealer_id\":\"d01\",\"returnPropertyQuota\":true}",
              "{\"dealer_id\":\"d01\",\"return_property_quota\":true}");
  expect_same(&kitchen__names__descriptor,
              "{\"field2Go\":\"a\",\"x9Y8\":\"b\",\"trailing\":\"c\",\"doubleUnder\":\"d\","
              "\"alreadyCamel\":\"e\",\"AB\":\"f\"}",
              "{\"field_2_go\":\"a\",\"x9_y8\":\"b\",\"trailing_\":\"c\",\"double__under\":\"d\","
              "\"alreadyCamel\":\"e\",\"A_b\":\"f\"}");
}

static void a_field_given_in_both_cases_is_refused(void)
{
  expect_refused(report, "{\"dealer_id\":\"a\",\"dealerId\":\"b\"}",
                 "dealerId: given twice (dealer_id in snake_case or camelCase names one field)");
}

static void null_means_absent(void)
{
  expect_same(report, "{\"dealer_id\":null,\"date_ranges\":null,\"dimension_filter\":null}", "{}");
  expect_same(choices, "{\"d_int32\":null,\"d_string\":\"x\"}", "{\"d_string\":\"x\"}");
  expect_same(well_known, "{\"any\":null}", "{\"any\":null}");
  expect_refused(report, "{\"metrics\":[\"a\",null]}",
                 "metrics[1]: null is not allowed here: leave the item out");
  expect_refused(maps, "{\"m_string\":{\"a\":null}}",
                 "m_string.a: null is not allowed here: leave the item out");
}

static void types_that_do_not_fit_are_refused_with_the_path(void)
{
  expect_refused(report, "{\"date_ranges\":[{\"start_date\":5}]}",
                 "date_ranges[0].start_date: expected string, got number");
  expect_refused(report, "{\"dateRanges\":[{\"startDate\":true}]}",
                 "dateRanges[0].startDate: expected string, got boolean");
  expect_refused(report, "{\"metrics\":\"sessions\"}", "metrics: expected list, got string");
  expect_refused(report, "{\"dimension_filter\":[]}",
                 "dimension_filter: expected object, got list");
  expect_refused(report, "{\"return_property_quota\":\"true\"}",
                 "return_property_quota: expected boolean, got string");
  expect_refused(report, "[]", "expected object, got list");
  expect_refused(scalars, "{\"f_int32\":{}}", "f_int32: expected number, got object");
  expect_refused(maps, "{\"m_string\":[]}", "m_string: expected object, got list");
  expect_refused(maps, "{\"m_string\":{\"a b\":1}}",
                 "m_string[\"a b\"]: expected string, got number");
}

static void unknown_fields_name_the_closest_known_one(void)
{
  expect_refused(report, "{\"dealer\":\"d01\"}", "dealer: unknown field; did you mean dealer_id?");
  expect_refused(report, "{\"metrcis\":[]}", "metrcis: unknown field; did you mean metrics?");
  expect_refused(report, "{\"dateRange\":[]}",
                 "dateRange: unknown field; did you mean dateRanges?");
  expect_refused(report, "{\"date_ranges\":[{\"start\":\"x\"}]}",
                 "date_ranges[0].start: unknown field; did you mean start_date?");
  expect_refused(report, "{\"date_ranges\":[{\"zzzz\":\"x\"}]}",
                 "date_ranges[0].zzzz: unknown field; known fields: start_date, end_date, name");
}

static void unknown_fields_are_skipped_when_asked(void)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(65536);
  struct pbjson_read_options lenient = {.ignore_unknown = true};
  static const char text[] = "{\"nope\":{\"x\":[1]},\"dealer_id\":\"d\"}";
  ProtobufCMessage *m = NULL;
  CU_ASSERT_EQUAL(pbjson_read_text(&m, report, text, sizeof(text) - 1, arena, &lenient, NULL),
                  ERR_OK);
  CU_ASSERT_STRING_EQUAL(((Analytics__Report__V1__RunReportRequest *)m)->dealer_id, "d");
}

static void unknown_names_of_enums_read_as_unset_when_unknown_fields_are_skipped(void)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(65536);
  struct pbjson_read_options lenient = {.ignore_unknown = true};
  static const char text[] = "{\"r_enum\":[\"PEPPER\",\"NEW_SPICE\"]}";
  ProtobufCMessage *m = NULL;
  CU_ASSERT_EQUAL(pbjson_read_text(&m, lists, text, sizeof(text) - 1, arena, &lenient, NULL),
                  ERR_OK);
  AUTO_BUF struct buf out = BUF_INIT(1000);
  pbjson_write(&out, m, &(struct pbjson_write_options){.enums_as_numbers = true}, NULL);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "{\"r_enum\":[1,0]}");
  CU_ASSERT_NOT_EQUAL(pbjson_read_text(&m, lists, text, sizeof(text) - 1, arena, NULL, NULL),
                      ERR_OK);
}

static void enums_are_read_by_name_and_number(void)
{
  expect_same(lists, "{\"r_enum\":[\"CUMIN\",1,-3,55]}",
              "{\"r_enum\":[\"CUMIN\",\"PEPPER\",\"BURNT\",55]}");
  expect_refused(report,
                 "{\"dimension_filter\":{\"filter\":{\"field_name\":\"a\",\"string_filter\":"
                 "{\"match_type\":\"STARTS_WITH\"}}}}",
                 "dimension_filter.filter.string_filter.match_type: unknown value \"STARTS_WITH\"; "
                 "use one of EXACT, BEGINS_WITH, ENDS_WITH, CONTAINS, FULL_REGEXP, PARTIAL_REGEXP");
  expect_refused(scalars, "{\"f_enum\":true}", "f_enum: expected string, got boolean");
  expect_refused(scalars, "{\"f_enum\":1.5}", "f_enum: expected a whole number, got 1.5");
}

static void whole_numbers_keep_their_ranges(void)
{
  expect_same(scalars,
              "{\"f_int32\":-2147483648,\"f_uint32\":4294967295,\"f_sint32\":\"-7\","
              "\"f_fixed32\":5.0,\"f_sfixed32\":1e3}",
              "{\"f_int32\":-2147483648,\"f_uint32\":4294967295,\"f_sint32\":-7,"
              "\"f_fixed32\":5,\"f_sfixed32\":1000}");
  expect_refused(scalars, "{\"f_int32\":2147483648}",
                 "f_int32: expected a whole number from -2147483648 to 2147483647, got 2147483648");
  expect_refused(
      scalars, "{\"f_int32\":-2147483649}",
      "f_int32: expected a whole number from -2147483648 to 2147483647, got -2147483649");
  expect_refused(scalars, "{\"f_uint32\":-1}",
                 "f_uint32: expected a whole number from 0 to 4294967295, got -1");
  expect_refused(scalars, "{\"f_int32\":1e300}",
                 "f_int32: expected a whole number from -2147483648 to 2147483647, got 1e+300");
  expect_refused(scalars, "{\"f_int32\":1.5}", "f_int32: expected a whole number, got 1.5");
  expect_refused(scalars, "{\"f_int32\":\"12x\"}",
                 "f_int32: expected a whole number, got the string \"12x\"");
  expect_refused(scalars, "{\"f_int32\":\"\"}",
                 "f_int32: expected a whole number, got the string \"\"");
  expect_refused(scalars, "{\"f_int32\":\" 1\"}",
                 "f_int32: expected a whole number, got the string \" 1\"");
}

static void numbers_of_64_bits_are_exact_or_refused(void)
{
  expect_same(scalars,
              "{\"f_int64\":\"-9223372036854775808\",\"f_uint64\":\"18446744073709551615\","
              "\"f_sint64\":9007199254740991,\"f_sfixed64\":-9007199254740991}",
              "{\"f_int64\":\"-9223372036854775808\",\"f_uint64\":\"18446744073709551615\","
              "\"f_sint64\":\"9007199254740991\",\"f_sfixed64\":\"-9007199254740991\"}");
  expect_refused(scalars, "{\"f_int64\":9007199254740993}",
                 "f_int64: a number of 2^53 or more is not exact in JSON: give it as a string");
  expect_refused(scalars, "{\"f_int64\":\"9223372036854775808\"}",
                 "f_int64: expected a whole number from -9223372036854775808 to "
                 "9223372036854775807, got 9223372036854775808");
  expect_refused(scalars, "{\"f_uint64\":\"99999999999999999999999\"}",
                 "f_uint64: expected a whole number from 0 to 18446744073709551615, got "
                 "99999999999999999999999");
  expect_refused(scalars, "{\"f_uint64\":\"-1\"}",
                 "f_uint64: expected a whole number from 0 to 18446744073709551615, got -1");
}

static void doubles_take_numbers_strings_and_the_special_names(void)
{
  expect_same(lists, "{\"r_double\":[1,-0.5,\"2.25\",\"NaN\",\"Infinity\",\"-Infinity\"]}",
              "{\"r_double\":[1,-0.5,2.25,\"NaN\",\"Infinity\",\"-Infinity\"]}");
  expect_refused(scalars, "{\"f_double\":\"inf\"}",
                 "f_double: expected number, got the string \"inf\"");
  expect_refused(scalars, "{\"f_double\":\"0x10\"}",
                 "f_double: expected number, got the string \"0x10\"");
  expect_refused(scalars, "{\"f_double\":1e999}", "line 1, column 13: number is too large");
  expect_same(scalars, "{\"f_float\":3.4028235e38}", "{\"f_float\":3.4028235e+38}");
  expect_refused(scalars, "{\"f_float\":3.5e38}", "f_float: the number is too large for a float");
}

static void bytes_are_base64_of_either_alphabet(void)
{
  expect_same(lists, "{\"r_bytes\":[\"+/8=\",\"-_8\",\"\"]}",
              "{\"r_bytes\":[\"+/8=\",\"+/8=\",\"\"]}");
  expect_refused(scalars, "{\"f_bytes\":\"a$b\"}", "f_bytes: the string is not base64");
  expect_refused(scalars, "{\"f_bytes\":1}", "f_bytes: expected string in base64, got number");
}

static void map_keys_have_the_type_of_the_key(void)
{
  expect_same(maps, "{\"m_int64\":{\"-5\":\"6\"},\"m_bool\":{\"true\":{}}}",
              "{\"m_int64\":{\"-5\":\"6\"},\"m_bool\":{\"true\":{}}}");
  expect_refused(maps, "{\"m_int32\":{\"x\":1}}",
                 "m_int32.x: expected a whole number, got the string \"x\"");
  expect_refused(maps, "{\"m_bool\":{\"yes\":{}}}",
                 "m_bool.yes: expected \"true\" or \"false\" as key");
  expect_refused(maps, "{\"m_int32\":{\"0\":1,\"-0\":2}}", "m_int32.0: given twice");
}

static void a_oneof_takes_one_member(void)
{
  expect_same(choices, "{\"d_int32\":0}", "{\"d_int32\":0}");
  expect_same(choices, "{\"d_string\":\"\"}", "{\"d_string\":\"\"}");
  expect_refused(&analytics__ga4__v1beta__filter__descriptor,
                 "{\"string_filter\":{},\"empty_filter\":{}}",
                 "empty_filter: not together with string_filter: give only one of string_filter, "
                 "in_list_filter, numeric_filter, between_filter, empty_filter");
}

static void times_are_read_in_every_offset(void)
{
  expect_same(well_known, "{\"at\":\"2024-02-29T13:34:56.12+01:00\"}",
              "{\"at\":\"2024-02-29T12:34:56.120Z\"}");
  expect_same(well_known, "{\"at\":\"2000-02-29T00:00:00Z\"}", "{\"at\":\"2000-02-29T00:00:00Z\"}");
  expect_same(well_known, "{\"lasts\":\"-1.5s\"}", "{\"lasts\":\"-1.500s\"}");
  static const char *const bad[] = {"2023-02-29T00:00:00Z",
                                    "1900-02-29T00:00:00Z",
                                    "2024-01-01",
                                    "2024-01-01T00:00:00",
                                    "2024-13-01T00:00:00Z",
                                    "2024-01-01T24:00:00Z",
                                    "2024-01-01T00:00:00.Z",
                                    "2024-01-01T00:00:00Zx",
                                    "0001-01-01T00:00:00+01:00",
                                    "2024-01-01T00:00:00+1",
                                    ""};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    char text[80];
    snprintf(text, sizeof(text), "{\"at\":\"%s\"}", bad[i]);
    expect_refused(well_known, text, "at: expected a time such as \"2026-01-31T23:59:59Z\"");
  }
  static const char *const bad_durations[] = {"1",    "s",  "1.s", "1.0000000001s", "315576000001s",
                                              "--1s", "1s "};
  for (size_t i = 0; i < ARRAY_LEN(bad_durations); i++) {
    char text[80];
    snprintf(text, sizeof(text), "{\"lasts\":\"%s\"}", bad_durations[i]);
    expect_refused(well_known, text, "lasts: expected a duration in seconds such as \"1.5s\"");
  }
}

static void struct_and_value_hold_any_json(void)
{
  static const char json[] = "{\"notes\":{\"a\":[1,null,{\"b\":true}],\"c\":\"d\"},"
                             "\"any\":[{}],\"list\":[1.5,\"x\",[]]}";
  expect_same(well_known, json, json);
  expect_refused(well_known, "{\"notes\":[]}", "notes: expected object, got list");
}

static void nesting_ends_at_32_messages(void)
{
  AUTO_BUF struct buf text = BUF_INIT(4096);
  for (int i = 1; i < PBJSON_MAX_DEPTH; i++)
    buf_puts(&text, "{\"child\":");
  buf_puts(&text, "{}");
  for (int i = 1; i < PBJSON_MAX_DEPTH; i++)
    buf_putc(&text, '}');
  expect_same(kitchen, buf_str(&text), buf_str(&text));
  AUTO_BUF struct buf deeper = BUF_INIT(4096);
  buf_printf(&deeper, "{\"child\":%s}", buf_str(&text));
  CLEANUP(free_arena) struct arena *arena = arena_new(1 << 20);
  struct err e = {0};
  ProtobufCMessage *m = NULL;
  CU_ASSERT_EQUAL(pbjson_read_text(&m, kitchen, deeper.data, deeper.len, arena, NULL, &e),
                  ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "child.child: nested deeper than 32"));
}

static void a_message_larger_than_the_arena_is_refused(void)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(512);
  AUTO_BUF struct buf text = BUF_INIT(65536);
  buf_puts(&text, "{\"metrics\":[\"x\"");
  for (int i = 0; i < 1000; i++)
    buf_puts(&text, ",\"sessions\"");
  buf_puts(&text, "]}");
  struct err e = {0};
  ProtobufCMessage *m = NULL;
  CU_ASSERT_EQUAL(pbjson_read_text(&m, report, text.data, text.len, arena, NULL, &e),
                  ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_PTR_NULL(m);
}

/* A cJSON value built by code has not been through json_parse(). */
static void text_that_is_not_utf8_is_refused(void)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(65536);
  struct err e = {0};
  ProtobufCMessage *m = NULL;
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, "dealer_id", "\xc3(");
  CU_ASSERT_EQUAL(pbjson_read(&m, report, object, arena, NULL, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "dealer_id: the string is not valid UTF-8");
  cJSON_Delete(object);
  object = cJSON_CreateObject();
  cJSON_AddNumberToObject(object, "\xff", 1);
  CU_ASSERT_EQUAL(pbjson_read(&m, report, object, arena, NULL, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(strncmp(e.message, "[\"?\"]: unknown field", 20), 0);
  cJSON_Delete(object);
}

static void a_nul_character_in_text_is_refused(void)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(65536);
  static const char text[] = "{\"dealer_id\":\"a\\u0000b\"}";
  struct err e = {0};
  ProtobufCMessage *m = NULL;
  CU_ASSERT_EQUAL(pbjson_read_text(&m, report, text, sizeof(text) - 1, arena, NULL, &e),
                  ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "line 1"));
}

static void long_names_are_shortened_in_errors(void)
{
  AUTO_BUF struct buf text = BUF_INIT(65536);
  buf_puts(&text, "{\"");
  for (int i = 0; i < 5000; i++)
    buf_puts(&text, "\u00e4");
  buf_puts(&text, "\":1}");
  CLEANUP(free_arena) struct arena *arena = arena_new(65536);
  struct err e = {0};
  ProtobufCMessage *m = NULL;
  pbjson_read_text(&m, report, text.data, text.len, arena, NULL, &e);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "...\"]: unknown field"));
}

/* Google's own example of nested filters, as a client would send it. */
static void a_filter_expression_reaches_its_fields(void)
{
  static const char text[] =
      "{\"dimensionFilter\":{\"andGroup\":{\"expressions\":[{\"filter\":{\"fieldName\":"
      "\"eventName\",\"inListFilter\":{\"values\":[\"form_submit\"],\"caseSensitive\":true}}},"
      "{\"notExpression\":{\"filter\":{\"fieldName\":\"city\",\"emptyFilter\":{}}}}]}},"
      "\"metricFilter\":{\"filter\":{\"fieldName\":\"sessions\",\"numericFilter\":{\"operation\":"
      "\"GREATER_THAN\",\"value\":{\"int64Value\":\"10\"}}}},\"limit\":\"1000\"}";
  CLEANUP(free_arena) struct arena *arena = arena_new(65536);
  struct err e = {0};
  ProtobufCMessage *m = NULL;
  CU_ASSERT_EQUAL_FATAL(pbjson_read_text(&m,
                                         &analytics__ga4__v1beta__run_report_request__descriptor,
                                         text, sizeof(text) - 1, arena, NULL, &e),
                        ERR_OK);
  Analytics__Ga4__V1beta__RunReportRequest *request = (Analytics__Ga4__V1beta__RunReportRequest *)m;
  Analytics__Ga4__V1beta__FilterExpressionList *group = request->dimension_filter->and_group;
  CU_ASSERT_EQUAL(request->limit, 1000);
  CU_ASSERT_EQUAL(group->n_expressions, 2);
  CU_ASSERT_STRING_EQUAL(group->expressions[0]->filter->in_list_filter->values[0], "form_submit");
  CU_ASSERT_EQUAL(group->expressions[1]->not_expression->filter->one_filter_case,
                  ANALYTICS__GA4__V1BETA__FILTER__ONE_FILTER_EMPTY_FILTER);
  CU_ASSERT_EQUAL(request->metric_filter->filter->numeric_filter->value->int64_value, 10);
  struct pbjson_write_options camel = {.names = PBJSON_CAMEL_CASE};
  AUTO_BUF struct buf out = BUF_INIT(4096);
  CU_ASSERT_EQUAL(pbjson_write(&out, m, &camel, &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "\"int64Value\":\"10\""));
}

TEST_MAIN("pbjson read", TEST(both_name_cases_are_read),
          TEST(a_field_given_in_both_cases_is_refused), TEST(null_means_absent),
          TEST(types_that_do_not_fit_are_refused_with_the_path),
          TEST(unknown_fields_name_the_closest_known_one),
          TEST(unknown_fields_are_skipped_when_asked),
          TEST(unknown_names_of_enums_read_as_unset_when_unknown_fields_are_skipped),
          TEST(enums_are_read_by_name_and_number), TEST(whole_numbers_keep_their_ranges),
          TEST(numbers_of_64_bits_are_exact_or_refused),
          TEST(doubles_take_numbers_strings_and_the_special_names),
          TEST(bytes_are_base64_of_either_alphabet), TEST(map_keys_have_the_type_of_the_key),
          TEST(a_oneof_takes_one_member), TEST(times_are_read_in_every_offset),
          TEST(struct_and_value_hold_any_json), TEST(nesting_ends_at_32_messages),
          TEST(a_message_larger_than_the_arena_is_refused), TEST(text_that_is_not_utf8_is_refused),
          TEST(a_nul_character_in_text_is_refused), TEST(long_names_are_shortened_in_errors),
          TEST(a_filter_expression_reaches_its_fields))
