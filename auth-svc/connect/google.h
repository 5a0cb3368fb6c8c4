/* What a consent asks of Google: a code for tokens, the properties of an account, the figures of
 * yesterday, and to revoke. Asynchronous; callbacks run once, on the HTTP client's thread or, when
 * nothing could be sent, before the call returns. */
#ifndef AMCP_AUTH_CONNECT_GOOGLE_H
#define AMCP_AUTH_CONNECT_GOOGLE_H

#include <cjson/cJSON.h>

#include "auth-svc/secret/secret.h"
#include "common/http/client.h"

enum { GOOGLE_PROPERTIES_MAX = 1000, GOOGLE_NAME_MAX = 128 };

/* Where Google is. Texts outlive every question. */
struct google_endpoints {
  struct http_client *http;
  const char *client_id;
  struct secret *client_secret;
  const char *redirect_uri;
  const char *token, *revoke; /* URLs */
  const char *admin, *data;   /* of the APIs, without a path */
  uint32_t timeout_ms;        /* of one question */
};

/* What a code was exchanged for. */
struct google_tokens {
  struct err error; /* reasons as of ReceiveConsent */
  struct secret *access_token, *refresh_token;
  char google_sub[256], google_account[256]; /* id and email address of the person */
};
typedef void google_tokens_done(void *user, const struct google_tokens *tokens);
/* `nonce` must be that of the ID token. Checks scope, refresh token and ID token. */
void google_exchange(const struct google_endpoints *g, const char *code, const char *verifier,
                     const char *nonce, google_tokens_done *done, void *user);

/* The refusal `admin_policy`: Google says it in the redirect, or when the code is exchanged. */
enum err_code google_admin_policy(struct err *e);

/* Properties are a JSON array of {"property_id", "name", "account_name"}, in Google's order. */
typedef void google_properties_done(void *user, cJSON *properties, const struct err *error);
/* All pages. PERMISSION_DENIED `no_analytics` when there is none. The array is the callback's. */
void google_properties(const struct google_endpoints *g, struct secret *access_token,
                       google_properties_done *done, void *user);

struct google_figures {
  bool known;
  int64_t sessions, active_users;
};
typedef void google_figures_done(void *user, const struct google_figures *figures);
/* Of yesterday by the property's clock; a property without visitors has zeros. */
void google_figures_ask(const struct google_endpoints *g, struct secret *access_token,
                        const char *property_id, google_figures_done *done, void *user);

typedef void google_revoked(void *user, const struct err *error);
/* ERR_OK when the consent is gone, also when it was before. */
void google_revoke(const struct google_endpoints *g, struct secret *refresh_token,
                   google_revoked *done, void *user);

/* Reads an ID token that came straight from the token endpoint over TLS, so that its signature need
 * not be checked (OpenID Connect Core 3.1.3.7): iss (both of Google's forms), aud, exp, nonce; then
 * sub and email. UNAUTHENTICATED `bad_id_token` says which. */
enum err_code google_id_token(struct google_tokens *out, const char *id_token,
                              const char *client_id, const char *nonce, int64_t now_s,
                              struct err *e);

#endif
