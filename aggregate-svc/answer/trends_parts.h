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

/* Whether a member's days of a span may be measured by others', or against another's. */
static inline bool trends_usable(const struct trends *t, const struct trend_span *s, size_t member)
{
  return metric_is_usable(&dealer_metrics[t->metric], &s->figures.dealers[member]);
}
static inline bool trends_has_change(const struct trends *t, const struct trend_span *s,
                                     size_t member)
{
  return metric_has_change(&dealer_metrics[t->metric], &s->figures.dealers[member]);
}

/* Adds the change from a block to the end of the series, unless the block is empty; its two cells
 * are to be judged with the others of the answer. phi: over-dispersion of the metric. */
void trends_change(const struct trends *t, const char *against, const struct trend_block *before,
                   double phi, struct change_cell cells[2],
                   Analytics__Aggregate__V1__CompareTrendsResult *r, struct arena *arena);

#endif
