/* auth-svc: credential broker and access decisions. */
#include <signal.h>
#include <stdio.h>

#include "auth-svc/cli/cli.h"
#include "auth-svc/config/keyring_live.h"
#include "auth-svc/config/reload.h"
#include "auth-svc/config/settings.h"
#include "auth-svc/config/watch.h"
#include "auth-svc/credential/credential.h"
#include "auth-svc/identity/key_sources.h"
#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/http/admin.h"
#include "common/service/frame.h"

/* Token requests under way or waiting for a connection; connections to one token endpoint. */
enum { MAX_REFRESHES = 10000, MAX_CONNECTIONS = 256 };
/* How often a replica looks at what others connected. */
enum { CONNECTED_EVERY_MS = 1000 };

struct app {
  struct settings settings;
  struct audit *audit;
  struct trust_source *trust;
  struct config_watch *watch;
  struct snapshot_slot *config;
  struct http_client *http;
  struct token_store *store;
  struct connect_store *connected;
  struct secret *client_secret; /* of CONNECT_CLIENT_ID */
  char *redirect_uri;
  struct connect *connect;
  struct keyring_live *keys;
  struct tokens *tokens;
  struct jwks *jwks;           /* of AUTH_JWT_JWKS_URL */
  struct key_sources *sources; /* of AUTH_ISSUERS_FILE; NULL until there is an HTTP client */
  struct reload *reload;
  struct service *service;
  struct rpc_server *server;
  struct admin *admin;
};

/* e NULL: it has happened, so a line that cannot be written now is owed and comes before the
 * next one; until then no call is answered. */
static enum err_code audit_change(struct app *a, const char *event, const struct err *error,
                                  const char *detail, struct err *e)
{
  const struct audit_event line = {.event = event,
                                   .result = error == NULL ? "ok" : "failed",
                                   .reason = error != NULL ? error->reason : "",
                                   .detail = detail};
  if (e != NULL)
    return audit_write(a->audit, &line, e);
  audit_write_or_owe(a->audit, &line);
  return ERR_OK;
}

/* A token that was got is worth nothing to anybody before its issue is audited, so a line
 * that cannot be written here stops nothing more. */
static void audit_refresh(void *user, const char *account_id, const struct token_reply *reply)
{
  struct app *a = user;
  bool ok = reply->outcome == TOKEN_OBTAINED;
  const struct audit_event line = {
      .event = "token_refresh",
      .result = ok ? "ok" : "failed",
      .reason = ok ? "" : reply->error.reason,
      .account = account_id,
      .detail = reply->refresh_token != NULL ? "a new refresh token came with it" : NULL};
  audit_write(a->audit, &line, NULL);
}

/* The keys, then the log that is made with them: both before anything else happens. */
static enum err_code open_audit(struct app *a, struct err *e)
{
  enum err_code code = settings_load_keyring(&a->settings, e);
  if (code == ERR_OK)
    code = settings_open_audit(&a->audit, &a->settings, e);
  return code == ERR_OK ? audit_change(a, "start", NULL, "auth-svc " AMCP_VERSION, e) : code;
}

/* The audit line of a state that is in use now: what it trusts, by number. */
static enum err_code audit_loaded(struct app *a, const char *what, struct err *e)
{
  AUTO_SNAPSHOT struct snapshot *s = snapshot_current(a->config);
  const struct policies *p = s->trust.policies;
  char detail[256];
  snprintf(detail, sizeof(detail),
           "%s: %zu dealers, %zu seal keys, %zu jwt keys, %zu policies, %zu revoked, %zu issuers",
           what, s->directory->n_dealers, sealer_n_keys(s->trust.sealer), s->trust.jwt_keys->n,
           p->n, p->subjects.n + p->token_ids.n + p->token_hashes.n, s->trust.issuers->n);
  return audit_change(a, "config_loaded", NULL, detail, e);
}

/* The keys of the issuers of the configuration in use stay up to date. */
static void keep_sources(struct app *a)
{
  AUTO_SNAPSHOT struct snapshot *s = snapshot_current(a->config);
  key_sources_keep(a->sources, s->trust.issuers);
}

