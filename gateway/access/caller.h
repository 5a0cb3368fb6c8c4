/* Who sent one request: its grant, and the bearer token to get another with when a service no
 * longer takes it. Lives as long as the calls of the request, no longer; the token is wiped
 * then. Shared by reference, thread-safe. */
#ifndef AMCP_GATEWAY_ACCESS_CALLER_H
#define AMCP_GATEWAY_ACCESS_CALLER_H

#include "gateway/access/access.h"
#include "gateway/mcp/tool.h"

struct caller;

/* Copies the bearer (NULL: none), the client's address (NULL: not known) and the label, takes
 * references to the grant and the share (NULL: none). The caller owns one reference, given back
 * with caller_principal(c)->unref(). */
struct caller *caller_new(struct access *access, const char *bearer, const char *client,
                          struct grant *grant, struct share *share, const char *label);

enum { CALLER_LABEL = 17 };
/* Names a principal in logs, by the SHA-256 of its id: the same in every replica, and not the name
 * itself. */
void caller_label(char out[CALLER_LABEL], const uint8_t *digest);
/* The same object as the protocol sees it: its id is equal for equal callers, so a session
 * survives a renewed token. */
struct mcp_principal *caller_principal(struct caller *c);
struct caller *caller_of(const struct mcp_principal *p);
/* The grant now; a reference. */
struct grant *caller_grant(struct caller *c);
/* Gets a grant in place of one that a service refused, unless another call did so already, and
 * answers through done(arg, outcome, grant) as access_check() does. The refused one leaves the
 * cache. */
void caller_renew(struct caller *c, struct grant *refused,
                  void (*done)(void *arg, enum access_outcome outcome, struct grant *grant),
                  void *arg);

#endif
