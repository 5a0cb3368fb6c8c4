/* Adds the rows of many dealers by their dimension values. */
#ifndef AMCP_AGGREGATE_ACROSS_POOL_H
#define AMCP_AGGREGATE_ACROSS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/figures/table.h"
#include "aggregate-svc/stats/stats.h"

/* One pooled row; its texts are those of a row that has them. */
struct pooled_row {
  size_t member, row;
  int32_t dealers;    /* that have this row */
  size_t last_member; /* counted last */
};

/* A metric that is pooled: added, or for a rate averaged over a weight, which is another metric of
 * the report. */
struct pooled_column {
  size_t metric;
  bool weighted;
  size_t weight; /* of a rate */
};

struct across_pool {
  const struct across_tables *tables;
  struct pooled_column columns[ACROSS_MAX_METRICS];
  size_t n_metrics;
  struct pooled_row *rows;
  struct stats_sum *sums; /* rows x metrics x 2: value or mean, weight of a rate */
  size_t n, cap;
  uint32_t *slots; /* open addressing; row + 1, 0 is free */
  size_t n_slots;
  uint64_t key[2]; /* of the hash: dimension values come from strangers */
  struct budget budget;
};

/* Pools the rows of the dealers that ended well over the columns given. Memory is
 * taken from the budget; ERR_RESOURCE_EXHAUSTED when it does not suffice. Free the pool in
 * any case. */
enum err_code across_pool_make(struct across_pool *p, const struct across_tables *tables,
                               const struct cohort *cohort, const struct pooled_column *columns,
                               size_t n_columns, struct budget budget, struct err *e);
void across_pool_free(struct across_pool *p);
/* Rows in the order of the answer, largest first by the first added metric, then by the
 * dimension values. n_rows entries; free with free(). */
size_t *across_pool_order(const struct across_pool *p);
/* A sum; of a rate the weighted mean, 0 over no weight at all, as Google has it. */
double across_pool_value(const struct across_pool *p, size_t row, size_t metric);

/* Order of two rows by their dimension values, as strcmp() has it. */
int across_rows_compare(const struct across_tables *t, size_t member_a, size_t row_a,
                        size_t member_b, size_t row_b);

/* The same order for one dealer's own rows, by its first metric. */
size_t *across_table_order(const struct across_tables *t, size_t member);

#endif
