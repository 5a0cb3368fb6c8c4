/* Envelopes by descriptor. */
#include "aggregate-svc/call/envelope.h"

#include <stdbool.h>
#include <string.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"

const ProtobufCMessageDescriptor *envelope_of(const char *rpc)
{
  const ProtobufCMethodDescriptor *method = protobuf_c_service_descriptor_get_method_by_name(
      &analytics__aggregate__v1__aggregate_service__descriptor, rpc);
  return method != NULL ? method->output : NULL;
}

/* The member's field, when it is a message of a oneof of the member's own type. */
static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *response,
                                            const char *name, const ProtobufCMessage *member)
{
  const ProtobufCFieldDescriptor *f =
      protobuf_c_message_descriptor_get_field_by_name(response, name);
  bool fits = f != NULL && f->type == PROTOBUF_C_TYPE_MESSAGE &&
              (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && f->descriptor == member->descriptor;
  return fits ? f : NULL;
}

ProtobufCMessage *envelope_wrap(const ProtobufCMessageDescriptor *response, const char *name,
                                ProtobufCMessage *member, struct arena *arena)
{
  const ProtobufCFieldDescriptor *f = find(response, name, member);
  char *m = f != NULL ? arena_alloc(arena, response->sizeof_message) : NULL;
  if (m == NULL)
    return NULL;
  response->message_init((ProtobufCMessage *)m);
  uint32_t chosen = f->id;
  memcpy(m + f->quantifier_offset, &chosen, sizeof(chosen));
  memcpy(m + f->offset, &member, sizeof(member));
  return (ProtobufCMessage *)m;
}
