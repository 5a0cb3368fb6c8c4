/* report-svc's stand-in but for FetchReports. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/fakes.h"

static void get_definitions(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const Analytics__Report__V1__GetCustomDimensionsAndMetricsRequest *r = (const void *)message;
  Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse out =
      ANALYTICS__REPORT__V1__GET_CUSTOM_DIMENSIONS_AND_METRICS_RESPONSE__INIT;
  static const char *const names[] = {"customEvent:item_make", "customEvent:item_model",
                                      "customEvent:comm_type"};
  Analytics__Ga4__V1beta__DimensionMetadata d[3], *list[3] = {&d[0], &d[1], &d[2]};
  pthread_mutex_lock(&w->lock);
  w->definition_calls++;
  const struct fake_dealer *dealer = fake_find(w, r->dealer_id);
  pthread_mutex_unlock(&w->lock);
  CU_ASSERT_PTR_NOT_NULL_FATAL(dealer);
  if (dealer->definitions.code != ERR_OK) {
    rpc_call_finish(call, &dealer->definitions);
    return;
  }
  for (size_t i = 0; i < 3; i++) {
    analytics__ga4__v1beta__dimension_metadata__init(&d[i]);
    d[i].api_name = (char *)names[i];
  }
  out.custom_dimensions = dealer->registered ? list : list + 2;
  out.n_custom_dimensions = (dealer->registered ? 2U : 0U) + dealer->comm_type;
  rpc_call_reply(call, &out.base);
}

/* Chats by comm_type. */
static void run_report(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const Analytics__Report__V1__RunReportRequest *r = (const void *)message;
  Analytics__Report__V1__RunReportResponse out = ANALYTICS__REPORT__V1__RUN_REPORT_RESPONSE__INIT;
  Analytics__Ga4__V1beta__Row rows[4], *row_list[4];
  Analytics__Ga4__V1beta__DimensionValue dimensions[4], *dimension_list[4];
  Analytics__Ga4__V1beta__MetricValue metrics[4], *metric_list[4];
  pthread_mutex_lock(&w->lock);
  w->run_report_calls++;
  const struct fake_dealer *dealer = fake_find(w, r->dealer_id);
  CU_ASSERT(dealer != NULL && dealer->visible && dealer->comm_type);
  CU_ASSERT_STRING_EQUAL(r->dimensions[0], "customEvent:comm_type");
  CU_ASSERT_STRING_EQUAL(r->metrics[0], "eventCount");
  CU_ASSERT_STRING_EQUAL(r->dimension_filter->filter->in_list_filter->values[0],
                         "asc_comm_submission");
  snprintf(w->run_report_days[0], sizeof(w->run_report_days[0]), "%s",
           r->date_ranges[0]->start_date);
  snprintf(w->run_report_days[1], sizeof(w->run_report_days[1]), "%s", r->date_ranges[0]->end_date);
  pthread_mutex_unlock(&w->lock);
  if (dealer == NULL || dealer->run_report.code != ERR_OK) {
    rpc_call_finish(call, dealer == NULL ? NULL : &dealer->run_report);
    return;
  }
  for (; out.n_rows < 4 && dealer->messages[out.n_rows][0] != NULL; out.n_rows++) {
    size_t i = out.n_rows;
    analytics__ga4__v1beta__row__init(&rows[i]);
    analytics__ga4__v1beta__dimension_value__init(&dimensions[i]);
    analytics__ga4__v1beta__metric_value__init(&metrics[i]);
    dimensions[i].value = (char *)dealer->messages[i][0];
    metrics[i].value = (char *)dealer->messages[i][1];
    dimension_list[i] = &dimensions[i];
    metric_list[i] = &metrics[i];
    rows[i].dimension_values = &dimension_list[i];
    rows[i].n_dimension_values = 1;
    rows[i].metric_values = &metric_list[i];
    rows[i].n_metric_values = 1;
    row_list[i] = &rows[i];
  }
  out.rows = row_list;
  rpc_call_reply(call, &out.base);
}

static void get_first_date(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const Analytics__Report__V1__GetFirstDateRequest *r = (const void *)message;
  Analytics__Report__V1__GetFirstDateResponse out =
      ANALYTICS__REPORT__V1__GET_FIRST_DATE_RESPONSE__INIT;
  char date[16];
  pthread_mutex_lock(&w->lock);
  w->first_date_calls++;
  const struct fake_dealer *dealer = fake_find(w, r->dealer_id);
  CU_ASSERT(dealer != NULL && dealer->visible);
  snprintf(date, sizeof(date), "%s", dealer == NULL ? "" : dealer->first_date);
  pthread_mutex_unlock(&w->lock);
  out.first_date = date;
  rpc_call_reply(call, &out.base);
}

static const struct rpc_method methods[] = {
    {"GetFirstDate", RPC_UNARY, RPC_ON_WORKER, get_first_date},
    {"GetCustomDimensionsAndMetrics", RPC_UNARY, RPC_ON_WORKER, get_definitions},
    {"RunReport", RPC_UNARY, RPC_ON_WORKER, run_report},
    {"FetchReports", RPC_SERVER_STREAMING, RPC_ON_WORKER, fake_fetch_reports},
};

const struct fake_service fake_report = {&analytics__report__v1__report_service__descriptor,
                                         methods, ARRAY_LEN(methods)};
