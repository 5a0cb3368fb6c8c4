/* analyze_vehicle_interest over fakes: each dealer is read by what its property has registered,
 * which is asked for once. */
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/fixture.h"

typedef Analytics__Aggregate__V1__AnalyzeVehicleInterestRequest Request;

enum { DEALERS = 40, TIMEOUT_MS = 10000 };

static void ask(struct fixture *f, struct outcome *o)
{
  Request r = ANALYTICS__AGGREGATE__V1__ANALYZE_VEHICLE_INTEREST_REQUEST__INIT;
  r.region = (char *)"West";
  fixture_vehicles(f, o, &r, TIMEOUT_MS);
}

static void begin(struct fixture *f)
{
  fixture_init(f, DEALERS, 11);
  for (size_t i = 0; i < DEALERS; i++)
    f->world.dealers[i].registered = i % 4 != 0;
  fixture_serve(f);
}

static void each_dealer_is_read_by_what_it_has_registered(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  ask(&f, &o);
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.vehicles);
  CU_ASSERT_EQUAL(o.vehicles->coverage->ok, DEALERS);
  CU_ASSERT_EQUAL(f.world.asked_by_paths, DEALERS / 4);
  CU_ASSERT_EQUAL(f.world.asked_by_fields, DEALERS - DEALERS / 4);
  CU_ASSERT_EQUAL(f.world.definition_calls, DEALERS);
  CU_ASSERT_TRUE(f.world.purpose_direct && !f.world.purpose_benchmark);
  CU_ASSERT_TRUE(f.world.most_dealers_in_a_stream <= 5); /* the fixture's batches */
  CU_ASSERT_TRUE(f.world.batch && f.world.queries > 1);  /* one request to Google for a dealer */
  outcome_free(&o);
  fixture_stop(&f);
}

static void what_is_registered_is_asked_for_once(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  for (int i = 0; i < 3; i++) {
    ask(&f, &o);
    CU_ASSERT_EQUAL(o.status.code, ERR_OK);
    outcome_free(&o);
  }
  CU_ASSERT_EQUAL(f.world.definition_calls, DEALERS);
  CU_ASSERT_EQUAL(f.world.asked_by_fields, 3 * (DEALERS - DEALERS / 4));
  fixture_stop(&f);
}

static void a_dealer_whose_definitions_fail_is_named_left_out_and_asked_again(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  err_set(&f.world.dealers[7].definitions, ERR_UNAVAILABLE, "unavailable", "Google answered 503");
  ask(&f, &o);
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.vehicles);
  CU_ASSERT_EQUAL(o.vehicles->coverage->ok, DEALERS - 1);
  CU_ASSERT_EQUAL_FATAL(o.vehicles->coverage->n_failed, 1);
  CU_ASSERT_STRING_EQUAL(o.vehicles->coverage->failed[0]->dealer_id, "d07");
  CU_ASSERT_STRING_EQUAL(o.vehicles->coverage->failed[0]->reason, "unavailable");
  CU_ASSERT_EQUAL(f.world.dealers_asked, DEALERS - 1);
  outcome_free(&o);
  f.world.dealers[7].definitions = (struct err){0};
  size_t before = f.world.definition_calls;
  ask(&f, &o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.vehicles);
  CU_ASSERT_EQUAL(o.vehicles->coverage->ok, DEALERS);
  CU_ASSERT_EQUAL(f.world.definition_calls, before + 1);
  outcome_free(&o);
  fixture_stop(&f);
}

static void a_grant_that_is_over_ends_the_call(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  err_set(&f.world.dealers[20].definitions, ERR_UNAUTHENTICATED, "expired_grant", "too old");
  ask(&f, &o);
  CU_ASSERT_EQUAL(o.status.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "expired_grant");
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  outcome_free(&o);
  fixture_stop(&f);
}

static void when_nobody_can_be_asked_the_call_says_why(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  for (size_t i = 0; i < DEALERS; i++)
    err_set(&f.world.dealers[i].definitions, ERR_PERMISSION_DENIED, "permission_denied",
            "Google denies access");
  ask(&f, &o);
  CU_ASSERT_EQUAL(o.status.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "Google denies access"));
  outcome_free(&o);
  fixture_stop(&f);
}

static void dealers_outside_the_view_take_no_part(void)
{
  struct fixture f;
  struct outcome o;
  fixture_init(&f, 12, 5);
  for (size_t i = 0; i < 6; i++)
    f.world.dealers[i].visible = false;
  fixture_serve(&f);
  ask(&f, &o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.vehicles);
  CU_ASSERT_EQUAL(o.vehicles->coverage->asked, 6);
  CU_ASSERT_EQUAL(f.world.definition_calls, 6);
  CU_ASSERT_TRUE(f.world.grants_caller && !f.world.grants_benchmark);
  outcome_free(&o);
  fixture_stop(&f);
}

static void limits_are_checked_before_anything_is_asked(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  Request r = ANALYTICS__AGGREGATE__V1__ANALYZE_VEHICLE_INTEREST_REQUEST__INIT;
  r.limit = 201;
  fixture_vehicles(&f, &o, &r, TIMEOUT_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(o.status.message, "limit: 201 is not from 1 to 200");
  outcome_free(&o);
  r.limit = 0;
  r.offset = -1;
  fixture_vehicles(&f, &o, &r, TIMEOUT_MS);
  CU_ASSERT_STRING_EQUAL(o.status.message, "offset: -1 is not from 0 to 1000");
  CU_ASSERT_EQUAL(f.world.definition_calls, 0);
  outcome_free(&o);
  fixture_stop(&f);
}

FIXTURE_MAIN("aggregate vehicle interest", TEST(each_dealer_is_read_by_what_it_has_registered),
             TEST(what_is_registered_is_asked_for_once),
             TEST(a_dealer_whose_definitions_fail_is_named_left_out_and_asked_again),
             TEST(a_grant_that_is_over_ends_the_call),
             TEST(when_nobody_can_be_asked_the_call_says_why),
             TEST(dealers_outside_the_view_take_no_part),
             TEST(limits_are_checked_before_anything_is_asked))
