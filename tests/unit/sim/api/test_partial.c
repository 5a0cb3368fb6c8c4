/* Partial responses and the form of the answer: fields, alt. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define REPORT                                                                                     \
  "{'dateRanges':[{'startDate':'7daysAgo','endDate':'yesterday'}],'dimensions':[{'name':'date'}]," \
  "'metrics':[{'name':'sessions'}],'returnPropertyQuota':true,'limit':2}"

static struct answer masked(const char *fields)
{
  const char *const query[] = {"?fields", fields, NULL};
  return api(1, "v1beta :runReport", REPORT, query);
}

/* The names of an object's members, in order. */
static const char *names_of(const cJSON *object)
{
  static char out[512];
  const cJSON *m;
  out[0] = '\0';
  cJSON_ArrayForEach(m, object)
  {
    snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s ", m->string);
  }
  return out;
}

static void a_mask_keeps_what_it_names_and_nothing_else(void)
{
  AUTO_ANSWER struct answer whole = masked("");
  static const struct {
    const char *fields, *names, *metadata; /* metadata: its members */
  } cases[] = {
      {"rowCount", "rowCount ", ""},
      {"row_count,kind", "rowCount kind ", ""},
      {"metadata/timeZone", "metadata ", "timeZone "},
      {"metadata.timeZone,metadata.currencyCode", "metadata ", "currencyCode timeZone "},
      {"metadata(timeZone),rowCount", "rowCount metadata ", "timeZone "},
      {"metadata/timeZone,metadata", "metadata ", "currencyCode timeZone "},
      {"metadata,metadata/timeZone", "metadata ", "currencyCode timeZone "},
      {"samples", NULL, NULL},
  };
  CU_ASSERT_EQUAL(cJSON_GetArraySize(whole.json), 7);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_ANSWER struct answer a = masked(cases[i].fields);
    CU_ASSERT_EQUAL(a.status, cases[i].names == NULL ? 400 : 200);
    if (cases[i].names == NULL)
      continue;
    CU_ASSERT_STRING_EQUAL(names_of(a.json), cases[i].names);
    CU_ASSERT_STRING_EQUAL(names_of(cJSON_GetObjectItem(a.json, "metadata")), cases[i].metadata);
  }
}

static void a_mask_reaches_into_lists(void)
{
  AUTO_ANSWER struct answer whole = masked("*"), part = masked("rows(metricValues/value)");
  const cJSON *rows = cJSON_GetObjectItem(part.json, "rows"), *row;
  int i = 0;
  CU_ASSERT_EQUAL(cJSON_GetArraySize(rows), 2);
  cJSON_ArrayForEach(row, rows)
  {
    const cJSON *same = cJSON_GetArrayItem(cJSON_GetObjectItem(whole.json, "rows"), i++);
    CU_ASSERT_STRING_EQUAL(names_of(row), "metricValues ");
    CU_ASSERT_TRUE(cJSON_Compare(cJSON_GetObjectItem(row, "metricValues"),
                                 cJSON_GetObjectItem(same, "metricValues"), true));
  }
}

static void a_star_is_every_field(void)
{
  AUTO_ANSWER struct answer a = masked("propertyQuota/*/remaining");
  const cJSON *quota = cJSON_GetObjectItem(a.json, "propertyQuota"), *status;
  CU_ASSERT_EQUAL(cJSON_GetArraySize(quota), 6);
  cJSON_ArrayForEach(status, quota)
  {
    CU_ASSERT_STRING_EQUAL(names_of(status), "remaining ");
  }
}

static void a_path_that_does_not_exist_is_refused(void)
{
  static const char *const bad[][2] = {{"rowz", "rowz"},
                                       {"rows/metrics", "metrics"},
                                       {"rowCount/value", "rowCount"},
                                       {"rows(", ""},
                                       {"rows(metricValues", "rows"},
                                       {"kind,", ""},
                                       {"kind)", ")"},
                                       {"rows//", ""}};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO_ANSWER struct answer a = masked(bad[i][0]);
    AUTO_FREE char *text =
        xasprintf("Error expanding 'fields' parameter. Cannot find matching fields for path '%s'.",
                  bad[i][1]);
    CU_ASSERT_EQUAL(a.status, 400);
    CU_ASSERT_STRING_EQUAL(member(&a, "error.message"), text);
  }
}

