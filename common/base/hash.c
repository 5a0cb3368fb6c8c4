/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#include "common/base/hash.h"

#include <string.h>

#include "common/base/random.h"

static uint64_t process_key[2]; /* written before main() */

static inline uint64_t rotate(uint64_t x, int bits)
{
  return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
  v[0] += v[1];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[0] = rotate(v[0], 32);
  v[2] += v[3];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[2] = rotate(v[2], 32);
}

/* The up to 7 bytes after the last whole word. */
static inline uint64_t last_bytes(const unsigned char *p, size_t len)
{
  size_t rest = len % 8;
  uint64_t word = 0;
  if (rest == 0)
    return 0;
  if (len > 8) { /* of the last 8 bytes, those that no word had */
    memcpy(&word, p + len - 8, 8);
    return word >> (64 - 8 * rest);
  }
  for (size_t k = 0; k < rest; k++)
    word |= (uint64_t)p[k] << (8 * k);
  return word;
}

uint64_t hash_bytes(const uint64_t key[2], const void *data, size_t len, uint64_t start)
{
  uint64_t k0 = key[0] ^ start, k1 = key[1];
  uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                   k1 ^ 0x7465646279746573};
  const unsigned char *p = data;
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    uint64_t m;
    memcpy(&m, p + i, 8);
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
  }
  uint64_t tail = last_bytes(p, len) | (uint64_t)len << 56;
  v[3] ^= tail;
  sip_round(v);
  v[0] ^= tail;
  v[2] ^= 0xff;
  for (int k = 0; k < 3; k++)
    sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void hash_key_make(uint64_t key[2])
{
  random_fill(key, 2 * sizeof(*key));
}

__attribute__((constructor)) static void make_process_key(void)
{
  hash_key_make(process_key);
}

uint64_t hash_data(const void *data, size_t len)
{
  return hash_bytes(process_key, data, len, 0);
}

uint64_t hash_text(const char *text)
{
  return hash_data(text, strlen(text));
}
