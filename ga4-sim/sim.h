/* The simulator's parts, as its request handlers see them. */
#ifndef GA4_SIM_SIM_H
#define GA4_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ga4-sim/faults.h"
#include "ga4-sim/options.h"
#include "ga4-sim/quota.h"
#include "ga4-sim/reply.h"
#include "ga4-sim/service_account.h"
#include "ga4-sim/stats.h"
#include "ga4-sim/tokens.h"
#include "ga4-sim/world.h"

struct sim {
  const struct options *options;
  struct world *world;
  struct faults *faults;
  struct stats *stats;
  struct quota *quota;
  struct tokens tokens;
  struct service_account *service_account;
  struct delay *delay; /* server.c: waiting that ends at shutdown */
};

/* One HTTP request. Texts are valid until it is answered. */
struct request {
  const char *method;
  const char *path;          /* percent-decoded */
  const char *authorization; /* NULL: no such header */
  const char *page_size, *page_token;
  const char *fault_id;  /* query ?id= */
  bool enums_as_numbers; /* $alt=json;enum-encoding=int */
  bool compact;          /* prettyPrint=false */
  bool gzip;
  const char *body;
  size_t body_len;
};

/* Waits without holding up other requests; ends early at shutdown. */
void sim_wait(struct sim *s, uint32_t ms);

/* The token endpoint (oauth.c). */
void oauth_token(struct sim *s, const struct request *q, struct reply *r);
/* Data API and Admin API (api.c). */
void api_handle(struct sim *s, const struct request *q, struct reply *r);
/* /sim/... (control.c). */
void control_handle(struct sim *s, const struct request *q, struct reply *r);

/* metadata.c and admin.c: bodies of the other methods. */
void metadata_render(const struct world_property *p, bool enums_as_numbers, struct buf *out);
void admin_account_summaries(const struct world *w, int64_t identity, const struct request *q,
                             struct reply *r);
void admin_property(const struct world *w, const struct world_property *p, bool enums_as_numbers,
                    struct buf *out);

#endif
