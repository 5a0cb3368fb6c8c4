/* Pooling: a hash table over tuples of dimension values. */
#include "aggregate-svc/figures/pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/ga4/order.h"

/* ------------------------------------------------------------------------- hash */

/* Where one row of one dealer belongs. */
struct place {
  size_t part, member, row;
};

static uint64_t hash_row(const struct across_pool *p, const struct place *at)
{
  size_t member = at->member, row = at->row;
  uint64_t h = at->part;
  for (size_t k = 0; k < p->n_keys; k++) {
    const char *text = across_text(p->tables, member, row, k);
    h = hash_bytes(p->key, text, strlen(text), h);
  }
  return h;
}

static int compare_keys(const struct across_tables *t, size_t n_keys, size_t member_a, size_t row_a,
                        size_t member_b, size_t row_b)
{
  for (size_t k = 0; k < n_keys; k++) {
    int order = strcmp(across_text(t, member_a, row_a, k), across_text(t, member_b, row_b, k));
    if (order != 0)
      return order;
  }
  return 0;
}

int across_rows_compare(const struct across_tables *t, size_t member_a, size_t row_a,
                        size_t member_b, size_t row_b)
{
  return compare_keys(t, t->n_dimensions, member_a, row_a, member_b, row_b);
}

/* ------------------------------------------------------------------------ table */

static enum err_code no_memory(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large",
                 "adding the rows of all dealers needs too much memory: use fewer dimensions, a "
                 "filter, a shorter period or fewer dealers");
}

/* The slot of a row's key: where it is, or where it goes. */
static size_t find_slot(const struct across_pool *p, const struct place *at)
{
  size_t slot = hash_row(p, at) & (p->n_slots - 1);
  while (p->slots[slot] != 0) {
    const struct pooled_row *r = &p->rows[p->slots[slot] - 1];
    if (r->part == at->part &&
        compare_keys(p->tables, p->n_keys, r->member, r->row, at->member, at->row) == 0)
      break;
    slot = (slot + 1) & (p->n_slots - 1);
  }
  return slot;
}

/* Sums of one row. */
static size_t row_sums(const struct across_pool *p)
{
  return 2 * p->n_cells * p->n_metrics;
}

