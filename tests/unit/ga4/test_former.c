/* Former names of dimensions and metrics, there and back. */
#include "common/ga4/former.h"

#include "common/base/mem.h"
#include "tests/unit/harness.h"

static void former_names_are_found_in_any_case_and_by_kind(void)
{
  const struct ga4_former *f = ga4_former_find(GA4_METRIC, "PAGEVIEWS");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  CU_ASSERT_STRING_EQUAL(f->field, "screenPageViews");
  CU_ASSERT_PTR_NULL(ga4_former_find(GA4_DIMENSION, "pageviews"));
  f = ga4_former_find(GA4_EITHER, "channelgrouping");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  CU_ASSERT_STRING_EQUAL(f->field, "sessionDefaultChannelGroup");
  f = ga4_former_find(GA4_METRIC, "bounces");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  CU_ASSERT_PTR_NULL(f->field);
  CU_ASSERT_PTR_NOT_NULL(f->hint);
  CU_ASSERT_PTR_NULL(ga4_former_find(GA4_EITHER, "screenPageViews"));
  CU_ASSERT_PTR_NULL(ga4_former_find(GA4_EITHER, ""));
}

static void a_field_names_what_it_was_called(void)
{
  static const struct {
    enum ga4_kind kind;
    const char *field, *former;
  } rows[] = {{GA4_METRIC, "screenPageViews", "pageviews"},
              {GA4_METRIC, "totalUsers", "users"},
              {GA4_METRIC, "averageSessionDuration", "avgSessionDuration"},
              {GA4_METRIC, "keyEvents", "goalCompletionsAll"},
              {GA4_DIMENSION, "sessionDefaultChannelGroup", "channelGrouping"},
              {GA4_DIMENSION, "landingPagePlusQueryString", "landingPagePath"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    const char *former = ga4_former_name(rows[i].kind, rows[i].field);
    CU_ASSERT_PTR_NOT_NULL_FATAL(former);
    CU_ASSERT_STRING_EQUAL(former, rows[i].former);
    /* and back */
    CU_ASSERT_STRING_EQUAL(ga4_former_find(rows[i].kind, former)->field, rows[i].field);
  }
  CU_ASSERT_PTR_NULL(ga4_former_name(GA4_DIMENSION, "screenPageViews"));
  CU_ASSERT_PTR_NULL(ga4_former_name(GA4_METRIC, "eventValue"));
  /* uniquePageviews equals sessions by page alone: sessions were sessions. */
  CU_ASSERT_PTR_NULL(ga4_former_name(GA4_METRIC, "sessions"));
}

TEST_MAIN("former names", TEST(former_names_are_found_in_any_case_and_by_kind),
          TEST(a_field_names_what_it_was_called))
