/* The gateway as an OAuth resource server: challenges (RFC 6750) and protected resource
 * metadata (RFC 9728). Without OAuth configured there is no metadata: clients take its
 * mere presence for "OAuth is required". */
#ifndef AMCP_GATEWAY_ACCESS_RESOURCE_H
#define AMCP_GATEWAY_ACCESS_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct resource;

struct resource_options {
  const char *url;          /* public URL of the endpoint */
  const char *auth_servers; /* comma-separated issuers */
  const char *scopes; /* that clients ask for, comma-separated; NULL or empty for none. One whose
                         last part (after "/" or ":") is "analytics.read" is needed for every tool,
                         one of "benchmarks.read" for tools that compare with other dealers */
};

/* Neither URL nor issuers: no OAuth. Only one of them, a malformed URL, or a scope that is not one:
 * ERR_INVALID_ARGUMENT. */
enum err_code resource_new(struct resource **out, const struct resource_options *o, struct err *e);
void resource_free(struct resource *r);
/* The metadata as JSON; NULL without OAuth. */
const char *resource_metadata(const struct resource *r);
/* Whether a request's path is one that clients look for the metadata at: the root's, the
 * endpoint's, and that of the public URL, whose path may be longer behind an ingress. */
bool resource_is_metadata(const struct resource *r, const char *path);
/* What a token that knows scopes needs for a tool, blank-separated; NULL for nothing. */
const char *resource_needs(const struct resource *r, bool benchmarks);
/* Whether a token with these scopes has all that is needed. Issuers write a scope as it was asked
 * for, or only its last part. */
bool resource_scopes_suffice(char *const *scopes, size_t n, const char *needed);
/* Appends a value for WWW-Authenticate. error and description may be NULL. */
void resource_challenge(const struct resource *r, struct buf *out, const char *error,
                        const char *description);
/* The same for a token that lacks one of the scopes that were needed (RFC 6750, 3.1). */
void resource_step_up(const struct resource *r, struct buf *out, const char *needed);

#endif