/* Room for one more row, at most half of the slots in use. */
static enum err_code grow(struct across_pool *p, struct err *e)
{
  if (p->n < p->cap)
    return ERR_OK;
  size_t cap = p->cap == 0 ? 64 : 2 * p->cap;
  size_t row = sizeof(*p->rows) + row_sums(p) * sizeof(*p->sums) + 2 * sizeof(*p->slots);
  if (cap > UINT32_MAX / 4 || !budget_take(&p->budget, (cap - p->cap) * row))
    return no_memory(e);
  p->rows = xrealloc(p->rows, cap * sizeof(*p->rows));
  p->sums = xrealloc(p->sums, cap * row_sums(p) * sizeof(*p->sums));
  free(p->slots);
  p->cap = cap;
  p->n_slots = 2 * cap;
  p->slots = xcalloc(p->n_slots, sizeof(*p->slots));
  for (size_t i = 0; i < p->n; i++) {
    const struct place at = {p->rows[i].part, p->rows[i].member, p->rows[i].row};
    p->slots[find_slot(p, &at)] = (uint32_t)i + 1;
  }
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

double across_above(const struct across_tables *t, size_t member, size_t row,
                    const struct pooled_column *rate)
{
  return rate->divided ? rate->scale * across_value(t, member, row, rate->part)
                       : across_value(t, member, row, rate->metric) *
                             across_value(t, member, row, rate->weight);
}

/* The place of a cell's sums. */
static struct stats_sum *sums_at(const struct across_pool *p, size_t row, size_t cell)
{
  size_t at = 0; /* cells that the pool does not have are left out of the count */
  if ((cell & POOL_OTHERS) != 0)
    at += p->two_periods ? 2 : 1;
  if ((cell & POOL_BEFORE) != 0)
    at++;
  return &p->sums[row * row_sums(p) + 2 * at * p->n_metrics];
}

static size_t cell_of(const struct across_pool *p, const struct place *at)
{
  size_t cell = p->subject >= 0 && (long)at->member != p->subject ? POOL_OTHERS : 0;
  if (p->two_periods &&
      strcmp(across_text(p->tables, at->member, at->row, p->n_keys), "date_range_1") == 0)
    cell |= POOL_BEFORE;
  return cell;
}

static void add_values(struct across_pool *p, size_t to, const struct place *at)
{
  struct stats_sum *sums = sums_at(p, to, cell_of(p, at));
  for (size_t k = 0; k < p->n_metrics; k++) {
    const struct pooled_column *c = &p->columns[k];
    double value = across_value(p->tables, at->member, at->row, c->metric);
    double weight = c->weighted ? across_value(p->tables, at->member, at->row, c->weight) : 0;
    if (c->weighted && !c->divided) {
      add_to_mean(&sums[2 * k], value, weight);
      continue;
    }
    stats_sum_add(&sums[2 * k],
                  c->divided ? across_above(p->tables, at->member, at->row, c) : value);
    stats_sum_add(&sums[2 * k + 1], weight);
  }
}

static enum err_code add_row(struct across_pool *p, const struct place *at, struct err *e)
{
  enum err_code code = grow(p, e);
  if (code != ERR_OK)
    return code;
  size_t slot = find_slot(p, at);
  if (p->slots[slot] == 0) {
    p->rows[p->n] = (struct pooled_row){at->part, at->member, at->row, 1, at->member};
    memset(&p->sums[p->n * row_sums(p)], 0, row_sums(p) * sizeof(*p->sums));
    p->slots[slot] = (uint32_t)++p->n;
  }
  struct pooled_row *r = &p->rows[p->slots[slot] - 1];
  r->dealers += r->last_member != at->member;
  r->last_member = at->member;
  add_values(p, p->slots[slot] - 1, at);
  return ERR_OK;
}

static enum err_code add_part(struct across_pool *p, const struct pool_spec *spec, size_t part,
                              struct err *e)
{
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < spec->cohort->n; i++) {
    if (spec->cohort->members[i].state != DEALER_OK ||
        (spec->parts != NULL && !spec->parts[part].has[i]))
      continue;
    for (size_t row = 0; row < p->tables->tables[i].rows && code == ERR_OK; row++)
      code = add_row(p, &(struct place){part, i, row}, e);
  }
  return code;
}

enum err_code across_pool_make(struct across_pool *p, const struct pool_spec *spec, struct err *e)
{
  size_t parts = spec->parts == NULL ? 1 : spec->n_parts;
  memset(p, 0, sizeof(*p));
  p->tables = spec->tables;
  p->n_metrics = spec->n_columns;
  p->n_keys = spec->tables->n_dimensions - spec->two_periods;
  p->n_cells = (spec->two_periods ? 2u : 1u) * (spec->subject >= 0 ? 2u : 1u);
  p->two_periods = spec->two_periods;
  p->subject = spec->subject;
  memcpy(p->columns, spec->columns, spec->n_columns * sizeof(*spec->columns));
  p->budget = spec->budget;
  p->budget.held = 0;
  hash_key_make(p->key);
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < parts && spec->n_columns > 0 && code == ERR_OK; i++)
    code = add_part(p, spec, i, e);
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

double across_pool_at(const struct across_pool *p, size_t row, size_t cell, size_t metric)
{
  double value = stats_sum_value(&sums_at(p, row, cell)[2 * metric]);
  if (!p->columns[metric].divided)
    return value;
  double weight = across_pool_weight(p, row, cell, metric);
  return weight != 0 ? value / weight : 0;
}

void across_pool_set(struct across_pool *p, size_t row, size_t metric, double value)
{
  struct stats_sum *sum = &sums_at(p, row, 0)[2 * metric];
  memset(sum, 0, sizeof(*sum));
  stats_sum_add(sum, value);
}

double across_pool_weight(const struct across_pool *p, size_t row, size_t cell, size_t metric)
{
  return stats_sum_value(&sums_at(p, row, cell)[2 * metric + 1]);
}

/* ------------------------------------------------------------------------ order */

/* A mean that is reached on two ways differs in its last digits, which are no reason for an order.
 */
static double rounded(const struct across_pool *p, size_t metric, double x)
{
  return p->columns[metric].weighted ? (double)(float)x : x;
}

static double shown_value(const struct across_pool *p, size_t row, size_t metric)
{
  return rounded(p, metric, across_pool_value(p, row, metric));
}

