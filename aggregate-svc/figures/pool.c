/* Pooling: a hash table over tuples of dimension values. */
#include "aggregate-svc/figures/pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

/* ------------------------------------------------------------------------- hash */

static uint64_t hash_row(const struct across_pool *p, size_t member, size_t row)
{
  uint64_t h = 0;
  for (size_t k = 0; k < p->tables->n_dimensions; k++) {
    const char *text = across_text(p->tables, member, row, k);
    h = hash_bytes(p->key, text, strlen(text), h);
  }
  return h;
}

int across_rows_compare(const struct across_tables *t, size_t member_a, size_t row_a,
                        size_t member_b, size_t row_b)
{
  for (size_t k = 0; k < t->n_dimensions; k++) {
    int order = strcmp(across_text(t, member_a, row_a, k), across_text(t, member_b, row_b, k));
    if (order != 0)
      return order;
  }
  return 0;
}

/* ------------------------------------------------------------------------ table */

static enum err_code no_memory(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large",
                 "adding the rows of all dealers needs too much memory: use fewer dimensions, a "
                 "filter, a shorter period or fewer dealers");
}

/* The slot of a row's key: where it is, or where it goes. */
static size_t find_slot(const struct across_pool *p, size_t member, size_t row)
{
  size_t slot = hash_row(p, member, row) & (p->n_slots - 1);
  while (p->slots[slot] != 0) {
    const struct pooled_row *r = &p->rows[p->slots[slot] - 1];
    if (across_rows_compare(p->tables, r->member, r->row, member, row) == 0)
      break;
    slot = (slot + 1) & (p->n_slots - 1);
  }
  return slot;
}

/* Room for one more row, at most half of the slots in use. */
static enum err_code grow(struct across_pool *p, struct err *e)
{
  if (p->n < p->cap)
    return ERR_OK;
  size_t cap = p->cap == 0 ? 64 : 2 * p->cap;
  size_t row = sizeof(*p->rows) + 2 * p->n_metrics * sizeof(*p->sums) + 2 * sizeof(*p->slots);
  if (cap > UINT32_MAX / 4 || !budget_take(&p->budget, (cap - p->cap) * row))
    return no_memory(e);
  p->rows = xrealloc(p->rows, cap * sizeof(*p->rows));
  p->sums = xrealloc(p->sums, cap * 2 * p->n_metrics * sizeof(*p->sums));
  free(p->slots);
  p->cap = cap;
  p->n_slots = 2 * cap;
  p->slots = xcalloc(p->n_slots, sizeof(*p->slots));
  for (size_t i = 0; i < p->n; i++)
    p->slots[find_slot(p, p->rows[i].member, p->rows[i].row)] = (uint32_t)i + 1;
  return ERR_OK;
}

/* A running mean, in sums[0], and the sum of weights, in sums[1]: no product that may overflow. */
static void add_to_mean(struct stats_sum *sums, double value, double weight)
{
  stats_sum_add(&sums[1], weight);
  double all = stats_sum_value(&sums[1]);
  if (weight != 0 && all != 0)
    stats_sum_add(&sums[0], (value - stats_sum_value(&sums[0])) * (weight / all));
}

static void add_values(struct across_pool *p, size_t at, size_t member, size_t row)
{
  struct stats_sum *sums = &p->sums[2 * at * p->n_metrics];
  for (size_t k = 0; k < p->n_metrics; k++) {
    const struct pooled_column *c = &p->columns[k];
    double value = across_value(p->tables, member, row, c->metric);
    if (c->weighted)
      add_to_mean(&sums[2 * k], value, across_value(p->tables, member, row, c->weight));
    else
      stats_sum_add(&sums[2 * k], value);
  }
}

static enum err_code add_row(struct across_pool *p, size_t member, size_t row, struct err *e)
{
  enum err_code code = grow(p, e);
  if (code != ERR_OK)
    return code;
  size_t slot = find_slot(p, member, row);
  if (p->slots[slot] == 0) {
    p->rows[p->n] = (struct pooled_row){member, row, 1, member};
    memset(&p->sums[2 * p->n * p->n_metrics], 0, 2 * p->n_metrics * sizeof(*p->sums));
    p->slots[slot] = (uint32_t)++p->n;
  }
  struct pooled_row *r = &p->rows[p->slots[slot] - 1];
  r->dealers += r->last_member != member;
  r->last_member = member;
  add_values(p, p->slots[slot] - 1, member, row);
  return ERR_OK;
}

enum err_code across_pool_make(struct across_pool *p, const struct across_tables *tables,
                               const struct cohort *cohort, const struct pooled_column *columns,
                               size_t n_columns, struct budget budget, struct err *e)
{
  memset(p, 0, sizeof(*p));
  p->tables = tables;
  p->n_metrics = n_columns;
  memcpy(p->columns, columns, n_columns * sizeof(*columns));
  p->budget = budget;
  p->budget.held = 0;
  hash_key_make(p->key);
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < cohort->n && n_columns > 0; i++) {
    if (cohort->members[i].state != DEALER_OK)
      continue;
    for (size_t row = 0; row < tables->tables[i].rows && code == ERR_OK; row++)
      code = add_row(p, i, row, e);
  }
  return code;
}

void across_pool_free(struct across_pool *p)
{
  if (p->budget.used != NULL)
    budget_give(&p->budget, p->budget.held);
  free(p->rows);
  free(p->sums);
  free(p->slots);
  memset(p, 0, sizeof(*p));
}

double across_pool_value(const struct across_pool *p, size_t row, size_t metric)
{
  return stats_sum_value(&p->sums[2 * (row * p->n_metrics + metric)]);
}

/* ------------------------------------------------------------------------ order */

static int compare_pooled(const void *a, const void *b, void *pool)
{
  const struct across_pool *p = pool;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  double u = across_pool_value(p, x, 0), v = across_pool_value(p, y, 0);
  if (u != v)
    return u > v ? -1 : 1;
  return across_rows_compare(p->tables, p->rows[x].member, p->rows[x].row, p->rows[y].member,
                             p->rows[y].row);
}

static size_t *identity(size_t n)
{
  size_t *order = xcalloc(n + 1, sizeof(*order));
  for (size_t i = 0; i < n; i++)
    order[i] = i;
  return order;
}

size_t *across_pool_order(const struct across_pool *p)
{
  size_t *order = identity(p->n);
  qsort_r(order, p->n, sizeof(*order), compare_pooled, (void *)p);
  return order;
}

/* A dealer's rows being ordered. */
struct table_order {
  const struct across_tables *tables;
  size_t member;
};

static int compare_own(const void *a, const void *b, void *arg)
{
  const struct table_order *o = arg;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  double u = across_value(o->tables, o->member, x, 0), v = across_value(o->tables, o->member, y, 0);
  if (u != v)
    return u > v ? -1 : 1;
  return across_rows_compare(o->tables, o->member, x, o->member, y);
}

size_t *across_table_order(const struct across_tables *t, size_t member)
{
  size_t *order = identity(t->tables[member].rows);
  struct table_order arg = {t, member};
  qsort_r(order, t->tables[member].rows, sizeof(*order), compare_own, &arg);
  return order;
}
