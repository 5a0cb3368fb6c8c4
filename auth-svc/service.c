/* The rpcs: open the grant, ask policy, answer. None waits; what walks over all dealers runs
 * on the worker pool. */
#include "auth-svc/service.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/borrow.h"
#include "auth-svc/cohort.h"
#include "auth-svc/cohort_listing.h"
#include "auth-svc/listing.h"
#include "auth-svc/target.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum {
  SERVICE_MAGIC = 0x5e781ce1,
  TOKEN_CALL_MAGIC = 0x70ca1101,
  KEY_WAIT_MAGIC = 0x4e7a17ed,
  TOKEN_CALL_ATTEMPTS = 5, /* when the configuration changes under a call */
};

struct service {
  uint32_t magic;
  struct service_options options;
  struct metric *authenticated;
  struct metric *issued;
  struct verified *verified;
};

static bool holds(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE])
{
  struct service *s = user;
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  /* The directory the caller was found in may be older than this snapshot. */
  const struct dealer *d = directory_by_account(config->directory, dealer->account_id);
  return d != NULL &&
         tokens_holds(s->options.tokens, d->account_id, snapshot_credential(config, d), digest);
}

struct service *service_new(const struct service_options *options)
{
  struct service *s = xcalloc(1, sizeof(*s));
  s->magic = SERVICE_MAGIC;
  s->options = *options;
  s->options.bearer.holds = holds;
  s->options.bearer.user = s;
  s->verified = s->options.bearer.jwt.verified = verified_new(0);
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

static int64_t now_s(void)
{
  return clock_unix_ms() / 1000;
}

static struct service *service_of(void *p)
{
  struct service *s = p;
  MAGIC_CHECK(s, SERVICE_MAGIC);
  return s;
}

/* ------------------------------------------------------------------ the end of a call */

/* What the audit line of a call says; filled in as it becomes known. Texts live as long as
 * the call. */
struct facts {
  const char *event;
  const char *subject, *role;
  const char *account, *dealer, *purpose, *detail;
};

static void facts_of_grant(struct facts *f, const struct unsealed *grant)
{
  static const char *const roles[] = {"", "admin", "group", "dealer"};
  f->subject = grant->grant != NULL ? grant->grant->subject : grant->benchmark->subject;
  if (grant->grant != NULL && (size_t)grant->grant->role < ARRAY_LEN(roles))
    f->role = roles[grant->grant->role];
}

/* The 32 digits of "00-<trace id>-<span>-<flags>"; "" when there are none. */
static const char *trace_id_of(struct rpc_call *call, char out[33])
{
  const char *parent = rpc_call_metadata(call, RPC_META_TRACEPARENT, NULL);
  out[0] = '\0';
  if (parent == NULL || strlen(parent) < 36 || parent[2] != '-' || parent[35] != '-')
    return out;
  for (size_t i = 0; i < 32; i++)
    if (!isxdigit((unsigned char)parent[3 + i]))
      return out;
  snprintf(out, 33, "%.32s", parent + 3);
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

static enum err_code audit_call(const struct service *s, struct rpc_call *call,
                                const struct facts *f, const struct err *error, struct err *e)
{
  char trace[33];
  const struct rpc_peer peer = rpc_call_peer(call);
  bool named = peer.identity != NULL && *peer.identity != '\0';
  const struct audit_event event = {.event = f->event,
                                    .result = result_of(error),
                                    .reason = error != NULL ? error->reason : "",
                                    .subject = f->subject,
                                    .role = f->role,
                                    .account = f->account,
                                    .dealer = f->dealer,
                                    .purpose = f->purpose,
                                    .peer = named ? peer.identity : peer.address,
                                    .trace_id = trace_id_of(call, trace),
                                    .detail = f->detail};
  return audit_write(s->options.audit, &event, e);
}

/* The one way out of every rpc: no answer, good or bad, leaves before its audit line is
 * written. `error` NULL answers well. */
static void end_call(const struct service *s, struct rpc_call *call, const struct facts *f,
                     const ProtobufCMessage *response, const struct err *error)
{
  struct err unaudited = {0};
  if (audit_call(s, call, f, error, &unaudited) != ERR_OK)
    error = &unaudited;
  if (error == NULL)
    rpc_call_reply(call, response);
  else
    rpc_call_finish(call, error);
}

void service_on_refusal(void *user, struct rpc_call *call, const char *method, struct err *status)
{
  const struct service *s = service_of(user);
  const struct facts facts = {.event = "refused", .detail = method};
  struct err unaudited = {0};
  if (audit_call(s, call, &facts, status, &unaudited) != ERR_OK)
    *status = unaudited;
}

/* Whether the caller's certificate allows the rpc. */
static enum err_code check_peer(struct rpc_call *call, const char *identity, struct err *e)
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

static enum err_code open_grant(const struct service *s, struct rpc_call *call,
                                struct unsealed *out, struct facts *f, struct err *e)
{
  size_t len = 0;
  const void *sealed = rpc_call_metadata(call, RPC_META_GRANT, &len);
  enum err_code code =
      seal_open(out, s->options.sealer, sealed, len, now_s(), rpc_call_arena(call), e);
  if (code == ERR_OK)
    facts_of_grant(f, out);
  return code;
}

/* The scope of the caller's own grant; a benchmark grant is no way in here. */
static enum err_code open_scope(const struct service *s, struct rpc_call *call,
                                const struct snapshot *config, const struct scope **out,
                                struct facts *f, struct err *e)
{
  struct unsealed grant;
  enum err_code code = open_grant(s, call, &grant, f, e);
  if (code != ERR_OK)
    return code;
  if (grant.grant == NULL)
    return err_set(e, ERR_PERMISSION_DENIED, "purpose_not_allowed",
                   "a benchmark grant is good for GetAccessToken only");
  *out = scope_new(rpc_call_arena(call), config->directory, grant.grant);
  return *out != NULL
             ? ERR_OK
             : err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "no room to work the grant out");
}

/* Seals into the call's arena. */
static enum err_code seal_bytes(const struct service *s, struct rpc_call *call, enum seal_type type,
                                const ProtobufCMessage *message, ProtobufCBinaryData *out,
                                struct err *e)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  enum err_code code = seal_message(s->options.sealer, type, message, &sealed, e);
  if (code != ERR_OK)
    return code;
  out->len = sealed.len;
  out->data = arena_alloc(rpc_call_arena(call), sealed.len);
  if (out->data == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "no room for the sealed grant");
  memcpy(out->data, sealed.data, sealed.len);
  return ERR_OK;
}

