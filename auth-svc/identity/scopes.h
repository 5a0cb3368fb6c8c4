/* What a signed token may be used for. */
#ifndef AMCP_AUTH_SCOPES_H
#define AMCP_AUTH_SCOPES_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/arena.h"

enum { SCOPES_MAX = 100, SCOPE_MAX_BYTES = 256 };

/* Puts the scopes of a token's claims into its grant: of `scope` (RFC 9068, 2.2.3) and of `scp`, as
 * some issuers call it, each a text with blanks between scopes or an array of texts. A token with
 * neither claim knows no scopes, and is not limited by them. False when a claim has another form,
 * more than SCOPES_MAX or a longer scope, or the arena is full. */
bool scopes_read(Analytics__Auth__V1__Grant *grant, const cJSON *claims, struct arena *arena);

#endif
