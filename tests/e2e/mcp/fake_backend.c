/* Auth, report and aggregate services in one process, for the gateway's tests. */
#include "tests/e2e/mcp/fake_backend.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "analytics/auth/v1/auth.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/rpc/rpc.h"

struct fake_backend {
  struct rpc_server *server;
  bool allow_empty;
  atomic_int hanging, cancels, questions;
  atomic_int refused; /* grants up to this number are refused */
  pthread_mutex_t lock;
  char client[64]; /* guarded by lock */
};

static void fail(struct rpc_call *call, enum err_code code, const char *reason, const char *text)
{
  struct err e = {0};
  err_set(&e, code, reason, "%s", text);
  rpc_call_finish(call, &e);
}

/* ------------------------------------------------------------------- auth */

static void reply_grant(struct rpc_call *call, char *subject, int64_t expires_at, int number)
{
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  grant.subject = subject;
  grant.role = ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  grant.expires_at = expires_at;
  grant.principal_id = (char *)"hash";
  /* Somebody who sees another dealer each time. */
  char *moving = arena_printf(rpc_call_arena(call), "d%d", number);
  if (strcmp(subject, "moving") == 0) {
    grant.dealer_ids = &moving;
    grant.n_dealer_ids = 1;
  }
  Analytics__Auth__V1__AuthenticateResponse r = ANALYTICS__AUTH__V1__AUTHENTICATE_RESPONSE__INIT;
  r.grant = &grant;
  char *sealed = arena_printf(rpc_call_arena(call), "sealed:%d:%s", number, subject);
  r.sealed.data = (uint8_t *)sealed;
  r.sealed.len = strlen(sealed);
  rpc_call_reply(call, &r.base);
}

static void authenticate(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  struct fake_backend *f = service;
  const Analytics__Auth__V1__AuthenticateRequest *q =
      (const Analytics__Auth__V1__AuthenticateRequest *)request;
  const char *token = q->bearer_token;
  pthread_mutex_lock(&f->lock);
  snprintf(f->client, sizeof(f->client), "%s", q->client_address);
  pthread_mutex_unlock(&f->lock);
  int64_t now = clock_unix_ms() / 1000;
  int number = ++f->questions;
  if (strncmp(token, "good-", 5) == 0)
    reply_grant(call, (char *)(uintptr_t)token + 5, now + 3600, number);
  else if (strcmp(token, "expired") == 0)
    reply_grant(call, (char *)"x", now - 10, number);
  else if (token[0] == '\0' && f->allow_empty)
    reply_grant(call, (char *)"local-development", now + 3600, number);
  else if (token[0] == '\0')
    fail(call, ERR_UNAUTHENTICATED, "missing_credentials", "Missing credentials");
  else if (strcmp(token, "forbidden") == 0)
    fail(call, ERR_PERMISSION_DENIED, "no_dealers", "no dealers");
  else if (strcmp(token, "down") == 0)
    fail(call, ERR_UNAVAILABLE, "keys_unavailable", "the key server does not answer");
  else
    fail(call, ERR_UNAUTHENTICATED, "invalid_credentials", "Invalid credentials");
}

/* What waits for its cancellation. */
struct waiting {
  struct fake_backend *backend;
  struct rpc_call *call;
};

static void on_waiting_cancel(void *arg)
{
  struct waiting *w = arg;
  w->backend->cancels++;
  fail(w->call, ERR_CANCELLED, "cancelled", "cancelled");
}

static void count_cancel(struct fake_backend *f, struct rpc_call *call)
{
  struct waiting *w = ARENA_NEW(rpc_call_arena(call), struct waiting);
  *w = (struct waiting){.backend = f, .call = call};
  rpc_call_on_cancel(call, on_waiting_cancel, w);
  f->hanging++;
}

static void reply_dealers(struct rpc_call *call, size_t n, const char *name, int32_t total)
{
  struct arena *arena = rpc_call_arena(call);
  Analytics__Auth__V1__ListDealersResponse r = ANALYTICS__AUTH__V1__LIST_DEALERS_RESPONSE__INIT;
  Analytics__Auth__V1__Dealer dealer = ANALYTICS__AUTH__V1__DEALER__INIT;
  dealer.dealer_id = (char *)"d01";
  dealer.name = (char *)(uintptr_t)name;
  dealer.region = (char *)"West";
  char *properties[] = {(char *)"213025502"}, *regions[] = {(char *)"West"};
  dealer.property_ids = properties;
  dealer.n_property_ids = 1;
  r.dealers = ARENA_ARRAY(arena, Analytics__Auth__V1__Dealer *, n);
  for (size_t i = 0; i < n; i++)
    r.dealers[i] = &dealer;
  r.n_dealers = n;
  r.total = total;
  r.regions = regions;
  r.n_regions = 1;
  rpc_call_reply(call, &r.base);
}

