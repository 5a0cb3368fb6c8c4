/* The fake auth-svc, and the set put together. */
#include "tests/unit/report/support/fakes.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analytics/auth/v1/status.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

/* An answer with a token. */
struct given {
  Analytics__Auth__V1__GetAccessTokenResponse response;
  char text[32], dealer[16], name[32], property[16], other[16], *properties[2];
};

static void put_token(struct given *g, const struct fakes *f, int number, int token)
{
  static char project[] = "billing", principal[] = "p1";
  Analytics__Auth__V1__GetAccessTokenResponse *r = &g->response;
  snprintf(g->text, sizeof(g->text), "token-%d", token);
  snprintf(g->dealer, sizeof(g->dealer), "d%02d", number);
  snprintf(g->name, sizeof(g->name), "Dealer %d", number);
  snprintf(g->property, sizeof(g->property), "1%02d", number);
  snprintf(g->other, sizeof(g->other), "9%02d", number);
  g->properties[0] = g->property;
  g->properties[1] = g->other;
  analytics__auth__v1__get_access_token_response__init(r);
  r->access_token = g->text;
  r->dealer_ref = g->dealer;
  r->dealer_name = g->name;
  r->n_property_ids = f->several_properties ? 2 : 1;
  if (f->finds_from > 0 && number >= f->finds_from)
    r->n_property_ids = 0;
  r->property_ids = g->properties;
  r->assignment = f->assignment;
  r->quota_project_id = project;
  r->principal = principal;
  r->opaque = f->opaque_from > 0 && number >= f->opaque_from;
}

static void get_token(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fakes *f = service;
  const Analytics__Auth__V1__GetAccessTokenRequest *request = (const void *)message;
  bool by_property =
      request->target_case == ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_PROPERTY_ID;
  const char *ref = by_property ? request->property_id : request->dealer_ref;
  int number = -1, token;
  pthread_mutex_lock(&f->lock);
  f->token_calls++;
  f->grants_seen += rpc_call_metadata(call, RPC_META_GRANT, NULL) != NULL;
  if (request->rejected_token_sha256.len == 32) {
    f->renewals++;
    f->token_number += f->renews;
  }
  token = f->token_number;
  bool fails = f->token_failures > 0;
  f->token_failures -= fails;
  fakes_hold(f, f->token_delay_ms);
  pthread_mutex_unlock(&f->lock);
  struct err e = {0};
  if (fails)
    err_set(&e, ERR_UNAVAILABLE, "token_endpoint_unavailable", "Google answered 503");
  else if (strcmp(ref, "revoked") == 0)
    err_set(&e, ERR_FAILED_PRECONDITION, "invalid_grant", "Token has been expired or revoked.");
  else if (sscanf(ref, by_property ? "1%d" : "d%d", &number) != 1 || number >= FAKE_PROPERTIES)
    err_set(&e, ERR_PERMISSION_DENIED, "permission_denied", "dealer %s is outside the grant", ref);
  if (e.code != ERR_OK) {
    rpc_call_finish(call, &e);
    return;
  }
  struct given given;
  put_token(&given, f, number, token);
  given.response.lease_ms = request->lease_ms;
  rpc_call_reply(call, &given.response.base);
}

/* Tokens of the dealers whose references are well-formed, when the fake is to have some. */
static void get_tokens(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fakes *f = service;
  const Analytics__Auth__V1__GetAccessTokensRequest *request = (const void *)message;
  Analytics__Auth__V1__GetAccessTokensResponse response =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKENS_RESPONSE__INIT;
  struct given given[FAKE_PROPERTIES];
  Analytics__Auth__V1__GetAccessTokenResponse *list[FAKE_PROPERTIES];
  pthread_mutex_lock(&f->lock);
  f->many_calls += f->gives_many;
  for (size_t i = 0; i < request->n_dealer_refs && i < FAKE_PROPERTIES; i++) {
    int number = -1;
    list[response.n_answers++] = &given[i].response;
    if (f->gives_many && sscanf(request->dealer_refs[i], "d%d", &number) == 1)
      put_token(&given[i], f, number, f->token_number);
    else
      analytics__auth__v1__get_access_token_response__init(&given[i].response);
  }
  pthread_mutex_unlock(&f->lock);
  response.answers = list;
  rpc_call_reply(call, &response.base);
}

