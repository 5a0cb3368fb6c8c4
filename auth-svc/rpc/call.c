/* How a call of the service begins and ends: its grant is opened, its answer is audited. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/rpc/internal.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"

struct service *service_of(void *p)
{
  struct service *s = p;
  MAGIC_CHECK(s, SERVICE_MAGIC);
  return s;
}

int64_t service_now_s(void)
{
  return clock_unix_ms() / 1000;
}

/* ------------------------------------------------------------------ the end of a call */

const char *purpose_name(Analytics__Auth__V1__Purpose purpose)
{
  return purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK ? "benchmark" : "direct";
}

void facts_of_grant(struct facts *f, const Analytics__Auth__V1__Grant *grant)
{
  f->subject = grant->subject;
  f->role = claims_role_name(grant->role);
  f->grant_id = grant->grant_id;
}

static void facts_of_unsealed(struct facts *f, const struct unsealed *u)
{
  f->subject = u->subject;
  f->role = u->grant != NULL ? claims_role_name(u->grant->role) : NULL;
  f->grant_id = u->grant_id;
}

/* "" when the call belongs to no trace. */
static const char *trace_id_of(struct rpc_call *call, char out[TRACE_ID_HEX + 1])
{
  out[0] = '\0';
  if (trace_context_exists(rpc_call_trace(call)))
    trace_context_id(rpc_call_trace(call), out);
  return out;
}

static const char *result_of(const struct err *e)
{
  switch (e != NULL ? e->code : ERR_OK) {
  case ERR_OK:
    return "ok";
  case ERR_UNAUTHENTICATED:
  case ERR_PERMISSION_DENIED:
  case ERR_NOT_FOUND: /* outside the grant reads the same as not there */
    return "denied";
  default:
    return "failed";
  }
}