/* An entry as text; NULL when there is none. */
static const char *text_entry(struct rpc_call *call, const char *key)
{
  size_t len = 0;
  const char *bytes = rpc_call_metadata(call, key, &len);
  return bytes != NULL ? arena_strndup(rpc_call_arena(call), bytes, len) : NULL;
}

/* Every tool needs the grant that Authenticate sealed. */
static bool has_grant(const struct fake_backend *f, struct rpc_call *call)
{
  const char *sealed = text_entry(call, RPC_META_GRANT);
  if (sealed == NULL || strncmp(sealed, "sealed:", 7) != 0 || sealed[7] == '\0')
    fail(call, ERR_PERMISSION_DENIED, "no_grant", "no sealed grant came with the call");
  else if (strtol(sealed + 7, NULL, 10) <= f->refused)
    fail(call, ERR_UNAUTHENTICATED, "bad_grant", "the grant was sealed with a key that is gone");
  else
    return true;
  return false;
}

static void list_dealers(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  struct fake_backend *f = service;
  const Analytics__Auth__V1__ListDealersRequest *q =
      (const Analytics__Auth__V1__ListDealersRequest *)request;
  if (!has_grant(f, call))
    return;
  const char *trace = text_entry(call, RPC_META_TRACEPARENT);
  if (strcmp(q->region, "nowhere") == 0)
    fail(call, ERR_NOT_FOUND, "unknown_region", "no region \"nowhere\"; regions are West");
  else if (strcmp(q->query, "refuse") == 0)
    fail(call, ERR_UNAUTHENTICATED, "bad_grant", "the grant was sealed by another process");
  else if (strcmp(q->query, "revoked") == 0)
    fail(call, ERR_UNAUTHENTICATED, "revoked", "this bearer token has been revoked");
  else if (strcmp(q->query, "hang") == 0)
    count_cancel(f, call);
  else if (strcmp(q->query, "internal") == 0)
    fail(call, ERR_INTERNAL, "bug", "row 3 is odd");
  else if (strcmp(q->query, "huge") == 0)
    reply_dealers(call, 90000, "A dealer with a name of some length", 60000);
  else if (strcmp(q->query, "trace") == 0)
    reply_dealers(call, 1, trace != NULL ? trace : "none", 1);
  else
    reply_dealers(call, 1, "Ford of \"Portland\"\n",
                  strcmp(q->query, "cancels") == 0 ? f->cancels : 1);
}

/* ----------------------------------------------------------------- report */

static void run_report(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  struct fake_backend *f = service;
  const Analytics__Report__V1__RunReportRequest *q =
      (const Analytics__Report__V1__RunReportRequest *)request;
  Analytics__Report__V1__RunReportResponse r = ANALYTICS__REPORT__V1__RUN_REPORT_RESPONSE__INIT;
  if (!has_grant(f, call))
    return;
  if (strcmp(q->dealer_id, "quota") == 0)
    fail(call, ERR_RESOURCE_EXHAUSTED, "quota_exhausted", "quota exhausted until 08:00Z");
  else
    rpc_call_reply(call, &r.base);
}

/* -------------------------------------------------------------- aggregate */

static void send_progress(struct rpc_call *call, double progress, double total)
{
  Mcp__V1__Progress p = MCP__V1__PROGRESS__INIT;
  Analytics__Aggregate__V1__CompareDealerSessionsResponse r =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__INIT;
  char text[64];
  snprintf(text, sizeof(text), "%.0f of %.0f dealers", progress, total);
  p.progress = progress;
  p.total = total;
  p.message = text;
  r.event_case = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_PROGRESS;
  r.progress = &p;
  rpc_call_send_wait(call, &r.base);
}

