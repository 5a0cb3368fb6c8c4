/* Headline and caveats of the explanation of a change. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/explain_parts.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__ExplainChangeResult Result;
typedef Analytics__Aggregate__V1__MetricChange Change;
typedef Analytics__Aggregate__V1__ChangePart Part;

enum { HEADLINE_BYTES = 1500, LABEL_BYTES = 60, HEADLINE_PARTS = 3 };

/* -------------------------------------------------------------------------- headline */

static const char *words_of(const char *verdict)
{
  if (strcmp(verdict, "no_clear_change") == 0)
    return "no clear change";
  if (strcmp(verdict, "suspect_data") == 0)
    return "not judged";
  if (strcmp(verdict, "benchmark_withheld") == 0)
    return "benchmark withheld";
  return strcmp(verdict, "too_little_data") == 0 ? "too little data for a word" : verdict;
}

/* "; the market -4 %" */
static void put_percent(struct buf *b, const char *before, double percent)
{
  buf_puts(b, before);
  text_put_signed(b, percent);
  buf_puts(b, " %");
}

static void put_move(struct buf *b, const struct dealer_metric *m, const Change *c)
{
  buf_printf(b, ": %s ", m->words);
  if (c->opt_before_case == 0 || c->opt_after_case == 0) {
    buf_puts(b, "is not known in both periods");
    return;
  }
  index_put_value(b, m, c->before);
  buf_puts(b, " to ");
  index_put_value(b, m, c->after);
  if (c->opt_change_case != 0) {
    put_percent(b, " (", c->change_percent);
    put_percent(b, ", 95 % interval ", c->low_percent);
    put_percent(b, " to ", c->high_percent);
    buf_putc(b, ')');
  }
  buf_printf(b, ": %s", words_of(c->verdict));
  if (c->opt_market_case == 0)
    return;
  put_percent(b, "; the market ", c->market_percent);
  if (c->opt_relative_case != 0) {
    put_percent(b, ", without which ", c->relative_percent);
    buf_printf(b, ": %s", words_of(c->against_market));
  }
}

static bool is_clear(const char *verdict)
{
  return strcmp(verdict, "rising") == 0 || strcmp(verdict, "falling") == 0;
}

/* The largest part of each axis that goes with the move. */
static void put_parts(struct buf *b, const Result *r)
{
  size_t shown = 0;
  const char *axis = "";
  for (size_t i = 0; i < r->n_parts && shown < HEADLINE_PARTS; i++) {
    const Part *p = r->parts[i];
    if (strcmp(p->axis, axis) == 0 || p->opt_explains_case == 0 || !(p->explains > 0))
      continue;
    axis = p->axis;
    buf_printf(b, "%s%s ", shown++ == 0 ? "; largest parts: " : ", ", p->axis);
    text_put_clipped(b, p->part, LABEL_BYTES);
    buf_printf(b, " (%.0f %% of it)", 100 * p->explains);
  }
}

static char *headline(const struct explain_question *q, const Result *r,
                      const struct subject_words *w, const struct dealer_figures *own,
                      struct arena *arena)
{
  bool suspect = !metric_has_change(&dealer_metrics[q->metric], own);
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  if (suspect)
    buf_puts(&b,
             "The data is suspect, so the move may be one of the measurement: see the caveats. ");
  subject_put_name(&b, &q->of, "nothing is explained");
  subject_put_scope(&b, &w->frame);
  bool read = subject_member(&q->of)->state == DEALER_OK;
  if (read && !subject_put_nothing(&b, w, own->now.sessions + own->before.sessions))
    put_move(&b, &dealer_metrics[q->metric], r->change);
  if (is_clear(r->change->verdict) || is_clear(r->change->against_market))
    put_parts(&b, r);
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

/* --------------------------------------------------------------------------- caveats */

/* Nothing calls for a reason where chance explains the move, or may. */
static void unclear_caveat(struct caveats *c, const Change *x)
{
  if (is_clear(x->verdict) || is_clear(x->against_market) || x->opt_change_case == 0)
    return;
  if (strcmp(x->verdict, "no_clear_change") == 0)
    caveats_add(c,
                "With this much data chance explains the move, or it is too small to matter: the "
                "parts add up to it, but nothing of them calls for a reason.");
  else if (strcmp(x->verdict, "too_little_data") == 0)
    caveats_add(c, "There is too little data to tell the move from chance: the parts add up to it, "
                   "but nothing of them calls for a reason.");
}

static void change_caveats(struct caveats *c, const struct explain_question *q, const Result *r)
{
  if (q->of.cohort->members[q->of.cohort->subject].state != DEALER_OK)
    return;
  unclear_caveat(c, r->change);
  if (q->left_out > 0)
    caveats_add(c,
                "%lld day%s at the end of the period %s not over and left out of it: days without "
                "all of their sessions would look like a fall.",
                (long long)q->left_out, text_s((size_t)q->left_out),
                q->left_out == 1 ? "is" : "are");
  if (r->n_parts > 0)
    caveats_add(c, "Each axis splits the same move: parts of different axes must not be added. "
                   "page_type and model are those of the page on which a session began.");
  dealer_caveats_names(c, &q->of.cohort->members[q->of.cohort->subject], 1);
  bool now =
      q->of.door->withheld == DISCLOSURE_RESTRICTED; /* only the earlier period is at fault */
  const char *code = r->change->suppressed;
  if (code[0] != '\0')
    caveats_add(c, "The market's change is withheld: %s.",
                now ? text_withheld_before(code) : text_withheld(code));
}

/* The lead events of all members, for the caveat about leads. */
static int *lead_events_of(const struct explain_question *q, const struct explain_figures *f,
                           struct arena *arena)
{
  int *events = ARENA_ARRAY(arena, int, q->of.cohort->n + 1);
  for (size_t i = 0; i < q->of.cohort->n; i++)
    events[i] = f->dealers[i].lead_event;
  return events;
}

void explain_words(const struct explain_question *q, const struct outside_view *shown,
                   const struct explain_figures *f, Result *r, struct arena *arena)
{
  const struct dealer_metric *m = &dealer_metrics[q->metric];
  struct subject_words w;
  subject_words_begin(&w, &q->of, shown, f->dealers, SUBJECT_FRAME(r), arena);
  dealer_caveats_alone(&w.caveats, &shown->cohort);
  change_caveats(&w.caveats, q, r);
  subject_words_end(&w, m->lead ? lead_events_of(q, f, arena) : NULL);
  r->headline = headline(q, r, &w, &f->dealers[q->of.cohort->subject], arena);
}