/* ----------------------------------------------------------------- Authenticate */

/* A call whose token names a key we do not have, while the keys are fetched again. Lives in
 * the call's arena. */
struct key_wait {
  uint32_t magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Auth__V1__AuthenticateRequest *request;
};

static void on_keys(void *arg);

/* Checks the bearer with the keys of one moment. */
static enum err_code check_bearer(struct service *s, struct rpc_call *call,
                                  const Analytics__Auth__V1__AuthenticateRequest *r,
                                  Analytics__Auth__V1__Grant **grant, enum bearer_form *form,
                                  uint64_t *generation, struct err *e)
{
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct bearer_policy policy = s->options.bearer;
  const struct jwks_set *set = s->options.jwks != NULL ? jwks_acquire(s->options.jwks) : NULL;
  policy.jwt.fetched = set != NULL ? set->keys : NULL;
  policy.jwt.generation = *generation = set != NULL ? set->generation : 1;
  enum err_code code = bearer_grant(grant, form, &policy, config->directory, r->bearer_token,
                                    now_s(), rpc_call_arena(call), e);
  if (set != NULL)
    jwks_release(s->options.jwks, set);
  return code;
}

/* True when the call goes on in on_keys(). */
static bool wait_for_key(struct service *s, struct rpc_call *call,
                         const Analytics__Auth__V1__AuthenticateRequest *r, uint64_t generation,
                         bool *retry)
{
  struct key_wait *w = ARENA_NEW(rpc_call_arena(call), struct key_wait);
  *retry = false;
  if (w == NULL)
    return false;
  *w = (struct key_wait){KEY_WAIT_MAGIC, s, call, r};
  return jwks_wait(s->options.jwks, generation, on_keys, w, retry);
}