/* Every property that was seen is the dealer's. */
static void own_properties(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fakes *f = service;
  const Analytics__Auth__V1__OwnPropertiesRequest *request = (const void *)message;
  Analytics__Auth__V1__OwnPropertiesResponse response =
      ANALYTICS__AUTH__V1__OWN_PROPERTIES_RESPONSE__INIT;
  char *ids[16], *names[16];
  pthread_mutex_lock(&f->lock);
  f->own_calls++;
  f->own_seen[0] = '\0';
  for (size_t i = 0; i < request->n_properties && i < ARRAY_LEN(ids); i++) {
    const Analytics__Auth__V1__ReadableProperty *p = request->properties[i];
    size_t used = strlen(f->own_seen);
    snprintf(f->own_seen + used, sizeof(f->own_seen) - used, "%s%s@%s%s", i > 0 ? " " : "",
             p->property_id, p->account_id, p->ordinary ? "" : "?");
    ids[i] = p->property_id;
    names[i] = p->name;
    response.n_property_ids = response.n_names = i + 1;
  }
  const char *fails = f->own_fails;
  pthread_mutex_unlock(&f->lock);
  response.property_ids = ids;
  response.names = names;
  response.assignment = f->assignment;
  struct err e;
  if (fails != NULL) {
    err_set(&e, ERR_FAILED_PRECONDITION, fails, "the dealer's Google login can read none");
    rpc_call_finish(call, &e);
  } else {
    rpc_call_reply(call, &response.base);
  }
}

static void end_lease(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fakes *f = service;
  const Analytics__Auth__V1__EndLeaseRequest *request = (const void *)message;
  Analytics__Auth__V1__EndLeaseResponse response = ANALYTICS__AUTH__V1__END_LEASE_RESPONSE__INIT;
  size_t len;
  const char *grant = rpc_call_metadata(call, RPC_META_GRANT, &len);
  pthread_mutex_lock(&f->lock);
  snprintf(f->lease_grant, sizeof(f->lease_grant), "%.*s", (int)len, grant);
  snprintf(f->lease_of, sizeof(f->lease_of), "%s", request->dealer_ref);
  f->uses_reported += (int)request->uses;
  f->leases_ended++;
  pthread_mutex_unlock(&f->lock);
  rpc_call_reply(call, &response.base);
}

static void list_dealers(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fakes *f = service;
  Analytics__Auth__V1__ListDealersResponse response =
      ANALYTICS__AUTH__V1__LIST_DEALERS_RESPONSE__INIT;
  Analytics__Auth__V1__Dealer dealers[FAKE_PROPERTIES], *list[FAKE_PROPERTIES];
  char ids[FAKE_PROPERTIES][16];
  static char revoked[] = "revoked", name[] = "Name";
  (void)message;
  for (int i = 0; i < f->list_dealers; i++) {
    analytics__auth__v1__dealer__init(&dealers[i]);
    snprintf(ids[i], sizeof(ids[i]), "d%02d", i);
    dealers[i].dealer_id = i == 1 ? revoked : ids[i];
    dealers[i].name = name;
    list[i] = &dealers[i];
  }
  response.n_dealers = (size_t)f->list_dealers;
  response.dealers = list;
  rpc_call_reply(call, &response.base);
}

static const struct rpc_method auth_methods[] = {
    {"GetAccessToken", RPC_UNARY, RPC_ON_WORKER, get_token},
    {"GetAccessTokens", RPC_UNARY, RPC_ON_WORKER, get_tokens},
    {"EndLease", RPC_UNARY, RPC_ON_POLLER, end_lease},
    {"OwnProperties", RPC_UNARY, RPC_ON_POLLER, own_properties},
    {"ListDealers", RPC_UNARY, RPC_ON_POLLER, list_dealers},
};

static void authorize_status(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__AuthorizeStatusResponse response =
      ANALYTICS__AUTH__V1__AUTHORIZE_STATUS_RESPONSE__INIT;
  struct fakes *f = user;
  struct err e = {0};
  (void)request;
  f->status_asked++;
  if (f->refuses_status)
    err_set(&e, ERR_PERMISSION_DENIED, "not_admin", "this is for admins only");
  if (e.code == ERR_OK)
    rpc_call_reply(call, &response.base);
  else
    rpc_call_finish(call, &e);
}

static const struct rpc_method status_methods[] = {
    {"AuthorizeStatus", RPC_UNARY, RPC_ON_POLLER, authorize_status}};

static void must(enum err_code code, const struct err *e)
{
  if (code != ERR_OK)
    printf("\n    %s\n", e->message);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
}

static struct rpc_channel *channel_to(const struct rpc_server *server, const char *name)
{
  char target[32];
  struct rpc_channel *channel;
  struct err e;
  snprintf(target, sizeof(target), "127.0.0.1:%u", rpc_server_port(server));
  struct rpc_channel_options options = {.target = target, .name = name};
  must(rpc_channel_new(&channel, &options, &e), &e);
  return channel;
}

