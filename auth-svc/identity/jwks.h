/* Keys of an issuer that are published at a URL (JWKS, RFC 7517): fetched, cached and changed
 * without a restart. The URL is configured, or found in the issuer's metadata (discovery.h), which
 * is read again a day later and after each failure.
 *
 * Fetched at once, then when what came has aged (Cache-Control: max-age, at least 5 minutes, at
 * most 24 hours), and when a token names a key that is not there, at most once in 30 s; a token
 * that comes before the first set waits for it. While the endpoint is down the keys held stay in
 * use. Thread-safe; nothing waits. */
#ifndef AMCP_AUTH_JWKS_H
#define AMCP_AUTH_JWKS_H

#include <stdint.h>

#include "auth-svc/identity/jwt_keys.h"
#include "common/base/buf.h"
#include "common/http/client.h"

enum {
  JWKS_MAX_BYTES = 256 * 1024,
  JWKS_MIN_AGE_MS = 5 * 60 * 1000,
  JWKS_MAX_AGE_MS = 24 * 60 * 60 * 1000,
  JWKS_RETRY_MS = 30 * 1000, /* after a failure, and between fetches for unknown keys */
  JWKS_TIMEOUT_MS = 10 * 1000,
  JWKS_WAITERS_MAX = 256,
};

/* A set of keys as it was fetched. Immutable. */
struct jwks_set {
  struct jwt_keys *keys; /* never NULL; empty before the first fetch */
  uint64_t generation;   /* changes with the keys */
};

struct jwks;

struct jwks_options {
  struct http_client *http; /* must outlive the object's stop */
  const char *url;          /* NULL: found by `issuer`, which has no discovery_issuer_problem() */
  const char *issuer;       /* NULL: `url` */
  const char *name;         /* for log lines and metrics; NULL: AUTH_JWT_JWKS_URL */
  uint32_t min_age_ms, retry_ms; /* 0 means the values above; for tests */
};

/* ERR_INVALID_ARGUMENT unless the URL is https, or http to a loopback address: whoever can
 * change the answer on its way can sign tokens. `what` names the setting. Starts fetching. */
enum err_code jwks_new(struct jwks **out, const char *what, const struct jwks_options *options,
                       struct err *e);
/* After the HTTP client has ended. NULL is fine. */
void jwks_free(struct jwks *j);

/* The keys now; jwt_keys_unref() them. */
struct jwks_set jwks_acquire(struct jwks *j);

enum jwks_answer {
  JWKS_WAITS, /* fn(arg) runs once, on the HTTP client's thread, when a newer fetch has ended, well
                 or not (also when the client ends) */
  JWKS_CHANGED, /* the set has changed meanwhile: look again */
  JWKS_SETTLED, /* there will be no fetch for now: the token is to be refused */
  JWKS_FULL,    /* as many wait as may: the token may be good, but cannot be checked now */
};
/* For a token whose key is not in the set of this generation. */
enum jwks_answer jwks_wait(struct jwks *j, uint64_t generation, void (*fn)(void *arg), void *arg);

/* Whether its keys are kept up to date; on at first. Those held stay, and a token with an unknown
 * key still asks. */
void jwks_keep(struct jwks *j, bool keep);
/* Appends a line for /readyz: how many keys are held and of when, or why none are. */
void jwks_describe(struct jwks *j, struct buf *detail);

/* max-age of a Cache-Control header in milliseconds; fallback when there is none; 0 for
 * no-store and no-cache. */
int64_t jwks_max_age_ms(const char *cache_control, int64_t fallback);

#endif
