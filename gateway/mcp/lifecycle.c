/* initialize, server/discover and ping: what the server is and can do. */
#include <string.h>

#include "gateway/mcp/internal.h"
#include "gateway/mcp/result.h"

/* Optional texts are left out, never null: clients refuse a null. */
static void put_offer(struct buf *out, const struct mcp_server_options *o, enum mcp_version version)
{
  buf_puts(out, "\"capabilities\":");
  mcp_capabilities_put(out, &o->tools, version);
  if (o->instructions != NULL && o->instructions[0] != '\0') {
    buf_puts(out, ",\"instructions\":");
    buf_put_json_string(out, o->instructions, strlen(o->instructions));
  }
}

/* The same version back if it is served, else the newest of this era. */
static enum mcp_version negotiate(const cJSON *wanted)
{
  enum mcp_version v = MCP_LEGACY_NEWEST;
  mcp_version_parse(wanted->valuestring, MCP_ERA_LEGACY, &v);
  return v;
}

static void open_session(struct mcp_call *call, const cJSON *wanted)
{
  struct mcp_exchange *x = call->exchange;
  struct mcp_server *s = x->server;
  enum mcp_version version = negotiate(wanted);
  char id[MCP_SESSION_ID_MAX];
  unsigned can =
      mcp_client_capabilities(cJSON_GetObjectItemCaseSensitive(call->params, "capabilities"));
  mcp_session_open(s->sessions, x->principal, version, can, s->unix_ms(), id);
  struct buf result AUTO_BUF = BUF_INIT(65536);
  buf_printf(&result, "{\"protocolVersion\":\"%s\",\"serverInfo\":", mcp_version_name(version));
  mcp_server_info_put(&result, &s->options, version);
  buf_putc(&result, ',');
  put_offer(&result, &s->options, version);
  buf_putc(&result, '}');
  mcp_call_result(call, buf_str(&result), result.len, id);
}

void mcp_initialize(struct mcp_call *call)
{
  const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(call->params, "protocolVersion");
  if (!cJSON_IsString(wanted))
    mcp_call_error(call, JSONRPC_INVALID_PARAMS, "params.protocolVersion must be a string", NULL);
  else
    open_session(call, wanted);
  mcp_call_unref(call);
}

void mcp_discover(struct mcp_call *call)
{
  struct buf result AUTO_BUF = BUF_INIT(65536);
  buf_puts(&result, "{\"supportedVersions\":[");
  mcp_version_put_list(&result, MCP_ERA_MODERN, "\"", ",");
  buf_puts(&result, "],");
  put_offer(&result, &call->exchange->server->options, call->version);
  buf_putc(&result, '}');
  mcp_call_result(call, buf_str(&result), result.len, NULL);
  mcp_call_unref(call);
}

void mcp_ping(struct mcp_call *call)
{
  mcp_call_result(call, "{}", 2, NULL);
  mcp_call_unref(call);
}
