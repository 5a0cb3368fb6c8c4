/* Sources of credentials: the one interface between the life of tokens and the ways to
 * get one.
 *
 * A credential is immutable after it was made and counted by reference. Each kind lives in
 * its own file and knows how to turn itself into an access token; it knows nothing of
 * caching, waiting or backoff (tokens.h) and nothing of who may ask (scope.h). */
#ifndef AMCP_AUTH_CREDENTIAL_H
#define AMCP_AUTH_CREDENTIAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth-svc/secret.h"
#include "common/base/error.h"
#include "common/http/client.h"

/* Google's endpoint, used when a credential names none. */
#define GOOGLE_TOKEN_ENDPOINT "https://oauth2.googleapis.com/token"
/* The only scope this project needs (facts: read-only reports). */
#define ANALYTICS_SCOPE "https://www.googleapis.com/auth/analytics.readonly"

/* What the attempt to get a token came to. */
enum token_outcome {
  TOKEN_OBTAINED,
  TOKEN_PASSING,        /* try again later: network, 429, 5xx, nonsense */
  TOKEN_NEEDS_CONSENT,  /* the dealer must consent again; asking again is pointless */
  TOKEN_OPERATOR_FAULT, /* the installation is set up wrong; says nothing of the dealer */
};

struct token_reply {
  enum token_outcome outcome;
  struct err error;             /* set unless OBTAINED; never holds a secret */
  struct secret *access_token;  /* OBTAINED */
  struct secret *refresh_token; /* a new one that replaces the old, or NULL */
  int64_t expires_in_s;         /* OBTAINED; already clamped */
  uint32_t retry_after_ms;      /* PASSING; 0 when the server named none */
};
void token_reply_clear(struct token_reply *r);

/* What a credential needs of its surroundings. Outlives every exchange. */
struct token_env {
  struct http_client *http;
  const char *endpoint; /* overrides every credential's own when not NULL */
  uint32_t timeout_ms;  /* of one exchange; 0 means 10,000 */
};

/* Runs exactly once; takes the reply's contents over if it sets the pointers NULL,
 * otherwise they are cleared after it returns. */
typedef void token_done(void *user, struct token_reply *reply);

struct credential;

struct credential_kind {
  const char *name; /* "authorized_user", as in Google's files */
  /* Starts getting an access token. `refresh_token` is a replacement received earlier,
   * NULL for the configured one. ERR_OK: `done` will run, on the HTTP client's thread or
   * this one. Otherwise it will not, and e says why. */
  enum err_code (*obtain)(const struct credential *c, const struct token_env *env,
                          struct secret *refresh_token, token_done *done, void *user,
                          struct err *e);
  /* Whether the configured refresh token has this digest; NULL when the kind has none. */
  bool (*holds)(const struct credential *c, const uint8_t digest[SHA256_SIZE]);
  void (*destroy)(struct credential *c);
};

/* First member of every kind's own struct. */
struct credential {
  const struct credential_kind *kind;
  atomic_size_t refs;
  char *quota_project; /* pays for the quota; NULL when none */
  /* Digest of everything secret in it: tells a changed credential from the same one. */
  uint8_t fingerprint[SHA256_SIZE];
  /* Of the configuration it belongs to; set before others see it, 0 outside of one. */
  uint64_t generation;
};

struct credential *credential_ref(struct credential *c);
void credential_unref(struct credential *c);
bool credential_holds(const struct credential *c, const uint8_t digest[SHA256_SIZE]);

/* An OAuth client with a refresh token (RFC 6749 §6). token_uri NULL means Google's.
 * Copies everything. */
struct credential *credential_new_refresh_token(const char *client_id, const char *client_secret,
                                                const char *refresh_token, const char *token_uri,
                                                const char *quota_project);

/* A service account's key: self-signed RS256 JWT, JWT-bearer grant (RFC 7523). `source`
 * names the file in errors. ERR_INVALID_ARGUMENT when the key is no RSA key of 2,048 bits
 * or more. */
enum err_code credential_new_service_account(struct credential **out, const char *source,
                                             const char *client_email, const char *private_key_pem,
                                             const char *private_key_id, const char *token_uri,
                                             const char *quota_project, struct err *e);

/* A credential file of Google's: "authorized_user" or "service_account". The text is
 * Application Default Credentials JSON; `source` names it in errors. */
enum err_code credential_from_adc_json(struct credential **out, const char *source,
                                       const char *text, size_t len, struct err *e);
/* Finds the file: `explicit_path` (GOOGLE_APPLICATION_CREDENTIALS) when not NULL, else
 * $CLOUDSDK_CONFIG or ~/.config/gcloud. ERR_NOT_FOUND says where it looked. */
enum err_code credential_find_adc(struct credential **out, const char *explicit_path,
                                  struct err *e);

#endif
