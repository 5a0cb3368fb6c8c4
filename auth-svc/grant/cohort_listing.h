/* ListCohorts over the catalogue. Pure. */
#ifndef AMCP_AUTH_COHORT_LISTING_H
#define AMCP_AUTH_COHORT_LISTING_H

#include "auth-svc/grant/peers.h"
#include "auth-svc/grant/scope.h"

/* Fills the response in the arena: the cohorts the caller may know of, with how many dealers a
 * comparison within each would cover for it. Never a name of a dealer. */
enum err_code cohort_listing_make(Analytics__Auth__V1__ListCohortsResponse **out,
                                  const struct scope *scope, const struct peers *peers,
                                  const Analytics__Auth__V1__ListCohortsRequest *request,
                                  struct arena *arena, struct err *e);

#endif