const char *service_client(struct arena *arena, const char *address)
{
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  uint8_t bytes[16];
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET, address, bytes) == 1)
    return arena_strdup(arena, inet_ntop(AF_INET, bytes, text, sizeof(text)));
  if (inet_pton(AF_INET6, address, bytes) != 1)
    return NULL;
  if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
    return arena_strdup(arena, inet_ntop(AF_INET, bytes + 12, text, sizeof(text)));
  memset(bytes + 8, 0, 8);
  return arena_printf(arena, "%s/64", inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

static struct audit_event event_of(struct rpc_call *call, const struct facts *f,
                                   const struct err *error, char trace[33])
{
  const struct rpc_peer peer = rpc_call_peer(call);
  bool named = peer.identity != NULL && *peer.identity != '\0';
  return (struct audit_event){.event = f->event,
                              .result = result_of(error),
                              .reason = error != NULL ? error->reason : "",
                              .subject = f->subject,
                              .role = f->role,
                              .account = f->account,
                              .dealer = f->dealer,
                              .purpose = f->purpose,
                              .requested = f->requested,
                              .peer = named ? peer.identity : peer.address,
                              .client = f->client,
                              .trace_id = trace_id_of(call, trace),
                              .grant_id = f->grant_id,
                              .detail = f->detail,
                              .count = f->count};
}

/* Whether a stranger can make so many of these that each in a line of its own would fill the disk:
 * whoever has no grant. */
static bool is_strangers(const struct facts *f, const struct err *error)
{
  bool granted = f->grant_id != NULL && *f->grant_id != '\0';
  return error != NULL && (!granted || error->code == ERR_UNAUTHENTICATED);
}

static enum err_code audit_call(const struct service *s, struct rpc_call *call,
                                const struct facts *f, const struct err *error, bool *counted,
                                struct err *e)
{
  char trace[33];
  const struct audit_event event = event_of(call, f, error, trace);
  *counted = false;
  return is_strangers(f, error) ? audit_write_refusal(s->options.audit, &event, counted, e)
                                : audit_write(s->options.audit, &event, e);
}

static void answer(struct rpc_call *call, const ProtobufCMessage *response, const struct err *error)
{
  if (error == NULL)
    rpc_call_reply(call, response);
  else
    rpc_call_finish(call, error);
}

enum err_code service_audit(const struct service *s, struct rpc_call *call, const struct facts *f,
                            struct err *e)
{
  bool counted;
  return audit_call(s, call, f, NULL, &counted, e);
}

void service_end_call(const struct service *s, struct rpc_call *call, const struct facts *f,
                      const ProtobufCMessage *response, const struct err *error)
{
  struct err unaudited = {0};
  bool counted;
  error = error != NULL && error->code == ERR_OK ? NULL : error;
  if (audit_call(s, call, f, error, &counted, &unaudited) != ERR_OK)
    error = &unaudited;
  else if (is_strangers(f, error) && !counted)
    log_info("call refused", LOG_S("event", f->event),
             LOG_S("client", f->client != NULL ? f->client : ""),
             LOG_S("detail", f->detail != NULL ? f->detail : ""), LOG_S("reason", error->reason),
             LOG_S("error", error->message));
  answer(call, response, error);
}

void service_end_audited(struct rpc_call *call, const ProtobufCMessage *response)
{
  answer(call, response, NULL);
}

void service_on_refusal(void *user, struct rpc_call *call, const char *method, struct err *status)
{
  const struct service *s = service_of(user);
  const struct facts facts = {.event = "refused", .detail = method};
  struct err unaudited = {0};
  bool counted;
  if (audit_call(s, call, &facts, status, &counted, &unaudited) != ERR_OK)
    *status = unaudited;
}

/* ---------------------------------------------------------------- the beginning of one */

enum err_code service_check_peer(struct rpc_call *call, const char *identity, struct err *e)
{
  if (identity == NULL)
    return ERR_OK;
  const char *peer = rpc_call_peer(call).identity;
  if (peer != NULL && ascii_case_equal(peer, identity))
    return ERR_OK;
  log_warn("call refused: wrong service", LOG_S("peer", peer != NULL ? peer : ""),
           LOG_S("wanted", identity));
  return err_set(e, ERR_PERMISSION_DENIED, "wrong_service",
                 "this rpc is for the service \"%s\" only; check its certificate", identity);
}

enum err_code service_open_past_grant(struct rpc_call *call, const struct snapshot *config,
                                      int64_t grace_s, struct unsealed *out, struct facts *f,
                                      struct err *e)
{
  size_t len = 0;
  const void *sealed = rpc_call_metadata(call, RPC_META_GRANT, &len);
  enum err_code code = seal_open(out, config->trust.sealer, sealed, len, service_now_s() - grace_s,
                                 rpc_call_arena(call), e);
  if (code == ERR_OK)
    facts_of_unsealed(f, out);
  return code;
}

enum err_code service_open_grant(struct rpc_call *call, const struct snapshot *config,
                                 struct unsealed *out, struct facts *f, struct err *e)
{
  enum err_code code = service_open_past_grant(call, config, 0, out, f, e);
  if (code != ERR_OK)
    return code;
  return policies_check_revoked(config->trust.policies, out->subject, out->token_id,
                                out->principal_id, e);
}

enum err_code service_open_scope(struct rpc_call *call, const struct snapshot *config,
                                 const struct scope **out, struct facts *f, struct err *e)
{
  struct unsealed grant;
  enum err_code code = service_open_grant(call, config, &grant, f, e);
  if (code != ERR_OK)
    return code;
  if (grant.grant == NULL)
    return err_set(e, ERR_PERMISSION_DENIED, "purpose_not_allowed",
                   "a benchmark grant is good for GetAccessToken only");
  *out = scope_new(rpc_call_arena(call), config->directory, grant.grant);
  return *out != NULL ? ERR_OK
                      : err_set(e, ERR_RESOURCE_EXHAUSTED, "arena",
                                "not enough memory to work the grant out");
}

enum err_code service_open_admin(struct rpc_call *call, const struct snapshot *config,
                                 struct unsealed *out, struct facts *f, struct err *e)
{
  enum err_code code = service_open_grant(call, config, out, f, e);
  if (code != ERR_OK)
    return code;
  return out->grant != NULL && out->grant->role == ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN
             ? ERR_OK
             : err_set(e, ERR_PERMISSION_DENIED, "not_admin", "this is for admins only");
}

enum err_code service_check_connect(const struct service *s, struct err *e)
{
  return s->options.connect != NULL
             ? ERR_OK
             : err_set(e, ERR_FAILED_PRECONDITION, "connect_off",
                       "dealers cannot connect by consent here: CONNECT_URL is not set");
}

enum err_code service_seal(struct rpc_call *call, const struct snapshot *config,
                           enum seal_type type, const ProtobufCMessage *message,
                           ProtobufCBinaryData *out, struct err *e)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  enum err_code code = seal_message(config->trust.sealer, type, message, &sealed, e);
  if (code != ERR_OK)
    return code;
  out->len = sealed.len;
  out->data = arena_alloc(rpc_call_arena(call), sealed.len);
  if (out->data == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the sealed grant");
  memcpy(out->data, sealed.data, sealed.len);
  return ERR_OK;
}
