/* A cohort made by hand: the dealers of West. */
#ifndef AMCP_TESTS_AGGREGATE_WEST_H
#define AMCP_TESTS_AGGREGATE_WEST_H

#include <stddef.h>

#include "aggregate-svc/cohort/cohort.h"

/* Reference, name and owner of a dealer. */
typedef char west_texts[3][32];

/* n dealers, d00 "Dealer 00" of "owner-00" and so on: all visible, all OK, of as many owners,
 * without settings of their own. The first one is the subject. `members` and `texts` have room for
 * n and live as long as the cohort. */
void west_make(struct cohort *c, struct cohort_member *members, west_texts *texts, size_t n);
/* Takes a dealer out of the caller's view. */
void west_hide(struct cohort_member *m);

#endif
