/* The one service account of the world: an agency's, Viewer on every property. */
#ifndef GA4_SIM_SERVICE_ACCOUNT_H
#define GA4_SIM_SERVICE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct service_account;

/* Makes an RSA key. NULL when OpenSSL fails. */
struct service_account *service_account_new(uint64_t seed);
void service_account_free(struct service_account *a);
/* The key file as Google hands it out. */
bool service_account_write(const struct service_account *a, const char *base_url, struct buf *out);

/* What is wrong with an assertion, in Google's words. */
struct jwt_error {
  const char *error;
  const char *description;
};
/* Checks a JWT of this account in Google's order: structure, signature, issuer, iat,
 * window, scope, audience. self_signed: a JWT used as a bearer, which names no audience.
 * True when it is good. */
bool service_account_verify(const struct service_account *a, const char *jwt, bool self_signed,
                            int64_t now_unix_s, struct jwt_error *why);

#endif
