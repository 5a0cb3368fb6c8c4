/* Texts with places to fill in: the URI of a resource template, the arguments of a call. A place is
 * {name}; in a URI it stands for one part of its path (RFC 6570, level 1), in arguments for a whole
 * value. */
#ifndef AMCP_GATEWAY_MCP_TEMPLATE_H
#define AMCP_GATEWAY_MCP_TEMPLATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether a text has a place of this name; name NULL: any place. */
bool mcp_template_has(const char *template, const char *name);
/* What stands in the places of a URI, an object that the caller deletes; NULL when the URI is not
 * one of the template, or a value is empty, too long or not UTF-8. */
cJSON *mcp_template_match(const char *template, const char *uri);
/* The arguments of a JSON text with `values` (an object of strings) in their places; NULL when a
 * value is missing. The caller deletes it. */
cJSON *mcp_template_arguments(const char *json, const cJSON *values);

#endif
