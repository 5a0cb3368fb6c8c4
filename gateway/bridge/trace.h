/* W3C trace context: the caller's trace goes on, or a new one begins. */
#ifndef AMCP_GATEWAY_BRIDGE_TRACE_H
#define AMCP_GATEWAY_BRIDGE_TRACE_H

#include <stdbool.h>

enum { TRACE_LEN = 55, TRACE_ID_LEN = 32 };

/* A traceparent for a call made on behalf of `incoming` (NULL or malformed: a new trace).
 * out holds TRACE_LEN + 1 bytes. */
void trace_child(const char *incoming, char out[TRACE_LEN + 1]);
/* The trace id inside a traceparent made by trace_child(), for log lines and messages. */
void trace_id(const char *traceparent, char out[TRACE_ID_LEN + 1]);
/* Whether a traceparent is well-formed (version 00 or later, ids not all zero). */
bool trace_valid(const char *traceparent);

#endif
