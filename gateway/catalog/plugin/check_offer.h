/* What resources and prompts of tools must keep to. */
#ifndef AMCP_CATALOG_PLUGIN_CHECK_OFFER_H
#define AMCP_CATALOG_PLUGIN_CHECK_OFFER_H

#include "gateway/catalog/plugin/check.h"

/* Notes every mistake in the resources and prompts of all tools. */
void check_offers(struct model *model, const struct tool *tools, size_t n);

#endif