static void on_config_changed(void *user)
{
  struct app *a = user;
  if (!reload_run(a->reload))
    return;
  keep_sources(a);
  audit_loaded(a, "changed while running", NULL);
}

/* A change from here on is noticed; the files, the keyring too, are read afterwards. */
static void watch_config(struct app *a)
{
  const struct settings *s = &a->settings;
  const struct config_watch_options options = {
      .paths = {s->from_json ? NULL : s->credentials_path, s->adc_path, s->keyring_file,
                s->trust.seal_key_file, s->trust.jwt_key_file, s->trust.jwt_secret_file,
                s->trust.policy_file, s->trust.issuers_file},
      .check_ms = (uint32_t)s->config_check_s * 1000,
      .on_change = on_config_changed,
      .user = a};
  a->watch = config_watch_new(&options);
}

/* The dealers: those of the file, and those that were connected. */
static enum err_code load_dealers(struct app *a, struct keyring *ring, struct snapshot **out,
                                  struct table *files, struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(CONNECT_FILE_MAX);
  uint64_t version = connect_store_dealers(a->connected, &text);
  const struct dealers_connected connected = {.text = text.data,
                                              .len = text.len,
                                              .client_id = a->settings.connect_client_id,
                                              .client_secret = a->client_secret};
  enum err_code code = settings_load_snapshot(out, &a->settings, ring,
                                              a->connected != NULL ? &connected : NULL, files, e);
  if (code == ERR_OK)
    (*out)->connected_version = version;
  return code;
}

/* Dealers and what is trusted beside them, all of it or nothing. */
static enum err_code load_config(void *user, struct keyring *ring, struct snapshot **out,
                                 struct err *e)
{
  struct app *a = user;
  struct trust trust;
  struct table files;
  read_files_init(&files);
  enum err_code code = trust_load(&trust, a->trust, e);
  if (code == ERR_OK)
    code = load_dealers(a, ring, out, &files, e);
  if (code == ERR_OK && a->sources != NULL)
    code = key_sources_add(a->sources, trust.issuers, e);
  if (code != ERR_OK)
    snapshot_unref(TAKE_PTR(*out));
  config_watch_follow(a->watch, &files);
  table_free(&files);
  if (code == ERR_OK)
    snapshot_trust(*out, &trust);
  trust_clear(&trust);
  if (code == ERR_OK && (*out)->unknown_names != NULL)
    log_warn(
        "policies or issuers use names that the dealers file does not have; they grant nothing",
        LOG_S("setting", "AUTH_POLICY_FILE, AUTH_ISSUERS_FILE"),
        LOG_S("names", (*out)->unknown_names));
  return code;
}

/* A changed keyring and what it seals: both or none. */
static enum err_code load_again(void *user, struct snapshot **out, struct err *e)
{
  struct app *a = user;
  enum err_code code = keyring_live_reload(a->keys, load_config, a, out, e);
  if (code != ERR_OK)
    audit_change(a, "config_refused", e, e->message, NULL);
  return code;
}

static void start_keys(struct app *a)
{
  const struct keyring_live_options options = {.file = a->settings.keyring_file,
                                               .first = a->settings.sealed.keyring,
                                               .audit = a->audit,
                                               .store = a->store,
                                               .connected = a->connected};
  a->keys = keyring_live_new(&options);
}

static enum err_code load(struct app *a, struct err *e)
{
  struct snapshot *first = NULL;
  enum err_code code = trust_source_new(&a->trust, &a->settings.trust, e);
  if (code == ERR_OK)
    code = settings_load_client_secret(&a->client_secret, &a->settings, e);
  if (code == ERR_OK)
    code = settings_open_connected(&a->connected, &a->settings, e);
  if (code == ERR_OK)
    code = load_config(a, a->settings.sealed.keyring, &first, e);
  settings_wipe_secrets(&a->settings);
  if (code == ERR_OK)
    code = settings_open_store(&a->store, &a->settings, e);
  if (code != ERR_OK) {
    snapshot_unref(first);
    audit_change(a, "config_refused", e, e->message, NULL);
    return code;
  }
  log_info("configuration loaded", LOG_I("dealers", first->directory->n_dealers),
           LOG_I("regions", first->directory->n_regions),
           LOG_I("properties", first->directory->n_properties),
           LOG_I("policies", first->trust.policies->n), LOG_I("issuers", first->trust.issuers->n));
  a->config = snapshot_slot_new(first);
  start_keys(a);
  return audit_loaded(a, a->settings.credentials_path, e);
}