/* The first metric of the subject or of all, or of the others. */
static double size_of(const struct across_pool *p, size_t row, size_t side)
{
  double x = across_pool_at(p, row, side, 0);
  if (p->two_periods)
    x = fmax(x, across_pool_at(p, row, side | POOL_BEFORE, 0));
  return rounded(p, 0, x);
}

/* Rows being ordered: those of a pool, or of a dealer. */
struct ordering {
  const struct across_pool *pool;
  const struct across_tables *tables;
  size_t member;
  const struct across_order *order;
};

/* The pool's column of a metric; their number when it is not pooled. */
static size_t pooled_at(const struct across_pool *p, size_t metric)
{
  size_t k = 0;
  while (k < p->n_metrics && p->columns[k].metric != metric)
    k++;
  return k;
}

static int compare_key(const struct ordering *o, const struct across_key *key, size_t x, size_t y)
{
  const struct across_pool *p = o->pool;
  size_t k = p == NULL || !key->metric ? 0 : pooled_at(p, key->column);
  int order = 0;
  if (key->metric && p == NULL)
    order = ga4_compare_numbers(across_value(o->tables, o->member, x, key->column),
                                across_value(o->tables, o->member, y, key->column));
  else if (key->metric && k < p->n_metrics)
    order = ga4_compare_numbers(shown_value(p, x, k), shown_value(p, y, k));
  else if (!key->metric)
    order = ga4_compare_texts(key->type,
                              across_text(o->tables, p == NULL ? o->member : p->rows[x].member,
                                          p == NULL ? x : p->rows[x].row, key->column),
                              across_text(o->tables, p == NULL ? o->member : p->rows[y].member,
                                          p == NULL ? y : p->rows[y].row, key->column));
  return key->desc ? -order : order;
}

static int compare_keys_asked(const struct ordering *o, size_t x, size_t y)
{
  int order = 0;
  for (size_t i = 0; order == 0 && o->order != NULL && i < o->order->n; i++)
    order = compare_key(o, &o->order->keys[i], x, y);
  return order;
}

static bool has_keys(const struct ordering *o)
{
  return o->order != NULL && o->order->n > 0;
}

static int compare_sizes(const struct across_pool *p, size_t x, size_t y)
{
  for (size_t side = 0; side <= (p->subject >= 0 ? POOL_OTHERS : 0); side += POOL_OTHERS) {
    double u = size_of(p, x, side), v = size_of(p, y, side);
    if (u != v)
      return u > v ? -1 : 1;
  }
  return 0;
}

static int compare_pooled(const void *a, const void *b, void *arg)
{
  const struct ordering *o = arg;
  const struct across_pool *p = o->pool;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  const struct pooled_row *r = &p->rows[x], *s = &p->rows[y];
  if (r->part != s->part)
    return r->part < s->part ? -1 : 1;
  int order = has_keys(o) ? compare_keys_asked(o, x, y) : compare_sizes(p, x, y);
  return order != 0 ? order
                    : compare_keys(p->tables, p->n_keys, r->member, r->row, s->member, s->row);
}

static size_t *identity(size_t n)
{
  size_t *order = xcalloc(n + 1, sizeof(*order));
  for (size_t i = 0; i < n; i++)
    order[i] = i;
  return order;
}

size_t *across_pool_order(const struct across_pool *p, const struct across_order *keys)
{
  size_t *order = identity(p->n);
  struct ordering arg = {.pool = p, .tables = p->tables, .order = keys};
  qsort_r(order, p->n, sizeof(*order), compare_pooled, &arg);
  return order;
}

static int compare_own(const void *a, const void *b, void *arg)
{
  static const struct across_key largest = {.metric = true, .desc = true};
  const struct ordering *o = arg;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  int order = has_keys(o) ? compare_keys_asked(o, x, y) : compare_key(o, &largest, x, y);
  return order != 0 ? order : across_rows_compare(o->tables, o->member, x, o->member, y);
}

size_t *across_table_order(const struct across_tables *t, size_t member,
                           const struct across_order *keys)
{
  size_t *order = identity(t->tables[member].rows);
  struct ordering arg = {.tables = t, .member = member, .order = keys};
  qsort_r(order, t->tables[member].rows, sizeof(*order), compare_own, &arg);
  return order;
}
