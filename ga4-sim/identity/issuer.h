/* An OIDC issuer outside of the simulator, a cluster's say, whose tokens the pool's OIDC provider
 * takes: its keys are uploaded, as they are for a cluster that Google cannot reach
 * (cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes). */
#ifndef GA4_SIM_ISSUER_H
#define GA4_SIM_ISSUER_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "ga4-sim/identity/jwt.h"

struct issuer;

enum issuer_says {
  ISSUER_OTHER,  /* the token names another issuer, or there is none here */
  ISSUER_GOOD,   /* its issuer, and one of its keys made the signature */
  ISSUER_FORGED, /* its issuer, and none of its keys made the signature */
};

struct issuer *issuer_new(void);
void issuer_free(struct issuer *i);
/* POST /sim/issuer: {"issuer": text, "jwks": {"keys": [RSA keys, at most 8]}} in place of the one
 * before. The state is {"issuer", "keys": how many}. Thread-safe. */
enum err_code issuer_set(struct issuer *i, const cJSON *body, cJSON **state, struct err *e);
/* Only issuer and signature (RS256) are judged, not the claims. Thread-safe. */
enum issuer_says issuer_check(struct issuer *i, const struct jwt *j);

#endif
