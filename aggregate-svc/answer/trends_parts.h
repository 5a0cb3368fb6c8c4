/* What the files of compare_trends share. Inside the room. */
#ifndef AMCP_AGGREGATE_TRENDS_PARTS_H
#define AMCP_AGGREGATE_TRENDS_PARTS_H

#include "aggregate-svc/answer/trends.h"
#include "aggregate-svc/verdict/change.h"

static inline size_t trends_subject(const struct trends *t)
{
  return (size_t)t->of.figures.cohort->subject;
}

static inline struct metric_group trends_group(const struct trends *t)
{
  return group_of(&t->of.figures, t->metric, trends_subject(t));
}

/* A member's parts on some days; a count is one per day. False without data. */
bool trends_parts(const struct trends *t, const struct trend_span *s, size_t member,
                  struct stats_ratio *out);

/* Adds the change from a block to the end of the series, unless the block is empty; its two cells
 * are to be judged with the others of the answer. phi: over-dispersion of the metric. */
void trends_change(const struct trends *t, const char *against, const struct trend_block *before,
                   double phi, struct change_cell cells[2],
                   Analytics__Aggregate__V1__CompareTrendsResult *r, struct arena *arena);

#endif
