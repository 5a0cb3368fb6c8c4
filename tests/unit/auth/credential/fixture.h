/* For tests of credentials: a loopback cloud that answers by script and keeps what it was asked,
 * and one blocking call that gets a token. */
#ifndef AMCP_TESTS_AUTH_CRED_FIXTURE_H
#define AMCP_TESTS_AUTH_CRED_FIXTURE_H

#include <cjson/cJSON.h>

#include "auth-svc/credential/credential.h"

struct cloud;

/* What a request that starts with `match` ("GET /role") is answered; the first match counts.
 * Texts must outlive the cloud. */
struct cloud_answer {
  const char *match;
  int status;
  const char *headers; /* extra lines, each ending in \r\n; NULL for none */
  const char *body;
  unsigned delay_ms;
  size_t padding; /* spaces after the body */
};

struct cloud *cloud_start(const struct cloud_answer *answers, size_t n);
#define CLOUD(...)                                                                                 \
  cloud_start((const struct cloud_answer[]){__VA_ARGS__},                                          \
              sizeof((const struct cloud_answer[]){__VA_ARGS__}) / sizeof(struct cloud_answer))
void cloud_stop(struct cloud *c);
/* "127.0.0.1:PORT" */
const char *cloud_host(const struct cloud *c);
size_t cloud_hits(struct cloud *c);
/* The raw request number i, from 0; "" when there is none. Valid until cloud_stop(). */
const char *cloud_request(struct cloud *c, size_t i);

/* Value of a header of a raw request, or of a form field or query item, decoded. Free with
 * free(); NULL when absent. */
char *request_header(const char *raw, const char *name);
char *request_form(const char *raw, const char *name);
const char *request_body(const char *raw);
/* Percent-decoded copy. */
char *percent_decoded(const char *s);

/* What OAUTH_TOKEN_ENDPOINT would be; NULL at first. */
extern const char *cred_override;
/* Gets a token; the reply's secrets are the caller's (token_reply_clear()). timeout_ms 0 means
 * the usual one. */
struct token_reply cred_obtain(struct credential *c, uint32_t timeout_ms);
/* A credential of JSON that must be good. '@' in it stands for the cloud's host. */
struct credential *cred_from(const char *json, const struct cloud *cloud);
/* `template` with every '@' replaced by the host; free with free(). */
char *cred_at(const char *template, const char *host);
/* A credential of a dealer's member ("\"adc\":true") in dealers.json, or the message that
 * refuses it in `message` (NULL is returned then). */
struct credential *cred_of_dealer(const char *member, const char *name, char *message, size_t size);

/* Asserts a failure: outcome, reason, and that its message holds every text up to NULL. */
void cred_expect_failure(struct token_reply *r, enum token_outcome outcome, const char *reason, ...)
    __attribute__((sentinel));

/* A service account's key file for this private key. Free with free(). */
char *cred_key_file(const char *private_pem, const char *token_uri);

#endif
