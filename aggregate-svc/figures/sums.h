/* Folds sessions, engaged sessions and lead events into running sums per dealer.
 *
 * Memory grows with the dealers and lead events, not with the rows. Not thread-safe: the
 * caller's lock covers it. */
#ifndef AMCP_AGGREGATE_SUMS_H
#define AMCP_AGGREGATE_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/fold.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/error.h"

/* The two reports it reads. */
enum { SUMS_QUERY_SESSIONS = 1, SUMS_QUERY_LEADS = 2, SUMS_QUERIES = 2 };

struct dealer_sums {
  int64_t sessions;
  int64_t engaged_sessions;
  int64_t *events;     /* counts in the order of the lead events; NULL until a row came */
  int16_t *dictionary; /* lead event of each dictionary entry, LEAD_UNKNOWN for others */
  size_t dictionary_len, dictionary_cap;
};

struct sums_fold {
  const struct lead_events *leads;
  struct dealer_sums *sums;   /* per member */
  struct dealer_notes *notes; /* per member */
  size_t n;
};

/* leads must outlive the fold. */
void sums_fold_init(struct sums_fold *f, const struct lead_events *leads, size_t n_members);
void sums_fold_free(struct sums_fold *f);
/* Adds a chunk. An error means that this dealer's data cannot be used: drop the dealer. */
enum err_code sums_fold_chunk(struct sums_fold *f, size_t member,
                              const Analytics__Report__V1__ColumnChunk *chunk, struct err *e);
void sums_fold_query_done(struct sums_fold *f, size_t member,
                          const Analytics__Report__V1__QueryDone *done);
/* Forgets all that a dealer sent: it failed, or it is asked again. */
void sums_fold_drop(struct sums_fold *f, size_t member);

/* The same as a fold over a struct sums_fold. */
extern const struct fold sums_fold;

/* Counts of the lead events of a member, zeros when no row came. */
const int64_t *sums_fold_events(struct sums_fold *f, size_t member);

#endif
