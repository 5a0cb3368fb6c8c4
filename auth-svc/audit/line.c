/* Makes and reads lines of the audit log. */
#include "auth-svc/audit/line.h"

#include <openssl/crypto.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define HASH_MARK ",\"hash\":\""
enum { HASH_HEX = 2 * SHA256_SIZE, TAIL_LEN = sizeof(HASH_MARK) - 1 + HASH_HEX + 2 };

void audit_key_of(struct audit_key *key, const struct keyring *ring, size_t i)
{
  *key = (struct audit_key){.keyed = ring != NULL};
  if (ring == NULL)
    return;
  memcpy(key->id, keyring_id(ring, i), strlen(keyring_id(ring, i)) + 1);
  keyring_derive(ring, i, "analytics-mcp audit v1", key->bytes);
}

static void hash_of(const struct audit_key *key, const void *data, size_t len,
                    uint8_t out[SHA256_SIZE])
{
  if (key->keyed)
    hmac_sha256(key->bytes, sizeof(key->bytes), data, len, out);
  else
    sha256_of(data, len, out);
}

/* --------------------------------------------------------------------- making */

/* Characters that a terminal or a viewer takes as commands: controls, and those that turn the
 * direction of writing. JSON escapes those below a space by itself. */
static bool is_unsafe(uint32_t c)
{
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* One character of text that is UTF-8; its length in bytes. */
static size_t next_char(const char *s, uint32_t *out)
{
  unsigned char c = (unsigned char)s[0];
  size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  *out = n == 1 ? c : c & (0xffu >> (n + 1));
  for (size_t i = 1; i < n; i++)
    *out = *out << 6 | ((unsigned char)s[i] & 0x3f);
  return n;
}

/* Appends the text's characters, as many as may be shown. False when it was cut. */
static bool put_chars(struct buf *out, const char *s, size_t len)
{
  size_t start = out->len;
  for (size_t at = 0; at < len;) {
    uint32_t c;
    size_t n = next_char(s + at, &c);
    if (at + n > AUDIT_TEXT_MAX || out->len - start + 6 > AUDIT_ESCAPED_MAX)
      return false;
    if (is_unsafe(c))
      buf_printf(out, "\\u%04x", (unsigned)c);
    else if (c == '"' || c == '\\')
      buf_printf(out, "\\%c", (char)c);
    else
      buf_append(out, s + at, n);
    at += n;
  }
  return true;
}

static void put_field(struct buf *out, const char *name, const char *value)
{
  if (value == NULL || *value == '\0')
    return;
  size_t len = strlen(value);
  bool text = utf8_valid(value, len);
  buf_printf(out, ",\"%s\":\"", name);
  if (!text || !put_chars(out, value, len)) {
    uint8_t digest[SHA256_SIZE];
    sha256_of(value, len, digest);
    buf_puts(out, text ? "...#" : "(not UTF-8)#");
    hex_encode(out, digest, 8);
  }
  buf_putc(out, '"');
}

static void put_event(struct buf *out, const struct audit_event *ev)
{
  const struct {
    const char *name, *value;
  } fields[] = {
      {"event", ev->event},     {"result", ev->result},   {"reason", ev->reason},
      {"subject", ev->subject}, {"role", ev->role},       {"account", ev->account},
      {"dealer", ev->dealer},   {"purpose", ev->purpose}, {"requested", ev->requested},
      {"peer", ev->peer},       {"client", ev->client},   {"trace_id", ev->trace_id},
      {"grant", ev->grant_id},  {"detail", ev->detail},   {"old_key", ev->old_key},
      {"new_key", ev->new_key},
  };
  for (size_t i = 0; i < ARRAY_LEN(fields); i++)
    put_field(out, fields[i].name, fields[i].value);
  if (ev->count > 0)
    buf_printf(out, ",\"count\":%llu", (unsigned long long)ev->count);
  if (ev->through > 0)
    buf_printf(out, ",\"through\":%llu", (unsigned long long)ev->through);
}

bool audit_line_make(struct buf *out, struct audit_chain *next, const struct audit_chain *last,
                     const struct audit_event *event, int64_t unix_ms, const struct audit_key *key)
{
  char time[32];
  size_t start = out->len;
  struct audit_chain made = {.seq = last->seq + 1};
  clock_format_rfc3339(unix_ms, time, sizeof(time));
  buf_printf(out, "{\"audit\":1,\"seq\":%llu,\"time\":\"%s\"", (unsigned long long)made.seq, time);
  put_event(out, event);
  put_field(out, "key", key->keyed ? key->id : "");
  buf_puts(out, ",\"prev\":\"");
  hex_encode(out, last->hash, sizeof(last->hash));
  buf_putc(out, '"');
  if (out->failed)
    return false;
  hash_of(key, out->data + start, out->len - start, made.hash);
  buf_puts(out, HASH_MARK);
  hex_encode(out, made.hash, sizeof(made.hash));
  *next = made;
  return buf_puts(out, "\"}\n");
}

/* -------------------------------------------------------------------- reading */

static bool read_text(char *out, size_t size, const cJSON *object, const char *key)
{
  const char *s = json_get_string(object, key);
  out[0] = '\0';
  if (s == NULL)
    return cJSON_GetObjectItemCaseSensitive(object, key) == NULL;
  if (strlen(s) >= size)
    return false;
  memcpy(out, s, strlen(s) + 1);
  return true;
}

static bool read_link(struct audit_link *out, const cJSON *j, const char *line, size_t len)
{
  const char *prev = json_get_string(j, "prev");
  double seq = json_get_number(j, "seq", 0), through = json_get_number(j, "through", 0);
  const char *tail = line + len - TAIL_LEN;
  if (seq < 1 || seq > 9007199254740992.0 || prev == NULL ||
      memcmp(tail, HASH_MARK, sizeof(HASH_MARK) - 1) != 0 || memcmp(line + len - 2, "\"}", 2) != 0)
    return false;
  out->seq = (uint64_t)seq;
  out->through = through >= 1 && through < seq ? (uint64_t)through : 0;
  return hex_read(out->prev, SHA256_SIZE, prev, strlen(prev)) &&
         hex_read(out->hash, SHA256_SIZE, tail + sizeof(HASH_MARK) - 1, HASH_HEX) &&
         read_text(out->event, sizeof(out->event), j, "event") &&
         read_text(out->key_id, sizeof(out->key_id), j, "key") &&
         read_text(out->new_key, sizeof(out->new_key), j, "new_key");
}

static bool find_key(struct audit_key *key, const struct keyring *ring, const char *id)
{
  bool plain = *id == '\0';
  size_t i = plain ? 0 : keyring_find(ring, id);
  if (!plain && (ring == NULL || i == keyring_size(ring)))
    return false;
  audit_key_of(key, plain ? NULL : ring, i);
  return true;
}

enum err_code audit_line_read(struct audit_link *out, const char *line, size_t len,
                              const struct keyring *ring, struct err *e)
{
  AUTO_JSON cJSON *j = NULL;
  struct audit_key key;
  uint8_t hash[SHA256_SIZE];
  if (len < TAIL_LEN || len > AUDIT_LINE_MAX || json_parse(&j, line, len, NULL, NULL) != ERR_OK ||
      !read_link(out, j, line, len))
    return err_set(e, ERR_INVALID_ARGUMENT, "not_a_line", "is not a whole line of the audit log");
  if (!find_key(&key, ring, out->key_id))
    return err_set(e, ERR_FAILED_PRECONDITION, "unknown_key",
                   "is hashed with key \"%s\", which is not on the keyring: set "
                   "AUTH_KEYRING_FILE to a keyring that holds it",
                   out->key_id);
  hash_of(&key, line, len - TAIL_LEN, hash);
  mem_wipe(&key, sizeof(key));
  return CRYPTO_memcmp(hash, out->hash, sizeof(hash)) == 0
             ? ERR_OK
             : err_set(e, ERR_DATA_LOSS, "changed", "was changed: its hash does not match");
}
