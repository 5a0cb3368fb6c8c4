/* Answers made from typed messages: both forms say the same, in one order, and nothing is lost. */
#include <math.h>
#include <string.h>

#include <analytics/aggregate/v1/aggregate.pb-c.h>
#include <analytics/auth/v1/auth.pb-c.h>
#include <analytics/report/v1/report.pb-c.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/answer/plan.h"
#include "tests/unit/harness.h"

enum { MAX = 1 << 20 };

struct answer {
  struct buf text, structured;
  struct err e;
};

static struct answer write_with(const char *tool, const ProtobufCMessage *m,
                                const struct answer_notes *own, size_t max_text)
{
  struct answer a = {.text = BUF_INIT(MAX), .structured = BUF_INIT(MAX)};
  struct answer_plan *plan = answer_plan_new(catalog_find(tool));
  CU_ASSERT_PTR_EQUAL_FATAL(catalog_find(tool)->output, m->descriptor);
  answer_write(&a.text, &a.structured, plan, m, own, max_text, &a.e);
  answer_plan_free(plan);
  return a;
}

static struct answer write(const char *tool, const ProtobufCMessage *m, size_t max_text)
{
  return write_with(tool, m, NULL, max_text);
}

static void end(struct answer *a)
{
  buf_free(&a->text);
  buf_free(&a->structured);
}

static void expect(const char *tool, const ProtobufCMessage *m, const char *text,
                   const char *structured)
{
  struct answer a = write(tool, m, MAX);
  CU_ASSERT_EQUAL(a.e.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&a.text), text);
  CU_ASSERT_STRING_EQUAL(buf_str(&a.structured), structured);
  if (strcmp(buf_str(&a.text), text) != 0 || strcmp(buf_str(&a.structured), structured) != 0)
    fprintf(stderr, "%s\n%s\n", buf_str(&a.text), buf_str(&a.structured));
  end(&a);
}

/* -------------------------------------------------------------------- a list */

static Analytics__Auth__V1__Dealer dealers[3];
static Analytics__Auth__V1__Dealer *dealer_list[] = {&dealers[0], &dealers[1], &dealers[2]};
static Analytics__Auth__V1__ListDealersResponse list;

static void make_list(void)
{
  static char *properties[] = {(char *)"1", (char *)"22"};
  static char *regions[] = {(char *)"West", (char *)"East"};
  static Analytics__Auth__V1__DealerSettings settings;
  for (size_t i = 0; i < ARRAY_LEN(dealers); i++)
    analytics__auth__v1__dealer__init(&dealers[i]);
  analytics__auth__v1__dealer_settings__init(&settings);
  settings.time_zone = (char *)"America/Denver";
  dealers[0].dealer_id = (char *)"d01";
  dealers[0].name = (char *)"Ford\tof\nReno";
  dealers[0].property_ids = properties;
  dealers[0].n_property_ids = 2;
  dealers[1].dealer_id = (char *)"d02";
  dealers[1].settings = &settings;
  dealers[2].dealer_id = (char *)"d03";
  analytics__auth__v1__list_dealers_response__init(&list);
  list.dealers = dealer_list;
  list.n_dealers = 3;
  list.total = 24;
  list.next_offset = 3;
  list.regions = regions;
  list.n_regions = 2;
}

static void empty_columns_are_left_out_and_messages_inside_rows_are_flat(void)
{
  make_list();
  expect("list_dealers", &list.base,
         "3 dealers in this answer\ntotal: 24\nregions: West, East\n\n"
         "dealer_id\tname\tproperty_ids\tsettings_time_zone\n"
         "d01\tFord of Reno\t1, 22\t-\n"
         "d02\t-\t-\tAmerica/Denver\n"
         "d03\t-\t-\t-\n"
         "More rows: call list_dealers again with offset 3.\n",
         "{\"headline\":\"3 dealers in this answer\",\"total\":24,\"regions\":[\"West\",\"East\"],"
         "\"next_offset\":3,"
         "\"columns\":[\"dealer_id\",\"name\",\"property_ids\",\"settings_time_zone\"],\"rows\":["
         "[\"d01\",\"Ford\\tof\\nReno\",[\"1\",\"22\"],null],"
         "[\"d02\",null,null,\"America/Denver\"],[\"d03\",null,null,null]]}");
}

