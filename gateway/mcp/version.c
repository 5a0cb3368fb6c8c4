/* Protocol revisions of the initialize era: names and order. */
#include "gateway/mcp/version.h"

#include <stddef.h>
#include <string.h>

static const char *const names[MCP_VERSION_COUNT] = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                     "2025-11-25"};

const char *mcp_version_name(enum mcp_version v)
{
  return names[v];
}

bool mcp_version_parse(const char *text, enum mcp_version *out)
{
  for (int v = 0; text != NULL && v < MCP_VERSION_COUNT; v++) {
    if (strcmp(text, names[v]) == 0) {
      *out = (enum mcp_version)v;
      return true;
    }
  }
  return false;
}

bool mcp_version_is_modern(const char *text)
{
  static const char shape[] = "dddd-dd-dd";
  for (size_t i = 0; i < sizeof(shape); i++) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != shape[i])
      return false;
  }
  return strcmp(text, MCP_MODERN_FIRST) >= 0;
}

bool mcp_version_put_list(struct buf *out)
{
  for (int v = MCP_VERSION_COUNT - 1; v >= 0; v--)
    buf_printf(out, "%s\"%s\"", v == MCP_VERSION_COUNT - 1 ? "[" : ",", names[v]);
  return buf_putc(out, ']');
}
