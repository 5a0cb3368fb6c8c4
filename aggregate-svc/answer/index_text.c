/* Values, indices and scopes in sentences; the message of a cohort. */
#include "aggregate-svc/answer/index_text.h"

#include <math.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__Cohort CohortMessage;

enum { NAME_BYTES = 200 };

void index_put_value(struct buf *b, const struct dealer_metric *m, double x)
{
  if (m->unit == UNIT_COUNT)
    text_put_count(b, llround(x));
  else if (m->unit == UNIT_SHARE)
    buf_printf(b, "%.1f %%", 100 * x);
  else
    buf_printf(b, "%.2f", x);
}

bool index_wants_days(Analytics__Aggregate__V1__Standing standing, const char *suppressed)
{
  if (standing == ANALYTICS__AGGREGATE__V1__STANDING__BENCHMARK_WITHHELD)
    return strcmp(suppressed, disclosure_code_name(DISCLOSURE_MIN_VOLUME)) == 0;
  return standing == ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE ||
         standing == ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA;
}

const char index_days_text[] =
    "No difference is clear with this much data; 13 weeks may show more.";

static const char *standing_words(const MetricIndex *x)
{
  switch (x->standing) {
  case ANALYTICS__AGGREGATE__V1__STANDING__BETTER:
    return "better";
  case ANALYTICS__AGGREGATE__V1__STANDING__WORSE:
    return "worse";
  case ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE:
    return "no clear difference";
  case ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA:
    return "not judged: its data is suspect";
  case ANALYTICS__AGGREGATE__V1__STANDING__BENCHMARK_WITHHELD:
    return "benchmark withheld";
  default:
    return "too little data to judge";
  }
}

/* " (index 110, 95 % interval 104 to 117, 4th of 22: better)" */
static void put_index(struct buf *b, const MetricIndex *x)
{
  buf_printf(b, " (index %.0f", x->index);
  if (x->opt_index_low_case != 0 && x->opt_index_high_case != 0)
    buf_printf(b, ", 95 %% interval %.0f to %.0f", x->index_low, x->index_high);
  if (x->opt_rank_case != 0)
    buf_printf(b, ", %d%s of %d", x->rank, text_ordinal(x->rank), x->of);
  buf_printf(b, ": %s)", standing_words(x));
}

void index_put_metric(struct buf *b, const struct dealer_metric *m, const MetricIndex *x)
{
  buf_printf(b, "%s ", m->words);
  if (x->opt_value_case == 0) {
    buf_puts(b, "not known");
    return;
  }
  index_put_value(b, m, x->value);
  if (x->suppressed[0] != '\0') {
    buf_printf(b, " (benchmark withheld: %s)", text_withheld(x->suppressed));
    return;
  }
  if (x->opt_benchmark_case == 0) {
    buf_puts(b, " (no other dealer to compare with)");
    return;
  }
  buf_puts(b, " against ");
  index_put_value(b, m, x->benchmark);
  if (x->opt_index_case != 0)
    put_index(b, x);
  else if (x->standing == ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA)
    buf_printf(b, " (%s)", standing_words(x));
}

void answer_put_scope(struct buf *b, const CohortMessage *cohort,
                      const Analytics__Report__V1__Coverage *coverage,
                      const Analytics__Aggregate__V1__Period *period)
{
  text_put_clipped(b, cohort->label, NAME_BYTES);
  buf_printf(b, " (%d of %d dealer%s), %s to %s", coverage->ok, coverage->asked,
             text_s((size_t)coverage->asked), period->start_date, period->end_date);
}

CohortMessage *answer_cohort(const struct cohort *c, struct arena *arena)
{
  CohortMessage *m = ARENA_NEW(arena, CohortMessage);
  analytics__aggregate__v1__cohort__init(m);
  m->id = borrow_text(c->id);
  m->label = borrow_text(c->label);
  m->dealers = (int32_t)c->n;
  m->undisclosed = (int32_t)c->outside;
  return m;
}
