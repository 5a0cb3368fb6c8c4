/* Reports that are put together: leads beside GA4's metrics, several properties. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"
#include "tests/unit/report/support/tool_run.h"

typedef Analytics__Report__V1__RunReportRequest run_request;
typedef Analytics__Report__V1__RunReportResponse run_response;

static char d07[] = "d07", city[] = "city", sessions[] = "sessions", leads[] = "leads",
            rate[] = "leads_per_100_sessions", *cities[] = {city},
            *asked[] = {leads, sessions, rate}, *visits[] = {sessions};

#define HEADER(name) "{\"name\":\"" name "\",\"type\":\"TYPE_INTEGER\"}"
#define ROW1(a, x)                                                                                 \
  "{\"dimensionValues\":[{\"value\":\"" a "\"}],\"metricValues\":[{\"value\":\"" x "\"}]}"
#define ROW2(a, b, x, y)                                                                           \
  "{\"dimensionValues\":[{\"value\":\"" a "\"},{\"value\":\"" b                                    \
  "\"}],\"metricValues\":[{\"value\":\"" x "\"},{\"value\":\"" y "\"}]}"
#define VISITS                                                                                     \
  "{\"dimensionHeaders\":[{\"name\":\"city\"}],\"metricHeaders\":[" HEADER(                        \
      "sessions") "],\"rows\":[" ROW1("Reno",                                                      \
                                      "200") "," ROW1("Boise",                                     \
                                                      "50") "],\"rowCount\":2,\"kind\":\"k\"}"
/* form_submit fires beside generate_lead, less often in 90 days; Elko has leads and no sessions. */
#define EVENTS                                                                                     \
  "{\"dimensionHeaders\":[{\"name\":\"city\"},{\"name\":\"eventName\"}],\"metricHeaders\":"        \
  "[" HEADER("eventCount") "," HEADER("sessions") "],\"rows\":[" ROW2(                             \
      "Reno", "generate_lead", "3",                                                                \
      "3") "," ROW2("Boise", "generate_lead", "4",                                                 \
                    "2") "," ROW2("Boise", "form_submit", "9",                                     \
                                  "9") "," ROW2("Elko", "generate_lead", "1",                      \
                                                "1") "],\"rowCount\":4,\"kind\":\"k\"}"
#define LOOK_BACK                                                                                  \
  "{\"dimensionHeaders\":[{\"name\":\"eventName\"}],\"metricHeaders\":[" HEADER(                   \
      "eventCount") "],\"rows\":[" ROW1("generate_lead",                                           \
                                        "90") "," ROW1("form_submit",                              \
                                                       "80") "],\"rowCount\":2,\"kind\":\"k\"}"

static run_request request_of(char **metrics, size_t n)
{
  run_request r = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  r.dealer_id = d07;
  r.dimensions = cities;
  r.n_dimensions = 1;
  r.metrics = metrics;
  r.n_metrics = n;
  return r;
}

static void check_row(const run_response *r, size_t i, const char *name, const char *lead,
                      const char *visit, const char *per)
{
  const char *const expected[] = {lead, visit, per};
  CU_ASSERT_STRING_EQUAL(r->rows[i]->dimension_values[0]->value, name);
  for (size_t k = 0; k < ARRAY_LEN(expected); k++)
    CU_ASSERT_STRING_EQUAL(r->rows[i]->metric_values[k]->value, expected[k]);
}

