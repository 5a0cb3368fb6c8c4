/* One question to a token endpoint: form out, token or error in. */
#ifndef AMCP_AUTH_TOKEN_EXCHANGE_H
#define AMCP_AUTH_TOKEN_EXCHANGE_H

#include "auth-svc/credential/credential.h"

enum {
  TOKEN_RESPONSE_MAX = 64 * 1024, /* bytes of an answer that are read */
  TOKEN_MAX_BYTES = 8 * 1024,     /* of an access or refresh token */
  TOKEN_LIFE_MAX_S = 12 * 3600,   /* longest life Google gives */
  TOKEN_LIFE_UNKNOWN_S = 300,     /* when expires_in is missing or makes no sense */
};

struct form_field {
  const char *name;
  const char *value;
  bool open; /* not a secret: an error may repeat it */
};

/* Appends the fields, percent-encoded; false when `out` is full. */
bool form_write(struct buf *out, const struct form_field *form, size_t n);

/* What the errors of a grant type mean. */
enum grant_kind {
  GRANT_REFRESH_TOKEN, /* invalid_grant: the dealer must consent again */
  /* The same of somebody who may only impersonate a service account: other scopes. */
  GRANT_REFRESH_SOURCE,
  GRANT_JWT_BEARER, /* invalid_grant: key, clock or account is wrong: the operator's */
  /* Workload identity: the operator's, too. They differ in what was presented. */
  GRANT_STS_FILE,
  GRANT_STS_URL,
  GRANT_STS_AWS,
  GRANT_METADATA, /* the answer of a metadata server; nothing is sent */
};

/* Posts the form to `url`; env->endpoint takes its place for the two grants of Google's OAuth
 * endpoint. At most 12 fields. `done` as in credential_kind.obtain. */
enum err_code token_exchange_start(const struct token_env *env, const char *url,
                                   enum grant_kind grant, const struct form_field *form, size_t n,
                                   token_done *done, void *user, struct err *e);

/* Reads the answer (pure, for the above and for tests). `host` names the endpoint in
 * errors. The form's values are never repeated in an error, even when the answer does. */
void token_reply_read(struct token_reply *out, const struct http_response *response,
                      const char *host, enum grant_kind grant, const struct form_field *form,
                      size_t n);

/* Reads the answer to a request of token_ask(). */
typedef void token_ask_read(const void *source, const struct secret *proof,
                            const struct http_response *response, struct token_reply *out);
/* Asks for a token: `source`, where request.url says, in request.timeout_ms or the time of `env`,
 * whichever is shorter. `source` must live until `done` ran, which is as in
 * credential_kind.obtain; of `proof` (NULL for none) a reference is kept until then. */
enum err_code token_ask(const struct token_env *env, struct http_request request,
                        token_ask_read *read, const void *source, struct secret *proof,
                        token_done *done, void *user, struct err *e);

/* Host and port of a URL, for messages: "oauth2.googleapis.com". False when it is not an http
 * or https URL, has user info, or does not fit. */
bool url_host(const char *url, char *out, size_t size);

#endif