static enum err_code start_sources(struct app *a, struct err *e)
{
  AUTO_SNAPSHOT struct snapshot *s = snapshot_current(a->config);
  a->sources = key_sources_new(a->http);
  return key_sources_add(a->sources, s->trust.issuers, e);
}

static enum err_code start_tokens(struct app *a, struct err *e)
{
  /* A refresh for each account at the same time, as the first fan-out after a start asks for; the
   * client's connections bound what reaches Google at once. */
  const struct http_client_options http = {.user_agent = "analytics-mcp/" AMCP_VERSION,
                                           .max_transfers = MAX_REFRESHES,
                                           .max_host_connections = MAX_CONNECTIONS};
  enum err_code code = http_client_new(&a->http, &http, e);
  if (code != ERR_OK)
    return code;
  const struct tokens_options tokens = {
      .env = {a->http, a->settings.token_endpoint, (uint32_t)a->settings.token_timeout_ms},
      .store = a->store,
      .in_use_s = (uint32_t)a->settings.refresh_in_use_s,
      .on_refresh = audit_refresh,
      .user = a};
  a->tokens = tokens_new(&tokens);
  const struct reload_options reload = {
      .config = a->config, .tokens = a->tokens, .load = load_again, .user = a};
  a->reload = reload_new(&reload);
  tokens_start_background(a->tokens);
  const struct jwks_options jwks = {.http = a->http, .url = a->settings.jwks_url};
  if (jwks.url != NULL && jwks_new(&a->jwks, "AUTH_JWT_JWKS_URL", &jwks, e) != ERR_OK)
    return e->code;
  if (start_sources(a, e) != ERR_OK)
    return e->code;
  return config_watch_start(a->watch, e);
}

/* What was stored is taken into use: a reload of everything, as when a file has changed. */
static bool apply_connected(void *user)
{
  struct app *a = user;
  bool ok = reload_run(a->reload);
  if (!ok)
    return false;
  keep_sources(a);
  audit_loaded(a, "connected dealers changed", NULL);
  return true;
}

/* The same of what another replica stored. */
static bool catch_up_connected(void *user)
{
  struct app *a = user;
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(a->config);
  return connect_store_version(a->connected) != config->connected_version && apply_connected(a);
}

static void on_connected_changed(void *user)
{
  catch_up_connected(user);
}

static void start_connect(struct app *a)
{
  const struct settings *s = &a->settings;
  if (a->connected != NULL)
    connect_store_watch(a->connected, CONNECTED_EVERY_MS, on_connected_changed, a);
  if (s->connect_url == NULL)
    return;
  a->redirect_uri = xasprintf("%s/callback", s->connect_url);
  const struct connect_options options = {
      .store = a->connected,
      .google = {.http = a->http,
                 .client_id = s->connect_client_id,
                 .client_secret = a->client_secret,
                 .redirect_uri = a->redirect_uri,
                 .token = s->token_endpoint != NULL ? s->token_endpoint : GOOGLE_TOKEN_ENDPOINT,
                 .revoke = s->connect_revoke,
                 .admin = s->ga4_admin,
                 .data = s->ga4_data,
                 .timeout_ms = (uint32_t)s->token_timeout_ms},
      .url = s->connect_url,
      .authorization = s->connect_authorization,
      .testing = s->connect_testing,
      .require_iss = s->connect_require_iss};
  a->connect = connect_new(&options);
}