static void leads_stand_beside_sessions_and_the_look_back_is_read_once(void)
{
  struct fakes f;
  struct err e;
  run_request q = request_of(asked, ARRAY_LEN(asked));
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.body = "{\"reports\":[" VISITS "," EVENTS "," LOOK_BACK "],\"kind\":\"k\"}");
  run_response *r = tool_run(&f, "RunReport", &q.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT(tool_asked(&f, "/v1beta/properties/107:batchRunReports?prettyPrint=false", NULL));
  CU_ASSERT_EQUAL(f.requests, 1);
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 3);
  check_row(r, 0, "Boise", "4", "50", "8");
  check_row(r, 1, "Reno", "3", "200", "1.5");
  check_row(r, 2, "Elko", "1", "0", "0");
  CU_ASSERT_STRING_EQUAL(r->metric_headers[2]->name, "leads_per_100_sessions");
  tool_free(r);
  LOCKED(&f, f.google.body = "{\"reports\":[" VISITS "," EVENTS "],\"kind\":\"k\"}");
  q.limit = 1;
  q.offset = 1;
  r = tool_run(&f, "RunReport", &q.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  LOCKED(&f, CU_ASSERT_PTR_NULL(strstr(f.last_body, "asc_item_pageview")));
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 1);
  check_row(r, 0, "Reno", "3", "200", "1.5");
  CU_ASSERT_EQUAL(r->row_count, 3);
  CU_ASSERT_EQUAL(r->next_offset, 2);
  tool_free(r);
  fakes_stop(&f);
}

static void a_site_without_a_lead_event_has_an_unknown_number_of_leads(void)
{
  struct fakes f;
  struct err e;
  run_request q = request_of(asked, ARRAY_LEN(asked));
  fakes_start(&f, NULL);
  LOCKED(&f,
         f.google.body =
             "{\"reports\":[" VISITS
             ",{\"dimensionHeaders\":[{\"name\":\"city\"},{\"name\":\"eventName\"}],"
             "\"metricHeaders\":[" HEADER("eventCount") "," HEADER(
                 "sessions") "],\"kind\":\"k\"},{\"dimensionHeaders\":[{\"name\":\"eventName\"}],"
                             "\"metricHeaders\":[" HEADER(
                                 "eventCount") "],\"kind\":\"k\"}],\"kind\":\"k\"}");
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunReport", &q.base, &e));
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "no_lead_event");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer \"d07\""));
  fakes_stop(&f);
}

static void the_properties_of_a_dealer_are_added_up(void)
{
  struct fakes f;
  struct err e;
  run_request q = request_of(visits, 1);
  fakes_start(&f, NULL);
  f.several_properties = true;
  LOCKED(&f, f.google.rows = 3); /* city i has i */
  run_response *r = tool_run(&f, "RunReport", &q.base, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(f.requests, 2);
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 3);
  CU_ASSERT_STRING_EQUAL(r->rows[0]->metric_values[0]->value, "4");
  CU_ASSERT_STRING_EQUAL(r->rows[2]->metric_values[0]->value, "0");
  tool_free(r);
  LOCKED(&f, f.google.fail_status = 403; f.google.fail_times = 9; f.google.fail_property = "907";
         f.google.fail_body = "");
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunReport", &q.base, &e)); /* half a dealer is none */
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer \"d07\""));
  fakes_stop(&f);
}

static bool says(const run_response *r, const char *part)
{
  bool found = false;
  for (size_t i = 0; r != NULL && i < r->n_caveats; i++)
    found = found || strstr(r->caveats[i], part) != NULL;
  for (size_t i = 0; r != NULL && !found && i < r->n_caveats; i++)
    printf("\n    %s\n", r->caveats[i]);
  return found;
}

