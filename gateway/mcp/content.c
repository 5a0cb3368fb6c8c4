/* Parts of results and messages as JSON. */
#include "gateway/mcp/content.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

static void put_member(struct buf *out, const char *key, const char *value)
{
  if (value == NULL)
    return;
  buf_printf(out, ",\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

static void put_bytes(struct buf *out, const char *key, const void *data, size_t len)
{
  buf_printf(out, ",\"%s\":\"", key);
  base64_encode(out, data, len);
  buf_putc(out, '"');
}

bool mcp_content_put_body(struct buf *out, const char *text, size_t text_len, const void *data,
                          size_t data_len)
{
  if (data != NULL) {
    put_bytes(out, "blob", data, data_len);
  } else {
    buf_puts(out, ",\"text\":");
    buf_put_json_string(out, text, text_len);
  }
  return !out->failed;
}

static void put_embedded(struct buf *out, const struct mcp_content *c)
{
  buf_puts(out, ",\"resource\":{\"uri\":");
  buf_put_json_string(out, c->uri, strlen(c->uri));
  put_member(out, "mimeType", c->mime_type);
  mcp_content_put_body(out, c->text, c->text != NULL ? strlen(c->text) : 0, c->data, c->data_len);
  buf_putc(out, '}');
}

/* In the place of a part that the version does not know. */
static void put_named(struct buf *out, const struct mcp_content *c)
{
  AUTO_FREE char *text =
      c->kind == MCP_LINK
          ? xasprintf("%s: %s", c->name, c->uri)
          : xasprintf("(a sound of type %s, which this version of the protocol cannot carry)",
                      c->mime_type);
  buf_puts(out, "{\"type\":\"text\"");
  put_member(out, "text", text);
}

bool mcp_content_put(struct buf *out, const struct mcp_content *c, enum mcp_version version)
{
  static const struct {
    const char *type;
    enum mcp_version since;
  } kinds[] = {[MCP_TEXT] = {"text", MCP_2024_11_05},
               [MCP_IMAGE] = {"image", MCP_2024_11_05},
               [MCP_AUDIO] = {"audio", MCP_2025_03_26},
               [MCP_EMBEDDED] = {"resource", MCP_2024_11_05},
               [MCP_LINK] = {"resource_link", MCP_2025_06_18}};
  if (version < kinds[c->kind].since) {
    put_named(out, c);
    return buf_putc(out, '}');
  }
  buf_printf(out, "{\"type\":\"%s\"", kinds[c->kind].type);
  if (c->kind == MCP_TEXT) {
    put_member(out, "text", c->text);
  } else if (c->kind == MCP_EMBEDDED) {
    put_embedded(out, c);
  } else if (c->kind == MCP_LINK) {
    put_member(out, "uri", c->uri);
    put_member(out, "name", c->name);
    put_member(out, "mimeType", c->mime_type);
  } else {
    put_bytes(out, "data", c->data, c->data_len);
    put_member(out, "mimeType", c->mime_type);
  }
  return buf_putc(out, '}');
}
