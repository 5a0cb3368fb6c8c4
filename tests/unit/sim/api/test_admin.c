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
  char token[64] = "", names[1024] = "";
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
          TEST(pages_of_one_walk_the_whole_list), TEST(wrong_pages_are_refused),
          TEST(enums_are_numbers_for_a_client_that_wants_them), TEST(cleanup_last))
