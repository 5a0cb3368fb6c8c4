/* FetchReports of other owners' properties: what a principal and a property give to benchmarks. */
#include <stdio.h>
#include <string.h>

#include "common/rpc/grant_reasons.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"

static void a_principal_that_has_used_up_its_share_is_refused_and_its_own_dealers_are_read(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.benchmark_reports = 3, .fan_out = 1});
  LOCKED(&f, f.google.rows = 5; f.opaque_from = 4);
  fetch_init(&r);
  fetch_start(&r, &f, 10, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  for (size_t i = 0; i < 7; i++) /* four of its own, three of others */
    CU_ASSERT(fetch_whole(&r, i, 1, 5));
  for (size_t i = 7; i < 10; i++) {
    CU_ASSERT_EQUAL(r.codes[i], ERR_RESOURCE_EXHAUSTED);
    CU_ASSERT_STRING_EQUAL(r.reasons[i], GRANT_REASON_SHARE_SPENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[i], "try again after "));
  }
  CU_ASSERT_EQUAL(f.requests, 7); /* what was refused was not sent */
  fetch_init(&r);
  fetch_start(&r, &f, 4, 1, 0, 20000);
  fetch_wait(&r);
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT(fetch_whole(&r, i, 1, 5));
  fakes_stop(&f);
}

/* Eight benchmarks at once of one property; the owner meanwhile finds a place. */
static void benchmarks_have_two_places_at_a_property(void)
{
  enum { FETCHES = 8 };
  static struct fetch_run r[FETCHES];
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.benchmark_places = 2});
  LOCKED(&f, f.google.rows = 5; f.google.delay_ms = 30; f.opaque_from = 1);
  for (size_t i = 0; i < FETCHES; i++) {
    fetch_init(&r[i]);
    snprintf(r[i].ids[0], sizeof(r[i].ids[0]), "d01");
    fetch_start(&r[i], &f, 1, 1, 0, 20000);
  }
  for (size_t i = 0; i < FETCHES; i++) {
    fetch_wait(&r[i]);
    CU_ASSERT_EQUAL(r[i].codes[0], ERR_OK);
  }
  CU_ASSERT_EQUAL(f.worst_active, 2);
  LOCKED(&f, f.opaque_from = 0);
  for (size_t i = 0; i < FETCHES; i++) { /* the same by the owner */
    fetch_init(&r[i]);
    snprintf(r[i].ids[0], sizeof(r[i].ids[0]), "d01");
    fetch_start(&r[i], &f, 1, 1, 0, 20000);
  }
  for (size_t i = 0; i < FETCHES; i++)
    fetch_wait(&r[i]);
  CU_ASSERT(f.worst_active > 2);
  fakes_stop(&f);
}

TEST_MAIN("report-svc shares of benchmarks",
          TEST(a_principal_that_has_used_up_its_share_is_refused_and_its_own_dealers_are_read),
          TEST(benchmarks_have_two_places_at_a_property))
