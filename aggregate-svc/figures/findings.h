/* Sentences about suspect data of the dealers of an answer.
 *
 * Only dealers that the caller may see are named or counted: what is suspect at another dealer is
 * not disclosed in any form; it only leaves the figures that are released. */
#ifndef AMCP_AGGREGATE_FINDINGS_H
#define AMCP_AGGREGATE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/suspect/suspect.h"

/* The findings of a member; NULL for none. */
typedef const struct suspect_findings *findings_of(const void *arg, size_t member);

/* One caveat per finding, the most harmful first: the subject's by itself, dealers with the same
 * words together. At most FINDINGS_SHOWN; the signs beyond are counted. */
enum { FINDINGS_SHOWN = 6 };
void findings_add_caveats(struct caveats *out, const struct cohort *cohort, findings_of *of,
                          const void *arg);

/* Adds to a coverage which visible dealers are in no pool (or in none of rates) and the sign that
 * says so, the most harmful one. */
void findings_add_left_out(Analytics__Report__V1__Coverage *coverage, const struct cohort *cohort,
                           findings_of *of, const void *arg, struct arena *arena);

#endif