static void errors_are_whole_whatever_the_mask(void)
{
  const char *const query[] = {"?fields", "rows", NULL};
  CU_ASSERT_STRING_EQUAL(api_refusal(1, "v1beta :runReport", "{'limit':-1}", query),
                         "limit must be positive. The API received limit = -1");
}

static void answers_are_json_only(void)
{
  static const struct {
    const char *name, *value;
    int status;
  } cases[] = {{"?alt", "json", 200},
               {"?$alt", "json;enum-encoding=int", 200},
               {"?alt", "proto", 400},
               {"?$alt", "media", 400}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    const char *const query[] = {cases[i].name, cases[i].value, NULL};
    AUTO_ANSWER struct answer a = api(1, "v1beta /keyEvents", NULL, query);
    CU_ASSERT_EQUAL(a.status, cases[i].status);
  }
}

static void every_method_takes_a_mask_over_its_own_answer(void)
{
  static const char *const lists[][2] = {
      {"v1beta /keyEvents", "keyEvents"},
      {"v1beta /googleAdsLinks", "googleAdsLinks"},
      {"v1beta /customDimensions", "customDimensions"},
      {"v1beta /customMetrics", "customMetrics"},
      {"v1beta /dataStreams", "dataStreams"},
      {"v1alpha /reportingDataAnnotations", "reportingDataAnnotations"}};
  for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
    AUTO_FREE char *mask = xasprintf("%s/name", lists[i][1]);
    const char *const query[] = {"?fields", mask, NULL};
    AUTO_ANSWER struct answer a = api(0, lists[i][0], NULL, query);
    const cJSON *list = cJSON_GetObjectItem(a.json, lists[i][1]);
    CU_ASSERT_STRING_EQUAL(names_of(cJSON_GetArrayItem(list, 0)), "name ");
    CU_ASSERT_EQUAL(cJSON_GetArraySize(a.json), 1);
  }
  const char *const zone[] = {"?fields", "timeZone", NULL};
  AUTO_ANSWER struct answer property = api(0, "v1beta ", NULL, zone);
  CU_ASSERT_STRING_EQUAL(names_of(property.json), "timeZone ");
  const char *const names[] = {"?fields", "dimensions/apiName", NULL};
  AUTO_ANSWER struct answer metadata = api(0, "v1beta /metadata", NULL, names);
  CU_ASSERT_STRING_EQUAL(names_of(metadata.json), "dimensions ");
}

/* All that a whole answer holds is in the type that masks are checked against. */
static void a_mask_of_everything_loses_nothing(void)
{
  static const char *const paths[] = {
      "v1beta /keyEvents",        "v1beta /googleAdsLinks",
      "v1beta /customDimensions", "v1beta /customMetrics",
      "v1beta /dataStreams",      "v1alpha /reportingDataAnnotations",
      "v1beta /metadata",         "v1beta "};
  const char *const star[] = {"?fields", "*", NULL};
  for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
    AUTO_ANSWER struct answer whole = api(0, paths[i], NULL, NULL);
    AUTO_ANSWER struct answer all = api(0, paths[i], NULL, star);
    CU_ASSERT_EQUAL(all.status, 200);
    CU_ASSERT_TRUE(cJSON_Compare(whole.json, all.json, true));
  }
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_partial", TEST(a_mask_keeps_what_it_names_and_nothing_else),
          TEST(a_mask_reaches_into_lists), TEST(a_star_is_every_field),
          TEST(a_path_that_does_not_exist_is_refused), TEST(errors_are_whole_whatever_the_mask),
          TEST(answers_are_json_only), TEST(every_method_takes_a_mask_over_its_own_answer),
          TEST(a_mask_of_everything_loses_nothing), TEST(cleanup_last))
