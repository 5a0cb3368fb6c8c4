/* The change of the subject by the values of each axis. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/explain_parts.h"
#include "aggregate-svc/figures/breakdown.h"
#include "aggregate-svc/figures/page.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__ExplainChangeResult Result;
typedef Analytics__Aggregate__V1__ChangeAxis Axis;
typedef Analytics__Aggregate__V1__ChangePart Part;

enum { CHANNEL, DEVICE, CITY, LANDING_PAGE, EVENT }; /* columns of the reports */
enum { AFTER, BEFORE, PERIODS };                     /* members of a breakdown */
enum { PARTS_SHOWN = 5, LABEL_BYTES = 200 };

#define PART_HAS(field) ANALYTICS__AGGREGATE__V1__CHANGE_PART__##field

/* A row of the subject, and what its website calls models. */
struct axis_row {
  const struct across_tables *t;
  size_t member, row;
  const struct vehicle_aliases *names;
};
/* The value of a row on an axis; the text lives in the table or in space. */
typedef const char *axis_label(const struct axis_row *r, char space[static LABEL_BYTES]);

static const char *column(const struct axis_row *r, size_t dimension)
{
  return across_text(r->t, r->member, r->row, dimension);
}

static const char *by_channel(const struct axis_row *r, char space[static LABEL_BYTES])
{
  (void)space;
  return column(r, CHANNEL);
}

static const char *by_device(const struct axis_row *r, char space[static LABEL_BYTES])
{
  (void)space;
  return column(r, DEVICE);
}

static const char *by_city(const struct axis_row *r, char space[static LABEL_BYTES])
{
  (void)space;
  return column(r, CITY);
}

static const char *by_page_type(const struct axis_row *r, char space[static LABEL_BYTES])
{
  (void)space;
  return page_type(column(r, LANDING_PAGE));
}

static const char *by_model(const struct axis_row *r, char space[static LABEL_BYTES])
{
  page_model(column(r, LANDING_PAGE), r->names, space, LABEL_BYTES);
  return space[0] != '\0' ? space : "(no model)";
}

static const struct {
  const char *name;
  axis_label *label;
} axes[] = {{"channel", by_channel},
            {"device", by_device},
            {"page_type", by_page_type},
            {"model", by_model},
            {"city", by_city}};

/* --------------------------------------------------------------------------- counts */

/* An axis. */
struct axis {
  const char *name;
  struct breakdown metric; /* parts of the metric per value and period */
};

struct question {
  const struct explain_question *q;
  const struct dealer_metric *metric;
  const char *event; /* of leads; NULL when the metric has none */
  size_t leads;      /* column of PART_LEADS: events, or sessions with one */
  struct arena *arena;
  double market; /* after / before of the market; 0 when it is not known */
  Result *result;
};

/* What a row adds to the parts of the metric. */
static struct stats_ratio parts_of_row(const struct question *x, const struct across_tables *t,
                                       size_t member, size_t row)
{
  struct dealer_counts c = {.sessions = table_count(t, member, row, 0),
                            .engaged_sessions = table_count(t, member, row, 1)};
  struct stats_ratio r = metric_parts_of(x->metric, &c);
  if (!metric_is_rate(x->metric))
    r.denominator = c.sessions;
  return r;
}

static void propose(struct axis *a, const struct question *x, axis_label *label)
{
  const struct across_tables *t = &x->q->of.tables->of[EXPLAIN_PARTS - 1];
  size_t member = (size_t)x->q->of.cohort->subject;
  char space[LABEL_BYTES];
  breakdown_init(&a->metric, PERIODS, x->arena);
  for (size_t row = 0; row < t->tables[member].rows; row++)
    breakdown_propose(
        &a->metric,
        breakdown_label(label(&(struct axis_row){t, member, row, &x->q->of.names}, space)),
        table_count(t, member, row, 0));
  breakdown_choose(&a->metric);
}

