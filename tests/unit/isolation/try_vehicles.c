/* The tools about vehicles and about the health of data: only dealers that the caller may read, and
 * their raw values. */
#include "tests/unit/isolation/try_parts.h"

typedef Analytics__Aggregate__V1__AnalyzeVehicleInterestRequest InterestRequest;
typedef Analytics__Aggregate__V1__VehicleLeadConversionRequest LeadsRequest;
typedef Analytics__Aggregate__V1__VehicleMoversRequest MoversRequest;
typedef Analytics__Aggregate__V1__CheckDataHealthRequest HealthRequest;

/* The requests have the same fields for the dealers. */
#define ASK_ABOUT(request, q)                                                                      \
  ((request).dealer_ids = (q).id_texts, (request).n_dealer_ids = (q).n_ids,                        \
   (request).region = TEXT((q).region), (request).cohort = (q).club)

size_t try_vehicles(struct attempt *a)
{
  InterestRequest interest = ANALYTICS__AGGREGATE__V1__ANALYZE_VEHICLE_INTEREST_REQUEST__INIT;
  LeadsRequest leads = ANALYTICS__AGGREGATE__V1__VEHICLE_LEAD_CONVERSION_REQUEST__INIT;
  MoversRequest movers = ANALYTICS__AGGREGATE__V1__VEHICLE_MOVERS_REQUEST__INIT;
  HealthRequest health = ANALYTICS__AGGREGATE__V1__CHECK_DATA_HEALTH_REQUEST__INIT;
  struct {
    const char *method;
    const ProtobufCMessage *request;
  } calls[] = {{"AnalyzeVehicleInterest", &interest.base},
               {"VehicleLeadConversion", &leads.base},
               {"VehicleMovers", &movers.base},
               {"CheckDataHealth", &health.base}};
  struct question q;
  const char *asked[8];
  struct reply r;
  size_t tool = pick(4);
  draw_question(a, &q);
  ASK_ABOUT(interest, q);
  ASK_ABOUT(leads, q);
  ASK_ABOUT(movers, q);
  ASK_ABOUT(health, q);
  stage_call(&r, a->stage->aggregate, AGGREGATE, calls[tool].method, calls[tool].request,
             &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  a->tally->vehicles += r.message != NULL;
  reply_free(&r);
  return bad;
}

size_t try_list_metrics(struct attempt *a)
{
  Analytics__Aggregate__V1__ListMetricsRequest q =
      ANALYTICS__AGGREGATE__V1__LIST_METRICS_REQUEST__INIT;
  struct named dealer = name_dealer(a, 0);
  const char *const asked[] = {dealer.text};
  struct reply r;
  q.query = pick(2) == 0 ? TEXT("") : dealer.text;
  stage_call(&r, a->stage->aggregate, AGGREGATE, "ListMetrics", &q.base, &a->grant);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  reply_free(&r);
  return bad;
}
