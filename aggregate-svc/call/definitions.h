/* Which parameters of events each property of a call has registered as custom dimensions.
 *
 * A property answers reports over customEvent:item_model only when its owner registered the
 * parameter. report-svc reads that from the property's metadata; what it says is kept for a day,
 * for up to 4,096 dealers of the process. A dealer whose dimensions are configured is not asked by
 * a question about vehicles. */
#ifndef AMCP_AGGREGATE_DEFINITIONS_H
#define AMCP_AGGREGATE_DEFINITIONS_H

#include <stdint.h>

#include "aggregate-svc/call/lookup.h"
#include "aggregate-svc/cohort/cohort.h"
#include "common/base/table.h"

enum { DEFINITIONS_DEALERS = 4096 };

/* What each dealer has registered, by its id. table_free() ends it. */
void definitions_cache_init(struct table *cache);

/* What is kept of a dealer. False: nothing. Thread-safe. */
bool definitions_kept(struct table *cache, const char *dealer_id, unsigned *registered);

struct definitions_question {
  struct table *cache;
  struct cohort *cohort; /* `registered` of its members is filled in */
  /* Which dealers it is needed of, whatever is kept. NULL: those that are to be read by vehicle
   * parameters, and one that cannot be asked has failed, with the reason; else what cannot be asked
   * stays as it is. */
  bool (*needed)(const void *user, size_t member);
  const void *user;
};
/* Of the dealers of which nothing is kept. */
extern const struct lookup_kind definitions_lookup;

#endif
