/* ListDealers over the dealers a caller may see. Pure. */
#ifndef AMCP_AUTH_LISTING_H
#define AMCP_AUTH_LISTING_H

#include "auth-svc/grant/scope.h"

enum { LISTING_DEFAULT = 100, LISTING_MAX = 500 };

/* Fills the response in the arena: dealers that hold the query, then those that its words fit
 * (search.h), in order of their ids within each; the closest names, with a note, when none does. A
 * region or group that no visible dealer is in is NOT_FOUND with the closest; limit and offset out
 * of range are INVALID_ARGUMENT. */
enum err_code listing_make(Analytics__Auth__V1__ListDealersResponse **out,
                           const struct scope *scope,
                           const Analytics__Auth__V1__ListDealersRequest *request,
                           struct arena *arena, struct err *e);

#endif
