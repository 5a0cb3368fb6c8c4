/* Models whose share of the vehicle page views rises or falls, by whole ISO weeks.
 *
 * Views of a model inside one store move together (one advertisement, one truckload), so the
 * change of a share is judged over dealers: each dealer is one observation of the linearised
 * difference (stats_share_shift). A dealer with a day without sessions in either period is in
 * neither: its tracking, not its shoppers, may have changed; nor is one whose traffic is suspect in
 * the last 4 weeks (of which the first week has too little before it to be judged). Every model
 * with enough views at enough dealers is tested, in both comparisons, and all p go through
 * Benjamini and Hochberg at once; verdict/models.h says what is called rising or falling. */
#include "aggregate-svc/answer/vehicle_movers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/period/week.h"
#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "aggregate-svc/verdict/models.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__VehicleMoversResult Result;
typedef Analytics__Aggregate__V1__MoversComparison ComparisonMessage;
typedef Analytics__Aggregate__V1__ModelMove ModelMove;

enum { WEEK_DAYS = 7, COMPARISONS = 2, HEADLINE_BYTES = 1000, HEADLINE_MODELS = 3 };

static const struct {
  const char *name, *words;
  int before, after, weeks; /* first week of each, of the 8, and how many */
} comparisons[COMPARISONS] = {{"week", "the week before", 6, 7, 1},
                              {"4_weeks", "the 4 weeks before", 0, 4, 4}};

/* A tested model in one comparison. */
struct move {
  size_t comparison, model;
  const char *label;
  int64_t before, after; /* views */
  size_t dealers, up, down;
  struct stats_share_change shift;
  double q;
  enum model_move verdict;
};

struct movers {
  const struct vehicle_question *q;
  struct arena *arena;
  int64_t monday;
  double *views; /* member x model x week */
  double *all;   /* member x week */
  struct move *moves;
  size_t n;
  size_t dealers[COMPARISONS], low_volume[COMPARISONS], few_dealers[COMPARISONS];
  bool *complete; /* member x comparison */
};

/* -------------------------------------------------------------------------- figures */

static double *views_of(const struct movers *m, size_t member, size_t model)
{
  return m->views + (member * vehicle_models_len + model) * MOVERS_WEEKS;
}

/* Week of the 8 that a day is in; -1 for another. */
static int week_of(const struct movers *m, uint16_t day)
{
  int64_t week = day < m->monday ? -1 : (day - m->monday) / WEEK_DAYS;
  return week < MOVERS_WEEKS ? (int)week : -1;
}

/* Days with sessions of a dealer, as bits of a week each. */
struct presence {
  unsigned days[MOVERS_WEEKS];
};

static struct presence read_member(struct movers *m, size_t member)
{
  struct presence p = {{0}};
  const struct cells *cells = &m->q->fold->members[member].cells;
  for (size_t k = 0; k < cells->n; k++) {
    struct models_key key = models_unpack(cells->list[k].key);
    int week = week_of(m, key.slot);
    if (week < 0)
      continue;
    if (key.query == MODELS_DAYS && cells->list[k].sessions > 0)
      p.days[week] |= 1u << (key.slot - m->monday) % WEEK_DAYS;
    if (key.query != MODELS_VIEWS || key.model == MODELS_NONE)
      continue;
    views_of(m, member, key.model)[week] += (double)cells->list[k].events;
    m->all[member * MOVERS_WEEKS + (size_t)week] += (double)cells->list[k].events;
  }
  return p;
}

static bool has_every_day(const struct presence *p, int first, int weeks)
{
  for (int i = first; i < first + weeks; i++)
    if (p->days[i] != (1u << WEEK_DAYS) - 1)
      return false;
  return true;
}

/* A wave, or a fall that lasts, moves the shares of a dealer without its shoppers. */
static bool is_suspect(const struct movers *m, size_t member)
{
  const struct dealer_figures *f = &m->q->dealers[member];
  return (f->effects & EFFECT_NO_POOL) != 0 || f->findings.of[SUSPECT_SHIFT].found;
}

