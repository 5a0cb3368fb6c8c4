/* Which dealers a comparison is over, and what the caller may see of each. Pure. */
#ifndef AMCP_AUTH_COHORT_H
#define AMCP_AUTH_COHORT_H

#include "auth-svc/grant/peers.h"
#include "auth-svc/grant/scope.h"

enum { COHORT_MAX_MEMBERS = 500 };

/* Fills the response (all but sealed_benchmark) and the grant to seal, in the arena.
 *   dealer_ids           these dealers, each inside the grant.
 *   region               all its dealers when the grant has it as benchmark or is for all,
 *                        else those inside the grant.
 *   cohort               the same for a cohort of the catalogue.
 *   none of these        the subject's region.
 *   no subject either    the grant's dealer, when it has exactly one.
 * The subject must be inside the grant and joins the cohort. Members outside the grant are
 * opaque: no id, name or property of theirs is in the response. */
enum err_code cohort_resolve(Analytics__Auth__V1__ResolveCohortResponse **out,
                             Analytics__Auth__V1__BenchmarkGrant **benchmark,
                             const struct scope *scope, const struct peers *peers,
                             const Analytics__Auth__V1__ResolveCohortRequest *request,
                             struct arena *arena, struct err *e);

/* The dealer as a message; its texts stay the directory's. */
Analytics__Auth__V1__Dealer *dealer_message(const struct dealer *d, struct arena *arena);

#endif
