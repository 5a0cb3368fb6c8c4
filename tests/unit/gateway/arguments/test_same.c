/* A sloppy call gives the same request as the plain one, and says what was read otherwise. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/arguments/ga4.h"
#include "tests/unit/gateway/arguments/reading.h"
#include "tests/unit/harness.h"

#define REPORT "run_report"
#define COMPARE "compare_dealer_sessions"
#define ACROSS "run_report_across_dealers"
#define RANGE(start, end) "{\"start_date\":\"" start "\",\"end_date\":\"" end "\"}"

struct same {
  const char *tool, *sloppy, *plain, *note; /* note: NULL for none */
};

static void expect(const struct same *c)
{
  AUTO_READING struct reading sloppy = {0};
  AUTO_READING struct reading plain = {0};
  reading_make(&sloppy, c->tool, c->sloppy);
  reading_make(&plain, c->tool, c->plain);
  CU_ASSERT_EQUAL(plain.code, ERR_OK);
  CU_ASSERT_EQUAL(sloppy.code, ERR_OK);
  bool same = strcmp(buf_str(&sloppy.request), buf_str(&plain.request)) == 0;
  const char *note = sloppy.notes.n > 0 ? sloppy.notes.text[0] : NULL;
  bool noted = c->note == NULL ? note == NULL : note != NULL && strcmp(note, c->note) == 0;
  CU_ASSERT_TRUE(same);
  CU_ASSERT_TRUE(noted);
  if (plain.code != ERR_OK || sloppy.code != ERR_OK || !same || !noted)
    printf("\n  %s\n  gave %s%s (%s)\n  not  %s%s (%s)\n", c->sloppy, buf_str(&sloppy.request),
           sloppy.e.message, note != NULL ? note : "no note", buf_str(&plain.request),
           plain.e.message, c->note != NULL ? c->note : "no note");
}

static void expect_all(const struct same *cases, size_t n)
{
  for (size_t i = 0; i < n; i++)
    expect(&cases[i]);
}

