/* Request bodies: names, values, messages. */
#include <string.h>

#include "common/base/json.h"
#include "ga4-sim/report/messages.h"
#include "tests/unit/sim/support/fixture.h"

static cJSON *read_body(const char *text, struct transcode_errors *x)
{
  const char *json = fixture_json(text);
  return transcode_request(json, strlen(json), &message_run_report_request, x);
}

static void check_message(const char *body, const char *expected)
{
  struct transcode_errors x = {0};
  AUTO_JSON cJSON *tree = read_body(body, &x);
  CU_ASSERT_PTR_NULL(tree);
  CU_ASSERT_STRING_EQUAL(buf_str(&x.message), fixture_json(expected));
  transcode_errors_free(&x);
}

static void snake_case_and_camel_case_read_alike(void)
{
  struct transcode_errors x = {0};
  AUTO_JSON cJSON *a = read_body("{'dateRanges':[{'startDate':'today'}],'keepEmptyRows':true}", &x);
  AUTO_JSON cJSON *b =
      read_body("{'date_ranges':[{'start_date':'today'}],'keep_empty_rows':true}", &x);
  CU_ASSERT_TRUE(a != NULL && cJSON_Compare(a, b, true));
  transcode_errors_free(&x);
}

static void integers_come_as_numbers_or_text_and_enums_by_name_or_number(void)
{
  struct transcode_errors x = {0};
  AUTO_JSON cJSON *a = read_body("{'limit':5,'metricAggregations':['TOTAL',5]}", &x);
  AUTO_JSON cJSON *b = read_body("{'limit':'5','metricAggregations':[1,'MINIMUM']}", &x);
  CU_ASSERT_TRUE(a != NULL && cJSON_Compare(a, b, true));
  transcode_errors_free(&x);
}

static void every_unknown_name_is_reported_with_its_place(void)
{
  check_message("{'x':1}", "Invalid JSON payload received. Unknown name 'x': Cannot find field.");
  check_message("{'dateRanges':[{'x':1}],'y':2}",
                "Invalid JSON payload received. Unknown name 'x' at @date_ranges[0]@: Cannot find "
                "field.\nInvalid JSON payload received. Unknown name 'y': Cannot find field.");
}

static void wrong_values_name_field_and_type(void)
{
  check_message("{'metricAggregations':['X']}",
                "Invalid value at @metric_aggregations[0]@ "
                "(type.googleapis.com/google.analytics.data.v1beta.MetricAggregation), 'X'");
  check_message("{'limit':'many'}", "Invalid value at @limit@ (TYPE_INT64), 'many'");
  check_message("{'limit':1.5}", "Invalid value at @limit@ (TYPE_INT64), 1.5");
  check_message("{'dimensions':[{'name':7}]}",
                "Invalid value at @dimensions[0].name@ (TYPE_STRING), 7");
  check_message("{'dimensions':['date']}",
                "Invalid value at @dimensions[0]@ "
                "(type.googleapis.com/google.analytics.data.v1beta.Dimension), 'date'");
}

static void two_members_of_a_oneof_are_refused(void)
{
  check_message("{'dimensionFilter':{'andGroup':{},'orGroup':{}}}",
                "Invalid value at @dimension_filter@ (oneof), oneof field @expr@ is already set. "
                "Cannot set @orGroup@");
}

static void a_root_that_is_no_object_is_refused_and_an_empty_body_is_not(void)
{
  struct transcode_errors x = {0};
  check_message("[]",
                "Invalid JSON payload received. Unknown name '': Root element must be a message.");
  check_message("null",
                "Invalid JSON payload received. Unknown name '': Root element must be a message.");
  AUTO_JSON cJSON *empty = read_body("", &x);
  CU_ASSERT_TRUE(cJSON_IsObject(empty));
  transcode_errors_free(&x);
}

static void broken_json_is_shown_with_a_caret(void)
{
  struct transcode_errors x = {0};
  AUTO_JSON cJSON *tree = read_body("{'dimensions':[}", &x);
  CU_ASSERT_PTR_NULL(tree);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&x.message), "Invalid JSON payload received."));
  CU_ASSERT_PTR_NOT_NULL(strchr(buf_str(&x.message), '^'));
  transcode_errors_free(&x);
}

static void deep_nesting_is_refused_not_followed(void)
{
  struct transcode_errors x = {0};
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  buf_puts(&text, "{'dimensionFilter':");
  for (int i = 0; i < 400; i++)
    buf_puts(&text, "{'notExpression':");
  buf_puts(&text, "{}");
  for (int i = 0; i < 401; i++)
    buf_putc(&text, '}');
  AUTO_JSON cJSON *tree = read_body(buf_str(&text), &x);
  CU_ASSERT_PTR_NULL(tree);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&x.message), "too deep"));
  transcode_errors_free(&x);
}

TEST_MAIN("sim_transcode", TEST(snake_case_and_camel_case_read_alike),
          TEST(integers_come_as_numbers_or_text_and_enums_by_name_or_number),
          TEST(every_unknown_name_is_reported_with_its_place),
          TEST(wrong_values_name_field_and_type), TEST(two_members_of_a_oneof_are_refused),
          TEST(a_root_that_is_no_object_is_refused_and_an_empty_body_is_not),
          TEST(broken_json_is_shown_with_a_caret), TEST(deep_nesting_is_refused_not_followed))
