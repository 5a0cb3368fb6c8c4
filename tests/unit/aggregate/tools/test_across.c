/* RunReportAcrossDealers: pooling as a pure function, and the rpc against an oracle. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/cohorts.h"
#include "aggregate-svc/figures/landing.h"
#include "aggregate-svc/figures/pool.h"
#include "aggregate-svc/figures/table.h"
#include "common/base/mem.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"
#include "tests/unit/aggregate/support/fakes.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;
typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;
typedef Analytics__Report__V1__MetricColumn MetricColumn;

enum { PATIENCE_MS = 20000 };

/* -------------------------------------------------------------------- additive */

static void only_counts_and_durations_are_added_over_dealers(void)
{
  static const char *const yes[] = {"sessions",
                                    "engagedSessions",
                                    "eventCount",
                                    "keyEvents",
                                    "keyEvents:generate_lead",
                                    "screenPageViews",
                                    "userEngagementDuration",
                                    "transactions"};
  static const char *const no[] = {"engagementRate",
                                   "bounceRate",
                                   "averageSessionDuration",
                                   "totalUsers",
                                   "activeUsers",
                                   "newUsers",
                                   "sessionsPerUser",
                                   "sessionKeyEventRate:x",
                                   "eventCountPerUser",
                                   "customEvent:price",
                                   "",
                                   "Sessions"};
  for (size_t i = 0; i < ARRAY_LEN(yes); i++)
    CU_ASSERT_EQUAL(additive_kind(yes[i]), ADDITIVE_YES);
  for (size_t i = 0; i < ARRAY_LEN(no); i++)
    CU_ASSERT_EQUAL(additive_kind(no[i]), ADDITIVE_NO);
  for (size_t i = 0; i < ARRAY_LEN(no); i++) {
    const struct ga4_rate *rate = ga4_rate_find(no[i]);
    bool pooled = i < 3 || (i > 5 && i < 9);
    CU_ASSERT_EQUAL(rate != NULL, pooled);
    CU_ASSERT(!pooled || strcmp(rate->weight, i == 6 || i == 8 ? "activeUsers" : "sessions") == 0);
    CU_ASSERT_EQUAL(ga4_counts_people(no[i]), i > 2 && i < 6);
  }
  CU_ASSERT_PTR_NULL(ga4_rate_find("engagementRate:x"));
  CU_ASSERT_EQUAL(additive_kind("purchaseRevenue"), ADDITIVE_CURRENCY);
  CU_ASSERT_TRUE(dimension_splits_sessions("pagePath"));
  CU_ASSERT_TRUE(dimension_splits_sessions("customEvent:item_make"));
  CU_ASSERT_FALSE(dimension_splits_sessions("sessionDefaultChannelGroup"));
  CU_ASSERT_FALSE(dimension_splits_sessions("date"));
}

/* ----------------------------------------------------------------------- table */

struct tables_fixture {
  atomic_llong used;
  struct across_tables tables;
  struct cohort cohort;
  struct cohort_member members[4];
};

static void tables_start(struct tables_fixture *f, int64_t max_rows, long long max_bytes)
{
  memset(f, 0, sizeof(*f));
  across_tables_init(&f->tables, 4, 1, 1, max_rows, (struct budget){&f->used, max_bytes, 0});
  f->cohort = (struct cohort){.members = f->members, .n = 4, .subject = -1};
  for (size_t i = 0; i < 4; i++)
    f->members[i].state = DEALER_OK;
}

static enum err_code put(struct tables_fixture *f, size_t member, char *name, size_t n_new,
                         uint32_t index, double value)
{
  ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  DimensionColumn d = ANALYTICS__REPORT__V1__DIMENSION_COLUMN__INIT, *dims[] = {&d};
  MetricColumn m = ANALYTICS__REPORT__V1__METRIC_COLUMN__INIT, *metrics[] = {&m};
  struct err e = {0};
  c.row_count = 1;
  c.n_dimensions = c.n_metrics = 1;
  c.dimensions = dims;
  c.metrics = metrics;
  d.n_dictionary = n_new;
  d.dictionary = &name;
  d.n_indices = m.n_values = 1;
  d.indices = &index;
  m.values = &value;
  return across_tables_chunk(&f->tables, member, &c, &e);
}

