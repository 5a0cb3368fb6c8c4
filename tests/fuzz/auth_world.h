/* Two dealers and a key for signed tokens, for the targets of auth-svc. */
#ifndef AMCP_TESTS_FUZZ_AUTH_WORLD_H
#define AMCP_TESTS_FUZZ_AUTH_WORLD_H

#include <openssl/hmac.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/bearer.h"
#include "common/base/codec.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_JWT_KEY "fuzz-hs256-key-of-thirty-two-bytes"
#define FUZZ_REFRESH_TOKEN "1//0gFuzz-Refresh-1"
#define FUZZ_NOW 1750000000

static inline struct snapshot *fuzz_snapshot(void)
{
  static const char json[] =
      "[{\"dealer_id\":\"d1\",\"account_id\":\"a1\",\"name\":\"One\",\"region\":\"West\","
      "\"groups\":[\"g1\"],\"properties\":[\"1\"],\"oauth\":{\"client_id\":\"c\","
      "\"client_secret\":\"s\",\"refresh_token\":\"" FUZZ_REFRESH_TOKEN "\"}},"
      "{\"dealer_id\":\"d2\",\"account_id\":\"a2\",\"name\":\"Two\",\"region\":\"West\","
      "\"properties\":[\"2\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\","
      "\"refresh_token\":\"1//0gFuzz-Refresh-2\"}}]";
  struct snapshot *s = NULL;
  struct err e = {0};
  FUZZ_MUST(snapshot_parse(&s, "fuzz", json, sizeof(json) - 1, NULL, &e) == ERR_OK);
  return s;
}

static inline struct jwt_keys *fuzz_jwt_keys(void)
{
  struct jwt_keys *keys = jwt_keys_new();
  struct err e = {0};
  FUZZ_MUST(jwt_keys_add_hs256(keys, "key", FUZZ_JWT_KEY, strlen(FUZZ_JWT_KEY), &e) == ERR_OK);
  return keys;
}

/* A rightly signed token over any header and claims. Free with free(). */
static inline char *fuzz_signed_token(const char *header, size_t header_len, const char *claims,
                                      size_t claims_len)
{
  struct buf t = BUF_INIT(4 << 20);
  uint8_t mac[32];
  unsigned n = sizeof(mac);
  base64url_encode(&t, header, header_len);
  buf_putc(&t, '.');
  base64url_encode(&t, claims, claims_len);
  HMAC(EVP_sha256(), FUZZ_JWT_KEY, (int)strlen(FUZZ_JWT_KEY), (const uint8_t *)t.data, t.len, mac,
       &n);
  buf_putc(&t, '.');
  base64url_encode(&t, mac, n);
  return buf_take(&t, NULL);
}

#endif
