/* Answers of Google. */
#include "report-svc/ask/answer.h"

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"

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

bool answer_pack(struct buf *out, const struct answer *a)
{
  size_t len = protobuf_c_message_get_packed_size(a->message);
  char *at = len > out->max ? NULL : buf_reserve(out, len);
  if (at == NULL)
    return false;
  out->len += protobuf_c_message_pack(a->message, (uint8_t *)at);
  return true;
}

struct answer *answer_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t len,
                             size_t max_arena)
{
  struct answer *a = answer_new(max_arena);
  ProtobufCAllocator allocator = pbjson_arena_allocator(a->arena);
  a->message = protobuf_c_message_unpack(type, &allocator, len, data);
  if (a->message != NULL)
    return a;
  answer_unref(a);
  return NULL;
}
