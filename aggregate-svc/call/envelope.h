/* The messages of a tool's stream, `oneof { Progress progress; X result; }`, built by
 * descriptor: one envelope for the responses of all tools. */
#ifndef AMCP_AGGREGATE_ENVELOPE_H
#define AMCP_AGGREGATE_ENVELOPE_H

#include <stddef.h>

#include "common/base/arena.h"
#include "mcp/v1/options.pb-c.h"

/* The response message of an rpc of AggregateService; NULL when there is no such rpc. */
const ProtobufCMessageDescriptor *envelope_of(const char *rpc);
/* A response that holds a member ("progress" or "result"). It lives in the arena, the member
 * is lent to it. A member that is the whole response of a unary rpc is returned as it is. NULL when
 * the arena is full or the response has no such member. */
ProtobufCMessage *envelope_wrap(const ProtobufCMessageDescriptor *response, const char *name,
                                ProtobufCMessage *member, struct arena *arena);

#endif
