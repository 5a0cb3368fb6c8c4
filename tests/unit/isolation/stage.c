/* Wires the set together. */
#include "tests/unit/isolation/stage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/cert_maker.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/jwt_maker.h"

static void must(enum err_code code, const struct err *e)
{
  if (code == ERR_OK)
    return;
  fprintf(stderr, "stage: %s\n", e->message);
  abort();
}

static struct rpc_channel *open_channel(const struct rpc_server *server, const char *name)
{
  struct err e = {0};
  struct rpc_channel *channel = NULL;
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(server));
  const struct rpc_channel_options options = {.target = target, .name = name};
  must(rpc_channel_new(&channel, &options, &e), &e);
  return channel;
}

static struct snapshot *load(struct stage *s)
{
  struct snapshot *world = NULL;
  struct err e = {0};
  AUTO_BUF struct buf json = BUF_INIT(1 << 20);
  AUTO_FREE char *token_uri = xasprintf("%s/token", world_google_endpoint(s->google));
  plan_write(&s->plan, token_uri, &json);
  must(snapshot_parse(&world, "plan.json", json.data, json.len,
                      &(struct dealers_options){.warn_of_cohorts = true}, &e),
       &e);
  snapshot_trust(world, &(struct trust){s->sealer, s->keys, s->policies, NULL});
  return world;
}

static const struct rpc_server_options server_options = {
    .listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 2000};

static void start_auth(struct stage *s)
{
  struct err e = {0};
  const struct tokens_options tokens = {.env = {.http = s->http}};
  s->tokens = tokens_new(&tokens);
  const struct service_options options = {
      .config = s->config,
      .tokens = s->tokens,
      .bearer = {.enabled = true,
                 .account_tokens = true,
                 .jwt = {.issuer = "iss", .audience = "analytics-mcp"}}};
  s->auth_service = service_new(&options);
  must(rpc_server_new(&s->auth_server, &server_options, &e), &e);
  must(methods_register(s->auth_service, s->auth_server, &e), &e);
  must(rpc_server_start(s->auth_server, &e), &e);
  s->auth = open_channel(s->auth_server, "auth-svc");
}

static void start_auth_tls(struct stage *s)
{
  static const char *const names[] = {"auth-svc", STAGE_CONSUMER};
  struct err e = {0};
  AUTO_FREE char *dir = folder_make();
  cert_make(dir, names, ARRAY_LEN(names));
  AUTO_FREE char *ca = cert_path(dir, "ca", "pem"), *cert = cert_path(dir, names[0], "pem"),
                 *key = cert_path(dir, names[0], "key"), *own = cert_path(dir, names[1], "pem"),
                 *own_key = cert_path(dir, names[1], "key");
  struct rpc_server_options options = server_options;
  options.tls = (struct rpc_tls){cert, key, ca};
  must(rpc_server_new(&s->auth_tls_server, &options, &e), &e);
  must(methods_register(s->auth_service, s->auth_tls_server, &e), &e);
  must(rpc_server_start(s->auth_tls_server, &e), &e);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(s->auth_tls_server));
  const struct rpc_channel_options channel = {
      .target = target, .name = "auth-svc", .tls = {own, own_key, ca}};
  must(rpc_channel_new(&s->consumer, &channel, &e), &e);
  /* The files are watched: gone only once they were read. */
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  struct reply reply;
  stage_call(&reply, s->consumer, &analytics__auth__v1__auth_service__descriptor, "Authenticate",
             &r.base, NULL);
  if (reply.error.code != ERR_UNAUTHENTICATED)
    must(ERR_UNAVAILABLE, &reply.error);
  reply_free(&reply);
  folder_remove(dir);
}

/* Releases of one world are not those of the next. */
static void forget_releases(struct stage *s)
{
  struct err e = {0};
  release_store_free(s->aggregate_service.store);
  must(release_store_new(&s->aggregate_service.store, &(struct release_store_options){0}, &e), &e);
}

static void start_aggregate(struct stage *s)
{
  struct err e = {0};
  s->aggregate_service = (struct aggregate_service){.auth = s->auth,
                                                    .report = s->report,
                                                    .pool = pool_new("aggregate", 1, 64),
                                                    .options = AGGREGATE_OPTIONS_DEFAULT};
  /* Plans change under the same names: nothing is remembered of the last one. */
  s->aggregate_service.options.lead_memory = 0;
  s->aggregate_service.options.cells_per_day = 1000000;
  forget_releases(s);
  aggregate_service_init(&s->aggregate_service);
  must(rpc_server_new(&s->aggregate_server, &server_options, &e), &e);
  must(rpc_server_add(s->aggregate_server, &analytics__aggregate__v1__aggregate_service__descriptor,
                      aggregate_methods, aggregate_n_methods, &s->aggregate_service, &e),
       &e);
  must(rpc_server_start(s->aggregate_server, &e), &e);
  s->aggregate = open_channel(s->aggregate_server, "aggregate-svc");
}

void stage_start(struct stage *s)
{
  struct err e = {0};
  const struct http_client_options http = {.user_agent = "isolation", .max_host_connections = 64};
  log_init("isolation", LOG_LEVEL_ERROR);
  rpc_init();
  s->google = world_google_start();
  world_google_plan(s->google, &s->plan);
  /* always the same, so that a seed repeats a run */
  must(sealer_new(&s->sealer, "KEY", STAGE_KEY, "test", &e), &e);
  s->keys = jwt_keys_new();
  must(jwt_keys_add_hs256(s->keys, "SECRET", STAGE_SECRET, strlen(STAGE_SECRET), &e), &e);
  must(http_client_new(&s->http, &http, &e), &e);
  s->policies = policies_none();
  s->config = snapshot_slot_new(load(s));
  start_auth(s);
  start_auth_tls(s);
  s->report_side = report_side_start(s->http, s->auth, world_google_endpoint(s->google));
  s->report = open_channel(report_side_server(s->report_side), "report-svc");
  start_aggregate(s);
}