static struct stats_ratio *place_of(struct axis *a, const struct axis_row *r, axis_label *label)
{
  char space[LABEL_BYTES];
  size_t v = breakdown_find(&a->metric, breakdown_label(label(r, space)));
  return breakdown_part(&a->metric, v, explain_is_before(r->t, r->member, r->row) ? BEFORE : AFTER);
}

static void add_rows(struct axis *a, const struct question *x, axis_label *label)
{
  size_t member = (size_t)x->q->of.cohort->subject;
  const struct across_tables *t = &x->q->of.tables->of[EXPLAIN_PARTS - 1];
  struct axis_row r = {t, member, 0, &x->q->of.names};
  for (; r.row < t->tables[member].rows; r.row++) {
    struct stats_ratio *to = place_of(a, &r, label);
    struct stats_ratio more = parts_of_row(x, t, member, r.row);
    to->numerator += more.numerator;
    to->denominator += more.denominator;
  }
  r.t = t = &x->q->of.tables->of[EXPLAIN_PART_LEADS - 1];
  for (r.row = 0; x->event != NULL && r.row < t->tables[member].rows; r.row++)
    if (strcmp(column(&r, EVENT), x->event) == 0)
      place_of(a, &r, label)->numerator += table_count(t, member, r.row, x->leads);
}

/* ---------------------------------------------------------------------------- parts */

/* One value while the parts are ordered. */
struct ranked {
  size_t place;
  double contribution;
  const char *label;
};

static int largest_first(const void *a, const void *b)
{
  const struct ranked *x = a, *y = b;
  double p = fabs(x->contribution), q = fabs(y->contribution);
  if (p != q)
    return p > q ? -1 : 1;
  return strcmp(x->label, y->label);
}

static bool value_of(const struct question *x, struct stats_ratio r, double *out)
{
  if (!metric_is_rate(x->metric))
    r.denominator = 1;
  return metric_value(x->metric, r, out);
}

/* The whole move in units of the metric. */
static double move_of(const struct question *x)
{
  const Analytics__Aggregate__V1__MetricChange *c = x->result->change;
  return c->opt_before_case != 0 && c->opt_after_case != 0 ? c->after - c->before : 0;
}

static Part *part_message(const struct question *x, const char *axis, const char *label,
                          struct stats_ratio before, struct stats_ratio after, double contribution)
{
  double move = move_of(x);
  Part *p = ARENA_NEW(x->arena, Part);
  analytics__aggregate__v1__change_part__init(p);
  p->axis = borrow_text(axis);
  p->part = borrow_text(label);
  p->sessions_before = before.denominator;
  p->sessions = after.denominator;
  if (value_of(x, before, &p->before))
    p->opt_before_case = PART_HAS(OPT_BEFORE_BEFORE);
  if (value_of(x, after, &p->after))
    p->opt_after_case = PART_HAS(OPT_AFTER_AFTER);
  p->contribution = contribution;
  if (move != 0) {
    p->opt_explains_case = PART_HAS(OPT_EXPLAINS_EXPLAINS);
    p->explains = contribution / move;
  }
  if (!metric_is_rate(x->metric) && x->market > 0) {
    p->opt_beyond_case = PART_HAS(OPT_BEYOND_BEYOND_MARKET);
    p->beyond_market = (double)after.numerator - (double)before.numerator * x->market;
  }
  return p;
}

/* What each value adds to the move; the mix of a rate goes to *axis. */
static void contributions(const struct axis *a, const struct question *x, double *out, Axis *axis)
{
  const struct breakdown *b = &a->metric;
  AUTO_FREE struct stats_cell *cells = xcalloc(b->n + 1, sizeof(*cells));
  AUTO_FREE struct stats_gap_part *parts = xcalloc(b->n + 1, sizeof(*parts));
  struct stats_gap gap = {0, 0, 0};
  double scale = x->metric->scale;
  for (size_t v = 0; v < b->n; v++)
    cells[v] = (struct stats_cell){*breakdown_part(b, v, AFTER), *breakdown_part(b, v, BEFORE)};
  bool split = metric_is_rate(x->metric) && stats_kitagawa(cells, b->n, parts, &gap);
  for (size_t v = 0; v < b->n; v++)
    out[v] = split ? scale * (parts[v].mix_centred + parts[v].rate)
             : metric_is_rate(x->metric)
                 ? 0
                 : (double)(cells[v].own.numerator - cells[v].peers.numerator);
  axis->mix = scale * gap.mix;
  axis->within = scale * gap.rate;
}

