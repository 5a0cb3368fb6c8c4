/* initialize and ping. */
#include <string.h>

#include "gateway/mcp/internal.h"

static void put_text(struct buf *out, const char *key, const char *value)
{
  buf_printf(out, "\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

/* Optional texts are left out, never null: clients refuse a null. */
static void put_initialize_result(struct buf *out, const struct mcp_server_options *o,
                                  enum mcp_version version)
{
  buf_printf(out,
             "{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{}%s%s},\"serverInfo\":{",
             mcp_version_name(version), o->tools.n_resources > 0 ? ",\"resources\":{}" : "",
             o->tools.n_prompts > 0 ? ",\"prompts\":{}" : "");
  put_text(out, "name", o->name);
  if (o->title != NULL && version >= MCP_2025_06_18) {
    buf_putc(out, ',');
    put_text(out, "title", o->title);
  }
  buf_putc(out, ',');
  put_text(out, "version", o->version);
  buf_putc(out, '}');
  if (o->instructions != NULL && o->instructions[0] != '\0') {
    buf_putc(out, ',');
    put_text(out, "instructions", o->instructions);
  }
  buf_putc(out, '}');
}

/* The same version back if it is served, else the newest of this era. */
static enum mcp_version negotiate(const cJSON *wanted)
{
  enum mcp_version v = MCP_VERSION_NEWEST;
  mcp_version_parse(wanted->valuestring, &v);
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
  mcp_session_open(s->sessions, x->principal->id, version, can, s->unix_ms(), id);
  struct buf result AUTO_BUF = BUF_INIT(65536);
  put_initialize_result(&result, &s->options, version);
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

void mcp_ping(struct mcp_call *call)
{
  mcp_call_result(call, "{}", 2, NULL);
  mcp_call_unref(call);
}
