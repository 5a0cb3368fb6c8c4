/* The gateway put together, in the order in which its parts depend on each other. */
#include "gateway/app.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/admin.h"
#include "common/service/frame.h"
#include "gateway/access/audience.h"
#include "gateway/bridge/bridge.h"
#include "gateway/endpoint.h"
#include "gateway/status/status.h"

enum { N_BACKENDS = 3, AUTH = 0, REPORT = 1, AGGREGATE = 2, MAX_MESSAGE = 8 * 1024 * 1024 };

struct app {
  struct settings settings;
  struct bridge_backend backends[N_BACKENDS];
  struct endpoint_backend shown[N_BACKENDS];
  struct shares *shares, *addresses;
  struct access *access;
  struct audience *audience;
  struct bridge *bridge;
  struct ring *session_keys;
  struct mcp_server *mcp;
  struct resource *resource;
  struct origins *origins;
  struct connect *connect;
  struct proxies *proxies;
  struct endpoint endpoint;
  struct listener *listener;
  struct admin *admin;
  struct status_page *status;
  atomic_bool reached; /* auth-svc was there once */
};

/* For the model: what is here and how to go about it. */
static const char instructions[] =
    "Google Analytics 4 figures of car dealers' websites. Begin with list_dealers to turn names, "
    "cities and regions into dealer_id and region. For \"how does my website do against the "
    "region\" use benchmark_dealer for one dealer, compare_dealer_sessions for several side by "
    "side, compare_trends over weeks, compare_traffic_sources by source and compare_landing_pages "
    "by page; for \"why did my leads drop\" use explain_change; for \"which models are shoppers "
    "most engaged with\" use "
    "analyze_vehicle_interest. For rows of one site use run_report, of several "
    "run_report_across_dealers. Say the period and how many dealers the figures rest "
    "on (coverage), name dealers that could not be read, and repeat the caveats of an answer. "
    "Never add or average rates (engagement rate, bounce rate) over rows or dealers: the tools "
    "give pooled rates. A result that is an error says what to change; correct the arguments and "
    "call again.";

/* --------------------------------------------------------------- backends */

static enum err_code open_backends(struct app *a, struct err *e)
{
  const struct {
    const char *package, *name, *target, *identity;
    uint32_t attempt_ms;
  } backends[N_BACKENDS] = {
      {"analytics.auth.v1", "auth-svc", a->settings.auth_addr, a->settings.auth_identity,
       RPC_QUICK_ATTEMPT_MS},
      {"analytics.report.v1", "report-svc", a->settings.report_addr, a->settings.report_identity,
       0},
      {"analytics.aggregate.v1", "aggregate-svc", a->settings.aggregate_addr,
       a->settings.aggregate_identity, 0},
  };
  for (size_t i = 0; i < N_BACKENDS; i++) {
    struct rpc_channel_options options = {.target = backends[i].target,
                                          .tls = a->settings.service.tls,
                                          .identity = backends[i].identity,
                                          .max_message_bytes = MAX_MESSAGE,
                                          .name = backends[i].name};
    a->backends[i].package = backends[i].package;
    a->backends[i].name = backends[i].name;
    a->backends[i].attempt_ms = backends[i].attempt_ms;
    enum err_code code = rpc_channel_new(&a->backends[i].channel, &options, e);
    if (code != ERR_OK) {
      err_prefix(e, "%s (%s): ", backends[i].name, backends[i].target);
      return code;
    }
  }
  return ERR_OK;
}

static bool backend_ready(void *arg)
{
  return rpc_channel_ready(arg);
}

/* Ready once auth-svc was reached, without which nobody gets in, and takes the tokens that our
 * metadata sends clients for. Later an outage shows in the detail only, since the gateway's own
 * answers explain it better than a missing one. */
static bool ready(void *user, struct buf *detail)
{
  struct app *a = user;
  for (size_t i = 0; i < N_BACKENDS; i++) {
    bool up = service_show_backend(detail, a->backends[i].name, a->backends[i].channel);
    if (i == AUTH && up)
      atomic_store(&a->reached, true);
  }
  return audience_is_right(a->audience, detail) && atomic_load(&a->reached);
}

/* ------------------------------------------------------------------ start */

