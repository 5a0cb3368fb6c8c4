/* The gateway's HTTP surface: routes, gates, and the way of a posted message. */
#include "gateway/endpoint.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/trace/scope.h"
#include "gateway/access/caller.h"
#include "gateway/http/reply.h"
#include "gateway/messages.h"
#include "gateway/plain/plain.h"
#include "gateway/seal/digest.h"
#include "gateway/views.h"

enum { POST_MAGIC = 0x454e4450 };

/* ---------------------------------------------------------------- answers */

/* A message that cannot be judged now is refused as a message: official clients read the error of
 * JSON-RPC, and hosts show its text. */
static void reply_unavailable(struct exchange *x)
{
  exchange_add_header(x, "Retry-After", "5");
  if (strcmp(exchange_method(x), "POST") != 0 || plain_is_path(exchange_path(x))) {
    reply_error(x, 503, "Auth service unavailable");
    return;
  }
  struct buf body = BUF_INIT(16384);
  size_t len;
  const char *request = exchange_body(x, &len);
  mcp_refusal_put(&body, request, len, -32000, "Auth service unavailable");
  exchange_reply(x, 503, REPLY_JSON_TYPE, &body);
}

static void challenge(struct endpoint *p, struct exchange *x, const char *error,
                      const char *description)
{
  struct buf value AUTO_BUF = BUF_INIT(4096);
  resource_challenge(p->resource, &value, error, description);
  exchange_add_header(x, "WWW-Authenticate", buf_str(&value));
}

/* Another token of the same person would be refused as well, so no challenge asks for one. */
static void reply_unmapped(struct exchange *x, const char *why)
{
  AUTO_FREE char *text = xasprintf("Access denied: %s", why);
  reply_error(x, 403, text);
}

/* Texts a customer's probes look for. */
static void reply_denied(struct endpoint *p, struct exchange *x, enum access_outcome outcome)
{
  switch (outcome) {
  case ACCESS_MISSING:
    challenge(p, x, NULL, NULL);
    reply_error(x, 401, "Missing credentials");
    return;
  case ACCESS_FORBIDDEN:
    challenge(p, x, "insufficient_scope", "The token grants no access here");
    reply_error(x, 403, "Access denied");
    return;
  case ACCESS_UNAVAILABLE:
    reply_unavailable(x);
    return;
  case ACCESS_TOO_MANY:
    exchange_add_header(x, "Retry-After", "5");
    reply_error(x, 429, share_cause_text(SHARE_STRANGERS));
    return;
  default:
    challenge(p, x, "invalid_token", "The token is malformed, expired or not accepted");
    reply_error(x, 401, "Invalid credentials");
    return;
  }
}

/* ----------------------------------------------------------- small routes */

static bool is_get(const struct exchange *x)
{
  return strcmp(exchange_method(x), "GET") == 0 || strcmp(exchange_method(x), "HEAD") == 0;
}

static void route_health(struct endpoint *p, struct exchange *x)
{
  struct buf body = BUF_INIT(4096), list AUTO_BUF = BUF_INIT(2048);
  bool all = true;
  for (size_t i = 0; i < p->n_backends; i++) {
    bool ready = p->backends[i].ready(p->backends[i].arg);
    all &= ready;
    buf_printf(&list, "%s\"%s\":\"%s\"", i > 0 ? "," : "", p->backends[i].name,
               ready ? "ready" : "unreachable");
  }
  buf_printf(&body, "{\"status\":\"%s\",\"version\":\"" AMCP_VERSION "\",\"backends\":{%s}}",
             all ? "ok" : "degraded", buf_str(&list));
  exchange_reply(x, 200, REPLY_JSON_TYPE, &body);
}

static void route_root(struct endpoint *p, struct exchange *x)
{
  (void)p;
  reply_json(x, 200,
             "{\"name\":\"analytics-mcp\",\"version\":\"" AMCP_VERSION
             "\",\"protocol\":\"Model Context Protocol (streamable HTTP)\",\"endpoint\":\"/mcp\","
             "\"health\":\"/health\"}");
}