static void equal_rows_of_dealers_are_added_and_counted_once_per_dealer(void)
{
  struct tables_fixture f;
  struct across_pool p;
  struct pooled_column column = {.metric = 0};
  tables_start(&f, 100, 1 << 20);
  char *a = (char *)"a", *b = (char *)"b";
  CU_ASSERT_EQUAL(put(&f, 0, a, 1, 0, 1), ERR_OK);
  CU_ASSERT_EQUAL(put(&f, 0, NULL, 0, 0, 2), ERR_OK); /* the same value again */
  CU_ASSERT_EQUAL(put(&f, 1, b, 1, 0, 4), ERR_OK);
  CU_ASSERT_EQUAL(put(&f, 1, a, 1, 1, 8), ERR_OK);
  CU_ASSERT_EQUAL(put(&f, 2, a, 1, 0, 1000), ERR_OK);
  f.members[2].state = DEALER_FAILED; /* its rows are in no sum */
  const struct pool_spec spec = {.tables = &f.tables,
                                 .cohort = &f.cohort,
                                 .columns = &column,
                                 .n_columns = 1,
                                 .subject = -1,
                                 .budget = f.tables.budget};
  CU_ASSERT_EQUAL(across_pool_make(&p, &spec, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(p.n, 2);
  AUTO_FREE size_t *order = across_pool_order(&p, NULL);
  CU_ASSERT_EQUAL(across_pool_value(&p, order[0], 0), 11);
  CU_ASSERT_EQUAL(p.rows[order[0]].dealers, 2);
  CU_ASSERT_EQUAL(across_pool_value(&p, order[1], 0), 4);
  across_pool_free(&p);
  across_tables_free(&f.tables);
  CU_ASSERT_EQUAL(atomic_load(&f.used), 0);
}

/* A row of up to three metrics. */
static void put_values(struct across_tables *t, size_t member, char *name, uint32_t index,
                       const double *values)
{
  ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  DimensionColumn d = ANALYTICS__REPORT__V1__DIMENSION_COLUMN__INIT, *dims[] = {&d};
  MetricColumn m[3], *metrics[3];
  struct err e = {0};
  for (size_t k = 0; k < t->n_metrics; k++) {
    m[k] = (MetricColumn)ANALYTICS__REPORT__V1__METRIC_COLUMN__INIT;
    m[k].n_values = 1;
    m[k].values = (double *)(uintptr_t)&values[k];
    metrics[k] = &m[k];
  }
  c.row_count = 1;
  c.n_dimensions = 1;
  c.n_metrics = t->n_metrics;
  c.dimensions = dims;
  c.metrics = metrics;
  d.n_dictionary = d.n_indices = 1;
  d.dictionary = &name;
  d.indices = &index;
  CU_ASSERT_EQUAL(across_tables_chunk(t, member, &c, &e), ERR_OK);
}

/* Two metrics: sessions, and a rate over them. */
static void put_pair(struct across_tables *t, size_t member, char *name, uint32_t index,
                     double sessions, double rate)
{
  put_values(t, member, name, index, (double[]){sessions, rate});
}

/* Leads of visits that did not shop: the dealer's own rate is 0 over 0, the pool counts them. */
static void a_pooled_rate_counts_what_came_without_its_weight(void)
{
  const struct ga4_rate *rate = ga4_rate_find("leads_per_100_shopper_sessions");
  CU_ASSERT_PTR_NOT_NULL_FATAL(rate);
  CU_ASSERT_STRING_EQUAL(rate->part, "leads");
  const struct pooled_column columns[] = {{.metric = 0,
                                           .weighted = true,
                                           .weight = 1,
                                           .divided = true,
                                           .part = 2,
                                           .scale = rate->scale}};
  struct tables_fixture f;
  struct across_pool p;
  tables_start(&f, 100, 1 << 20);
  across_tables_free(&f.tables);
  across_tables_init(&f.tables, 4, 1, 3, 100, (struct budget){&f.used, 1 << 20, 0});
  put_values(&f.tables, 0, (char *)"phone", 0, (double[]){0, 0, 3});
  put_values(&f.tables, 1, (char *)"phone", 0, (double[]){20, 10, 2});
  put_values(&f.tables, 0, (char *)"tv", 1, (double[]){0, 0, 1});
  const struct pool_spec spec = {.tables = &f.tables,
                                 .cohort = &f.cohort,
                                 .columns = columns,
                                 .n_columns = 1,
                                 .subject = -1,
                                 .budget = f.tables.budget};
  CU_ASSERT_EQUAL(across_pool_make(&p, &spec, NULL), ERR_OK);
  AUTO_FREE size_t *order = across_pool_order(&p, NULL);
  CU_ASSERT_EQUAL_FATAL(p.n, 2);
  CU_ASSERT_DOUBLE_EQUAL(across_pool_value(&p, order[0], 0), 100 * 5 / 10.0, 1e-12);
  CU_ASSERT_EQUAL(across_pool_weight(&p, order[0], 0, 0), 10);
  CU_ASSERT_EQUAL(across_pool_value(&p, order[1], 0), 0); /* no weight at all, as Google has it */
  across_pool_free(&p);
  across_tables_free(&f.tables);
  CU_ASSERT_EQUAL(atomic_load(&f.used), 0);
}

static void sessions_without_a_landing_page_are_one_row_of_a_dealer(void)
{
  atomic_llong used = 0;
  struct across_tables t;
  const struct pooled_column columns[] = {{.metric = 0},
                                          {.metric = 1, .weighted = true, .weight = 0}};
  char landing[] = "landingPage", *dimensions[] = {landing};
  across_tables_init(&t, 2, 1, 2, 100, (struct budget){&used, 1 << 20, 0});
  put_pair(&t, 0, (char *)"/", 0, 5, 0.2);
  put_pair(&t, 0, (char *)"", 1, 30, 0.5);
  put_pair(&t, 0, (char *)"(not set)", 2, 10, 0.1);
  put_pair(&t, 1, (char *)"", 0, 7, 0.3);
  struct landing_rows found = across_join_landing(&t, dimensions, columns, 1, 2);
  CU_ASSERT(found.apart && !found.joined);
  found = across_join_landing(&t, dimensions, columns, 2, 2);
  CU_ASSERT(found.joined && !found.apart);
  CU_ASSERT_EQUAL_FATAL(t.tables[0].rows, 2);
  CU_ASSERT_STRING_EQUAL(across_text(&t, 0, 0, 0), "/");
  CU_ASSERT_STRING_EQUAL(across_text(&t, 0, 1, 0), "(not set)");
  CU_ASSERT_EQUAL(across_value(&t, 0, 1, 0), 40);
  CU_ASSERT_DOUBLE_EQUAL(across_value(&t, 0, 1, 1), (30 * 0.5 + 10 * 0.1) / 40, 1e-12);
  CU_ASSERT_STRING_EQUAL(across_text(&t, 1, 0, 0), "(not set)");
  CU_ASSERT_EQUAL(t.rows, 3);
  across_tables_free(&t);
}

/* A row of texts and one value; columns are those of Google's answer. */
static void put_row(struct across_tables *t, size_t member, char *const *texts, double value)
{
  ColumnChunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  DimensionColumn d[3], *dims[3];
  MetricColumn m = ANALYTICS__REPORT__V1__METRIC_COLUMN__INIT, *metrics[] = {&m};
  uint32_t index = (uint32_t)t->tables[member].rows; /* no text twice */
  struct err e = {0};
  for (size_t k = 0; k < t->n_dimensions; k++) {
    d[k] = (DimensionColumn)ANALYTICS__REPORT__V1__DIMENSION_COLUMN__INIT;
    d[k].n_dictionary = d[k].n_indices = 1;
    d[k].dictionary = (char **)(uintptr_t)&texts[k];
    d[k].indices = &index;
    dims[k] = &d[k];
  }
  c.row_count = 1;
  c.n_dimensions = t->n_dimensions;
  c.n_metrics = m.n_values = 1;
  c.dimensions = dims;
  c.metrics = metrics;
  m.values = &value;
  CU_ASSERT_EQUAL(across_tables_chunk(t, member, &c, &e), ERR_OK);
}

/* Google adds two dimensions in an order of its own: the rows of two dealers have one key. */
static void comparison_stands_before_date_range_whichever_came_first(void)
{
  static char *const names[2][3] = {{(char *)"city", (char *)"comparison", (char *)"dateRange"},
                                    {(char *)"city", (char *)"dateRange", (char *)"comparison"}};
  static char *const rows[2][3] = {{(char *)"Reno", (char *)"phones", (char *)"now"},
                                   {(char *)"Reno", (char *)"now", (char *)"phones"}};
  atomic_llong used = 0;
  struct across_tables t;
  across_tables_init(&t, 2, 3, 1, 100, (struct budget){&used, 1 << 20, 0});
  for (size_t i = 0; i < 2; i++) {
    Analytics__Report__V1__QueryDone done = ANALYTICS__REPORT__V1__QUERY_DONE__INIT;
    Analytics__Ga4__V1beta__DimensionHeader h[3], *headers[3];
    for (size_t k = 0; k < 3; k++) {
      h[k] =
          (Analytics__Ga4__V1beta__DimensionHeader)ANALYTICS__GA4__V1BETA__DIMENSION_HEADER__INIT;
      h[k].name = names[i][k];
      headers[k] = &h[k];
    }
    put_row(&t, i, rows[i], 1);
    done.n_dimension_headers = 3;
    done.dimension_headers = headers;
    across_tables_query_done(&t, i, &done);
    for (size_t k = 0; k < 3; k++)
      CU_ASSERT_STRING_EQUAL(across_text(&t, i, 0, k), rows[0][k]);
  }
  CU_ASSERT_EQUAL(across_rows_compare(&t, 0, 0, 1, 0), 0);
  across_tables_free(&t);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

/* A dealer without a row of a step still has its cohort; one whose rows say another size than its
 * cohort has makes the metric one that is not pooled. */
static void a_cohort_counts_at_dealers_without_the_row(void)
{
  atomic_llong used = 0;
  struct tables_fixture f;
  struct across_tables sizes, rows;
  struct budget budget = {&used, 1 << 20, 0};
  static char *dimensions[] = {(char *)"cohort", (char *)"cohortNthDay"};
  struct pooled_column column = {.metric = 0};
  static const bool all[] = {true, true, true, true};
  const struct pool_part part = {"", all};
  tables_start(&f, 10, 1 << 20);
  across_tables_init(&sizes, 4, 2, 1, 100, budget);
  across_tables_init(&rows, 4, 2, 1, 100, budget);
  for (size_t i = 0; i < 4; i++)
    put_row(&sizes, i, (char *[]){(char *)"may", (char *)"0000"}, 10 * (double)(i + 1));
  put_row(&rows, 0, (char *[]){(char *)"may", (char *)"0003"}, 10);
  put_row(&rows, 2, (char *[]){(char *)"may", (char *)"0003"}, 30);
  f.members[3].state = DEALER_FAILED;
  const struct across_question q = {.cohort = &f.cohort,
                                    .tables = &rows,
                                    .sizes = &sizes,
                                    .dimensions = dimensions,
                                    .n_dimensions = 2};
  const struct pool_spec spec = {.tables = &rows,
                                 .cohort = &f.cohort,
                                 .columns = &column,
                                 .n_columns = 1,
                                 .subject = -1,
                                 .budget = budget};
  struct across_pool p;
  CU_ASSERT_EQUAL_FATAL(across_pool_make(&p, &spec, NULL), ERR_OK);
  CU_ASSERT_TRUE(across_cohorts_agree(&q, 0));
  across_cohorts_put(&q, &p, 0, &part, 1);
  CU_ASSERT_EQUAL_FATAL(p.n, 1);
  CU_ASSERT_EQUAL(across_pool_value(&p, 0, 0), 10 + 20 + 30);
  across_pool_free(&p);
  put_row(&rows, 1, (char *[]){(char *)"may", (char *)"0004"}, 19);
  CU_ASSERT_FALSE(across_cohorts_agree(&q, 0));
  across_tables_free(&rows);
  across_tables_free(&sizes);
  across_tables_free(&f.tables);
}

static void rows_and_memory_have_caps(void)
{
  struct tables_fixture f;
  tables_start(&f, 3, 1 << 20);
  char *a = (char *)"a";
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(put(&f, i, a, 1, 0, 1), ERR_OK);
  CU_ASSERT_EQUAL(put(&f, 3, a, 1, 0, 1), ERR_RESOURCE_EXHAUSTED);
  across_tables_drop(&f.tables, 0); /* a failed dealer's rows do not count */
  CU_ASSERT_EQUAL(put(&f, 3, a, 1, 0, 1), ERR_OK);
  across_tables_free(&f.tables);

  tables_start(&f, 1000000, 20000);
  enum err_code code = ERR_OK;
  int rows = 0;
  while (code == ERR_OK && rows++ < 100000)
    code = put(&f, 0, a, 1, 0, 1);
  CU_ASSERT_EQUAL(code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_TRUE(rows > 100 && rows < 2000);
  across_tables_free(&f.tables);
  CU_ASSERT_EQUAL(atomic_load(&f.used), 0);
}

static void values_that_are_no_numbers_fail_the_dealer(void)
{
  struct tables_fixture f;
  tables_start(&f, 10, 1 << 20);
  char *a = (char *)"a";
  CU_ASSERT_EQUAL(put(&f, 0, a, 1, 0, NAN), ERR_DATA_LOSS);
  CU_ASSERT_EQUAL(put(&f, 0, a, 1, 0, INFINITY), ERR_DATA_LOSS);
  CU_ASSERT_EQUAL(put(&f, 0, a, 0, 99, 1), ERR_DATA_LOSS);
  across_tables_free(&f.tables);
}

/* ------------------------------------------------------------------------- rpc */

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

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {
      TEST(only_counts_and_durations_are_added_over_dealers),
      TEST(equal_rows_of_dealers_are_added_and_counted_once_per_dealer),
      TEST(sessions_without_a_landing_page_are_one_row_of_a_dealer),
      TEST(a_pooled_rate_counts_what_came_without_its_weight),
      TEST(comparison_stands_before_date_range_whichever_came_first),
      TEST(a_cohort_counts_at_dealers_without_the_row),
      TEST(rows_and_memory_have_caps),
      TEST(values_that_are_no_numbers_fail_the_dealer),
      TEST(rows_and_pool_agree_with_the_oracle),
      TEST(only_visible_dealers_take_part),
      TEST(limits_and_overlap_are_named_in_caveats),
      TEST(report_without_dimensions_has_one_pooled_row),
      TEST(too_many_rows_end_the_call_and_free_the_memory),
      TEST(bad_requests_name_the_field),
      TEST(sums_too_large_for_a_number_are_an_error_that_names_the_metric),
      TEST(no_nan_or_infinity_leaves_in_an_answer),
  };
  const struct test_program program = {"aggregate across", AMCP_TEST_ROOM, cases,
                                       ARRAY_LEN(cases),   rpc_init,       rpc_shutdown};
  return test_run(&program, argc, argv);
}
