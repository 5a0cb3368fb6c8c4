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
  size_t part; /* of the dealers, see pool_spec */
  size_t member, row;
  int32_t dealers;    /* that have this row */
  size_t last_member; /* counted last */
};

/* A metric that is pooled: added, or for a rate averaged over a weight, which is another metric of
 * the report; or divided again where what is above the line is one, too. */
struct pooled_column {
  size_t metric;
  bool weighted;
  size_t weight; /* of a rate */
  bool divided;
  size_t part; /* the rate is scale x part / weight */
  double scale;
};

/* Dealers whose rows are put together. */
struct pool_part {
  const char *label;
  const bool *has; /* per member */
};

struct pool_spec {
  const struct across_tables *tables;
  const struct cohort *cohort;
  const struct pooled_column *columns;
  size_t n_columns;
  const struct pool_part *parts; /* NULL: all dealers together */
  size_t n_parts;
  /* Two periods: the last dimension is dateRange and no part of a row's key. */
  bool two_periods;
  long subject; /* a member whose rows are kept beside those of the others; -1: none */
  struct budget budget;
};

/* Where a value of a row stands: of which period, and of the subject or the others. */
enum { POOL_BEFORE = 1, POOL_OTHERS = 2, POOL_CELLS = 4 };

struct across_pool {
  const struct across_tables *tables;
  struct pooled_column columns[ACROSS_MAX_METRICS];
  size_t n_metrics, n_keys, n_cells;
  bool two_periods;
  long subject;
  struct pooled_row *rows;
  struct stats_sum *sums; /* rows x cells x metrics x 2: value, mean or part; weight of a rate */
  size_t n, cap;
  uint32_t *slots; /* open addressing; row + 1, 0 is free */
  size_t n_slots;
  uint64_t key[2]; /* of the hash: dimension values come from strangers */
  struct budget budget;
};

/* Pools the rows of the dealers that ended well over the columns given, part by part. Memory is
 * taken from the budget; ERR_RESOURCE_EXHAUSTED when it does not suffice. Free the pool in
 * any case. */
enum err_code across_pool_make(struct across_pool *p, const struct pool_spec *spec, struct err *e);
void across_pool_free(struct across_pool *p);
/* Rows in the order of the answer: part by part, then as asked for; without keys largest first by
 * the first metric (the larger one of two periods; of the subject before the others); then by the
 * dimension values. A key of a metric that is not pooled is passed over. n_rows entries; free with
 * free(). order may be NULL. */
size_t *across_pool_order(const struct across_pool *p, const struct across_order *order);
/* A sum; of a rate the weighted mean, 0 over no weight at all, as Google has it. cell: 0,
 * POOL_BEFORE, POOL_OTHERS or both. */
double across_pool_at(const struct across_pool *p, size_t row, size_t cell, size_t metric);
/* Whether the pool has that cell: a second period, others beside a subject. */
static inline bool across_pool_has(const struct across_pool *p, size_t cell)
{
  return ((cell & POOL_BEFORE) == 0 || p->two_periods) &&
         ((cell & POOL_OTHERS) == 0 || p->subject >= 0);
}
/* Puts another value in the place of a sum, cell 0. */
void across_pool_set(struct across_pool *p, size_t row, size_t metric, double value);
/* The weight of a rate there. */
double across_pool_weight(const struct across_pool *p, size_t row, size_t cell, size_t metric);
static inline double across_pool_value(const struct across_pool *p, size_t row, size_t metric)
{
  return across_pool_at(p, row, 0, metric);
}

/* What a row of a dealer has above the line of a rate. */
double across_above(const struct across_tables *t, size_t member, size_t row,
                    const struct pooled_column *rate);

/* Order of two rows by all their dimension values, as strcmp() has it. */
int across_rows_compare(const struct across_tables *t, size_t member_a, size_t row_a,
                        size_t member_b, size_t row_b);

/* The same order for one dealer's own rows. */
size_t *across_table_order(const struct across_tables *t, size_t member,
                           const struct across_order *order);

#endif
