/* Rows in two periods, or beside the others, measured and judged. */
#include "aggregate-svc/answer/compared.h"

#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/answer/rows_parts.h"
#include "aggregate-svc/period/message.h"
#include "aggregate-svc/verdict/change.h"
#include "aggregate-svc/verdict/verdict.h"
#include "common/base/mem.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;
typedef Analytics__Aggregate__V1__ComparedRow Row;
#define ROW(name) ANALYTICS__AGGREGATE__V1__COMPARED_ROW__##name

/* Larger sums are not compared. */
#define COUNT_MAX 1e15

void compared_free(struct compared *c)
{
  across_pool_free(&c->pool);
  free(c->cells);
  free(c->changes);
  free(c->order);
}

/* ------------------------------------------------------------------------ metrics */

static bool is_asked(const struct across_question *q, const char *metric)
{
  for (size_t k = 0; k < q->n_asked; k++)
    if (strcmp(q->metrics[k], metric) == 0)
      return true;
  return false;
}

/* Bounce rate is the rest of engagement rate: one fact gets one word. */
static struct compared_metric metric_of(const struct across_question *q,
                                        struct pooled_column column)
{
  const char *name = q->metrics[column.metric];
  const struct ga4_rate *rate = column.weighted ? ga4_rate_find(name) : NULL;
  struct compared_metric m = {.column = column, .rate = rate != NULL, .model = STATS_POISSON};
  m.counted = rate != NULL ? rate->above != GA4_AMOUNT : additive_counts(name);
  m.better = rate != NULL ? rate->better : 0;
  if (rate != NULL && rate->above == GA4_PART)
    m.model = STATS_BINOMIAL;
  m.judged = m.counted && !(strcmp(name, "bounceRate") == 0 && is_asked(q, "engagementRate"));
  if (q->before != NULL && !m.rate)
    m.judged = m.judged && compared_same_weekdays(q) && compared_is_over(q);
  return m;
}

/* Each dealer by itself has every metric; together they have those that may be pooled. */
static void choose_metrics(struct compared *c, Result *r, struct arena *arena)
{
  struct pooled_column columns[ACROSS_MAX_METRICS + 1];
  size_t n = across_choose_metrics(c->q, r, columns, arena);
  if (c->q->by == ACROSS_BY_DEALER && c->q->cohort->subject < 0) {
    for (n = 0; n < c->q->n_asked; n++)
      if (!across_can_pool(c->q, n, true, &columns[n]))
        columns[n] = (struct pooled_column){.metric = n};
    r->pooled_metrics = NULL;
    r->n_pooled_metrics = r->n_not_pooled = 0;
  }
  c->n_metrics = n;
  for (size_t k = 0; k < n; k++)
    c->metrics[k] = metric_of(c->q, columns[k]);
  compared_dispersion(c->q, c->metrics, n);
}

/* ---------------------------------------------------------------------- measuring */

/* Events over days or over the weight; false when it is nothing to measure. */
static bool parts_of(const struct compared *c, size_t row, size_t cell, size_t k,
                     struct stats_ratio *out)
{
  const struct compared_metric *m = &c->metrics[k];
  struct period_days days = compared_days(c->q, (cell & POOL_BEFORE) != 0);
  double value = across_pool_at(&c->pool, row, cell, k);
  double weight =
      m->rate ? across_pool_weight(&c->pool, row, cell, k) : (double)(days.last - days.first + 1);
  double events = m->rate ? value * weight : value;
  if (!m->counted || !(m->phi > 0) || !(events >= 0 && events <= COUNT_MAX) ||
      !(weight >= 0 && weight <= COUNT_MAX))
    return false;
  *out = (struct stats_ratio){llround(events), llround(weight)};
  return true;
}

static struct measured_change change_at(const struct compared *c, size_t row, size_t side, size_t k)
{
  struct stats_ratio after, before;
  if (!parts_of(c, row, side, k, &after) || !parts_of(c, row, side | POOL_BEFORE, k, &before))
    return (struct measured_change){.known = false};
  return verdict_measure_change(before, after, c->metrics[k].model, c->metrics[k].phi);
}

