/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#include "common/base/hash.h"

#include <pthread.h>
#include <string.h>

#include "common/base/random.h"

static uint64_t process_key[2]; /* written once */
static pthread_once_t once = PTHREAD_ONCE_INIT;

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
  uint64_t tail = (uint64_t)len << 56;
  for (size_t k = 0; i + k < len; k++)
    tail |= (uint64_t)p[i + k] << (8 * k);
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

static void make_process_key(void)
{
  hash_key_make(process_key);
}

uint64_t hash_data(const void *data, size_t len)
{
  pthread_once(&once, make_process_key);
  return hash_bytes(process_key, data, len, 0);
}

uint64_t hash_text(const char *text)
{
  return hash_data(text, strlen(text));
}
