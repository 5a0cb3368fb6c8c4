/* Dealers without configured properties, through the whole service: what Google and auth-svc are
 * asked, how often, and what the answers say. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/google/found.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

typedef Analytics__Report__V1__RunReportRequest report_request;
typedef Analytics__Report__V1__RunReportResponse report_response;

/* Dealers from d05 on have none. The fake Google lists 11, 12, 21 and 22 in two pages. */
static void start(struct fakes *f, int64_t ttl_ms)
{
  fakes_start(f, &(struct fakes_options){.properties_ttl_ms = ttl_ms, .timeout_ms = 500});
  LOCKED(f, f->google.rows = 1; f->finds_from = 5);
}

/* A report of a dealer; NULL after an error. */
static report_response *ask(struct fakes *f, const char *dealer, const char *property,
                            struct err *e)
{
  static char sessions[] = "sessions", city[] = "city", *metrics[] = {sessions},
              *dimensions[] = {city};
  report_request r = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  r.dealer_id = (char *)(uintptr_t)dealer;
  r.property_id = (char *)(uintptr_t)property;
  r.n_metrics = r.n_dimensions = 1;
  r.metrics = metrics;
  r.dimensions = dimensions;
  return tool_run(f, "RunReport", &r.base, e);
}

static void works(struct fakes *f, const char *dealer, const char *property)
{
  struct err e = {0};
  report_response *r = ask(f, dealer, "", &e);
  if (r == NULL)
    printf("\n    %s: %s\n", e.reason, e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->property, property);
  tool_free(r);
}

static void the_list_is_read_page_by_page_and_auth_svc_says_whose_they_are(void)
{
  struct fakes f;
  struct err e;
  start(&f, 60000);
  report_response *r = ask(&f, "d05", "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->property, "properties/11");
  CU_ASSERT_STRING_EQUAL(f.own_seen, "11@1 12@1? 21@2 22@2?");
  CU_ASSERT_EQUAL(f.requests, 3); /* two pages, a report */
  CU_ASSERT_EQUAL_FATAL(r->n_caveats > 0, true);
  CU_ASSERT_STRING_EQUAL(
      r->caveats[0],
      "No property is configured for this dealer; its Google login can read 4: 11 (Site A), 12 "
      "(Site B), 21 (Site A), 22 (Site B). This is 11, the default as the one with the lowest id; "
      "give property_id for another, or have the dealers file name the dealer's own.");
  tool_free(r);
  fakes_stop(&f);
}

static void what_was_found_is_kept_for_its_time_and_no_longer(void)
{
  struct fakes f;
  start(&f, 60000);
  for (int i = 0; i < 3; i++)
    works(&f, "d05", "properties/11");
  CU_ASSERT_EQUAL(f.own_calls, 1);
  CU_ASSERT_EQUAL(f.requests, 5);
  fakes_stop(&f);
  start(&f, 0);
  for (int i = 0; i < 3; i++)
    works(&f, "d05", "properties/11");
  CU_ASSERT_EQUAL(f.own_calls, 3);
  fakes_stop(&f);
}

static void another_configuration_has_the_list_read_again(void)
{
  struct fakes f;
  start(&f, 60000);
  works(&f, "d05", "properties/11");
  LOCKED(&f, f.assignment = 7);
  works(&f, "d05", "properties/11");
  CU_ASSERT_EQUAL(f.own_calls, 2);
  works(&f, "d05", "properties/11");
  CU_ASSERT_EQUAL(f.own_calls, 2);
  fakes_stop(&f);
}

static void another_of_the_found_ones_may_be_asked_for_and_no_other(void)
{
  struct fakes f;
  struct err e;
  start(&f, 60000);
  report_response *r = ask(&f, "d05", "22", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->property, "properties/22");
  for (size_t i = 0; i < r->n_caveats; i++)
    CU_ASSERT_PTR_NULL(strstr(r->caveats[i], "can read")); /* it was named */
  tool_free(r);
  CU_ASSERT_PTR_NULL(ask(&f, "d05", "100", &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "100 is not a property of dealer d05"));
  fakes_stop(&f);
}

static void that_there_is_none_is_said_and_kept_for_a_moment(void)
{
  struct fakes f;
  struct err e = {0};
  start(&f, 60000);
  LOCKED(&f, f.own_fails = "no_property");
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_PTR_NULL(ask(&f, "d05", "", &e));
    CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
    CU_ASSERT_STRING_EQUAL(e.reason, "no_property");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "can read none"));
  }
  CU_ASSERT_EQUAL(f.own_calls, 1);
  works(&f, "d04", "properties/104"); /* one that has some is asked as ever */
  fakes_stop(&f);
}

