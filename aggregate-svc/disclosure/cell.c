/* A metric over a cohort as a question to the policy. */
#include "aggregate-svc/disclosure/cell.h"

#include <stdlib.h>

#include "common/base/mem.h"

/* Which part of a share is asked about. */
enum side { SIDE_ITSELF, SIDE_REST };

static enum disclosure_code ask(const struct disclosure_policy *policy,
                                const struct cohort_figures *c, struct metric_group g,
                                enum disclosure_form form, long left_out, enum side side)
{
  const struct cohort *cohort = c->cohort;
  const struct dealer_metric *metric = &dealer_metrics[g.metric];
  AUTO_FREE struct disclosure_member *members = xcalloc(cohort->n + 1, sizeof(*members));
  for (size_t i = 0; i < cohort->n; i++) {
    struct stats_ratio parts = metric_parts(metric, &c->dealers[i]);
    if (side == SIDE_REST)
      parts.numerator = parts.denominator - parts.numerator;
    members[i].visible = cohort->members[i].visible;
    members[i].contributes = group_has(c, g, i);
    members[i].owner = cohort->members[i].owner;
    members[i].denominator = metric_is_rate(metric) ? parts.denominator : parts.numerator;
    members[i].numerator = parts.numerator;
  }
  struct disclosure_question q = {form, members, cohort->n, metric_is_rate(metric), left_out};
  return disclosure_allowed(policy, &q);
}

enum disclosure_code disclosure_cell(const struct disclosure_policy *policy,
                                     const struct cohort_figures *c, struct metric_group g,
                                     enum disclosure_form form, long left_out)
{
  enum disclosure_code code = ask(policy, c, g, form, left_out, SIDE_ITSELF);
  bool share = dealer_metrics[g.metric].unit == UNIT_SHARE;
  return code == DISCLOSURE_RESTRICTED && share ? ask(policy, c, g, form, left_out, SIDE_REST)
                                                : code;
}