static void an_empty_list_is_an_answer(void)
{
  analytics__auth__v1__list_dealers_response__init(&list);
  expect("list_dealers", &list.base, "No dealers in this answer\ntotal: 0\n",
         "{\"headline\":\"No dealers in this answer\",\"total\":0,\"next_offset\":0,"
         "\"columns\":[],\"rows\":[]}");
}

/* A page that was cut goes on where the cut was, not where the service's next page begins. */
static void a_cut_names_the_offset_to_go_on_with(void)
{
  make_list();
  const struct answer_notes own = {.has_offset = true, .offset = 40};
  char name[301];
  memset(name, 'x', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  for (size_t i = 0; i < ARRAY_LEN(dealers); i++)
    dealers[i].name = name;
  list.next_offset = 43;
  struct answer whole = write_with("list_dealers", &list.base, &own, 4096);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&whole.text), "call list_dealers again with offset 43."));
  size_t cut = 0;
  for (size_t max = 0; max < whole.text.len + 200; max++) {
    struct answer a = write_with("list_dealers", &list.base, &own, max);
    size_t rows = 0;
    for (size_t i = 0; i < ARRAY_LEN(dealers); i++)
      rows += strstr(buf_str(&a.text), dealers[i].dealer_id) != NULL;
    char says[64];
    snprintf(says, sizeof(says), "again with offset %zu.", 40 + rows);
    CU_ASSERT_TRUE(rows == 0 || strstr(buf_str(&a.text), says) != NULL);
    cut += rows > 0 && rows < 3;
    end(&a);
  }
  CU_ASSERT_TRUE(cut > 0);
  end(&whole);
}

/* 200 dealers do not push the averages of their region out of the text. */
static void a_long_table_leaves_a_short_one_its_place(void)
{
  enum { DEALERS = 200, METRICS = 6 };
  typedef Analytics__Aggregate__V1__CompareDealerSessionsResult result_message;
  static Analytics__Aggregate__V1__DealerSessions sites[DEALERS], *site_list[DEALERS];
  static Analytics__Aggregate__V1__MetricAverage means[METRICS], *mean_list[METRICS];
  Analytics__Aggregate__V1__RegionalAverage average =
      ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__INIT;
  result_message result = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  for (size_t i = 0; i < DEALERS; i++) {
    analytics__aggregate__v1__dealer_sessions__init(site_list[i] = &sites[i]);
    sites[i].dealer_id = (char *)"d001";
    sites[i].name = (char *)"A dealer with a name of some length";
    sites[i].sessions = 1000;
  }
  for (size_t i = 0; i < METRICS; i++) {
    analytics__aggregate__v1__metric_average__init(mean_list[i] = &means[i]);
    means[i].metric = (char *)"engagement_rate";
    means[i].dealers = 200;
  }
  average.metrics = mean_list;
  average.n_metrics = METRICS;
  result.dealers = site_list;
  result.n_dealers = DEALERS;
  result.regional_average = &average;
  struct answer a = write("compare_dealer_sessions", &result.base, 5500);
  size_t rows = 0, averages = 0;
  for (const char *p = buf_str(&a.text); (p = strstr(p, "\nd001\t")) != NULL; p++)
    rows++;
  for (const char *p = buf_str(&a.text); (p = strstr(p, "\nengagement_rate\t")) != NULL; p++)
    averages++;
  CU_ASSERT_EQUAL(averages, METRICS);
  CU_ASSERT_TRUE(rows > 80 && rows < DEALERS);
  CU_ASSERT_TRUE(a.text.len <= 5500 && a.text.len > 4500);
  char says[64];
  snprintf(says, sizeof(says), "(%zu of 200 rows: the text ends here.", rows);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.text), says));
  end(&a);
}

