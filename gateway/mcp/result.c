/* The frame around a result. */
#include "gateway/mcp/result.h"

#include <string.h>

#include "gateway/mcp/internal.h"

#define META_SERVER "io.modelcontextprotocol/serverInfo"

static void put_text(struct buf *out, const char *key, const char *value)
{
  buf_printf(out, "\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

bool mcp_server_info_put(struct buf *out, const struct mcp_server_options *o,
                         enum mcp_version version)
{
  buf_putc(out, '{');
  put_text(out, "name", o->name);
  if (o->title != NULL && version >= MCP_2025_06_18) {
    buf_putc(out, ',');
    put_text(out, "title", o->title);
  }
  buf_putc(out, ',');
  put_text(out, "version", o->version);
  return buf_putc(out, '}');
}

/* Everything here depends on who asks, or may some day: no cache may share it. */
static void put_kind(struct buf *out, const struct mcp_call *call, const char *kind)
{
  buf_printf(out, "\"resultType\":\"%s\",\"_meta\":{\"" META_SERVER "\":", kind);
  mcp_server_info_put(out, &call->exchange->server->options, call->version);
  if (call->begun) {
    buf_puts(out, ",\"" MCP_META_SUBSCRIPTION "\":");
    jsonrpc_put_id(out, call->id);
  }
  buf_putc(out, '}');
  if (call->method != NULL && call->method->ttl_ms >= 0 && strcmp(kind, MCP_COMPLETE) == 0)
    buf_printf(out, ",\"ttlMs\":%d,\"cacheScope\":\"private\"", call->method->ttl_ms);
}

bool mcp_result_put(struct buf *out, const struct mcp_call *call, const char *kind,
                    const char *result, size_t len)
{
  if (!mcp_version_rules(call->version)->results_say_kind)
    return jsonrpc_put_result(out, call->id, result, len);
  jsonrpc_begin_result(out, call->id);
  buf_putc(out, '{');
  put_kind(out, call, kind);
  if (len > 2) /* more than {} */
    buf_putc(out, ',');
  buf_append(out, result + 1, len - 1);
  return buf_putc(out, '}');
}
