/* Inside the schema writer: a schema as a tree, before it is printed. */
#ifndef AMCP_CATALOG_PLUGIN_TREE_H
#define AMCP_CATALOG_PLUGIN_TREE_H

#include "gateway/catalog/plugin/schema.h"
#include "gateway/catalog/plugin/types.h"

/* How much of an object is said. */
enum detail {
  DETAIL_FULL,    /* members with descriptions, bounds, examples */
  DETAIL_BARE,    /* members with their types, at any depth */
  DETAIL_MEMBERS, /* members with their types; members that are objects as stubs */
  DETAIL_STUB,    /* {"type":"object"} */
};

struct node {
  const struct field_info *field;     /* NULL for the root */
  const struct message_info *message; /* NULL when the value is not an object of fields */
  struct node *parent;
  struct node **children; /* one per field shown */
  size_t n_children;
  enum detail detail;
  unsigned level;      /* of the recursion it is inside of; 0 outside */
  const char *path;    /* "dimension_filter.filter"; "" for the root */
  const char *same_as; /* path of the node that says more of the same message; or NULL */
};

/* Builds the tree, widest first, so that the full account of a message stands at its
 * shallowest place. */
struct node *tree_build(const struct model *model, const struct message_info *root);

#endif
