/* Dimensions and metrics of a property by words, over a fake Google. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

typedef Analytics__Report__V1__SearchFieldsRequest search_request;
typedef Analytics__Report__V1__SearchFieldsResponse search_response;

#define FIELD(api, ui, text)                                                                       \
  "{\"apiName\":\"" api "\",\"uiName\":\"" ui "\",\"description\":\"" text "\"}"
#define CUSTOM(api, ui)                                                                            \
  "{\"apiName\":\"" api "\",\"uiName\":\"" ui                                                      \
  "\",\"description\":\"An event scoped custom field\","                                           \
  "\"customDefinition\":true}"

static const char metadata
    [] = "{\"name\":\"properties/107/metadata\",\"dimensions\":[" FIELD("landingPage",
                                                                        "Landing page", "The page path of the first page of a session.") "," FIELD("sessionDefaultChannelGroup", "Session default channel group", "The channel group that led to the session.") "," FIELD("firstUserSource", "First user source", "The source that first acquired the user.") "," CUSTOM("customEvent:vehicle_make", "Vehicle make") "," CUSTOM("customUser:loyalty",
                                                                                                                                                                                                                                                                                                                                                                                                                                "Loyalty level") "],\"metrics\":[" FIELD("screenPageViews",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                         "Views",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                         "The number of pages seen.") "," FIELD("sessions", "Sessions", "The number of sessions that began.") "," FIELD("engagementRate",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "Engagement rate", "The share of engaged sessions.") "," FIELD("totalRevenue", "Total revenue", "Purchases, subscriptions and advertising.") "," FIELD("totalUsers",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "Total users",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "The number of distinct users.") "," CUSTOM("customEvent:lead_value",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "Lead value") "]}";

static struct fakes f;

static search_response *search(search_request request)
{
  struct err e;
  request.dealer_id = (char *)(uintptr_t) "d07";
  search_response *r = tool_run(&f, "SearchFields", &request.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  return r;
}

static search_request asking(const char *query)
{
  search_request request = ANALYTICS__REPORT__V1__SEARCH_FIELDS_REQUEST__INIT;
  request.query = (char *)(uintptr_t)query;
  return request;
}

static void start(void)
{
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = metadata);
}

/* The first field for some words, and how many are found. */
static void best_field_comes_first(void)
{
  static const struct {
    const char *query, *first;
    int32_t total;
  } rows[] = {
      {"landing page", "landingPage", 1},
      {"lnading page", "landingPage", 1},
      {"channel", "sessionDefaultChannelGroup", 1},
      {"chanel", "sessionDefaultChannelGroup", 1},
      {"pageviews", "screenPageViews", 1}, /* Universal Analytics */
      {"ga:pageviews", "screenPageViews", 1},
      {"channelGrouping", "sessionDefaultChannelGroup", 1},
      {"engagment rate", "engagementRate", 1},
      {"sessions", "sessions", 16}, /* its own name before names and meanings that have the word */
      {"sessionDefaultChannelGroup", "sessionDefaultChannelGroup", 1},
      {"vehicle_make", "customEvent:vehicle_make", 1},
      {"make of the vehicle", "customEvent:vehicle_make", 1},
  };
  start();
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    search_response *r = search(asking(rows[i].query));
    CU_ASSERT_TRUE_FATAL(r->n_fields > 0);
    CU_ASSERT_STRING_EQUAL(r->fields[0]->api_name, rows[i].first);
    if (strcmp(r->fields[0]->api_name, rows[i].first) != 0 || r->total != rows[i].total)
      printf("%s: %s, %d\n", rows[i].query, r->fields[0]->api_name, r->total);
    CU_ASSERT_EQUAL(r->total, rows[i].total);
    tool_free(r);
  }
  fakes_stop(&f);
}

static void a_field_says_what_it_is(void)
{
  static const struct {
    const char *query, *kind, *ui, *scope, *adds, *former;
    bool custom;
  } rows[] = {
      {"screenPageViews", "metric", "Views", "event", "yes", "pageviews", false},
      {"totalUsers", "metric", "Total users", "user", "no", "users", false},
      {"totalRevenue", "metric", "Total revenue", "event", "in one currency", "", false},
      {"engagementRate", "metric", "Engagement rate", "session", "no", "", false},
      {"landingPage", "dimension", "Landing page", "session", "", "", false},
      {"sessionDefaultChannelGroup", "dimension", "Session default channel group", "session", "",
       "channelGrouping", false},
      {"firstUserSource", "dimension", "First user source", "user", "", "", false},
      {"customEvent:vehicle_make", "dimension", "Vehicle make", "event", "", "", true},
      {"customUser:loyalty", "dimension", "Loyalty level", "user", "", "", true},
      {"customEvent:lead_value", "metric", "Lead value", "event", "no", "", true},
  };
  start();
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    search_response *r = search(asking(rows[i].query));
    CU_ASSERT_TRUE_FATAL(r->n_fields > 0);
    const Analytics__Report__V1__FieldFound *got = r->fields[0];
    CU_ASSERT_STRING_EQUAL(got->api_name, rows[i].query);
    CU_ASSERT_STRING_EQUAL(got->kind, rows[i].kind);
    CU_ASSERT_STRING_EQUAL(got->ui_name, rows[i].ui);
    CU_ASSERT_STRING_EQUAL(got->scope, rows[i].scope);
    CU_ASSERT_STRING_EQUAL(got->adds_over_dealers, rows[i].adds);
    CU_ASSERT_STRING_EQUAL(got->former_name, rows[i].former);
    CU_ASSERT_EQUAL(got->custom, rows[i].custom);
    CU_ASSERT_TRUE(strlen(got->meaning) > 0);
    tool_free(r);
  }
  fakes_stop(&f);
}

