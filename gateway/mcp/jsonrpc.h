/* JSON-RPC 2.0 messages: what a value is, and how answers are written. */
#ifndef AMCP_GATEWAY_MCP_JSONRPC_H
#define AMCP_GATEWAY_MCP_JSONRPC_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

/* Error codes of JSON-RPC and of the MCP revisions. */
enum jsonrpc_code {
  JSONRPC_PARSE_ERROR = -32700,
  JSONRPC_INVALID_REQUEST = -32600,
  JSONRPC_METHOD_NOT_FOUND = -32601,
  JSONRPC_INVALID_PARAMS = -32602,
  JSONRPC_INTERNAL_ERROR = -32603,
  /* What the official SDKs send before a message reaches a session. */
  MCP_BAD_REQUEST = -32000,
  MCP_SERVER_ERROR = -32000, /* JSON-RPC 2.0, 5.1: free for the server to define */
  MCP_SESSION_NOT_FOUND = -32001,
  MCP_RESOURCE_NOT_FOUND = -32002, /* until 2025-11-25 */
  /* 2026-07-28. */
  MCP_HEADER_MISMATCH = -32020,
  MCP_MISSING_CAPABILITY = -32021,
  MCP_UNSUPPORTED_VERSION = -32022,
};

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_NOTIFICATION, JSONRPC_RESPONSE, JSONRPC_INVALID };

enum { JSONRPC_MAX_ID = 1024 }; /* most bytes of a string id */
/* Bytes around a result that most answers need, of their tool and of JSON-RPC. */
enum { JSONRPC_FRAME = 512 };

/* One message. Points into the value it was read from, which must outlive it. */
struct jsonrpc_message {
  enum jsonrpc_kind kind;
  const char *method;  /* NULL for responses */
  const cJSON *id;     /* string or whole number; NULL when there is none */
  const cJSON *params; /* object; NULL when absent or null */
  const char *problem; /* JSONRPC_INVALID: what is wrong, static text */
  bool bad_params;     /* params is there but is not an object */
};

/* Says what a value is. A request's id is a string of at most JSONRPC_MAX_ID bytes or a
 * whole number that every JSON reader keeps exactly (up to 2^53 - 1). */
struct jsonrpc_message jsonrpc_read(const cJSON *value);

/* Whether two ids are equal in type and value. */
bool jsonrpc_id_equal(const cJSON *a, const cJSON *b);
/* Whether a value can be an id (or a progress token: the same rule). */
bool jsonrpc_id_valid(const cJSON *value);
/* Appends an id as it came. */
bool jsonrpc_put_id(struct buf *out, const cJSON *id);

/* Appends {"jsonrpc":"2.0","id":..,"result": and leaves the result and a brace to the caller. */
bool jsonrpc_begin_result(struct buf *out, const cJSON *id);
/* Appends {"jsonrpc":"2.0","id":..,"result":<result>}; result is JSON text. */
bool jsonrpc_put_result(struct buf *out, const cJSON *id, const char *result, size_t len);
/* Appends {"jsonrpc":"2.0","id":..,"error":{code,message,data}}. id NULL leaves the id out
 * (nothing to answer to); data is JSON text, NULL for none. */
bool jsonrpc_put_error(struct buf *out, const cJSON *id, int code, const char *message,
                       const char *data);

#endif