static void make_shares(struct app *a)
{
  const struct settings *s = &a->settings;
  if (s->unlimited) {
    log_warn("ANALYTICS_MCP_UNLIMITED is set: one caller can use up all resources");
    return;
  }
  a->shares = shares_new(&(struct share_limits){
      .calls = (size_t)s->share_calls,
      .calls_per_minute = (size_t)s->share_calls_per_minute,
      .requests_per_minute = (size_t)s->share_requests_per_minute,
      .body_bytes = (size_t)s->share_body_bytes,
      .answer_bytes = (size_t)s->share_answer_bytes,
      .running = (size_t)s->share_running,
      .running_long = (size_t)s->share_comparisons,
      .all_running = (size_t)s->max_running,
      .all_answer_bytes = (size_t)s->max_answer_bytes,
  });
  a->addresses = shares_new(&(struct share_limits){
      .requests_per_minute = (size_t)s->strangers_per_minute, .addresses = true});
}

static void make_core(struct app *a)
{
  const struct settings *s = &a->settings;
  struct mcp_tool_host host = bridge_host(a->bridge);
  host.lists_change = s->max_streams > 0;
  make_shares(a);
  a->access = access_new(&(struct access_options){
      .auth = a->backends[AUTH].channel, .enabled = s->auth_enabled, .addresses = a->addresses});
  a->mcp = mcp_server_new(&(struct mcp_server_options){
      .name = "analytics-mcp",
      .title = "Analytics for car dealers",
      .version = AMCP_VERSION,
      .instructions = instructions,
      .tools = host,
      .session_keys = a->session_keys,
      .session_life_ms = s->session_life_s * 1000,
      .max_streams = (size_t)s->max_streams,
      .stream_check_ms = s->stream_check_s * 1000,
      .sessions_required = !s->sessionless,
      .asks_in_sessions = s->asks_in_sessions,
  });
}

static void make_endpoint(struct app *a)
{
  for (size_t i = 0; i < N_BACKENDS; i++)
    a->shown[i] =
        (struct endpoint_backend){a->backends[i].name, backend_ready, a->backends[i].channel};
  a->endpoint = (struct endpoint){.access = a->access,
                                  .auth_enabled = a->settings.auth_enabled,
                                  .mcp = a->mcp,
                                  .resource = a->resource,
                                  .origins = a->origins,
                                  .backends = a->shown,
                                  .n_backends = N_BACKENDS,
                                  .shares = a->shares,
                                  .connect = a->connect,
                                  .trusted_subject = a->settings.trusted_subject};
}

static enum err_code start_listener(struct app *a, struct err *e)
{
  const struct settings *s = &a->settings;
  struct listener_options options = {
      .host = s->host,
      .port = (uint16_t)s->port,
      .threads = (unsigned)s->threads,
      .max_connections = (unsigned)s->max_connections,
      .max_body = (size_t)s->max_body,
      .proxies = a->proxies,
      .on_head = endpoint_on_head,
      .on_request = endpoint_on_request,
      .on_refusal = endpoint_on_refusal,
      .on_tick = endpoint_on_tick,
      .on_grace_over = endpoint_on_grace_over,
      .user = &a->endpoint,
  };
  enum err_code code = listener_start(&a->listener, &options, e);
  if (code == ERR_OK && s->port == 0)
    origins_set_port(a->origins, listener_port(a->listener));
  return code;
}

static enum err_code start_admin(struct app *a, struct err *e)
{
  const struct admin_options options = {
      .listen = a->settings.service.admin_listen, .ready = ready, .user = a};
  return admin_start(&a->admin, &options, e);
}

static enum err_code start_status(struct app *a, struct err *e)
{
  const struct settings *s = &a->settings;
  const struct status_page_options options = {
      .auth = a->backends[AUTH].channel,
      .report = a->backends[REPORT].channel,
      .aggregate = a->backends[AGGREGATE].channel,
      .self = {"gateway", s->service.tls.cert_file, clock_unix_ms() / 1000},
      .listen = s->status_listen,
      .tls = {s->status_cert, s->status_key, s->status_client_ca}};
  enum err_code code = status_page_start(&a->status, &options, e);
  if (a->status != NULL)
    log_info("serving", LOG_S("page", "/status"), LOG_S("listen", s->status_listen),
             LOG_I("port", status_page_port(a->status)));
  return code;
}

