/* The C source of the catalogue. */
#ifndef AMCP_CATALOG_PLUGIN_EMIT_H
#define AMCP_CATALOG_PLUGIN_EMIT_H

#include "gateway/catalog/plugin/check.h"

/* Appends catalog_generated.c: the tables that gateway/catalog/catalog.h declares. */
void emit_catalog(struct buf *out, const struct model *model, const struct tool *tools, size_t n);

#endif
