/* Fuzz target of sealed session ids and of the file with their keys: any text opens or does not;
 * what opens seals again to facts that are equal; a ring that is read seals what it opens. */
#include "common/base/log.h"
#include "gateway/mcp/session_id.h"
#include "tests/fuzz/fuzz.h"

static void check_round(struct ring *keys, const struct mcp_session_facts *given)
{
  char text[MCP_SESSION_ID_MAX];
  struct mcp_session_facts facts = *given, back = {0};
  mcp_session_id_seal(keys, &facts, text);
  FUZZ_MUST(mcp_session_id_open(keys, text, &back));
  FUZZ_MUST(back.version == given->version && back.can == given->can &&
            back.issued_ms == given->issued_ms &&
            memcmp(back.principal, given->principal, sizeof(back.principal)) == 0 &&
            memcmp(back.key, facts.key, sizeof(back.key)) == 0);
}

/* One changed byte, and it does not open. */
static void check_change(struct ring *keys, struct fuzz_input *in)
{
  char text[MCP_SESSION_ID_MAX];
  struct mcp_session_facts facts = {.version = fuzz_byte(in) % MCP_VERSION_COUNT,
                                    .can = fuzz_byte(in) % 8,
                                    .issued_ms = (int64_t)fuzz_byte(in) << (fuzz_byte(in) % 55)};
  check_round(keys, &facts);
  mcp_session_id_seal(keys, &facts, text);
  size_t at = fuzz_byte(in) % strlen(text);
  char with = (char)fuzz_byte(in);
  bool same = text[at] == with;
  text[at] = with;
  FUZZ_MUST(mcp_session_id_open(keys, text, &facts) == same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char known[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  static struct ring *keys;
  struct fuzz_input in = {data, size};
  struct mcp_session_facts facts;
  struct ring *ring = NULL;
  struct err e = {0};
  log_init("fuzz", LOG_LEVEL_OFF);
  if (keys == NULL && ring_parse(&keys, "FUZZ", known, strlen(known), &e) != ERR_OK)
    abort();
  AUTO_FREE char *id = fuzz_line(&in);
  if (mcp_session_id_open(keys, id, &facts))
    check_round(keys, &facts);
  check_change(keys, &in);
  AUTO_FREE char *text = fuzz_rest(&in);
  if (ring_parse(&ring, "FUZZ", text, in.len, &e) == ERR_OK) {
    FUZZ_MUST(ring_size(ring) > 0 && ring_size(ring) <= RING_KEYS_MAX);
    check_round(ring, &(struct mcp_session_facts){.version = MCP_2025_06_18});
  } else {
    FUZZ_MUST(ring == NULL && e.code == ERR_INVALID_ARGUMENT);
  }
  ring_free(ring);
  return 0;
}
