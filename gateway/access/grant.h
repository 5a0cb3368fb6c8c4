/* What a caller may do, as auth-svc sealed it. Shared by reference, thread-safe. */
#ifndef AMCP_GATEWAY_ACCESS_GRANT_H
#define AMCP_GATEWAY_ACCESS_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analytics/auth/v1/auth.pb-c.h"

struct grant;

/* Copies what the gateway needs of an answer. The caller owns one reference. */
struct grant *grant_new(const Analytics__Auth__V1__AuthenticateResponse *response);
void grant_ref(struct grant *g);
void grant_unref(struct grant *g);
/* Names the caller: equal for equal callers, whatever their token. */
const char *grant_principal_id(const struct grant *g);
/* The SHA-256 of that. */
const uint8_t *grant_principal_digest(const struct grant *g);
/* Whether its role is that of an admin. */
bool grant_is_admin(const struct grant *g);
/* What the caller may see, as a number: equal for grants that show the same. Of this process. */
uint64_t grant_view(const struct grant *g);
/* The sealed bytes for the metadata of every downstream call. */
const void *grant_sealed(const struct grant *g, size_t *len);
/* A service no longer takes the seal (auth-svc was restarted with another key, say): the
 * grant is not handed out from the cache again, so the next request gets a new one. */
void grant_mark_refused(const struct grant *g);
bool grant_is_refused(const struct grant *g);
/* Whether its bearer may be used for what needs these scopes, blank-separated. One that knows no
 * scopes may. */
bool grant_has_scopes(const struct grant *g, const char *needed);
/* Seconds since 1970; 0 when it does not end. */
int64_t grant_expires_at(const struct grant *g);

#endif