static void finish_authenticate(struct service *s, struct rpc_call *call,
                                Analytics__Auth__V1__Grant *grant, enum bearer_form form,
                                struct err *e)
{
  Analytics__Auth__V1__AuthenticateResponse response;
  analytics__auth__v1__authenticate_response__init(&response);
  response.grant = grant;
  if (strcmp(e->reason, "unknown_key") == 0) /* callers know one reason */
    snprintf(e->reason, sizeof(e->reason), "invalid_credentials");
  if (e->code == ERR_OK)
    seal_bytes(s, call, SEAL_GRANT, &grant->base, &response.sealed, e);
  metric_add(s->authenticated, 1,
             METRIC_LABELS(bearer_form_name(form), e->code == ERR_OK ? "ok" : e->reason));
  struct facts facts = {.event = "authenticate", .detail = bearer_form_name(form)};
  if (e->code == ERR_OK)
    facts_of_grant(&facts, &(struct unsealed){.grant = response.grant});
  else
    log_info("authentication refused", LOG_S("form", bearer_form_name(form)),
             LOG_S("reason", e->reason), LOG_S("error", e->message));
  end_call(s, call, &facts, &response.base, e->code == ERR_OK ? NULL : e);
}

/* `may_wait`: keys may be fetched for this call; at most once. */
static void authenticate(struct service *s, struct rpc_call *call,
                         const Analytics__Auth__V1__AuthenticateRequest *r, bool may_wait)
{
  Analytics__Auth__V1__Grant *grant = NULL;
  enum bearer_form form;
  uint64_t generation;
  bool changed = false;
  struct err e = {0};
  if (check_bearer(s, call, r, &grant, &form, &generation, &e) != ERR_OK && may_wait &&
      strcmp(e.reason, "unknown_key") == 0) {
    if (wait_for_key(s, call, r, generation, &changed))
      return;
    if (changed) { /* between the check and the wait */
      e = (struct err){0};
      check_bearer(s, call, r, &grant, &form, &generation, &e);
    }
  }
  finish_authenticate(s, call, grant, form, &e);
}

static void on_keys(void *arg)
{
  struct key_wait *w = arg;
  MAGIC_CHECK(w, KEY_WAIT_MAGIC);
  authenticate(w->service, w->call, w->request, false);
}

static void handle_authenticate(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  authenticate(service_of(user), call, (const void *)request, true);
}

/* ------------------------------------------------------- ListDealers, ResolveCohort */

static void handle_list_dealers(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  Analytics__Auth__V1__ListDealersResponse *response = NULL;
  const struct scope *scope = NULL;
  struct facts facts = {.event = "list_dealers"};
  struct err e = {0};
  enum err_code code = open_scope(s, call, config, &scope, &facts, &e);
  if (code == ERR_OK)
    code = listing_make(&response, scope, (const void *)request, rpc_call_arena(call), &e);
  end_call(s, call, &facts, code == ERR_OK ? &response->base : NULL, code == ERR_OK ? NULL : &e);
}

static void handle_list_cohorts(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  Analytics__Auth__V1__ListCohortsResponse *response = NULL;
  const struct scope *scope = NULL;
  struct facts facts = {.event = "list_cohorts"};
  struct err e = {0};
  enum err_code code = open_scope(s, call, config, &scope, &facts, &e);
  if (code == ERR_OK)
    code = cohort_listing_make(&response, scope, config->peers, (const void *)request,
                               rpc_call_arena(call), &e);
  end_call(s, call, &facts, code == ERR_OK ? &response->base : NULL, code == ERR_OK ? NULL : &e);
}

