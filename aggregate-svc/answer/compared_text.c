/* What to keep in mind about compared rows. */
#include <string.h>

#include "aggregate-svc/answer/compared.h"
#include "aggregate-svc/answer/rows_parts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

enum { NAME_BYTES = 100 };

static bool is_counted(const char *metric)
{
  const struct ga4_rate *rate = ga4_rate_find(metric);
  return rate != NULL ? rate->above != GA4_AMOUNT : additive_counts(metric);
}

static bool is_shown(const Result *r, const char *metric)
{
  for (size_t i = 0; i < r->n_compared; i++)
    if (strcmp(r->compared[i]->metric, metric) == 0)
      return true;
  return false;
}

static void add_uncounted(struct caveats *c, const struct across_question *q, const Result *r)
{
  AUTO_BUF struct buf names = BUF_INIT(4096);
  size_t n = 0;
  for (size_t k = 0; k < q->n_asked; k++)
    if (!is_counted(q->metrics[k]) && is_shown(r, q->metrics[k])) {
      buf_puts(&names, n++ > 0 ? ", " : "");
      text_put_clipped(&names, q->metrics[k], NAME_BYTES);
    }
  if (n > 0)
    caveats_add(
        c,
        "No interval and no verdict for %s: Google does not say how such values vary. Infer "
        "no difference from them.",
        buf_str(&names));
}

static bool has_count(const struct across_question *q)
{
  for (size_t k = 0; k < q->n_asked; k++)
    if (additive_counts(q->metrics[k]))
      return true;
  return false;
}

void compared_caveats(struct caveats *c, const struct across_question *q, const Result *r)
{
  size_t rows = r->n_compared;
  for (size_t i = 1; i < r->n_compared; i++) /* a row has one message per metric */
    rows -= strcmp(r->compared[i]->metric, r->compared[0]->metric) != 0;
  add_uncounted(c, q, r);
  if (rows < (size_t)r->compared_row_count)
    caveats_add(c, "Only %zu of %d rows are shown, the largest ones; all were tested.", rows,
                r->compared_row_count);
  if (q->before != NULL && has_count(q) && !compared_same_weekdays(q))
    caveats_add(c, "The periods hold different weekdays, so counts have no verdict: compare whole "
                   "weeks.");
  if (q->before != NULL && has_count(q))
    caveats_add(c, "Changes of counts are per day.");
  if (q->before == NULL && has_count(q) && q->n_dimensions > 0)
    caveats_add(c, "The index of a count compares shares: the part of the dealer's rows that is in "
                   "this one.");
}
