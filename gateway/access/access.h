/* Bearer token -> grant: asks auth-svc, once at a time for each token, remembers for a minute. */
#ifndef AMCP_GATEWAY_ACCESS_ACCESS_H
#define AMCP_GATEWAY_ACCESS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rpc/rpc.h"
#include "gateway/access/grant.h"
#include "gateway/share/share.h"

struct access;

enum access_outcome {
  ACCESS_GRANTED,
  ACCESS_MISSING,     /* no credentials */
  ACCESS_INVALID,     /* credentials that are not accepted */
  ACCESS_FORBIDDEN,   /* accepted, but without any right here */
  ACCESS_UNAVAILABLE, /* auth-svc could not say: never a reason to log in again */
  ACCESS_TOO_MANY,    /* too many unknown bearers from this address: auth-svc was not asked */
};

struct access_options {
  struct rpc_channel *auth; /* outlives the object */
  bool enabled;             /* false: every request gets the local-development grant */
  size_t cache_max;         /* 0 means 10,000 */
  int64_t cache_ms;         /* longest life of an entry; 0 means 60,000 */
  uint32_t timeout_ms;      /* of the question to auth-svc; 0 means 5,000 */
  /* Who pays for questions about bearers that were not accepted before: the address they come from
   * (an IPv6 network of 64 bits), by its share_request(). NULL: nobody. Outlives the object. */
  struct shares *addresses;
};

struct access *access_new(const struct access_options *options);
/* No question may be open: free the channel first. */
void access_free(struct access *a);

/* Answers through done(arg, outcome, grant, why), exactly once: at once when the grant is known,
 * else on the channel's poller, together with all who came with the same bearer while auth-svc was
 * asked. grant is NULL unless ACCESS_GRANTED; take a reference to
 * keep it. `why` is for the caller to read, where ACCESS_FORBIDDEN is for want of a rule that maps
 * the token's claims; else NULL. bearer NULL or empty means that there was none. `client` is the
 * address that asks, for auth-svc's audit log and its share; NULL when it is not known.
 * Thread-safe. */
void access_check(struct access *a, const char *bearer, const char *client,
                  void (*done)(void *arg, enum access_outcome outcome, struct grant *grant,
                               const char *why),
                  void *arg);

#endif
