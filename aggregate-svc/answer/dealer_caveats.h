/* Caveats that all answers about a dealer beside others share. */
#ifndef AMCP_AGGREGATE_DEALER_CAVEATS_H
#define AMCP_AGGREGATE_DEALER_CAVEATS_H

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"

/* Adds sentences about dealers that are missing, benchmarks that are withheld, what counts as a
 * lead or as a shopper session, and dealers without sessions. */
void dealer_caveats(struct caveats *out, const struct benchmarked *b);

#endif