static void shapes_and_words_of_values(void)
{
  static const struct same cases[] = {
      {REPORT, "{\"dealer_id\":5}", "{\"dealer_id\":\"5\"}", NULL},
      {REPORT, "{\"dealer_id\":[\"d01\"]}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"dealer_id\":\" d01\\u200b \"}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"dealer_id\":\"\\uff44\\uff10\\uff11\"}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"dealer_id\":\"Ford\\u00a0  of\\tReno\"}", "{\"dealer_id\":\"Ford of Reno\"}",
       NULL},
      {REPORT, "{\"metrics\":\"sessions\"}", "{\"metrics\":[\"sessions\"]}", NULL},
      {REPORT, "{\"metrics\":\"sessions, newUsers\"}", "{\"metrics\":[\"sessions\",\"newUsers\"]}",
       NULL},
      {REPORT, "{\"metrics\":\"[\\\"sessions\\\",\\\"newUsers\\\"]\"}",
       "{\"metrics\":[\"sessions\",\"newUsers\"]}", NULL},
      {REPORT, "{\"metrics\":\"['sessions', 'newUsers']\"}",
       "{\"metrics\":[\"sessions\",\"newUsers\"]}", NULL},
      {REPORT, "{\"limit\":\" 10 \"}", "{\"limit\":10}", NULL},
      {REPORT, "{\"limit\":\"\\uff11\\uff10\"}", "{\"limit\":10}", NULL},
      {REPORT, "{\"return_property_quota\":\"yes\"}", "{\"return_property_quota\":true}", NULL},
      {REPORT, "{\"return_property_quota\":\"True\"}", "{\"return_property_quota\":true}", NULL},
      {REPORT, "{\"return_property_quota\":0}", "{\"return_property_quota\":false}", NULL},
      {REPORT,
       "{\"dealer_id\":\"null\",\"currency_code\":\"None\",\"metric_filter\":{},\"order_bys\":[]}",
       "{}", NULL},
      {REPORT, "{\"dimensions\":[null],\"metrics\":[\"\",\"undefined\"],\"property_id\":\"\"}",
       "{}", NULL},
      {COMPARE, "{\"dealer_ids\":\"d01,d02\"}", "{\"dealer_ids\":[\"d01\",\"d02\"]}", NULL},
      {COMPARE, "{\"dealer_ids\":[1,2]}", "{\"dealer_ids\":[\"1\",\"2\"]}", NULL},
      {COMPARE, "{\"dealer_ids\":\"Smith Motors, Inc.\"}", "{\"subject\":\"Smith Motors, Inc.\"}",
       NULL},
      {COMPARE,
       "{\"date_range\":\"{\\\"start_date\\\":\\\"2026-10-01\\\",\\\"end_date\\\":\\\"2026-10-"
       "05\\\"}\"}",
       "{\"date_range\":" RANGE("2026-10-01", "2026-10-05") "}", NULL},
      {REPORT, "{\"date_ranges\":" RANGE("2026-10-01", "2026-10-05") "}",
       "{\"date_ranges\":[" RANGE("2026-10-01", "2026-10-05") "]}", NULL},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

/* An event's name alone is the step that it makes; a list of them in one text is several steps. */
static void steps_of_funnels_as_names_of_events(void)
{
#define FUNNEL "run_funnel_report"
#define STEPS "{\"funnel_steps\":[{\"event\":\"page_view\"},{\"event\":\"generate_lead\"}]}"
  static const struct same cases[] = {
      {FUNNEL, "{\"funnel_steps\":[\"page_view\",\"generate_lead\"]}", STEPS, NULL},
      {FUNNEL, "{\"steps\":[\" page_view \",{\"event_name\":\"generate_lead\"}]}", STEPS, NULL},
      {FUNNEL, "{\"funnel_steps\":\"page_view, generate_lead\"}", STEPS, NULL},
      {FUNNEL, "{\"funnel_steps\":\"[\\\"page_view\\\",\\\"generate_lead\\\"]\"}", STEPS, NULL},
      {FUNNEL, "{\"funnel_steps\":\"page_view\"}", "{\"funnel_steps\":[{\"event\":\"page_view\"}]}",
       NULL},
  };
  expect_all(cases, ARRAY_LEN(cases));
  AUTO_READING struct reading r = {0};
  reading_make(&r, FUNNEL, "{\"funnel_steps\":[\"page_view > generate_lead\"]}");
  CU_ASSERT_EQUAL(r.code, ERR_INVALID_ARGUMENT);
}

static void a_field_that_google_refused_has_closest_names(void)
{
  static const char *const cases[][2] = {
      {"metrics[1]: Field engagedSesions is not a valid metric. search_fields", "engagedSessions"},
      {"Field deviceCategoryy is not a valid dimension.", "deviceCategory"},
      {"Did you mean city? Field citi is not a valid dimension.", ""},
      {"Field sessions is not a valid metric.", ""}, /* in a realtime report */
      {"Field  is not a valid dimension.", ""},
      {" is not a valid Field ", ""},
      {"the dealer must re-consent", ""},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_BUF struct buf out = BUF_INIT(1000);
    arguments_put_closest(&out, cases[i][0]);
    if (cases[i][1][0] == '\0') {
      CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
    } else {
      CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), " Closest names: "));
      CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), cases[i][1]));
    }
  }
}

/* Words for the most rows, unless the message has a field of that name. */
static void other_names_of_the_limit(void)
{
  static const struct same cases[] = {
      {REPORT, "{\"top\":5}", "{\"limit\":5}", NULL},
      {REPORT, "{\"top_n\":\"5\"}", "{\"limit\":5}", NULL},
      {REPORT, "{\"maxRows\":5}", "{\"limit\":5}", NULL},
      {COMPARE, "{\"count\":5}", "{\"limit\":5}", NULL},
      {COMPARE, "{\"n\":5,\"limit\":5}", "{\"limit\":5}", NULL},
  };
  expect_all(cases, ARRAY_LEN(cases));
  static const char *const refused[][2] = {{"benchmark_dealer", "{\"subject\":\"d01\",\"top\":5}"},
                                           {REPORT, "{\"top\":5,\"limit\":6}"}};
  for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
    AUTO_READING struct reading r = {0};
    reading_make(&r, refused[i][0], refused[i][1]);
    CU_ASSERT_EQUAL(r.code, ERR_INVALID_ARGUMENT);
  }
}

