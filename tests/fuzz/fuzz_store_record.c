/* Fuzz target of the token store's file. A first byte chooses: the reader on the bytes as they
 * are, or behind a head whose checksum is made to fit, so that what is behind it is reached, too.
 * Nobody's sealed value opens, and what is read in the clear is written and read again alike. */
#include "auth-svc/token/store_content.h"
#include "common/base/codec.h"
#include "tests/fuzz/fuzz.h"

static void put_head(struct buf *out, const uint8_t *p, size_t len)
{
  uint8_t digest[SHA256_SIZE];
  sha256_of(p, len, digest);
  buf_puts(out, "amcp-tokens v2 ");
  hex_encode(out, digest, sizeof(digest));
  buf_putc(out, '\n');
}

static void check_again(struct table *table)
{
  AUTO_BUF struct buf text = BUF_INIT(STORE_FILE_MAX);
  struct table again;
  struct key_use use;
  struct err e = {0};
  kept_init(&again);
  FUZZ_MUST(content_write(&text, table, NULL, &use, &e) == ERR_OK && use.plain == table->order.n);
  FUZZ_MUST(content_is_whole(&text));
  FUZZ_MUST(content_read(&again, &use, &text, NULL, &e) == ERR_OK &&
            again.order.n == table->order.n);
  for (const struct kept *k = table_newest(table); k != NULL; k = table_older(k)) {
    const uint8_t *fingerprint = table_key(k);
    const char *account = (const char *)fingerprint + SHA256_SIZE;
    const struct kept *same = kept_find(&again, account, fingerprint);
    FUZZ_MUST(same != NULL && same->stored_s == k->stored_s &&
              secret_has_sha256(same->token, secret_sha256(k->token)));
    FUZZ_MUST(kept_find(table, account, fingerprint) == k);
  }
  table_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char key[] = "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  struct fuzz_input in = {data, size};
  AUTO_KEYRING struct keyring *ring = NULL;
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  struct table table;
  struct key_use use;
  struct err e = {0};
  bool fit = (fuzz_byte(&in) & 1) != 0;
  kept_init(&table);
  if (fit)
    put_head(&text, in.data, in.len);
  buf_append(&text, in.data, in.len);
  FUZZ_MUST(keyring_parse(&ring, "RING", key, strlen(key), NULL) == ERR_OK);
  bool whole = content_is_whole(&text);
  FUZZ_MUST(whole || !fit || in.len == 0);
  enum err_code code = content_read(&table, &use, &text, ring, &e);
  FUZZ_MUST(code == ERR_OK ? whole && use.n == 0 : e.message[0] != '\0');
  FUZZ_MUST(table.order.n <= use.plain);
  if (code == ERR_OK)
    check_again(&table);
  table_free(&table);
  return 0;
}
