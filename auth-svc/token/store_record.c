/* Records of the token store's file. */
#include "auth-svc/token/store_record.h"

#include <string.h>

#include "auth-svc/token/store.h"

enum { FRAME = 4 + 8, CHECK = 8, FIXED = STORE_RECORD_OVERHEAD - FRAME };

const char store_head[STORE_HEAD_SIZE] = "amcp-tokens v1\n";

static void put_le(uint8_t *p, uint64_t v, size_t n)
{
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le(const uint8_t *p, size_t n)
{
  uint64_t v = 0;
  for (size_t i = n; i > 0; i--)
    v = v << 8 | p[i - 1];
  return v;
}

/* Over the length too: a run of zeros must not pass for records. */
static void check_of(const uint8_t *frame, size_t payload, uint8_t out[CHECK])
{
  uint8_t digests[2 * SHA256_SIZE], both[SHA256_SIZE];
  sha256_of(frame, 4, digests);
  sha256_of(frame + FRAME, payload, digests + SHA256_SIZE);
  sha256_of(digests, sizeof(digests), both);
  memcpy(out, both, CHECK);
}

bool store_record_write(struct buf *out, const struct store_record *r)
{
  size_t id = strlen(r->account_id), payload = FIXED + id + r->value_len;
  if (id > STORE_MAX_ACCOUNT || r->value_len > TOKEN_STORE_MAX_VALUE)
    return false;
  uint8_t *p = (uint8_t *)buf_reserve(out, FRAME + payload);
  if (p == NULL)
    return false;
  put_le(p, payload, 4);
  uint8_t *q = p + FRAME;
  *q++ = (uint8_t)r->kind;
  put_le(q, (uint64_t)r->stored_s, 8);
  q += 8;
  memcpy(q, r->fingerprint, SHA256_SIZE);
  q += SHA256_SIZE;
  put_le(q, id, 2);
  q += 2;
  memcpy(q, r->account_id, id);
  memcpy(q + id, r->value, r->value_len);
  check_of(p, payload, p + 4);
  out->len += FRAME + payload;
  return true;
}

size_t store_record_read(struct store_record *out, const uint8_t *p, size_t len)
{
  uint8_t check[CHECK];
  if (len < STORE_RECORD_OVERHEAD)
    return 0;
  size_t payload = (size_t)get_le(p, 4);
  if (payload < FIXED || payload > FIXED + STORE_MAX_ACCOUNT + TOKEN_STORE_MAX_VALUE ||
      payload > len - FRAME)
    return 0;
  check_of(p, payload, check);
  if (memcmp(check, p + 4, CHECK) != 0)
    return 0;
  const uint8_t *q = p + FRAME;
  size_t id = (size_t)get_le(q + 9 + SHA256_SIZE, 2);
  if (id > STORE_MAX_ACCOUNT || id > payload - FIXED || memchr(q + FIXED, '\0', id) != NULL ||
      (q[0] != STORE_SEALED && q[0] != STORE_PLAIN))
    return 0;
  *out = (struct store_record){.kind = q[0], .stored_s = (int64_t)get_le(q + 1, 8)};
  memcpy(out->fingerprint, q + 9, SHA256_SIZE);
  memcpy(out->account_id, q + FIXED, id);
  out->value = q + FIXED + id;
  out->value_len = payload - FIXED - id;
  return FRAME + payload;
}