/* Property 907 begins after the days; 107 has rows, then began early or late itself. */
static void properties_without_data_are_named_with_their_first_days(void)
{
  static const struct {
    int rows;
    const char *first, *late, *each, *all; /* all: NULL: nothing is said of all */
  } cases[] = {
      {3, NULL, "20260105",
       "1 of the dealer's 2 properties has no data of these days: properties/907 has data from "
       "2026-01-05 on.",
       "From 2026-01-05 on all of the dealer's properties have data"},
      {0, "20251103", "20260105",
       "2 of the dealer's 2 properties have no data of these days: properties/107 has data from "
       "2025-11-03 on, properties/907 has data from 2026-01-05 on.",
       "From 2026-01-05 on all"},
      {3, NULL, NULL, "properties/907 has no data yet.", NULL},
      {3, NULL, "20160105", "properties/907 has data from 2016-01-05 on.", NULL},
      {3, NULL, "soon", "properties/907 (its first day is not known).", NULL},
  };
  Analytics__Ga4__V1beta__DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  Analytics__Ga4__V1beta__DateRange *ranges[] = {&range};
  range.start_date = (char *)"2024-01-01";
  range.end_date = (char *)"2024-01-31";
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct fakes f;
    struct err e;
    run_request q = request_of(visits, 1);
    q.date_ranges = ranges;
    q.n_date_ranges = 1;
    fakes_start(&f, NULL);
    f.several_properties = true;
    LOCKED(&f, f.google.rows = cases[i].rows; f.google.first_date = cases[i].first;
           f.google.late_property = "907"; f.google.late_first_date = cases[i].late);
    run_response *r = tool_run(&f, "RunReport", &q.base, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_TRUE(says(r, cases[i].each));
    if (cases[i].all != NULL)
      CU_ASSERT_TRUE(says(r, cases[i].all));
    for (size_t k = 0; cases[i].all == NULL && k < r->n_caveats; k++)
      CU_ASSERT_PTR_NULL(strstr(r->caveats[k], "on all of the dealer's"));
    CU_ASSERT_EQUAL(f.requests, 2 + (cases[i].rows == 0) + 1);
    tool_free(r);
    fakes_stop(&f);
  }
}

/* Of 4 dealers with 2 properties, in chunks of 2 rows. */
static void streams_add_them_up_too(void)
{
  for (int batch = 0; batch < 2; batch++) {
    struct fakes f;
    struct fetch_run r;
    fakes_start(&f, &(struct fakes_options){.chunk_rows = 2});
    f.several_properties = true;
    LOCKED(&f, f.google.rows = 5);
    fetch_init(&r);
    r.batch = batch == 1;
    r.add_properties = true;
    fetch_start(&r, &f, 4, 2, 0, 20000);
    fetch_wait(&r);
    CU_ASSERT_EQUAL(r.status.code, ERR_OK);
    for (size_t d = 0; d < 4; d++)
      for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(r.codes[d], 0);
        CU_ASSERT_TRUE(r.reports[d][i].done && !r.reports[d][i].bad);
        CU_ASSERT_EQUAL(r.reports[d][i].rows, 5);
        CU_ASSERT_EQUAL(r.reports[d][i].sum, 2 * (0 + 1 + 2 + 3 + 4));
      }
    fakes_stop(&f);
  }
}

/* Bytes that this process has from malloc(); 0 under a sanitizer. */
static size_t allocated(void)
{
  struct mallinfo2 m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

/* The largest of these, and of what is held of the room, until `over`. */
struct watch {
  struct room *room;
  atomic_bool over;
  size_t allocated, held;
  pthread_t thread;
};

static void *watch(void *arg)
{
  struct watch *w = arg;
  while (!atomic_load(&w->over)) {
    size_t held = room_held(w->room), now = allocated();
    w->held = held > w->held ? held : w->held;
    w->allocated = now > w->allocated ? now : w->allocated;
    usleep(200);
  }
  return NULL;
}

/* Starts 2 reports of each of 32 dealers with 2 properties, 1 kB a row, with a reader that takes
 * nothing for now. */
static void start_wide(struct fetch_run *r, struct fakes *f, int rows)
{
  f->several_properties = true;
  LOCKED(f, f->google = (struct google_plan){.rows = rows, .value_bytes = 100});
  fetch_init(r);
  r->add_properties = true;
  r->hold = true;
  fetch_start(r, f, 32, 2, 0, 30000);
  CU_ASSERT(fakes_reach(&f->requests, 32));
}

static void go_on(struct fetch_run *r)
{
  pthread_mutex_lock(&r->lock);
  r->hold = false;
  pthread_mutex_unlock(&r->lock);
  rpc_client_resume(r->call);
  fetch_wait(r);
}

static bool all_whole(const struct fetch_run *r, int64_t rows)
{
  bool ok = true;
  for (size_t d = 0; d < r->n; d++) {
    bool whole = r->codes[d] == 0;
    for (size_t i = 0; i < 2; i++) {
      const struct report *report = &r->reports[d][i];
      whole = whole && report->done && !report->bad && report->rows == rows &&
              report->sum == (double)(rows * (rows - 1));
    }
    if (!whole)
      printf("\n    dealer %zu: %d %s %s\n", d, r->codes[d], r->reasons[d], r->messages[d]);
    ok = ok && whole;
  }
  return ok;
}

static void joined_reports_together_stay_within_their_memory(void)
{
  enum { ROWS = 400, ROOM = 4 << 20, BESIDE = 12 << 20 };
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.join_bytes = ROOM});
  struct watch w = {.room = &f.service.joins};
  size_t before = allocated();
  CU_ASSERT_EQUAL_FATAL(pthread_create(&w.thread, NULL, watch, &w), 0);
  start_wide(&r, &f, ROWS);
  go_on(&r);
  atomic_store(&w.over, true);
  pthread_join(w.thread, NULL);
  CU_ASSERT_TRUE(w.held > 0 && w.held <= ROOM);
  CU_ASSERT_TRUE(w.allocated < before + ROOM + BESIDE);
  CU_ASSERT_EQUAL(room_held(&f.service.joins), 0);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_TRUE(all_whole(&r, ROWS));
  CU_ASSERT_TRUE(f.requests > 2 * 2 * 32); /* some asked once more, in their turn */
  fakes_stop(&f);
}

