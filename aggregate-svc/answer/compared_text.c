/* What to keep in mind about compared rows. */
#include <string.h>

#include "aggregate-svc/answer/compared.h"
#include "aggregate-svc/answer/rows_parts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"

enum { NAME_BYTES = 100 };

static bool is_counted(const char *metric)
{
  const struct ga4_rate *rate = ga4_rate_find(metric);
  return rate != NULL ? rate->above != GA4_AMOUNT : additive_counts(metric);
}

static void add_uncounted(struct caveats *out, const struct compared *c)
{
  AUTO_BUF struct buf names = BUF_INIT(4096);
  size_t n = 0;
  for (size_t k = 0; k < c->n_metrics && c->n > 0; k++) {
    const char *metric = c->q->metrics[c->metrics[k].column.metric];
    if (is_counted(metric))
      continue;
    buf_puts(&names, n++ > 0 ? ", " : "");
    text_put_clipped(&names, metric, NAME_BYTES);
  }
  if (n > 0)
    caveats_add(
        out,
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

static bool is_lost(const struct cohort *cohort, size_t member, const void *arg)
{
  (void)cohort;
  return ((const struct compared *)arg)->lost[member];
}

void compared_caveats(struct caveats *out, const struct compared *c)
{
  const struct across_question *q = c->q;
  static const char *const parts[] = {
      [ACROSS_BY_DEALER] = "dealer", [ACROSS_BY_REGION] = "region", [ACROSS_BY_GROUP] = "group"};
  add_uncounted(out, c);
  if (c->n < c->pool.n)
    caveats_add(out,
                "Only the largest rows of each %s are shown, %zu of %zu, as %s says; all were "
                "tested.",
                parts[q->by], c->n, c->pool.n,
                q->by == ACROSS_BY_DEALER ? "limit_per_dealer" : "pooled_limit");
  if (q->before != NULL && has_count(q) && !compared_same_weekdays(q))
    caveats_add(out,
                "The periods hold different weekdays, so counts have no verdict: compare whole "
                "weeks.");
  if (q->before != NULL && has_count(q) && !compared_is_over(q))
    caveats_add(out, "A period is not over, so counts have no verdict: compare days that are.");
  if (q->before != NULL && has_count(q) && cohort_count_if(q->cohort, is_lost, c) > 0)
    caveats_add(out,
                "Nothing was measured on 3 days or more of a period at %s (a site or tag that was "
                "off, or not yet there): changes of counts with such days have no verdict; "
                "check_data_health shows the days.",
                cohort_names(q->cohort, is_lost, c, out->arena));
  if (q->before != NULL && has_count(q))
    caveats_add(out, "Changes of counts are per day.");
  if (q->before == NULL && has_count(q) && q->n_dimensions > 0)
    caveats_add(out, "The index of a count compares shares: the part of the dealer's rows that is "
                     "in this one.");
}
