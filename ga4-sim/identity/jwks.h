/* A set of signing keys for tests of bearer tokens that are not Google's: RS256, ES256 and
 * EdDSA, rotated on request. */
#ifndef GA4_SIM_JWKS_H
#define GA4_SIM_JWKS_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "ga4-sim/identity/keyring.h"

struct jwks;

/* The keyring outlives the result. */
struct jwks *jwks_new(struct keyring *keys);
void jwks_free(struct jwks *j);
/* {"keys":[...]}: the current generation, and the one before while it is kept. */
cJSON *jwks_render(struct jwks *j);
/* New keys. keep_old: the keys so far stay in the set until the next rotation. */
void jwks_rotate(struct jwks *j, bool keep_old);
/* POST /sim/mint-jwt: {"claims", "alg": RS256 | ES256 | EdDSA | HS256, "key": "current" |
 * "previous" | "foreign", "kid"?, "secret"? (HS256)}. A foreign key is in no set, under the
 * kid of the current one. */
enum err_code jwks_mint(struct jwks *j, const cJSON *body, struct buf *out, struct err *e);

#endif
