/* Fuzz target of verification keys: the first byte chooses JWKS or PEM. A key that is taken can
 * be used. */
#include "common/base/log.h"
#include "tests/fuzz/auth_world.h"

static void use(const struct jwt_keys *keys)
{
  static const char header[] = "{\"alg\":\"RS256\"}", claims[] = "{}";
  AUTO_FREE char *token = fuzz_signed_token(header, sizeof(header) - 1, claims, 2);
  struct jwt_policy policy = {.keys = keys, .issuer = "issuer", .audience = "audience"};
  cJSON *out = NULL;
  struct err e = {0};
  FUZZ_MUST(jwt_verify(&out, &policy, token, strlen(token), FUZZ_NOW, &e) != ERR_OK);
  for (size_t i = 0; i < keys->n; i++) {
    FUZZ_MUST(keys->keys[i].public_key != NULL && keys->keys[i].alg != JWT_HS256);
    if (keys->keys[i].alg == JWT_RS256)
      FUZZ_MUST(EVP_PKEY_get_bits(keys->keys[i].public_key) >= 2048);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  bool pem = fuzz_byte(&in) & 1;
  AUTO_FREE char *text = fuzz_rest(&in);
  struct jwt_keys *keys = jwt_keys_new();
  struct err e = {0};
  log_init("fuzz", LOG_LEVEL_OFF);
  enum err_code code = pem ? jwt_keys_add_pem(keys, "KEYS", text, in.len, &e)
                           : jwt_keys_add_jwks(keys, "KEYS", text, in.len, &e);
  FUZZ_MUST(code != ERR_OK || keys->n > 0);
  FUZZ_MUST(code == ERR_OK || strstr(e.message, "KEYS") != NULL);
  use(keys);
  jwt_keys_unref(keys);
  return 0;
}