/* Values that few rows have stand in another's cell, and what is said elsewhere has no column: both
 * are columns of the structured form. */
static void the_text_folds_rare_values_and_leaves_out_what_it_says_elsewhere(void)
{
  typedef Analytics__Aggregate__V1__CompareDealerSessionsResult result_message;
  Analytics__Aggregate__V1__DealerSessions sites[2], *site_list[] = {&sites[0], &sites[1]};
  result_message result = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  for (size_t i = 0; i < ARRAY_LEN(sites); i++) {
    analytics__aggregate__v1__dealer_sessions__init(&sites[i]);
    sites[i].dealer_id = (char *)(i == 0 ? "d01" : "d02");
    sites[i].opt_chats_case = ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_CHATS_CHATS;
    sites[i].lead_event = (char *)"generate_lead";
    sites[i].lead_kind = (char *)"form";
  }
  sites[0].chats = 12;
  sites[0].opt_live_chats_case =
      ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_LIVE_CHATS_LIVE_CHATS;
  sites[0].live_chats = 9;
  sites[0].opt_texts_case = ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_TEXTS_TEXTS;
  result.dealers = site_list;
  result.n_dealers = ARRAY_LEN(sites);
  struct answer a = write("compare_dealer_sessions", &result.base, MAX);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.text), "dealer_id\tsessions\tengaged_sessions\tchats\n"
                                                  "d01\t0\t0\t12 (live_chats 9, texts 0)\n"
                                                  "d02\t0\t0\t0\n"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&a.structured),
             "\"columns\":[\"dealer_id\",\"sessions\",\"engaged_sessions\",\"lead_event\",\"subject\","
             "\"lead_kind\",\"chats\",\"live_chats\",\"texts\"],\"rows\":["
             "[\"d01\",0,0,\"generate_lead\",false,\"form\",12,9,0],"
             "[\"d02\",0,0,\"generate_lead\",false,\"form\",0,null,null]]"));
  end(&a);
}

static void the_text_is_cut_between_rows_and_says_so(void)
{
  make_list();
  for (size_t max = 0; max < 200; max++) {
    struct answer a = write("list_dealers", &list.base, max);
    size_t rows = 0;
    for (size_t i = 0; i < ARRAY_LEN(dealers); i++)
      rows += strstr(buf_str(&a.text), dealers[i].dealer_id) != NULL;
    char says[64];
    snprintf(says, sizeof(says), "(%zu of 3 rows: the text ends here.", rows);
    CU_ASSERT_EQUAL(strstr(buf_str(&a.text), says) != NULL, rows < 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.structured), "d03"));
    end(&a);
  }
}

/* -------------------------------------------------------------------- a report */