/* The default has room for all 32 at once. */
static void what_fits_is_answered_for_all(void)
{
  enum { ROWS = 100 };
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  start_wide(&r, &f, ROWS);
  go_on(&r);
  CU_ASSERT_TRUE(all_whole(&r, ROWS));
  CU_ASSERT_EQUAL(f.requests, 2 * 2 * 32);
  fakes_stop(&f);
}

static void reports_in_line_for_memory_can_be_cancelled(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.join_bytes = 2 << 20});
  start_wide(&r, &f, 400);
  rpc_client_cancel(r.call);
  go_on(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_CANCELLED);
  CU_ASSERT(fetch_idle_soon(&f));
  fakes_stop(&f);
  CU_ASSERT_EQUAL(f.service.joins.waiting, 0);
}

static void a_report_larger_than_the_memory_says_what_to_ask_for(void)
{
  struct fakes f;
  struct err e;
  run_request q = request_of(visits, 1);
  fakes_start(&f, &(struct fakes_options){.join_bytes = 1 << 20});
  f.several_properties = true;
  LOCKED(&f, f.google.rows = 4000);
  CU_ASSERT_PTR_NULL(tool_run(&f, "RunReport", &q.base, &e));
  CU_ASSERT_EQUAL(e.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "answer_too_large");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "ask for fewer dimensions or days, or filter"));
  LOCKED(&f, f.google.rows = 100);
  run_response *r = tool_run(&f, "RunReport", &q.base, &e); /* the room is free again */
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  tool_free(r);
  fakes_stop(&f);
}

static void cancelled_streams_end_at_once(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  f.several_properties = true;
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 300});
  fetch_init(&r);
  r.add_properties = true;
  fetch_start(&r, &f, 16, 2, 0, 20000);
  CU_ASSERT(fakes_reach(&f.requests, 9));
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_CANCELLED);
  CU_ASSERT(fetch_idle_soon(&f));
  fakes_stop(&f);
}

TEST_MAIN("report-svc own metrics",
          TEST(leads_stand_beside_sessions_and_the_look_back_is_read_once),
          TEST(a_site_without_a_lead_event_has_an_unknown_number_of_leads),
          TEST(properties_without_data_are_named_with_their_first_days),
          TEST(the_properties_of_a_dealer_are_added_up), TEST(streams_add_them_up_too),
          TEST(joined_reports_together_stay_within_their_memory),
          TEST(what_fits_is_answered_for_all), TEST(reports_in_line_for_memory_can_be_cancelled),
          TEST(a_report_larger_than_the_memory_says_what_to_ask_for),
          TEST(cancelled_streams_end_at_once))
