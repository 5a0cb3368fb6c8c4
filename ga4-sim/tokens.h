/* Access tokens: issued and checked without a table. */
#ifndef GA4_SIM_TOKENS_H
#define GA4_SIM_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

/* Who a token speaks for: the index of a property (its dealer's account), or the
 * service account, which may read every property. */
enum { IDENTITY_SERVICE_ACCOUNT = -2, IDENTITY_NONE = -1 };

enum { TOKEN_MAX_BYTES = 128 };

struct tokens {
  uint8_t key[32];
};

/* The key follows from the seed: tokens outlive a restart of the same world. This is
 * a stand-in; nothing here keeps a secret. */
void tokens_init(struct tokens *t, uint64_t seed);
/* Writes an access token ("ya29...."), unique per call. */
void tokens_issue(const struct tokens *t, int64_t identity, int64_t expires_unix_s, char *out,
                  unsigned size);
/* Identity of a valid token, IDENTITY_NONE for a foreign or expired one. */
int64_t tokens_check(const struct tokens *t, const char *token, int64_t now_unix_s);

#endif
