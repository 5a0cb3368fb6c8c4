/* The life of access tokens: cached per account, refreshed ahead of their end, one
 * refresh under way per account.
 *
 * Nothing here blocks: a caller gets the cached token at once, or is called back when the
 * refresh ends. Knows nothing of dealers or policy, and nothing of how a credential
 * becomes a token. Thread-safe. */
#ifndef AMCP_AUTH_TOKENS_H
#define AMCP_AUTH_TOKENS_H

#include "auth-svc/credential.h"

struct tokens;

struct tokens_options {
  struct token_env env;
  uint32_t refresh_ahead_s; /* 0 means 300; at most half of a token's life */
  size_t waiters_max;       /* callers waiting, over all accounts; 0 means 4,096 */
  uint32_t backoff_base_ms; /* after a passing failure; 0 means 1,000 */
  uint32_t backoff_max_ms;  /* 0 means 60,000 */
  int64_t (*mono_ms)(void); /* NULL means clock_mono_ms; tests bring their own */
  /* Told of each answer of a token endpoint, before anybody gets the token; for the audit
   * log. On the thread the answer came on. */
  void (*on_refresh)(void *user, const char *account_id, const struct token_reply *reply);
  void *user;
};

struct tokens *tokens_new(const struct tokens_options *options);
/* The HTTP client must be gone (its end answers every refresh), and no call may be under
 * way. NULL is fine. */
void tokens_free(struct tokens *t);

/* What a caller gets. */
struct token_result {
  struct err error;            /* ERR_OK: the token is set */
  struct secret *access_token; /* referenced during the callback only */
  int64_t expires_at;          /* seconds since 1970-01-01 UTC */
};
typedef void token_ready(void *user, const struct token_result *result);

/* Names one wait, for tokens_abandon(). Never 0. */
uint64_t tokens_wait_id(struct tokens *t);

/* Calls ready(user, ...) exactly once: before it returns when the answer is known (cached
 * token, known failure), later on the HTTP client's thread otherwise.
 *
 * A token with less than refresh_ahead_s left is handed out and refreshed behind the
 * caller's back. Errors: FAILED_PRECONDITION `invalid_grant` (final for this credential) or
 * another reason that is the operator's fault, UNAVAILABLE while the token endpoint fails
 * (not asked again before the backoff is over), RESOURCE_EXHAUSTED when too many wait.
 *
 * `rejected_sha256` (or NULL) is the digest of a token Google refused: it is dropped if it
 * is the one held, at most once in 5 s per account. */
void tokens_get(struct tokens *t, const char *account_id, struct credential *credential,
                const uint8_t *rejected_sha256, uint64_t wait_id, token_ready *ready, void *user);

/* Ends a wait early: ready gets ERR_CANCELLED, unless it ran already. The refresh goes on. */
void tokens_abandon(struct tokens *t, const char *account_id, uint64_t wait_id);

/* Whether the broker holds a secret of this digest for the account: the refresh token
 * (configured or received since) or the access token in its cache. Constant time. */
bool tokens_holds(struct tokens *t, const char *account_id, const struct credential *credential,
                  const uint8_t digest[SHA256_SIZE]);

/* Accounts whose dealer must consent again. */
size_t tokens_needing_consent(struct tokens *t);

#endif