static void read_members(struct movers *m)
{
  for (size_t i = 0; i < m->q->cohort->n; i++) {
    if (m->q->cohort->members[i].state != DEALER_OK)
      continue;
    struct presence p = read_member(m, i);
    bool suspect = is_suspect(m, i);
    for (size_t c = 0; c < COMPARISONS; c++) {
      bool whole = !suspect && has_every_day(&p, comparisons[c].before, comparisons[c].weeks) &&
                   has_every_day(&p, comparisons[c].after, comparisons[c].weeks);
      m->complete[i * COMPARISONS + c] = whole;
      m->dealers[c] += whole;
    }
  }
}

static double sum_weeks(const double *weeks, int first, int n)
{
  double sum = 0;
  for (int i = first; i < first + n; i++)
    sum += weeks[i];
  return sum;
}

/* ---------------------------------------------------------------------------- tests */

/* The dealers' shares of a model; fills the counts of the move. */
static size_t gather(const struct movers *m, struct move *move, struct stats_share *shares)
{
  size_t k = 0, c = move->comparison;
  int before = comparisons[c].before, after = comparisons[c].after, n = comparisons[c].weeks;
  for (size_t i = 0; i < m->q->cohort->n; i++) {
    if (!m->complete[i * COMPARISONS + c])
      continue;
    const double *of = views_of(m, i, move->model), *all = m->all + i * MOVERS_WEEKS;
    struct stats_share s = {sum_weeks(of, before, n), sum_weeks(all, before, n),
                            sum_weeks(of, after, n), sum_weeks(all, after, n)};
    shares[k++] = s;
    move->before += (int64_t)s.part_before;
    move->after += (int64_t)s.part_after;
    if (s.part_before <= 0 || s.part_after <= 0)
      continue;
    move->dealers++;
    move->up += s.part_after * s.all_before > s.part_before * s.all_after;
    move->down += s.part_after * s.all_before < s.part_before * s.all_after;
  }
  return k;
}

static void try_model(struct movers *m, size_t comparison, size_t model, struct stats_share *shares)
{
  struct move move = {.comparison = comparison, .model = model, .verdict = MODEL_NO_CLEAR_CHANGE};
  size_t k = gather(m, &move, shares);
  if (move.before == 0 && move.after == 0)
    return;
  if (m->dealers[comparison] < MOVERS_DEALERS_MIN) /* no number of views could change that */
    m->few_dealers[comparison]++;
  else if (move.before < MOVERS_VIEWS_MIN || move.after < MOVERS_VIEWS_MIN)
    m->low_volume[comparison]++;
  else if (move.dealers < MOVERS_DEALERS_MIN || !stats_share_shift(shares, k, 0.05, &move.shift))
    m->few_dealers[comparison]++;
  else {
    move.label = vehicle_label(model, m->arena);
    m->moves[m->n++] = move;
  }
}

static void test_all(struct movers *m)
{
  struct stats_share *shares = ARENA_ARRAY(m->arena, struct stats_share, m->q->cohort->n);
  for (size_t c = 0; c < COMPARISONS; c++)
    for (size_t i = 0; i < vehicle_models_len; i++)
      try_model(m, c, i, shares);
  double *p = ARENA_ARRAY(m->arena, double, m->n);
  double *q = ARENA_ARRAY(m->arena, double, m->n);
  for (size_t i = 0; i < m->n; i++)
    p[i] = m->moves[i].shift.p;
  stats_benjamini_hochberg(p, m->n, q, ARENA_ARRAY(m->arena, size_t, m->n));
  for (size_t i = 0; i < m->n; i++) {
    struct move *x = &m->moves[i];
    x->q = q[i];
    x->verdict = model_judge_move(&x->shift, x->q, x->up, x->down, x->dealers);
  }
}

/* -------------------------------------------------------------------------- message */

static int first_to_show(const void *a, const void *b)
{
  const struct move *x = a, *y = b;
  if (x->comparison != y->comparison)
    return x->comparison < y->comparison ? -1 : 1;
  if (x->verdict != y->verdict)
    return x->verdict < y->verdict ? -1 : 1;
  double u = fabs(x->shift.change), v = fabs(y->shift.change);
  return u != v ? (u > v ? -1 : 1) : strcmp(x->label, y->label);
}

