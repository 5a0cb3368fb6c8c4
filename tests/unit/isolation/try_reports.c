/* The tools that give figures, of one dealer or of several. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/isolation/try_parts.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest CompareRequest;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResponse CompareResponse;

static char *page_path[] = {TEXT("pagePath")};
static char *event_name[] = {TEXT("eventName")};
static char *sessions[] = {TEXT("sessions"), TEXT("engagedSessions")};
/* Not Google's: they rest on each dealer's own events and settings. */
static char *leads[] = {TEXT("leads"), TEXT("leads_per_100_sessions"), TEXT("sessions")};
static char *shoppers[] = {TEXT("shopper_sessions"), TEXT("lead_sessions"), TEXT("calls")};

/* Dimension and metrics of a report; drawn at random. True: with leads. */
#define DRAW_FIELDS(q) draw_fields(&(q).dimensions, &(q).n_dimensions, &(q).metrics, &(q).n_metrics)
static bool draw_fields(char ***dimensions, size_t *n_dimensions, char ***metrics,
                        size_t *n_metrics)
{
  static char **const of[] = {sessions, sessions, leads, shoppers};
  size_t form = pick(ARRAY_LEN(of));
  *dimensions = form == 0 ? event_name : page_path;
  *n_dimensions = 1;
  *metrics = of[form];
  *n_metrics = form < 2 ? ARRAY_LEN(sessions) : ARRAY_LEN(leads);
  return form >= 2;
}

/* Whether it is known how many leads a dealer has: its event is configured, or one of those that
 * are looked for has fired. */
static bool counts_leads(const struct shop *s)
{
  bool fired = false;
  for (size_t e = 0; e < ARRAY_LEN(plan_events); e++)
    fired = fired || s->events[e] > 0;
  return fired || s->lead_event[0] != '\0';
}

/* Calls a tool about one property, named by dealer, by property or both, and judges whether it
 * answered exactly when it should; with leads, only where these are known. The fields belong to the
 * request `q`. */
static size_t try_with_leads(struct attempt *a, const char *method, const ProtobufCMessage *q,
                             bool with_leads, char **dealer_id, char **property_id)
{
  struct named dealer = name_dealer(a, 0), property = name_dealer(a, 1);
  bool by_dealer = pick(3) != 0, by_property = !by_dealer || pick(3) == 0;
  const char *const asked[] = {dealer.text, property.text, property.text};
  struct reply r;
  *dealer_id = by_dealer ? dealer.text : TEXT("");
  *property_id = by_property ? property.text : TEXT("");
  stage_call(&r, a->stage->report, REPORT, method, q, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 3);
  int shop = by_dealer ? dealer.shop : property.shop;
  bool due = may_read(a, shop) && a->stage->plan.shops[shop].fault == SHOP_WELL &&
             (!by_property || property.shop == shop);
  if (by_property && strcmp(property.text, a->stage->plan.shops[0].property) != 0 &&
      a->stage->plan.n == 1)
    due = false; /* Google refuses the only account a property it does not have */
  if (with_leads)
    due = due && counts_leads(&a->stage->plan.shops[shop]);
  a->tally->leads += with_leads && r.message != NULL;
  /* A property that is configured nowhere may be one the dealer's credential can read. */
  if (r.message != NULL && !due)
    bad += wrong("an answer that is not due", &r);
  if (r.message == NULL && due)
    bad += wrong("an answer about its own is refused", &r);
  reply_free(&r);
  return bad;
}

static size_t try_of_property(struct attempt *a, const char *method, const ProtobufCMessage *q,
                              char **dealer_id, char **property_id)
{
  return try_with_leads(a, method, q, false, dealer_id, property_id);
}

size_t try_run_report(struct attempt *a)
{
  Analytics__Report__V1__RunReportRequest q = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  bool with_leads = DRAW_FIELDS(q);
  return try_with_leads(a, "RunReport", &q.base, with_leads, &q.dealer_id, &q.property_id);
}

size_t try_property(struct attempt *a)
{
  Analytics__Report__V1__GetPropertyDetailsRequest details =
      ANALYTICS__REPORT__V1__GET_PROPERTY_DETAILS_REQUEST__INIT;
  Analytics__Report__V1__GetCustomDimensionsAndMetricsRequest custom =
      ANALYTICS__REPORT__V1__GET_CUSTOM_DIMENSIONS_AND_METRICS_REQUEST__INIT;
  Analytics__Report__V1__SearchFieldsRequest search =
      ANALYTICS__REPORT__V1__SEARCH_FIELDS_REQUEST__INIT;
  Analytics__Report__V1__GetFirstDateRequest first =
      ANALYTICS__REPORT__V1__GET_FIRST_DATE_REQUEST__INIT;
  size_t which = pick(3);
  if (which == 0)
    return try_of_property(a, "SearchFields", &search.base, &search.dealer_id, &search.property_id);
  if (pick(2) != 0)
    return try_of_property(a, "GetCustomDimensionsAndMetrics", &custom.base, &custom.dealer_id,
                           &custom.property_id);
  if (which == 1)
    return try_of_property(a, "GetFirstDate", &first.base, &first.dealer_id, &first.property_id);
  return try_of_property(a, "GetPropertyDetails", &details.base, &details.dealer_id,
                         &details.property_id);
}

