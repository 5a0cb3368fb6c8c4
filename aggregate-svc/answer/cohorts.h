/* The sizes of cohorts over dealers. Inside the room.
 *
 * cohortTotalUsers stands in each row of a cohort, however many of its people came. A dealer none
 * of whose people came in a step has no row there, but its cohort is as large as before: what is
 * below the line of a pooled retention. So the sizes are asked for by themselves, of the step of
 * the first visit and without filters, and put into the pooled rows. */
#ifndef AMCP_AGGREGATE_ANSWER_COHORTS_H
#define AMCP_AGGREGATE_ANSWER_COHORTS_H

#include "aggregate-svc/answer/rows.h"
#include "aggregate-svc/figures/pool.h"

/* Whether every row of every dealer in the figures has the size of its cohort in this metric. */
bool across_cohorts_agree(const struct across_question *q, size_t metric);
/* Sets a pooled column: in each row the sizes of its cohort at all dealers of its part. */
void across_cohorts_put(const struct across_question *q, struct across_pool *p, size_t column,
                        const struct pool_part *parts, size_t n_parts);

#endif
