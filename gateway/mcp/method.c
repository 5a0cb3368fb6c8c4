/* The one table of methods. */
#include "gateway/mcp/method.h"

#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/internal.h"

enum {
  LEGACY = 1 << MCP_ERA_LEGACY,
  MODERN = 1 << MCP_ERA_MODERN,
  BOTH = LEGACY | MODERN,
  /* Of lists, which seldom change. */
  LIST_TTL_MS = 5 * 60 * 1000,
  NOT_KEPT = -1,
};

static bool has_resources(const struct mcp_tool_host *host)
{
  return host->n_resources > 0;
}

static bool has_prompts(const struct mcp_tool_host *host)
{
  return host->n_prompts > 0;
}

static bool changes(const struct mcp_tool_host *host)
{
  return host->lists_change;
}

static bool completes(const struct mcp_tool_host *host)
{
  return host->n_completions > 0;
}

static bool logs(const struct mcp_tool_host *host)
{
  return host->logs;
}

static bool resources_change(const struct mcp_tool_host *host)
{
  return host->resources_change && host->n_resources > 0;
}

static bool notifies(const struct mcp_tool_host *host)
{
  return changes(host) || resources_change(host);
}

static const struct mcp_method methods[] = {
    {"completion/complete", mcp_complete, BOTH, completes, NULL, NOT_KEPT},
    {"initialize", mcp_initialize, LEGACY, NULL, NULL, NOT_KEPT},
    {"logging/setLevel", mcp_set_level, LEGACY, logs, NULL, NOT_KEPT},
    {"ping", mcp_ping, LEGACY, NULL, NULL, NOT_KEPT},
    {"prompts/get", mcp_prompts_get, BOTH, has_prompts, "name", NOT_KEPT},
    {"prompts/list", mcp_prompts_list, BOTH, has_prompts, NULL, LIST_TTL_MS},
    {"resources/list", mcp_resources_list, BOTH, has_resources, NULL, LIST_TTL_MS},
    {"resources/read", mcp_resources_read, BOTH, has_resources, "uri", 0},
    {"resources/subscribe", mcp_subscribe, LEGACY, resources_change, NULL, NOT_KEPT},
    {"resources/templates/list", mcp_resource_templates_list, BOTH, has_resources, NULL,
     LIST_TTL_MS},
    {"resources/unsubscribe", mcp_unsubscribe, LEGACY, resources_change, NULL, NOT_KEPT},
    {"server/discover", mcp_discover, MODERN, NULL, NULL, LIST_TTL_MS},
    {"subscriptions/listen", mcp_listen, MODERN, notifies, NULL, NOT_KEPT},
    {"tools/call", mcp_tools_call, BOTH, NULL, "name", NOT_KEPT},
    {"tools/list", mcp_tools_list, BOTH, NULL, NULL, LIST_TTL_MS},
};

const struct mcp_method *mcp_method_find(const struct mcp_tool_host *host, enum mcp_era era,
                                         const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
    const struct mcp_method *m = &methods[i];
    if (strcmp(m->name, name) == 0)
      return (m->eras >> era & 1) != 0 && (m->offered == NULL || m->offered(host)) ? m : NULL;
  }
  return NULL;
}

bool mcp_capabilities_put(struct buf *out, const struct mcp_tool_host *host, enum mcp_version v)
{
  const char *list = host->lists_change ? "{\"listChanged\":true}" : "{}";
  buf_printf(out, "{\"tools\":%s", list);
  if (has_resources(host))
    buf_printf(out, ",\"resources\":{%s%s%s}", changes(host) ? "\"listChanged\":true" : "",
               changes(host) && resources_change(host) ? "," : "",
               resources_change(host) ? "\"subscribe\":true" : "");
  if (has_prompts(host))
    buf_printf(out, ",\"prompts\":%s", list);
  if (logs(host))
    buf_puts(out, ",\"logging\":{}");
  if (completes(host) && v >= MCP_2025_03_26)
    buf_puts(out, ",\"completions\":{}");
  return buf_putc(out, '}');
}
