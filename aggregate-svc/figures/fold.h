/* Folds the columns of a comparison into running sums per dealer, chunk by chunk.
 *
 * Memory grows with the dealers and lead events, not with the rows. Not thread-safe: the
 * caller's lock covers it. */
#ifndef AMCP_AGGREGATE_COMPARE_FOLD_H
#define AMCP_AGGREGATE_COMPARE_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/error.h"

/* The two reports of a comparison. */
enum { COMPARE_QUERY_SESSIONS = 1, COMPARE_QUERY_LEADS = 2, COMPARE_QUERIES = 2 };

struct compare_sums {
  int64_t sessions;
  int64_t engaged_sessions;
  int64_t *events;     /* counts in the order of the lead events; NULL until a row came */
  int16_t *dictionary; /* lead event of each dictionary entry, LEAD_UNKNOWN for others */
  size_t dictionary_len, dictionary_cap;
};

struct compare_fold {
  const struct lead_events *leads;
  struct compare_sums *sums;  /* per member */
  struct dealer_notes *notes; /* per member */
  size_t n;
};

/* leads must outlive the fold. */
void compare_fold_init(struct compare_fold *f, const struct lead_events *leads, size_t n_members);
void compare_fold_free(struct compare_fold *f);
/* Adds a chunk. An error means that this dealer's data cannot be used: drop the dealer. */
enum err_code compare_fold_chunk(struct compare_fold *f, size_t member,
                                 const Analytics__Report__V1__ColumnChunk *chunk, struct err *e);
void compare_fold_query_done(struct compare_fold *f, size_t member,
                             const Analytics__Report__V1__QueryDone *done);
/* Forgets all that a dealer sent: it failed, or it is asked again. */
void compare_fold_drop(struct compare_fold *f, size_t member);

/* Counts of the lead events of a member, zeros when no row came. */
const int64_t *compare_fold_events(struct compare_fold *f, size_t member);

#endif
