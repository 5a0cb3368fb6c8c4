/* What both forms of a report over dealers share: which dealers' rows are put together, and which
 * metrics may be. Inside the room. */
#ifndef AMCP_AGGREGATE_ROWS_PARTS_H
#define AMCP_AGGREGATE_ROWS_PARTS_H

#include "aggregate-svc/answer/compared.h"
#include "aggregate-svc/answer/rows.h"
#include "aggregate-svc/figures/landing.h"
#include "aggregate-svc/figures/pool.h"
#include "aggregate-svc/period/message.h"

/* The parts of the dealers in the figures: all together ("" as label), or each dealer, region or
 * group. A dealer of several groups is in each of them. Returns how many; they live in the arena,
 * the labels in the cohort. */
size_t across_parts(const struct cohort *c, enum across_by by, struct pool_part **out,
                    struct arena *arena);

/* Whether a metric may be put together over dealers, and how. Users of cohorts are added: a person
 * counts at each website, which a caveat says. */
bool across_can_pool(const struct across_question *q, size_t metric, bool one_currency,
                     struct pooled_column *out);
/* Sorts the metrics into those of the answer's pool and those that may not be pooled. Returns how
 * many are pooled; columns[] gets theirs and has room for ACROSS_MAX_METRICS + 1. */
size_t across_choose_metrics(const struct across_question *q,
                             Analytics__Aggregate__V1__RunReportAcrossDealersResult *r,
                             struct pooled_column *columns, struct arena *arena);
/* Adds to the n columns those of metrics that rows are only ordered by and that may be pooled.
 * Returns how many there are then. */
size_t across_choose_ordering(const struct across_question *q, struct pooled_column *columns,
                              size_t n);
/* ERR_DATA_LOSS when a sum of finite values is not finite. */
enum err_code across_check_sums(const struct across_question *q, const struct across_pool *p,
                                const struct pooled_column *columns, struct err *e);
/* Keeps `limit` rows of each part of an order, from the one at `offset` on; returns how many are
 * left. *more: a part has further ones. */
size_t across_cut_parts(const struct across_pool *p, size_t offset, size_t limit, size_t *order,
                        bool *more);
/* What was asked for beside a dealer's rows, appended to the lists that
 * across_begin_beside() made: aggregates, and what is left of the quota. */
void across_add_beside(const struct across_question *q, size_t member,
                       Analytics__Aggregate__V1__RunReportAcrossDealersResult *r,
                       struct arena *arena);
/* Makes the lists. */
void across_begin_beside(const struct across_question *q,
                         Analytics__Aggregate__V1__RunReportAcrossDealersResult *r,
                         struct arena *arena);
/* Bytes that it takes as text. */
size_t across_beside_bytes(const struct across_question *q, size_t member);
/* The answer's caveats, once it has its rows, period and coverage. */
void across_caveats(const struct across_question *q,
                    Analytics__Aggregate__V1__RunReportAcrossDealersResult *r,
                    struct landing_rows landing, const struct compared *compared,
                    const struct resolved_period *period, struct arena *arena);
/* Texts of a row's dimensions. */
char **across_row_texts(const struct across_question *q, size_t member, size_t row,
                        struct arena *arena);

#endif
