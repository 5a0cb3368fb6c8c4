/* Decides what a schema shows: where messages are described in full, how far recursion is
 * unrolled, what later mentions leave out.
 *
 * Clients hand the whole list of tools to a model with every question, so bytes count. A
 * message is described in full once, at its shallowest place. Met again in an input, only
 * its members are listed and the reader is sent to the full account. A recursive message
 * is unrolled to SCHEMA_MAX_LEVELS at its first mention; the innermost level has only the
 * members that do not recurse, and what was described before is a stub there. The server
 * accepts every depth (to pbjson's limit) whatever the schema shows. */
#include "gateway/catalog/plugin/tree.h"

#include <string.h>

#include "common/base/mem.h"

enum { TREE_MAX_NODES = 20000 };

struct builder {
  const struct model *model;
  struct arena *arena;
  struct node **queue;
  size_t head, tail;
};

static bool is_recursive(const struct builder *b, const struct message_info *message)
{
  return message_reaches(b->model, message, message);
}

/* The recursive message whose unrolling a node is inside of; NULL outside. */
static const struct message_info *recursion_of(const struct builder *b, const struct node *node)
{
  const struct message_info *head = NULL;
  for (; node != NULL; node = node->parent) {
    if (node->message != NULL && is_recursive(b, node->message))
      head = node->message;
  }
  return head;
}

static unsigned count_on_path(const struct node *node, const struct message_info *message)
{
  unsigned n = 0;
  for (; node != NULL; node = node->parent)
    n += node->message == message;
  return n;
}

/* The node that describes most of a message among those already placed. */
static const struct node *find_placed(const struct builder *b, const struct message_info *message)
{
  for (size_t i = 0; i < b->tail; i++) {
    const struct node *node = b->queue[i];
    if (node->message == message && node->detail <= DETAIL_BARE)
      return node;
  }
  return NULL;
}

static void place_known(const struct builder *b, struct node *node)
{
  const struct node *first = find_placed(b, node->message);
  bool inside = recursion_of(b, node->parent) != NULL;
  if (is_recursive(b, node->message) && (inside || first == NULL)) {
    node->detail = node->level <= 1 ? DETAIL_FULL : DETAIL_BARE;
    return;
  }
  if (first == NULL) {
    node->detail = node->level <= 1 ? DETAIL_FULL : DETAIL_BARE;
    return;
  }
  node->detail = node->level >= SCHEMA_MAX_LEVELS ? DETAIL_STUB : DETAIL_MEMBERS;
  node->same_as = first->path;
}

/* Sets how much of a node's message is shown. */
static void place(const struct builder *b, struct node *node)
{
  const struct message_info *head = recursion_of(b, node);
  node->level = head != NULL ? count_on_path(node, head) : 0;
  if (node->message == NULL || node->parent == NULL)
    return;
  if (node->parent->detail == DETAIL_MEMBERS)
    node->detail = DETAIL_STUB;
  else
    place_known(b, node);
}

/* Whether a field would lead deeper into a recursion that ends here. */
static bool recurses_too_far(const struct builder *b, const struct node *node,
                             const struct field_info *field)
{
  const struct message_info *head = recursion_of(b, node);
  if (head == NULL || node->level < SCHEMA_MAX_LEVELS)
    return false;
  const struct message_info *target = field_value(field)->message;
  return target != NULL && (target == head || message_reaches(b->model, target, head));
}

static struct node *new_child(const struct builder *b, struct node *parent,
                              const struct field_info *field)
{
  struct node *node = ARENA_NEW(b->arena, struct node);
  const char *dot = parent->path[0] != '\0' ? "." : "";
  const char *list = field->repeated ? "[]" : "";
  *node = (struct node){.field = field, .parent = parent};
  node->path = arena_printf(b->arena, "%s%s%s%s", parent->path, dot, field->proto->name, list);
  if (field_kind(field) == KIND_MESSAGE)
    node->message = field_value(field)->message;
  return node;
}

static void expand(struct builder *b, struct node *node)
{
  const struct message_info *message = node->message;
  if (message == NULL || node->detail == DETAIL_STUB)
    return;
  node->children = ARENA_ARRAY(b->arena, struct node *, message->proto->n_field);
  for (size_t i = 0; i < message->proto->n_field; i++) {
    const struct field_info *field = &message->fields[i];
    if (field->options->hidden || recurses_too_far(b, node, field) || b->tail == TREE_MAX_NODES)
      continue;
    struct node *child = new_child(b, node, field);
    place(b, child);
    node->children[node->n_children++] = child;
    b->queue[b->tail++] = child;
  }
}

struct node *tree_build(const struct model *model, const struct message_info *root)
{
  AUTO_FREE struct node **queue = xcalloc(TREE_MAX_NODES, sizeof(*queue));
  struct builder b = {.model = model, .arena = model->arena, .queue = queue};
  struct node *top = ARENA_NEW(b.arena, struct node);
  *top = (struct node){.message = root, .path = ""};
  place(&b, top);
  queue[b.tail++] = top;
  while (b.head < b.tail)
    expand(&b, queue[b.head++]);
  return top;
}
