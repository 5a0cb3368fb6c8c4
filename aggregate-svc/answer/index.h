/* A metric in an answer: the index of one dealer against the others, and the average of the
 * cohort, each in the form that the disclosure policy allows. */
#ifndef AMCP_AGGREGATE_INDEX_H
#define AMCP_AGGREGATE_INDEX_H

#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/figures/group.h"
#include "aggregate-svc/verdict/judge.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"

/* Figures, and the door for those of dealers outside the caller's view. */
struct benchmarked {
  struct cohort_figures figures;
  struct door *door;
};

/* Judges the dealers of an answer: only one, or with -1 each that the caller may see. Released
 * with judgement_free(). */
void benchmarked_judge(struct judgement *out, const struct benchmarked *b, long only);

/* The index of one dealer in one metric. */
Analytics__Aggregate__V1__MetricIndex *index_message(const struct benchmarked *b,
                                                     const struct judgement *judgement,
                                                     enum metric_id m, size_t member,
                                                     struct arena *arena);
/* A verdict's word in an answer. */
Analytics__Aggregate__V1__Standing standing_message(enum verdict v);
/* The others of a released rate in the form in which they are shown, so that a verdict adds nothing
 * to the pool that is: its rounded rate, and its events as rounded for intervals. `scale` is that
 * of the rate. False when nothing was released. */
bool released_others(const struct door_figure *f, double scale, struct judge_others *out);

/* One metric over the cohort. */
Analytics__Aggregate__V1__MetricAverage *
average_message(const struct benchmarked *b, struct metric_group g, struct arena *arena);

#endif
