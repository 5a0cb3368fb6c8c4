/* The tools about one dealer beside others: only who may read it is answered, and of the others
 * nothing but what is released. */
#include "tests/unit/isolation/try_parts.h"

typedef Analytics__Aggregate__V1__BenchmarkDealerRequest Benchmark;
typedef Analytics__Aggregate__V1__CompareTrendsRequest Trends;
typedef Analytics__Aggregate__V1__CompareTrafficSourcesRequest Traffic;
typedef Analytics__Aggregate__V1__CompareLandingPagesRequest Pages;
typedef Analytics__Aggregate__V1__ExplainChangeRequest Explain;

struct dealer_requests {
  Benchmark benchmark;
  Trends trends;
  Traffic traffic;
  Pages pages;
  Explain explain;
};

static void requests_init(struct dealer_requests *m)
{
  *m = (struct dealer_requests){ANALYTICS__AGGREGATE__V1__BENCHMARK_DEALER_REQUEST__INIT,
                                ANALYTICS__AGGREGATE__V1__COMPARE_TRENDS_REQUEST__INIT,
                                ANALYTICS__AGGREGATE__V1__COMPARE_TRAFFIC_SOURCES_REQUEST__INIT,
                                ANALYTICS__AGGREGATE__V1__COMPARE_LANDING_PAGES_REQUEST__INIT,
                                ANALYTICS__AGGREGATE__V1__EXPLAIN_CHANGE_REQUEST__INIT};
}

/* The fields that all five have. */
#define ASK_ABOUT(request, q)                                                                      \
  ((request).subject = (q).subject.text, (request).region = TEXT((q).region),                      \
   (request).cohort = (q).club)

static void ask(struct dealer_requests *m, struct question *q)
{
  static const char *const by[] = {"", "source_medium", "campaign"};
  static const char *const metrics[] = {"", "sessions", "lead_events", "engagement_rate"};
  ASK_ABOUT(m->benchmark, *q);
  ASK_ABOUT(m->trends, *q);
  ASK_ABOUT(m->traffic, *q);
  ASK_ABOUT(m->pages, *q);
  ASK_ABOUT(m->explain, *q);
  m->benchmark.dealer_ids = m->trends.dealer_ids = q->id_texts;
  m->benchmark.n_dealer_ids = m->trends.n_dealer_ids = q->n_ids;
  m->trends.grain = pick(4) == 0 ? TEXT("month") : TEXT("week");
  m->traffic.by = TEXT(by[pick(3)]);
  m->pages.expected_from = TEXT("region");
  m->explain.metric = TEXT(metrics[pick(4)]);
  m->explain.compare_with = pick(3) == 0 ? TEXT("previous_year") : TEXT("");
}

size_t try_dealer(struct attempt *a)
{
  static const char *const methods[] = {"BenchmarkDealer", "CompareTrends", "CompareTrafficSources",
                                        "CompareLandingPages", "ExplainChange"};
  enum { WITH_IDS = 2 }; /* the first tools take a list of dealers */
  struct dealer_requests m;
  const ProtobufCMessage *const requests[] = {&m.benchmark.base, &m.trends.base, &m.traffic.base,
                                              &m.pages.base, &m.explain.base};
  struct question q;
  const char *asked[8];
  struct reply r;
  size_t tool = pick(5);
  do
    draw_question(a, &q);
  while (tool >= WITH_IDS && q.n_ids > 0);
  requests_init(&m);
  ask(&m, &q);
  stage_call(&r, a->stage->aggregate, AGGREGATE, methods[tool], requests[tool], &a->grant);
  count(a, &r);
  size_t bad =
      r.message != NULL && !q.valid ? wrong("an answer about a dealer that is not due", &r) : 0;
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  a->tally->dealer[tool] += r.message != NULL;
  reply_free(&r);
  return bad;
}
