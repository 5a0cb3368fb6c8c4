/* Dealers for the tests of auth-svc: a snapshot made from JSON text. */
#ifndef AMCP_TESTS_AUTH_WORLD_H
#define AMCP_TESTS_AUTH_WORLD_H

#include "auth-svc/config/snapshot.h"
#include "auth-svc/token/tokens.h"

/* n dealers d01.. with accounts a01.., named "Dealer 01 <something>", spread over the regions
 * West, East and North in turn, three dealers to an owner, property 2000000 + index. Secrets
 * are "client-secret-NN" and "refresh-token-NN"; token_uri may be NULL. */
struct snapshot *world_new(size_t n, const char *token_uri);
/* Loads JSON that must be good. */
struct snapshot *world_parse(const char *json);
/* Accounts whose dealer must consent again, as /readyz shows them. */
size_t world_needing_consent(struct tokens *t);

#endif
