/* The headline of a scorecard: what to look at first. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/answer/scorecard.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__BenchmarkDealerResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__ScorecardMetric Row;

enum { HEADLINE_BYTES = 2000, NAME_BYTES = 200 };

static const Row *row_named(const Result *r, const char *metric)
{
  for (size_t i = 0; i < r->n_metrics; i++)
    if (strcmp(r->metrics[i]->metric, metric) == 0)
      return r->metrics[i];
  return NULL;
}

static enum metric_id metric_named(const char *metric)
{
  size_t m = 0;
  while (m < METRIC_COUNT - 1 && strcmp(dealer_metrics[m].name, metric) != 0)
    m++;
  return (enum metric_id)m;
}

/* ", some 12 leads lost if leads follow it" */
static void put_effect(struct buf *b, const Row *x)
{
  if (x->opt_leads_effect_case == 0)
    return;
  buf_puts(b, ", some ");
  text_put_count(b, llround(fabs(x->leads_effect)));
  buf_printf(b, " lead%s %s if leads follow it", text_s((size_t)llround(fabs(x->leads_effect))),
             x->leads_effect < 0 ? "lost" : "gained");
}

/* "; also better: shopper rate" of the other verdicts. */
static void put_others(struct buf *b, const Result *r, Analytics__Aggregate__V1__Standing standing,
                       const char *words)
{
  size_t n = 0, done = 0;
  for (size_t pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < r->n_metrics; i++) {
      const Row *x = r->metrics[i];
      if (x->standing != standing || strcmp(x->metric, r->look_first) == 0)
        continue;
      if (pass == 0) {
        n++;
        continue;
      }
      if (done == 0)
        buf_printf(b, "; also %s: ", words);
      text_put_separator(b, done++, n);
      buf_puts(b, dealer_metrics[metric_named(x->metric)].words);
    }
}

static void put_first(struct buf *b, const Result *r, MetricIndex *const *indices)
{
  enum metric_id id = metric_named(r->look_first);
  buf_puts(b, ": look first at ");
  index_put_metric(b, &dealer_metrics[id], indices[id]);
  put_effect(b, row_named(r, r->look_first));
  put_others(b, r, ANALYTICS__AGGREGATE__V1__STANDING__WORSE, "worse");
  put_others(b, r, ANALYTICS__AGGREGATE__V1__STANDING__BETTER, "better");
}

/* No verdict: leads and shopping as they are. */
static void put_unclear(struct buf *b, const Result *r, MetricIndex *const *indices)
{
  static const enum metric_id named[] = {METRIC_SHOPPER_RATE, METRIC_LEADS_PER_100_SESSIONS};
  buf_puts(b, r->cells_tested > 0 ? ": no difference is clear" : ": nothing can be judged");
  for (size_t i = 0; i < ARRAY_LEN(named); i++) {
    buf_puts(b, "; ");
    index_put_metric(b, &dealer_metrics[named[i]], indices[named[i]]);
  }
}

static void put_no_sessions(struct buf *b, const struct cohort_member *subject)
{
  char day[16];
  clock_format_date(subject->first_day, day, sizeof(day));
  buf_puts(b, ": no sessions, so there is nothing to compare");
  if (subject->first_day > 0)
    buf_printf(b, "; its data begins on %s", day);
}

char *scorecard_headline(const struct scorecard *s, const Result *r, MetricIndex *const *indices,
                         const struct resolved_period *period, struct arena *arena)
{
  const struct cohort *cohort = s->of.figures.cohort;
  const struct dealer_figures *f = &s->of.figures.dealers[cohort->subject];
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  text_put_clipped(&b, r->name, NAME_BYTES);
  if (!f->ok)
    buf_printf(&b, " could not be read (%s), so it is not compared with ",
               cohort->members[cohort->subject].reason);
  else
    buf_puts(&b, " against the other dealers of ");
  answer_put_scope(&b, r->cohort, r->coverage, r->period);
  if (f->ok && period->days.first > period->days.today)
    buf_puts(&b, ": the period has not begun, so there is nothing to compare");
  else if (f->ok && f->now.sessions == 0)
    put_no_sessions(&b, &cohort->members[cohort->subject]);
  else if (f->ok && r->look_first[0] != '\0')
    put_first(&b, r, indices);
  else if (f->ok)
    put_unclear(&b, r, indices);
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}
