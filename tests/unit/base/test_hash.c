/* The hash of tables, against values that another implementation gave. */
#include "common/base/hash.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* CPython 3.11 hashes bytes with SipHash-1-3: hash(bytes(range(len))) under PYTHONHASHSEED=0, whose
 * key is zero, and =1, whose key its generator makes from the seed. */
static void values_are_those_of_siphash_1_3(void)
{
  static const uint64_t zero[2] = {0, 0}, one[2] = {0xaed66ce184be2329, 0xebe9bbf1f1499052};
  static const struct {
    size_t len;
    uint64_t under_zero, under_one;
  } cases[] = {
      {1, 0x68a914128e01e473, 0xecd3e5afcecda4b9},  {7, 0x2f098ab0c751325a, 0xfd15e78052a69ddf},
      {8, 0xead411e67ebe2eea, 0xc0b5739e7e28dd01},  {9, 0x75927f9d95124362, 0x208a1a5a0cbbf778},
      {15, 0xf30eb725bb91c9ea, 0xfa87985f39e97a53}, {16, 0x8972188433a5c5b7, 0x12e9d283f9f37002},
      {63, 0x385d3e39e5f37359, 0x542052345bc68274}};
  unsigned char data[64];
  for (size_t i = 0; i < sizeof(data); i++)
    data[i] = (unsigned char)i;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_EQUAL(hash_bytes(zero, data, cases[i].len, 0), cases[i].under_zero);
    CU_ASSERT_EQUAL(hash_bytes(one, data, cases[i].len, 0), cases[i].under_one);
  }
  CU_ASSERT_EQUAL(hash_bytes(one, "analytics", 9, 0), 0x4b6007a21067386f);
}

static void hash_depends_on_key_and_order(void)
{
  const uint64_t key[2] = {1, 2}, other[2] = {1, 3};
  CU_ASSERT_EQUAL(hash_bytes(key, "abc", 3, 0), hash_bytes(key, "abc", 3, 0));
  CU_ASSERT_NOT_EQUAL(hash_bytes(key, "abc", 3, 0), hash_bytes(other, "abc", 3, 0));
  CU_ASSERT_NOT_EQUAL(hash_bytes(key, "abc", 3, 0), hash_bytes(key, "abd", 3, 0));
  CU_ASSERT_NOT_EQUAL(hash_bytes(key, "a", 1, hash_bytes(key, "b", 1, 0)),
                      hash_bytes(key, "b", 1, hash_bytes(key, "a", 1, 0)));
  size_t low[16] = {0};
  for (int i = 0; i < 1600; i++) {
    char text[16];
    int n = snprintf(text, sizeof(text), "/page/%d", i);
    low[hash_bytes(key, text, (size_t)n, 0) & 15]++;
  }
  for (size_t i = 0; i < 16; i++)
    CU_ASSERT_TRUE(low[i] > 50 && low[i] < 150);
}

static void the_process_has_one_key_and_keys_differ(void)
{
  uint64_t a[2], b[2];
  hash_key_make(a);
  hash_key_make(b);
  CU_ASSERT_NOT_EQUAL(a[0], b[0]);
  CU_ASSERT_NOT_EQUAL(a[1], b[1]);
  CU_ASSERT_EQUAL(hash_text("west"), hash_data("west", 4));
  CU_ASSERT_NOT_EQUAL(hash_text("west"), hash_text("east"));
  CU_ASSERT_NOT_EQUAL(hash_text("west"), hash_bytes((uint64_t[2]){0, 0}, "west", 4, 0));
}

TEST_MAIN("base/hash", TEST(values_are_those_of_siphash_1_3), TEST(hash_depends_on_key_and_order),
          TEST(the_process_has_one_key_and_keys_differ))
