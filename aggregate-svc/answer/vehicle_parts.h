/* Parts that the answers about vehicles share: sums per model, names, how the dealers were read. */
#ifndef AMCP_AGGREGATE_VEHICLE_PARTS_H
#define AMCP_AGGREGATE_VEHICLE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/models.h"
#include "aggregate-svc/period/message.h"
#include "aggregate-svc/period/period.h"
#include "common/base/arena.h"
#include "common/base/buf.h"

/* Below this part of matched views models are not ranked; below the other one a caveat says so. */
#define VEHICLE_MATCHED_MIN 0.80
#define VEHICLE_MATCHED_GOOD 0.95

/* What an answer about vehicles is made of. Only dealers that the caller may see. */
struct vehicle_question {
  const struct cohort *cohort;
  size_t not_visible; /* dealers of the region that take no part */
  const struct models_fold *fold;
  const struct lead_events *leads;
  const struct dealer_figures *dealers; /* per member, of models_find_signs() */
  const struct period *period;
  bool has_before; /* the second range holds the period before */
  int64_t now_unix_ms;
  size_t limit, offset; /* of the models shown */
};

/* "Ford F-150". */
char *vehicle_label(size_t model, struct arena *arena);
const char *vehicle_body(size_t model);

/* The event that counts as a dealer's lead: configured, or by the look-back; LEAD_UNKNOWN when none
 * does. */
int vehicle_lead_event(const struct vehicle_question *q, size_t member);

/* Whether a dealer is in the sums: it answered, and its traffic is not suspect, unless that of all
 * is: then the answer shows it all the same. */
bool vehicle_counts(const struct vehicle_question *q, size_t member);

/* Most first, equal ones by label. */
struct vehicle_rank {
  uint16_t model;
  int64_t amount;
  const char *label;
};
void vehicle_rank(struct vehicle_rank *list, size_t n);

/* Views of vehicle pages in the first range, and how many of them name a model. */
struct vehicle_matching {
  int64_t views, matched;
};
struct vehicle_matching vehicle_matching_of(const struct vehicle_question *q);
bool vehicle_rankable(struct vehicle_matching m);

/* Caveats about missing dealers, quality of data, days, and how vehicles were read. */
void vehicle_caveats(struct caveats *c, const struct vehicle_question *q,
                     struct vehicle_matching matching,
                     const Analytics__Aggregate__V1__Period *period,
                     const struct resolved_period *resolved);
/* Which events count as leads, when that is not one for all. */
void vehicle_lead_caveats(struct caveats *c, const struct vehicle_question *q);
/* "Only 62.1 % of 1,204 vehicle page views name a model of the catalogue ..." or that there are no
 * views: what stands in place of a ranking. */
void vehicle_put_refusal(struct buf *b, struct vehicle_matching matching,
                         const struct resolved_period *resolved);
/* ": 23 of 24 dealers, 2026-10-26 to 2026-11-22". */
void vehicle_put_scope(struct buf *b, const Analytics__Report__V1__Coverage *coverage,
                       const Analytics__Aggregate__V1__Period *period);

/* The coverage, with the dealers that are left out as suspect; none where all are, whose figures
 * are then shown. */
Analytics__Report__V1__Coverage *vehicle_coverage(const struct vehicle_question *q,
                                                  struct arena *arena);

#endif
