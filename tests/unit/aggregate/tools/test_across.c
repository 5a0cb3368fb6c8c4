/* RunReportAcrossDealers over real rpc, against an oracle. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/fixture.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

static char *metric_names[] = {(char *)"sessions", (char *)"engagementRate", (char *)"eventCount",
                               (char *)"totalUsers"};
static char *dimension_names[] = {(char *)"sessionDefaultChannelGroup"};

static void set_limit(Request *r, int rows)
{
  r->opt_limit_per_dealer_case =
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_REQUEST__OPT_LIMIT_PER_DEALER_LIMIT_PER_DEALER;
  r->limit_per_dealer = rows;
}

static Request question(void)
{
  Request r = ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_REQUEST__INIT;
  r.n_metrics = 4;
  r.metrics = metric_names;
  r.n_dimensions = 1;
  r.dimensions = dimension_names;
  set_limit(&r, 5);
  r.pooled_limit = 1000;
  return r;
}

static bool has_caveat(const Result *r, const char *part)
{
  for (size_t i = 0; i < r->n_caveats; i++)
    if (strstr(r->caveats[i], part) != NULL)
      return true;
  return false;
}

/* Sum over the answering dealers of metric m in rows named so, and how many have it. */
static double oracle_sum(const struct fake_world *w, const char *name, size_t m, int *dealers)
{
  double sum = 0;
  char text[64];
  *dealers = 0;
  for (size_t i = 0; i < w->n; i++) {
    const struct fake_dealer *d = &w->dealers[i];
    for (size_t r = 0; d->mode == FAKE_OK && d->visible && r < d->rows; r++) {
      fake_row_name(d, r, text, sizeof(text));
      if (strcmp(text, name) != 0)
        continue;
      sum += fake_value(d, r, m);
      ++*dealers;
    }
  }
  return sum;
}

/* Metric m of the rows named so together: what stands above the line over what stands below. */
static double oracle_rate(const struct fake_world *w, const char *name, size_t m, size_t weight)
{
  double above = 0, below = 0;
  char text[64];
  for (size_t i = 0; i < w->n; i++) {
    const struct fake_dealer *d = &w->dealers[i];
    for (size_t r = 0; d->mode == FAKE_OK && d->visible && r < d->rows; r++) {
      fake_row_name(d, r, text, sizeof(text));
      if (strcmp(text, name) != 0)
        continue;
      above += fake_value(d, r, m) * fake_value(d, r, weight);
      below += fake_value(d, r, weight);
    }
  }
  return below == 0 ? 0 : above / below;
}

