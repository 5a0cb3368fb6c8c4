/* The era from 2026-07-28 on: the checks that every request passes, in the order that clients of
 * the era and the official suite expect. A contradiction between headers and body comes before any
 * look at the version; what only a served version asks for comes after it. */
#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/headers.h"
#include "gateway/mcp/internal.h"
#include "gateway/mcp/log.h"

enum { ECHO_MAX = 64 };

/* One request, and what is known of it so far. */
struct request {
  struct mcp_exchange *exchange;
  const struct mcp_headers *headers;
  struct jsonrpc_message message;
  const char *claimed;      /* version; NULL until it is known to be a string */
  const cJSON *can;         /* clientCapabilities */
  enum mcp_version version; /* once it is known to be served */
  const struct mcp_method *method;
  enum mcp_level level; /* of the log that the client asks for */
};

static bool refuse(const struct request *r, int status, int code, const char *message,
                   const char *data)
{
  mcp_server_count(r->exchange->server, "modern", code);
  mcp_exchange_refuse(r->exchange, status, code, message, r->message.id, data);
  return false;
}

static bool check_meta(struct request *r)
{
  const cJSON *meta = cJSON_GetObjectItemCaseSensitive(r->message.params, "_meta");
  r->claimed = cJSON_GetStringValue(mcp_era_claim(r->exchange->body));
  r->can = cJSON_GetObjectItemCaseSensitive(meta, MCP_META_CAPABILITIES);
  if (r->claimed == NULL)
    return refuse(r, 400, JSONRPC_INVALID_PARAMS,
                  "params._meta[\"" MCP_META_VERSION "\"] must be a string", NULL);
  if (!cJSON_IsObject(r->can))
    return refuse(r, 400, JSONRPC_INVALID_PARAMS,
                  "params._meta[\"" MCP_META_CAPABILITIES "\"] must be an object", NULL);
  return true;
}

static bool check_mismatch(struct request *r)
{
  const char *problem = mcp_headers_mismatch(r->headers, &r->message, r->claimed);
  return problem == NULL || refuse(r, 400, MCP_HEADER_MISMATCH, problem, NULL);
}

static bool check_version(struct request *r)
{
  if (mcp_version_parse(r->claimed, MCP_ERA_MODERN, &r->version))
    return true;
  struct buf data AUTO_BUF = BUF_INIT(1024);
  buf_puts(&data, "{\"supported\":[");
  mcp_version_put_list(&data, MCP_ERA_MODERN, "\"", ",");
  buf_puts(&data, "],\"requested\":");
  /* An echo, not a place to store things in. */
  size_t len = strlen(r->claimed);
  buf_put_json_string(&data, r->claimed, len <= ECHO_MAX ? len : 0);
  buf_putc(&data, '}');
  return refuse(r, 400, MCP_UNSUPPORTED_VERSION,
                "Unsupported protocol version: use one of data.supported, or initialize with an "
                "older one",
                buf_str(&data));
}

static bool check_missing(struct request *r)
{
  const struct mcp_tool_host *host = &r->exchange->server->options.tools;
  r->method = mcp_method_find(host, MCP_ERA_MODERN, r->message.method);
  const char *problem = mcp_headers_missing(r->headers, &r->message, r->method);
  return problem == NULL || refuse(r, 400, MCP_HEADER_MISMATCH, problem, NULL);
}

static bool check_method(struct request *r)
{
  return r->method != NULL || refuse(r, mcp_version_rules(r->version)->unknown_method,
                                     JSONRPC_METHOD_NOT_FOUND, "Method not found", NULL);
}

/* Only tools need something of their client. */
static bool check_capability(struct request *r)
{
  if (r->method->handle != mcp_tools_call)
    return true;
  unsigned lacks =
      mcp_tool_lacks(r->exchange->server, r->message.params, mcp_client_capabilities(r->can));
  if (lacks == 0)
    return true;
  struct buf data AUTO_BUF = BUF_INIT(256);
  buf_puts(&data, "{\"requiredCapabilities\":");
  mcp_client_capabilities_put(&data, lacks);
  buf_putc(&data, '}');
  return refuse(r, 400, MCP_MISSING_CAPABILITY,
                "This tool needs a capability that the client does not declare", buf_str(&data));
}

static bool check_level(struct request *r)
{
  const cJSON *meta = cJSON_GetObjectItemCaseSensitive(r->message.params, "_meta");
  const cJSON *level = cJSON_GetObjectItemCaseSensitive(meta, MCP_META_LEVEL);
  r->level = MCP_LEVELS;
  if (level == NULL || cJSON_IsNull(level) || mcp_level_read(level, &r->level))
    return true;
  return refuse(r, 400, JSONRPC_INVALID_PARAMS,
                "params._meta[\"" MCP_META_LEVEL "\"] must be one of " MCP_LEVEL_NAMES, NULL);
}

void mcp_modern_post(struct mcp_exchange *x, const struct mcp_headers *headers)
{
  static bool (*const ladder[])(struct request *
                                r) = {check_meta,   check_mismatch,   check_version, check_missing,
                                      check_method, check_capability, check_level};
  struct request r = {.exchange = x, .headers = headers, .message = jsonrpc_read(x->body)};
  if (r.message.kind == JSONRPC_NOTIFICATION) {
    mcp_exchange_refuse(x, 202, 0, NULL, NULL, NULL);
    return;
  }
  for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
    if (!ladder[i](&r))
      return;
  }
  x->version = r.version;
  x->pending = 1;
  struct mcp_call *call = mcp_call_new(x, &r.message, NULL);
  call->method = r.method;
  call->can = mcp_client_capabilities(r.can);
  call->level = r.level;
  call->method->handle(call);
}
