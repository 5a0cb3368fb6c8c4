/* JSON Schema of a tool's input. */
#ifndef AMCP_CATALOG_PLUGIN_SCHEMA_H
#define AMCP_CATALOG_PLUGIN_SCHEMA_H

#include "gateway/catalog/plugin/model.h"

enum { SCHEMA_MAX_LEVELS = 2 }; /* how often a message is shown on one path */

/* Appends the schema of a message as compact JSON. */
void schema_put(struct buf *out, const struct model *model, const struct message_info *root);

#endif