static enum err_code start_service(struct app *a, struct err *e)
{
  const struct settings *s = &a->settings;
  bool tls = s->service.tls.cert_file != NULL;
  start_connect(a);
  const struct service_options service = {
      .config = a->config,
      .tokens = a->tokens,
      .audit = a->audit,
      .jwks = a->jwks,
      .sources = a->sources,
      .bearer = {.enabled = s->enable_auth,
                 .account_tokens = s->account_tokens,
                 .allow_unsigned = s->allow_unsigned,
                 .jwt = {.issuer = s->jwt_issuer,
                         .audience = s->jwt_audience,
                         .max_life_s = s->jwt_max_life_s}},
      .aggregate_identity = tls ? s->aggregate_identity : NULL,
      .report_identity = tls ? s->report_identity : NULL,
      .connect = a->connect,
      .connected = a->connected,
      .apply = apply_connected,
      .catch_up = catch_up_connected,
      .apply_user = a,
      .gateway_identity = tls ? s->gateway_identity : NULL,
      .status = {.started_at = clock_unix_ms() / 1000,
                 .cert_file = s->service.tls.cert_file,
                 .reload = a->reload,
                 .keyring = a->keys,
                 .store = a->store,
                 .keyring_file = s->keyring_file,
                 .seal_key_file = s->trust.seal_key_file,
                 .jwt_key_file = s->trust.jwt_key_file},
  };
  a->service = service_new(&service);
  const struct rpc_server_options server = {.listen = s->grpc_listen,
                                            .tls = s->service.tls,
                                            .max_message_bytes = 256 * 1024,
                                            .on_refusal = service_on_refusal,
                                            .user = a->service};
  enum err_code code = rpc_server_new(&a->server, &server, e);
  if (code == ERR_OK)
    code = methods_register(a->service, a->server, e);
  return code == ERR_OK ? rpc_server_start(a->server, e) : code;
}

static bool describe_audit(struct audit *audit, struct buf *detail)
{
  uint64_t free_bytes;
  bool writable = audit_is_writable(audit), low = audit_space_is_low(audit, &free_bytes);
  buf_printf(detail, "%s audit: line %llu",
             !writable ? "failed"
             : low     ? "warn"
                       : "ok",
             (unsigned long long)audit_seq(audit));
  if (!writable)
    buf_puts(detail, "; cannot be written, calls are refused");
  else if (low)
    buf_printf(detail, "; %llu bytes are free on its volume; once it is full, calls are refused",
               (unsigned long long)free_bytes);
  buf_putc(detail, '\n');
  return writable;
}

static bool is_ready(void *user, struct buf *detail)
{
  struct app *a = user;
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(a->config);
  buf_printf(detail, "ok dealers: %zu loaded\n", config->directory->n_dealers);
  if (config->n_unknown_names > 0)
    buf_printf(detail,
               "warn policies, issuers: names that the dealers file does not have: %zu; they grant "
               "nothing, and the log has them\n",
               config->n_unknown_names);
  if (a->jwks != NULL)
    jwks_describe(a->jwks, detail);
  key_sources_describe(a->sources, config->trust.issuers, detail);
  tokens_describe(a->tokens, detail);
  reload_describe(a->reload, detail);
  if (a->store != NULL)
    token_store_describe(a->store, detail);
  bool connected = a->connected == NULL || connect_store_ready(a->connected, detail);
  keyring_live_describe(a->keys, &config->sealed_with, detail);
  return describe_audit(a->audit, detail) && connected;
}

/* States that alerts are made of, as they are when somebody looks. */
static void set_gauges(void *user)
{
  struct app *a = user;
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(a->config);
  metric_set(metrics_gauge("auth_audit_writable",
                           "1 when audit lines can be written; 0: calls are refused.", NULL),
             audit_is_writable(a->audit), NULL);
  metric_set(metrics_gauge(
                 "auth_keyring_keys_idle",
                 "Keys with which nothing is sealed any longer: they may leave the keyring.", NULL),
             (double)keyring_live_idle(a->keys, &config->sealed_with), NULL);
  if (a->store != NULL)
    metric_set(metrics_gauge("auth_state_writable",
                             "1 when replaced refresh tokens can be stored in AUTH_STATE_DIR.",
                             NULL),
               token_store_is_writable(a->store), NULL);
  if (a->connected != NULL)
    metric_set(metrics_gauge("auth_connected_writable",
                             "1 when connected dealers can be read and stored; 0: nobody new can "
                             "connect, and connected dealers are still served.",
                             NULL),
               connect_store_is_well(a->connected), NULL);
}

