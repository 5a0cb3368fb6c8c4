/* Judges the dealers of a cohort in all metrics at once. */
#ifndef AMCP_AGGREGATE_JUDGE_H
#define AMCP_AGGREGATE_JUDGE_H

#include <stdint.h>

#include "aggregate-svc/figures/group.h"
#include "aggregate-svc/verdict/verdict.h"

/* What a dealer is compared with. */
struct judge_others {
  struct stats_ratio pool;
  double phi;    /* over-dispersion; as given, that of the cohort's figures */
  bool withheld; /* there is no benchmark because it may not be disclosed */
};
/* Finds the others of a member, who is not in their pool; false when there is no benchmark. */
typedef bool judge_find_others(const void *arg, struct metric_group g, size_t member,
                               struct judge_others *out);

struct judge_question {
  const struct cohort_figures *figures;
  long only;                 /* the dealer that the request is about; -1: every visible dealer */
  judge_find_others *others; /* NULL: all other dealers of the figures */
  const void *others_arg;
  /* The metrics that the answer is about, a bit (1 << metric_id) each; 0: all. The others have no
   * cell: what an answer does not show is not among what it tests. */
  uint32_t metrics;
};
/* The bits of the metrics before one. */
#define JUDGE_METRICS_BEFORE(metric) ((uint32_t)((UINT32_C(1) << (metric)) - 1))
_Static_assert(METRIC_COUNT <= 32, "a metric is a bit of judge_question.metrics");

/* How far a dealer is from what is ordinary among dealers. */
enum judge_unusual { UNUSUAL_NO, UNUSUAL_WATCH, UNUSUAL_YES };

struct judgement {
  struct verdict_cell *cells;  /* members x METRIC_COUNT */
  enum judge_unusual *unusual; /* likewise */
  double phi[METRIC_COUNT];
  size_t tested; /* M */
};

/* Judges every visible dealer that answered, or only one: then the other dealers' cells have
 * figures but no verdict, so that the one's words do not depend on how much is shown beside it.
 * Released with judgement_free(). */
void judge(struct judgement *out, const struct judge_question *q);
void judgement_free(struct judgement *j);

static inline const struct verdict_cell *judgement_cell(const struct judgement *j, size_t member,
                                                        enum metric_id m)
{
  return &j->cells[member * METRIC_COUNT + (size_t)m];
}

#endif