static void a_failure_of_google_is_not_kept(void)
{
  struct fakes f;
  struct err e = {0};
  start(&f, 60000);
  LOCKED(&f, f.google.fail_status = 403; f.google.fail_times = 1; f.google.fail_body = "{}");
  CU_ASSERT_PTR_NULL(ask(&f, "d05", "", &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "permission_denied");
  works(&f, "d05", "properties/11");
  fakes_stop(&f);
}

static void a_caller_that_goes_away_ends_the_search(void)
{
  struct fakes f;
  struct err e = {0};
  start(&f, 60000);
  LOCKED(&f, f.google.delay_ms = 60000);
  int64_t begun = clock_mono_ms();
  CU_ASSERT_PTR_NULL(ask(&f, "d05", "", &e)); /* the time of the request is over */
  CU_ASSERT(clock_mono_ms() - begun < 30000);
  CU_ASSERT_EQUAL(f.own_calls, 0);
  LOCKED(&f, f.google.delay_ms = 0);
  fakes_stop(&f);
}

/* ------------------------------------------------------------------ the cache */

static struct found *some(const char *id)
{
  char *text = (char *)(uintptr_t)id, name[] = "a name";
  return found_new((char *[]){text}, (char *[]){name}, 1);
}

static void the_cache_forgets_what_is_over_and_what_was_used_least(void)
{
  struct found_cache *c = found_cache_new(16384);
  uint8_t key[FOUND_KEY_BYTES] = {0};
  for (int i = 0; i < 100; i++) {
    char id[8];
    snprintf(id, sizeof(id), "%d", i);
    struct found *f = some(id);
    key[0] = (uint8_t)i;
    found_cache_put(c, key, f, 1000 + i);
    found_unref(f);
    key[0] = 0;
    found_unref(found_cache_get(c, key, 10)); /* the first stays in use */
  }
  struct found *f = found_cache_get(c, key, 10);
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  CU_ASSERT_STRING_EQUAL(f->ids[0], "0");
  found_unref(f);
  key[0] = 1;
  CU_ASSERT_PTR_NULL(found_cache_get(c, key, 10)); /* made room */
  key[0] = 99;
  f = found_cache_get(c, key, 1098);
  CU_ASSERT_PTR_NOT_NULL(f);
  found_unref(f);
  CU_ASSERT_PTR_NULL(found_cache_get(c, key, 1099));
  CU_ASSERT_PTR_NULL(found_cache_get(c, key, 10)); /* and is gone */
  found_cache_free(c);
}

TEST_MAIN("report properties found",
          TEST(the_list_is_read_page_by_page_and_auth_svc_says_whose_they_are),
          TEST(what_was_found_is_kept_for_its_time_and_no_longer),
          TEST(another_configuration_has_the_list_read_again),
          TEST(another_of_the_found_ones_may_be_asked_for_and_no_other),
          TEST(that_there_is_none_is_said_and_kept_for_a_moment),
          TEST(a_failure_of_google_is_not_kept), TEST(a_caller_that_goes_away_ends_the_search),
          TEST(the_cache_forgets_what_is_over_and_what_was_used_least))
