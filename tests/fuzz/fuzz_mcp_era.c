/* Fuzz target of what the protocol's headers decide: MCP-Protocol-Version, Mcp-Method, Mcp-Name and
 * Mcp-Session-Id, a line each (an empty one: absent), then a body. Which era a message is of
 * follows from what it claims; headers that repeat the body pass, and none that says something
 * else. */
#include "common/base/codec.h"
#include "common/base/json.h"
#include "gateway/mcp/headers.h"
#include "tests/fuzz/fuzz.h"

enum { NAME_MAX_BYTES = 16 * 1024 };

static const struct mcp_method named = {.name = "tools/call", .named_by = "name"};
static const struct mcp_method unnamed = {.name = "tools/list"};

static const char *or_absent(const char *line)
{
  return *line != '\0' ? line : NULL;
}

/* A date of the form 2026-07-28 at or after that day. */
static bool is_modern(const char *version)
{
  static const char form[] = "dddd-dd-dd";
  if (version == NULL || strlen(version) != sizeof(form) - 1)
    return false;
  for (size_t i = 0; i < sizeof(form) - 1; i++)
    if (form[i] == 'd' ? version[i] < '0' || version[i] > '9' : version[i] != '-')
      return false;
  return strcmp(version, "2026-07-28") >= 0;
}

static void check_era(const struct mcp_headers *h, const cJSON *body,
                      const struct jsonrpc_message *m)
{
  struct mcp_refusal why = {0};
  enum mcp_era era = mcp_era_classify(h, body, &why);
  bool asks = m->kind == JSONRPC_REQUEST || m->kind == JSONRPC_NOTIFICATION;
  bool claims = mcp_era_claim(body) != NULL;
  FUZZ_MUST((era == MCP_ERA_REFUSED) == (why.status == 400 && why.message != NULL));
  if (cJSON_IsArray(body) || !asks)
    FUZZ_MUST(era != MCP_ERA_MODERN);
  else if (claims)
    FUZZ_MUST(era == MCP_ERA_MODERN);
  else if (!is_modern(h->protocol_version) && strcmp(m->method, "server/discover") != 0)
    FUZZ_MUST(era == MCP_ERA_LEGACY);
}

/* What a client sends that repeats its body, in both forms of a name; then one word changed. */
static void check_honest(const struct jsonrpc_message *m, const char *claimed)
{
  const char *name = json_get_string(m->params, "name");
  AUTO_BUF struct buf coded = BUF_INIT(2 * NAME_MAX_BYTES), other = BUF_INIT(NAME_MAX_BYTES);
  if (name == NULL || strlen(name) > NAME_MAX_BYTES / 2)
    return;
  buf_puts(&coded, "=?base64?");
  base64_encode(&coded, name, strlen(name));
  buf_puts(&coded, "?=");
  struct mcp_headers h = {
      .protocol_version = claimed, .method = m->method, .name = buf_str(&coded)};
  FUZZ_MUST(mcp_headers_mismatch(&h, m, claimed) == NULL);
  if (utf8_valid(name, strlen(name)))
    FUZZ_MUST(mcp_headers_missing(&h, m, &named) == NULL);
  buf_printf(&other, "%s!", name);
  h.name = buf_str(&other);
  FUZZ_MUST(mcp_headers_missing(&h, m, &named) != NULL);
  buf_free(&other);
  h.name = NULL;
  FUZZ_MUST(mcp_headers_missing(&h, m, &named) != NULL);
  FUZZ_MUST(mcp_headers_missing(&h, m, &unnamed) == NULL);
}

static void check_headers(const struct mcp_headers *h, const struct jsonrpc_message *m,
                          const char *claimed)
{
  bool agrees = (h->protocol_version == NULL || strcmp(h->protocol_version, claimed) == 0) &&
                (h->method == NULL || strcmp(h->method, m->method) == 0);
  const char *name = json_get_string(m->params, "name");
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  FUZZ_MUST((mcp_headers_mismatch(h, m, claimed) == NULL) == agrees);
  if (mcp_headers_missing(h, m, &named) != NULL)
    return;
  FUZZ_MUST(h->protocol_version != NULL && h->method != NULL && h->name != NULL);
  FUZZ_MUST(mcp_header_text(&text, h->name));
  FUZZ_MUST(name == NULL || strcmp(buf_str(&text), name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  AUTO_FREE char *version = fuzz_line(&in), *method = fuzz_line(&in);
  AUTO_FREE char *name = fuzz_line(&in), *session = fuzz_line(&in);
  AUTO_FREE char *text = fuzz_rest(&in);
  AUTO_JSON cJSON *body = NULL;
  const struct mcp_headers h = {.session_id = or_absent(session),
                                .protocol_version = or_absent(version),
                                .method = or_absent(method),
                                .name = or_absent(name)};
  FUZZ_MUST(mcp_headers_have_session(&h) ==
            (h.session_id != NULL && !is_modern(h.protocol_version)));
  if (json_parse(&body, text, strlen(text), NULL, NULL) != ERR_OK)
    return 0;
  struct jsonrpc_message m = jsonrpc_read(body);
  check_era(&h, body, &m);
  const char *claimed = cJSON_GetStringValue(mcp_era_claim(body));
  if (claimed == NULL || m.method == NULL || m.kind == JSONRPC_INVALID)
    return 0;
  check_headers(&h, &m, claimed);
  check_honest(&m, claimed);
  return 0;
}