static void a_report_has_its_headers_as_columns_and_numbers_as_numbers(void)
{
  Analytics__Ga4__V1beta__DimensionHeader dimension =
      ANALYTICS__GA4__V1BETA__DIMENSION_HEADER__INIT;
  Analytics__Ga4__V1beta__MetricHeader metrics[2] = {ANALYTICS__GA4__V1BETA__METRIC_HEADER__INIT,
                                                     ANALYTICS__GA4__V1BETA__METRIC_HEADER__INIT};
  Analytics__Ga4__V1beta__DimensionValue date = ANALYTICS__GA4__V1BETA__DIMENSION_VALUE__INIT;
  Analytics__Ga4__V1beta__MetricValue values[2] = {ANALYTICS__GA4__V1BETA__METRIC_VALUE__INIT,
                                                   ANALYTICS__GA4__V1BETA__METRIC_VALUE__INIT};
  Analytics__Ga4__V1beta__Row row = ANALYTICS__GA4__V1BETA__ROW__INIT;
  Analytics__Report__V1__RunReportResponse r = ANALYTICS__REPORT__V1__RUN_REPORT_RESPONSE__INIT;
  dimension.name = (char *)"date";
  metrics[0].name = (char *)"sessions";
  metrics[1].name = (char *)"engagementRate";
  date.value = (char *)"20261001";
  values[0].value = (char *)"9007199254740992";
  values[1].value = (char *)"0.56605";
  r.dealer_id = (char *)"d01";
  r.n_dimension_headers = 1;
  r.dimension_headers = (Analytics__Ga4__V1beta__DimensionHeader *[]){&dimension};
  r.n_metric_headers = 2;
  r.metric_headers = (Analytics__Ga4__V1beta__MetricHeader *[]){&metrics[0], &metrics[1]};
  row.n_dimension_values = 1;
  row.dimension_values = (Analytics__Ga4__V1beta__DimensionValue *[]){&date};
  row.n_metric_values = 2;
  row.metric_values = (Analytics__Ga4__V1beta__MetricValue *[]){&values[0], &values[1]};
  r.n_rows = 1;
  r.rows = (Analytics__Ga4__V1beta__Row *[]){&row};
  r.row_count = 1;
  expect("run_report", &r.base,
         "dealer_id: d01\nrow_count: 1\n\ndate\tsessions\tengagementRate\n"
         "20261001\t9007199254740992\t0.5661\n",
         "{\"dealer_id\":\"d01\",\"row_count\":1,\"next_offset\":0,"
         "\"columns\":[\"date\",\"sessions\",\"engagementRate\"],"
         "\"rows\":[[\"20261001\",9007199254740992,0.56605]]}");
  values[0].value = (char *)"9007199254740993";
  struct answer a = write("run_report", &r.base, MAX);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.structured), "\"9007199254740993\""));
  end(&a);
  r.n_rows = 0; /* the columns stand all the same */
  a = write("run_report", &r.base, MAX);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&a.structured),
             "\"columns\":[\"date\",\"sessions\",\"engagementRate\"],\"rows\":[]"));
  end(&a);
}

/* -------------------------------------------------------------------- lists inside lists */

