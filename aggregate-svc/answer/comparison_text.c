/* The headline and the caveats of a comparison. */
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/answer/message_caveats.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__DealerIndex DealerIndex;

enum { HEADLINE_BYTES = 2000, HEADLINE_NAME_BYTES = 200 };

/* -------------------------------------------------------------------- headline */

/* The metrics of a headline. */
static const enum metric_id headline_metrics[] = {METRIC_ENGAGEMENT_RATE,
                                                  METRIC_LEADS_PER_100_SESSIONS};

/* "; sessions -17 % against the period before, the others -25 %" */
static void put_change(struct buf *b, const MetricIndex *x, const struct resolved_period *period)
{
  if (x->opt_change_percent_case == 0 || period->days.last > period->days.today)
    return; /* days to come must not look like one */
  buf_puts(b, "; sessions ");
  text_put_signed(b, x->change_percent);
  buf_puts(b, " % against the period before");
  if (x->opt_others_change_percent_case == 0)
    return;
  buf_puts(b, ", the others ");
  text_put_signed(b, x->others_change_percent);
  buf_puts(b, " %");
}

static void put_subject(struct buf *b, const struct comparison *c, const Result *r,
                        const struct resolved_period *period)
{
  const struct cohort_member *m = &c->of.figures.cohort->members[c->of.figures.cohort->subject];
  const DealerIndex *index = comparison_index_of_subject(c, r);
  text_put_clipped(b, m->name, HEADLINE_NAME_BYTES);
  if (index == NULL) {
    buf_printf(b, " could not be read (%s), so it is not compared with ", m->reason);
    answer_put_scope(b, r->cohort, r->coverage, r->period);
    return;
  }
  buf_puts(b, " against the other dealers of ");
  answer_put_scope(b, r->cohort, r->coverage, r->period);
  if (c->of.figures.dealers[c->of.figures.cohort->subject].now.sessions == 0) {
    buf_puts(b, ": no sessions, so there is nothing to compare");
    return;
  }
  for (size_t i = 0; i < ARRAY_LEN(headline_metrics); i++) {
    enum metric_id id = headline_metrics[i];
    buf_puts(b, i == 0 ? ": " : "; ");
    index_put_metric(b, &dealer_metrics[id], index->metrics[id]);
  }
  put_change(b, index->metrics[METRIC_SESSIONS], period);
}

static void put_region(struct buf *b, const Result *r)
{
  bool any = false;
  answer_put_scope(b, r->cohort, r->coverage, r->period);
  if (r->regional_average->opt_sessions_case != 0) {
    buf_puts(b, ": ");
    text_put_count(b, r->regional_average->sessions);
    buf_puts(b, " sessions");
    any = true;
  }
  for (size_t i = 0; i < ARRAY_LEN(headline_metrics); i++) {
    const struct dealer_metric *m = &dealer_metrics[headline_metrics[i]];
    const MetricAverage *a = r->regional_average->metrics[headline_metrics[i]];
    if (a->opt_pooled_case == 0)
      continue;
    buf_printf(b, "%s%s ", any ? "; " : ": ", m->words);
    index_put_value(b, m, a->pooled);
    any = true;
  }
  if (!any)
    buf_puts(b, ": figures of the dealers may not be shown");
}

static void put_future(struct buf *b, const Result *r)
{
  answer_put_scope(b, r->cohort, r->coverage, r->period);
  buf_puts(b, ": the period has not begun, so there is nothing to compare");
}

static bool has_any_sessions(const struct comparison *c)
{
  for (size_t i = 0; i < c->of.figures.cohort->n; i++)
    if (c->of.figures.dealers[i].ok && c->of.figures.dealers[i].now.sessions > 0)
      return true;
  return false;
}

static void put_no_data(struct buf *b, const struct cohort *cohort, const Result *r)
{
  char day[16];
  int64_t first = cohort_first_day(cohort);
  answer_put_scope(b, r->cohort, r->coverage, r->period);
  buf_puts(b, ": no dealer has a session in the period, so there is nothing to compare; it ");
  clock_format_date(first, day, sizeof(day));
  if (first > 0)
    buf_printf(b, "lies before the first data, of %s", day);
  else
    buf_puts(b, "may lie before their first data");
}

char *comparison_headline(const struct comparison *c, const Result *r,
                          const struct resolved_period *period, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  if (period->days.first > period->days.today)
    put_future(&b, r);
  else if (!has_any_sessions(c))
    put_no_data(&b, c->of.figures.cohort, r);
  else if (c->of.figures.cohort->subject >= 0)
    put_subject(&b, c, r, period);
  else
    put_region(&b, r);
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

/* --------------------------------------------------------------------- caveats */

/* Where nothing is clear, a longer period may be. */
static void add_power(struct caveats *out, const struct comparison *c, const Result *r)
{
  enum { LONG_DAYS = 91 };
  const DealerIndex *x = comparison_index_of_subject(c, r);
  bool wants = false;
  if (x == NULL || r->period->days >= LONG_DAYS || dealer_is_alone(c->of.figures.cohort) ||
      c->of.figures.dealers[c->of.figures.cohort->subject].now.sessions == 0)
    return;
  for (size_t m = 0; m < x->n_metrics; m++) {
    if (x->metrics[m]->standing == ANALYTICS__AGGREGATE__V1__STANDING__BETTER ||
        x->metrics[m]->standing == ANALYTICS__AGGREGATE__V1__STANDING__WORSE)
      return;
    wants = wants || index_wants_days(x->metrics[m]->standing, x->metrics[m]->suppressed);
  }
  if (wants)
    caveats_add(out, "%s", index_days_text);
}

void comparison_caveats(const struct comparison *c, Result *r, const struct resolved_period *period,
                        struct arena *arena)
{
  struct caveats out = {.arena = arena};
  dealer_caveats(&out, &c->of);
  message_caveats(&out, &c->of.figures);
  add_power(&out, c, r);
  if (c->of.figures.cohort->subject >= 0)
    caveats_add(&out, "benchmark_dealer gives this dealer's scorecard and what to look at first.");
  caveats_add_notes(&out, c->of.figures.cohort, c->notes);
  period_caveats(&out, c->period, r->period, period);
  r->caveats = out.items;
  r->n_caveats = out.n;
}