static void send_comparison(struct rpc_call *call)
{
  Analytics__Aggregate__V1__CompareDealerSessionsResult result =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  Analytics__Aggregate__V1__DealerSessions dealer = ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__INIT;
  Analytics__Aggregate__V1__DealerSessions *dealers[] = {&dealer};
  Analytics__Aggregate__V1__CompareDealerSessionsResponse r =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__INIT;
  dealer.dealer_id = (char *)"d01";
  dealer.sessions = 9007199254740993;
  dealer.opt_engagement_rate_case =
      ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_ENGAGEMENT_RATE_ENGAGEMENT_RATE;
  dealer.engagement_rate = 0.5;
  result.headline = (char *)"d01 is 20 % above its region.";
  result.dealers = dealers;
  result.n_dealers = 1;
  r.event_case = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_RESULT;
  r.result = &result;
  rpc_call_send_wait(call, &r.base);
}

static void compare(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  struct fake_backend *f = service;
  const char *region =
      ((const Analytics__Aggregate__V1__CompareDealerSessionsRequest *)request)->region;
  if (!has_grant(f, call))
    return;
  send_progress(call, 1, 3);
  if (strcmp(region, "hang") == 0 || (strcmp(region, "first hangs") == 0 && f->hanging == 0)) {
    count_cancel(f, call);
    return;
  }
  if (strcmp(region, "slow") == 0)
    nanosleep(&(struct timespec){.tv_sec = 12}, NULL);
  send_progress(call, 2, 3);
  send_progress(call, 3, 3);
  if (strcmp(region, "silent") != 0)
    send_comparison(call);
  rpc_call_finish(call, NULL);
}

/* ------------------------------------------------------------------ start */

static const struct rpc_method auth_methods[] = {
    {"Authenticate", RPC_UNARY, RPC_ON_POLLER, authenticate},
    {"ListDealers", RPC_UNARY, RPC_ON_WORKER, list_dealers},
};
static const struct rpc_method report_methods[] = {
    {"RunReport", RPC_UNARY, RPC_ON_POLLER, run_report},
};
static const struct rpc_method aggregate_methods[] = {
    {"CompareDealerSessions", RPC_SERVER_STREAMING, RPC_ON_WORKER, compare},
};

static enum err_code add_services(struct fake_backend *f, struct err *e)
{
  enum err_code code = rpc_server_add(f->server, &analytics__auth__v1__auth_service__descriptor,
                                      auth_methods, ARRAY_LEN(auth_methods), f, e);
  if (code == ERR_OK)
    code = rpc_server_add(f->server, &analytics__report__v1__report_service__descriptor,
                          report_methods, ARRAY_LEN(report_methods), f, e);
  if (code == ERR_OK)
    code = rpc_server_add(f->server, &analytics__aggregate__v1__aggregate_service__descriptor,
                          aggregate_methods, ARRAY_LEN(aggregate_methods), f, e);
  return code == ERR_OK ? rpc_server_start(f->server, e) : code;
}

struct fake_backend *fake_backend_start(uint16_t port, bool allow_empty_bearer)
{
  struct fake_backend *f = xcalloc(1, sizeof(*f));
  pthread_mutex_init(&f->lock, NULL);
  char listen[32];
  snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
  struct rpc_server_options options = {.listen = listen, .drain_ms = 1, .grace_ms = 500};
  struct err e = {0};
  f->allow_empty = allow_empty_bearer;
  if (rpc_server_new(&f->server, &options, &e) == ERR_OK && add_services(f, &e) == ERR_OK)
    return f;
  fprintf(stderr, "fake backend: %s\n", e.message);
  fake_backend_stop(f);
  return NULL;
}

uint16_t fake_backend_port(const struct fake_backend *f)
{
  return rpc_server_port(f->server);
}

int fake_backend_hanging(const struct fake_backend *f)
{
  return f->hanging;
}

int fake_backend_cancels(const struct fake_backend *f)
{
  return f->cancels;
}

void fake_backend_refuse_grants(struct fake_backend *f)
{
  atomic_store(&f->refused, atomic_load(&f->questions));
}

int fake_backend_questions(const struct fake_backend *f)
{
  return f->questions;
}

void fake_backend_client(struct fake_backend *f, char *out, size_t size)
{
  pthread_mutex_lock(&f->lock);
  snprintf(out, size, "%s", f->client);
  pthread_mutex_unlock(&f->lock);
}

void fake_backend_stop(struct fake_backend *f)
{
  if (f == NULL)
    return;
  rpc_server_stop(f->server);
  pthread_mutex_destroy(&f->lock);
  free(f);
}
