/* Numbers and JSON layout as Google prints them. */
#include <string.h>

#include "ga4-sim/base/value.h"
#include "ga4-sim/report/quota.h"
#include "tests/unit/harness.h"

static void check_double(double value, const char *expected)
{
  char text[32];
  value_format_double(value, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, expected);
}

static void doubles_have_fifteen_digits_or_seventeen_when_they_must(void)
{
  check_double(0.97348484848484851, "0.97348484848484851");
  check_double(0.5, "0.5");
  check_double(42, "42");
  check_double(1.0 / 3, "0.33333333333333331");
  check_double(0.1, "0.1");
  check_double(1234567.25, "1234567.25");
  check_double(-0.0, "0");
}

static void pretty_json_is_laid_out_with_two_spaces(void)
{
  AUTO_BUF struct buf out = BUF_INIT(4096);
  const char *in = "{\"a\":[{\"b\":\"x,{\\\"}\"},{}],\"c\":[],\"d\":1}";
  value_pretty_json(&out, in, strlen(in));
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "{\n  \"a\": [\n    {\n      \"b\": \"x,{\\\"}\"\n    },\n"
                                        "    {}\n  ],\n  \"c\": [],\n  \"d\": 1\n}\n");
}

static void token_cost_matches_recorded_charges(void)
{
  CU_ASSERT_EQUAL(quota_cost(1, 1, 7), 1);
  CU_ASSERT_EQUAL(quota_cost(1, 10, 7), 2);
  CU_ASSERT_EQUAL(quota_cost(9, 10, 30), 4);
  CU_ASSERT_EQUAL(quota_cost(1, 1, 365), 7);
}

static struct quota_account core(size_t property, unsigned project)
{
  return (struct quota_account){property, QUOTA_CORE, project};
}

static void the_eleventh_concurrent_request_is_refused(void)
{
  struct quota *q = quota_new(2);
  for (int i = 0; i < QUOTA_CONCURRENT; i++)
    CU_ASSERT_EQUAL(quota_enter(q, core(0, 0), 0), QUOTA_OK);
  CU_ASSERT_EQUAL(quota_enter(q, core(0, 0), 0), QUOTA_EXHAUSTED_CONCURRENT);
  CU_ASSERT_EQUAL(quota_enter(q, core(1, 0), 0), QUOTA_OK);
  quota_leave(q, core(0, 0));
  CU_ASSERT_EQUAL(quota_enter(q, core(0, 0), 0), QUOTA_OK);
  quota_free(q);
}

static enum quota_verdict probe(struct quota *q, unsigned project, int64_t ms)
{
  enum quota_verdict v = quota_enter(q, core(0, project), ms);
  if (v == QUOTA_OK)
    quota_leave(q, core(0, 0));
  return v;
}

static void hourly_tokens_run_out_and_return(void)
{
  struct quota *q = quota_new(1);
  int64_t noon = INT64_C(1763812800000), hour = 3600000;
  quota_charge(q, core(0, 0), QUOTA_TOKENS_PROJECT_HOUR, noon);
  CU_ASSERT_EQUAL(probe(q, 0, noon), QUOTA_EXHAUSTED_PROJECT_HOUR);
  CU_ASSERT_EQUAL(probe(q, 1, noon), QUOTA_OK);
  quota_charge(q, core(0, 1), QUOTA_TOKENS_HOUR, noon);
  CU_ASSERT_EQUAL(probe(q, 1, noon), QUOTA_EXHAUSTED_HOUR);
  CU_ASSERT_EQUAL(probe(q, 0, noon + hour), QUOTA_OK);
  quota_free(q);
}

static void daily_tokens_return_at_midnight_pacific(void)
{
  struct quota *q = quota_new(1);
  int64_t midnight = INT64_C(1763798400000); /* 2025-11-22 08:00 UTC = 00:00 PST */
  quota_charge(q, core(0, 0), QUOTA_TOKENS_DAY, midnight - 3 * 3600000);
  CU_ASSERT_EQUAL(probe(q, 0, midnight - 1), QUOTA_EXHAUSTED_DAY);
  CU_ASSERT_EQUAL(probe(q, 0, midnight), QUOTA_OK);
  quota_free(q);
}

static void ten_server_errors_close_the_project_for_the_hour(void)
{
  struct quota *q = quota_new(1);
  for (int i = 0; i < QUOTA_SERVER_ERRORS_HOUR; i++)
    quota_server_error(q, core(0, 0), 0);
  CU_ASSERT_EQUAL(probe(q, 0, 0), QUOTA_EXHAUSTED_SERVER_ERRORS);
  quota_reset(q);
  CU_ASSERT_EQUAL(probe(q, 0, 0), QUOTA_OK);
  quota_free(q);
}

static void each_category_has_its_own_books(void)
{
  struct quota *q = quota_new(2);
  struct quota_account realtime = {1, QUOTA_REALTIME, 0}, funnel = {1, QUOTA_FUNNEL, 0};
  quota_charge(q, core(1, 0), QUOTA_TOKENS_HOUR, 0);
  CU_ASSERT_EQUAL(quota_enter(q, core(1, 0), 0), QUOTA_EXHAUSTED_HOUR);
  for (int i = 0; i < QUOTA_CONCURRENT; i++)
    CU_ASSERT_EQUAL(quota_enter(q, realtime, 0), QUOTA_OK);
  CU_ASSERT_EQUAL(quota_enter(q, realtime, 0), QUOTA_EXHAUSTED_CONCURRENT);
  CU_ASSERT_EQUAL(quota_enter(q, funnel, 0), QUOTA_OK);
  CU_ASSERT_EQUAL(quota_enter(q, core(0, 0), 0), QUOTA_OK);
  quota_free(q);
}

TEST_MAIN("sim_value", TEST(doubles_have_fifteen_digits_or_seventeen_when_they_must),
          TEST(pretty_json_is_laid_out_with_two_spaces), TEST(token_cost_matches_recorded_charges),
          TEST(the_eleventh_concurrent_request_is_refused), TEST(hourly_tokens_run_out_and_return),
          TEST(daily_tokens_return_at_midnight_pacific),
          TEST(ten_server_errors_close_the_project_for_the_hour),
          TEST(each_category_has_its_own_books))