static void measure_change(struct compared *c, size_t row, size_t k)
{
  size_t at = row * c->n_metrics + k;
  struct change_row *x = &c->cells[at].change;
  struct change_cell *words = &c->changes[2 * at];
  x->own = change_at(c, row, 0, k);
  x->suspect = !c->metrics[k].rate && c->lost_in[c->pool.rows[row].part];
  if (c->pool.subject >= 0)
    x->market = change_at(c, row, POOL_OTHERS, k);
  verdict_compare_changes(x, words);
  words[1].suspect = words[1].suspect || (!c->metrics[k].rate && c->lost_others);
  for (size_t i = 0; i < 2; i++)
    words[i].enough = words[i].enough && c->metrics[k].judged && !words[i].suspect;
}

/* A count is a share of all rows of its dealers; of a report with one row it is a size. */
static void measure_standing(struct compared *c, size_t row, size_t k)
{
  const struct compared_metric *m = &c->metrics[k];
  struct verdict_cell *x = &c->cells[row * c->n_metrics + k].standing;
  *x = (struct verdict_cell){.model = m->model,
                             .phi = m->phi,
                             .role = m->better != 0 && m->judged ? VERDICT_ROLE_JUDGED
                                                                 : VERDICT_ROLE_CONTEXT,
                             .lower_is_better = m->better < 0,
                             .allowed = true};
  if (!parts_of(c, row, 0, k, &x->own) || !parts_of(c, row, POOL_OTHERS, k, &x->others))
    return;
  if (m->rate)
    return;
  x->own.denominator = c->q->n_dimensions > 0 ? c->totals[0][k].numerator : 0;
  x->others.denominator = c->q->n_dimensions > 0 ? c->totals[1][k].numerator : 0;
  x->model = STATS_BINOMIAL;
}

static void add_totals(struct compared *c, size_t row)
{
  struct stats_ratio x;
  for (size_t k = 0; k < c->n_metrics; k++)
    for (size_t side = 0; side < 2; side++)
      if (parts_of(c, row, side * POOL_OTHERS, k, &x))
        c->totals[side][k].numerator += x.numerator;
}

/* Judges all rows: a word does not depend on how many are shown. */
static void judge_rows(struct compared *c, Result *r)
{
  size_t n = c->pool.n * c->n_metrics;
  AUTO_FREE struct verdict_cell *standings = xcalloc(n + 1, sizeof(*standings));
  for (size_t row = 0; row < c->pool.n; row++)
    add_totals(c, row);
  for (size_t i = 0; i < n; i++)
    if (c->q->before != NULL)
      measure_change(c, i / c->n_metrics, i % c->n_metrics);
    else
      measure_standing(c, i / c->n_metrics, i % c->n_metrics);
  for (size_t i = 0; i < n; i++)
    standings[i] = c->cells[i].standing;
  r->cells_tested = (int32_t)(c->q->before != NULL ? verdict_judge_changes(c->changes, 2 * n)
                                                   : verdict_judge(standings, n));
  r->opt_cells_tested_case =
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESULT__OPT_CELLS_TESTED_CELLS_TESTED;
  for (size_t i = 0; i < n; i++)
    c->cells[i].standing = standings[i];
}

/* ----------------------------------------------------------------------- messages */

static double percent(double ratio)
{
  return 100 * (ratio - 1);
}

/* The change of what is shown: of a count per day. False without a value before. */
static bool shown_change(const struct compared *c, size_t row, size_t side, size_t k, double *out)
{
  struct period_days now = compared_days(c->q, false), then = compared_days(c->q, true);
  double after = across_pool_at(&c->pool, row, side, k);
  double before = across_pool_at(&c->pool, row, side | POOL_BEFORE, k);
  bool per_day = additive_kind(c->q->metrics[c->metrics[k].column.metric]) != ADDITIVE_NO;
  double days = (double)(now.last - now.first + 1) / (double)(then.last - then.first + 1);
  double ratio = after / before / (per_day ? days : 1);
  *out = percent(ratio);
  return before > 0 && isfinite(ratio);
}

