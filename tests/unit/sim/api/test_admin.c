/* Lists of the Admin API: what they hold, and their pages. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define KEY_EVENTS "v1beta /keyEvents"

static void key_events_are_those_that_the_property_marked(void)
{
  for (size_t dealer = 0; dealer < 12; dealer++) {
    AUTO_ANSWER struct answer a = api(dealer, KEY_EVENTS, NULL, NULL);
    const cJSON *list = cJSON_GetObjectItem(a.json, "keyEvents"), *event;
    const struct world_property *p = &identity_sim()->world->properties[dealer];
    AUTO_FREE char *prefix = xasprintf("properties/%s/keyEvents/", p->id_text);
    CU_ASSERT_EQUAL(cJSON_GetArraySize(list),
                    fixture_sql(dealer, "SELECT COUNT(*) FROM key_events WHERE property_id=@"));
    cJSON_ArrayForEach(event, list)
    {
      const char *name = json_get_string(event, "eventName");
      CU_ASSERT_TRUE(name != NULL && world_is_key_event(p, name));
      CU_ASSERT_EQUAL(strncmp(json_get_string(event, "name"), prefix, strlen(prefix)), 0);
      CU_ASSERT_STRING_EQUAL(json_get_string(event, "createTime"), p->create_time);
      CU_ASSERT_STRING_EQUAL(json_get_string(event, "countingMethod"), "ONCE_PER_EVENT");
    }
  }
}

/* Walks a list page by page; how many elements it saw, each name once. */
static int walk(const char *path, const char *list, const char *size)
{
  char token[64] = "", names[4096] = "";
  int n = 0, pages = 0;
  do {
    const char *const query[] = {"?pageSize", size, "?pageToken", token, NULL};
    AUTO_ANSWER struct answer a = api(0, path, NULL, query);
    const cJSON *element;
    CU_ASSERT_EQUAL(a.status, 200);
    cJSON_ArrayForEach(element, cJSON_GetObjectItem(a.json, list))
    {
      const char *name = json_get_string(element, "name");
      CU_ASSERT_PTR_NULL(strstr(names, name));
      snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ", name);
      n++;
    }
    snprintf(token, sizeof(token), "%s", member(&a, "nextPageToken"));
  } while (token[0] != '\0' && ++pages < 100);
  return n;
}

/* Every list: its elements are the world's, whatever the page size, and a dealer sees its own only.
 */
static void every_list_has_what_the_world_says(void)
{
  static const struct {
    const char *path, *list, *sql;
  } lists[] = {
      {KEY_EVENTS, "keyEvents", "SELECT COUNT(*) FROM key_events WHERE property_id=@"},
      {"v1beta /googleAdsLinks", "googleAdsLinks",
       "SELECT COUNT(*) FROM google_ads_links WHERE property_id=@"},
      {"v1beta /customDimensions", "customDimensions",
       "SELECT COUNT(*) FROM custom_dimensions WHERE property_id=@"},
      {"v1beta /customMetrics", "customMetrics",
       "SELECT COUNT(*) FROM custom_metrics WHERE property_id=@"},
      {"v1beta /dataStreams", "dataStreams", "SELECT COUNT(*) FROM properties WHERE property_id=@"},
      {"v1alpha /reportingDataAnnotations", "reportingDataAnnotations",
       "SELECT COUNT(*) FROM annotations WHERE property_id=@"},
  };
  for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
    int total = 0;
    for (size_t dealer = 0; dealer < 14; dealer++) {
      AUTO_ANSWER struct answer a = api(dealer, lists[i].path, NULL, NULL);
      int n = cJSON_GetArraySize(cJSON_GetObjectItem(a.json, lists[i].list));
      CU_ASSERT_EQUAL(a.status, 200);
      CU_ASSERT_EQUAL(n, fixture_sql(dealer, lists[i].sql));
      CU_ASSERT_EQUAL(cJSON_GetObjectItem(a.json, lists[i].list) != NULL, n > 0);
      total += n;
    }
    CU_ASSERT_TRUE(total > 0);
    CU_ASSERT_EQUAL(walk(lists[i].path, lists[i].list, "1"), fixture_sql(0, lists[i].sql));
  }
}

static void pages_of_one_walk_the_whole_list(void)
{
  int all = (int)fixture_sql(0, "SELECT COUNT(*) FROM key_events WHERE property_id=@");
  CU_ASSERT_TRUE(all > 1);
  CU_ASSERT_EQUAL(walk(KEY_EVENTS, "keyEvents", "1"), all);
  CU_ASSERT_EQUAL(walk(KEY_EVENTS, "keyEvents", "0"), all);
  CU_ASSERT_EQUAL(walk(KEY_EVENTS, "keyEvents", "1000"), all);
}

