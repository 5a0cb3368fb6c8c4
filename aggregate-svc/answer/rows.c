/* Puts the answer of a report over dealers together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/cohorts.h"
#include "aggregate-svc/answer/compared.h"
#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/answer/rows_parts.h"
#include "aggregate-svc/figures/landing.h"
#include "aggregate-svc/period/message.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/ga4/additive.h"
#include "common/ga4/own.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;
typedef Analytics__Aggregate__V1__DealerRows DealerRows;
typedef Analytics__Aggregate__V1__DataRow DataRow;
typedef Analytics__Aggregate__V1__PooledRow PooledRow;
typedef Analytics__Ga4__V1beta__MetricHeader MetricHeader;

enum {
  LABEL_BYTES = 200,
  NAME_BYTES = 100,
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

/* ----------------------------------------------------------------------- caveats */

/* The dimension itself, or one that it is made of. */
static bool splits_sessions(const struct across_question *q, const char *dimension)
{
  const char *part;
  const Analytics__Ga4__V1beta__Dimension *d = ga4_defined_dimension(&q->definitions, dimension);
  for (size_t i = 0; d != NULL && (part = ga4_dimension_part(d->dimension_expression, i)) != NULL;
       i++)
    if (dimension_splits_sessions(part))
      return true;
  return d == NULL && dimension_splits_sessions(dimension);
}

static const char *first_splitting(const struct across_question *q)
{
  for (size_t k = 0; k < q->n_dimensions; k++)
    if (splits_sessions(q, q->dimensions[k]))
      return q->dimensions[k];
  return NULL;
}

static void add_overlap(struct caveats *c, const struct across_question *q)
{
  const char *dimension = first_splitting(q);
  for (size_t k = 0; dimension != NULL && k < q->n_asked; k++)
    if (metric_counts_sessions(q->metrics[k])) {
      caveats_add(c,
                  "Rows of %s by %.*s overlap, because a session appears under each value it "
                  "touches: do not add rows.",
                  q->metrics[k], (int)text_clip(dimension, NAME_BYTES), dimension);
      return;
    }
}

/* Why a metric is not pooled. */
static const char *reason_of(const struct across_question *q, const char *metric)
{
  if (ga4_defined_metric(&q->definitions, metric) != NULL)
    return "an expression, which Google evaluates for each dealer by itself";
  const struct ga4_rate *rate = ga4_rate_find(metric);
  if (additive_kind(metric) == ADDITIVE_CURRENCY || (rate != NULL && rate->money))
    return "the properties report in different currencies; give currency_code";
  if (rate != NULL)
    return "a rate, whose parts do not fit into a report of 10 metrics: ask for fewer";
  if (strcmp(metric, GA4_COHORT_TOTAL) == 0)
    return "rows of one cohort differ in it";
  return ga4_counts_people(metric) ? "people may visit several websites"
                                   : "not known to be additive";
}

static void add_not_pooled(struct caveats *c, const struct across_question *q, const Result *r)
{
  AUTO_BUF struct buf b = BUF_INIT(4096);
  for (size_t i = 0; i < r->n_not_pooled; i++) {
    text_put_separator(&b, i, r->n_not_pooled);
    text_put_clipped(&b, r->not_pooled[i], NAME_BYTES);
    buf_printf(&b, " (%s)", reason_of(q, r->not_pooled[i]));
  }
  if (r->n_not_pooled > 0)
    caveats_add(c, "Not pooled over dealers: %s.", buf_str(&b));
}

/* What comparisons and cohorts are, and pooled users of cohorts. */
static void add_slices(struct caveats *c, const struct across_question *q, const Result *r)
{
  bool users = false, total = false;
  for (size_t i = 0; i < r->n_pooled_metrics; i++) {
    users = users || ga4_counts_cohort(r->pooled_metrics[i]);
    total = total || strcmp(r->pooled_metrics[i], GA4_COHORT_TOTAL) == 0;
  }
  if (q->comparisons)
    caveats_add(c, "Comparisons overlap where a session is in several: do not add their rows.");
  if (q->cohorts)
    caveats_add(c, "Steps of a cohort that have not ended yet hold only what came so far; Google "
                   "takes 24-48 hours to finish a day.");
  if (users)
    caveats_add(c, "In pooled users of a cohort a person who visits several of the websites counts "
                   "at each of them.");
  if (total)
    caveats_add(c, "Pooled " GA4_COHORT_TOTAL " is the cohort of all these dealers, also of those "
                   "without such a row.");
}

/* What a pooled rate is. */
static void add_rates(struct caveats *c, const Result *r)
{
  bool any = false, users = false;
  for (size_t i = 0; i < r->n_pooled_metrics; i++) {
    const struct ga4_rate *rate = ga4_rate_find(r->pooled_metrics[i]);
    any = any || rate != NULL;
    users = users || (rate != NULL && rate->users);
  }
  if (any)
    caveats_add(c, "Pooled rates are those of all websites together, from their parts: larger "
                   "websites weigh more.");
  if (users)
    caveats_add(c, "In pooled figures per user a person who visits several of the websites counts "
                   "at each of them.");
}