static enum err_code start_admin(struct app *a, struct err *e)
{
  metrics_on_render(set_gauges, a);
  const struct admin_options options = {a->settings.service.admin_listen, is_ready, a};
  return admin_start(&a->admin, &options, e);
}

static void warn_of_open_doors(const struct settings *s)
{
  if (!s->enable_auth)
    log_warn("ENABLE_AUTH=false: every caller may read every dealer");
  if (s->allow_unsigned)
    log_warn("AUTH_ALLOW_UNSIGNED_TOKENS=true: accounts are taken without proof");
  if (s->http_token_host != NULL)
    log_warn("AUTH_ALLOW_HTTP_TOKEN_HOST: refresh tokens, keys and access tokens may be sent "
             "UNENCRYPTED to this host; for a simulator only, never with real credentials",
             LOG_S("host", s->http_token_host));
}

/* Nobody is sent here any more, while calls are still taken. */
static void drain(void *user)
{
  struct app *a = user;
  admin_set_draining(a->admin);
  rpc_server_drain(a->server);
}

/* In the order of use: nothing new comes in, what is under way ends, then its ground goes. */
static void stop(void *user)
{
  struct app *a = user;
  rpc_server_stop(a->server);
  admin_stop(a->admin);
  config_watch_stop(a->watch);
  if (a->connected != NULL)
    connect_store_unwatch(a->connected);
  keyring_live_free(a->keys);
  http_client_free(a->http);
  connect_free(a->connect);
  token_store_close(a->store);
  tokens_free(a->tokens);
  jwks_free(a->jwks);
  key_sources_free(a->sources);
  reload_free(a->reload);
  service_free(a->service);
  connect_store_close(a->connected);
  secret_unref(a->client_secret);
  free(a->redirect_uri);
  snapshot_slot_free(a->config);
  trust_source_free(a->trust);
  audit_flush_refusals(a->audit);
  if (a->audit != NULL)
    audit_change(a, "stop", NULL, NULL, NULL);
  audit_close(a->audit);
  settings_free(&a->settings);
}

static void on_hup(void *user)
{
  struct app *a = user;
  if (a->settings.from_json)
    log_warn("SIGHUP: GA_CREDENTIALS_JSON cannot change in a running process, only files can; "
             "restart it to change the dealers");
  config_watch_poke(a->watch);
}

/* What is read from files; whatever is wrong with them counts as wrong configuration. */
static enum err_code start_config(struct app *a, struct err *e)
{
  if (settings_await_dealers(&a->settings, e) != ERR_OK)
    return e->code;
  watch_config(a);
  if (open_audit(a, e) != ERR_OK || load(a, e) != ERR_OK)
    e->code = ERR_INVALID_ARGUMENT;
  return e->code;
}

static enum err_code start(void *user, struct err *e)
{
  struct app *a = user;
  if (!secrets_init())
    log_warn("secrets are not locked into memory: raise the memlock limit");
  signal(SIGXFSZ, SIG_IGN); /* a limit on file size refuses calls, it does not end us */
  if (start_config(a, e) != ERR_OK || start_tokens(a, e) != ERR_OK ||
      start_service(a, e) != ERR_OK || start_admin(a, e) != ERR_OK)
    return e->code;
  warn_of_open_doors(&a->settings);
  log_info("serving", LOG_S("listen", a->settings.grpc_listen),
           LOG_I("port", rpc_server_port(a->server)));
  return ERR_OK;
}

int main(int argc, char **argv)
{
  static const struct service_frame frame = {
      .name = "auth-svc", .start = start, .reload = on_hup, .drain = drain, .stop = stop};
  struct app a = {0};
  int exit_code = EXIT_OK;
  if (cli_run(argc, argv, &exit_code) ||
      !settings_read(&a.settings, cli_usage, argc, argv, &exit_code))
    return exit_code;
  return service_run(&frame, &a.settings.service, &a);
}
