/* The keyring: what is sealed opens again, in its place and unchanged, and nowhere else. */
#include <string.h>

#include "auth-svc/secret/key_use.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64_C "//8CAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const struct keyring_record record = {"d01", "dealers.json/v1", "oauth.refresh_token"};

static struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  struct err e = {0};
  enum err_code code = keyring_parse(&k, "RING", text, strlen(text), &e);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
  return k;
}

static void seal(struct buf *out, struct keyring *k, const char *plain)
{
  CU_ASSERT_EQUAL_FATAL(keyring_seal(out, k, &record, plain, strlen(plain), NULL), ERR_OK);
}

static enum err_code open_as(const struct keyring *k, const struct keyring_record *r,
                             const struct buf *sealed, struct err *e)
{
  AUTO_SECRET struct secret *plain = NULL;
  enum err_code code = keyring_open(&plain, k, r, sealed->data, sealed->len, e);
  CU_ASSERT_EQUAL(plain == NULL, code != ERR_OK);
  return code;
}

static void values_of_every_length_come_back(void)
{
  struct keyring *k = ring_of("one: " HEX_A);
  char plain[300];
  memset(plain, 'x', sizeof(plain));
  for (size_t n = 0; n < sizeof(plain); n++) {
    AUTO_BUF struct buf sealed = BUF_INIT(SEALED_TEXT_MAX);
    AUTO_SECRET struct secret *s = NULL;
    CU_ASSERT_EQUAL_FATAL(keyring_seal(&sealed, k, &record, plain, n, NULL), ERR_OK);
    CU_ASSERT_EQUAL(strncmp(sealed.data, "v1:one:", 7), 0);
    CU_ASSERT_EQUAL_FATAL(keyring_open(&s, k, &record, sealed.data, sealed.len, NULL), ERR_OK);
    CU_ASSERT_EQUAL(secret_len(s), n);
    CU_ASSERT_EQUAL(memcmp(secret_text(s), plain, n), 0);
  }
  CU_ASSERT_EQUAL(keyring_uses(k, 0), sizeof(plain));
  keyring_unref(k);
}

static void two_seals_of_one_value_differ(void)
{
  struct keyring *k = ring_of("one: " HEX_A);
  AUTO_BUF struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
  seal(&a, k, "refresh");
  seal(&b, k, "refresh");
  CU_ASSERT_STRING_NOT_EQUAL(a.data, b.data);
  keyring_unref(k);
}

static void a_change_of_any_bit_is_refused(void)
{
  struct keyring *k = ring_of("one: " HEX_A "\nonf: " HEX_B);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  struct err e;
  seal(&sealed, k, "a refresh token");
  for (size_t i = 0; i < sealed.len; i++)
    for (int bit = 0; bit < 8; bit++) {
      sealed.data[i] = (char)(sealed.data[i] ^ (1 << bit));
      CU_ASSERT_NOT_EQUAL(open_as(k, &record, &sealed, &e), ERR_OK);
      sealed.data[i] = (char)(sealed.data[i] ^ (1 << bit));
    }
  CU_ASSERT_EQUAL(open_as(k, &record, &sealed, &e), ERR_OK);
  for (sealed.len--; sealed.len > 0; sealed.len--)
    CU_ASSERT_NOT_EQUAL(open_as(k, &record, &sealed, &e), ERR_OK);
  keyring_unref(k);
}

/* Nonce, ciphertext and tag, changed as bytes so that the base64 stays well-formed. */
static void a_change_of_nonce_ciphertext_or_tag_reads_as_broken(void)
{
  struct keyring *k = ring_of("one: " HEX_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096), bytes = BUF_INIT(4096);
  seal(&sealed, k, "a refresh token");
  CU_ASSERT_TRUE_FATAL(base64_decode(&bytes, sealed.data + 7, sealed.len - 7));
  for (size_t i = 0; i < bytes.len; i++) {
    AUTO_BUF struct buf changed = BUF_INIT(4096);
    struct err e = {0};
    bytes.data[i] ^= 1;
    buf_puts(&changed, "v1:one:");
    base64_encode(&changed, bytes.data, bytes.len);
    bytes.data[i] ^= 1;
    CU_ASSERT_EQUAL(open_as(k, &record, &changed, &e), ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(e.reason, "seal_broken");
  }
  keyring_unref(k);
}

static void a_value_does_not_open_in_another_place(void)
{
  static const struct keyring_record others[] = {
      {"d02", "dealers.json/v1", "oauth.refresh_token"},
      {"d01", "dealers.json/v2", "oauth.refresh_token"},
      {"d01", "dealers.json/v1", "oauth.client_secret"},
      {"d01d", "ealers.json/v1", "oauth.refresh_token"}, /* same letters, other borders */
      {"", "d01dealers.json/v1", "oauth.refresh_token"},
  };
  struct keyring *k = ring_of("one: " HEX_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  seal(&sealed, k, "x");
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    struct err e = {0};
    CU_ASSERT_EQUAL(open_as(k, &others[i], &sealed, &e), ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(e.reason, "seal_broken");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "moved here from another dealer or field"));
  }
  keyring_unref(k);
}