/* GA4's in the fake metadata, and the 18 that are not GA4's. */
enum { FIELDS = 11 + 18 };

static void our_own_metrics_are_found_by_words(void)
{
  start();
  search_response *r = search(asking("leads shopper"));
  CU_ASSERT_TRUE_FATAL(r->n_fields > 0);
  CU_ASSERT_STRING_EQUAL(r->fields[0]->api_name, "leads_per_100_shopper_sessions");
  CU_ASSERT_STRING_EQUAL(r->fields[0]->kind, "metric");
  CU_ASSERT_STRING_EQUAL(r->fields[0]->adds_over_dealers, "no");
  tool_free(r);
  r = search(asking("lead_sessions"));
  CU_ASSERT_STRING_EQUAL(r->fields[0]->adds_over_dealers, "yes");
  CU_ASSERT_STRING_EQUAL(r->fields[0]->scope, "session");
  tool_free(r);
  fakes_stop(&f);
}

static void kind_and_custom_only_narrow_the_list(void)
{
  start();
  search_request q = asking("");
  search_response *r = search(q);
  CU_ASSERT_EQUAL(r->total, FIELDS);
  CU_ASSERT_EQUAL(r->n_fields, 20);
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 29 fields");
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107/metadata?prettyPrint=false", ""));
  tool_free(r);
  q.kind = ANALYTICS__REPORT__V1__FIELD_KIND__METRIC;
  r = search(q);
  CU_ASSERT_EQUAL(r->total, 24);
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 24 metrics");
  tool_free(r);
  q.custom_only = true;
  r = search(q);
  CU_ASSERT_EQUAL(r->total, 1);
  CU_ASSERT_STRING_EQUAL(r->fields[0]->api_name, "customEvent:lead_value");
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 1 custom metric");
  tool_free(r);
  q.kind = ANALYTICS__REPORT__V1__FIELD_KIND__DIMENSION;
  q.query = (char *)(uintptr_t) "loyalty";
  r = search(q);
  CU_ASSERT_EQUAL(r->total, 1);
  CU_ASSERT_STRING_EQUAL(
      r->headline,
      "Dealer 7 (d07) has 1 custom dimension for \"loyalty\", customUser:loyalty first");
  tool_free(r);
  fakes_stop(&f);
}

static void the_closest_are_shown_when_nothing_fits(void)
{
  start();
  search_response *r = search(asking("vehicle price")); /* one word of two */
  CU_ASSERT_EQUAL_FATAL(r->n_fields, 3);
  CU_ASSERT_STRING_EQUAL(r->fields[0]->api_name, "customEvent:vehicle_make");
  CU_ASSERT_STRING_EQUAL(r->fields[1]->api_name, "shopper_sessions");
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07) has 0 fields for \"vehicle price\"");
  CU_ASSERT_EQUAL_FATAL(r->n_notes, 1);
  CU_ASSERT_STRING_EQUAL(r->notes[0],
                         "No field has all of \"vehicle price\": these are the closest");
  tool_free(r);
  r = search(asking("zzzzzzzzzzzz"));
  CU_ASSERT_EQUAL(r->n_fields, 0);
  CU_ASSERT_EQUAL_FATAL(r->n_notes, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->notes[0], "No field is like \"zzzzzzzzzzzz\""));
  tool_free(r);
  fakes_stop(&f);
}

static void pages_add_up_to_the_list(void)
{
  char seen[2048] = "\n";
  size_t n = 0;
  start();
  search_request q = asking("");
  q.limit = 4;
  do {
    search_response *r = search(q);
    CU_ASSERT_EQUAL(r->total, FIELDS);
    CU_ASSERT_TRUE_FATAL(r->n_fields > 0 && r->n_fields <= 4);
    for (size_t i = 0; i < r->n_fields; i++) {
      char line[80];
      snprintf(line, sizeof(line), "\n%s\n", r->fields[i]->api_name);
      CU_ASSERT_PTR_NULL(strstr(seen, line));
      strncat(seen, r->fields[i]->api_name, sizeof(seen) - strlen(seen) - 2);
      strncat(seen, "\n", 2);
    }
    n += r->n_fields;
    q.offset = r->next_offset;
    tool_free(r);
  } while (q.offset != 0);
  CU_ASSERT_EQUAL(n, FIELDS);
  q.offset = 99;
  search_response *r = search(q);
  CU_ASSERT_EQUAL(r->n_fields, 0);
  CU_ASSERT_EQUAL(r->next_offset, 0);
  tool_free(r);
  fakes_stop(&f);
}

static void bad_requests_name_the_field(void)
{
  static const struct {
    const char *dealer, *part;
    int32_t limit, offset;
  } rows[] = {{"", "dealer_id: give dealer_id", 0, 0},
              {"d07", "limit: give 1 to 500, got 501", 501, 0},
              {"d07", "limit: give 1 to 500, got -1", -1, 0},
              {"d07", "offset: must not be negative, got -3", 0, -3}};
  start();
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct err e;
    search_request q = asking("");
    q.dealer_id = (char *)(uintptr_t)rows[i].dealer;
    q.limit = rows[i].limit;
    q.offset = rows[i].offset;
    CU_ASSERT_PTR_NULL(tool_run(&f, "SearchFields", &q.base, &e));
    CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, rows[i].part));
  }
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

TEST_MAIN("search_fields", TEST(best_field_comes_first), TEST(a_field_says_what_it_is),
          TEST(our_own_metrics_are_found_by_words), TEST(kind_and_custom_only_narrow_the_list),
          TEST(the_closest_are_shown_when_nothing_fits), TEST(pages_add_up_to_the_list),
          TEST(bad_requests_name_the_field))
