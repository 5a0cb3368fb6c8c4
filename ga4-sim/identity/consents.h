/* Consents that people gave on the consent screen to one web application: codes, refresh tokens,
 * who may read what. Thread-safe.
 *
 * The people: the owner of each property, owner@HOST, who may read that one; agency@example.com,
 * who may read the last three; nobody@example.com, who may read none. */
#ifndef GA4_SIM_CONSENTS_H
#define GA4_SIM_CONSENTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/world/world.h"

/* The application: a client of the simulator alone, so that tests and demonstrations know it. */
#define CONSENT_CLIENT_ID "900000000002-connect.apps.googleusercontent.com"
#define CONSENT_CLIENT_SECRET "GOCSPX-connect-of-the-simulator"

struct consents;
struct consents *consents_new(const struct world *w);
void consents_free(struct consents *c);

enum consent_policy {
  CONSENT_NORMAL,
  CONSENT_ADMIN_POLICY,     /* the organisation's administrator forbids the application */
  CONSENT_NO_REFRESH_TOKEN, /* the exchange gives none */
  CONSENT_NO_ISS,           /* the redirect has no iss */
  CONSENT_WRONG_ISS,        /* it names another issuer */
};
/* POST /sim/consent-screen {"policy": "normal", "admin_policy", "no_refresh_token", "no_iss",
 * "wrong_iss"; "slow_ms": before each answer to a code; "redirect_uri": the registered one, else
 * any}. */
enum err_code consents_set_policy(struct consents *c, const cJSON *body, cJSON **state,
                                  struct err *e);
enum consent_policy consents_policy(struct consents *c, uint32_t *slow_ms);
bool consents_redirect_allowed(struct consents *c, const char *redirect_uri);
/* POST /sim/withdraw {"email"}: all consents of a person. */
enum err_code consents_withdraw(struct consents *c, const cJSON *body, cJSON **state,
                                struct err *e);

/* The i-th person's email address, written into out; false beyond the last. */
bool consents_person(const struct consents *c, size_t i, char *out, size_t size);

/* What a consent is for. */
struct consent {
  char email[300], challenge[64], redirect_uri[512], nonce[256];
  uint32_t scopes;
};
/* Notes a consent and writes its code: good once, for a minute. False for an unknown person. */
bool consents_add(struct consents *c, const struct consent *what, int64_t now_ms, char *code,
                  size_t size);

enum consent_verdict { CONSENT_GOOD, CONSENT_UNKNOWN, CONSENT_DEAD };
/* Takes a code with the verifier of its challenge (S256) and its redirect. *identity is what its
 * tokens speak for; refresh_token gets the new one. */
enum consent_verdict consents_take_code(struct consents *c, const char *code, const char *verifier,
                                        const char *redirect_uri, int64_t now_ms,
                                        struct consent *what, int64_t *identity,
                                        char *refresh_token, size_t size);
enum consent_verdict consents_find(struct consents *c, const char *refresh_token, int64_t *identity,
                                   uint32_t *scopes);
/* Ends all consents of the person whose refresh token this is; false when it is nobody's. */
bool consents_revoke(struct consents *c, const char *refresh_token);
/* The properties that are open to an identity; false when its consent is gone. */
bool consents_reads(struct consents *c, int64_t identity, size_t *first, size_t *count);

#endif