static void add_parts(const struct axis *a, const struct question *x, const double *contribution)
{
  const struct breakdown *b = &a->metric;
  AUTO_FREE struct ranked *list = xcalloc(b->n + 1, sizeof(*list));
  struct stats_ratio before = {0, 0}, after = {0, 0};
  size_t n = 0;
  double rest = 0;
  for (size_t v = 0; v + 1 < b->n; v++)
    list[n++] = (struct ranked){v, contribution[v], b->values[v]->label};
  qsort(list, n, sizeof(*list), largest_first);
  list[n] = (struct ranked){b->n - 1, contribution[b->n - 1], breakdown_other};
  for (size_t k = 0; k < n && k < PARTS_SHOWN; k++)
    x->result->parts[x->result->n_parts++] =
        part_message(x, a->name, list[k].label, *breakdown_part(b, list[k].place, BEFORE),
                     *breakdown_part(b, list[k].place, AFTER), list[k].contribution);
  for (size_t k = n < PARTS_SHOWN ? n : PARTS_SHOWN; k <= n; k++) {
    struct stats_ratio p = *breakdown_part(b, list[k].place, BEFORE);
    struct stats_ratio r = *breakdown_part(b, list[k].place, AFTER);
    before =
        (struct stats_ratio){before.numerator + p.numerator, before.denominator + p.denominator};
    after = (struct stats_ratio){after.numerator + r.numerator, after.denominator + r.denominator};
    rest += list[k].contribution;
  }
  if (before.denominator + after.denominator + before.numerator + after.numerator > 0)
    x->result->parts[x->result->n_parts++] =
        part_message(x, a->name, breakdown_other, before, after, rest);
}

static void explain_axis(const struct question *x, size_t i)
{
  struct axis a = {.name = axes[i].name};
  Axis *message = ARENA_NEW(x->arena, Axis);
  analytics__aggregate__v1__change_axis__init(message);
  message->axis = borrow_text(a.name);
  propose(&a, x, axes[i].label);
  add_rows(&a, x, axes[i].label);
  double *contribution = ARENA_ARRAY(x->arena, double, a.metric.n + 1);
  contributions(&a, x, contribution, message);
  add_parts(&a, x, contribution);
  if (metric_is_rate(x->metric))
    x->result->axes[x->result->n_axes++] = message;
  breakdown_free(&a.metric);
}

void explain_axes(const struct explain_question *q, const struct explain_figures *f, Result *r,
                  struct arena *arena)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  int event = f->dealers[q->of.cohort->subject].lead_event;
  struct question x = {.q = q, .metric = m, .arena = arena, .result = r};
  if (q->of.cohort->members[q->of.cohort->subject].state != DEALER_OK ||
      (m->lead && event == LEAD_UNKNOWN))
    return;
  x.event = m->lead ? q->of.leads->names[event] : NULL;
  x.leads = metric_is_rate(m) &&
            (f->dealers[q->of.cohort->subject].effects & EFFECT_LEADS_BY_SESSION) != 0;
  if (r->change->opt_market_case != 0)
    x.market = 1 + r->change->market_percent / 100;
  r->axes = ARENA_ARRAY(arena, Axis *, ARRAY_LEN(axes));
  r->parts = ARENA_ARRAY(arena, Part *, ARRAY_LEN(axes) * (PARTS_SHOWN + 1));
  for (size_t i = 0; i < ARRAY_LEN(axes); i++)
    explain_axis(&x, i);
}
