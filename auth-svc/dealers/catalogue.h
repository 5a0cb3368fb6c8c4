/* The catalogue of cohorts: every region, and the named groups of dealers.json.
 *
 * Cohorts come from configuration and never from a query. Two that overlap could be
 * subtracted from each other, so the loader refuses a catalogue in which the difference of
 * two would isolate dealers (facts/domain.md §4.3 rule 3). Part of the directory: immutable,
 * thread-safe. */
#ifndef AMCP_AUTH_CATALOGUE_H
#define AMCP_AUTH_CATALOGUE_H

#include "auth-svc/dealers/directory.h"

enum {
  CATALOGUE_MAX = 200,            /* cohorts written in the file */
  CATALOGUE_MIN_CONTRIBUTORS = 5, /* of a difference, as of a release */
  CATALOGUE_MIN_OWNERS = 3,
};

/* Whether a set of dealers is large enough to stand for itself: enough dealers of enough
 * owners. A dealer without owner counts as an owner of its own. */
bool catalogue_is_crowd(const struct directory *d, const uint16_t *members, size_t n);

/* Owners of a set of dealers, counted so. */
size_t catalogue_owners(const struct directory *d, const uint16_t *members, size_t n);

/* Whether figures of a cohort may be released to callers that do not see all of it: without
 * the smallest set a caller can see, one dealer, it may still be a crowd. */
bool catalogue_is_benchmark(const struct directory *d, const struct catalogued *c);

/* Whether both cohorts together disclose too few dealers: they overlap, both are released
 * across owners, and a difference is neither empty nor a crowd. Cohorts without a common
 * dealer, or too small to be released at all, subtract nothing from each other. */
bool catalogue_conflict(const struct directory *d, const struct catalogued *a,
                        const struct catalogued *b);

/* The cohort of an id; "west" or "WEST". NULL when there is none. */
const struct catalogued *catalogue_find(const struct directory *d, const char *id, size_t len);
/* Whether the dealer is a member. */
bool catalogue_has(const struct catalogued *c, const struct dealer *dealer);
/* The cohort that is a region. */
const struct catalogued *catalogue_region(const struct directory *d, size_t region);
/* A region's id where none is configured: "North West" becomes "north-west". */
char *catalogue_slug(struct arena *arena, const char *name);

#endif