static void rows_of_lists_inside_lists_carry_what_stands_above_them(void)
{
  typedef Analytics__Report__V1__GetAccountSummariesResponse Response;
  Analytics__Ga4__V1beta__PropertySummary properties[2] = {
      ANALYTICS__GA4__V1BETA__PROPERTY_SUMMARY__INIT,
      ANALYTICS__GA4__V1BETA__PROPERTY_SUMMARY__INIT};
  Analytics__Ga4__V1beta__AccountSummary account = ANALYTICS__GA4__V1BETA__ACCOUNT_SUMMARY__INIT;
  Analytics__Report__V1__GetAccountSummariesResponse__DealerAccounts one =
      ANALYTICS__REPORT__V1__GET_ACCOUNT_SUMMARIES_RESPONSE__DEALER_ACCOUNTS__INIT;
  Analytics__Report__V1__GetAccountSummariesResponse__DealerAccounts none = one;
  Response r = ANALYTICS__REPORT__V1__GET_ACCOUNT_SUMMARIES_RESPONSE__INIT;
  Analytics__Report__V1__Coverage coverage = ANALYTICS__REPORT__V1__COVERAGE__INIT;
  Analytics__Report__V1__DealerFailure failure = ANALYTICS__REPORT__V1__DEALER_FAILURE__INIT;
  Analytics__Report__V1__DealerLeftOut odd[2] = {ANALYTICS__REPORT__V1__DEALER_LEFT_OUT__INIT,
                                                 ANALYTICS__REPORT__V1__DEALER_LEFT_OUT__INIT};
  properties[0].property = (char *)"properties/1";
  properties[1].property = (char *)"properties/2";
  account.account = (char *)"accounts/7";
  account.n_property_summaries = 2;
  account.property_summaries =
      (Analytics__Ga4__V1beta__PropertySummary *[]){&properties[0], &properties[1]};
  one.dealer_id = (char *)"d01";
  one.n_account_summaries = 1;
  one.account_summaries = (Analytics__Ga4__V1beta__AccountSummary *[]){&account};
  none.dealer_id = (char *)"d02";
  r.n_dealers = 2;
  r.dealers = (Analytics__Report__V1__GetAccountSummariesResponse__DealerAccounts *[]){&one, &none};
  failure.dealer_id = (char *)"d03";
  failure.reason = (char *)"invalid_grant";
  coverage.asked = 4;
  coverage.ok = 2;
  coverage.n_failed = 1;
  coverage.failed = (Analytics__Report__V1__DealerFailure *[]){&failure};
  coverage.failed_undisclosed = 1;
  odd[0].dealer_id = (char *)"d01";
  odd[0].reason = (char *)"suspect_traffic";
  odd[0].figures = (char *)"all";
  odd[1].dealer_id = (char *)"d02";
  odd[1].reason = (char *)"gap";
  odd[1].figures = (char *)"rates";
  coverage.n_left_out = 2;
  coverage.left_out = (Analytics__Report__V1__DealerLeftOut *[]){&odd[0], &odd[1]};
  r.coverage = &coverage;
  expect("get_account_summaries", &r.base,
         "Coverage: 2 of 4 dealers; left out: d03 (invalid_grant); 1 more of dealers you may not "
         "see; in no benchmark: d01 (suspect_traffic), d02 (gap, "
         "rates)\n\ndealer_id\taccount\tproperty\tcan_edit\n"
         "d01\taccounts/7\tproperties/1\tno\nd01\taccounts/7\tproperties/2\tno\nd02\t-\t-\t-\n",
         "{\"coverage\":{\"asked\":4,\"ok\":2,\"failed\":[{\"dealer_id\":\"d03\",\"reason\":"
         "\"invalid_grant\"}],\"failed_undisclosed\":1,\"left_out\":[{\"dealer_id\":\"d01\","
         "\"reason\":\"suspect_traffic\",\"figures\":\"all\"},{\"dealer_id\":\"d02\",\"reason\":"
         "\"gap\",\"figures\":\"rates\"}]},\"next_offset\":0,"
         "\"columns\":[\"dealer_id\",\"account\",\"property\",\"can_edit\"],"
         "\"rows\":[[\"d01\",\"accounts/7\",\"properties/1\",false],[\"d01\",\"accounts/7\","
         "\"properties/2\",false],[\"d02\",null,null,null]]}");
}

/* -------------------------------------------------------------------- facts and long lists */

static void a_flat_message_is_a_line_of_names_and_values(void)
{
  typedef Analytics__Aggregate__V1__AnalyzeVehicleInterestResult Result;
  Analytics__Aggregate__V1__VehicleTotals totals = ANALYTICS__AGGREGATE__V1__VEHICLE_TOTALS__INIT;
  Result r = ANALYTICS__AGGREGATE__V1__ANALYZE_VEHICLE_INTEREST_RESULT__INIT;
  totals.sessions = 52939;
  totals.opt_reach_case = ANALYTICS__AGGREGATE__V1__VEHICLE_TOTALS__OPT_REACH_REACH;
  totals.reach = 0.172345;
  totals.vdp_views = 1234567;
  totals.models = 67;
  r.totals = &totals;
  struct answer a = write("analyze_vehicle_interest", &r.base, MAX);
  CU_ASSERT_STRING_EQUAL(buf_str(&a.text), "totals: sessions 52,939; vdp sessions 0; reach 17.23%; "
                                           "vdp views 1,234,567; models 67\n");
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&a.structured),
             "\"totals\":{\"sessions\":52939,\"vdp_sessions\":0,\"reach\":0.172345,"));
  end(&a);
}

