/* The endpoints of identity: Google's, AWS's, the cluster's. Each handler answers one request. */
#ifndef GA4_SIM_LOGIN_H
#define GA4_SIM_LOGIN_H

#include <openssl/evp.h>

#include "ga4-sim/sim/sim.h"

/* Answers a request for one of the identity endpoints; false when it is for none (routes.c). */
bool identity_handle(struct sim *s, const struct request *q, struct reply *r);

/* GET /o/oauth2/v2/auth, what its form posts, and what it looks like (consent_screen.c). */
void consent_screen(struct sim *s, const struct request *q, struct reply *r);
void consent_decide(struct sim *s, const struct request *q, struct reply *r);
void consent_style(struct sim *s, const struct request *q, struct reply *r);
/* The token endpoint for the client of the consent screen: a code, or a refresh token that came of
 * one (consent_code.c). False when the form is of neither. */
struct form;
bool consent_token(struct sim *s, const struct form *f, struct reply *r);

/* The token endpoint (oauth.c). */
void oauth_token(struct sim *s, const struct request *q, struct reply *r);
/* POST /revoke and GET or POST /tokeninfo (oauth_inspect.c). */
void oauth_revoke(struct sim *s, const struct request *q, struct reply *r);
void oauth_tokeninfo(struct sim *s, const struct request *q, struct reply *r);
/* Security Token Service: token exchange (sts.c). */
void sts_token(struct sim *s, const struct request *q, struct reply *r);
/* IAM Credentials: POST .../{email}:generateAccessToken (iam.c). */
void iam_generate_access_token(struct sim *s, const struct request *q, struct reply *r);
/* Google's metadata server: /computeMetadata/... (metadata_server.c). */
void metadata_server(struct sim *s, const struct request *q, struct reply *r);
/* AWS's instance metadata: /latest/... (imds.c). */
void imds(struct sim *s, const struct request *q, struct reply *r);
/* The cluster's OIDC issuer: discovery and keys (oidc.c). */
void oidc_discovery(struct sim *s, const struct request *q, struct reply *r);
void oidc_keys(struct sim *s, const struct request *q, struct reply *r);
/* Mints a service-account token of the cluster, good for expires_in seconds. */
bool oidc_mint(struct sim *s, const char *sub, const char *aud, int64_t expires_in,
               struct buf *out);
/* The issuer's key, which the keyring owns. */
EVP_PKEY *oidc_key(struct sim *s);

/* Takes the fault of an identity endpoint. True when it answered in our place; faults that
 * spoil a good answer only mark it (faults.c). */
bool identity_fault(struct sim *s, int64_t property, enum fault_endpoint endpoint, struct reply *r);

#endif
