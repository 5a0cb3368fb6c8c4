/* Daily figures from the columns of reports, and which events are leads. */
#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/figures/daily.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/comparison_world.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------------ fold */

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;
typedef Analytics__Report__V1__MetricColumn MetricColumn;

/* A chunk of a report whose rows have the given days, and events or no second dimension; the last
 * dimension is dateRange. */
struct rows {
  uint32_t query;
  size_t n_dimensions, n_metrics, n;
  char *new_texts[3][4];
  size_t n_new[3];
  uint32_t indices[3][4];
  double values[2][4];
};

static enum err_code fold(struct daily_fold *f, size_t member, struct rows *r)
{
  ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  DimensionColumn d[3], *dimensions[] = {&d[0], &d[1], &d[2]};
  MetricColumn m[2], *metrics[] = {&m[0], &m[1]};
  struct err e = {0};
  c.query_id = r->query;
  c.row_count = (uint32_t)r->n;
  c.n_dimensions = r->n_dimensions;
  c.n_metrics = r->n_metrics;
  c.dimensions = dimensions;
  c.metrics = metrics;
  for (size_t k = 0; k < 3; k++) {
    analytics__report__v1__dimension_column__init(&d[k]);
    d[k].dictionary = r->new_texts[k];
    d[k].n_dictionary = r->n_new[k];
    d[k].indices = r->indices[k];
    d[k].n_indices = r->n;
  }
  for (size_t k = 0; k < 2; k++) {
    analytics__report__v1__metric_column__init(&m[k]);
    m[k].values = r->values[k];
    m[k].n_values = r->n;
  }
  return daily_fold.chunk(f, member, &c, &e);
}

#define T(text) ((char *)(text))

static void fold_two_dealers(struct daily_fold *f)
{
  struct rows sessions = {
      DAILY_SESSIONS,
      2,
      2,
      3,
      {{T("20261001"), T("20261002"), T("20260930")}, {T("date_range_0"), T("date_range_1")}},
      {3, 2},
      {{0, 1, 2}, {0, 0, 1}},
      {{100, 50, 70}, {60, 20, 30}}};
  struct rows events = {
      DAILY_EVENTS,
      3,
      2,
      2,
      {{T("20261001")}, {T("generate_lead"), T("asc_form_submission_sales")}, {T("date_range_0")}},
      {1, 2, 1},
      {{0, 0}, {0, 1}, {0, 0}},
      {{5, 1000}, {4, 900}}};
  /* The next chunk adds to the dictionaries and names what the first one sent. */
  struct rows more = {
      DAILY_EVENTS,
      3,
      2,
      4,
      {{T("20261002"), T("20260930")}, {T("asc_click_to_call")}, {T("date_range_1")}},
      {2, 1, 1},
      {{1, 0, 2, 2}, {0, 2, 0, 2}, {0, 0, 1, 1}},
      {{7, 2, 3, 9}, {6, 2, 3, 9}}};
  struct rows shoppers = {DAILY_SHOPPERS,
                          2,
                          1,
                          2,
                          {{T("20261001"), T("20260930")}, {T("date_range_0"), T("date_range_1")}},
                          {2, 2},
                          {{0, 1}, {0, 1}},
                          {{40, 25}}};
  CU_ASSERT_EQUAL(fold(f, 0, &sessions), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &events), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &more), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &shoppers), ERR_OK);
  /* form_start is a frequent key event, scroll a rare one, page_view none. */
  struct rows look_back = {
      DAILY_LOOKBACK,
      2,
      2,
      4,
      {{T("asc_form_submission"), T("generate_lead"), T("form_start"), T("session_start")},
       {T("true"), T("false")}},
      {4, 2},
      {{0, 1, 2, 3}, {0, 0, 0, 1}},
      {{3, 7, 60, 1000}, {3, 7, 50, 1000}}};
  struct rows rare = {DAILY_LOOKBACK,
                      2,
                      2,
                      2,
                      {{T("scroll"), T("page_view")}, {T("true"), T("false")}},
                      {2, 2},
                      {{4, 5}, {2, 3}},
                      {{29, 3000}, {29, 999}}};
  CU_ASSERT_EQUAL(fold(f, 0, &look_back), ERR_OK);
  CU_ASSERT_EQUAL(fold(f, 0, &rare), ERR_OK);
}

