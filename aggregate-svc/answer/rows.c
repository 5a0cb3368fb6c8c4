/* Puts the answer of a report over dealers together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/cohorts.h"
#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/answer/rows_parts.h"
#include "common/base/mem.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;
typedef Analytics__Aggregate__V1__DealerRows DealerRows;
typedef Analytics__Aggregate__V1__DataRow DataRow;
typedef Analytics__Aggregate__V1__PooledRow PooledRow;
typedef Analytics__Ga4__V1beta__MetricHeader MetricHeader;

enum {
  COUNT_BYTES = 8,
  TEXT_MOST = 36 * 1024, /* of the answer; the gateway cuts at 40 kB */
};

/* Whether pooled rows stand by region or group, and no dealer's own. */
static bool is_by_part(const struct across_question *q)
{
  return q->by == ACROSS_BY_REGION || q->by == ACROSS_BY_GROUP;
}

/* ----------------------------------------------------------------- dealers' rows */

static DataRow *data_row(const struct across_question *q, size_t member, size_t row,
                         struct arena *arena)
{
  DataRow *r = ARENA_NEW(arena, DataRow);
  analytics__aggregate__v1__data_row__init(r);
  r->n_dimension_values = q->n_dimensions;
  r->dimension_values = across_row_texts(q, member, row, arena);
  r->n_metric_values = q->n_asked;
  r->metric_values = &q->tables->tables[member].values[row * q->tables->n_metrics];
  return r;
}

static size_t shown_rows(const struct across_question *q, size_t member)
{
  size_t rows = q->tables->tables[member].rows;
  rows = rows > q->row_offset ? rows - q->row_offset : 0;
  return rows < q->limit_per_dealer ? rows : q->limit_per_dealer;
}

static DealerRows *dealer_rows(const struct across_question *q, size_t member, struct arena *arena)
{
  const struct cohort_member *m = &q->cohort->members[member];
  DealerRows *d = ARENA_NEW(arena, DealerRows);
  analytics__aggregate__v1__dealer_rows__init(d);
  d->dealer_id = (char *)m->dealer_id;
  d->name = (char *)m->name;
  d->row_count = (int32_t)q->tables->tables[member].rows;
  d->n_rows = shown_rows(q, member);
  d->rows = ARENA_ARRAY(arena, DataRow *, d->n_rows);
  AUTO_FREE size_t *order = across_table_order(q->tables, member, q->order);
  for (size_t i = 0; i < d->n_rows; i++)
    d->rows[i] = data_row(q, member, order[q->row_offset + i], arena);
  return d;
}

/* A dealer's rows as text: each names the dealer. */
static size_t rows_bytes(const DealerRows *d)
{
  size_t before = strlen(d->dealer_id) + strlen(d->name) + COUNT_BYTES, bytes = before;
  for (size_t i = 0; i < d->n_rows; i++)
    bytes += paging_text_bytes(&d->rows[i]->base) + (i > 0 ? before : 0);
  return bytes;
}

static enum err_code too_many_rows(size_t rows, struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "too_many_rows",
                 "limit_per_dealer: the answer would have %zu rows, at most %d; lower it", rows,
                 ACROSS_MAX_ANSWER_ROWS);
}

/* A page of the dealers, in what the rest of the answer leaves of the text. */
static enum err_code add_dealers(const struct across_question *q, Result *r, size_t left,
                                 struct arena *arena, struct err *e)
{
  struct paging page = {.limit = q->dealers_per_page, .offset = q->offset, .left = left};
  size_t all = 0, rows = 0;
  bool full = false;
  if (is_by_part(q))
    return ERR_OK;
  r->dealers = ARENA_ARRAY(arena, DealerRows *, q->cohort->n);
  across_begin_beside(q, r, arena);
  for (size_t i = 0; i < q->cohort->n; i++) {
    if (q->cohort->members[i].state != DEALER_OK || all++ < page.offset || full)
      continue;
    rows += shown_rows(q, i);
    if (rows > ACROSS_MAX_ANSWER_ROWS)
      return too_many_rows(rows, e);
    DealerRows *d = dealer_rows(q, i, arena);
    full = !paging_take(&page, rows_bytes(d) + across_beside_bytes(q, i));
    if (full)
      continue;
    r->dealers[r->n_dealers++] = d;
    across_add_beside(q, i, r, arena);
    if ((size_t)d->row_count > q->row_offset + d->n_rows)
      r->next_row_offset = (int32_t)(q->row_offset + q->limit_per_dealer);
  }
  r->next_offset = paging_next(&page, all);
  return ERR_OK;
}

/* ------------------------------------------------------------------- pooled rows */

/* The rows of one dealer have one currency. */
static struct landing_rows join_landing(const struct across_question *q)
{
  struct pooled_column columns[ACROSS_MAX_METRICS + 1];
  size_t n = 0;
  for (size_t k = 0; k < q->n_ordered; k++) /* a dealer's rows share people */
    n += !ga4_counts_cohort(q->metrics[k]) && across_can_pool(q, k, true, &columns[n]);
  return across_join_landing(q->tables, q->dimensions, columns, n, q->n_ordered);
}

