/* Fuzz target of JWT verification. The first byte chooses: the token as it is, which can never be
 * a good one, or a rightly signed token over a header (first line) and claims (the rest), by a key
 * of each algorithm. A token that has passed passes again, and only then, when it is known. */
#include "common/base/json.h"
#include "tests/fuzz/auth_world.h"
#include "tests/unit/auth/support/jwt_maker.h"

enum { ALGS = 4 };
static EVP_PKEY *pairs[ALGS]; /* by enum jwt_alg; NULL for HS256 */

static void add_public(struct jwt_keys *keys, enum jwt_alg alg)
{
  struct err e = {0};
  pairs[alg] = maker_key(alg);
  AUTO_FREE char *pem = maker_public_pem(pairs[alg]);
  FUZZ_MUST(jwt_keys_add_pem(keys, "keys", pem, strlen(pem), &e) == ERR_OK);
}

static char *signed_token(uint8_t choice, const char *header, const char *claims, size_t len)
{
  static const enum jwt_alg algs[] = {JWT_HS256, JWT_ES256, JWT_EDDSA, JWT_RS256};
  EVP_PKEY *key = pairs[algs[choice >> 1 & 3]];
  if (key == NULL)
    return fuzz_signed_token(header, strlen(header), claims, len);
  return maker_token(header, claims, key, NULL);
}

static enum err_code verify(struct jwt_keys *keys, struct verified *verified, const char *token,
                            int64_t now, cJSON **claims)
{
  const struct jwt_policy policy = {.keys = keys,
                                    .issuer = "issuer",
                                    .audience = "audience",
                                    .verified = verified,
                                    .generation = {1, 1}};
  struct err e = {0};
  *claims = NULL;
  enum err_code code = jwt_verify(claims, &policy, token, strlen(token), now, &e);
  FUZZ_MUST((code == ERR_OK) == (*claims != NULL));
  FUZZ_MUST(code == ERR_OK || e.message[0] != '\0');
  return code;
}

static void check_known(struct jwt_keys *keys, const char *token, bool good)
{
  AUTO_JSON cJSON *first = NULL;
  AUTO_JSON cJSON *again = NULL;
  AUTO_JSON cJSON *late = NULL;
  struct verified *v = verified_new(8);
  FUZZ_MUST((verify(keys, v, token, FUZZ_NOW, &first) == ERR_OK) == good);
  FUZZ_MUST((verify(keys, v, token, FUZZ_NOW, &again) == ERR_OK) == good);
  FUZZ_MUST(!good || cJSON_Compare(first, again, true));
  if (good)
    FUZZ_MUST(verify(keys, v, token, (int64_t)2e15, &late) != ERR_OK);
  verified_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct jwt_keys *keys;
  if (keys == NULL) {
    keys = fuzz_jwt_keys();
    add_public(keys, JWT_RS256);
    add_public(keys, JWT_ES256);
    add_public(keys, JWT_EDDSA);
  }
  struct fuzz_input in = {data, size};
  uint8_t choice = fuzz_byte(&in);
  bool is_signed = choice & 1;
  AUTO_FREE char *header = is_signed ? fuzz_line(&in) : NULL;
  AUTO_FREE char *rest = fuzz_rest(&in);
  AUTO_FREE char *token = is_signed ? signed_token(choice, header, rest, in.len) : xstrdup(rest);
  AUTO_JSON cJSON *claims = NULL;
  enum err_code code = verify(keys, NULL, token, FUZZ_NOW, &claims);
  if (code == ERR_OK) {
    FUZZ_MUST(is_signed && strcmp(json_get_string(claims, "iss"), "issuer") == 0);
    FUZZ_MUST(json_get_number(claims, "exp", 0) + JWT_LEEWAY_S > FUZZ_NOW);
    FUZZ_MUST(json_get_number(claims, "exp", 0) <= FUZZ_NOW + JWT_MAX_LIFE_S + JWT_LEEWAY_S);
  }
  check_known(keys, token, code == ERR_OK);
  return 0;
}