static void check_pooled(const struct fake_world *w, const Result *r)
{
  size_t distinct = 0, longest = 0;
  for (size_t i = 0; i < w->n; i++) {
    if (w->dealers[i].mode != FAKE_OK || !w->dealers[i].visible)
      continue;
    distinct++; /* "only-..." */
    if (w->dealers[i].rows - 1 > longest)
      longest = w->dealers[i].rows - 1;
  }
  CU_ASSERT_EQUAL(r->pooled_row_count, (int)(distinct + longest));
  CU_ASSERT_EQUAL(r->n_pooled, distinct + longest);
  for (size_t i = 0; i < r->n_pooled; i++) {
    int dealers;
    double sum = oracle_sum(w, r->pooled[i]->dimension_values[0], 0, &dealers);
    CU_ASSERT_DOUBLE_EQUAL(r->pooled[i]->metric_values[0], sum, 1e-9);
    CU_ASSERT_EQUAL(r->pooled[i]->dealers, dealers);
    double rate = oracle_rate(w, r->pooled[i]->dimension_values[0], 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(r->pooled[i]->metric_values[1], rate, 1e-9);
    sum = oracle_sum(w, r->pooled[i]->dimension_values[0], 2, &dealers);
    CU_ASSERT_DOUBLE_EQUAL(r->pooled[i]->metric_values[2], sum, 1e-9);
    CU_ASSERT_TRUE(i == 0 || r->pooled[i - 1]->metric_values[0] >= r->pooled[i]->metric_values[0]);
  }
}

static void check_rows(const struct fake_world *w, const Result *r, size_t limit)
{
  size_t k = 0;
  for (size_t i = 0; i < w->n; i++) {
    const struct fake_dealer *d = &w->dealers[i];
    if (d->mode != FAKE_OK || !d->visible)
      continue;
    const Analytics__Aggregate__V1__DealerRows *got = r->dealers[k++];
    CU_ASSERT_STRING_EQUAL(got->dealer_id, d->id);
    CU_ASSERT_EQUAL(got->row_count, (int)d->rows);
    CU_ASSERT_EQUAL_FATAL(got->n_rows, d->rows < limit ? d->rows : limit);
    for (size_t row = 0; row < got->n_rows; row++) {
      size_t larger = 0, found = 0;
      for (size_t x = 0; x < d->rows; x++) {
        char text[64];
        fake_row_name(d, x, text, sizeof(text));
        larger += fake_value(d, x, 0) > got->rows[row]->metric_values[0];
        found += strcmp(text, got->rows[row]->dimension_values[0]) == 0 &&
                 fake_value(d, x, 1) == got->rows[row]->metric_values[1] &&
                 fake_value(d, x, 3) == got->rows[row]->metric_values[3];
      }
      CU_ASSERT_EQUAL(found, 1);
      CU_ASSERT_TRUE(larger <= row);
    }
  }
  CU_ASSERT_EQUAL(r->n_dealers, k);
}

static void rows_and_pool_agree_with_the_oracle(void)
{
  struct fixture f;
  struct outcome o;
  for (unsigned seed = 31; seed < 34; seed++) {
    fixture_start(&f, 17, seed);
    f.world.dealers[2].mode = FAKE_FAILS_LATE;
    f.world.dealers[9].mode = FAKE_NO_NUMBER;
    f.world.break_streams = 1;
    Request r = question();
    r.region = (char *)"West";
    fixture_across(&f, &o, &r, PATIENCE_MS);
    CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
    check_pooled(&f.world, o.across);
    check_rows(&f.world, o.across, 5);
    CU_ASSERT_EQUAL(o.across->coverage->ok, 15);
    CU_ASSERT_EQUAL(o.across->coverage->n_failed, 2);
    CU_ASSERT_EQUAL(o.across->n_pooled_metrics, 3);
    CU_ASSERT_STRING_EQUAL(o.across->pooled_metrics[1], "engagementRate");
    CU_ASSERT_STRING_EQUAL(o.across->pooled_metrics[2], "eventCount");
    CU_ASSERT_EQUAL(o.across->n_not_pooled, 1);
    CU_ASSERT_STRING_EQUAL(o.across->not_pooled[0], "totalUsers");
    CU_ASSERT_TRUE(has_caveat(o.across, "totalUsers (people may visit several websites)"));
    CU_ASSERT_TRUE(has_caveat(o.across, "larger websites weigh more"));
    CU_ASSERT_TRUE(f.world.grants_caller && !f.world.grants_benchmark);
    CU_ASSERT_TRUE(f.world.purpose_direct && !f.world.purpose_benchmark);
    CU_ASSERT_EQUAL(f.world.max_rows_per_report, f.service.options.max_rows);
    outcome_free(&o);
    fixture_stop(&f);
  }
}

static void only_visible_dealers_take_part(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 8, 35);
  for (size_t i = 3; i < 8; i++)
    f.world.dealers[i].visible = false;
  Request r = question();
  r.region = (char *)"West";
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  check_rows(&f.world, o.across, 5);
  check_pooled(&f.world, o.across);
  CU_ASSERT_EQUAL(f.world.dealers_asked, 3);
  CU_ASSERT_EQUAL(o.across->coverage->asked, 3);
  CU_ASSERT_TRUE(has_caveat(o.across, "5 dealers of West are outside your access"));
  outcome_free(&o);
  r.region = (char *)""; /* every dealer the caller may read */
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.across->n_dealers, 3);
  outcome_free(&o);
  fixture_stop(&f);
  fixture_start(&f, 8, 35);
  for (size_t i = 0; i < 8; i++)
    f.world.dealers[i].visible = false;
  r.region = (char *)"West";
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_PERMISSION_DENIED);
  outcome_free(&o);
  fixture_stop(&f);
}

static void limits_and_overlap_are_named_in_caveats(void)
{
  struct fixture f;
  struct outcome o;
  char *page[] = {(char *)"pagePath"};
  fixture_start(&f, 6, 36);
  Request r = question();
  r.region = (char *)"West";
  r.dimensions = page;
  r.pooled_limit = 3;
  r.opt_limit_per_dealer_case = 0; /* the default */
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.across->n_pooled, 3);
  CU_ASSERT_TRUE(o.across->pooled_row_count > 3);
  CU_ASSERT_TRUE(has_caveat(o.across, "Rows of sessions by pagePath overlap"));
  CU_ASSERT_TRUE(has_caveat(o.across, "3 of "));
  check_rows(&f.world, o.across, 25);
  outcome_free(&o);
  r.pooled_limit = 0;
  set_limit(&r, 0); /* all rows */
  f.world.dealers[0].rows = 40;
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL(o.across->n_pooled, 0);
  check_rows(&f.world, o.across, 10000);
  outcome_free(&o);
  fixture_stop(&f);
}

static void report_without_dimensions_has_one_pooled_row(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 6, 37);
  double sum = 0;
  for (size_t i = 0; i < 6; i++) {
    f.world.dealers[i].rows = 1;
    sum += fake_value(&f.world.dealers[i], 0, 0);
  }
  Request r = question();
  r.n_dimensions = 0;
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL_FATAL(o.across->n_pooled, 1);
  CU_ASSERT_DOUBLE_EQUAL(o.across->pooled[0]->metric_values[0], sum, 1e-9);
  CU_ASSERT_EQUAL(o.across->pooled[0]->dealers, 6);
  outcome_free(&o);
  fixture_stop(&f);
}

