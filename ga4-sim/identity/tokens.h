/* Access tokens: issued and checked without a table. */
#ifndef GA4_SIM_TOKENS_H
#define GA4_SIM_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "ga4-sim/identity/scopes.h"

/* Who a token speaks for: the index of a property (its dealer's account), every
 * property (the agency's service account), or an operator who may act as any service
 * account but reads no property. */
enum {
  IDENTITY_CONSENT = 1 << 24, /* and the number of a consent (consents.h), with TOKEN_USER */
  IDENTITY_OPERATOR = -3,
  IDENTITY_SERVICE_ACCOUNT = -2,
  IDENTITY_NONE = -1
};

enum token_kind {
  TOKEN_USER,
  TOKEN_SERVICE_ACCOUNT,
  TOKEN_FEDERATED /* of the token exchange; its identity is the subject's hash */
};

struct token {
  int64_t identity;
  int64_t expires_unix_s;
  int64_t issued_unix_ms; /* set by tokens_issue() */
  uint32_t scopes;
  enum token_kind kind;
};

enum { TOKEN_MAX_BYTES = 128 };

struct tokens {
  uint8_t key[32];
};

/* The key follows from the seed: tokens outlive a restart of the same world. This is
 * a stand-in; nothing here keeps a secret. */
void tokens_init(struct tokens *t, uint64_t seed);
/* Writes an access token ("ya29...."), unique per call. */
void tokens_issue(const struct tokens *t, const struct token *what, char *out, unsigned size);
/* Reads a valid token; false for a foreign or expired one. Revocation is not looked at. */
bool tokens_check(const struct tokens *t, const char *text, int64_t now_unix_s, struct token *out);

#endif
