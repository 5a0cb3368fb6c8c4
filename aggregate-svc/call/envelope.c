/* Envelopes by descriptor. */
#include "aggregate-svc/call/envelope.h"

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/pbjson/oneof.h"

const ProtobufCMessageDescriptor *envelope_of(const char *rpc)
{
  const ProtobufCMethodDescriptor *method = protobuf_c_service_descriptor_get_method_by_name(
      &analytics__aggregate__v1__aggregate_service__descriptor, rpc);
  return method != NULL ? method->output : NULL;
}

ProtobufCMessage *envelope_wrap(const ProtobufCMessageDescriptor *response, const char *name,
                                ProtobufCMessage *member, struct arena *arena)
{
  if (member->descriptor == response)
    return member;
  ProtobufCMessage *m = (ProtobufCMessage *)arena_alloc(arena, response->sizeof_message);
  if (m == NULL)
    return NULL;
  response->message_init(m);
  return oneof_set(m, name, member) ? m : NULL;
}