#define OF_PROPERTY(method, q)                                                                     \
  try_of_property(a, method, &(q).base, &(q).dealer_id, &(q).property_id)
#define FIELDS(q)                                                                                  \
  do {                                                                                             \
    (q).dimensions = pick(2) == 0 ? page_path : event_name;                                        \
    (q).n_dimensions = 1;                                                                          \
    (q).metrics = sessions;                                                                        \
    (q).n_metrics = 2;                                                                             \
  } while (0)

static size_t try_tables(struct attempt *a)
{
  Analytics__Report__V1__RunRealtimeReportRequest realtime =
      ANALYTICS__REPORT__V1__RUN_REALTIME_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunPivotReportRequest pivoted =
      ANALYTICS__REPORT__V1__RUN_PIVOT_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunConversionsReportRequest conversions =
      ANALYTICS__REPORT__V1__RUN_CONVERSIONS_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunFunnelReportRequest funnel =
      ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__INIT;
  Analytics__Report__V1__RunFunnelReportRequest__Step step =
      ANALYTICS__REPORT__V1__RUN_FUNNEL_REPORT_REQUEST__STEP__INIT;
  Analytics__Report__V1__RunFunnelReportRequest__Step *steps[] = {&step};
  Analytics__Ga4__V1beta__Pivot pivot = ANALYTICS__GA4__V1BETA__PIVOT__INIT, *pivots[] = {&pivot};
  Analytics__Report__V1__BatchRunReportsRequest batch =
      ANALYTICS__REPORT__V1__BATCH_RUN_REPORTS_REQUEST__INIT;
  Analytics__Report__V1__RunReportRequest one = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT,
                                          *reports[] = {&one, &one};
  FIELDS(one);
  batch.n_requests = 2;
  batch.requests = reports;
  FIELDS(realtime);
  FIELDS(pivoted);
  FIELDS(conversions);
  pivot.limit = 10;
  pivoted.n_pivots = 1;
  pivoted.pivots = pivots;
  step.event = event_name[0];
  funnel.n_funnel_steps = 1;
  funnel.funnel_steps = steps;
  switch (pick(5)) {
  case 4:
    return OF_PROPERTY("BatchRunReports", batch);
  case 0:
    return OF_PROPERTY("RunRealtimeReport", realtime);
  case 1:
    return OF_PROPERTY("RunPivotReport", pivoted);
  case 2:
    return OF_PROPERTY("RunConversionsReport", conversions);
  default:
    return OF_PROPERTY("RunFunnelReport", funnel);
  }
}

static size_t try_lists(struct attempt *a)
{
  Analytics__Report__V1__ListKeyEventsRequest events =
      ANALYTICS__REPORT__V1__LIST_KEY_EVENTS_REQUEST__INIT;
  Analytics__Report__V1__ListDataStreamsRequest streams =
      ANALYTICS__REPORT__V1__LIST_DATA_STREAMS_REQUEST__INIT;
  Analytics__Report__V1__ListGoogleAdsLinksRequest links =
      ANALYTICS__REPORT__V1__LIST_GOOGLE_ADS_LINKS_REQUEST__INIT;
  Analytics__Report__V1__ListPropertyAnnotationsRequest annotations =
      ANALYTICS__REPORT__V1__LIST_PROPERTY_ANNOTATIONS_REQUEST__INIT;
  Analytics__Report__V1__GetPropertyQuotasRequest quotas =
      ANALYTICS__REPORT__V1__GET_PROPERTY_QUOTAS_REQUEST__INIT;
  Analytics__Report__V1__CheckCompatibilityRequest compatibility =
      ANALYTICS__REPORT__V1__CHECK_COMPATIBILITY_REQUEST__INIT;
  FIELDS(compatibility);
  switch (pick(6)) {
  case 0:
    return OF_PROPERTY("ListKeyEvents", events);
  case 1:
    return OF_PROPERTY("ListDataStreams", streams);
  case 2:
    return OF_PROPERTY("ListGoogleAdsLinks", links);
  case 3:
    return OF_PROPERTY("ListPropertyAnnotations", annotations);
  case 4:
    return OF_PROPERTY("GetPropertyQuotas", quotas);
  default:
    return OF_PROPERTY("CheckCompatibility", compatibility);
  }
}

size_t try_other_reports(struct attempt *a)
{
  return pick(2) == 0 ? try_tables(a) : try_lists(a);
}

