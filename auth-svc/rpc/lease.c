/* Answers to GetAccessToken that may be used again for a moment, and EndLease, which counts how
 * often they were.
 *
 * Nothing is kept here of a lease: report-svc comes back with the grant and the target, so any
 * replica can write its line. That line has the event of the answer itself and a count: first
 * line and counts add up to the calls. */
#include "auth-svc/rpc/internal.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum {
  GRACE_S = 60,          /* a grant may have ended so long ago when its uses are reported */
  USES_MAX = 1000000000, /* what no report-svc reaches within a lease */
};

typedef Analytics__Auth__V1__GetAccessTokenRequest token_request;
typedef Analytics__Auth__V1__EndLeaseRequest end_request;

uint32_t lease_length(const struct unsealed *grant, int64_t token_expires_at, uint32_t wanted_ms,
                      int64_t now_unix_ms)
{
  if (grant->grant == NULL) /* a benchmark */
    return 0;
  int64_t end_s = grant->expires_at < token_expires_at ? grant->expires_at : token_expires_at;
  int64_t left_ms = end_s * 1000 - now_unix_ms;
  int64_t ms = wanted_ms < LEASE_MAX_MS ? wanted_ms : LEASE_MAX_MS;
  if (left_ms < ms)
    ms = left_ms;
  return ms > 0 ? (uint32_t)ms : 0;
}

/* The target that the lease was for. Its uses are counted also when the configuration has it no
 * more: the line then says what was asked for. */
static void find_target(struct facts *f, struct rpc_call *call, const struct snapshot *config,
                        const struct unsealed *grant, const end_request *r)
{
  struct target target;
  struct err not_found;
  token_request asked = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  asked.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  asked.target_case = (Analytics__Auth__V1__GetAccessTokenRequest__TargetCase)r->target_case;
  asked.dealer_ref = r->dealer_ref; /* each is a text, so all stand in one place */
  if (target_resolve(&target, config, grant, &asked, rpc_call_arena(call), &not_found) == ERR_OK)
    facts_of_target(f, &target);
  else
    f->requested = service_requested(call, &asked);
}

static enum err_code end_lease(struct service *s, struct rpc_call *call,
                               const struct snapshot *config, const end_request *r, struct facts *f,
                               struct err *e)
{
  struct unsealed grant;
  enum err_code code = service_check_peer(call, s->options.report_identity, e);
  if (code == ERR_OK)
    code = service_open_past_grant(call, config, GRACE_S, &grant, f, e);
  if (code == ERR_OK && (r->uses == 0 || r->uses > USES_MAX))
    code = err_set(e, ERR_INVALID_ARGUMENT, "bad_uses", "uses: must be 1 to %d", USES_MAX);
  if (code == ERR_OK && grant.grant == NULL)
    code = err_set(e, ERR_PERMISSION_DENIED, "purpose_not_allowed",
                   "answers for a benchmark grant cannot be reused");
  if (code != ERR_OK)
    return code;
  find_target(f, call, config, &grant, r);
  f->count = r->uses;
  f->detail = "used again";
  metric_add(s->issued, (double)r->uses, METRIC_LABELS(f->purpose, "used_again"));
  return ERR_OK;
}

void service_end_lease(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct facts facts = {.event = "get_access_token", .purpose = "direct"};
  Analytics__Auth__V1__EndLeaseResponse response = ANALYTICS__AUTH__V1__END_LEASE_RESPONSE__INIT;
  struct err e = {0};
  end_lease(s, call, config, (const end_request *)request, &facts, &e);
  service_end_call(s, call, &facts, &response.base, &e);
}
