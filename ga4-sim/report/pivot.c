/* Runs a pivot report: a table of the cells, one of each pivot's headers, then those cells whose
 * headers are all within the pages of their pivots. */
#include "ga4-sim/report/pivot.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/print.h"
#include "ga4-sim/report/table.h"

enum { NOWHERE = -1 };

/* Headers of one pivot. */
struct axis {
  struct table table; /* in the order of the pivot */
  int32_t *rank;      /* of each header among those that have a cell, or NOWHERE */
  int32_t count;      /* headers that have a cell */
};

struct pivot_runner {
  struct world *world;
  const struct pivot_request *p;
  sqlite3 *db;
  int64_t last_day;
  struct buf *out;
  struct table cells;
  struct axis axes[PIVOT_MAX];
  int32_t *ranks; /* of each cell in each pivot */
  struct err *e;
};

struct keyed {
  const char *key;
  size_t index;
};

/* The values of a row's fields as one text. */
static const char *key_of(struct arena *arena, const char *const *texts, const size_t *fields,
                          size_t n)
{
  AUTO_BUF struct buf key = BUF_INIT(64 * 1024);
  for (size_t i = 0; i < n; i++)
    buf_printf(&key, "%s\x1f", texts[fields == NULL ? i : fields[i]]);
  const char *out = key.failed ? NULL : arena_strdup(arena, buf_str(&key));
  return out == NULL ? "" : out;
}

