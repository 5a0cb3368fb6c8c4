/* Answers about one property, by the names of their fields. */
#include "report-svc/answer/target.h"

#include <string.h>

#include "report-svc/answer/caveats.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/own.h"
#include "report-svc/google/field.h"

ProtobufCMessage *answer_new_message(const ProtobufCMessageDescriptor *type, const struct ask *a,
                                     struct arena *arena)
{
  ProtobufCMessage *m = arena_alloc(arena, type->sizeof_message);
  char *property = arena_strdup(arena, ask_property(a));
  if (m == NULL || property == NULL)
    return NULL;
  type->message_init(m);
  ga4_set_text(m, "dealer_id", ask_used_token(a)->dealer_ref);
  ga4_set_text(m, "dealer_name", ask_used_token(a)->dealer_name);
  ga4_set_text(m, "property", property);
  return answer_put_property(m, a, arena) ? m : NULL;
}

bool answer_put_property(ProtobufCMessage *m, const struct ask *a, struct arena *arena)
{
  struct answer_texts texts = {.arena = arena};
  if (protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "caveats") == NULL)
    return true;
  caveats_of_one_property(&texts, a);
  caveats_of_choice(&texts, ask_used_token(a), ask_property(a));
  return answer_put_texts(m, "caveats", &texts);
}

bool answer_put_headline(ProtobufCMessage *m, const struct buf *text, struct arena *arena)
{
  char *headline = arena_strdup(arena, buf_str(text));
  if (headline != NULL)
    ga4_set_text(m, "headline", headline);
  return headline != NULL;
}

bool answer_put_texts(ProtobufCMessage *m, const char *field, const struct answer_texts *texts)
{
  struct ga4_list before = ga4_list(m, field);
  if (before.n == 0 || texts->n == 0 || texts->failed) {
    if (texts->n > 0)
      ga4_set_list(m, field, (struct ga4_list){(void *)texts->items, texts->n});
    return !texts->failed;
  }
  ProtobufCMessage **all = ARENA_ARRAY(texts->arena, ProtobufCMessage *, before.n + texts->n);
  if (all == NULL)
    return false;
  memcpy(all, before.items, before.n * sizeof(*all));
  memcpy(all + before.n, texts->items, texts->n * sizeof(*all));
  ga4_set_list(m, field, (struct ga4_list){all, before.n + texts->n});
  return true;
}

ProtobufCMessage *answer_list(const struct ask *a, const ProtobufCMessageDescriptor *type,
                              const char *from, const char *to, const char *one, const char *many,
                              struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  struct ga4_list items = ga4_list(ask_message(a), from);
  ProtobufCMessage *m = answer_new_message(type, a, arena);
  if (m == NULL)
    return NULL;
  ga4_set_list(m, to, items);
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  if (items.n == 0)
    buf_printf(&text, " has no %s", many);
  else
    buf_printf(&text, " has %zu %s", items.n, items.n == 1 ? one : many);
  return answer_put_headline(m, &text, arena) ? m : NULL;
}