static enum err_code resolve_cohort(struct service *s, struct rpc_call *call,
                                    const struct snapshot *config,
                                    const Analytics__Auth__V1__ResolveCohortRequest *request,
                                    Analytics__Auth__V1__ResolveCohortResponse **response,
                                    struct facts *f, struct err *e)
{
  const struct scope *scope = NULL;
  Analytics__Auth__V1__BenchmarkGrant *benchmark = NULL;
  enum err_code code = check_peer(call, s->options.aggregate_identity, e);
  if (code == ERR_OK)
    code = open_scope(s, call, config, &scope, f, e);
  if (code == ERR_OK)
    code = cohort_resolve(response, &benchmark, scope, config->peers, request, rpc_call_arena(call),
                          e);
  if (code == ERR_OK)
    code = seal_bytes(s, call, SEAL_BENCHMARK, &benchmark->base, &(*response)->sealed_benchmark, e);
  return code;
}

static void handle_resolve_cohort(struct rpc_call *call, const ProtobufCMessage *request,
                                  void *user)
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
  end_call(s, call, &facts, code == ERR_OK ? &response->base : NULL, code == ERR_OK ? NULL : &e);
}

/* --------------------------------------------------------------- GetAccessToken */

/* A call that may wait for a refresh. Lives in the call's arena. */
struct token_call {
  uint32_t magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Auth__V1__GetAccessTokenRequest *request;
  struct snapshot *config; /* the target points into it */
  struct target target;
  uint64_t wait_id;
  struct facts facts;
  int attempts;
};
static bool try_with_new_config(struct token_call *t);

/* What went wrong, as the caller may know it: with the dealer's name for its own dealers,
 * without anything that tells a peer apart otherwise. */
static struct err error_for(const struct token_call *t, const struct err *error)
{
  struct err e = *error;
  if (t->target.opaque)
    err_set(&e, error->code, error->reason, "%s",
            strcmp(error->reason, "invalid_grant") == 0
                ? "a dealer of the comparison must re-consent"
                : "no access token for a dealer of the comparison for now");
  else if (t->target.dealer != NULL)
    err_prefix(&e, "dealer \"%s\" %s: ", t->target.dealer->dealer_id, t->target.dealer->name);
  return e;
}

/* The log is the operator's: it names peers too. */
static void facts_of_target(struct facts *f, const struct target *target)
{
  f->account = target->account_id;
  f->dealer = target->dealer != NULL ? target->dealer->dealer_id : NULL;
}

static void reply_token(const struct token_call *t, const struct token_result *result)
{
  Analytics__Auth__V1__GetAccessTokenResponse response;
  analytics__auth__v1__get_access_token_response__init(&response);
  const struct dealer *d = t->target.dealer;
  response.access_token = borrow_text(secret_text(result->access_token));
  response.expires_at = result->expires_at;
  response.dealer_ref = borrow_text(t->target.ref);
  if (d != NULL && !t->target.opaque)
    response.dealer_name = borrow_text(d->name);
  if (d != NULL) {
    response.property_ids = borrow_texts(d->property_ids);
    response.n_property_ids = d->n_property_ids;
  }
  if (t->target.credential->quota_project != NULL)
    response.quota_project_id = t->target.credential->quota_project;
  end_call(t->service, t->call, &t->facts, &response.base, NULL);
}

static void on_token(void *user, const struct token_result *result)
{
  struct token_call *t = user;
  MAGIC_CHECK(t, TOKEN_CALL_MAGIC);
  rpc_call_on_cancel(t->call, NULL, NULL);
  if (result->error.code == ERR_ABORTED && try_with_new_config(t))
    return;
  struct snapshot *config = t->config; /* t is gone with the call */
  bool ok = result->error.code == ERR_OK;
  metric_add(t->service->issued, 1,
             METRIC_LABELS(t->facts.purpose, ok ? "ok" : result->error.reason));
  if (ok) {
    reply_token(t, result);
  } else {
    struct err e = error_for(t, &result->error);
    end_call(t->service, t->call, &t->facts, NULL, &e);
  }
  snapshot_unref(config);
}

static void on_caller_gone(void *arg)
{
  struct token_call *t = arg;
  MAGIC_CHECK(t, TOKEN_CALL_MAGIC);
  tokens_abandon(t->service->options.tokens, t->target.account_id, t->wait_id);
}

