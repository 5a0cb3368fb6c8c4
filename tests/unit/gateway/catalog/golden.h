/* Golden files: what a tool looked like when a person last agreed to it. */
#ifndef AMCP_TESTS_CATALOG_GOLDEN_H
#define AMCP_TESTS_CATALOG_GOLDEN_H

#include "gateway/catalog/catalog.h"

/* Compares a tool with golden/<name>.json, pretty-printed. With UPDATE_GOLDEN=1 in the
 * environment the file is written in place of compared. */
void golden_check(const struct catalog_tool *tool);

/* Asserts what every schema must keep to: an object at the root with `properties`, no $ref,
 * no $schema, no composition, no null anywhere; objects with members are closed. */
void golden_check_schema(const char *text);

#endif
