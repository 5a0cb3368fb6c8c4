/* Protocol revisions and eras: the tables. */
#include "gateway/mcp/version.h"

#include <stddef.h>
#include <string.h>

#include "gateway/mcp/jsonrpc.h"

static const struct {
  const char *name;
  enum mcp_era era;
} versions[MCP_VERSION_COUNT] = {
    [MCP_2024_11_05] = {"2024-11-05", MCP_ERA_LEGACY},
    [MCP_2025_03_26] = {"2025-03-26", MCP_ERA_LEGACY},
    [MCP_2025_06_18] = {"2025-06-18", MCP_ERA_LEGACY},
    [MCP_2025_11_25] = {"2025-11-25", MCP_ERA_LEGACY},
    [MCP_2026_07_28] = {"2026-07-28", MCP_ERA_MODERN},
};

static const struct mcp_era_rules eras[] = {
    /* The official v1 client loses the code of an error whose status is not 200. */
    [MCP_ERA_LEGACY] = {.unknown_method = 200, .resource_not_found = MCP_RESOURCE_NOT_FOUND},
    [MCP_ERA_MODERN] = {.unknown_method = 404,
                        .resource_not_found = JSONRPC_INVALID_PARAMS,
                        .results_say_kind = true},
};

const char *mcp_version_name(enum mcp_version v)
{
  return versions[v].name;
}

enum mcp_era mcp_version_era(enum mcp_version v)
{
  return versions[v].era;
}

const struct mcp_era_rules *mcp_version_rules(enum mcp_version v)
{
  return &eras[versions[v].era];
}

bool mcp_version_parse(const char *text, enum mcp_era era, enum mcp_version *out)
{
  for (int v = 0; text != NULL && v < MCP_VERSION_COUNT; v++) {
    if (versions[v].era == era && strcmp(text, versions[v].name) == 0) {
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
  return strcmp(text, versions[MCP_2026_07_28].name) >= 0;
}

bool mcp_version_put_list(struct buf *out, enum mcp_era era, const char *quote, const char *between)
{
  const char *before = "";
  for (int v = MCP_VERSION_COUNT - 1; v >= 0; v--) {
    if (versions[v].era != era)
      continue;
    buf_printf(out, "%s%s%s%s", before, quote, versions[v].name, quote);
    before = between;
  }
  return !out->failed;
}
