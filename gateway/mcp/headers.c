/* The headers of a modern request against its body. */
#include "gateway/mcp/headers.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define PREFIX "=?base64?"
#define SUFFIX "?="

enum { HEADER_MAX = 32 * 1024 };

/* The decoder takes more spellings than the one of RFC 4648, section 4. */
static bool is_standard(const char *s, size_t len)
{
  struct buf raw AUTO_BUF = BUF_INIT(HEADER_MAX), again AUTO_BUF = BUF_INIT(2 * HEADER_MAX);
  return base64_decode(&raw, s, len) && base64_encode(&again, buf_str(&raw), raw.len) &&
         again.len == len && memcmp(buf_str(&again), s, len) == 0 &&
         utf8_valid(buf_str(&raw), raw.len) && memchr(buf_str(&raw), '\0', raw.len) == NULL;
}

bool mcp_header_text(struct buf *out, const char *value)
{
  size_t len = strlen(value), prefix = sizeof(PREFIX) - 1, suffix = sizeof(SUFFIX) - 1;
  if (len < prefix + suffix || strncmp(value, PREFIX, prefix) != 0 ||
      strcmp(value + len - suffix, SUFFIX) != 0)
    return buf_puts(out, value);
  const char *coded = value + prefix;
  size_t coded_len = len - prefix - suffix;
  return is_standard(coded, coded_len) && base64_decode(out, coded, coded_len);
}

const char *mcp_headers_mismatch(const struct mcp_headers *h, const struct jsonrpc_message *m,
                                 const char *claimed)
{
  if (h->protocol_version != NULL && strcmp(h->protocol_version, claimed) != 0)
    return "The header MCP-Protocol-Version differs from the version in params._meta";
  if (h->method != NULL && strcmp(h->method, m->method) != 0)
    return "The header Mcp-Method differs from method";
  return NULL;
}

static const char *name_problem(const char *header, const char *named)
{
  struct buf text AUTO_BUF = BUF_INIT(HEADER_MAX);
  if (header == NULL)
    return "The header Mcp-Name is required: it repeats params.name, or params.uri";
  if (!mcp_header_text(&text, header))
    return "The header Mcp-Name is not well-formed: =?base64?...?= holds padded standard base64 "
           "of UTF-8";
  if (named != NULL && strcmp(buf_str(&text), named) != 0)
    return "The header Mcp-Name differs from params.name, or params.uri";
  return NULL;
}

const char *mcp_headers_missing(const struct mcp_headers *h, const struct jsonrpc_message *m,
                                const struct mcp_method *method)
{
  if (h->protocol_version == NULL)
    return "The header MCP-Protocol-Version is required: it repeats the version in params._meta";
  if (h->method == NULL)
    return "The header Mcp-Method is required: it repeats method";
  if (method == NULL || method->named_by == NULL)
    return NULL;
  return name_problem(h->name, json_get_string(m->params, method->named_by));
}

int mcp_headers_check_session(const struct mcp_headers *h)
{
  const char *version = h->protocol_version;
  enum mcp_version served;
  if (h->session_id == NULL || (version != NULL && mcp_version_is_modern(version)))
    return 405;
  return version == NULL || mcp_version_parse(version, MCP_ERA_LEGACY, &served) ? 0 : 400;
}
