/* Rows of many dealers, by column dictionaries. */
#include "aggregate-svc/figures/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;

enum {
  FIRST_ROWS = 64,
  TEXT_OVERHEAD = 32,
  MAX_AGGREGATES = 144, /* three of 12 cohorts in 4 comparisons */
  MAX_QUOTA = 4
};

void across_tables_init(struct across_tables *t, size_t n_members, size_t n_dimensions,
                        size_t n_metrics, int64_t max_rows, struct budget budget)
{
  memset(t, 0, sizeof(*t));
  t->n = n_members;
  t->n_dimensions = n_dimensions;
  t->n_metrics = n_metrics;
  t->max_rows = max_rows;
  t->budget = budget;
  t->tables = xcalloc(n_members + 1, sizeof(*t->tables));
  t->notes = xcalloc(n_members + 1, sizeof(*t->notes));
}

void across_tables_drop(struct across_tables *t, size_t member)
{
  struct across_table *d = &t->tables[member];
  t->rows -= (int64_t)d->rows;
  budget_give(&t->budget, d->bytes);
  free(d->indices);
  free(d->values);
  for (size_t i = 0; i < ACROSS_MAX_COLUMNS; i++)
    free(d->dictionaries[i].texts);
  arena_free(d->texts);
  memset(d, 0, sizeof(*d));
  memset(&t->notes[member], 0, sizeof(t->notes[member]));
}

void across_tables_free(struct across_tables *t)
{
  for (size_t i = 0; i < t->n; i++)
    across_tables_drop(t, i);
  free(t->tables);
  free(t->notes);
  memset(t, 0, sizeof(*t));
}

static bool take(struct across_tables *t, struct across_table *d, size_t bytes)
{
  if (!budget_take(&t->budget, bytes))
    return false;
  d->bytes += (long long)bytes;
  return true;
}

static enum err_code no_memory(struct err *e)
{
  return fold_no_memory(e, "the rows of all dealers",
                        "use fewer dimensions, a filter, a shorter period or fewer dealers");
}

static enum err_code grow_rows(struct across_tables *t, struct across_table *d, size_t more,
                               struct err *e)
{
  size_t need = d->rows + more;
  if (need <= d->cap)
    return ERR_OK;
  size_t cap = need < FIRST_ROWS ? FIRST_ROWS : need + need / 2;
  size_t row = t->n_dimensions * sizeof(uint32_t) + t->n_metrics * sizeof(double);
  if (!take(t, d, (cap - d->cap) * row))
    return no_memory(e);
  d->indices = xrealloc(d->indices, cap * t->n_dimensions * sizeof(*d->indices) + 1);
  d->values = xrealloc(d->values, cap * t->n_metrics * sizeof(*d->values));
  d->cap = cap;
  return ERR_OK;
}

static void need_texts(struct across_table *d)
{
  if (d->texts == NULL)
    d->texts = arena_new(SIZE_MAX / 4); /* the budget is the cap */
}

static enum err_code grow_dictionary(struct across_tables *t, struct across_table *d, size_t column,
                                     const DimensionColumn *c, struct err *e)
{
  struct across_dictionary *dict = &d->dictionaries[column];
  size_t bytes = 0, need = dict->n + c->n_dictionary;
  for (size_t i = 0; i < c->n_dictionary; i++)
    bytes += strlen(c->dictionary[i]) + TEXT_OVERHEAD;
  if (!take(t, d, bytes))
    return no_memory(e);
  need_texts(d);
  if (need > dict->cap) {
    dict->cap = need < 16 ? 16 : 2 * need;
    dict->texts = xrealloc(dict->texts, dict->cap * sizeof(*dict->texts));
  }
  for (size_t i = 0; i < c->n_dictionary; i++)
    dict->texts[dict->n++] = arena_strdup(d->texts, c->dictionary[i]);
  return ERR_OK;
}

static enum err_code add_indices(struct across_tables *t, struct across_table *d,
                                 const ColumnChunk *c, struct err *e)
{
  for (size_t k = 0; k < t->n_dimensions; k++) {
    const DimensionColumn *column = c->dimensions[k];
    for (size_t i = 0; i < c->row_count; i++) {
      if (column->indices[i] >= d->dictionaries[k].n)
        return fold_bad_data(e, "a row names a value that was not sent");
      d->indices[(d->rows + i) * t->n_dimensions + k] = column->indices[i];
    }
  }
  return ERR_OK;
}

static enum err_code add_values(struct across_tables *t, struct across_table *d,
                                const ColumnChunk *c, struct err *e)
{
  for (size_t k = 0; k < t->n_metrics; k++)
    for (size_t i = 0; i < c->row_count; i++) {
      double value = c->metrics[k]->values[i];
      if (!isfinite(value))
        return fold_bad_data(e, "a value is not a number");
      d->values[(d->rows + i) * t->n_metrics + k] = value == 0 ? 0 : value; /* no -0 */
    }
  return ERR_OK;
}