/* Words outside tables do not grow with the number of dealers; the structured form has all. */
static void a_line_of_words_names_five_and_counts_the_rest(void)
{
  enum { MANY = 12 };
  Analytics__Aggregate__V1__CompareDealerSessionsResult r =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  Analytics__Aggregate__V1__Period period = ANALYTICS__AGGREGATE__V1__PERIOD__INIT;
  Analytics__Report__V1__Coverage coverage = ANALYTICS__REPORT__V1__COVERAGE__INIT;
  Analytics__Report__V1__DealerFailure failure[MANY], *failures[MANY];
  char names[MANY][24];
  char *zones[MANY];
  for (size_t i = 0; i < MANY; i++) {
    snprintf(names[i], sizeof(names[i]), "x%02zu", i);
    zones[i] = names[i];
    analytics__report__v1__dealer_failure__init(&failure[i]);
    failure[i].dealer_id = names[i];
    failures[i] = &failure[i];
  }
  period.start_date = (char *)"2026-10-26";
  period.end_date = (char *)"2026-11-22";
  period.days = 28;
  period.time_zones = zones;
  period.n_time_zones = MANY;
  coverage.asked = 20;
  coverage.ok = 5;
  coverage.failed = failures;
  coverage.n_failed = MANY;
  coverage.failed_undisclosed = 3;
  r.period = &period;
  r.coverage = &coverage;
  struct answer a = write("compare_dealer_sessions", &r.base, MAX);
  CU_ASSERT_STRING_EQUAL(
      buf_str(&a.text),
      "Period: 2026-10-26 to 2026-11-22 (28 days; x00, x01, x02, x03, x04 and 7 more)\n"
      "Coverage: 5 of 20 dealers; left out: x00; x01; x02; x03; x04; and 7 more; 3 more of dealers "
      "you may not see\n");
  coverage.asked = coverage.ok = 1;
  coverage.n_failed = 0;
  coverage.failed_undisclosed = 0;
  struct answer one = write("compare_dealer_sessions", &r.base, MAX);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&one.text), "\nCoverage: 1 of 1 dealer\n"));
  end(&one);
  for (size_t i = 0; i < MANY; i++) {
    AUTO_BUF struct buf failed = BUF_INIT(100);
    buf_printf(&failed, "{\"dealer_id\":\"%s\"}", names[i]);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.structured), buf_str(&failed)));
  }
  end(&a);
}

/* -------------------------------------------------------------------- several tables, formats */

static void what_is_not_known_is_null_and_numbers_read_well(void)
{
  typedef Analytics__Aggregate__V1__DealerSessions Dealer;
  Analytics__Aggregate__V1__CompareDealerSessionsResult r =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  Analytics__Aggregate__V1__Period period = ANALYTICS__AGGREGATE__V1__PERIOD__INIT;
  Dealer own = ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__INIT;
  Dealer other = own;
  own.dealer_id = (char *)"d01";
  own.sessions = 12400;
  own.opt_engagement_rate_case =
      ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_ENGAGEMENT_RATE_ENGAGEMENT_RATE;
  own.engagement_rate = 0.5660512;
  own.subject = true;
  other.dealer_id = (char *)"d02";
  other.opt_leads_per_100_sessions_case =
      ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_LEADS_PER_100_SESSIONS_LEADS_PER_100_SESSIONS;
  other.leads_per_100_sessions = NAN;
  period.start_date = (char *)"2026-10-26";
  period.end_date = (char *)"2026-11-22";
  period.days = 28;
  r.headline = (char *)"d01 leads.";
  r.period = &period;
  r.n_dealers = 2;
  r.dealers = (Dealer *[]){&own, &other};
  r.n_caveats = 2;
  r.caveats = (char *[]){(char *)"one", (char *)"two"};
  struct answer a = write("compare_dealer_sessions", &r.base, MAX);
  static const char text[] =
      "d01 leads.\nPeriod: 2026-10-26 to 2026-11-22 (28 days)\nCaveat: one\nCaveat: two\n"
      "\n"
      "dealers:\ndealer_id\tsessions\tengaged_sessions\tengagement_rate\n"
      "d01\t12400\t0\t56.61%\nd02\t0\t0\t-\n";
  CU_ASSERT_STRING_EQUAL(buf_str(&a.text), text);
  period.days = 1;
  struct answer day = write("compare_dealer_sessions", &r.base, MAX);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&day.text), "(1 day)\n"));
  end(&day);
  period.days = 28;
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.structured),
                                "\"dealers\":{\"columns\":[\"dealer_id\",\"sessions\","
                                "\"engaged_sessions\",\"engagement_rate\",\"subject\"],"
                                "\"rows\":[[\"d01\",12400,0,0.5660512,true],"
                                "[\"d02\",0,0,null,false]]}"));
  AUTO_JSON cJSON *json = cJSON_Parse(buf_str(&a.structured));
  CU_ASSERT_PTR_NOT_NULL_FATAL(json);
  static const char *const order[] = {"headline", "period", "caveats", "next_offset", "dealers"};
  const cJSON *at = json->child;
  for (size_t i = 0; i < ARRAY_LEN(order); i++, at = at->next)
    CU_ASSERT_STRING_EQUAL(at->string, order[i]);
  end(&a);
}

