/* Levels of the log that clients are sent, by their names. */
#ifndef AMCP_GATEWAY_MCP_LOG_H
#define AMCP_GATEWAY_MCP_LOG_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "gateway/mcp/tool.h"

#define MCP_LEVEL_NAMES "debug, info, notice, warning, error, critical, alert, emergency"

/* False for anything that is not the name of a level. */
bool mcp_level_read(const cJSON *value, enum mcp_level *level);

#endif