void stage_change(struct stage *s)
{
  world_google_plan(s->google, &s->plan);
  snapshot_replace(s->config, load(s));
  forget_releases(s);
}

void stage_policies(struct stage *s, const char *json)
{
  struct err e = {0};
  policies_unref(TAKE_PTR(s->policies));
  if (json == NULL)
    s->policies = policies_none();
  else
    must(policies_parse(&s->policies, "policies.json", json, strlen(json), &e), &e);
  snapshot_replace(s->config, load(s));
}

void stage_stop(struct stage *s)
{
  rpc_channel_free(s->aggregate);
  aggregate_service_stop(&s->aggregate_service);
  rpc_server_stop(s->aggregate_server);
  pool_free(s->aggregate_service.pool);
  aggregate_service_free(&s->aggregate_service);
  release_store_free(s->aggregate_service.store);
  rpc_channel_free(s->report);
  report_side_stop(s->report_side);
  rpc_channel_free(s->auth);
  rpc_channel_free(s->consumer);
  rpc_server_stop(s->auth_server);
  rpc_server_stop(s->auth_tls_server);
  http_client_free(s->http);
  report_side_free(s->report_side);
  tokens_free(s->tokens);
  service_free(s->auth_service);
  snapshot_slot_free(s->config);
  jwt_keys_unref(s->keys);
  policies_unref(s->policies);
  sealer_unref(s->sealer);
  world_google_stop(s->google);
  rpc_shutdown();
}

/* -------------------------------------------------------------------------- calls */

struct waiting {
  pthread_mutex_t lock;
  pthread_cond_t over;
  bool done;
  struct reply *out;
  const ProtobufCMessageDescriptor *type;
};

static ProtobufCMessage *copy(const ProtobufCMessage *m)
{
  size_t n = protobuf_c_message_get_packed_size(m);
  AUTO_FREE uint8_t *bytes = xcalloc(n + 1, 1);
  protobuf_c_message_pack(m, bytes);
  return protobuf_c_message_unpack(m->descriptor, NULL, n, bytes);
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct waiting *w = user;
  if (w->out->message != NULL)
    protobuf_c_message_free_unpacked(w->out->message, NULL);
  w->out->message = copy(message);
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct waiting *w = user;
  pthread_mutex_lock(&w->lock);
  w->out->error = *status;
  w->done = true;
  pthread_cond_signal(&w->over);
  pthread_mutex_unlock(&w->lock);
}

static enum rpc_kind kind_of(const ProtobufCServiceDescriptor *service, const char *method)
{
  bool tool = service == &analytics__aggregate__v1__aggregate_service__descriptor &&
              strcmp(method, "ListMetrics") != 0;
  return tool || strcmp(method, "FetchReports") == 0 ? RPC_SERVER_STREAMING : RPC_UNARY;
}

void stage_call(struct reply *out, struct rpc_channel *channel,
                const ProtobufCServiceDescriptor *service, const char *method,
                const ProtobufCMessage *request, const ProtobufCBinaryData *grant)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  bool with_grant = grant != NULL && grant->len > 0;
  const struct rpc_metadata metadata = {RPC_META_GRANT, with_grant ? grant->data : NULL,
                                        with_grant ? grant->len : 0};
  const struct rpc_client_options options = {
      .timeout_ms = 20000, .metadata = &metadata, .n_metadata = with_grant ? 1 : 0};
  struct waiting w = {.out = out};
  *out = (struct reply){0};
  pthread_mutex_init(&w.lock, NULL);
  pthread_cond_init(&w.over, NULL);
  struct err e = {0};
  must(rpc_client_start(NULL, channel, service, method, kind_of(service, method), request, &options,
                        &callbacks, &w, &e),
       &e);
  pthread_mutex_lock(&w.lock);
  while (!w.done)
    pthread_cond_wait(&w.over, &w.lock);
  pthread_mutex_unlock(&w.lock);
  pthread_cond_destroy(&w.over);
  pthread_mutex_destroy(&w.lock);
  if (out->error.code != ERR_OK && out->message != NULL) {
    protobuf_c_message_free_unpacked(out->message, NULL);
    out->message = NULL;
  }
}

void reply_free(struct reply *r)
{
  if (r->message != NULL)
    protobuf_c_message_free_unpacked(r->message, NULL);
  *r = (struct reply){0};
}

char *stage_jwt(const char *claims, const char *secret)
{
  AUTO_FREE char *payload =
      xasprintf("{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"sub\":\"ann\",%s}", claims);
  return maker_token("{\"alg\":\"HS256\"}", payload, NULL, secret);
}

void stage_authenticate(struct stage *s, const char *bearer, struct reply *out)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  if (bearer != NULL)
    memcpy(&r.bearer_token, &bearer, sizeof(bearer)); /* protobuf-c has no const */
  r.by_certificate = bearer == NULL;
  stage_call(out, bearer != NULL ? s->auth : s->consumer,
             &analytics__auth__v1__auth_service__descriptor, "Authenticate", &r.base, NULL);
}

void stage_grant(struct stage *s, const char *claims, struct reply *out,
                 ProtobufCBinaryData *sealed)
{
  AUTO_FREE char *all =
      xasprintf("\"exp\":%lld,%s", (long long)clock_unix_ms() / 1000 + 3600, claims);
  AUTO_FREE char *bearer = stage_jwt(all, STAGE_SECRET);
  stage_authenticate(s, bearer, out);
  must(out->error.code, &out->error);
  *sealed = ((Analytics__Auth__V1__AuthenticateResponse *)out->message)->sealed;
}