static ModelMove *move_message(const struct move *x, struct arena *arena)
{
  ModelMove *m = ARENA_NEW(arena, ModelMove);
  analytics__aggregate__v1__model_move__init(m);
  m->comparison = borrow_text(comparisons[x->comparison].name);
  m->model = borrow_text(x->label);
  m->views_before = x->before;
  m->views = x->after;
  m->share_before = x->shift.before;
  m->share = x->shift.after;
  m->change_pp = 100 * x->shift.change;
  m->low_pp = 100 * x->shift.low;
  m->high_pp = 100 * x->shift.high;
  m->dealers_up = (int32_t)x->up;
  m->dealers = (int32_t)x->dealers;
  m->q = x->q;
  m->verdict = borrow_text(model_move_name(x->verdict));
  return m;
}

static void add_models(const struct movers *m, Result *r)
{
  size_t shown[COMPARISONS] = {0};
  r->models = ARENA_ARRAY(m->arena, ModelMove *, m->n);
  for (size_t i = 0; i < m->n; i++) {
    size_t place = shown[m->moves[i].comparison]++;
    if (place >= m->q->offset && place - m->q->offset < m->q->limit)
      r->models[r->n_models++] = move_message(&m->moves[i], m->arena);
  }
  for (size_t c = 0; c < COMPARISONS; c++)
    if (shown[c] > m->q->offset + m->q->limit)
      r->next_offset = (int32_t)(m->q->offset + m->q->limit);
}

/* "2026-W44", or "2026-W41 to 2026-W44". */
static char *weeks_text(const struct movers *m, int first, int n)
{
  struct iso_week from = {0}, to = {0};
  iso_week_of(m->monday + (int64_t)first * WEEK_DAYS, &from);
  iso_week_of(m->monday + (int64_t)(first + n - 1) * WEEK_DAYS, &to);
  if (n == 1)
    return arena_printf(m->arena, "%04d-W%02d", from.year, from.week);
  return arena_printf(m->arena, "%04d-W%02d to %04d-W%02d", from.year, from.week, to.year, to.week);
}

static ComparisonMessage *comparison_message(const struct movers *m, size_t c)
{
  ComparisonMessage *x = ARENA_NEW(m->arena, ComparisonMessage);
  analytics__aggregate__v1__movers_comparison__init(x);
  x->comparison = borrow_text(comparisons[c].name);
  x->before = weeks_text(m, comparisons[c].before, comparisons[c].weeks);
  x->after = weeks_text(m, comparisons[c].after, comparisons[c].weeks);
  x->dealers = (int32_t)m->dealers[c];
  x->low_volume = (int32_t)m->low_volume[c];
  x->few_dealers = (int32_t)m->few_dealers[c];
  for (size_t i = 0; i < m->n; i++) {
    if (m->moves[i].comparison != c)
      continue;
    x->tested++;
    x->rising += m->moves[i].verdict == MODEL_RISING;
    x->falling += m->moves[i].verdict == MODEL_FALLING;
  }
  return x;
}

/* ---------------------------------------------------------------------------- words */

/* "rising: Toyota RAV4 (9.6 % to 11.0 %)"; returns whether there is any. */
static bool put_verdict(struct buf *b, const struct movers *m, size_t comparison,
                        enum model_move verdict, bool first)
{
  size_t found = 0;
  for (size_t i = 0; i < m->n; i++) {
    const struct move *x = &m->moves[i];
    if (x->comparison != comparison || x->verdict != verdict || ++found > HEADLINE_MODELS)
      continue;
    if (found == 1)
      buf_printf(b, "%s%s ", first ? "" : "; ", model_move_name(verdict));
    else
      buf_puts(b, ", ");
    buf_printf(b, "%s (%.1f %% to %.1f %%)", x->label, 100 * x->shift.before, 100 * x->shift.after);
  }
  if (found > HEADLINE_MODELS)
    buf_printf(b, " and %zu more", found - HEADLINE_MODELS);
  return found > 0;
}

static void put_comparison(struct buf *b, const struct movers *m, size_t c,
                           const ComparisonMessage *x)
{
  buf_printf(b, "%s against %s: ", x->after, comparisons[c].words);
  if (m->dealers[c] < MOVERS_DEALERS_MIN) {
    text_put_few_dealers(b, m->dealers[c], MOVERS_DEALERS_MIN);
    buf_puts(b, " with sessions on every day of both");
    return;
  }
  if (x->tested == 0) {
    buf_printf(b, "nothing could be tested (%d models have too few views, %d too few dealers)",
               x->low_volume, x->few_dealers);
    return;
  }
  bool rising = put_verdict(b, m, c, MODEL_RISING, true);
  bool falling = put_verdict(b, m, c, MODEL_FALLING, !rising);
  if (!rising && !falling)
    buf_printf(b, "no clear change (%d models tested)", x->tested);
}