static void wrong_pages_are_refused(void)
{
  static const char *const bad[][2] = {{"?pageSize", "-1"},  {"?pageSize", "ten"},
                                       {"?pageToken", "x"},  {"?pageToken", "KE99"},
                                       {"?pageToken", "KE"}, {"?pageToken", "AS1"}};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    const char *const query[] = {bad[i][0], bad[i][1], NULL};
    const char *expected = bad[i][0][5] == 'S' ? "Invalid value at 'page_size' (TYPE_INT32)"
                                               : "The page token is invalid.";
    CU_ASSERT_STRING_EQUAL(api_refusal(0, KEY_EVENTS, NULL, query), expected);
  }
}

static void annotations_have_their_days(void)
{
  AUTO_ANSWER struct answer a = api(13, "v1alpha /reportingDataAnnotations", NULL, NULL);
  const cJSON *list = cJSON_GetObjectItem(a.json, "reportingDataAnnotations");
  const cJSON *gap = cJSON_GetArrayItem(list, 0), *last = cJSON_GetArrayItem(list, 2);
  const cJSON *range = cJSON_GetObjectItem(gap, "annotationDateRange");
  /* 45 and 37 days before 2026-03-10, in which nothing was recorded. */
  CU_ASSERT_STRING_EQUAL(json_get_string(gap, "title"), "Tag missing");
  CU_ASSERT_EQUAL(json_get_number(cJSON_GetObjectItem(range, "startDate"), "day", 0), 24);
  CU_ASSERT_EQUAL(json_get_number(cJSON_GetObjectItem(range, "startDate"), "month", 0), 1);
  CU_ASSERT_EQUAL(json_get_number(cJSON_GetObjectItem(range, "endDate"), "year", 0), 2026);
  CU_ASSERT_EQUAL(fixture_sql(13,
                              "SELECT COUNT(*) FROM sessions WHERE property_id=@ AND date BETWEEN "
                              "(SELECT first_day FROM annotations WHERE title='Tag missing') AND "
                              "(SELECT last_day FROM annotations WHERE title='Tag missing')"),
                  0);
  CU_ASSERT_EQUAL(json_get_number(cJSON_GetObjectItem(last, "annotationDate"), "day", 0), 1);
  CU_ASSERT_PTR_NULL(cJSON_GetObjectItem(last, "annotationDateRange"));
  const char *const query[] = {"?filter", "title:\"sale\"", NULL};
  CU_ASSERT_PTR_NOT_NULL(
      strstr(api_refusal(13, "v1alpha /reportingDataAnnotations", NULL, query), "Remove filter"));
}

static bool lists_metric(size_t dealer, const char *name)
{
  AUTO_ANSWER struct answer a = api(dealer, "v1beta /metadata", NULL, NULL);
  const cJSON *metric;
  cJSON_ArrayForEach(metric, cJSON_GetObjectItem(a.json, "metrics"))
  {
    if (strcmp(json_get_string(metric, "apiName"), name) == 0)
      return cJSON_IsTrue(cJSON_GetObjectItem(metric, "customDefinition"));
  }
  return false;
}

static void custom_metrics_are_fields_where_they_are_registered(void)
{
#define CUSTOM "customEvent:comm_duration_seconds"
#define REPORT                                                                                     \
  "{'dateRanges':[{'startDate':'7daysAgo','endDate':'today'}],'metrics':[{'name':'" CUSTOM "'}]}"
  CU_ASSERT_TRUE(lists_metric(0, CUSTOM) &&
                 lists_metric(0, "countCustomEvent:comm_duration_seconds"));
  CU_ASSERT_FALSE(lists_metric(4, CUSTOM));
  CU_ASSERT_STRING_EQUAL(api_refusal(0, "v1beta :runReport", REPORT, NULL), "");
  CU_ASSERT_PTR_NOT_NULL(strstr(api_refusal(4, "v1beta :runReport", REPORT, NULL),
                                "Field " CUSTOM " is not a valid metric."));
}

static void enums_are_numbers_for_a_client_that_wants_them(void)
{
  AUTO_ANSWER struct answer names = api(0, KEY_EVENTS, NULL, NULL);
  const char *const query[] = {"?$alt", "json;enum-encoding=int", NULL};
  AUTO_ANSWER struct answer numbers = api(0, KEY_EVENTS, NULL, query);
  const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(numbers.json, "keyEvents"), 0);
  CU_ASSERT_EQUAL(json_get_number(first, "countingMethod", -1), 1);
  CU_ASSERT_FALSE(cJSON_Compare(names.json, numbers.json, true));
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_admin", TEST(key_events_are_those_that_the_property_marked),
          TEST(every_list_has_what_the_world_says), TEST(pages_of_one_walk_the_whole_list),
          TEST(wrong_pages_are_refused), TEST(annotations_have_their_days),
          TEST(custom_metrics_are_fields_where_they_are_registered),
          TEST(enums_are_numbers_for_a_client_that_wants_them), TEST(cleanup_last))