static void fold_keeps_days_periods_and_events_apart(void)
{
  struct world w;
  struct daily_fold f;
  struct dealer_figures d;
  int64_t firings[LEAD_FIXED];
  atomic_llong used = 0;
  world_start(&w, 2);
  daily_fold_init(&f, &w.leads, 2, true, (struct budget){&used, 1 << 20, 0});
  fold_two_dealers(&f);
  CU_ASSERT_TRUE(atomic_load(&used) > 0);
  CU_ASSERT_TRUE_FATAL(daily_fold_figures(&f, 0, 1, SHOPPER_INVENTORY, &d, w.arena));
  CU_ASSERT_TRUE(d.now.sessions == 150 && d.now.engaged_sessions == 80 && d.now.leads == 12 &&
                 d.now.lead_sessions == 10 && d.now.shopper_sessions == 40);
  CU_ASSERT_TRUE(d.before.sessions == 70 && d.before.leads == 3 && d.before.shopper_sessions == 25);
  CU_ASSERT_EQUAL(d.kinds[LEAD_KIND_CALL], 2); /* not the 9 of the period before */
  CU_ASSERT_EQUAL_FATAL(d.n_days, 2);
  CU_ASSERT_TRUE(d.days[0].sessions == 100 && d.days[0].leads == 5 &&
                 d.days[0].shopper_sessions == 40);
  CU_ASSERT_TRUE(d.days[1].sessions == 50 && d.days[1].leads == 7);
  daily_fold_firings(&f, 0, firings);
  CU_ASSERT_TRUE(firings[0] == 3 && firings[1] == 7 && firings[2] == 0);
  CU_ASSERT_EQUAL(daily_fold_key_events(&f, 0), suspect_signature_add(0, "form_start"));
  CU_ASSERT_EQUAL(daily_fold_key_events(&f, 1), 0);
  /* A known event that did not happen is 0; other definitions count other sessions. */
  CU_ASSERT_TRUE(daily_fold_figures(&f, 0, 0, SHOPPER_ENGAGED, &d, w.arena));
  CU_ASSERT_TRUE(d.now.leads == 0 && d.now.shopper_sessions == 80);
  CU_ASSERT_TRUE(daily_fold_figures(&f, 0, 0, SHOPPER_EVENT + 1, &d, w.arena));
  CU_ASSERT_EQUAL(d.now.shopper_sessions, 10);
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
  CU_ASSERT_TRUE(daily_fold_figures(&f, 0, 1, SHOPPER_INVENTORY, &d, w.arena));
  CU_ASSERT_EQUAL(d.now.sessions, 0);
  daily_fold.free(&f);
  world_end(&w);
}

static void fold_refuses_what_is_not_a_day_a_range_or_a_count(void)
{
  struct world w;
  struct daily_fold f;
  atomic_llong used = 0;
  world_start(&w, 1);
  daily_fold_init(&f, &w.leads, 1, true, (struct budget){&used, 1 << 20, 0});
  struct rows good = {DAILY_SHOPPERS, 2,          1,    1, {{T("20261001")}, {T("date_range_0")}},
                      {1, 1},         {{0}, {0}}, {{5}}};
  static const char *const days[] = {"2026-10-01", "2026100", "202610011", "(other)", ""};
  for (size_t i = 0; i < ARRAY_LEN(days); i++) {
    struct rows bad = good;
    bad.new_texts[0][0] = (char *)days[i];
    CU_ASSERT_EQUAL(fold(&f, 0, &bad), ERR_DATA_LOSS);
    daily_fold.drop(&f, 0);
  }
  struct rows range = good, index = good, columns = good;
  range.new_texts[1][0] = T("date_range_7");
  index.indices[0][0] = 1;
  columns.n_dimensions = 1;
  CU_ASSERT_EQUAL(fold(&f, 0, &range), ERR_DATA_LOSS);
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(fold(&f, 0, &index), ERR_DATA_LOSS);
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(fold(&f, 0, &columns), ERR_DATA_LOSS);
  static const double odd[] = {0.5, -1, NAN, 1e300};
  for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
    struct rows bad = good;
    bad.values[0][0] = odd[i];
    CU_ASSERT_EQUAL(fold(&f, 0, &bad), ERR_DATA_LOSS);
    daily_fold.drop(&f, 0);
  }
  CU_ASSERT_EQUAL(fold(&f, 0, &good), ERR_OK);
  f.budget.max = 0;
  daily_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(fold(&f, 0, &good), ERR_RESOURCE_EXHAUSTED);
  daily_fold.free(&f);
  world_end(&w);
}

