/* Values, indices and scopes in the sentences of answers about dealers. */
#ifndef AMCP_AGGREGATE_INDEX_TEXT_H
#define AMCP_AGGREGATE_INDEX_TEXT_H

#include "aggregate-svc/answer/index.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/buf.h"

/* A value in the unit's usual form: "58.2 %", "1.95", "12,400". */
void index_put_value(struct buf *b, const struct dealer_metric *m, double x);
/* "engagement rate 58.2 % against 53.1 % (index 110, 95 % interval 104 to 117, 4th of 22: better)",
 * or why there is nothing to compare with. */
void index_put_metric(struct buf *b, const struct dealer_metric *m,
                      const Analytics__Aggregate__V1__MetricIndex *x);
/* Whether more days could bring a word: a difference is not clear, or there is too little data, and
 * no rule withholds the figures of the others but the one about volume. */
bool index_wants_days(Analytics__Aggregate__V1__Standing standing, const char *suppressed);
/* What is said then. */
extern const char index_days_text[];
/* "West (22 of 24 dealers), 2026-10-05 to 2026-11-01" */
void answer_put_scope(struct buf *b, const Analytics__Aggregate__V1__Cohort *cohort,
                      const Analytics__Report__V1__Coverage *coverage,
                      const Analytics__Aggregate__V1__Period *period);
/* Which dealers were compared; texts are the cohort's. */
Analytics__Aggregate__V1__Cohort *answer_cohort(const struct cohort *c, struct arena *arena);

#endif
