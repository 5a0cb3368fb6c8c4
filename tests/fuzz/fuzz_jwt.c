/* Fuzz target of JWT verification. The first byte chooses: the token as it is, which can never
 * be a good one, or a rightly signed token over a header (first line) and claims (the rest). */
#include "common/base/json.h"
#include "tests/fuzz/auth_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct jwt_keys *keys;
  if (keys == NULL)
    keys = fuzz_jwt_keys();
  struct fuzz_input in = {data, size};
  bool is_signed = fuzz_byte(&in) & 1;
  AUTO_FREE char *header = is_signed ? fuzz_line(&in) : NULL;
  AUTO_FREE char *rest = fuzz_rest(&in);
  AUTO_FREE char *token =
      is_signed ? fuzz_signed_token(header, strlen(header), rest, in.len) : xstrdup(rest);
  struct jwt_policy policy = {.keys = keys, .issuer = "issuer", .audience = "audience"};
  AUTO_JSON cJSON *claims = NULL;
  struct err e = {0};
  enum err_code code = jwt_verify(&claims, &policy, token, strlen(token), FUZZ_NOW, &e);
  FUZZ_MUST((code == ERR_OK) == (claims != NULL));
  if (code == ERR_OK) {
    FUZZ_MUST(is_signed && strcmp(json_get_string(claims, "iss"), "issuer") == 0);
    FUZZ_MUST(json_get_number(claims, "exp", 0) + JWT_LEEWAY_S > FUZZ_NOW);
  }
  return 0;
}