static void route_metadata(struct endpoint *p, struct exchange *x)
{
  const char *metadata = resource_metadata(p->resource);
  exchange_add_header(x, "Access-Control-Allow-Origin", "*");
  if (metadata != NULL)
    reply_json(x, 200, metadata);
  else
    reply_error(x, 404, "Not found");
}

/* Clients in browsers read the metadata from any page, with headers of their own. */
static void reply_metadata_preflight(struct exchange *x)
{
  exchange_add_header(x, "Access-Control-Allow-Origin", "*");
  exchange_add_header(x, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
  exchange_add_header(x, "Access-Control-Allow-Headers", "MCP-Protocol-Version, Accept");
  exchange_add_header(x, "Access-Control-Max-Age", "600");
  exchange_reply(x, 204, NULL, NULL);
}

/* ------------------------------------------------------------------- gate */

/* Lets browsers of allowed origins see the answer. */
static void add_cors(struct exchange *x, const char *origin)
{
  exchange_add_header(x, "Vary", "Origin");
  if (origin == NULL)
    return;
  exchange_add_header(x, "Access-Control-Allow-Origin", origin);
  exchange_add_header(x, "Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate");
}

static void reply_preflight(struct exchange *x)
{
  const char *methods = plain_is_path(exchange_path(x)) ? PLAIN_METHODS : "GET, " MESSAGES_METHODS;
  exchange_add_header(x, "Allow", methods);
  exchange_add_header(x, "Access-Control-Allow-Methods", methods);
  exchange_add_header(x, "Access-Control-Allow-Headers",
                      "Content-Type, Accept, Authorization, MCP-Protocol-Version, Mcp-Session-Id, "
                      "Mcp-Method, Mcp-Name, Last-Event-ID, traceparent, tracestate");
  exchange_add_header(x, "Access-Control-Max-Age", "600");
  exchange_reply(x, 204, NULL, NULL);
}

/* Refuses credentials for their form. Another scheme, or a scheme without a
 * token (an unset placeholder at the client), counts as none. */
static bool refuse_credentials(struct endpoint *p, struct exchange *x)
{
  const char *token = bearer_token(exchange_header(x, "Authorization"));
  if (!p->auth_enabled || (token != NULL && bearer_well_formed(token)))
    return false;
  reply_denied(p, x, token == NULL ? ACCESS_MISSING : ACCESS_INVALID);
  return true;
}

static void begin_entry(struct endpoint *p, struct exchange *x);

/* What can be decided on the head alone, so that nothing is kept for a stranger. */
static void gate(struct endpoint *p, struct exchange *x)
{
  const char *origin = exchange_header(x, "Origin");
  if (!origin_allowed(p->origins, origin)) {
    reply_error(x, 403, "Origin not allowed: add it to ANALYTICS_MCP_ALLOWED_ORIGINS");
    return;
  }
  if (!host_allowed(p->origins, exchange_header(x, "Host"))) {
    reply_error(x, 403, "Host not allowed: add it to ANALYTICS_MCP_ALLOWED_HOSTS");
    return;
  }
  add_cors(x, origin);
  if (strcmp(exchange_method(x), "OPTIONS") == 0)
    reply_preflight(x);
  else if (!refuse_credentials(p, x))
    begin_entry(p, x);
}

void endpoint_on_refusal(struct exchange *x, void *user)
{
  struct endpoint *p = user;
  const char *origin = exchange_header(x, "Origin");
  if (origin_allowed(p->origins, origin))
    add_cors(x, origin);
}

static bool is_mcp(const struct exchange *x)
{
  return strcmp(exchange_path(x), "/mcp") == 0 || strcmp(exchange_path(x), "/mcp/") == 0;
}

/* What is recorded of a request's path: tools and links stand in it. NULL: nothing is recorded of
 * it. */
static const char *route_of(const struct exchange *x)
{
  const char *path = exchange_path(x);
  if (is_mcp(x))
    return "/mcp";
  if (plain_is_path(path))
    return "/mcp/tools/{tool}";
  return connect_is_path(path) ? "/connect" : NULL;
}

static void take_head(struct exchange *x, struct endpoint *p)
{
  static const struct {
    const char *path;
    void (*route)(struct endpoint *p, struct exchange *x);
  } routes[] = {{"/", route_root}, {"/health", route_health}};
  if (connect_is_path(exchange_path(x))) {
    connect_on_head(p->connect, x);
    return;
  }
  if (is_mcp(x) || plain_is_path(exchange_path(x))) {
    gate(p, x);
    return;
  }
  bool metadata = resource_is_metadata(p->resource, exchange_path(x));
  void (*route)(struct endpoint * p, struct exchange * x) = metadata ? route_metadata : NULL;
  for (size_t i = 0; i < ARRAY_LEN(routes) && route == NULL; i++)
    if (strcmp(routes[i].path, exchange_path(x)) == 0)
      route = routes[i].route;
  if (route == NULL)
    reply_error(x, 404, "Not found: the MCP endpoint is /mcp");
  else if (is_get(x))
    route(p, x);
  else if (metadata && strcmp(exchange_method(x), "OPTIONS") == 0)
    reply_metadata_preflight(x);
  else
    reply_not_allowed(x, "GET, HEAD", "Method not allowed here: the MCP endpoint is /mcp");
}

void endpoint_on_head(struct exchange *x, void *user)
{
  const char *route = route_of(x);
  if (route != NULL)
    exchange_trace_begin(x, route);
  struct trace_scope scope = trace_enter(exchange_trace(x));
  take_head(x, user);
  trace_leave(scope);
}

/* --------------------------------------------------------------- messages */

/* What a request needs from its head to its answer: who sends it. Lives as long as the exchange. */
struct entry {
  unsigned magic;
  struct endpoint *endpoint;
  struct exchange *exchange;
  atomic_int parts; /* of two: the decision on its bearer, and its body; the second goes on */
  enum access_outcome outcome;
  struct grant *grant;
  struct share *share;
  char label[CALLER_LABEL];
};

/* The caller as the protocol sees it; the reference is the caller's. */
static struct mcp_principal *principal_of(struct entry *entry)
{
  return caller_principal(caller_new(
      entry->endpoint->access, bearer_token(exchange_header(entry->exchange, "Authorization")),
      exchange_client(entry->exchange), entry->grant, entry->share, entry->label));
}

/* Outside of a tool call, where a result would say so. */
static void reply_too_many(struct exchange *x, enum share_cause cause, int64_t retry_ms)
{
  reply_add_retry(x, retry_ms);
  if (plain_is_path(exchange_path(x))) {
    reply_error(x, 429, share_cause_text(cause));
    return;
  }
  struct buf body = BUF_INIT(16384);
  size_t len;
  const char *request = exchange_body(x, &len);
  mcp_refusal_put(&body, request, len, -32000, share_cause_text(cause));
  exchange_reply(x, 429, REPLY_JSON_TYPE, &body);
}

static void call_plainly(struct entry *entry)
{
  const struct plain plain = {.mcp = entry->endpoint->mcp, .resource = entry->endpoint->resource};
  struct mcp_principal *principal = principal_of(entry);
  plain_answer(&plain, entry->exchange, principal);
  principal->unref(principal);
}

static void step_up(void *user, struct exchange *x, const char *scopes)
{
  const struct endpoint *p = user;
  struct buf value AUTO_BUF = BUF_INIT(4096);
  resource_step_up(p->resource, &value, scopes);
  exchange_add_header(x, "WWW-Authenticate", buf_str(&value));
}

/* Gives a message of the protocol to it, with its caller. */
static void give(struct entry *entry, void (*take)(const struct messages *m, struct exchange *x,
                                                   struct mcp_principal *principal))
{
  const struct messages messages = {entry->endpoint->mcp, step_up, entry->endpoint};
  struct mcp_principal *principal = principal_of(entry);
  take(&messages, entry->exchange, principal);
  principal->unref(principal);
}

/* Head, body and bearer are known. */
static void answer(struct entry *entry)
{
  struct exchange *x = entry->exchange;
  const char *method = exchange_method(x);
  int64_t retry_ms = 0;
  if (entry->outcome != ACCESS_GRANTED) {
    reply_denied(entry->endpoint, x, entry->outcome);
    return;
  }
  enum share_cause cause = share_request(entry->share, &retry_ms);
  if (cause != SHARE_GRANTED)
    reply_too_many(x, cause, retry_ms);
  else if (plain_is_path(exchange_path(x)))
    call_plainly(entry);
  else if (strcmp(method, "POST") == 0)
    give(entry, messages_post);
  else if (strcmp(method, "DELETE") == 0)
    give(entry, messages_delete);
  else if (strcmp(method, "GET") == 0)
    give(entry, messages_get);
  else
    reply_not_allowed(x, MESSAGES_METHODS, "Method not allowed");
}

static void free_entry(void *arg)
{
  struct entry *entry = arg;
  grant_unref(entry->grant);
  share_unref(entry->share);
  entry->magic = 0;
  free(entry);
}

/* Whose share a request is counted for: the principal's, and where many people come with one
 * trusted token, the person's that it names. Never a matter of access. Shares are kept by the hash,
 * so that a long name takes no more room than a short one. */
static void find_share(struct entry *entry)
{
  const char *principal = grant_principal_id(entry->grant);
  const char *subject = strchr(principal, ':');
  const char *trusted = entry->endpoint->trusted_subject;
  const char *person = exchange_header(entry->exchange, "X-User-ID");
  if (person == NULL)
    person = exchange_header(entry->exchange, "X-User-Email");
  bool named = trusted != NULL && trusted[0] != '\0' && subject != NULL &&
               strcmp(subject + 1, trusted) == 0 && person != NULL && person[0] != '\0';
  uint8_t hash[DIGEST_BYTES];
  AUTO_FREE char *whole = named ? xasprintf("%s\n%s", principal, person) : NULL;
  if (named)
    digest(hash, whole, strlen(whole));
  caller_label(entry->label, named ? hash : grant_principal_digest(entry->grant));
  if (entry->endpoint->shares != NULL)
    entry->share = share_of(entry->endpoint->shares, entry->label, entry->label);
}

static void on_access(void *arg, enum access_outcome outcome, struct grant *grant, const char *why)
{
  struct entry *entry = arg;
  MAGIC_CHECK(entry, POST_MAGIC);
  struct exchange *x = entry->exchange;
  entry->outcome = outcome;
  if (grant != NULL) {
    grant_ref(grant);
    entry->grant = grant;
    find_share(entry);
  }
  /* A refusal needs no body, unless it repeats the id of the request. */
  bool at_once = outcome != ACCESS_GRANTED && outcome != ACCESS_UNAVAILABLE;
  if (at_once && why != NULL)
    reply_unmapped(x, why);
  else if (at_once)
    reply_denied(entry->endpoint, x, outcome);
  exchange_release(x, entry->share);
  if (atomic_fetch_add(&entry->parts, 1) == 1 && !at_once)
    answer(entry);
  exchange_unref(x);
}

/* The bearer is decided while the body comes. */
static void begin_entry(struct endpoint *p, struct exchange *x)
{
  struct entry *entry = xcalloc(1, sizeof(*entry));
  entry->magic = POST_MAGIC;
  entry->endpoint = p;
  entry->exchange = x;
  exchange_set_user(x, entry, free_entry);
  exchange_hold(x);
  exchange_ref(x);
  access_check(p->access, bearer_token(exchange_header(x, "Authorization")), exchange_client(x),
               on_access, entry);
}

static void take_request(struct exchange *x, struct endpoint *p)
{
  if (connect_is_path(exchange_path(x))) {
    connect_on_request(p->connect, x);
    return;
  }
  struct entry *entry = exchange_user(x);
  MAGIC_CHECK(entry, POST_MAGIC);
  if (atomic_fetch_add(&entry->parts, 1) == 1)
    answer(entry);
}

void endpoint_on_request(struct exchange *x, void *user)
{
  struct trace_scope scope = trace_enter(exchange_trace(x));
  take_request(x, user);
  trace_leave(scope);
}

void endpoint_on_grace_over(void *user)
{
  mcp_server_restarting(((struct endpoint *)user)->mcp);
}

void endpoint_on_tick(void *user)
{
  struct endpoint *p = user;
  mcp_server_tick(p->mcp);
  views_check(p->mcp);
}