static void set_change(const struct compared *c, size_t row, size_t k, Row *m)
{
  const struct change_row *x = &c->cells[row * c->n_metrics + k].change;
  const struct change_cell *words = &c->changes[2 * (row * c->n_metrics + k)];
  m->opt_before_case = ROW(OPT_BEFORE_BEFORE);
  m->before = across_pool_at(&c->pool, row, POOL_BEFORE, k);
  if (shown_change(c, row, 0, k, &m->change_percent))
    m->opt_change_case = ROW(OPT_CHANGE_CHANGE_PERCENT);
  if (x->own.known && x->own.change.high > 0) {
    m->opt_low_case = ROW(OPT_LOW_LOW_PERCENT);
    m->opt_high_case = ROW(OPT_HIGH_HIGH_PERCENT);
    m->low_percent = percent(x->own.change.low);
    m->high_percent = percent(x->own.change.high);
  }
  if (c->metrics[k].judged)
    m->verdict = borrow_text(verdict_change_name(words[0].word));
  if (c->pool.subject < 0)
    return;
  if (shown_change(c, row, POOL_OTHERS, k, &m->others_change_percent))
    m->opt_others_change_case = ROW(OPT_OTHERS_CHANGE_OTHERS_CHANGE_PERCENT);
  if (c->metrics[k].judged)
    m->against_others = borrow_text(verdict_change_name(words[1].word));
  if (!x->has_relative)
    return;
  m->opt_relative_case = ROW(OPT_RELATIVE_RELATIVE_PERCENT);
  m->opt_relative_low_case = ROW(OPT_RELATIVE_LOW_RELATIVE_LOW_PERCENT);
  m->opt_relative_high_case = ROW(OPT_RELATIVE_HIGH_RELATIVE_HIGH_PERCENT);
  m->relative_percent = percent(x->relative.ratio);
  m->relative_low_percent = percent(x->relative.low);
  m->relative_high_percent = percent(x->relative.high);
}

static void set_standing(const struct compared *c, size_t row, size_t k, Row *m)
{
  const struct verdict_cell *x = &c->cells[row * c->n_metrics + k].standing;
  m->standing = standing_message(x->word);
  if (x->has_index) {
    m->opt_index_case = ROW(OPT_INDEX_INDEX);
    m->index = x->index;
  }
  if (!x->has_interval)
    return;
  m->opt_index_low_case = ROW(OPT_INDEX_LOW_INDEX_LOW);
  m->opt_index_high_case = ROW(OPT_INDEX_HIGH_INDEX_HIGH);
  m->index_low = x->low;
  m->index_high = x->high;
}

static Row *row_message(const struct compared *c, size_t row, size_t k, struct arena *arena)
{
  const struct pooled_row *p = &c->pool.rows[row];
  Row *m = ARENA_NEW(arena, Row);
  analytics__aggregate__v1__compared_row__init(m);
  m->of = borrow_text(c->parts[p->part].label);
  m->n_dimension_values = c->q->n_dimensions;
  m->dimension_values = across_row_texts(c->q, p->member, p->row, arena);
  m->metric = c->q->metrics[c->metrics[k].column.metric];
  m->opt_value_case = ROW(OPT_VALUE_VALUE);
  m->value = across_pool_value(&c->pool, row, k);
  if (c->pool.subject >= 0) {
    m->opt_others_case = ROW(OPT_OTHERS_OTHERS);
    m->others = across_pool_at(&c->pool, row, POOL_OTHERS, k);
  }
  if (c->q->before != NULL)
    set_change(c, row, k, m);
  else
    set_standing(c, row, k, m);
  return m;
}

/* Rows of each part that an answer has; without parts rows of a page. */
static size_t limit_of(const struct across_question *q)
{
  size_t limit = q->by == ACROSS_BY_DEALER ? q->limit_per_dealer : q->pooled_limit;
  return limit > 0 ? limit : SIZE_MAX;
}

/* A row: a message per metric. Returns their bytes as text. */
static size_t put_row(const struct compared *c, size_t row, Row **out, struct arena *arena)
{
  size_t bytes = 0;
  for (size_t k = 0; k < c->n_metrics; k++) {
    out[k] = row_message(c, row, k, arena);
    bytes += paging_text_bytes(&out[k]->base);
  }
  return bytes;
}

void compared_page(const struct compared *c, Result *r, size_t max_text, struct arena *arena)
{
  size_t most = limit_of(c->q), left = c->q->offset < c->n ? c->n - c->q->offset : 0;
  struct paging page = {.offset = c->q->offset, .left = max_text};
  Row **row = ARENA_ARRAY(arena, Row *, c->n_metrics + 1);
  if (c->in_parts || most > left)
    most = left;
  r->compared = ARENA_ARRAY(arena, Row *, most * c->n_metrics + 1);
  while (page.n < most &&
         paging_take(&page, put_row(c, c->order[page.offset + page.n], row, arena))) {
    memcpy(r->compared + r->n_compared, row, c->n_metrics * sizeof(*row));
    r->n_compared += c->n_metrics;
  }
  r->next_offset = paging_next(&page, c->n);
}

