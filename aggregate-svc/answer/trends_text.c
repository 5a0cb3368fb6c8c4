/* The headline and the caveats of a trend. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/answer/trends.h"
#include "aggregate-svc/period/holiday.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareTrendsResult Result;
typedef Analytics__Aggregate__V1__TrendChange Change;

enum { HEADLINE_BYTES = 2000, NAME_BYTES = 200, HOLIDAYS_BYTES = 400, HOLIDAYS_MAX = 16 };

char *trends_holidays(struct iso_span days, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HOLIDAYS_BYTES);
  struct holiday list[HOLIDAYS_MAX];
  size_t n = holidays_within(days.first, days.last, list, HOLIDAYS_MAX);
  for (size_t i = 0; i < n; i++)
    buf_printf(&b, "%s%s", i > 0 ? ", " : "", list[i].name);
  return arena_strdup(arena, buf_str(&b));
}

/* -------------------------------------------------------------------- headline */

/* A verdict's name in a sentence: "no_clear_change" as "no clear change". */
static void put_word(struct buf *b, const char *name)
{
  for (; *name != '\0'; name++)
    buf_putc(b, *name == '_' ? ' ' : *name);
}

static void put_percent(struct buf *b, const char *before, double change)
{
  buf_puts(b, before);
  text_put_signed(b, change);
  buf_puts(b, " %");
}

/* "-16 % against the 4 weeks before (95 % -36 to +10 %: no clear change), the others -3 %, relative
 * to the market -13 % (no clear change)" */
static void put_change(struct buf *b, const struct trends *t, const Change *c)
{
  bool previous = strcmp(c->against, "previous") == 0;
  size_t n = t->after.n;
  if (c->opt_percent_case == 0)
    buf_puts(b, "no change is known");
  else
    put_percent(b, "", c->percent);
  buf_puts(b, " against the ");
  if (n > 1)
    buf_printf(b, "%zu ", n);
  buf_printf(b, "%s%s ", t->grain == GRAIN_WEEK ? "week" : "month", text_s(n));
  buf_puts(b, previous ? "before" : "a year before");
  if (c->opt_percent_case == 0)
    return;
  buf_puts(b, " (");
  if (c->opt_low_case != 0) {
    buf_puts(b, "95 % ");
    text_put_signed(b, c->low_percent);
    put_percent(b, " to ", c->high_percent);
    buf_puts(b, ": ");
  }
  put_word(b, c->verdict);
  buf_putc(b, ')');
  if (c->opt_market_case != 0)
    put_percent(b, ", the others ", c->market_percent);
  if (c->opt_relative_case == 0)
    return;
  put_percent(b, ", relative to the market ", c->relative_percent);
  buf_puts(b, " (");
  put_word(b, c->relative_verdict);
  buf_putc(b, ')');
}

static void put_figures(struct buf *b, const struct trends *t, const Result *r)
{
  const struct dealer_metric *m = &dealer_metrics[t->metric];
  buf_printf(b, ": %s", m->words);
  for (size_t i = 0; i < r->n_changes; i++) {
    buf_puts(b, i == 0 ? " " : "; ");
    put_change(b, t, r->changes[i]);
  }
  if (r->n_changes == 0)
    buf_puts(b, ": nothing before to compare with");
  if (r->trend == NULL)
    return;
  buf_printf(b, "; trend over %d weeks: ", r->trend->weeks);
  put_word(b, r->trend->verdict);
}

char *trends_headline(const struct trends *t, const Result *r, struct arena *arena)
{
  const struct cohort *cohort = t->of.figures.cohort;
  const struct dealer_figures *f = &t->of.figures.dealers[cohort->subject];
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  text_put_clipped(&b, r->name, NAME_BYTES);
  if (!f->ok)
    buf_printf(&b, " could not be read (%s), so it is not compared with ",
               cohort->members[cohort->subject].reason);
  else
    buf_puts(&b, " beside the other dealers of ");
  answer_put_scope(&b, r->cohort, r->coverage, r->period);
  if (f->ok && f->now.sessions == 0)
    buf_puts(&b, ": no sessions, so there is nothing to compare");
  else if (f->ok)
    put_figures(&b, t, r);
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

/* -------------------------------------------------------------------- caveats */

static bool is_among(const struct holiday *list, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i].name, name) == 0)
      return true;
  return false;
}