static void every_key_opens_and_the_first_seals(void)
{
  struct keyring *old = ring_of("old: " HEX_A), *both = ring_of("new: " BASE64_C "\nold: " HEX_A),
                 *new = ring_of("new: " BASE64_C);
  AUTO_BUF struct buf before = BUF_INIT(4096), after = BUF_INIT(4096);
  struct err e = {0};
  seal(&before, old, "x");
  seal(&after, both, "x");
  CU_ASSERT_EQUAL(strncmp(after.data, "v1:new:", 7), 0);
  CU_ASSERT_EQUAL(open_as(both, &record, &before, &e), ERR_OK);
  CU_ASSERT_EQUAL(open_as(both, &record, &after, &e), ERR_OK);
  CU_ASSERT_EQUAL(open_as(new, &record, &before, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "unknown_key");
  CU_ASSERT_STRING_EQUAL(e.message, "sealed with key \"old\", which is not on the keyring: add it "
                                    "to AUTH_KEYRING_FILE");
  keyring_unref(old);
  keyring_unref(both);
  keyring_unref(new);
}

static void another_key_by_the_same_id_does_not_open(void)
{
  struct keyring *a = ring_of("one: " HEX_A), *b = ring_of("one: " HEX_B);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  struct err e = {0};
  seal(&sealed, a, "x");
  CU_ASSERT_EQUAL(open_as(b, &record, &sealed, &e), ERR_DATA_LOSS);
  keyring_unref(a);
  keyring_unref(b);
}

static void rings_are_read_with_comments_commas_and_blanks(void)
{
  struct keyring *k =
      ring_of("# newest first\r\n\n  c.3:" BASE64_C " \r\n\tb_2:\t" HEX_B " , a-1: " HEX_A);
  CU_ASSERT_EQUAL_FATAL(keyring_size(k), 3);
  CU_ASSERT_STRING_EQUAL(keyring_id(k, 0), "c.3");
  CU_ASSERT_STRING_EQUAL(keyring_id(k, 1), "b_2");
  CU_ASSERT_STRING_EQUAL(keyring_id(k, 2), "a-1");
  keyring_unref(k);
}

static void wrong_rings_name_the_line_and_no_key(void)
{
  static const struct {
    const char *text, *message;
  } table[] = {
      {"", "RING: holds no key; make one with: auth-svc keygen"},
      {"# nothing\n\n", "RING: holds no key"},
      {HEX_A, "key on line 1: no id of 1 to 32"},
      {"a b: " HEX_A, "key on line 1: no id of 1 to 32"},
      {"abcdefghijklmnopqrstuvwxyz0123456: " HEX_A, "key on line 1: no id of 1 to 32"},
      {"\na: " HEX_A "00", "key on line 2: the key must be 32 bytes"},
      {"a: 0001", "key on line 1: the key must be 32 bytes"},
      {"a: ", "key on line 1: the key must be 32 bytes"},
      {"a: " HEX_A "\na: " HEX_B, "key on line 2: duplicate id"},
      {"a: " HEX_A ", b: " HEX_A, "key on line 2: duplicate key, with another id"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct keyring *k = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(keyring_parse(&k, "RING", table[i].text, strlen(table[i].text), &e),
                    ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(k);
    CU_ASSERT_STRING_EQUAL(e.reason, "bad_keyring");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, table[i].message));
    CU_ASSERT_PTR_NULL(strstr(e.message, "000102"));
  }
}

static void a_worn_out_key_seals_no_more_and_still_opens(void)
{
  struct keyring *k = ring_of("one: " HEX_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096), more = BUF_INIT(4096);
  struct err e = {0};
  seal(&sealed, k, "x");
  keyring_count_uses(k, 0, KEYRING_USES_MAX - 2);
  seal(&more, k, "x"); /* the last one */
  CU_ASSERT_EQUAL(keyring_seal(&more, k, &record, "x", 1, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "key_worn_out");
  CU_ASSERT_EQUAL(open_as(k, &record, &sealed, &e), ERR_OK);
  keyring_unref(k);
}

static void derived_keys_differ_by_use_and_key(void)
{
  struct keyring *k = ring_of("one: " HEX_A "\ntwo: " HEX_B);
  uint8_t a[32], b[32], c[32], again[32];
  keyring_derive(k, 0, "audit", a);
  keyring_derive(k, 0, "other", b);
  keyring_derive(k, 1, "audit", c);
  keyring_derive(k, 0, "audit", again);
  CU_ASSERT_NOT_EQUAL(memcmp(a, b, 32), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(a, c, 32), 0);
  CU_ASSERT_EQUAL(memcmp(a, again, 32), 0);
  keyring_unref(k);
}

static void a_ring_lives_as_long_as_somebody_holds_it(void)
{
  struct keyring *k = ring_of("one: " HEX_A), *held = keyring_ref(k);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  keyring_unref(k);
  seal(&sealed, held, "x");
  CU_ASSERT_EQUAL(open_as(held, &record, &sealed, NULL), ERR_OK);
  keyring_unref(held);
  keyring_unref(NULL);
}

static void keys_are_found_by_id_and_compared_by_their_bytes(void)
{
  AUTO_KEYRING struct keyring *k = ring_of("one: " HEX_A "\ntwo: " HEX_B);
  AUTO_KEYRING struct keyring *other = ring_of("one: " HEX_B "\nthree: " HEX_A);
  CU_ASSERT_EQUAL(keyring_find(k, "two"), 1);
  CU_ASSERT_EQUAL(keyring_find(k, "thre"), keyring_size(k));
  CU_ASSERT_FALSE(keyring_same_key(k, 0, other, 0)); /* the id is the same, the key is not */
  CU_ASSERT_TRUE(keyring_same_key(k, 1, other, 0));
}

static void uses_go_on_when_a_file_is_read_again(void)
{
  AUTO_KEYRING struct keyring *k = ring_of("one: " HEX_A);
  AUTO_KEYRING struct keyring *next = ring_of("new: " HEX_B "\none: " HEX_A);
  keyring_count_uses(k, 0, 7);
  keyring_carry_uses(next, k);
  CU_ASSERT_EQUAL(keyring_uses(next, 0), 0);
  CU_ASSERT_EQUAL(keyring_uses(next, 1), 7);
}

static void keys_in_use_are_counted_and_missed(void)
{
  AUTO_KEYRING struct keyring *k = ring_of("one: " HEX_A), *other = ring_of("two: " HEX_B);
  AUTO_BUF struct buf sealed = BUF_INIT(4096), text = BUF_INIT(256);
  struct key_use use = {0};
  key_use_print(&use, &text);
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "nothing sealed");
  seal(&sealed, k, "x");
  key_use_add_sealed(&use, sealed.data, sealed.len);
  key_use_add_sealed(&use, "no seal", 7);
  key_use_add(&use, "two");
  key_use_add(&use, "two");
  buf_clear(&text);
  key_use_print(&use, &text);
  CU_ASSERT_STRING_EQUAL(buf_str(&text), "one (1), two (2)");
  CU_ASSERT_STRING_EQUAL(key_use_missing(&use, k), "two");
  CU_ASSERT_STRING_EQUAL(key_use_missing(&use, other), "one");
  CU_ASSERT_STRING_EQUAL(key_use_missing(&use, NULL), "one");
  CU_ASSERT_TRUE(key_use_has_other(&use, "one"));
  for (int i = 0; i < KEYRING_KEYS_MAX; i++) {
    AUTO_FREE char *id = xasprintf("k%d", i);
    key_use_add(&use, id);
  }
  CU_ASSERT_TRUE(use.more); /* then no key may leave */
  CU_ASSERT_PTR_NOT_NULL(key_use_missing(&use, k));
}

TEST_MAIN("auth keyring", TEST(values_of_every_length_come_back),
          TEST(two_seals_of_one_value_differ), TEST(a_change_of_any_bit_is_refused),
          TEST(a_change_of_nonce_ciphertext_or_tag_reads_as_broken),
          TEST(a_value_does_not_open_in_another_place), TEST(every_key_opens_and_the_first_seals),
          TEST(another_key_by_the_same_id_does_not_open),
          TEST(rings_are_read_with_comments_commas_and_blanks),
          TEST(wrong_rings_name_the_line_and_no_key),
          TEST(a_worn_out_key_seals_no_more_and_still_opens),
          TEST(derived_keys_differ_by_use_and_key), TEST(a_ring_lives_as_long_as_somebody_holds_it),
          TEST(keys_are_found_by_id_and_compared_by_their_bytes),
          TEST(uses_go_on_when_a_file_is_read_again), TEST(keys_in_use_are_counted_and_missed))