static void what_does_not_fit_is_an_error_and_no_half_answer(void)
{
  make_list();
  struct answer_plan *plan = answer_plan_new(catalog_find("list_dealers"));
  for (size_t max = 1; max < 150; max += 7) {
    struct buf text AUTO_BUF = BUF_INIT(MAX);
    struct buf structured AUTO_BUF = BUF_INIT(max);
    struct err e = {0};
    CU_ASSERT_EQUAL(answer_write(&text, &structured, plan, &list.base, NULL, MAX, &e),
                    ERR_RESOURCE_EXHAUSTED);
    CU_ASSERT_STRING_EQUAL(e.reason, "result_too_large");
  }
  answer_plan_free(plan);
}

static void each_tool_has_a_short_schema_that_is_json(void)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    struct answer_plan *plan = answer_plan_new(&catalog_tools[i]);
    AUTO_JSON cJSON *schema = cJSON_Parse(answer_schema(plan));
    CU_ASSERT_STRING_EQUAL(json_get_string(schema, "type"), "object");
    CU_ASSERT_TRUE(strlen(answer_schema(plan)) < 500);
    answer_plan_free(plan);
  }
}

static void no_two_columns_of_a_table_share_a_name(void)
{
  size_t n = 0;
  for (size_t i = 0; i < catalog_tools_len; i++) {
    struct answer_plan *plan = answer_plan_new(&catalog_tools[i]);
    for (size_t k = 0; k < plan->n_tables; k++)
      for (size_t x = 0; x < plan->tables[k].n_columns; x++, n++)
        for (size_t y = 0; y < x; y++)
          CU_ASSERT_STRING_NOT_EQUAL(plan->tables[k].columns[x].name,
                                     plan->tables[k].columns[y].name);
    answer_plan_free(plan);
  }
  CU_ASSERT_TRUE(n > 40);
}

TEST_MAIN("gateway answer", TEST(empty_columns_are_left_out_and_messages_inside_rows_are_flat),
          TEST(an_empty_list_is_an_answer), TEST(a_cut_names_the_offset_to_go_on_with),
          TEST(a_long_table_leaves_a_short_one_its_place),
          TEST(the_text_folds_rare_values_and_leaves_out_what_it_says_elsewhere),
      TEST(the_text_is_cut_between_rows_and_says_so),
          TEST(a_report_has_its_headers_as_columns_and_numbers_as_numbers),
          TEST(rows_of_lists_inside_lists_carry_what_stands_above_them),
          TEST(a_flat_message_is_a_line_of_names_and_values),
          TEST(a_line_of_words_names_five_and_counts_the_rest),
          TEST(what_is_not_known_is_null_and_numbers_read_well),
          TEST(what_does_not_fit_is_an_error_and_no_half_answer),
          TEST(each_tool_has_a_short_schema_that_is_json),
          TEST(no_two_columns_of_a_table_share_a_name))