/* Fewer dealers than a test takes were asked about: no week can change that. */
static bool is_few(const struct movers *m)
{
  return m->q->cohort->n < MOVERS_DEALERS_MIN;
}

static char *headline(const struct movers *m, const Result *r, struct vehicle_matching matching,
                      const struct resolved_period *resolved)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  if (!vehicle_rankable(matching)) {
    vehicle_put_refusal(&b, matching, resolved);
  } else if (is_few(m)) {
    buf_puts(&b, "Whether a model's share of vehicle page views rises or falls is judged over "
                 "dealers: ");
    text_put_few_dealers(&b, m->q->cohort->n, MOVERS_DEALERS_MIN);
    buf_puts(&b, "; analyze_vehicle_interest shows how shares changed, without a verdict");
  } else {
    buf_puts(&b, "Share of vehicle page views, ");
    for (size_t c = 0; c < COMPARISONS; c++) {
      buf_puts(&b, c == 0 ? "" : ". ");
      put_comparison(&b, m, c, r->comparisons[c]);
    }
  }
  buf_printf(&b, " (%d of %d dealer%s)", r->coverage->ok, r->coverage->asked,
             text_s((size_t)r->coverage->asked));
  return arena_strdup(m->arena, buf_str(&b));
}

static bool is_incomplete(const struct cohort *c, size_t member, const void *arg)
{
  const struct movers *m = arg;
  return c->members[member].state == DEALER_OK && !m->complete[member * COMPARISONS + 1] &&
         !is_suspect(m, member);
}

static void put_words(const struct movers *m, struct vehicle_matching matching, Result *r)
{
  struct resolved_period resolved;
  struct caveats c = {.arena = m->arena};
  r->period = period_message(m->q->period, m->q->cohort, m->q->fold->notes, m->q->now_unix_ms,
                             m->arena, &resolved);
  r->coverage = vehicle_coverage(m->q, m->arena);
  vehicle_caveats(&c, m->q, matching, r->period, &resolved);
  if (cohort_count_if(m->q->cohort, is_incomplete, m) > 0)
    caveats_add(&c,
                "There are days without sessions of %s in these 8 weeks; a comparison that holds "
                "such a day leaves the dealer out.",
                cohort_names(m->q->cohort, is_incomplete, m, m->arena));
  r->caveats = c.items;
  r->n_caveats = c.n;
  r->headline = headline(m, r, matching, &resolved);
}

static void make_room(struct movers *m)
{
  size_t n = m->q->cohort->n;
  m->views = ARENA_ARRAY(m->arena, double, n *vehicle_models_len *MOVERS_WEEKS);
  m->all = ARENA_ARRAY(m->arena, double, n *MOVERS_WEEKS);
  m->complete = ARENA_ARRAY(m->arena, bool, n *COMPARISONS);
  m->moves = ARENA_ARRAY(m->arena, struct move, COMPARISONS * vehicle_models_len);
}

void vehicle_movers_halves(int64_t monday, struct period *early, struct period *late)
{
  int64_t half = monday + MOVERS_WEEKS / 2 * WEEK_DAYS;
  period_of_days(early, monday, half - 1);
  period_of_days(late, half, monday + MOVERS_WEEKS * WEEK_DAYS - 1);
}

Result *vehicle_movers(const struct vehicle_question *q, int64_t monday, struct arena *arena)
{
  struct movers m = {.q = q, .arena = arena, .monday = monday};
  struct vehicle_matching matching = vehicle_matching_of(q);
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__vehicle_movers_result__init(r);
  make_room(&m);
  read_members(&m);
  if (vehicle_rankable(matching)) {
    test_all(&m);
    qsort(m.moves, m.n, sizeof(*m.moves), first_to_show);
    r->comparisons = ARENA_ARRAY(arena, ComparisonMessage *, COMPARISONS);
    for (; r->n_comparisons < COMPARISONS; r->n_comparisons++)
      r->comparisons[r->n_comparisons] = comparison_message(&m, r->n_comparisons);
    add_models(&m, r);
  }
  put_words(&m, matching, r);
  return r;
}
