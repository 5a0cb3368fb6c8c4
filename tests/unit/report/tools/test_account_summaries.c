/* GetAccountSummaries through the whole service, between fakes. */
#include <string.h>

#include "tests/unit/harness.h"
#include "tests/unit/report/support/fakes.h"

typedef Analytics__Report__V1__GetAccountSummariesResponse summaries_response;

static const struct rpc_metadata grant = {RPC_META_GRANT, "sealed", 6};
static const struct rpc_client_options options = {
    .timeout_ms = 10000, .metadata = &grant, .n_metadata = 1};

static void response_free(void *message)
{
  if (message != NULL)
    protobuf_c_message_free_unpacked(message, NULL);
}

static summaries_response *summaries(struct fakes *f, const char *dealer, const char *query,
                                     struct err *e)
{
  Analytics__Report__V1__GetAccountSummariesRequest request =
      ANALYTICS__REPORT__V1__GET_ACCOUNT_SUMMARIES_REQUEST__INIT;
  request.dealer_id = (char *)(uintptr_t)dealer;
  request.query = (char *)(uintptr_t)query;
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, f->report, &analytics__report__v1__report_service__descriptor,
                       "GetAccountSummaries", &request.base, &options, e);
  return (summaries_response *)response;
}

static void all_pages_of_one_dealers_accounts_are_listed(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  summaries_response *r = summaries(&f, "d03", "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL_FATAL(r->n_dealers, 1);
  CU_ASSERT_STRING_EQUAL(r->dealers[0]->dealer_id, "d03");
  CU_ASSERT_EQUAL_FATAL(r->dealers[0]->n_account_summaries, 2);
  CU_ASSERT_STRING_EQUAL(r->dealers[0]->account_summaries[1]->display_name, "Truck World");
  CU_ASSERT_EQUAL(r->coverage->ok, 1);
  CU_ASSERT_EQUAL(f.token_calls, 1);
  response_free(r);
  CU_ASSERT_PTR_NULL(summaries(&f, "revoked", "", &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_grant");
  fakes_stop(&f);
}

static void query_keeps_matching_accounts_and_properties(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  summaries_response *r = summaries(&f, "d03", "TRUCK", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->dealers[0]->n_account_summaries, 1);
  CU_ASSERT_EQUAL(r->dealers[0]->account_summaries[0]->n_property_summaries, 2);
  response_free(r);
  r = summaries(&f, "d03", "properties/12", &e);
  CU_ASSERT_EQUAL(r->dealers[0]->n_account_summaries, 1);
  CU_ASSERT_EQUAL(r->dealers[0]->account_summaries[0]->n_property_summaries, 1);
  response_free(r);
  r = summaries(&f, "d03", "nothing", &e);
  CU_ASSERT_EQUAL(r->n_dealers, 0);
  CU_ASSERT_EQUAL(r->coverage->ok, 1);
  response_free(r);
  fakes_stop(&f);
}

static void query_is_read_by_words_and_tolerates_misspelling(void)
{
  static const char *const found[] = {"world truck", "Trukc World", "Truck, World!", "worlds"};
  static const char *const absent[] = {"truck planet", "ruck", "wurl"};
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
    summaries_response *r = summaries(&f, "d03", found[i], &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_EQUAL_FATAL(r->n_dealers, 1);
    CU_ASSERT_EQUAL_FATAL(r->dealers[0]->n_account_summaries, 1);
    CU_ASSERT_STRING_EQUAL(r->dealers[0]->account_summaries[0]->display_name, "Truck World");
    response_free(r);
  }
  for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
    summaries_response *r = summaries(&f, "d03", absent[i], &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_EQUAL(r->n_dealers, strcmp(absent[i], "ruck") == 0); /* a part as it stands */
    response_free(r);
  }
  fakes_stop(&f);
}

static void a_query_that_fits_nothing_names_the_closest(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  summaries_response *r = summaries(&f, "d03", "Truck Vorld", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->n_dealers, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "match \"Truck Vorld\"; closest: \"Truck World\""));
  response_free(r);
  r = summaries(&f, "d03", "something else altogether", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_PTR_NULL(strstr(r->headline, "closest"));
  response_free(r);
  r = summaries(&f, "d03", "truck", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_PTR_NULL(strstr(r->headline, "closest"));
  response_free(r);
  fakes_stop(&f);
}

static void all_dealers_are_asked_and_failures_are_named(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  LOCKED(&f, f.list_dealers = 30);
  summaries_response *r = summaries(&f, "", "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->coverage->asked, 30);
  CU_ASSERT_EQUAL(r->coverage->ok, 29);
  CU_ASSERT_EQUAL(r->n_dealers, 29);
  CU_ASSERT_EQUAL_FATAL(r->coverage->n_failed, 1);
  CU_ASSERT_STRING_EQUAL(r->coverage->failed[0]->dealer_id, "revoked");
  CU_ASSERT_STRING_EQUAL(r->coverage->failed[0]->name, "Name");
  CU_ASSERT_STRING_EQUAL(r->coverage->failed[0]->reason, "invalid_grant");
  response_free(r);
  fakes_stop(&f);
}

TEST_MAIN("report-svc GetAccountSummaries", TEST(all_pages_of_one_dealers_accounts_are_listed),
          TEST(query_keeps_matching_accounts_and_properties),
          TEST(query_is_read_by_words_and_tolerates_misspelling),
          TEST(a_query_that_fits_nothing_names_the_closest),
          TEST(all_dealers_are_asked_and_failures_are_named))
