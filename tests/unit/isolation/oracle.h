/* The disclosure policy once more, written from facts/domain.md §4.3 (rules 1, 2, 7, 8, 9)
 * and from nothing of aggregate-svc, to judge its answers. */
#ifndef AMCP_TESTS_ISOLATION_ORACLE_H
#define AMCP_TESTS_ISOLATION_ORACLE_H

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "tests/unit/isolation/plan.h"

struct oracle_stats {
  size_t released, withheld, open; /* indices of visible dealers, by what became of them */
};

/* Violations in an answer over these members (by shop) for a caller with this view; each is
 * printed. */
size_t oracle_judge(const struct plan *p, const struct view *v, const bool members[PLAN_SHOPS],
                    const Analytics__Aggregate__V1__CompareDealerSessionsResult *r,
                    struct oracle_stats *stats);

#endif
