/* What a session id says. The id is sealed (gateway/seal/token.h) and carried by the client, so a
 * session needs no memory here: any replica with the same keys, and a restarted one, reads it. */
#ifndef AMCP_GATEWAY_MCP_SESSION_ID_H
#define AMCP_GATEWAY_MCP_SESSION_ID_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/mcp/tool.h"
#include "gateway/mcp/version.h"
#include "gateway/seal/token.h"

enum { MCP_SESSION_ID_MAX = 128, MCP_SESSION_KEY_LEN = TOKEN_SALT_BYTES, MCP_PRINCIPAL_HASH = 16 };

struct mcp_session_facts {
  enum mcp_version version;
  unsigned can;      /* enum mcp_client_can */
  int64_t issued_ms; /* since 1970 */
  uint8_t principal[MCP_PRINCIPAL_HASH];
  uint8_t key[MCP_SESSION_KEY_LEN]; /* unique to the session; set by sealing and opening */
};

/* The capabilities object of initialize; NULL is none. */
unsigned mcp_client_capabilities(const cJSON *capabilities);
/* Appends a capabilities object that says so. */
bool mcp_client_capabilities_put(struct buf *out, unsigned can);
/* What stands for a principal in sealed facts: the head of its digest. */
void mcp_principal_hash(uint8_t out[MCP_PRINCIPAL_HASH], const struct mcp_principal *p);

/* Writes the id of a session and fills facts->key. */
void mcp_session_id_seal(struct ring *keys, struct mcp_session_facts *facts,
                         char out[MCP_SESSION_ID_MAX]);
/* False when the text is not an id that the keys sealed. Says nothing about its age or owner. */
bool mcp_session_id_open(struct ring *keys, const char *text, struct mcp_session_facts *facts);

#endif
