/* Joins the rows of sessions without a landing page. */
#include "aggregate-svc/figures/landing.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static char not_set[] = "(not set)";

/* The rows of one dealer that may be joined. */
struct joining {
  struct across_tables *tables;
  size_t member, dimension;
  const struct pooled_column *columns;
  size_t n_columns;
  bool may_join;
  struct landing_rows found;
};

static int by_key(const void *a, const void *b, void *arg)
{
  const struct joining *j = arg;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  int order = across_rows_compare(j->tables, j->member, x, j->member, y);
  return order != 0 ? order : x < y ? -1 : x > y;
}

static double *values_of(const struct joining *j, size_t row)
{
  return &j->tables->tables[j->member].values[row * j->tables->n_metrics];
}

static bool is_rate(const struct joining *j, size_t metric)
{
  for (size_t i = 0; i < j->n_columns; i++)
    if (j->columns[i].metric == metric)
      return j->columns[i].weighted;
  return false; /* a weight */
}

static double above_of(const struct pooled_column *c, const double *row)
{
  return c->divided ? c->scale * row[c->part] : row[c->metric] * row[c->weight];
}

/* Rates first: they need the parts of both rows. */
static void add(const struct joining *j, size_t to, size_t from)
{
  double *a = values_of(j, to);
  const double *b = values_of(j, from);
  for (size_t i = 0; i < j->n_columns; i++) {
    const struct pooled_column *c = &j->columns[i];
    double weight = c->weighted ? a[c->weight] + b[c->weight] : 0;
    if (weight > 0)
      a[c->metric] = (above_of(c, a) + above_of(c, b)) / weight;
  }
  for (size_t k = 0; k < j->tables->n_metrics; k++)
    if (!is_rate(j, k))
      a[k] += b[k];
}

/* Takes out the rows that are marked. */
static void compact(const struct joining *j, const bool *gone)
{
  struct across_table *d = &j->tables->tables[j->member];
  size_t n = 0, dimensions = j->tables->n_dimensions, metrics = j->tables->n_metrics;
  for (size_t row = 0; row < d->rows; row++) {
    if (gone[row])
      continue;
    memmove(&d->indices[n * dimensions], &d->indices[row * dimensions],
            dimensions * sizeof(*d->indices));
    memmove(&d->values[n * metrics], &d->values[row * metrics], metrics * sizeof(*d->values));
    n++;
  }
  j->tables->rows -= (int64_t)(d->rows - n);
  d->rows = n;
}

static void join_equal(struct joining *j, size_t *rows, size_t n)
{
  AUTO_FREE bool *gone = xcalloc(j->tables->tables[j->member].rows + 1, sizeof(*gone));
  size_t first = 0;
  bool any = false;
  qsort_r(rows, n, sizeof(*rows), by_key, j);
  for (size_t i = 1; i < n; i++) {
    if (across_rows_compare(j->tables, j->member, rows[first], j->member, rows[i]) != 0) {
      first = i;
      continue;
    }
    j->found.apart |= !j->may_join;
    if (!j->may_join)
      continue;
    add(j, rows[first], rows[i]);
    any = gone[rows[i]] = true;
  }
  j->found.joined |= any;
  if (any)
    compact(j, gone);
}

static void join_member(struct joining *j)
{
  struct across_table *d = &j->tables->tables[j->member];
  struct across_dictionary *dictionary = &d->dictionaries[j->dimension];
  AUTO_FREE size_t *rows = xcalloc(d->rows + 1, sizeof(*rows));
  size_t n = 0;
  for (size_t i = 0; i < dictionary->n; i++)
    if (dictionary->texts[i][0] == '\0')
      dictionary->texts[i] = not_set;
  for (size_t row = 0; row < d->rows; row++)
    if (strcmp(across_text(j->tables, j->member, row, j->dimension), not_set) == 0)
      rows[n++] = row;
  join_equal(j, rows, n);
}

struct landing_rows across_join_landing(struct across_tables *t, char *const *dimensions,
                                        const struct pooled_column *columns, size_t n_columns,
                                        size_t n_shown)
{
  struct joining j = {
      .tables = t, .columns = columns, .n_columns = n_columns, .may_join = n_columns == n_shown};
  while (j.dimension < t->n_dimensions && strncmp(dimensions[j.dimension], "landingPage", 11) != 0)
    j.dimension++;
  for (; j.dimension < t->n_dimensions && j.member < t->n; j.member++)
    join_member(&j);
  return j.found;
}
