/* Fuzz target of the base64 form of header values: what is decoded has one spelling, and every
 * other value says itself. */
#include "common/base/codec.h"
#include "gateway/mcp/headers.h"
#include "tests/fuzz/fuzz.h"

enum { MAX = 64 * 1024 };

static bool is_coded(const char *value)
{
  size_t len = strlen(value);
  return len >= 11 && strncmp(value, "=?base64?", 9) == 0 && strcmp(value + len - 2, "?=") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  AUTO_FREE char *value = fuzz_rest(&in);
  struct buf text AUTO_BUF = BUF_INIT(MAX), again AUTO_BUF = BUF_INIT(2 * MAX);
  bool ok = mcp_header_text(&text, value);
  if (!is_coded(value)) {
    FUZZ_MUST(!ok || strcmp(buf_str(&text), value) == 0);
    return 0;
  }
  FUZZ_MUST(ok || text.len == 0);
  if (!ok)
    return 0;
  FUZZ_MUST(utf8_valid(buf_str(&text), text.len) && strlen(buf_str(&text)) == text.len);
  buf_puts(&again, "=?base64?");
  base64_encode(&again, buf_str(&text), text.len);
  buf_puts(&again, "?=");
  FUZZ_MUST(strcmp(buf_str(&again), value) == 0);
  return 0;
}
