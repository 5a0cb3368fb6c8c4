/* Inside the schema writer: a schema as a tree, before it is printed. */
#ifndef AMCP_CATALOG_PLUGIN_TREE_H
#define AMCP_CATALOG_PLUGIN_TREE_H

#include "gateway/catalog/plugin/schema.h"
#include "gateway/catalog/plugin/types.h"

struct node {
  const struct field_info *field;     /* NULL for the root */
  const struct message_info *message; /* NULL when the value is not an object of fields */
  struct node *parent;
  struct node **children; /* one per field shown */
  size_t n_children;
};

/* Builds the tree. An object below the root has at least one child. */
struct node *tree_build(const struct model *model, const struct message_info *root);

#endif
