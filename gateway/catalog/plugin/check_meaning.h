/* Holds aliases and meanings of arguments to what gateway/arguments can read. */
#ifndef AMCP_CATALOG_PLUGIN_CHECK_MEANING_H
#define AMCP_CATALOG_PLUGIN_CHECK_MEANING_H

#include "gateway/catalog/plugin/model.h"

/* Notes every mistake of one field of a tool's input in model->problems. */
void check_meaning(struct model *model, const struct field_info *field);

#endif
