/* The simulator's parts, as its request handlers see them. */
#ifndef GA4_SIM_SIM_H
#define GA4_SIM_SIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ga4-sim/identity/aws.h"
#include "ga4-sim/identity/consents.h"
#include "ga4-sim/identity/federation.h"
#include "ga4-sim/identity/grants.h"
#include "ga4-sim/identity/issuer.h"
#include "ga4-sim/identity/jwks.h"
#include "ga4-sim/identity/keyring.h"
#include "ga4-sim/identity/service_account.h"
#include "ga4-sim/identity/tokens.h"
#include "ga4-sim/report/quota.h"
#include "ga4-sim/sim/conditions.h"
#include "ga4-sim/sim/delay.h"
#include "ga4-sim/sim/faults.h"
#include "ga4-sim/sim/options.h"
#include "ga4-sim/sim/reply.h"
#include "ga4-sim/sim/stats.h"
#include "ga4-sim/world/world.h"

struct sim {
  const struct options *options;
  struct world *world;
  struct faults *faults;
  struct conditions *conditions;
  struct stats *stats;
  struct quota *quota;
  struct tokens tokens;
  char base_url[300]; /* where clients reach us; also the OIDC issuer */
  struct keyring *keyring;
  struct grants *grants;
  struct consents *consents;
  struct service_accounts *service_accounts;
  struct federation *federation;
  struct issuer *issuer;
  struct aws *aws;
  struct jwks *jwks;
  struct delay *delay; /* NULL: nobody waits (no listener) */
  atomic_llong clock_offset_s;
  atomic_bool ready; /* the files are written: who waits for /livez may read them */
};

/* The time by which assertions, projected tokens and signed AWS requests are judged: the clock's,
 * moved by POST /sim/clock, as if the caller's clock were wrong. Tokens live by the clock. */
int64_t sim_now_s(struct sim *s);

/* Makes everything but options, base_url and delay. keys: file of the keyring, or NULL. */
enum err_code sim_open(struct sim *s, const struct options *o, struct world *w, const char *keys,
                       struct err *e);
/* Frees what sim_open() made; not the world. */
void sim_close(struct sim *s);

/* One HTTP request. Texts are valid until it is answered. */
struct request {
  const char *method;
  const char *path;          /* percent-decoded */
  const char *authorization; /* NULL: no such header */
  bool enums_as_numbers;     /* $alt=json;enum-encoding=int */
  bool compact;              /* prettyPrint=false */
  bool gzip;
  const char *body;
  size_t body_len;
  /* Finds other headers and query parameters; NULL: there are none. */
  const char *(*lookup)(void *ctx, bool is_header, const char *name);
  void *lookup_ctx;
};

static inline const char *request_header(const struct request *q, const char *name)
{
  return q->lookup == NULL ? NULL : q->lookup(q->lookup_ctx, true, name);
}

static inline const char *request_query(const struct request *q, const char *name)
{
  return q->lookup == NULL ? NULL : q->lookup(q->lookup_ctx, false, name);
}

/* A parameter that Google also takes with a dollar sign before its name; NULL: not given. */
const char *request_system_parameter(const struct request *q, const char *name);
/* Sets how the answer is to be written from the query: $alt or alt, prettyPrint. */
void request_read_style(struct request *q);

/* Waits without holding up other requests; ends early at shutdown. */
void sim_wait(struct sim *s, uint32_t ms);

#endif
