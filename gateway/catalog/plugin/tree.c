/* Decides what a schema shows: a recursive message once inside itself, and no object that would
 * have no properties, which Gemini refuses with the whole list of tools. The gateway accepts every
 * depth (to pbjson's limit) whatever the schema shows. */
#include "gateway/catalog/plugin/tree.h"

#include "common/base/mem.h"
#include "gateway/catalog/plugin/compact.h"

enum { TREE_MAX_NODES = 20000 };

struct builder {
  const struct model *model;
  struct arena *arena;
  size_t nodes;
};

/* Whether a node lies inside a value of the message that lies inside another one. */
static unsigned count_on_path(const struct node *node, const struct message_info *message)
{
  unsigned n = 0;
  for (; node != NULL; node = node->parent)
    n += node->message == message;
  return n;
}

static struct node *build(struct builder *b, struct node *parent, const struct field_info *field);

static bool is_left_out(const struct field_info *field)
{
  return field->options->hidden || field->options->unlisted;
}

static void add_children(struct builder *b, struct node *node)
{
  const struct message_info *message = node->message;
  node->children = ARENA_ARRAY(b->arena, struct node *, message->proto->n_field);
  for (size_t i = 0; i < message->proto->n_field; i++) {
    struct node *child =
        is_left_out(&message->fields[i]) ? NULL : build(b, node, &message->fields[i]);
    if (child != NULL)
      node->children[node->n_children++] = child;
  }
}

/* The node of a field; NULL when it would lead too deep or be an object without properties. The
 * depth is bounded by SCHEMA_MAX_LEVELS times the number of messages. */
static struct node *build(struct builder *b, struct node *parent, const struct field_info *field)
{
  const struct message_info *message =
      field_kind(field) == KIND_MESSAGE && !field->is_map && compact_schema(field) == NULL
          ? field->message
          : NULL;
  if (b->nodes++ >= TREE_MAX_NODES ||
      (message != NULL && count_on_path(parent, message) >= SCHEMA_MAX_LEVELS))
    return NULL;
  struct node *node = ARENA_NEW(b->arena, struct node);
  *node = (struct node){.field = field, .message = message, .parent = parent};
  if (message == NULL)
    return node;
  add_children(b, node);
  return node->n_children > 0 ? node : NULL;
}

struct node *tree_build(const struct model *model, const struct message_info *root)
{
  struct builder b = {.model = model, .arena = model->arena};
  struct node *top = ARENA_NEW(b.arena, struct node);
  *top = (struct node){.message = root};
  add_children(&b, top);
  return top;
}