static void lead_event_is_the_one_that_fires_most_and_asc_from_half_of_it(void)
{
  static const struct {
    int64_t firings[LEAD_FIXED];
    int event;
  } cases[] = {{{0, 0, 0}, LEAD_UNKNOWN},
               {{1, 0, 0}, 0},
               {{0, 3, 9}, 2},
               {{0, 9, 9}, 1},
               {{5, 10, 0}, 0},
               {{4, 10, 0}, 1},
               {{5, 11, 0}, 1},
               {{6, 11, 3}, 0},
               {{1, 9, 0}, 1},
               {{500, 3, 757}, 0}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_EQUAL(lead_find(cases[i].firings).lead_event, cases[i].event);
}

static void events_of_a_cohort_are_the_fixed_and_the_configured_ones(void)
{
  struct world w;
  world_start(&w, 3);
  w.members[1].lead_event = "web_lead_received";
  w.members[2].lead_event = "asc_click_to_call";
  w.members[2].qualified_session = "event:view_inventory";
  lead_events_collect(&w.leads, &w.cohort, w.arena);
  struct lead_finding pages = {.inventory_pages = true}, none = {.inventory_pages = false};
  size_t n_looked_for;
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "", none), SHOPPER_UNKNOWN); /* not 0 */
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "vdp_view", none), SHOPPER_UNKNOWN);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "engaged", none), SHOPPER_ENGAGED);
  CU_ASSERT_FALSE(lead_find((int64_t[LEAD_FIXED]){9, 9, 9, 9, 9, 9, 9, 9}).inventory_pages);
  CU_ASSERT_TRUE(lead_find((int64_t[LEAD_FIXED]){[9] = 1}).inventory_pages);
  CU_ASSERT_EQUAL(lead_find((int64_t[LEAD_FIXED]){9, 9, 9, [8] = 9}).contacts, 0);
  CU_ASSERT_EQUAL(lead_find((int64_t[LEAD_FIXED]){[4] = 1, [6] = 2}).contacts,
                  1 << LEAD_KIND_CHAT | 1 << LEAD_KIND_APPOINTMENT);
  char **look_back = lead_look_back_events(&w.leads, &n_looked_for, w.arena);
  CU_ASSERT_EQUAL(n_looked_for, LEAD_FIXED + 3); /* the fixed, 2 configured, session_start */
  CU_ASSERT_STRING_EQUAL(look_back[LEAD_FIXED + 2], "session_start");
  CU_ASSERT_STRING_EQUAL(look_back[2], "form_submit");
  CU_ASSERT_STRING_EQUAL(look_back[3], "asc_click_to_call");
  CU_ASSERT_STRING_EQUAL(look_back[LEAD_FIXED], "web_lead_received");
  CU_ASSERT_EQUAL(w.leads.n, LEAD_FIXED + 2);
  CU_ASSERT_EQUAL(lead_events_find(&w.leads, "web_lead_received"), LEAD_FIXED);
  CU_ASSERT_EQUAL(lead_events_find(&w.leads, "asc_form_submission_sales"), LEAD_UNKNOWN);
  CU_ASSERT_STRING_EQUAL(lead_event_kind("form_submit"), "form");
  CU_ASSERT_STRING_EQUAL(lead_event_kind("asc_click_to_call"), "call");
  CU_ASSERT_STRING_EQUAL(lead_event_kind("asc_comm_submission"), "chat");
  CU_ASSERT_STRING_EQUAL(lead_event_kind("web_lead_received"), "other");
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "", pages), SHOPPER_INVENTORY);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "engaged", pages), SHOPPER_ENGAGED);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "event:view_inventory", pages),
                  SHOPPER_EVENT + LEAD_FIXED + 1);
  CU_ASSERT_EQUAL(shopper_of(&w.leads, "event:unheard_of", pages), SHOPPER_UNKNOWN);
  CU_ASSERT_STRING_EQUAL(shopper_words(&w.leads, shopper_of(&w.leads, "vdp_view", pages), w.arena),
                         "sessions with asc_item_pageview");
  world_end(&w);
}

TEST_MAIN("aggregate daily", TEST(fold_keeps_days_periods_and_events_apart),
          TEST(fold_refuses_what_is_not_a_day_a_range_or_a_count),
          TEST(lead_event_is_the_one_that_fires_most_and_asc_from_half_of_it),
          TEST(events_of_a_cohort_are_the_fixed_and_the_configured_ones))
