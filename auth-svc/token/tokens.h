/* The life of access tokens: cached per account, refreshed ahead of their end, one
 * refresh under way per account.
 *
 * Nothing here blocks: a caller gets the cached token at once, or is called back when the
 * refresh ends. Knows nothing of dealers or policy, and nothing of how a credential
 * becomes a token. Thread-safe. */
#ifndef AMCP_AUTH_TOKENS_H
#define AMCP_AUTH_TOKENS_H

#include "auth-svc/credential/credential.h"
#include "auth-svc/token/store.h"

struct tokens;

enum {
  /* A token with less left is refreshed: at most half of its life, and up to a fifth more, at
   * random, so that accounts do not align. */
  TOKENS_REFRESH_AHEAD_MS = 300 * 1000,
  TOKENS_OPERATOR_BACKOFF_MS = 600 * 1000, /* after a fault of the operator's, about */
};

struct tokens_options {
  struct token_env env;
  struct token_store *store; /* of replaced refresh tokens; NULL keeps them in memory */
  uint32_t in_use_s;         /* an account asked for so lately is refreshed without being
                                asked for; 0 means 5,400 */
  uint32_t tick_ms;          /* how often that is looked at; 0 means 1,000 */
  size_t waiters_max;        /* callers waiting, over all accounts; 0 means 4,096 */
  uint32_t backoff_base_ms;  /* after a passing failure; 0 means 1,000 */
  uint32_t backoff_max_ms;   /* 0 means 60,000 */
  int64_t (*mono_ms)(void);  /* NULL means a clock that goes on while the machine sleeps */
  int64_t (*unix_ms)(void);  /* NULL means clock_unix_ms */
  /* Called for each answer of a token endpoint, before anybody gets the token; for the audit
   * log. On the thread the answer came on. */
  void (*on_refresh)(void *user, const char *account_id, const struct token_reply *reply);
  void *user;
};

struct tokens *tokens_new(const struct tokens_options *options);
/* Starts to refresh accounts in use ahead of time, from the HTTP client's timer; ends with
 * the client. */
void tokens_start_background(struct tokens *t);
/* The HTTP client must be gone (its end answers every refresh), then the store be closed, and
 * no call may be under way. NULL is fine. */
void tokens_free(struct tokens *t);

/* Sets what credentials there are now, after the snapshot that holds them became current.
 * Accounts that are gone lose their tokens and those who wait get `configuration_changed`; so
 * do the accounts whose credential changed, which starts with nothing. A fault of the operator's
 * may be asked about again; a dealer who must consent again stays so with the same
 * credential. `find` gives the credential of an account or NULL and must not call back. */
struct tokens_changes {
  size_t removed, changed; /* of the accounts that were in use */
};
void tokens_configure(struct tokens *t, uint64_t generation,
                      struct credential *(*find)(void *user, const char *account_id), void *user,
                      struct tokens_changes *changes);

/* What a caller gets. */
struct token_result {
  struct err error;            /* ERR_OK: the token is set */
  struct secret *access_token; /* referenced during the callback only */
  int64_t expires_at;          /* seconds since 1970-01-01 UTC, by this machine's clock */
};
typedef void token_ready(void *user, const struct token_result *result);

/* Names one wait, for tokens_abandon(). Never 0. */
uint64_t tokens_wait_id(struct tokens *t);

/* The short way to a token that is held and needs nothing: true, and the token is in *out, for
 * the caller to unref. False: tokens_get() finds out more. */
bool tokens_try(struct tokens *t, const char *account_id, const struct credential *credential,
                struct token_result *out);

/* Calls ready(user, ...) exactly once: before it returns when the answer is known (cached
 * token, known failure), later on the HTTP client's or the store's thread otherwise.
 *
 * A token with less than TOKENS_REFRESH_AHEAD_MS left is handed out and refreshed behind the
 * caller's back. Errors: FAILED_PRECONDITION `invalid_grant` (final for this credential) or
 * another reason that is the operator's fault, UNAVAILABLE while the token endpoint fails
 * (not asked again before the backoff is over) or a new refresh token cannot be stored,
 * ABORTED `configuration_changed` when the credential is no longer the current one: resolve
 * the account again, RESOURCE_EXHAUSTED when too many wait.
 *
 * `rejected_sha256` (or NULL) is the digest of a token Google refused: it is dropped if it
 * is the one held, at most once in 5 s per account. */
void tokens_get(struct tokens *t, const char *account_id, struct credential *credential,
                const uint8_t *rejected_sha256, uint64_t wait_id, token_ready *ready, void *user);

/* Ends a wait early: ready gets ERR_CANCELLED, unless it ran already. The refresh goes on. */
void tokens_abandon(struct tokens *t, const char *account_id, uint64_t wait_id);

/* Whether this is the digest of the account's refresh token (configured or received since).
 * Constant time. Access tokens do not count: other services hold them by design. */
bool tokens_holds(struct tokens *t, const char *account_id, const struct credential *credential,
                  const uint8_t digest[SHA256_SIZE]);
/* Why an account's refresh token proves nothing for now: "needs_reconsent" or "misconfigured", as
 * the metric auth_accounts has it; NULL while the account is in good standing. */
const char *tokens_bad_standing(struct tokens *t, const char *account_id,
                                const struct credential *credential);

/* How an account stands, for operators. */
struct tokens_standing {
  const char *state;   /* "idle", "ok", "failing", "misconfigured" or "needs_reconsent"; constant */
  char reason[48];     /* of the last failure; "" when the last refresh went well */
  int64_t obtained_at; /* when the token endpoint gave a token last, seconds since 1970; 0: never */
};
/* "idle" for an account that was not asked for, and with another credential. */
void tokens_standing_of(struct tokens *t, const char *account_id,
                        const struct credential *credential, struct tokens_standing *out);

/* Appends one line on the accounts for /readyz, by number; the log names each as its state changes.
 */
void tokens_describe(struct tokens *t, struct buf *detail);

#endif
