/* The service, and the rpcs that open the grant, ask policy and answer. */
#include "auth-svc/rpc/service.h"

#include <stdlib.h>

#include "auth-svc/grant/cohort.h"
#include "auth-svc/grant/cohort_listing.h"
#include "auth-svc/grant/listing.h"
#include "auth-svc/rpc/internal.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

struct service *service_new(const struct service_options *options)
{
  struct service *s = xcalloc(1, sizeof(*s));
  s->magic = SERVICE_MAGIC;
  s->options = *options;
  s->verified = verified_new(0);
  s->authenticated =
      metrics_counter("auth_authenticate_total", "Bearer tokens checked, by form and result.",
                      "form", "result", NULL);
  s->issued = metrics_counter("auth_tokens_issued_total",
                              "Answers to GetAccessToken, by purpose and result.", "purpose",
                              "result", NULL);
  return s;
}

void service_free(struct service *s)
{
  if (s != NULL)
    verified_free(s->verified);
  free(s);
}

/* ------------------------------------------------------- ListDealers, ResolveCohort */

void service_list_dealers(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  Analytics__Auth__V1__ListDealersResponse *response = NULL;
  const struct scope *scope = NULL;
  struct facts facts = {.event = "list_dealers"};
  struct err e = {0};
  enum err_code code = service_open_scope(call, config, &scope, &facts, &e);
  if (code == ERR_OK)
    code = listing_make(&response, scope, (const void *)request, rpc_call_arena(call), &e);
  service_end_call(s, call, &facts, (const void *)response, &e);
}

void service_list_cohorts(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  Analytics__Auth__V1__ListCohortsResponse *response = NULL;
  const struct scope *scope = NULL;
  struct facts facts = {.event = "list_cohorts"};
  struct err e = {0};
  enum err_code code = service_open_scope(call, config, &scope, &facts, &e);
  if (code == ERR_OK)
    code = cohort_listing_make(&response, scope, config->peers, (const void *)request,
                               rpc_call_arena(call), &e);
  service_end_call(s, call, &facts, (const void *)response, &e);
}

static enum err_code resolve_cohort(struct service *s, struct rpc_call *call,
                                    const struct snapshot *config,
                                    const Analytics__Auth__V1__ResolveCohortRequest *request,
                                    Analytics__Auth__V1__ResolveCohortResponse **response,
                                    struct facts *f, struct err *e)
{
  const struct scope *scope = NULL;
  Analytics__Auth__V1__BenchmarkGrant *benchmark = NULL;
  enum err_code code = service_check_peer(call, s->options.aggregate_identity, e);
  if (code == ERR_OK)
    code = service_open_scope(call, config, &scope, f, e);
  if (code == ERR_OK)
    code = cohort_resolve(response, &benchmark, scope, config->peers, request, rpc_call_arena(call),
                          e);
  if (code == ERR_OK)
    code = service_seal(call, config, SEAL_BENCHMARK, &benchmark->base,
                        &(*response)->sealed_benchmark, e);
  return code;
}

void service_resolve_cohort(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  Analytics__Auth__V1__ResolveCohortResponse *response = NULL;
  struct facts facts = {.event = "resolve_cohort", .purpose = "benchmark"};
  struct err e = {0};
  enum err_code code =
      resolve_cohort(s, call, config, (const void *)request, &response, &facts, &e);
  if (code == ERR_OK)
    facts.detail = response->cohort_id;
  service_end_call(s, call, &facts, (const void *)response, &e);
}
