/* The workload identity pool: its providers, and what each external subject may do. */
#ifndef GA4_SIM_FEDERATION_H
#define GA4_SIM_FEDERATION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/world/world.h"

#define FEDERATION_PROJECT "123456789012"
#define FEDERATION_POOL                                                                            \
  "//iam.googleapis.com/projects/" FEDERATION_PROJECT                                              \
  "/locations/global/workloadIdentityPools/dealers"
#define FEDERATION_OIDC FEDERATION_POOL "/providers/eks"
#define FEDERATION_AWS FEDERATION_POOL "/providers/aws"
/* The subject that may act as any service account; reads nothing itself. */
#define FEDERATION_AGENCY_SUBJECT "system:serviceaccount:analytics:auth-svc"
/* system:serviceaccount:dealers:<dealer_id> is the dealer's own. */
#define FEDERATION_DEALER_NAMESPACE "system:serviceaccount:dealers:"

/* What a subject may do. */
struct federation_binding {
  char subject[256];
  int64_t scope;    /* property index, IDENTITY_SERVICE_ACCOUNT (all), IDENTITY_NONE */
  bool impersonate; /* the service accounts of its scope */
  bool direct;      /* reads its scope's properties by its federated token */
};

struct federation;

struct federation *federation_new(const struct world *w);
void federation_free(struct federation *f);
/* A subject's identity in a token: a hash, so that nothing need be kept. Registers the
 * subject. 0 when there are too many. */
int64_t federation_identity(struct federation *f, const char *subject);
/* The binding behind an identity; false when no such subject was seen. */
bool federation_find(struct federation *f, int64_t identity, struct federation_binding *out);
/* POST /sim/federation: {"subject", "dealer_id": id or "*", "impersonate", "direct"}. */
enum err_code federation_set(struct federation *f, const cJSON *body, cJSON **state, struct err *e);

#endif
