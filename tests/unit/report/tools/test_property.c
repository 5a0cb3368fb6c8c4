/* GetPropertyDetails and GetCustomDimensionsAndMetrics through the whole service, between fakes. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fakes.h"

typedef Analytics__Report__V1__GetPropertyDetailsRequest details_request;
typedef Analytics__Report__V1__GetPropertyDetailsResponse details_response;
typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsRequest custom_request;
typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse custom_response;

static void response_free(void *message)
{
  if (message != NULL)
    protobuf_c_message_free_unpacked(message, NULL);
}

static void *call(struct fakes *f, const char *method, const ProtobufCMessage *request,
                  struct err *e)
{
  static const struct rpc_metadata grant = {RPC_META_GRANT, "sealed", 6};
  static const struct rpc_client_options options = {
      .timeout_ms = 10000, .metadata = &grant, .n_metadata = 1};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, f->report, &analytics__report__v1__report_service__descriptor,
                       method, request, &options, e);
  return response;
}

static details_response *details(struct fakes *f, const char *dealer, const char *property,
                                 struct err *e)
{
  details_request request = ANALYTICS__REPORT__V1__GET_PROPERTY_DETAILS_REQUEST__INIT;
  request.dealer_id = (char *)(uintptr_t)dealer;
  request.property_id = (char *)(uintptr_t)property;
  return call(f, "GetPropertyDetails", &request.base, e);
}

static custom_response *custom(struct fakes *f, const char *dealer, struct err *e)
{
  custom_request request = ANALYTICS__REPORT__V1__GET_CUSTOM_DIMENSIONS_AND_METRICS_REQUEST__INIT;
  request.dealer_id = (char *)(uintptr_t)dealer;
  return call(f, "GetCustomDimensionsAndMetrics", &request.base, e);
}

/* ------------------------------------------------------------------ tests */