static int by_key(const void *a, const void *b)
{
  return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

/* Keys of a table in alphabetical order; free with free(). */
static struct keyed *index_table(struct arena *arena, const struct table *t, size_t fields)
{
  struct keyed *keys = xcalloc(t->count + 1, sizeof(*keys));
  for (size_t i = 0; i < t->count; i++)
    keys[i] = (struct keyed){key_of(arena, t->rows[i].texts, NULL, fields), i};
  qsort(keys, t->count, sizeof(*keys), by_key);
  return keys;
}

static const struct keyed *find_key(const struct keyed *keys, size_t n, const char *key)
{
  struct keyed wanted = {key, 0};
  return bsearch(&wanted, keys, n, sizeof(*keys), by_key);
}

/* The metric that headers are ordered by, of the selected cells; 0 where there are none. */
static enum err_code cell_values(struct pivot_runner *run, const struct pivot *v,
                                 const struct pivot_order *order, const struct keyed *keys,
                                 struct axis *axis, double *out)
{
  AUTO_FREE struct report_request *r = xcalloc(1, sizeof(*r));
  struct table t = {0};
  *r = v->headers;
  r->order_count = 0;
  r->dimension_filter =
      r->dimension_filter == NULL
          ? order->filter
          : arena_printf(r->arena, "(%s AND %s)", r->dimension_filter, order->filter);
  enum err_code code = table_fill(&t, run->db, run->world, r, run->last_day, run->e);
  for (size_t i = 0; code == ERR_OK && i < t.count; i++) {
    const char *key = key_of(r->arena, t.rows[i].texts, NULL, v->field_count);
    const struct keyed *at = find_key(keys, axis->table.count, key);
    if (at != NULL)
      out[at->index] += t.rows[i].values[order->metric];
  }
  table_free(&t);
  return code;
}

struct placed {
  struct table_row row;
  double value;
  size_t index;
  bool descending;
};

static int by_value(const void *a, const void *b)
{
  const struct placed *x = a, *y = b;
  if (x->value != y->value)
    return (x->value < y->value) == x->descending ? 1 : -1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static enum err_code order_by_cell(struct pivot_runner *run, const struct pivot *v,
                                   const struct pivot_order *order, struct axis *axis)
{
  size_t n = axis->table.count;
  AUTO_FREE struct keyed *keys = index_table(run->p->cells.arena, &axis->table, v->field_count);
  AUTO_FREE double *values = xcalloc(n + 1, sizeof(*values));
  enum err_code code = cell_values(run, v, order, keys, axis, values);
  AUTO_FREE struct placed *placed = xcalloc(n + 1, sizeof(*placed));
  for (size_t i = 0; i < n; i++)
    placed[i] = (struct placed){axis->table.rows[i], values[i], i, order->descending};
  qsort(placed, n, sizeof(*placed), by_value);
  for (size_t i = 0; i < n; i++)
    axis->table.rows[i] = placed[i].row;
  return code;
}

/* Two ranges give two rows of the same header: the first stays. */
static void drop_repeated(struct arena *arena, struct table *t, size_t fields)
{
  AUTO_FREE struct keyed *keys = index_table(arena, t, fields);
  AUTO_FREE bool *repeated = xcalloc(t->count + 1, sizeof(*repeated));
  for (size_t i = 1, first = 0; i < t->count; i++) {
    if (strcmp(keys[first].key, keys[i].key) != 0) {
      first = i;
      continue;
    }
    size_t later = keys[i].index > keys[first].index ? i : first;
    repeated[keys[later].index] = true;
    if (later == first)
      first = i;
  }
  size_t n = 0;
  for (size_t i = 0; i < t->count; i++)
    if (!repeated[i])
      t->rows[n++] = t->rows[i];
  t->count = n;
}

/* Headers in the pivot's order, ranked among those that have a cell. */
static enum err_code fill_axis(struct pivot_runner *run, size_t k)
{
  const struct pivot *v = &run->p->pivots[k];
  struct axis *axis = &run->axes[k];
  struct arena *arena = run->p->cells.arena;
  enum err_code code =
      table_fill(&axis->table, run->db, run->world, &v->headers, run->last_day, run->e);
  if (code != ERR_OK)
    return code;
  drop_repeated(arena, &axis->table, v->field_count);
  for (size_t i = v->by_cell_count; code == ERR_OK && i-- > 0;)
    code = order_by_cell(run, v, &v->by_cell[i], axis);
  AUTO_FREE struct keyed *keys = index_table(arena, &axis->table, v->field_count);
  AUTO_FREE int32_t *of_cell = xcalloc(run->cells.count + 1, sizeof(*of_cell));
  axis->rank = xcalloc(axis->table.count + 1, sizeof(*axis->rank));
  for (size_t i = 0; i < run->cells.count; i++) {
    const char *key = key_of(arena, run->cells.rows[i].texts, v->fields, v->field_count);
    const struct keyed *at = find_key(keys, axis->table.count, key);
    of_cell[i] = at == NULL ? NOWHERE : (int32_t)at->index;
    if (at != NULL)
      axis->rank[at->index] = 1;
  }
  for (size_t i = 0; i < axis->table.count; i++)
    axis->rank[i] = axis->rank[i] ? axis->count++ : NOWHERE;
  for (size_t i = 0; i < run->cells.count; i++)
    run->ranks[i * PIVOT_MAX + k] = of_cell[i] < 0 ? NOWHERE : axis->rank[of_cell[i]];
  return code;
}

static bool in_page(const struct pivot *v, int32_t rank)
{
  return rank >= v->headers.offset && rank - v->headers.offset < v->headers.limit;
}

static void print_axis(struct pivot_runner *run, size_t k)
{
  const struct pivot *v = &run->p->pivots[k];
  const struct axis *axis = &run->axes[k];
  const char *before = "\"pivotDimensionHeaders\":[";
  buf_puts(run->out, k == 0 ? "{" : ",{");
  for (size_t i = 0; i < axis->table.count; i++) {
    if (!in_page(v, axis->rank[i]))
      continue;
    buf_printf(run->out, "%s{\"dimensionValues\":[", before);
    for (size_t f = 0; f < v->field_count; f++) {
      buf_puts(run->out, f == 0 ? "" : ",");
      print_cell(run->out, axis->table.rows[i].texts[f]);
    }
    buf_puts(run->out, "]}");
    before = ",";
  }
  if (before[0] == ',')
    buf_puts(run->out, "],");
  buf_printf(run->out, "\"rowCount\":%d}", axis->count);
}

/* A cell with its ranks, for the order of the answer: first pivot first. */
struct ranked {
  const struct table_row *row;
  const int32_t *ranks;
  size_t pivots;
};

static int by_ranks(const void *a, const void *b)
{
  const struct ranked *x = a, *y = b;
  for (size_t k = 0; k < x->pivots; k++)
    if (x->ranks[k] != y->ranks[k])
      return x->ranks[k] < y->ranks[k] ? -1 : 1;
  return 0;
}

static void print_cells(struct pivot_runner *run)
{
  const struct pivot_request *p = run->p;
  AUTO_FREE struct ranked *shown = xcalloc(run->cells.count + 1, sizeof(*shown));
  size_t n = 0;
  for (size_t i = 0; i < run->cells.count; i++) {
    const int32_t *ranks = &run->ranks[i * PIVOT_MAX];
    bool all = true;
    for (size_t k = 0; k < p->pivot_count; k++)
      all &= in_page(&p->pivots[k], ranks[k]);
    if (all)
      shown[n++] = (struct ranked){&run->cells.rows[i], ranks, p->pivot_count};
  }
  qsort(shown, n, sizeof(*shown), by_ranks);
  for (size_t i = 0; i < n; i++) {
    buf_puts(run->out, i == 0 ? "\"rows\":[" : ",");
    print_row(&p->cells, shown[i].row->texts, shown[i].row->values, run->out);
  }
  if (n > 0)
    buf_puts(run->out, "],");
}

/* Whether a field is added up in the aggregates of a pivot; a date range stays apart. */
static bool is_aggregated(const struct pivot_request *p, size_t k, size_t field)
{
  for (size_t i = 0; i < p->pivots[k].field_count; i++)
    if (p->pivots[k].fields[i] == field)
      return p->cells.dimensions[field].role == ROLE_PLAIN;
  return false;
}

static void print_aggregate(struct pivot_runner *run, size_t k, const char *const *kept,
                            const char *reserved, const double *values, size_t *printed)
{
  const struct pivot_request *p = run->p;
  const char *texts[REQUEST_MAX_DIMENSIONS + 2];
  for (size_t i = 0, at = 0; i < p->cells.dimension_count; i++)
    texts[i] = is_aggregated(p, k, i) ? reserved : kept[at++];
  buf_puts(run->out, (*printed)++ == 0 ? "\"aggregates\":[" : ",");
  print_row(&p->cells, texts, values, run->out);
}

/* Totals are counted over the data, since a user may be in several cells. */
static enum err_code print_totals(struct pivot_runner *run, size_t k,
                                  const struct report_request *r, size_t *printed)
{
  struct table t = {0};
  enum err_code code = table_fill(&t, run->db, run->world, r, run->last_day, run->e);
  for (size_t i = 0; code == ERR_OK && i < t.count; i++)
    print_aggregate(run, k, t.rows[i].texts, "RESERVED_TOTAL", t.rows[i].values, printed);
  table_free(&t);
  return code;
}

struct extreme {
  const char *const *texts;
  double minimum[REQUEST_MAX_METRICS], maximum[REQUEST_MAX_METRICS], count[REQUEST_MAX_METRICS];
};

/* The least, the greatest and the number of cells for each combination of the other values. */
static void note_cell(struct extreme *x, const double *values, size_t metrics)
{
  bool first = x->count[0] == 0;
  for (size_t m = 0; m < metrics; m++) {
    if (first || values[m] < x->minimum[m])
      x->minimum[m] = values[m];
    if (first || values[m] > x->maximum[m])
      x->maximum[m] = values[m];
    x->count[m]++;
  }
}

static void print_extremes(struct pivot_runner *run, size_t k, const struct extreme *list, size_t n,
                           size_t *printed)
{
  const struct pivot *v = &run->p->pivots[k];
  for (size_t i = 0; v->minimum && i < n; i++)
    print_aggregate(run, k, list[i].texts, "RESERVED_MIN", list[i].minimum, printed);
  for (size_t i = 0; v->maximum && i < n; i++)
    print_aggregate(run, k, list[i].texts, "RESERVED_MAX", list[i].maximum, printed);
  for (size_t i = 0; v->count && i < n; i++)
    print_aggregate(run, k, list[i].texts, "RESERVED_COUNT", list[i].count, printed);
}

static void collect_extremes(struct pivot_runner *run, size_t k, size_t *printed)
{
  const struct report_request *r = &run->p->cells;
  size_t kept[REQUEST_MAX_DIMENSIONS + 2], n = 0, groups = 0;
  for (size_t i = 0; i < r->dimension_count; i++)
    if (!is_aggregated(run->p, k, i))
      kept[n++] = i;
  AUTO_FREE struct keyed *keys = xcalloc(run->cells.count + 1, sizeof(*keys));
  for (size_t i = 0; i < run->cells.count; i++)
    keys[i] = (struct keyed){key_of(r->arena, run->cells.rows[i].texts, kept, n), i};
  qsort(keys, run->cells.count, sizeof(*keys), by_key);
  AUTO_FREE struct extreme *list = xcalloc(run->cells.count + 1, sizeof(*list));
  for (size_t i = 0; i < run->cells.count; i++) {
    const struct table_row *row = &run->cells.rows[keys[i].index];
    if (i == 0 || strcmp(keys[i - 1].key, keys[i].key) != 0) {
      const char **texts = ARENA_ARRAY(r->arena, const char *, n);
      for (size_t f = 0; texts != NULL && f < n; f++)
        texts[f] = row->texts[kept[f]];
      list[groups++].texts = texts;
    }
    note_cell(&list[groups - 1], row->values, r->metric_count);
  }
  print_extremes(run, k, list, groups, printed);
}

static enum err_code print_aggregates(struct pivot_runner *run)
{
  const struct pivot_request *p = run->p;
  AUTO_FREE struct report_request *r = xcalloc(1, sizeof(*r));
  enum err_code code = ERR_OK;
  size_t printed = 0;
  for (size_t k = 0; code == ERR_OK && k < p->pivot_count; k++) {
    const struct pivot *v = &p->pivots[k];
    *r = p->cells;
    r->dimension_count = 0;
    for (size_t i = 0; i < p->cells.dimension_count; i++)
      if (!is_aggregated(p, k, i))
        r->dimensions[r->dimension_count++] = p->cells.dimensions[i];
    if (v->total && p->cells.metric_count > 0)
      code = print_totals(run, k, r, &printed);
    if (v->minimum || v->maximum || v->count)
      collect_extremes(run, k, &printed);
  }
  if (printed > 0)
    buf_puts(run->out, "],");
  return code;
}

static enum err_code run_tables(struct pivot_runner *run)
{
  const struct pivot_request *p = run->p;
  enum err_code code =
      table_fill(&run->cells, run->db, run->world, &p->cells, run->last_day, run->e);
  run->ranks = xcalloc(run->cells.count * PIVOT_MAX + 1, sizeof(*run->ranks));
  for (size_t k = 0; code == ERR_OK && k < p->pivot_count; k++)
    code = fill_axis(run, k);
  for (size_t k = 0; code == ERR_OK && k < p->pivot_count; k++) {
    buf_puts(run->out, k == 0 ? "\"pivotHeaders\":[" : "");
    print_axis(run, k);
  }
  return code;
}

static void free_tables(struct pivot_runner *run)
{
  for (size_t k = 0; k < PIVOT_MAX; k++) {
    table_free(&run->axes[k].table);
    free(run->axes[k].rank);
  }
  table_free(&run->cells);
  free(run->ranks);
}

enum err_code pivot_run(struct world *w, const struct pivot_request *p, struct quota *quota,
                        unsigned project, const struct report_style *style, struct buf *out,
                        struct err *e)
{
  struct quota_account account = {p->cells.property->index, QUOTA_CORE, project};
  if (report_admit(&p->cells, quota, account, e) != ERR_OK)
    return ERR_RESOURCE_EXHAUSTED;
  AUTO_FREE struct pivot_runner *run = xcalloc(1, sizeof(*run));
  *run = (struct pivot_runner){
      .world = w, .p = p, .last_day = report_last_day(w, &p->cells), .out = out, .e = e};
  run->db = world_reader_acquire(w, p->cells.property, e);
  if (run->db == NULL)
    return e->code;
  buf_putc(out, '{');
  enum err_code code = run_tables(run);
  if (code == ERR_OK) {
    buf_puts(out, "],");
    print_headers(&p->cells, style, out);
    print_cells(run);
    code = print_aggregates(run);
  }
  if (code == ERR_OK)
    print_metadata(&p->cells, run->db, run->last_day, NULL, out);
  world_reader_release(w, run->db);
  free_tables(run);
  if (code != ERR_OK)
    return code;
  report_charge(&p->cells, quota, account, out);
  if (!buf_puts(out, "\"kind\":\"analyticsData#runPivotReport\"}"))
    return err_set(e, ERR_INTERNAL, "size", "simulator: the answer is larger than %d bytes",
                   REPORT_MAX_BYTES);
  return ERR_OK;
}
