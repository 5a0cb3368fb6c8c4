/* Answers of Google, and their lists by field name. */
#include "report-svc/ask/answer.h"

#include <string.h>

#include "common/base/mem.h"

struct answer *answer_new(size_t max_arena)
{
  struct answer *a = xcalloc(1, sizeof(*a));
  atomic_init(&a->refs, 1);
  a->arena = arena_new(max_arena);
  return a;
}

struct answer *answer_ref(struct answer *a)
{
  atomic_fetch_add(&a->refs, 1);
  return a;
}

void answer_unref(struct answer *a)
{
  if (a == NULL || atomic_fetch_sub(&a->refs, 1) != 1)
    return;
  arena_free(a->arena);
  for (size_t i = 0; i < ARRAY_LEN(a->lists); i++)
    free(a->lists[i].items);
  free(a);
}

size_t answer_size(const struct answer *a)
{
  size_t n = sizeof(*a) + arena_used(a->arena);
  for (size_t i = 0; i < ARRAY_LEN(a->lists); i++)
    n += a->lists[i].cap * sizeof(*a->lists[i].items);
  return n;
}

void answer_list_add(struct answer_list *list, ProtobufCMessage *item)
{
  if (list->n == list->cap) {
    list->cap = list->cap == 0 ? 64 : list->cap * 2;
    list->items = xrealloc(list->items, list->cap * sizeof(*list->items));
  }
  list->items[list->n++] = item;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *message, const char *name)
{
  return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

void answer_list_set(ProtobufCMessage *message, const char *field, const struct answer_list *list)
{
  const ProtobufCFieldDescriptor *f = field_of(message, field);
  memcpy((char *)message + f->quantifier_offset, &list->n, sizeof(list->n));
  memcpy((char *)message + f->offset, &list->items, sizeof(list->items));
}

struct answer_list answer_list_of(const ProtobufCMessage *message, const char *field)
{
  const ProtobufCFieldDescriptor *f = field_of(message, field);
  struct answer_list list = {0};
  memcpy(&list.n, (const char *)message + f->quantifier_offset, sizeof(list.n));
  memcpy(&list.items, (const char *)message + f->offset, sizeof(list.items));
  return list;
}

const char *answer_text_of(const ProtobufCMessage *message, const char *field)
{
  const char *text;
  memcpy(&text, (const char *)message + field_of(message, field)->offset, sizeof(text));
  return text;
}