size_t try_account_summaries(struct attempt *a)
{
  Analytics__Report__V1__GetAccountSummariesRequest q =
      ANALYTICS__REPORT__V1__GET_ACCOUNT_SUMMARIES_REQUEST__INIT;
  struct named dealer = name_dealer(a, 0);
  const char *const asked[] = {dealer.text};
  bool named = pick(3) != 0;
  struct reply r;
  if (named)
    q.dealer_id = dealer.text;
  stage_call(&r, a->stage->report, REPORT, "GetAccountSummaries", &q.base, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  if (named && r.message != NULL && !may_read(a, dealer.shop))
    bad += wrong("accounts that are not due", &r);
  reply_free(&r);
  return bad;
}

/* At times a second period, a dealer beside the others, or regions and groups. */
static void compare_across(Analytics__Aggregate__V1__RunReportAcrossDealersRequest *m,
                           const struct question *q)
{
  static Analytics__Ga4__V1beta__DateRange then = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  static const char *const by[] = {"", "", "dealer", "region", "group"};
  then.start_date = TEXT("60daysAgo");
  then.end_date = TEXT("40daysAgo");
  m->compare_to = pick(3) == 0 ? &then : NULL;
  m->subject = pick(3) == 0 ? TEXT(q->subject.text) : TEXT("");
  m->by = TEXT(by[pick(5)]);
}

size_t try_across(struct attempt *a)
{
  Analytics__Aggregate__V1__RunReportAcrossDealersRequest m =
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_REQUEST__INIT;
  struct question q;
  const char *asked[8];
  struct reply r;
  draw_question(a, &q);
  m.dealer_ids = q.id_texts;
  m.n_dealer_ids = q.n_ids;
  m.region = TEXT(q.region);
  bool with_leads = DRAW_FIELDS(m);
  compare_across(&m, &q);
  stage_call(&r, a->stage->aggregate, AGGREGATE, "RunReportAcrossDealers", &m.base, &a->grant);
  count(a, &r);
  a->tally->leads_across += with_leads && r.message != NULL;
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  reply_free(&r);
  return bad;
}

static bool any_well(const struct attempt *a, const struct question *q)
{
  for (size_t i = 0; i < a->stage->plan.n; i++)
    if (q->members[i] && a->stage->plan.shops[i].fault == SHOP_WELL)
      return true;
  return false;
}

size_t try_compare(struct attempt *a)
{
  CompareRequest m = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  struct question q;
  const char *asked[8];
  struct reply r;
  draw_question(a, &q);
  m.dealer_ids = q.id_texts;
  m.n_dealer_ids = q.n_ids;
  m.region = TEXT(q.region);
  m.subject = q.subject.text;
  m.detail = pick(8) > 0 ? (char *)"all" : (char *)"";
  m.limit = 500;
  m.cohort = q.club;
  stage_call(&r, a->stage->aggregate, AGGREGATE, "CompareDealerSessions", &m.base, &a->grant);
  count(a, &r);
  const CompareResponse *c = (const void *)r.message;
  size_t bad = (c != NULL) != (q.valid && any_well(a, &q))
                   ? wrong("a comparison that is not due, or is", &r)
                   : 0;
  if (c != NULL &&
      c->event_case == ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_RESULT)
    bad += oracle_judge(&a->stage->plan, &a->view, q.members, c->result, &a->tally->disclosure);
  else if (c != NULL)
    bad += wrong("a comparison without a result", &r);
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  reply_free(&r);
  return bad;
}

/* aggregate-svc's own rpc, asked by somebody else with a caller's grant. */
size_t try_fetch_reports(struct attempt *a)
{
  Analytics__Report__V1__FetchReportsRequest m = ANALYTICS__REPORT__V1__FETCH_REPORTS_REQUEST__INIT;
  Analytics__Report__V1__ReportQuery query = ANALYTICS__REPORT__V1__REPORT_QUERY__INIT;
  Analytics__Ga4__V1beta__RunReportRequest report =
      ANALYTICS__GA4__V1BETA__RUN_REPORT_REQUEST__INIT;
  Analytics__Ga4__V1beta__Metric metric = ANALYTICS__GA4__V1BETA__METRIC__INIT,
                                 *metrics[] = {&metric};
  Analytics__Report__V1__ReportQuery *queries[] = {&query};
  struct named target = name_dealer(a, 0);
  const char *const asked[] = {target.text};
  char *refs[] = {target.text};
  struct reply r;
  metric.name = sessions[0];
  report.metrics = metrics;
  report.n_metrics = 1;
  query.query_id = 1;
  query.report = &report;
  m.dealer_refs = refs;
  m.n_dealer_refs = 1;
  m.queries = queries;
  m.n_queries = 1;
  m.purpose = pick(2) == 0 ? DIRECT : BENCHMARK;
  stage_call(&r, a->stage->report, REPORT, "FetchReports", &m.base, &a->grant);
  count(a, &r);
  size_t bad = 0;
  const Analytics__Report__V1__FetchReportsResponse *f = (const void *)r.message;
  bool due = m.purpose == DIRECT && may_read(a, target.shop) &&
             a->stage->plan.shops[target.shop].fault == SHOP_WELL;
  if (f != NULL &&
      f->event_case == ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE) {
    bad += (f->dealer_done->code == 0) != due ? wrong("columns that are not due, or are", &r) : 0;
    char *told = f->dealer_done->message; /* may repeat what was asked, as errors do */
    char *at = strstr(told, target.text);
    if (at != NULL)
      memset(at, 'x', strlen(target.text));
  }
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  reply_free(&r);
  return bad;
}
