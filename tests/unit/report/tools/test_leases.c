/* Leases through the whole service: when auth-svc is asked, and what it learns of the uses. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fakes.h"

enum { LEASE_MS = 400 };

/* Whether a report of the dealer (or of the property, by its digits) is answered. */
static bool ask(struct fakes *f, const char *grant, const char *of)
{
  static char sessions[] = "sessions", city[] = "city", *metrics[] = {sessions},
              *dimensions[] = {city};
  struct rpc_metadata metadata = {RPC_META_GRANT, grant, strlen(grant)};
  struct rpc_client_options options = {.timeout_ms = 10000, .metadata = &metadata, .n_metadata = 1};
  Analytics__Report__V1__RunReportRequest r = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  ProtobufCMessage *response = NULL;
  struct err e = {0};
  char *text = (char *)(uintptr_t)of;
  if (of[0] == 'd')
    r.dealer_id = text;
  else
    r.property_id = text;
  r.n_metrics = 1;
  r.metrics = metrics;
  r.n_dimensions = 1;
  r.dimensions = dimensions;
  rpc_client_call_sync(&response, f->report, &analytics__report__v1__report_service__descriptor,
                       "RunReport", &r.base, &options, &e);
  if (response == NULL)
    printf("\n    %s: %s\n", e.reason, e.message);
  else
    protobuf_c_message_free_unpacked(response, NULL);
  return e.code == ERR_OK;
}

static void start(struct fakes *f, uint32_t lease_ms)
{
  fakes_start(f, &(struct fakes_options){.cache_bytes = 1 << 20, .lease_ms = lease_ms});
  LOCKED(f, f->google.rows = 1);
}

static bool reaches(const atomic_int *value, int expected)
{
  for (int i = 0; i < 1000 && atomic_load(value) < expected; i++)
    usleep(5000);
  return atomic_load(value) == expected;
}

static void cached_answers_ask_once_for_each_lease_and_the_uses_are_reported(void)
{
  enum { CALLS = 20 };
  struct fakes f;
  start(&f, LEASE_MS);
  CU_ASSERT(ask(&f, "ann", "d01"));
  int64_t begun = clock_mono_ms();
  int asked = 1, calls = 1;
  for (int i = 0; i < CALLS; i++, calls++)
    CU_ASSERT(ask(&f, "ann", "d01"));
  if (clock_mono_ms() - begun < LEASE_MS / 2)
    CU_ASSERT_EQUAL(f.token_calls, asked);
  CU_ASSERT_EQUAL(f.requests, 1);
  asked = f.token_calls;
  CU_ASSERT(reaches(&f.uses_reported, calls - asked)); /* each call has its line or is counted */
  CU_ASSERT_STRING_EQUAL(f.lease_grant, "ann");
  CU_ASSERT_STRING_EQUAL(f.lease_of, "d01");
  CU_ASSERT(ask(&f, "ann", "d01")); /* the lease is over */
  CU_ASSERT_EQUAL(f.token_calls, asked + 1);
  fakes_stop(&f);
}

static void another_caller_dealer_or_property_asks_for_itself(void)
{
  struct fakes f;
  start(&f, 2000);
  CU_ASSERT(ask(&f, "ann", "d01"));
  CU_ASSERT(ask(&f, "ben", "d01"));
  CU_ASSERT_EQUAL(f.token_calls, 2);
  CU_ASSERT_EQUAL(f.requests, 1); /* the answer is from the cache, the yes is not */
  CU_ASSERT(ask(&f, "ann", "d02"));
  CU_ASSERT_EQUAL(f.token_calls, 3);
  CU_ASSERT(ask(&f, "ann", "101")); /* of d01 */
  CU_ASSERT_EQUAL(f.token_calls, 4);
  fakes_stop(&f);
}

static void without_a_lease_every_call_asks(void)
{
  struct fakes f;
  start(&f, 0);
  for (int i = 0; i < 5; i++)
    CU_ASSERT(ask(&f, "ann", "d01"));
  CU_ASSERT_EQUAL(f.token_calls, 5);
  CU_ASSERT_EQUAL(f.leases_ended, 0);
  fakes_stop(&f);
}

static void a_token_that_google_refuses_ends_its_lease(void)
{
  struct fakes f;
  start(&f, 2000);
  LOCKED(&f, f.renews = true);
  CU_ASSERT(ask(&f, "ann", "d01"));
  LOCKED(&f, f.google.token = "token-1"); /* what auth-svc gives out after a refusal */
  for (int of = 0; of < 2; of++) {        /* the second comes with the new lease */
    Analytics__Report__V1__GetPropertyDetailsRequest r =
        ANALYTICS__REPORT__V1__GET_PROPERTY_DETAILS_REQUEST__INIT;
    static char dealer[] = "d01";
    struct rpc_metadata metadata = {RPC_META_GRANT, "ann", 3};
    struct rpc_client_options options = {
        .timeout_ms = 10000, .metadata = &metadata, .n_metadata = 1};
    ProtobufCMessage *response = NULL;
    struct err e;
    r.dealer_id = dealer;
    rpc_client_call_sync(&response, f.report, &analytics__report__v1__report_service__descriptor,
                         "GetPropertyDetails", &r.base, &options, &e);
    if (response != NULL)
      protobuf_c_message_free_unpacked(response, NULL);
    CU_ASSERT_EQUAL(f.renewals, 1);
    CU_ASSERT_EQUAL(f.token_calls, 2);
  }
  fakes_stop(&f);
}

static void what_was_used_is_reported_before_the_service_ends(void)
{
  struct fakes f;
  start(&f, 2000);
  for (int i = 0; i < 4; i++)
    CU_ASSERT(ask(&f, "ann", "d01"));
  int asked = f.token_calls;
  google_end_leases(f.service.google);
  CU_ASSERT_EQUAL(f.uses_reported, 4 - asked);
  fakes_stop(&f);
}

TEST_MAIN("report-svc leases",
          TEST(cached_answers_ask_once_for_each_lease_and_the_uses_are_reported),
          TEST(another_caller_dealer_or_property_asks_for_itself),
          TEST(without_a_lease_every_call_asks), TEST(a_token_that_google_refuses_ends_its_lease),
          TEST(what_was_used_is_reported_before_the_service_ends))
