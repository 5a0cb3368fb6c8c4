/* Where an issuer says its keys are: OpenID Connect Discovery 1.0, section 4, and RFC 8414,
 * section 3. Pure. */
#ifndef AMCP_AUTH_DISCOVERY_H
#define AMCP_AUTH_DISCOVERY_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"

enum { DISCOVERY_URL_MAX = 1024 };

/* Whether keys may be fetched from a URL: https, or http to a loopback address. Whoever can change
 * the answer on its way can sign tokens. */
bool discovery_url_is_safe(const char *url);
/* What is wrong with an issuer's name (static text); NULL when nothing is: it must be such a URL of
 * at most DISCOVERY_URL_MAX bytes without query and fragment. */
const char *discovery_issuer_problem(const char *issuer);

/* Appends the address of the metadata of an issuer without a problem:
 *   OpenID Connect   https://id.example/realms/a/.well-known/openid-configuration
 *   `oauth`          https://id.example/.well-known/oauth-authorization-server/realms/a */
void discovery_put_url(struct buf *out, const char *issuer, bool oauth);

/* Appends jwks_uri of the metadata. ERR_INVALID_ARGUMENT when it is not a JSON object, names
 * another issuer (which would vouch for this one with its own keys), or has no safe jwks_uri. */
enum err_code discovery_read(struct buf *jwks_uri, const char *issuer, const char *metadata,
                             size_t len, struct err *e);

#endif