static void too_many_rows_end_the_call_and_free_the_memory(void)
{
  struct fixture f;
  struct outcome o;
  fixture_init(&f, 20, 38);
  f.service.options.max_rows = 50;
  fixture_serve(&f);
  Request r = question();
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "too_many_rows");
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "use fewer dimensions"));
  outcome_free(&o);
  fixture_stop(&f);
  fixture_init(&f, 20, 38);
  f.service.options.max_bytes = 5000;
  fixture_serve(&f);
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "too_large");
  outcome_free(&o);
  CU_ASSERT_TRUE(fixture_is_idle(&f));
  fixture_stop(&f); /* checks that nothing is held */
}

static void bad_requests_name_the_field(void)
{
  struct fixture f;
  struct outcome o;
  char *eleven[11] = {(char *)"a", (char *)"b", (char *)"c", (char *)"d", (char *)"e", (char *)"f",
                      (char *)"g", (char *)"h", (char *)"i", (char *)"j", (char *)"k"};
  char *twice[2] = {(char *)"sessions", (char *)"sessions"};
  fixture_start(&f, 2, 39);
  static const struct {
    size_t n_metrics, n_dimensions;
    int limit, pooled;
    bool twice;
    const char *expected;
  } cases[] = {
      {0, 0, 1, 1, false, "metrics: give 1 to 10 GA4 metrics"},
      {11, 0, 1, 1, false, "metrics: 11 items; at most 10"},
      {1, 9, 1, 1, false, "dimensions: 9 items; at most 8"},
      {2, 0, 1, 1, true, "metrics[1]: duplicate"},
      {1, 0, 10001, 1, false, "limit_per_dealer: 10001 is not from 0 to 10000"},
      {1, 0, -1, 1, false, "limit_per_dealer: -1 is not from 0 to 10000"},
      {1, 0, 1, 10001, false, "pooled_limit: 10001 is not from 0 to 10000"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    Request r = question();
    r.n_metrics = cases[i].n_metrics;
    r.metrics = cases[i].twice ? twice : eleven;
    r.n_dimensions = cases[i].n_dimensions;
    r.dimensions = eleven;
    set_limit(&r, cases[i].limit);
    r.pooled_limit = cases[i].pooled;
    fixture_across(&f, &o, &r, PATIENCE_MS);
    CU_ASSERT_EQUAL(o.status.code, ERR_INVALID_ARGUMENT);
    CU_ASSERT_TRUE(strncmp(o.status.message, cases[i].expected, strlen(cases[i].expected)) == 0);
    outcome_free(&o);
  }
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

static void sums_too_large_for_a_number_are_an_error_that_names_the_metric(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 6, 41);
  Request r = question();
  r.region = (char *)"West";
  f.world.dealers[0].mode = FAKE_HUGE;
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_OK); /* large, and a number */
  outcome_free(&o);
  f.world.dealers[1].mode = FAKE_HUGE;
  fixture_across(&f, &o, &r, PATIENCE_MS);
  CU_ASSERT_EQUAL(o.status.code, ERR_DATA_LOSS);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "metrics: the values of sessions are too large"));
  CU_ASSERT_PTR_NULL(o.across);
  outcome_free(&o);
  fixture_stop(&f);
}

/* The fixture looks through every answer, of these tests and of all others: fakes.c. */
static void no_nan_or_infinity_leaves_in_an_answer(void)
{
  static const enum fake_mode modes[] = {FAKE_OK,   FAKE_ODD,       FAKE_ODD, FAKE_ODD,
                                         FAKE_HUGE, FAKE_NO_NUMBER, FAKE_OK};
  int answers = 0;
  for (unsigned seed = 100; seed < 130; seed++) {
    struct fixture f;
    struct outcome o;
    Analytics__Aggregate__V1__CompareDealerSessionsRequest compare =
        ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
    Request r = question();
    compare.region = r.region = (char *)"West";
    fixture_start(&f, 9, seed);
    for (size_t i = 0; i < f.world.n; i++) {
      f.world.dealers[i].mode = modes[(seed * 31 + i * i + i) % ARRAY_LEN(modes)];
      if (f.world.dealers[i].mode == FAKE_ODD)
        f.world.dealers[i].rows = 1 + (seed + i) % 3; /* few enough to pass at times */
    }
    fixture_across(&f, &o, &r, PATIENCE_MS);
    CU_ASSERT(o.status.code == ERR_OK || o.status.code == ERR_DATA_LOSS);
    answers += o.across != NULL;
    outcome_free(&o);
    fixture_compare(&f, &o, &compare, PATIENCE_MS, 0);
    CU_ASSERT(o.status.code == ERR_OK || o.status.code == ERR_DATA_LOSS);
    answers += o.compare != NULL;
    outcome_free(&o);
    fixture_stop(&f);
  }
  CU_ASSERT(answers > 20);
}

FIXTURE_MAIN("aggregate across", TEST(rows_and_pool_agree_with_the_oracle),
             TEST(only_visible_dealers_take_part), TEST(limits_and_overlap_are_named_in_caveats),
             TEST(report_without_dimensions_has_one_pooled_row),
             TEST(too_many_rows_end_the_call_and_free_the_memory),
             TEST(bad_requests_name_the_field),
             TEST(sums_too_large_for_a_number_are_an_error_that_names_the_metric),
             TEST(no_nan_or_infinity_leaves_in_an_answer))
