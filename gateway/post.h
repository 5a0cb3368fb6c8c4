/* One MCP request to an endpoint of the set, for `gateway ask`. */
#ifndef AMCP_GATEWAY_POST_H
#define AMCP_GATEWAY_POST_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/base/error.h"

enum { POST_TIMEOUT_S = 60, POST_MAX_BYTES = 4 * 1024 * 1024 };

/* An endpoint, http://host:port/path, and what is sent with each request. */
struct post_target {
  char host[256], port[8], path[256];
  const char *token;  /* bearer token; NULL for none */
  char session[1024]; /* Mcp-Session-Id, once the endpoint gave one */
};

/* Splits an http:// URL. */
enum err_code post_target_set(struct post_target *t, const char *url, struct err *e);
/* Sends a JSON-RPC message. *answer is the body's JSON (cJSON_Delete() it), NULL when there is
 * none (202). Every status other than 2xx is an error with the answer's text. Blocks. */
enum err_code post(cJSON **answer, struct post_target *t, const char *body, struct err *e);

#endif
