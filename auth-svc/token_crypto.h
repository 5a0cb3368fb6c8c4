/* Seals what the token store keeps with the keyring. */
#ifndef AMCP_AUTH_TOKEN_CRYPTO_H
#define AMCP_AUTH_TOKEN_CRYPTO_H

#include "auth-svc/keyring.h"
#include "auth-svc/token_store.h"

/* Values are bound to account and fingerprint. The ring must outlive the store. */
struct token_store_crypto token_crypto_of(struct keyring *ring);

#endif