/* --------------------------------------------------------------------------- all */

static void name_both(const struct across_question *q, Result *r, struct arena *arena)
{
  struct resolved_period resolved;
  if (q->cohort->subject >= 0)
    r->subject = borrow_text(q->cohort->members[q->cohort->subject].dealer_id);
  if (q->before == NULL)
    return;
  Analytics__Aggregate__V1__Period *before =
      period_message(q->before, q->cohort, q->tables->notes, q->now_unix_ms, arena, &resolved);
  r->before_start = before->start_date;
  r->before_end = before->end_date;
}

/* Whose days are lost, and in which rows they are. */
static void find_lost(struct compared *c, struct arena *arena)
{
  const struct cohort *cohort = c->q->cohort;
  c->lost = ARENA_ARRAY(arena, bool, cohort->n + 1);
  c->lost_in = ARENA_ARRAY(arena, bool, c->n_parts + 1);
  if (c->q->before == NULL)
    return;
  compared_find_lost(c->q, c->metrics, c->n_metrics, c->lost);
  for (size_t i = 0; i < cohort->n; i++) {
    bool other = cohort->subject >= 0 && (long)i != cohort->subject;
    c->lost_others = c->lost_others || (other && c->lost[i]);
    for (size_t part = 0; part < c->n_parts; part++)
      c->lost_in[part] = c->lost_in[part] || (c->parts[part].has[i] && !other && c->lost[i]);
  }
}

static enum err_code make_pool(struct compared *c, struct arena *arena, struct err *e)
{
  const struct across_question *q = c->q;
  struct pooled_column columns[ACROSS_MAX_METRICS];
  enum across_by by = q->cohort->subject >= 0 ? ACROSS_BY_UNSET : q->by;
  for (size_t k = 0; k < c->n_metrics; k++)
    columns[k] = c->metrics[k].column;
  struct pool_spec spec = {.tables = q->tables,
                           .cohort = q->cohort,
                           .columns = columns,
                           .n_columns = c->n_metrics,
                           .two_periods = q->before != NULL,
                           .subject = q->cohort->subject,
                           .budget = q->tables->budget};
  spec.n_parts = c->n_parts = across_parts(q->cohort, by, &c->parts, arena);
  c->in_parts = by != ACROSS_BY_UNSET;
  spec.parts = c->parts;
  enum err_code code = across_pool_make(&c->pool, &spec, e);
  return code == ERR_OK ? across_check_sums(q, &c->pool, columns, e) : code;
}

static bool make_room(struct compared *c)
{
  size_t n = c->pool.n * c->n_metrics;
  size_t bytes = n * (sizeof(*c->cells) + 2 * sizeof(*c->changes) + sizeof(struct verdict_cell));
  if (!budget_take(&c->pool.budget, bytes)) /* given back with the pool's */
    return false;
  c->cells = xcalloc(n + 1, sizeof(*c->cells));
  c->changes = xcalloc(2 * n + 1, sizeof(*c->changes));
  return true;
}

enum err_code compared_make(struct compared *out, const struct across_question *q, Result *r,
                            struct arena *arena, struct err *e)
{
  *out = (struct compared){.q = q};
  choose_metrics(out, r, arena);
  enum err_code code = make_pool(out, arena, e);
  if (code == ERR_OK && !make_room(out))
    code = err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large",
                   "comparing the rows needs too much memory: use fewer dimensions, a filter or "
                   "fewer dealers");
  if (code != ERR_OK)
    return code;
  find_lost(out, arena);
  judge_rows(out, r);
  name_both(q, r, arena);
  out->order = across_pool_order(&out->pool, NULL);
  bool more;
  out->n =
      out->in_parts ? across_cut_parts(&out->pool, 0, limit_of(q), out->order, &more) : out->pool.n;
  r->opt_compared_row_count_case =
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESULT__OPT_COMPARED_ROW_COUNT_COMPARED_ROW_COUNT;
  r->compared_row_count = (int32_t)out->pool.n;
  return ERR_OK;
}
