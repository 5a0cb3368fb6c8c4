/* The rows of a report over many dealers, kept by dealer until all have answered: only
 * then it is known whose rows count. Not thread-safe: the caller's lock covers it. */
#ifndef AMCP_AGGREGATE_ACROSS_TABLE_H
#define AMCP_AGGREGATE_ACROSS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/budget.h"
#include "aggregate-svc/figures/fold.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"

enum { ACROSS_MAX_DIMENSIONS = 8, ACROSS_MAX_METRICS = 10 };
/* Dimensions of a request, comparison and dateRange. */
enum { ACROSS_MAX_COLUMNS = ACROSS_MAX_DIMENSIONS + 2 };

/* What rows are ordered by, the first key first; then by all dimensions. No key: largest first by
 * the first metric. */
struct across_key {
  bool metric;
  size_t column; /* of the tables */
  bool desc;
  int type; /* of a dimension, see ga4_compare_texts() */
};

struct across_order {
  struct across_key keys[ACROSS_MAX_COLUMNS + ACROSS_MAX_METRICS];
  size_t n;
};

/* Values of one dimension of one dealer, each text once. */
struct across_dictionary {
  char **texts;
  size_t n, cap;
};

/* A figure of each metric over all of a dealer's rows, as Google gives it. */
struct across_aggregate {
  char *kind;    /* TOTAL, MINIMUM, MAXIMUM */
  char *of;      /* the period, comparison or cohort, when there are several */
  char **values; /* n of them, in the order of the metrics */
  size_t n;
};

/* One dealer's rows. */
struct across_table {
  size_t rows, cap;
  uint32_t *indices; /* rows x dimensions, into the dictionaries */
  double *values;    /* rows x metrics */
  struct across_dictionary dictionaries[ACROSS_MAX_COLUMNS];
  struct across_aggregate *aggregates; /* where they were asked for; in `texts`, as the next */
  size_t n_aggregates;
  char **quota; /* sentences, likewise */
  size_t n_quota;
  struct arena *texts;
  long long bytes; /* taken from the budget */
};

struct across_tables {
  size_t n, n_dimensions, n_metrics;
  struct across_table *tables;                                  /* per member */
  struct dealer_notes *notes;                                   /* per member */
  Analytics__Ga4__V1beta__MetricType types[ACROSS_MAX_METRICS]; /* of the first report done */
  bool have_types;
  int64_t rows, max_rows; /* over all dealers */
  struct budget budget;
};

void across_tables_init(struct across_tables *t, size_t n_members, size_t n_dimensions,
                        size_t n_metrics, int64_t max_rows, struct budget budget);
void across_tables_free(struct across_tables *t);
/* Adds rows of a dealer. ERR_RESOURCE_EXHAUSTED: rows or memory of the whole call are used
 * up. Other errors: this dealer's data cannot be used. */
enum err_code across_tables_chunk(struct across_tables *t, size_t member,
                                  const Analytics__Report__V1__ColumnChunk *chunk, struct err *e);
/* The rows of a dealer are all there; comparison stands before dateRange from now on. */
void across_tables_query_done(struct across_tables *t, size_t member,
                              const Analytics__Report__V1__QueryDone *done);
void across_tables_drop(struct across_tables *t, size_t member);

/* Text of a dimension in a row. */
static inline char *across_text(const struct across_tables *t, size_t member, size_t row,
                                size_t dimension)
{
  const struct across_table *d = &t->tables[member];
  return d->dictionaries[dimension].texts[d->indices[row * t->n_dimensions + dimension]];
}
static inline double across_value(const struct across_tables *t, size_t member, size_t row,
                                  size_t metric)
{
  return t->tables[member].values[row * t->n_metrics + metric];
}

#endif
