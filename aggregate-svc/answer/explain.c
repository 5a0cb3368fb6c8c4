/* Puts the explanation of a change together. */
#include "aggregate-svc/answer/explain.h"

#include "aggregate-svc/answer/change_form.h"
#include "aggregate-svc/answer/explain_parts.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__ExplainChangeResult Result;
typedef Analytics__Aggregate__V1__MetricChange Change;

#define CHANGE_HAS(field) ANALYTICS__AGGREGATE__V1__METRIC_CHANGE__##field

static void set_values(Change *m, const struct explain_question *q, const struct explain_figures *f)
{
  struct cohort_figures now = explain_cohort(q, f);
  AUTO_FREE struct dealer_figures *space = xcalloc(q->of.cohort->n + 1, sizeof(*space));
  struct cohort_figures then = group_before(&now, space);
  size_t subject = (size_t)q->of.cohort->subject;
  struct metric_group g = group_of(&now, q->metric, subject);
  if (group_value(&then, g, subject, &m->before))
    m->opt_before_case = CHANGE_HAS(OPT_BEFORE_BEFORE);
  if (group_value(&now, g, subject, &m->after))
    m->opt_after_case = CHANGE_HAS(OPT_AFTER_AFTER);
}

static void set_own(Change *m, const struct change_form *f)
{
  if (f->has_own) {
    m->opt_change_case = CHANGE_HAS(OPT_CHANGE_CHANGE_PERCENT);
    m->change_percent = f->own;
  }
  if (!f->has_own_interval)
    return;
  m->opt_low_case = CHANGE_HAS(OPT_LOW_LOW_PERCENT);
  m->low_percent = f->own_low;
  m->opt_high_case = CHANGE_HAS(OPT_HIGH_HIGH_PERCENT);
  m->high_percent = f->own_high;
}

static void set_market(Change *m, const struct change_form *f)
{
  if (f->has_market) {
    m->opt_market_case = CHANGE_HAS(OPT_MARKET_MARKET_PERCENT);
    m->market_percent = f->market;
  }
  if (!f->has_relative)
    return;
  m->opt_relative_case = CHANGE_HAS(OPT_RELATIVE_RELATIVE_PERCENT);
  m->relative_percent = f->relative;
  m->opt_relative_low_case = CHANGE_HAS(OPT_RELATIVE_LOW_RELATIVE_LOW_PERCENT);
  m->relative_low_percent = f->relative_low;
  m->opt_relative_high_case = CHANGE_HAS(OPT_RELATIVE_HIGH_RELATIVE_HIGH_PERCENT);
  m->relative_high_percent = f->relative_high;
}

static Change *change_message(const struct explain_question *q, const struct explain_figures *f,
                              struct arena *arena)
{
  enum disclosure_code code;
  struct change_cell cells[2];
  Change *m = ARENA_NEW(arena, Change);
  analytics__aggregate__v1__metric_change__init(m);
  struct change_row row = explain_row(q, f, arena, &code);
  verdict_compare_changes(&row, cells);
  verdict_judge_changes(cells, ARRAY_LEN(cells));
  struct change_form form = change_form_of(&row, q->of.cohort->outside > 0);
  set_values(m, q, f);
  set_own(m, &form);
  set_market(m, &form);
  m->verdict = borrow_text(verdict_change_name(cells[0].word));
  m->against_market = borrow_text(verdict_change_name(cells[1].word));
  m->suppressed = borrow_text(disclosure_code_name(code));
  return m;
}

static char *date_text(int64_t day, struct arena *arena)
{
  char text[16];
  clock_format_date(day, text, sizeof(text));
  return arena_strdup(arena, text);
}

Result *explain_change(const struct explain_question *q, struct arena *arena)
{
  struct explain_figures f;
  struct period_days before = period_resolve(q->before, q->of.now_unix_ms, 0);
  size_t subject = (size_t)q->of.cohort->subject;
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__explain_change_result__init(r);
  explain_figures_make(&f, q, arena);
  struct cohort_figures live = explain_cohort(q, &f);
  struct outside_view shown;
  outside_show(q->of.door, "ExplainChange", &live, q->of.notes, arena, &shown);
  r->dealer_id = borrow_text(q->of.cohort->members[subject].dealer_id);
  r->metric = borrow_text(dealer_metrics[q->metric].name);
  if (dealer_metrics[q->metric].lead && f.dealers[subject].lead_event != LEAD_UNKNOWN)
    r->lead_event = q->of.leads->names[f.dealers[subject].lead_event];
  r->before_start = date_text(before.first, arena);
  r->before_end = date_text(before.last, arena);
  r->change = change_message(q, &f, arena);
  explain_axes(q, &f, r, arena);
  explain_words(q, &shown, &f, r, arena);
  return r;
}