static enum err_code start(struct app *a, struct err *e)
{
  const struct settings *s = &a->settings;
  enum err_code code = open_backends(a, e);
  if (code == ERR_OK)
    code = resource_new(&a->resource,
                        &(struct resource_options){.url = s->resource_url,
                                                   .auth_servers = s->auth_servers,
                                                   .scopes = s->scopes},
                        e);
  if (code == ERR_OK)
    code =
        bridge_new(&a->bridge,
                   &(struct bridge_options){.backends = a->backends,
                                            .n_backends = N_BACKENDS,
                                            .toolsets = s->toolsets,
                                            .scopes = resource_needs(a->resource, false),
                                            .scopes_to_compare = resource_needs(a->resource, true),
                                            .timeout_ms = (uint32_t)s->tool_timeout_ms},
                   e);
  if (code == ERR_OK)
    code = ring_new(&a->session_keys, "GATEWAY_SESSION_KEY_FILE", s->session_key_file, e);
  if (code == ERR_OK)
    code = origins_new(&a->origins, s->allowed_origins, s->allowed_hosts, s->host,
                       (uint16_t)s->port, e);
  if (code == ERR_OK)
    code = connect_new(
        &a->connect,
        &(struct connect_options){.auth = a->backends[AUTH].channel,
                                  .url = s->connect_url,
                                  .authorization = s->connect_authorization,
                                  .operator_name = s->connect_operator,
                                  .privacy_url = s->connect_privacy_url,
                                  .requests_per_minute = (size_t)s->connect_requests_per_minute},
        e);
  if (code == ERR_OK)
    code = proxies_new(&a->proxies, s->trusted_proxies, s->forwarded_header, e);
  if (code != ERR_OK)
    return code;
  make_core(a);
  a->audience =
      audience_new(a->backends[AUTH].channel, s->auth_enabled ? s->resource_url : NULL, 0);
  make_endpoint(a);
  code = start_listener(a, e);
  if (code == ERR_OK)
    code = start_status(a, e);
  return code == ERR_OK ? start_admin(a, e) : code;
}

static void warn_when_open(const struct settings *s)
{
  if (!s->auth_enabled && !config_host_is_loopback(s->host))
    log_warn("ENABLE_AUTH=false ON AN ADDRESS THAT OTHERS CAN REACH: anyone who can connect reads "
             "every dealer's data. Set ENABLE_AUTH=true or ANALYTICS_MCP_HOST=127.0.0.1",
             LOG_S("host", s->host));
}

static void warn_without_keys(const struct settings *s)
{
  if (s->session_key_file == NULL)
    log_warn("GATEWAY_SESSION_KEY_FILE is not set: sessions end with this process, and no other "
             "replica accepts them. Make a key with auth-svc keygen");
}

static void free_all(struct app *a)
{
  /* The channels end their calls first; these still need bridge, access and protocol, but
   * must begin no others. */
  bridge_stop(a->bridge);
  for (size_t i = 0; i < N_BACKENDS; i++)
    rpc_channel_free(a->backends[i].channel);
  bridge_free(a->bridge);
  access_free(a->access);
  audience_free(a->audience);
  connect_free(a->connect);
  shares_free(a->shares);
  shares_free(a->addresses);
  mcp_server_free(a->mcp);
  ring_free(a->session_keys);
  resource_free(a->resource);
  origins_free(a->origins);
  proxies_free(a->proxies);
  free(a);
}

enum err_code app_start(struct app **out, const struct settings *s, struct err *e)
{
  struct app *a = xcalloc(1, sizeof(*a));
  a->settings = *s;
  enum err_code code = start(a, e);
  if (code != ERR_OK) {
    listener_stop(a->listener, 0);
    status_page_stop(a->status);
    free_all(a);
    return code;
  }
  warn_when_open(s);
  warn_without_keys(s);
  /* The first question starts the connections, so that readiness follows soon. */
  for (size_t i = 0; i < N_BACKENDS; i++)
    rpc_channel_ready(a->backends[i].channel);
  log_info("serving", LOG_S("endpoint", "/mcp"), LOG_S("host", s->host), LOG_I("port", app_port(a)),
           LOG_B("auth", s->auth_enabled));
  *out = a;
  return ERR_OK;
}

uint16_t app_port(const struct app *a)
{
  return listener_port(a->listener);
}

void app_drain(struct app *a)
{
  if (a == NULL)
    return;
  admin_set_draining(a->admin);
  mcp_server_end_streams(a->mcp, NULL);
  listener_drain(a->listener);
}

void app_stop(struct app *a)
{
  if (a == NULL)
    return;
  listener_stop(a->listener, (uint32_t)a->settings.grace_ms);
  status_page_stop(a->status);
  admin_stop(a->admin);
  free_all(a);
}
