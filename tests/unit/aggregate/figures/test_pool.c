/* The rows of dealers, and what they are together: pooled and joined, as pure functions. */
#include "aggregate-svc/figures/pool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/cohorts.h"
#include "aggregate-svc/figures/landing.h"
#include "aggregate-svc/figures/table.h"
#include "common/base/mem.h"
#include "common/ga4/rate.h"
#include "tests/unit/harness.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;
typedef Analytics__Report__V1__MetricColumn MetricColumn;

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

TEST_MAIN("aggregate pool", TEST(equal_rows_of_dealers_are_added_and_counted_once_per_dealer),
          TEST(sessions_without_a_landing_page_are_one_row_of_a_dealer),
          TEST(a_pooled_rate_counts_what_came_without_its_weight),
          TEST(comparison_stands_before_date_range_whichever_came_first),
          TEST(a_cohort_counts_at_dealers_without_the_row), TEST(rows_and_memory_have_caps),
          TEST(values_that_are_no_numbers_fail_the_dealer))