static enum err_code check_rejected(const ProtobufCBinaryData *digest, struct err *e)
{
  if (digest->len == 0 || digest->len == SHA256_SIZE)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_digest",
                 "rejected_token_sha256: %zu bytes; a SHA-256 has 32", digest->len);
}

static enum err_code prepare(struct token_call *t, struct err *e)
{
  struct unsealed grant;
  const Analytics__Auth__V1__GetAccessTokenRequest *r = t->request;
  enum err_code code = check_peer(t->call, t->service->options.report_identity, e);
  if (code == ERR_OK)
    code = open_grant(t->service, t->call, &grant, &t->facts, e);
  if (code == ERR_OK)
    code = check_rejected(&r->rejected_token_sha256, e);
  if (code == ERR_OK)
    code = target_resolve(&t->target, t->config, &grant, r, rpc_call_arena(t->call), e);
  if (code == ERR_OK)
    facts_of_target(&t->facts, &t->target);
  return code;
}

/* Resolves the dealer in the current configuration and asks for its token. */
static void start_token_call(struct token_call *t)
{
  struct err e = {0};
  struct service *s = t->service;
  t->config = snapshot_current(s->options.config);
  if (prepare(t, &e) != ERR_OK) {
    metric_add(s->issued, 1, METRIC_LABELS(t->facts.purpose, e.reason));
    log_info("access token refused", LOG_S("purpose", t->facts.purpose), LOG_S("reason", e.reason));
    struct snapshot *config = t->config; /* t goes with the call */
    end_call(s, t->call, &t->facts, NULL, &e);
    snapshot_unref(config);
    return;
  }
  const ProtobufCBinaryData *digest = &t->request->rejected_token_sha256;
  const uint8_t *rejected = digest->len == SHA256_SIZE ? digest->data : NULL;
  t->attempts++;
  t->wait_id = tokens_wait_id(s->options.tokens);
  /* Before the wait starts, so that no end of the call can be missed; abandoning a wait
   * that has not begun does nothing. */
  rpc_call_on_cancel(t->call, on_caller_gone, t);
  tokens_get(s->options.tokens, t->target.account_id, t->target.credential, rejected, t->wait_id,
             on_token, t);
}

static bool try_with_new_config(struct token_call *t)
{
  if (t->attempts >= TOKEN_CALL_ATTEMPTS)
    return false;
  t->facts.account = t->facts.dealer = NULL; /* they point into the old configuration */
  snapshot_unref(t->config);
  start_token_call(t);
  return true;
}

static void handle_get_access_token(struct rpc_call *call, const ProtobufCMessage *request,
                                    void *user)
{
  struct service *s = service_of(user);
  const Analytics__Auth__V1__GetAccessTokenRequest *r = (const void *)request;
  struct token_call *t = ARENA_NEW(rpc_call_arena(call), struct token_call);
  struct err e = {0};
  bool benchmark = r->purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  const struct facts facts = {.event = "get_access_token",
                              .purpose = benchmark ? "benchmark" : "direct"};
  if (t == NULL) {
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "arena", "no room for the call");
    end_call(s, call, &facts, NULL, &e);
    return;
  }
  *t = (struct token_call){
      .magic = TOKEN_CALL_MAGIC, .service = s, .call = call, .request = r, .facts = facts};
  start_token_call(t);
}

static const struct rpc_method methods[] = {
    {"Authenticate", RPC_UNARY, RPC_ON_POLLER, handle_authenticate},
    {"GetAccessToken", RPC_UNARY, RPC_ON_POLLER, handle_get_access_token},
    {"ResolveCohort", RPC_UNARY, RPC_ON_WORKER, handle_resolve_cohort},
    {"ListDealers", RPC_UNARY, RPC_ON_WORKER, handle_list_dealers},
    {"ListCohorts", RPC_UNARY, RPC_ON_WORKER, handle_list_cohorts},
};

enum err_code service_register(struct service *s, struct rpc_server *server, struct err *e)
{
  return rpc_server_add(server, &analytics__auth__v1__auth_service__descriptor, methods,
                        ARRAY_LEN(methods), s, e);
}