static void names_of_arguments(void)
{
  static const struct same cases[] = {
      {REPORT, "{\"dealerId\":\"d01\"}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"Dealer-ID\":\"d01\"}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"dealer\":\"d01\",\"dealer_id\":null}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"accountId\":\"d01\"}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"dealer_name\":\"d01\",\"dealer_id\":\"d01\"}", "{\"dealer_id\":\"d01\"}", NULL},
      {REPORT, "{\"property\":\"properties/213025502\"}", "{\"property_id\":\"213025502\"}", NULL},
      {REPORT, "{\"propertyId\":\"property/213025502\"}", "{\"property_id\":\"213025502\"}", NULL},
      {REPORT, "{\"PROPERTY_ID\":213025502}", "{\"property_id\":\"213025502\"}", NULL},
      {COMPARE, "{\"dealer_id\":\"d01\"}", "{\"subject\":\"d01\"}", NULL},
      {COMPARE, "{\"dealer_ids\":[\"d01\"]}", "{\"subject\":\"d01\"}", NULL},
      {COMPARE, "{\"dealer_ids\":\"d01\",\"region\":\"West\"}",
       "{\"dealer_ids\":[\"d01\"],\"region\":\"West\"}", NULL},
      {COMPARE, "{\"dealer_ids\":[\"d01\"],\"subject\":\"d01\"}", "{\"subject\":\"d01\"}", NULL},
      {COMPARE, "{\"account_ids\":[\"a\",\"b\"]}", "{\"dealer_ids\":[\"a\",\"b\"]}", NULL},
      {ACROSS, "{\"dealer\":\"d01\",\"metrics\":[\"sessions\"]}",
       "{\"dealer_ids\":[\"d01\"],\"metrics\":[\"sessions\"]}", NULL},
      {"list_dealers", "{\"search\":\"ford\",\"LIMIT\":\"5\"}", "{\"query\":\"ford\",\"limit\":5}",
       NULL},
      {REPORT, "{\"start_date\":\"2026-10-01\",\"endDate\":\"2026-10-05\"}",
       "{\"date_ranges\":[" RANGE("2026-10-01", "2026-10-05") "]}", NULL},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

#define OVER(text) "{\"date_range\":\"" text "\"}"
#define DAYS(start, end) "{\"date_range\":" RANGE(start, end) "}"
#define READ(text, start, end) "\"" text "\" read as " start " to " end
#define PERIOD(text, start, end)                                                                   \
  {COMPARE, OVER(text), DAYS(start, end), READ(text, start, end)},                                 \
  {                                                                                                \
    COMPARE, "{\"date_range\":{\"start_date\":\"" text "\"}}", DAYS(start, end),                   \
        READ(text, start, end)                                                                     \
  }

static void periods_in_one_word(void)
{
  static const struct same cases[] = {
      PERIOD("last week", "2026-11-23", "2026-11-29"),
      PERIOD("last month", "2026-10-01", "2026-10-31"),
      PERIOD("Last_Month", "2026-10-01", "2026-10-31"),
      PERIOD("previous month", "2026-10-01", "2026-10-31"),
      PERIOD("the last month", "2026-10-01", "2026-10-31"),
      PERIOD("last quarter", "2026-07-01", "2026-09-30"),
      PERIOD("last year", "2025-01-01", "2025-12-31"),
      PERIOD("this week", "2026-11-30", "today"),
      PERIOD("this month", "2026-11-01", "today"),
      PERIOD("month to date", "2026-11-01", "today"),
      PERIOD("MTD", "2026-11-01", "today"),
      PERIOD("this quarter", "2026-10-01", "today"),
      PERIOD("year to date", "2026-01-01", "today"),
      PERIOD("last 7 days", "7daysAgo", "yesterday"),
      PERIOD("past 28 days", "28daysAgo", "yesterday"),
      PERIOD("LAST_30_DAYS", "30daysAgo", "yesterday"),
      PERIOD("last7Days", "7daysAgo", "yesterday"),
      PERIOD("last 2 weeks", "2026-11-16", "2026-11-29"),
      PERIOD("last 3 months", "2026-08-01", "2026-10-31"),
      PERIOD("2026-10", "2026-10-01", "2026-10-31"),
      PERIOD("10/2026", "2026-10-01", "2026-10-31"),
      PERIOD("2026-02", "2026-02-01", "2026-02-28"),
      PERIOD("2024-02", "2024-02-01", "2024-02-29"),
      PERIOD("2026-Q3", "2026-07-01", "2026-09-30"),
      PERIOD("Q3 2026", "2026-07-01", "2026-09-30"),
      PERIOD("October 2026", "2026-10-01", "2026-10-31"),
      PERIOD("oct 2026", "2026-10-01", "2026-10-31"),
      PERIOD("2026 October", "2026-10-01", "2026-10-31"),
      PERIOD("2025", "2025-01-01", "2025-12-31"),
      PERIOD("2026-W47", "2026-11-16", "2026-11-22"),
      PERIOD("2026-W01", "2025-12-29", "2026-01-04"),
      PERIOD("2026-W53", "2026-12-28", "2027-01-03"),
      {COMPARE, OVER("2026-10-01 to 2026-10-05"), DAYS("2026-10-01", "2026-10-05"), NULL},
      {COMPARE, OVER("2026-10-01..2026-10-05"), DAYS("2026-10-01", "2026-10-05"), NULL},
      {COMPARE, OVER("2026-10-01/2026-10-05"), DAYS("2026-10-01", "2026-10-05"), NULL},
      {COMPARE, OVER("2026-10-05"), DAYS("2026-10-05", "2026-10-05"), NULL},
      {COMPARE, OVER("Yesterday"), DAYS("yesterday", "yesterday"), NULL},
      {COMPARE, DAYS("last month", "last month"), DAYS("2026-10-01", "2026-10-31"),
       READ("last month", "2026-10-01", "2026-10-31")},
      {COMPARE, DAYS("2026-08", "2026-10"), DAYS("2026-08-01", "2026-10-31"),
       "start_date \"2026-08\" read as 2026-08-01"},
      {REPORT, "{\"date_ranges\":[\"last month\",\"2026-Q2\"]}",
       "{\"date_ranges\":[" RANGE("2026-10-01", "2026-10-31") "," RANGE("2026-04-01",
                                                                        "2026-06-30") "]}",
       READ("last month", "2026-10-01", "2026-10-31")},
      {REPORT, "{\"period\":\"last month\"}",
       "{\"date_ranges\":[" RANGE("2026-10-01", "2026-10-31") "]}",
       READ("last month", "2026-10-01", "2026-10-31")},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

static void single_days_in_any_form(void)
{
  static const struct same cases[] = {
      {COMPARE, DAYS("28 days ago", "YESTERDAY"), DAYS("28daysAgo", "yesterday"), NULL},
      {COMPARE, DAYS("28DaysAgo", "Today"), DAYS("28daysAgo", "today"), NULL},
      {COMPARE, DAYS("28daysago", "today"), DAYS("28daysAgo", "today"), NULL},
      {COMPARE, DAYS("20261001", "2026/10/5"), DAYS("2026-10-01", "2026-10-05"),
       "end_date \"2026/10/5\" read as 2026-10-05"},
      {COMPARE, DAYS("2026-10-01T00:00:00Z", "2026-10-05 23:59"), DAYS("2026-10-01", "2026-10-05"),
       NULL},
      {COMPARE, DAYS("October 1, 2026", "5th of October 2026"), DAYS("2026-10-01", "2026-10-05"),
       NULL},
      {COMPARE, DAYS("25/10/2026", "2026-10-28"), DAYS("2026-10-25", "2026-10-28"),
       "start_date \"25/10/2026\" read as 2026-10-25"},
      {COMPARE, DAYS("10/25/2026", "2026-10-28"), DAYS("2026-10-25", "2026-10-28"),
       "start_date \"10/25/2026\" read as 2026-10-25"},
      {COMPARE, DAYS("10/10/2026", "2026-10-28"), DAYS("2026-10-10", "2026-10-28"),
       "start_date \"10/10/2026\" read as 2026-10-10"},
      {COMPARE, "{\"date_range\":{\"start_date\":20261001,\"end_date\":20261005}}",
       DAYS("2026-10-01", "2026-10-05"), NULL},
      {COMPARE, "{\"date_range\":[\"2026-10-01\",\"2026-10-05\"]}",
       DAYS("2026-10-01", "2026-10-05"), NULL},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

#define METRIC(sloppy, plain, note)                                                                \
  {                                                                                                \
    REPORT, "{\"metrics\":[\"" sloppy "\"]}", "{\"metrics\":[\"" plain "\"]}", note                \
  }
#define DIMENSION(sloppy, plain, note)                                                             \
  {                                                                                                \
    REPORT, "{\"dimensions\":[\"" sloppy "\"]}", "{\"dimensions\":[\"" plain "\"]}", note          \
  }

static void names_of_dimensions_and_metrics(void)
{
  static const struct same cases[] = {
      METRIC("engaged_sessions", "engagedSessions", NULL),
      METRIC("Engagement rate", "engagementRate", NULL),
      METRIC("SESSIONS", "sessions", NULL),
      METRIC("Views", "screenPageViews", NULL),
      METRIC("page-views-of-nothing", "page-views-of-nothing", NULL),
      METRIC("keyevents:generate_lead", "keyEvents:generate_lead", NULL),
      METRIC("users", "totalUsers", "users read as totalUsers"),
      METRIC("ga:users", "totalUsers", "ga:users read as totalUsers"),
      METRIC("ga:sessions", "sessions", "ga:sessions read as sessions"),
      METRIC("pageviews", "screenPageViews", "pageviews read as screenPageViews"),
      METRIC("page_views", "screenPageViews", "page_views read as screenPageViews"),
      METRIC("avgSessionDuration", "averageSessionDuration",
             "avgSessionDuration read as averageSessionDuration"),
      METRIC("goalCompletionsAll", "keyEvents", "goalCompletionsAll read as keyEvents"),
      METRIC("conversions", "keyEvents", "conversions read as keyEvents"),
      METRIC("bounceRate", "bounceRate", NULL),
      METRIC("session", "session", NULL),
      DIMENSION("session_default_channel_group", "sessionDefaultChannelGroup", NULL),
      DIMENSION("Session source / medium", "sessionSourceMedium", NULL),
      DIMENSION("Device category", "deviceCategory", NULL),
      DIMENSION("Page path + query string", "pagePathPlusQueryString", NULL),
      DIMENSION("hostname", "hostName", NULL),
      DIMENSION("customevent:Vehicle_Make", "customEvent:Vehicle_Make", NULL),
      DIMENSION("channelGrouping", "sessionDefaultChannelGroup",
                "channelGrouping read as sessionDefaultChannelGroup"),
      DIMENSION("ga:source", "sessionSource", "ga:source read as sessionSource"),
      DIMENSION("source", "source", NULL),
      DIMENSION("landingPagePath", "landingPagePlusQueryString",
                "landingPagePath read as landingPagePlusQueryString"),
      DIMENSION("userType", "newVsReturning", "userType read as newVsReturning"),
      DIMENSION("channel", "channel", NULL),
      {REPORT, "{\"metrics\":[\"uniquePageviews\"],\"dimensions\":[\"page_path\"]}",
       "{\"metrics\":[\"sessions\"],\"dimensions\":[\"pagePath\"]}",
       "uniquePageviews read as sessions"},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

#define WHERE(filter) "{\"dimension_filter\":" filter "}"
#define HAVING(filter) "{\"metric_filter\":" filter "}"
#define CITY "{\"filter\":{\"field_name\":\"city\",\"string_filter\":{\"value\":\"Reno\"}}}"
#define EXACT_CITY                                                                                 \
  "{\"filter\":{\"field_name\":\"city\",\"string_filter\":{\"match_type\":\"EXACT\",\"value\":"    \
  "\"Reno\"}}}"
#define MOBILE                                                                                     \
  "{\"filter\":{\"field_name\":\"deviceCategory\",\"in_list_filter\":{\"values\":[\"mobile\","     \
  "\"tablet\"]}}}"
#define OVER_TEN                                                                                   \
  "{\"filter\":{\"field_name\":\"sessions\",\"numeric_filter\":{\"operation\":\"GREATER_THAN\","   \
  "\"value\":{\"int64_value\":10}}}}"
#define NOT(filter) "{\"not_expression\":" filter "}"
#define AND(a, b) "{\"and_group\":{\"expressions\":[" a "," b "]}}"
#define OR(a, b) "{\"or_group\":{\"expressions\":[" a "," b "]}}"

static void filters_of_dimensions(void)
{
  static const struct same cases[] = {
      {REPORT, WHERE("{\"field\":\"city\",\"value\":\"Reno\"}"), WHERE(CITY), NULL},
      {REPORT, WHERE("{\"field\":\"City\",\"match\":\"EXACT\",\"value\":\"Reno\"}"),
       WHERE(EXACT_CITY), NULL},
      {REPORT, WHERE("{\"field\":\"city\",\"match\":\"equals\",\"value\":\"Reno\"}"),
       WHERE(EXACT_CITY), NULL},
      {REPORT,
       WHERE("{\"fieldName\":\"city\",\"stringFilter\":{\"matchType\":\"exact\",\"value\":\"Reno\"}"
             "}"),
       WHERE(EXACT_CITY), NULL},
      {REPORT,
       WHERE("{\"fieldName\":\"city\",\"stringFilter\":{\"matchType\":1,\"value\":\"Reno\"}}"),
       WHERE(EXACT_CITY), NULL},
      {REPORT,
       WHERE("{\"filter\":{\"fieldName\":\"city\",\"string_filter\":{\"value\":\"Reno\"}}}"),
       WHERE(CITY), NULL},
      {REPORT, WHERE("{\"filter_expression\":" CITY "}"), WHERE(CITY), NULL},
      {REPORT, WHERE("{\"filterExpression\":{\"filter\":{\"city\":\"Reno\"}}}"), WHERE(CITY), NULL},
      {REPORT, WHERE("{\"city\":\"Reno\"}"), WHERE(CITY), NULL},
      {REPORT, WHERE("[{\"city\":\"Reno\"}]"), WHERE(CITY), NULL},
      {REPORT, WHERE("\"{\\\"city\\\":\\\"Reno\\\"}\""), WHERE(CITY), NULL},
      {REPORT, WHERE("{\"device_category\":[\"mobile\",\"tablet\"]}"), WHERE(MOBILE), NULL},
      {REPORT,
       WHERE("{\"field\":\"deviceCategory\",\"match\":\"IN_LIST\",\"values\":[\"mobile\","
             "\"tablet\"]}"),
       WHERE(MOBILE), NULL},
      {REPORT,
       WHERE(
           "{\"field\":\"deviceCategory\",\"operator\":\"in\",\"value\":[\"mobile\",\"tablet\"]}"),
       WHERE(MOBILE), NULL},
      {REPORT,
       WHERE(
           "{\"field\":\"deviceCategory\",\"match\":\"EXACT\",\"values\":[\"mobile\",\"tablet\"]}"),
       WHERE(MOBILE), NULL},
      {REPORT, WHERE("{\"city\":\"Reno\",\"deviceCategory\":[\"mobile\",\"tablet\"]}"),
       WHERE(AND(CITY, MOBILE)), NULL},
      {REPORT,
       WHERE("{\"and\":[{\"city\":\"Reno\"},{\"deviceCategory\":[\"mobile\",\"tablet\"]}]}"),
       WHERE(AND(CITY, MOBILE)), NULL},
      {REPORT, WHERE("{\"andGroup\":[" CITY "," MOBILE "]}"), WHERE(AND(CITY, MOBILE)), NULL},
      {REPORT, WHERE("{\"OR\":{\"expressions\":[" CITY "," MOBILE "]}}"), WHERE(OR(CITY, MOBILE)),
       NULL},
      {REPORT, WHERE("{\"not\":{\"city\":\"Reno\"}}"), WHERE(NOT(CITY)), NULL},
      {REPORT, WHERE("{\"field\":\"city\",\"match\":\"!=\",\"value\":\"Reno\"}"),
       WHERE(NOT(EXACT_CITY)), NULL},
      {REPORT,
       WHERE("{\"or\":[{\"not\":{\"and\":[{\"city\":\"Reno\"},{\"not\":" MOBILE
             "}]}},{\"city\":\"Reno\"}]}"),
       WHERE(OR(NOT(AND(CITY, NOT(MOBILE))), CITY)), NULL},
      {REPORT, WHERE("{\"field\":\"city\",\"match\":\"EMPTY\"}"),
       WHERE("{\"filter\":{\"field_name\":\"city\",\"empty_filter\":{}}}"), NULL},
      {REPORT,
       WHERE("{\"field\":\"city\",\"match\":\"starts with\",\"value\":\" "
             "Re\",\"caseSensitive\":\"true\"}"),
       WHERE("{\"filter\":{\"field_name\":\"city\",\"string_filter\":{\"match_type\":\"BEGINS_"
             "WITH\",\"value\":"
             "\" Re\",\"case_sensitive\":true}}}"),
       NULL},
      {REPORT, WHERE("{\"year\":2026}"),
       WHERE("{\"filter\":{\"field_name\":\"year\",\"string_filter\":{\"value\":\"2026\"}}}"),
       NULL},
      {REPORT, WHERE("{\"city\":\"null\"}"),
       WHERE("{\"filter\":{\"field_name\":\"city\",\"string_filter\":{\"value\":\"null\"}}}"),
       NULL},
      {REPORT, WHERE("{\"channelGrouping\":\"Direct\"}"),
       WHERE("{\"filter\":{\"field_name\":\"sessionDefaultChannelGroup\",\"string_filter\":{"
             "\"value\":\"Direct\"}}}"),
       "channelGrouping read as sessionDefaultChannelGroup"},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

static void filters_of_metrics(void)
{
  static const struct same cases[] = {
      {REPORT, HAVING("{\"field\":\"sessions\",\"match\":\"GREATER_THAN\",\"value\":10}"),
       HAVING(OVER_TEN), NULL},
      {REPORT, HAVING("{\"field\":\"sessions\",\"match\":\"greaterThan\",\"value\":\"10\"}"),
       HAVING(OVER_TEN), NULL},
      {REPORT, HAVING("{\"metric\":\"Sessions\",\"operator\":\">\",\"value\":10}"),
       HAVING(OVER_TEN), NULL},
      {REPORT, HAVING("{\"sessions\":{\">\":10}}"), HAVING(OVER_TEN), NULL},
      {REPORT, HAVING("{\"sessions\":{\"op\":\"gt\",\"value\":10}}"), HAVING(OVER_TEN), NULL},
      {REPORT,
       HAVING("{\"filter\":{\"fieldName\":\"sessions\",\"numericFilter\":{\"operation\":\"GREATER_"
              "THAN\",\"value\":10}}}"),
       HAVING(OVER_TEN), NULL},
      {REPORT,
       HAVING("{\"filter\":{\"fieldName\":\"sessions\",\"numericFilter\":{\"operation\":4,"
              "\"value\":{\"int64Value\":\"10\"}}}}"),
       HAVING(OVER_TEN), NULL},
      {REPORT, HAVING("{\"bounce_rate\":0.5}"),
       HAVING("{\"filter\":{\"field_name\":\"bounceRate\",\"numeric_filter\":{\"operation\":"
              "\"EQUAL\",\"value\":{\"double_value\":0.5}}}}"),
       NULL},
      {REPORT, HAVING("{\"field\":\"sessions\",\"match\":\"BETWEEN\",\"values\":[1,\"5\"]}"),
       HAVING("{\"filter\":{\"field_name\":\"sessions\",\"between_filter\":{\"from_value\":{"
              "\"int64_value\":1},\"to_value\":{\"int64_value\":5}}}}"),
       NULL},
      {REPORT, HAVING("{\"sessions\":{\"gt\":10,\"lte\":20}}"),
       HAVING("{\"and_group\":{\"expressions\":[" OVER_TEN
              ",{\"filter\":{\"field_name\":\"sessions\",\"numeric_filter\":{"
              "\"operation\":\"LESS_THAN_OR_EQUAL\",\"value\":{\"int64_value\":20}}}}]}}"),
       NULL},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

#define BY(order) "{\"metrics\":[\"sessions\"],\"dimensions\":[\"city\"],\"order_bys\":" order "}"
#define SESSIONS_DESC BY("[{\"metric\":{\"metric_name\":\"sessions\"},\"desc\":true}]")

static void sort_orders(void)
{
  static const struct same cases[] = {
      {REPORT, BY("[{\"field\":\"sessions\",\"desc\":true}]"), SESSIONS_DESC, NULL},
      {REPORT, BY("[\"-sessions\"]"), SESSIONS_DESC, NULL},
      {REPORT, BY("\"sessions desc\""), SESSIONS_DESC, NULL},
      {REPORT, BY("\"Sessions:DESC\""), SESSIONS_DESC, NULL},
      {REPORT, BY("{\"sessions\":\"descending\"}"), SESSIONS_DESC, NULL},
      {REPORT, BY("[{\"metricName\":\"sessions\",\"desc\":\"true\"}]"), SESSIONS_DESC, NULL},
      {REPORT, BY("[{\"metric\":\"sessions\",\"order\":\"desc\"}]"), SESSIONS_DESC, NULL},
      {REPORT, BY("[{\"metric\":{\"metricName\":\"Sessions\"},\"desc\":true}]"), SESSIONS_DESC,
       NULL},
      {REPORT, BY("[{\"field\":\"city\"}]"), BY("[{\"dimension\":{\"dimension_name\":\"city\"}}]"),
       NULL},
      {REPORT, "{\"metrics\":[\"users\"],\"sort\":\"-users\"}",
       "{\"metrics\":[\"totalUsers\"],\"order_bys\":[{\"metric\":{\"metric_name\":\"totalUsers\"},"
       "\"desc\":true}]}",
       "users read as totalUsers"},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

#define PER_USER "{\"name\":\"users\",\"expression\":\"eventCount/activeUsers\"}"
#define TOWN                                                                                       \
  "{\"name\":\"browser "                                                                           \
  "type\",\"dimension_expression\":{\"lower_case\":{\"dimension_name\":\"city\"}}}"

/* Google's form among the names, names that are defined but not asked for, and names that would be
 * read as Google's if the call did not define them. */
static void definitions(void)
{
  static const struct same cases[] = {
      {REPORT, "{\"metrics\":[\"sessions\"," PER_USER "]}",
       "{\"metrics\":[\"sessions\",\"users\"],\"metric_expressions\":[" PER_USER "]}", NULL},
      {ACROSS, "{\"metrics\":" PER_USER "}",
       "{\"metrics\":[\"users\"],\"metric_expressions\":[" PER_USER "]}", NULL},
      {REPORT, "{\"metrics\":\"ga:sessions, newUsers\",\"metricExpressions\":" PER_USER "}",
       "{\"metrics\":[\"sessions\",\"newUsers\",\"users\"],\"metric_expressions\":[" PER_USER "]}",
       "ga:sessions read as sessions"},
      {REPORT,
       "{\"metrics\":[{\"name\":\"sessions\"},{\"name\":\"keyEvents\",\"invisible\":true}]}",
       "{\"metrics\":[\"sessions\",\"keyEvents\"],\"metric_expressions\":[{\"name\":\"keyEvents\","
       "\"invisible\":true}]}",
       NULL},
      {REPORT,
       "{\"metrics\":[\"sessions\"],\"dimensions\":[{\"name\":\"browser type\","
       "\"dimensionExpression\":{\"lowerCase\":{\"dimensionName\":\"city\"}}}]}",
       "{\"metrics\":[\"sessions\"],\"dimensions\":[\"browser "
       "type\"],\"dimension_expressions\":[" TOWN "]}",
       NULL},
      {REPORT,
       "{\"metrics\":[" PER_USER "],\"sort\":\"-users\",\"metric_filter\":{\"field\":\"users\","
       "\"match\":\"GREATER_THAN\",\"values\":[10]}}",
       "{\"metrics\":[\"users\"],\"metric_expressions\":[" PER_USER "],\"order_bys\":[{\"metric\":{"
       "\"metric_name\":\"users\"},\"desc\":true}],\"metric_filter\":{\"filter\":{\"field_name\":"
       "\"users\",\"numeric_filter\":{\"operation\":\"GREATER_THAN\",\"value\":{\"int64_value\":10}"
       "}"
       "}}}",
       NULL},
      {REPORT,
       "{\"dimensions\":[{\"name\":\"p\",\"dimensionExpression\":{\"concatenate\":{"
       "\"dimensionNames\":[\"city\",\"region\"],\"delimiter\":\" / \"}}}]}",
       "{\"dimensions\":[\"p\"],\"dimension_expressions\":[{\"name\":\"p\","
       "\"dimension_expression\":{\"concatenate\":{\"dimension_names\":[\"city\",\"region\"],"
       "\"delimiter\":\" / \"}}}]}",
       NULL},
      {"check_compatibility",
       "{\"metrics\":" PER_USER ",\"dimension_filter\":{\"field\":\"city\",\"value\":"
       "\"Reno\"}}",
       "{\"metrics\":[\"users\"],\"metric_expressions\":[" PER_USER
       "],\"dimension_filter\":{\"filter\":{\"field_name\":\"city\",\"string_filter\":{\"value\":"
       "\"Reno\"}}}}",
       NULL},
      {"run_conversions_report", "{\"metrics\":[" PER_USER "],\"order_bys\":\"-users\"}",
       "{\"metrics\":[\"users\"],\"metric_expressions\":[" PER_USER "],\"order_bys\":[{\"metric\":{"
       "\"metric_name\":\"users\"},\"desc\":true}]}",
       NULL},
      {"run_funnel_report",
       "{\"steps\":[\"form_start\"],\"breakdown\":{\"breakdownDimension\":\"browser type\"},"
       "\"dimensionExpressions\":[" TOWN "]}",
       "{\"funnel_steps\":[{\"event\":\"form_start\"}],\"funnel_breakdown\":{"
       "\"breakdown_dimension\":\"browser type\"},\"dimension_expressions\":[" TOWN "]}",
       NULL},
      {"batch_run_reports",
       "{\"requests\":[{\"metrics\":[" PER_USER "]},{\"metrics\":[\"users\"]}]}",
       "{\"requests\":[{\"metrics\":[\"users\"],\"metric_expressions\":[" PER_USER "]},{"
       "\"metrics\":[\"totalUsers\"]}]}",
       "users read as totalUsers"},
  };
  expect_all(cases, ARRAY_LEN(cases));
}

static void names_are_sorted_and_each_is_found(void)
{
  static const enum ga4_kind kinds[] = {GA4_DIMENSION, GA4_METRIC};
  for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
    size_t n;
    const struct ga4_field *fields = ga4_fields(kinds[k], &n);
    for (size_t i = 0; i < n; i++) {
      CU_ASSERT_TRUE(i == 0 || strcmp(fields[i - 1].name, fields[i].name) < 0);
      CU_ASSERT_PTR_EQUAL(ga4_find(kinds[k], fields[i].name), fields[i].name);
    }
  }
}

TEST_MAIN("sloppy arguments", TEST(names_are_sorted_and_each_is_found),
          TEST(shapes_and_words_of_values), TEST(steps_of_funnels_as_names_of_events),
          TEST(other_names_of_the_limit), TEST(a_field_that_google_refused_has_closest_names),
          TEST(names_of_arguments), TEST(periods_in_one_word), TEST(single_days_in_any_form),
          TEST(names_of_dimensions_and_metrics), TEST(filters_of_dimensions),
          TEST(filters_of_metrics), TEST(sort_orders), TEST(definitions))