static enum err_code check_columns(const struct across_tables *t, const ColumnChunk *c,
                                   struct err *e)
{
  if (c->n_dimensions != t->n_dimensions || c->n_metrics != t->n_metrics)
    return fold_bad_data(e, "its columns are not those asked for");
  for (size_t k = 0; k < c->n_dimensions; k++)
    if (c->dimensions[k]->n_indices != c->row_count)
      return fold_bad_data(e, "a dimension column has the wrong length");
  for (size_t k = 0; k < c->n_metrics; k++)
    if (c->metrics[k]->n_values != c->row_count)
      return fold_bad_data(e, "a metric column has the wrong length");
  return ERR_OK;
}

enum err_code across_tables_chunk(struct across_tables *t, size_t member, const ColumnChunk *c,
                                  struct err *e)
{
  struct across_table *d = &t->tables[member];
  enum err_code code = check_columns(t, c, e);
  if (code == ERR_OK && t->rows + c->row_count > t->max_rows)
    code = err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_rows",
                   "the report has more than %lld rows over all dealers: use fewer dimensions, a "
                   "filter, a shorter period or fewer dealers",
                   (long long)t->max_rows);
  if (code == ERR_OK)
    code = grow_rows(t, d, c->row_count, e);
  for (size_t k = 0; k < t->n_dimensions && code == ERR_OK; k++)
    code = grow_dictionary(t, d, k, c->dimensions[k], e);
  if (code == ERR_OK)
    code = add_indices(t, d, c, e);
  if (code == ERR_OK)
    code = add_values(t, d, c, e);
  if (code != ERR_OK)
    return code;
  d->rows += c->row_count;
  t->rows += c->row_count;
  return ERR_OK;
}

static char **copy_texts(char *const *texts, size_t n, struct arena *arena)
{
  char **out = ARENA_ARRAY(arena, char *, n);
  for (size_t i = 0; i < n; i++)
    out[i] = arena_strdup(arena, texts[i]);
  return out;
}

/* A few short texts beside the rows: not worth a budget, but bounded. */
static void keep_rest(const struct across_tables *t, struct across_table *d,
                      const Analytics__Report__V1__QueryDone *done)
{
  size_t n = done->n_aggregates < MAX_AGGREGATES ? done->n_aggregates : MAX_AGGREGATES;
  size_t n_quota = done->n_quota_notes < MAX_QUOTA ? done->n_quota_notes : MAX_QUOTA;
  if (n == 0 && n_quota == 0)
    return;
  need_texts(d);
  d->aggregates = ARENA_ARRAY(d->texts, struct across_aggregate, n);
  for (d->n_aggregates = 0; d->n_aggregates < n; d->n_aggregates++) {
    const Analytics__Report__V1__Aggregate *a = done->aggregates[d->n_aggregates];
    struct across_aggregate *to = &d->aggregates[d->n_aggregates];
    to->kind = arena_strdup(d->texts, a->aggregation);
    to->of = arena_strdup(d->texts, a->of);
    to->n = a->n_values < t->n_metrics ? a->n_values : t->n_metrics;
    to->values = copy_texts(a->values, to->n, d->texts);
  }
  d->quota = copy_texts(done->quota_notes, n_quota, d->texts);
  d->n_quota = n_quota;
}

/* Google adds comparison and dateRange behind the dimensions, in an order that it does not promise.
 */
static void order_columns(const struct across_tables *t, struct across_table *d,
                          const Analytics__Report__V1__QueryDone *done)
{
  size_t n = t->n_dimensions;
  if (n < 2 || done->n_dimension_headers != n ||
      strcmp(done->dimension_headers[n - 1]->name, "comparison") != 0 ||
      strcmp(done->dimension_headers[n - 2]->name, "dateRange") != 0)
    return;
  struct across_dictionary last = d->dictionaries[n - 1];
  d->dictionaries[n - 1] = d->dictionaries[n - 2];
  d->dictionaries[n - 2] = last;
  for (size_t row = 0; row < d->rows; row++) {
    uint32_t *at = &d->indices[row * n + n - 2], index = at[1];
    at[1] = at[0];
    at[0] = index;
  }
}

void across_tables_query_done(struct across_tables *t, size_t member,
                              const Analytics__Report__V1__QueryDone *done)
{
  order_columns(t, &t->tables[member], done);
  notes_add(&t->notes[member], done->metadata, true);
  keep_rest(t, &t->tables[member], done);
  if (t->have_types || done->n_metric_headers != t->n_metrics)
    return;
  t->have_types = true;
  for (size_t k = 0; k < t->n_metrics; k++)
    t->types[k] = done->metric_headers[k]->type;
}
