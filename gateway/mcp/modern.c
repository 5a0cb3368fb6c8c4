/* The era from 2026-07-28 on: the checks every request passes, and the seam for its
 * methods.
 *
 * No modern version is served yet. server/discover and well-formed requests of a modern version
 * end at "method not found", as on a server that has never heard of the era: clients of both
 * eras then fall back to initialize, where "version not supported" would tell some of them (the
 * Rust SDK) that the server is modern. To serve a version, name it in modern_versions and fill the
 * handler table. */
#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/internal.h"

/* Versions of this era that are served, newest first; ends with NULL. */
static const char *const modern_versions[] = {NULL};

static bool supported(const char *version)
{
  for (size_t i = 0; modern_versions[i] != NULL; i++) {
    if (strcmp(modern_versions[i], version) == 0)
      return true;
  }
  return false;
}

static bool refuse(struct mcp_exchange *x, const struct jsonrpc_message *m, int code,
                   const char *message)
{
  mcp_exchange_refuse(x, 400, code, message, m->id, NULL);
  return false;
}

static bool check_meta(struct mcp_exchange *x, const struct jsonrpc_message *m)
{
  const cJSON *meta = cJSON_GetObjectItemCaseSensitive(m->params, "_meta");
  if (!cJSON_IsString(mcp_era_claim(x->body)))
    return refuse(x, m, JSONRPC_INVALID_PARAMS,
                  "params._meta[\"" MCP_META_VERSION "\"] must be a string");
  if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(meta, MCP_META_CAPABILITIES)))
    return refuse(x, m, JSONRPC_INVALID_PARAMS,
                  "params._meta[\"" MCP_META_CAPABILITIES "\"] must be an object");
  return true;
}

/* Headers that contradict the body come before any look at the version itself. */
static bool check_headers(struct mcp_exchange *x, const struct mcp_headers *h,
                          const struct jsonrpc_message *m)
{
  const char *claimed = mcp_era_claim(x->body)->valuestring;
  if (h->protocol_version != NULL && strcmp(h->protocol_version, claimed) != 0)
    return refuse(x, m, MCP_HEADER_MISMATCH,
                  "The header MCP-Protocol-Version differs from the version in params._meta");
  if (h->method != NULL && strcmp(h->method, m->method) != 0)
    return refuse(x, m, MCP_HEADER_MISMATCH, "The header Mcp-Method differs from method");
  return true;
}

static void refuse_method(struct mcp_exchange *x, const struct jsonrpc_message *m)
{
  mcp_server_count(x->server, "modern", JSONRPC_METHOD_NOT_FOUND);
  mcp_exchange_refuse(x, 404, JSONRPC_METHOD_NOT_FOUND, "Method not found: begin with initialize",
                      m->id, NULL);
}

static void refuse_version(struct mcp_exchange *x, const struct jsonrpc_message *m)
{
  const char *claimed = mcp_era_claim(x->body)->valuestring;
  struct buf data AUTO_BUF = BUF_INIT(65536);
  buf_puts(&data, "{\"supported\":");
  mcp_version_put_list(&data);
  buf_puts(&data, ",\"requested\":");
  /* An echo, not a place to store things in. */
  buf_put_json_string(&data, claimed, strlen(claimed) <= 64 ? strlen(claimed) : 0);
  buf_putc(&data, '}');
  mcp_server_count(x->server, "modern", MCP_UNSUPPORTED_VERSION);
  mcp_exchange_refuse(x, 400, MCP_UNSUPPORTED_VERSION,
                      "Unsupported protocol version: use initialize with one of data.supported",
                      m->id, buf_str(&data));
}

void mcp_modern_post(struct mcp_exchange *x, const struct mcp_headers *headers)
{
  struct jsonrpc_message m = jsonrpc_read(x->body);
  if (m.kind == JSONRPC_NOTIFICATION) {
    mcp_exchange_refuse(x, 202, 0, NULL, NULL, NULL);
    return;
  }
  bool discover = strcmp(m.method, "server/discover") == 0;
  if (modern_versions[0] == NULL && discover) {
    refuse_method(x, &m);
    return;
  }
  if (!check_meta(x, &m) || !check_headers(x, headers, &m))
    return;
  const char *claimed = mcp_era_claim(x->body)->valuestring;
  bool unserved_era = modern_versions[0] == NULL && mcp_version_is_modern(claimed);
  if (supported(claimed) || unserved_era)
    refuse_method(x, &m);
  else
    refuse_version(x, &m);
}