static const struct rpc_server_options server_options = {
    .listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 500};

void fake_auth_start(struct fakes *f)
{
  struct err e;
  must(rpc_server_new(&f->auth_server, &server_options, &e), &e);
  must(rpc_server_add(f->auth_server, &analytics__auth__v1__auth_service__descriptor, auth_methods,
                      ARRAY_LEN(auth_methods), f, &e),
       &e);
  must(rpc_server_add(f->auth_server, &analytics__auth__v1__status_service__descriptor,
                      status_methods, ARRAY_LEN(status_methods), f, &e),
       &e);
  must(rpc_server_start(f->auth_server, &e), &e);
}

static void report_start(struct fakes *f, const struct fakes_options *o)
{
  struct err e;
  struct http_client_options http = {.threads = o->transfer_threads == 0 ? 3 : o->transfer_threads,
                                     .max_host_connections = 768};
  must(http_client_new(&f->http, &http, &e), &e);
  f->auth_channel = channel_to(f->auth_server, "auth-svc");
  struct google_options google = {.http = f->http,
                                  .auth = f->auth_channel,
                                  .data_endpoint = f->endpoint,
                                  .admin_endpoint = f->endpoint,
                                  .timeout_ms = o->timeout_ms == 0 ? 5000 : o->timeout_ms,
                                  .backoff_ms = o->backoff_ms == 0 ? 5 : o->backoff_ms,
                                  .max_transfers = o->max_transfers == 0 ? 128 : o->max_transfers,
                                  .deadline_ms = o->deadline_ms,
                                  .budget = {o->server_errors, o->quota_probe_ms, 25},
                                  .benchmark_places = o->benchmark_places,
                                  .benchmark_reports = o->benchmark_reports,
                                  .properties_ttl_ms = o->properties_ttl_ms,
                                  .lease_ms = o->lease_ms,
                                  .shared = o->shared};
  f->service = (struct service){.google = google_new(&google),
                                .cache = cache_new(o->cache_bytes, 60000),
                                .shared = o->shared,
                                .page_rows = o->page_rows == 0 ? 250000 : o->page_rows,
                                .max_answer_bytes = o->max_answer_bytes,
                                .chunk_rows = o->chunk_rows,
                                .join_bytes = o->join_bytes,
                                .intake_bytes = o->intake_bytes,
                                .fan_out = o->fan_out,
                                .self = {.name = "report-svc"},
                                .gate = {.auth = f->auth_channel}};
  report_service_init(&f->service);
  must(rpc_server_new(&f->report_server, &server_options, &e), &e);
  must(report_service_register(f->report_server, &f->service, &e), &e);
  must(rpc_server_start(f->report_server, &e), &e);
}

void fakes_start(struct fakes *f, const struct fakes_options *options)
{
  static const struct fakes_options defaults;
  *f = (struct fakes){0};
  pthread_mutex_init(&f->lock, NULL);
  wait_init(&f->released);
  rpc_init();
  fake_google_start(f);
  fake_auth_start(f);
  report_start(f, options == NULL ? &defaults : options);
  f->report = channel_to(f->report_server, "report-svc");
}

void fakes_hold(struct fakes *f, int delay_ms)
{
  int releases = f->releases;
  for (int64_t until = clock_mono_ms() + delay_ms; !f->stopping && f->releases == releases;)
    if (!wait_until(&f->released, &f->lock, until))
      return;
}

static void end_delays(struct fakes *f, bool all)
{
  pthread_mutex_lock(&f->lock);
  f->releases++;
  f->stopping = all;
  pthread_cond_broadcast(&f->released);
  pthread_mutex_unlock(&f->lock);
}

void fakes_release(struct fakes *f)
{
  end_delays(f, false);
}

void fakes_stop(struct fakes *f)
{
  end_delays(f, true);
  rpc_channel_free(f->report);
  rpc_server_stop(f->report_server);
  google_end_leases(f->service.google);
  rpc_channel_free(f->auth_channel);
  http_client_free(f->http);
  google_free(f->service.google);
  cache_free(f->service.cache);
  report_service_end(&f->service);
  rpc_server_stop(f->auth_server);
  fake_google_stop(f);
  rpc_shutdown();
  pthread_cond_destroy(&f->released);
  pthread_mutex_destroy(&f->lock);
}

bool fakes_reach(const atomic_int *count, int wanted)
{
  for (int i = 0; i < 10000 && *count < wanted; i++)
    usleep(1000);
  return *count >= wanted;
}