static void add_pool_limits(struct caveats *c, const struct across_question *q, const Result *r)
{
  if (r->next_pooled_offset > 0)
    caveats_add(c, "%zu of %d pooled rows are shown: pooled_offset %d gives the next ones.",
                r->n_pooled, r->pooled_row_count, r->next_pooled_offset);
  if (q->metric_filter)
    caveats_add(c, "metric_filter was applied to each dealer's rows before pooling: a pooled row "
                   "adds only the dealers whose row passed.");
}

static bool counts_key_events(const struct across_question *q, const char *metric)
{
  const Analytics__Ga4__V1beta__Metric *m = ga4_defined_metric(&q->definitions, metric);
  if (m != NULL)
    return ga4_metric_uses(m, "keyEvents") || ga4_metric_uses(m, "conversions");
  return strcmp(metric, "keyEvents") == 0 || strcmp(metric, "conversions") == 0;
}

/* What the counts of contacts are, and are not. */
static void add_contacts(struct caveats *c, const struct across_question *q)
{
  bool contacts = false, chats = false, leads = false, key_events = false;
  for (size_t k = 0; k < q->n_asked; k++) {
    const struct own_metric *own = own_metric_find(q->metrics[k]);
    contacts = contacts || (own != NULL && (own->of == OWN_CALLS || own->of == OWN_CHATS ||
                                            own->of == OWN_APPOINTMENTS));
    chats = chats || (own != NULL && own->of == OWN_CHATS);
    leads = leads || (own != NULL && (own->of == OWN_LEADS || own->of == OWN_LEAD_SESSIONS));
    key_events = key_events || counts_key_events(q, q->metrics[k]);
  }
  if (leads)
    caveats_add(c, "Leads are firings of each dealer's own lead event, so dealers with different "
                   "events do not count the same; compare_dealer_sessions says which.");
  if (contacts)
    caveats_add(c, "0 calls, chats or appointments may mean that a site does not report them; "
                   "pooled rates count its sessions all the same.");
  if (chats)
    caveats_add(c, "%s", own_chats_note);
  if (key_events)
    caveats_add(c, "Key events are not leads: every event marked as one counts, so one contact may "
                   "count several times. For leads ask for the metric leads.");
}

/* Dealers that are in several rows of the same key. */
static void add_groups(struct caveats *c, const struct across_question *q)
{
  size_t several = 0;
  for (size_t i = 0; i < q->cohort->n; i++)
    several += q->by == ACROSS_BY_GROUP && q->cohort->members[i].n_groups > 1;
  if (several > 0)
    caveats_add(c, "%zu dealer%s of several groups %s in each of them: do not add groups.", several,
                text_s(several), several == 1 ? "is" : "are");
}

static void add_landing(struct caveats *c, struct landing_rows landing)
{
  if (landing.joined)
    caveats_add(c, "Sessions without a landing page, which Google counts as \"\" and as \"(not "
                   "set)\", are one row here: \"(not set)\".");
  if (landing.apart)
    caveats_add(c, "Sessions without a landing page are in two rows \"(not set)\" of a dealer, "
                   "because not all of these metrics may be added.");
}

/* Keys of the order that pooled rows do not have. The reasons of metrics that are shown stand with
 * those that are not pooled. */
static void add_order(struct caveats *c, const struct across_question *q, const Result *r)
{
  struct pooled_column column;
  bool one_currency = notes_shared_currency(q->cohort, q->tables->notes) != NULL;
  for (size_t i = 0; r->n_pooled_metrics > 0 && i < q->order->n; i++) {
    const struct across_key *key = &q->order->keys[i];
    if (!key->metric || across_can_pool(q, key->column, one_currency, &column))
      continue;
    const char *name = q->metrics[key->column];
    if (key->column < q->n_asked)
      caveats_add(c, "Pooled rows are not ordered by %s, which they do not have.", name);
    else
      caveats_add(c, "Pooled rows are not ordered by %s, which is not pooled over dealers (%s).",
                  name, reason_of(q, name));
  }
}

static void add_caveats(const struct across_question *q, Result *r, struct landing_rows landing,
                        const struct compared *compared, const struct resolved_period *period,
                        struct arena *arena)
{
  struct caveats c = {.arena = arena};
  caveats_add_missing(&c, q->cohort);
  if (q->not_visible > 0)
    caveats_add(&c, "%zu dealer%s of %.*s %s outside your access and take%s no part.",
                q->not_visible, text_s(q->not_visible),
                (int)text_clip(q->cohort->label, LABEL_BYTES), q->cohort->label,
                q->not_visible == 1 ? "is" : "are", q->not_visible == 1 ? "s" : "");
  add_overlap(&c, q);
  add_not_pooled(&c, q, r);
  add_rates(&c, r);
  add_slices(&c, q, r);
  add_landing(&c, landing);
  add_contacts(&c, q);
  if (q->days != NULL)
    compared_caveats(&c, compared);
  else
    add_pool_limits(&c, q, r);
  add_groups(&c, q);
  add_order(&c, q, r);
  caveats_add_notes(&c, q->cohort, q->tables->notes);
  if (q->cohorts)
    period_caveat_zones(&c, r->period);
  else
    period_caveats(&c, q->period, r->period, period);
  r->caveats = c.items;
  r->n_caveats = c.n;
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
  add_caveats(q, r, landing, &compared, &period, arena);
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
