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

/* Judges the dealers of an answer: only one, or with -1 each that the caller may see, in the
 * metrics given as for judge_question. Released with judgement_free(). */
void benchmarked_judge(struct judgement *out, const struct benchmarked *b, long only,
                       uint32_t metrics);

/* The index of one dealer in one metric. */
Analytics__Aggregate__V1__MetricIndex *index_message(const struct benchmarked *b,
                                                     const struct judgement *judgement,
                                                     enum metric_id m, size_t member,
                                                     struct arena *arena);
/* A verdict's word in an answer. */
Analytics__Aggregate__V1__Standing standing_message(enum verdict v);
/* One metric over the cohort. */
Analytics__Aggregate__V1__MetricAverage *
average_message(const struct benchmarked *b, struct metric_group g, struct arena *arena);

#endif
