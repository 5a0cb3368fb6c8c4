/* GetStatus through the whole report-svc: what its calls to Google leave behind, and who sees it.
 */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "analytics/report/v1/status.pb-c.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "report-svc/status/status.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

typedef Analytics__Report__V1__ReportStatus report_status;

static report_status *look(struct fakes *f, bool grant, struct err *e)
{
  static const struct rpc_metadata sealed = {RPC_META_GRANT, "sealed", 6};
  const Analytics__Status__V1__GetStatusRequest request =
      ANALYTICS__STATUS__V1__GET_STATUS_REQUEST__INIT;
  const struct rpc_client_options options = {
      .timeout_ms = 10000, .metadata = &sealed, .n_metadata = grant ? 1 : 0};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, f->report, &analytics__report__v1__status_service__descriptor,
                       "GetStatus", &request.base, &options, e);
  return (report_status *)response;
}

static void ask(struct fakes *f, const char *dealer)
{
  Analytics__Report__V1__GetPropertyDetailsRequest request =
      ANALYTICS__REPORT__V1__GET_PROPERTY_DETAILS_REQUEST__INIT;
  struct err e;
  request.dealer_id = (char *)(uintptr_t)dealer;
  tool_free(tool_run(f, "GetPropertyDetails", &request.base, &e));
}

static const Analytics__Report__V1__AccountReports *of(const report_status *s, const char *property)
{
  for (size_t i = 0; i < s->n_accounts; i++)
    if (strcmp(s->accounts[i]->property_id, property) == 0)
      return s->accounts[i];
  CU_FAIL_FATAL("the property is not there");
  return NULL;
}

static void what_calls_came_to_is_shown_by_property(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  int64_t before = clock_unix_ms() / 1000;
  ask(&f, "d07");
  ask(&f, "d07");
  LOCKED(&f, f.google.fail_status = 403; f.google.fail_times = 1; f.google.fail_body = "{}");
  ask(&f, "d08");
  report_status *s = look(&f, false, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  const Analytics__Report__V1__AccountReports *good = of(s, "107"), *bad = of(s, "108");
  CU_ASSERT_EQUAL(s->n_accounts, 2);
  CU_ASSERT_STRING_EQUAL(good->last_outcome, "ok");
  CU_ASSERT_STRING_EQUAL(good->dealer_id, "d07");
  CU_ASSERT_EQUAL(good->n_failures, 0);
  CU_ASSERT_TRUE(good->ok >= 1 && good->last_ok_at >= before);
  CU_ASSERT_STRING_EQUAL(bad->last_outcome, "permission_denied");
  CU_ASSERT_EQUAL_FATAL(bad->n_failures, 1);
  CU_ASSERT_EQUAL(bad->failures[0]->count, 1);
  CU_ASSERT_EQUAL(bad->last_ok_at, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(bad->remedy, "Viewer"));
  tool_free(s);
  fakes_stop(&f);
}

static void states_are_metrics_too(void)
{
  struct fakes f;
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  fakes_start(&f, NULL);
  ask(&f, "d07");
  LOCKED(&f, f.google.fail_status = 403; f.google.fail_times = 1; f.google.fail_body = "{}");
  ask(&f, "d08");
  report_status_gauges(&f.service);
  CU_ASSERT_TRUE(metrics_render(&text));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), "report_properties{state=\"ok\"} 1\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), "report_properties{state=\"failing\"} 1\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), "report_properties{state=\"held\"} 0\n"));
  fakes_stop(&f);
}

static void a_grant_is_auth_svcs_to_judge(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  report_status *s = look(&f, true, &e);
  CU_ASSERT_PTR_NOT_NULL(s);
  CU_ASSERT_EQUAL(f.status_asked, 1);
  tool_free(s);
  f.refuses_status = true;
  CU_ASSERT_PTR_NULL(look(&f, true, &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(e.reason, "not_admin");
  s = look(&f, false, &e); /* plaintext */
  CU_ASSERT_PTR_NOT_NULL(s);
  CU_ASSERT_EQUAL(f.status_asked, 2);
  tool_free(s);
  fakes_stop(&f);
}

static void without_a_grant_the_gateways_certificate_is_needed(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  f.service.gate.gateway_identity = "gateway";
  CU_ASSERT_PTR_NULL(look(&f, false, &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(e.reason, "wrong_service");
  fakes_stop(&f);
}

TEST_MAIN("report_status", TEST(what_calls_came_to_is_shown_by_property),
          TEST(states_are_metrics_too), TEST(a_grant_is_auth_svcs_to_judge),
          TEST(without_a_grant_the_gateways_certificate_is_needed))