/* The first n metrics of the pool are shown. */
static PooledRow *pooled_row(const struct across_question *q, const struct across_pool *p,
                             size_t row, size_t n, struct arena *arena)
{
  PooledRow *r = ARENA_NEW(arena, PooledRow);
  analytics__aggregate__v1__pooled_row__init(r);
  r->n_dimension_values = q->n_dimensions;
  r->dimension_values = across_row_texts(q, p->rows[row].member, p->rows[row].row, arena);
  r->n_metric_values = n;
  r->metric_values = ARENA_ARRAY(arena, double, n);
  for (size_t k = 0; k < n; k++)
    r->metric_values[k] = across_pool_value(p, row, k);
  r->dealers = p->rows[row].dealers;
  return r;
}

static enum err_code add_pooled(const struct across_question *q, Result *r, struct arena *arena,
                                struct err *e)
{
  struct pooled_column columns[ACROSS_MAX_METRICS + 1]; /* one for a metric that is not pooled */
  size_t shown = across_choose_metrics(q, r, columns, arena);
  size_t n = shown > 0 ? across_choose_ordering(q, columns, shown) : 0;
  CLEANUP(across_pool_free) struct across_pool pool;
  struct pool_part *parts;
  struct pool_spec spec = {.tables = q->tables,
                           .cohort = q->cohort,
                           .columns = columns,
                           .n_columns = n,
                           .subject = -1,
                           .budget = q->tables->budget};
  spec.n_parts = across_parts(q->cohort, is_by_part(q) ? q->by : ACROSS_BY_UNSET, &parts, arena);
  spec.parts = parts;
  enum err_code code = across_pool_make(&pool, &spec, e);
  if (code == ERR_OK)
    code = across_check_sums(q, &pool, columns, e);
  if (code != ERR_OK)
    return code;
  for (size_t k = 0; k < n; k++)
    if (strcmp(q->metrics[columns[k].metric], GA4_COHORT_TOTAL) == 0)
      across_cohorts_put(q, &pool, k, parts, spec.n_parts);
  AUTO_FREE size_t *order = across_pool_order(&pool, q->order);
  r->opt_pooled_row_count_case =
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESULT__OPT_POOLED_ROW_COUNT_POOLED_ROW_COUNT;
  r->pooled_row_count = (int32_t)pool.n;
  r->pooled = ARENA_ARRAY(arena, PooledRow *, pool.n);
  bool more = false;
  if (q->offset == 0)
    r->n_pooled = across_cut_parts(&pool, q->pooled_offset, q->pooled_limit, order, &more);
  r->next_pooled_offset = more ? (int32_t)(q->pooled_offset + q->pooled_limit) : 0;
  for (size_t i = 0; i < r->n_pooled; i++) {
    r->pooled[i] = pooled_row(q, &pool, order[i], shown, arena);
    r->pooled[i]->of = borrow_text(parts[pool.rows[order[i]].part].label);
  }
  return ERR_OK;
}

/* ------------------------------------------------------------------------ result */

static void add_headers(const struct across_question *q, Result *r, struct arena *arena)
{
  r->n_dimensions = q->n_dimensions;
  r->dimensions = q->dimensions;
  r->n_metrics = q->n_asked;
  r->metrics = ARENA_ARRAY(arena, MetricHeader *, r->n_metrics);
  for (size_t k = 0; k < r->n_metrics; k++) {
    r->metrics[k] = ARENA_NEW(arena, MetricHeader);
    analytics__ga4__v1beta__metric_header__init(r->metrics[k]);
    r->metrics[k]->name = q->metrics[k];
    r->metrics[k]->type = q->tables->types[k];
  }
}

/* Rows of dealers or rows of comparisons, as many as a page has. */
static enum err_code add_page(const struct across_question *q, const struct compared *compared,
                              Result *r, struct arena *arena, struct err *e)
{
  size_t left = paging_left(TEXT_MOST, paging_head_bytes(&r->base));
  if (q->days == NULL)
    return add_dealers(q, r, left, arena, e);
  compared_page(compared, r, left, arena);
  return ERR_OK;
}

Result *across_result(const struct across_question *q, struct arena *arena, struct err *e)
{
  CLEANUP(compared_free) struct compared compared = {.q = q};
  Result *r = ARENA_NEW(arena, Result);
  struct resolved_period period;
  analytics__aggregate__v1__run_report_across_dealers_result__init(r);
  add_headers(q, r, arena);
  struct landing_rows landing = join_landing(q);
  if ((q->days != NULL ? compared_make(&compared, q, r, arena, e) : add_pooled(q, r, arena, e)) !=
      ERR_OK)
    return NULL;
  r->period =
      period_message(q->period, q->cohort, q->tables->notes, q->now_unix_ms, arena, &period);
  r->coverage = cohort_coverage(q->cohort, arena);
  across_caveats(q, r, landing, &compared, &period, arena);
  if (q->cohorts)
    r->period = NULL;
  if (add_page(q, &compared, r, arena, e) != ERR_OK)
    return NULL;
  if (protobuf_c_message_get_packed_size(&r->base) > ACROSS_MAX_ANSWER_BYTES) {
    err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
            "the answer would be larger than %d MiB: lower limit_per_dealer or pooled_limit",
            ACROSS_MAX_ANSWER_BYTES / (1024 * 1024));
    return NULL;
  }
  return r;
}
