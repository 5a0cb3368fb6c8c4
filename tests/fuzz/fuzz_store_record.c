/* Fuzz target of the token store's file. A first byte chooses: the reader on the bytes as they
 * are, or on bytes whose checksum is made to fit, so that what is behind it is reached, too. What
 * is read lies within the input, and written again it is the same bytes. */
#include "auth-svc/token/store_content.h"
#include "tests/fuzz/fuzz.h"

enum { FRAME = 4 + 8 };

/* The length and checksum a record of this payload would have. */
static void make_fit(uint8_t *p, size_t len)
{
  uint8_t digests[2 * SHA256_SIZE], both[SHA256_SIZE];
  if (len < FRAME)
    return;
  size_t payload = len - FRAME;
  for (size_t i = 0; i < 4; i++)
    p[i] = (uint8_t)(payload >> (8 * i));
  sha256_of(p, 4, digests);
  sha256_of(p + FRAME, payload, digests + SHA256_SIZE);
  sha256_of(digests, sizeof(digests), both);
  memcpy(p + 4, both, 8);
}

static void check_record(const uint8_t *p, size_t len)
{
  AUTO_BUF struct buf again = BUF_INIT(RECORD_MAX + 1);
  struct store_record r;
  size_t n = store_record_read(&r, p, len);
  if (n == 0)
    return;
  const uint8_t *value = r.value;
  FUZZ_MUST(n <= len && n >= STORE_RECORD_OVERHEAD);
  FUZZ_MUST(value >= p && value + r.value_len <= p + n);
  FUZZ_MUST(memchr(r.account_id, '\0', sizeof(r.account_id)) != NULL);
  FUZZ_MUST(r.kind == STORE_SEALED || r.kind == STORE_PLAIN);
  FUZZ_MUST(store_record_write(&again, &r) && again.len == n && memcmp(again.data, p, n) == 0);
}

/* A whole file behind its head: every good record is found, and nobody's sealed value opens. */
static void check_file(const uint8_t *p, size_t len, struct keyring *ring)
{
  static struct store_table table;
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  struct content_found found;
  struct err e = {0};
  buf_append(&text, store_head, STORE_HEAD_SIZE);
  buf_append(&text, p, len);
  enum err_code code = content_read(&found, &table, &text, ring, &e);
  FUZZ_MUST(found.good <= text.len && found.use.n == 0);
  FUZZ_MUST(code == ERR_OK || e.message[0] != '\0');
  FUZZ_MUST(table.n <= found.use.plain);
  table_clear(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char key[] = "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  struct fuzz_input in = {data, size};
  struct keyring *ring = NULL;
  bool fit = (fuzz_byte(&in) & 1) != 0;
  AUTO_FREE uint8_t *copy = xmalloc(in.len + 1);
  if (in.len > 0)
    memcpy(copy, in.data, in.len);
  if (fit)
    make_fit(copy, in.len);
  check_record(copy, in.len);
  FUZZ_MUST(keyring_parse(&ring, "RING", key, strlen(key), NULL) == ERR_OK);
  check_file(copy, in.len, ring);
  keyring_unref(ring);
  return 0;
}
