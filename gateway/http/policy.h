/* Decisions on request headers: what the client accepts, where it may come from. */
#ifndef AMCP_GATEWAY_HTTP_POLICY_H
#define AMCP_GATEWAY_HTTP_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* Answer forms a client takes (RFC 9110, 12.5.1). Absent means both are fine to send, and
 * JSON is sent. A quality of 0 refuses a form. */
struct accept {
  bool json, sse;
};
struct accept accept_read(const char *value);

/* Whether a Content-Type value is application/json, whatever its parameters and case. */
bool content_type_is_json(const char *value);

/* The token of "Bearer <token>" (scheme in any case); NULL when the value has another form
 * or no token. Points into value. */
const char *bearer_token(const char *value);
/* Whether a token is a b64token (RFC 6750, 2.1), as every bearer auth-svc takes is. Repeated
 * Authorization headers, joined with a comma, are none: which of them counts would depend on
 * who looks. */
bool bearer_well_formed(const char *token);

/* Which browser origins may call, and which Host names this server answers to. Both exist
 * because a web page can make a browser send requests to a local address (DNS rebinding). */
struct origins;

/* allowed_origins: comma-separated scheme://host[:port]; NULL or empty allows this server's
 * own loopback origins on the port. allowed_hosts: comma-separated host[:port]; NULL or empty
 * allows loopback names when bound to loopback, and any otherwise. ERR_INVALID_ARGUMENT
 * with the malformed entry. */
enum err_code origins_new(struct origins **out, const char *allowed_origins,
                          const char *allowed_hosts, const char *bound_host, uint16_t port,
                          struct err *e);
/* For a listener that takes any free port: the port of the default origins, before anyone
 * can know it. */
void origins_set_port(struct origins *o, uint16_t port);
void origins_free(struct origins *o);
/* origin NULL (no browser) passes; "null" and unlisted ones do not. */
bool origin_allowed(const struct origins *o, const char *origin);
bool host_allowed(const struct origins *o, const char *host);

#endif
