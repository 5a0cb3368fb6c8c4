/* What a session id says: sealing and opening. */
#include "gateway/mcp/session_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/seal/digest.h"

#define USE "mcp-session/v1"

/* version (1) | capabilities (1) | issued, big-endian (8) | principal (16) */
enum { FACTS_BYTES = 10 + MCP_PRINCIPAL_HASH };

static const struct {
  const char *name;
  unsigned can;
} known[] = {{"roots", MCP_CLIENT_ROOTS},
             {"sampling", MCP_CLIENT_SAMPLING},
             {"elicitation", MCP_CLIENT_ELICITATION}};

bool mcp_client_capabilities_put(struct buf *out, unsigned can)
{
  const char *before = "{";
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    if ((can & known[i].can) == 0)
      continue;
    buf_printf(out, "%s\"%s\":{}", before, known[i].name);
    before = ",";
  }
  return buf_puts(out, before[0] == '{' ? "{}" : "}");
}

unsigned mcp_client_capabilities(const cJSON *capabilities)
{
  unsigned can = 0;
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(capabilities, known[i].name)))
      can |= known[i].can;
  /* One that only opens URLs shows no forms (2025-11-25); to say nothing means forms. */
  const cJSON *elicitation = cJSON_GetObjectItemCaseSensitive(capabilities, "elicitation");
  if (cJSON_HasObjectItem(elicitation, "url") && !cJSON_HasObjectItem(elicitation, "form"))
    can &= ~(unsigned)MCP_CLIENT_ELICITATION;
  return can;
}

void mcp_principal_hash(uint8_t out[MCP_PRINCIPAL_HASH], const struct mcp_principal *p)
{
  uint8_t hash[DIGEST_BYTES];
  if (p->digest == NULL)
    digest(hash, p->id, strlen(p->id));
  memcpy(out, p->digest != NULL ? p->digest : hash, MCP_PRINCIPAL_HASH);
}

void mcp_session_id_seal(struct ring *keys, struct mcp_session_facts *facts,
                         char out[MCP_SESSION_ID_MAX])
{
  uint8_t bytes[FACTS_BYTES] = {(uint8_t)facts->version, (uint8_t)facts->can};
  for (int i = 0; i < 8; i++)
    bytes[2 + i] = (uint8_t)((uint64_t)facts->issued_ms >> (56 - 8 * i));
  memcpy(bytes + 10, facts->principal, MCP_PRINCIPAL_HASH);
  AUTO_BUF struct buf text = BUF_INIT(MCP_SESSION_ID_MAX - 1);
  if (!token_seal(keys, USE, bytes, sizeof(bytes), facts->key, &text))
    abort(); /* a fixed size that fits */
  snprintf(out, MCP_SESSION_ID_MAX, "%s", buf_str(&text));
}

bool mcp_session_id_open(struct ring *keys, const char *text, struct mcp_session_facts *facts)
{
  uint8_t bytes[FACTS_BYTES];
  if (!token_open(keys, USE, text, bytes, sizeof(bytes), facts->key) ||
      bytes[0] >= MCP_VERSION_COUNT)
    return false;
  facts->version = (enum mcp_version)bytes[0];
  facts->can = bytes[1];
  uint64_t issued = 0;
  for (int i = 0; i < 8; i++)
    issued = issued << 8 | bytes[2 + i];
  facts->issued_ms = (int64_t)issued;
  memcpy(facts->principal, bytes + 10, MCP_PRINCIPAL_HASH);
  return true;
}