/* Holidays of one of two blocks that the other lacks. */
static size_t put_missing(struct buf *b, const struct holiday *in, size_t n,
                          const struct holiday *other, size_t n_other, size_t done)
{
  for (size_t i = 0; i < n; i++)
    if (!is_among(other, n_other, in[i].name))
      buf_printf(b, "%s%s", done++ > 0 ? ", " : "", in[i].name);
  return done;
}

static void add_holidays(struct caveats *out, const struct trends *t,
                         const struct trend_block *before, const char *against)
{
  struct holiday now[HOLIDAYS_MAX], then[HOLIDAYS_MAX];
  AUTO_BUF struct buf b = BUF_INIT(HOLIDAYS_BYTES);
  if (before->n == 0 || t->of.figures.dealers[t->of.figures.cohort->subject].now.sessions == 0)
    return;
  size_t n = holidays_within(t->after.all.days.first, t->after.all.days.last, now, HOLIDAYS_MAX);
  size_t k = holidays_within(before->all.days.first, before->all.days.last, then, HOLIDAYS_MAX);
  size_t done = put_missing(&b, now, n, then, k, 0);
  done = put_missing(&b, then, k, now, n, done);
  if (done > 0)
    caveats_add(out, "Of the change against %s, only one of the two periods has %s: %s.", against,
                done == 1 ? "this holiday" : "each of these holidays", buf_str(&b));
}

static void add_withheld(struct caveats *out, const Result *r)
{
  size_t withheld = 0;
  for (size_t i = 0; i < r->n_points; i++)
    withheld += r->points[i]->suppressed[0] != '\0';
  if (withheld > 0)
    caveats_add(out, "The benchmark is withheld for %zu of %zu %ss; `suppressed` says why.",
                withheld, r->n_points, r->grain);
}

/* Counts of others are never shown; that is said where they are explained. */
static void add_withheld_changes(struct caveats *out, const Result *r)
{
  const char *few = disclosure_code_name(DISCLOSURE_MIN_CONTRIBUTORS);
  for (size_t i = 0; i < r->n_changes; i++) {
    const Change *c = r->changes[i];
    if (c->suppressed[0] == '\0' ||
        strcmp(c->suppressed, disclosure_code_name(DISCLOSURE_PEER_COUNTS)) == 0)
      continue;
    caveats_add(out, "The market's change against %s is withheld (%s): %s%s%s.",
                strcmp(c->against, "previous") == 0 ? "the period before" : "the year before",
                c->suppressed, text_withheld(c->suppressed),
                strcmp(c->suppressed, few) == 0 ? " in each " : "",
                strcmp(c->suppressed, few) == 0 ? r->grain : "");
  }
}

void trends_caveats(const struct trends *t, Result *r, const struct resolved_period *period,
                    struct arena *arena)
{
  struct caveats out = {.arena = arena};
  dealer_caveats(&out, &t->of);
  add_withheld(&out, r);
  add_withheld_changes(&out, r);
  add_holidays(&out, t, &t->before, "the period before");
  add_holidays(&out, t, &t->year_before, "the year before");
  if (!metric_is_rate(&dealer_metrics[t->metric]))
    caveats_add(&out, "Sessions rise and fall with the weekday, which makes intervals of their "
                      "changes wide.");
  caveats_add_notes(&out, t->of.figures.cohort, t->notes);
  period_caveats(&out, t->period, r->period, period);
  r->caveats = out.items;
  r->n_caveats = out.n;
}
