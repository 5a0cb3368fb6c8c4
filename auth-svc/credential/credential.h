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
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret/secret.h"
#include "common/base/error.h"
#include "common/http/client.h"

/* Google's endpoint, used when a credential names none. */
#define GOOGLE_TOKEN_ENDPOINT "https://oauth2.googleapis.com/token"
/* The only scope this project needs (facts: read-only reports). */
#define ANALYTICS_SCOPE "https://www.googleapis.com/auth/analytics.readonly"
/* What a token needs that is only there to impersonate a service account. */
#define CLOUD_PLATFORM_SCOPE "https://www.googleapis.com/auth/cloud-platform"

/* How an attempt to get a token ended. */
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
  const char *endpoint; /* overrides every token_uri when not NULL; never STS, IAM, metadata */
  uint32_t timeout_ms;  /* of one exchange; 0 means 10,000 */
};

/* Runs exactly once; takes the reply's contents over if it sets the pointers NULL,
 * otherwise they are cleared after it returns. */
typedef void token_done(void *user, struct token_reply *reply);

struct credential;

struct credential_kind {
  const char *name; /* "authorized_user", as in Google's files */
  /* Starts getting an access token. The caller keeps c, and *env outlives it, until `done`
   * ran. `refresh_token` is a replacement received earlier, NULL for the configured one. ERR_OK:
   * `done` will run, on the HTTP client's thread or this one. Otherwise it will not, and e says
   * why. */
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
  /* Digest of everything secret in it: a changed credential has another one. */
  uint8_t fingerprint[SHA256_SIZE];
  /* Of the configuration it belongs to; set before others see it, 0 outside of one. */
  uint64_t generation;
};

struct credential *credential_ref(struct credential *c);
void credential_unref(struct credential *c);
bool credential_holds(const struct credential *c, const uint8_t digest[SHA256_SIZE]);

/* An OAuth client with a refresh token (RFC 6749 §6). token_uri NULL means Google's.
 * Copies everything. `impersonates`: it is the source of an impersonation, so its consent must
 * cover cloud-platform instead of Google Analytics. */
struct credential *credential_new_refresh_token(const char *client_id, const char *client_secret,
                                                const char *refresh_token, const char *token_uri,
                                                const char *quota_project, bool impersonates);

struct service_account_options {
  const char *client_email;
  const char *private_key;    /* PEM */
  const char *private_key_id; /* NULL when not known */
  const char *token_uri;      /* NULL: Google's */
  const char *scope;          /* NULL: ANALYTICS_SCOPE */
  const char *subject;        /* user to act as, by domain-wide delegation; NULL for none */
  const char *quota_project;
  bool self_signed; /* the JWT itself is the bearer: no question to the token endpoint */
};
/* A service account's key: RS256 JWT, by the JWT-bearer grant (RFC 7523) or as the bearer
 * itself (facts: what Google's own client does). Copies everything. ERR_INVALID_ARGUMENT when
 * private_key is not an RSA key of 2,048 to 8,192 bits. */
enum err_code credential_new_service_account(struct credential **out,
                                             const struct service_account_options *options,
                                             struct err *e);

struct subject_source;
struct impersonation;

struct external_account_options {
  const char *audience;
  const char *subject_token_type;
  const char *token_url; /* NULL: Google's STS */
  const char *scope;     /* of the token; NULL: ANALYTICS_SCOPE */
  const char *quota_project;
  struct subject_source *source; /* taken over */
};
/* Workload Identity Federation: a foreign token, exchanged at Google's STS (RFC 8693). */
struct credential *credential_new_external_account(const struct external_account_options *options);

/* A service account that another credential may impersonate. Takes both over. `file` is the kind of
 * Google's file it stands in, and its own: external_account or impersonated_service_account. */
struct credential *credential_new_impersonated(const char *file, struct credential *source,
                                               struct impersonation *impersonation,
                                               const char *quota_project);

/* The service account of the machine, from Google's metadata server at `host` ("host" or
 * "host:port"). NULL when that is not a host. */
struct credential *credential_new_metadata(const char *host, const char *scope);
/* GCE_METADATA_HOST or Google's name. */
const char *credential_metadata_host(void);
/* Whether a metadata server answers at `host`. Blocks for three seconds at most: for the
 * start of the program, never for a call. */
bool credential_metadata_detect(const char *host);

/* Application Default Credentials in Google's order: `explicit_path`
 * (GOOGLE_APPLICATION_CREDENTIALS) when not NULL; $CLOUDSDK_CONFIG or ~/.config/gcloud; the
 * metadata server, unless NO_GCE_CHECK=true. A file that was named or is there must be good:
 * the next place is for what is absent. One that names no quota project gets
 * GOOGLE_CLOUD_QUOTA_PROJECT's, else GOOGLE_CLOUD_PROJECT's. ERR_NOT_FOUND says where it looked.
 * Blocks for three seconds at most; `offline`: the metadata server is not asked, it counts as
 * there. */
enum err_code credential_find_adc(struct credential **out, const char *explicit_path, bool offline,
                                  struct err *e);

/* Digest of a list of texts, each of which may be NULL: of the digests of its parts, so that no
 * part can run into the next. */
void credential_digest(uint8_t out[SHA256_SIZE], const char *const *parts, size_t n);

#endif