static void a_dealers_own_property_is_shown(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  details_response *r = details(&f, "d07", "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->dealer_id, "d07");
  CU_ASSERT_STRING_EQUAL(r->dealer_name, "Dealer 7");
  CU_ASSERT_STRING_EQUAL(r->property->name, "properties/107");
  CU_ASSERT_STRING_EQUAL(r->headline, "Dealer 7 (d07): properties/107 \"Site 107\", days in "
                                      "America/New_York, money in USD");
  CU_ASSERT_STRING_EQUAL(r->property->display_name, "Site 107");
  CU_ASSERT_STRING_EQUAL(r->property->industry_category, "AUTOMOTIVE");
  CU_ASSERT_STRING_EQUAL(r->property->create_time, "2023-02-01T09:00:00.123Z");
  CU_ASSERT_EQUAL(r->property->service_level,
                  ANALYTICS__GA4__V1BETA__SERVICE_LEVEL__GOOGLE_ANALYTICS_STANDARD);
  LOCKED(&f, CU_ASSERT_STRING_EQUAL(f.last_url, "/v1beta/properties/107"));
  LOCKED(&f, CU_ASSERT_STRING_EQUAL(f.last_body, ""));
  CU_ASSERT_EQUAL(f.grants_seen, 1);
  response_free(r);
  fakes_stop(&f);
}

static void another_of_the_dealers_properties_is_shown_when_asked(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  f.several_properties = true;
  details_response *r = details(&f, "d07", "properties/907", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->property->name, "properties/907");
  response_free(r);
  r = details(&f, "", "107", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->dealer_id, "d07");
  response_free(r);
  fakes_stop(&f);
}

static void a_property_outside_the_grant_is_never_asked_for(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  CU_ASSERT_PTR_NULL(details(&f, "d07", "108", &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "property_id: 108 is not a property of dealer d07"));
  CU_ASSERT_PTR_NULL(details(&f, "d99", "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_PTR_NULL(custom(&f, "revoked", &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_grant");
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

static void a_request_without_a_target_names_the_field(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  CU_ASSERT_PTR_NULL(details(&f, "", "", &e));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer_id: give dealer_id"));
  CU_ASSERT_PTR_NULL(details(&f, "d07", "UA-1", &e));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "property_id: Invalid property ID: UA-1."));
  CU_ASSERT_PTR_NULL(custom(&f, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(f.token_calls, 0);
  fakes_stop(&f);
}

static void an_enum_name_newer_than_ours_reads_as_unset(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  details_response *r = details(&f, "d07", "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->property->property_type,
                  ANALYTICS__GA4__V1BETA__PROPERTY_TYPE__PROPERTY_TYPE_UNSPECIFIED);
  response_free(r);
  fakes_stop(&f);
}

static void an_answer_that_is_not_a_property_is_a_failure_that_names_the_dealer(void)
{
  static const char *const bodies[] = {"{}", "{\"error\":{\"code\":500}}", "{\"name\":7}", "[]",
                                       ""};
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    LOCKED(&f, f.google.body = bodies[i]);
    CU_ASSERT_PTR_NULL(details(&f, "d07", "", &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer \"d07\" Dealer 7: Google's answer is not a "
                                             "valid property: "));
    CU_ASSERT_PTR_NULL(custom(&f, "d07", &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "malformed_response");
  }
  fakes_stop(&f);
}

static void only_custom_definitions_are_listed(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  custom_response *r = custom(&f, "d07", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->dealer_id, "d07");
  CU_ASSERT_STRING_EQUAL(r->property, "properties/107");
  CU_ASSERT_EQUAL_FATAL(r->n_custom_dimensions, 1);
  CU_ASSERT_STRING_EQUAL(r->custom_dimensions[0]->api_name, "customEvent:make");
  CU_ASSERT_EQUAL_FATAL(r->n_custom_metrics, 1);
  CU_ASSERT_STRING_EQUAL(r->custom_metrics[0]->api_name, "customEvent:lead_value");
  CU_ASSERT_EQUAL(r->custom_metrics[0]->type, ANALYTICS__GA4__V1BETA__METRIC_TYPE__TYPE_CURRENCY);
  CU_ASSERT_EQUAL(r->custom_metrics[0]->n_blocked_reasons, 1);
  LOCKED(&f,
         CU_ASSERT_STRING_EQUAL(f.last_url, "/v1beta/properties/107/metadata?prettyPrint=false"));
  response_free(r);
  fakes_stop(&f);
}

static void answers_are_cached_per_method_and_property(void)
{
  struct fakes f;
  struct err e;
  struct fakes_options options = {.cache_bytes = 1 << 20};
  fakes_start(&f, &options);
  for (int i = 0; i < 3; i++) {
    custom_response *c = custom(&f, "d07", &e);
    details_response *d = details(&f, "d07", "", &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_EQUAL(c->n_custom_dimensions, 1);
    CU_ASSERT_STRING_EQUAL(d->property->name, "properties/107");
    response_free(c);
    response_free(d);
  }
  CU_ASSERT_EQUAL(f.requests, 2);
  CU_ASSERT_EQUAL(f.token_calls, 6); /* the grant is asked for each */
  details_response *other = details(&f, "d08", "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(other);
  CU_ASSERT_STRING_EQUAL(other->property->name, "properties/108");
  CU_ASSERT_EQUAL(f.requests, 3);
  response_free(other);
  fakes_stop(&f);
}

static void a_refused_token_is_renewed_and_a_passing_failure_tried_again(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.token = "token-1"; f.renews = true);
  details_response *r = details(&f, "d07", "", &e);
  CU_ASSERT_PTR_NOT_NULL(r);
  CU_ASSERT_EQUAL(f.renewals, 1);
  response_free(r);
  LOCKED(&f,
         f.google = (struct google_plan){.fail_status = 503, .fail_times = 2, .fail_body = "{}"});
  r = details(&f, "d07", "", &e);
  CU_ASSERT_PTR_NOT_NULL(r);
  response_free(r);
  LOCKED(&f,
         f.google = (struct google_plan){.fail_status = 403, .fail_times = 1, .fail_body = "{}"});
  CU_ASSERT_PTR_NULL(details(&f, "d07", "", &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "permission_denied");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer \"d07\" Dealer 7: "));
  fakes_stop(&f);
}

TEST_MAIN("report-svc property tools", TEST(a_dealers_own_property_is_shown),
          TEST(another_of_the_dealers_properties_is_shown_when_asked),
          TEST(a_property_outside_the_grant_is_never_asked_for),
          TEST(a_request_without_a_target_names_the_field),
          TEST(an_enum_name_newer_than_ours_reads_as_unset),
          TEST(an_answer_that_is_not_a_property_is_a_failure_that_names_the_dealer),
          TEST(only_custom_definitions_are_listed),
          TEST(answers_are_cached_per_method_and_property),
          TEST(a_refused_token_is_renewed_and_a_passing_failure_tried_again))
