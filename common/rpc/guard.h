/* Checks a received message before protobuf-c unpacks it.
 *
 * protobuf-c 1.4.1 recurses without limit and accepts broken UTF-8 and NUL characters
 * in strings. This walks the wire format along the descriptor without recursion beyond
 * the limit and without allocating. */
#ifndef AMCP_RPC_GUARD_H
#define AMCP_RPC_GUARD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum { GUARD_MAX_DEPTH = 32 };

/* ERR_OK, or ERR_INVALID_ARGUMENT with the path of the offending field:
 * "dimension_filter.and_group.expressions: nested deeper than 32". Also refuses
 * truncated or malformed wire data, groups, and packed lengths that do not fit. */
enum err_code guard_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                          size_t len, struct err *e);

#endif
