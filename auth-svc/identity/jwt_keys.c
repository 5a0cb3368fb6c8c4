/* Loads verification keys from PEM and JWKS. */
#include "auth-svc/identity/jwt_keys.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { KEY_FILE_MAX = 256 * 1024, JWK_VALUE_MAX = 2048 };

/* EdDSA has a second name since RFC 9864, which names the curve; Ed25519 is the only one here. */
bool jwt_alg_is(enum jwt_alg alg, const char *name)
{
  return strcmp(name, jwt_alg_name(alg)) == 0 || (alg == JWT_EDDSA && strcmp(name, "Ed25519") == 0);
}

struct jwt_keys *jwt_keys_new(void)
{
  struct jwt_keys *k = xcalloc(1, sizeof(*k));
  atomic_init(&k->refs, 1);
  return k;
}

struct jwt_keys *jwt_keys_ref(struct jwt_keys *k)
{
  atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
  return k;
}

void jwt_keys_unref(struct jwt_keys *k)
{
  if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < k->n; i++) {
    EVP_PKEY_free(k->keys[i].public_key);
    secret_unref(k->keys[i].shared);
  }
  free(k);
}

static enum err_code too_many(const char *what, struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key", "%s: more than %d keys", what,
                 JWT_KEYS_MAX);
}

/* Takes the key over. */
static enum err_code add_public(struct jwt_keys *k, const char *what, const char *kid,
                                EVP_PKEY *key, struct err *e)
{
  enum jwt_alg alg;
  bool good = jwt_alg_of(key, &alg), room = k->n < JWT_KEYS_MAX;
  if (!good || !room)
    EVP_PKEY_free(key);
  if (!good)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key",
                   "%s: a key must be RSA with at least %d bits, EC P-256 or Ed25519", what,
                   JWT_RSA_MIN_BITS);
  if (!room)
    return too_many(what, e);
  struct jwt_key *slot = &k->keys[k->n++];
  *slot = (struct jwt_key){.alg = alg, .public_key = key};
  snprintf(slot->kid, sizeof(slot->kid), "%s", kid);
  return ERR_OK;
}

static size_t count_blocks(const char *pem, size_t len)
{
  static const char begin[] = "-----BEGIN PUBLIC KEY-----";
  size_t n = 0;
  const char *end = pem + len;
  for (const char *p = pem; (p = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1)) != NULL;
       p += sizeof(begin) - 1)
    n++;
  return n;
}

/* The reader passes over a damaged block or ends there, as at the end of the file: no key may be
 * missing in silence. */
enum err_code jwt_keys_add_pem(struct jwt_keys *k, const char *what, const char *pem, size_t len,
                               struct err *e)
{
  BIO *bio = BIO_new_mem_buf(pem, (int)len);
  enum err_code code = ERR_OK;
  size_t before = k->n;
  EVP_PKEY *key;
  while (code == ERR_OK && bio != NULL &&
         (key = PEM_read_bio_PUBKEY(bio, NULL, NULL, (void *)"")) != NULL)
    code = add_public(k, what, "", key, e);
  BIO_free(bio);
  ERR_clear_error();
  if (code == ERR_OK && k->n == before)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key",
                   "%s: holds neither a PEM block \"PUBLIC KEY\" nor a JWKS object", what);
  size_t blocks = count_blocks(pem, len);
  if (code == ERR_OK && k->n - before < blocks)
    return err_set(
        e, ERR_INVALID_ARGUMENT, "bad_jwt_key",
        "%s: only %zu of %zu PEM blocks \"PUBLIC KEY\" can be read; replace or remove the "
        "damaged one",
        what, k->n - before, blocks);
  return code;
}

/* ----------------------------------------------------------------------- JWKS */

static bool jwk_bytes(const cJSON *jwk, const char *member, struct buf *out)
{
  const char *s = json_get_string(jwk, member);
  return s != NULL && base64_decode(out, s, strlen(s)) && out->len > 0;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *bld)
{
  EVP_PKEY *key = NULL;
  OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
      EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    key = NULL;
  EVP_PKEY_CTX_free(ctx);
  OSSL_PARAM_free(params);
  return key;
}

static EVP_PKEY *rsa_of_jwk(const cJSON *jwk)
{
  AUTO_BUF struct buf n = BUF_INIT(JWK_VALUE_MAX), exponent = BUF_INIT(64);
  if (!jwk_bytes(jwk, "n", &n) || !jwk_bytes(jwk, "e", &exponent))
    return NULL;
  BIGNUM *bn = BN_bin2bn((const uint8_t *)n.data, (int)n.len, NULL);
  BIGNUM *be = BN_bin2bn((const uint8_t *)exponent.data, (int)exponent.len, NULL);
  OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
  EVP_PKEY *key = NULL;
  if (bld != NULL && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
      OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
    key = from_params("RSA", bld);
  OSSL_PARAM_BLD_free(bld);
  BN_free(bn);
  BN_free(be);
  return key;
}

static EVP_PKEY *ec_of_jwk(const cJSON *jwk)
{
  AUTO_BUF struct buf x = BUF_INIT(64), y = BUF_INIT(64);
  const char *curve = json_get_string(jwk, "crv");
  if (curve == NULL || strcmp(curve, "P-256") != 0 || !jwk_bytes(jwk, "x", &x) ||
      !jwk_bytes(jwk, "y", &y) || x.len != 32 || y.len != 32)
    return NULL;
  uint8_t point[65] = {4}; /* uncompressed */
  memcpy(point + 1, x.data, 32);
  memcpy(point + 33, y.data, 32);
  OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
  EVP_PKEY *key = NULL;
  if (bld != NULL &&
      OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
    key = from_params("EC", bld);
  OSSL_PARAM_BLD_free(bld);
  return key;
}

static EVP_PKEY *ed25519_of_jwk(const cJSON *jwk)
{
  AUTO_BUF struct buf x = BUF_INIT(64);
  const char *curve = json_get_string(jwk, "crv");
  if (curve == NULL || strcmp(curve, "Ed25519") != 0 || !jwk_bytes(jwk, "x", &x) || x.len != 32)
    return NULL;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const uint8_t *)x.data, x.len);
}

/* What a JWK says of its use (RFC 7517 §4.2 and §4.3). */
enum jwk_use { USE_OTHER, USE_UNSAID, USE_SIGNATURE };

static enum jwk_use use_of_jwk(const cJSON *jwk)
{
  const char *use = json_get_string(jwk, "use");
  const cJSON *ops = cJSON_GetObjectItemCaseSensitive(jwk, "key_ops"), *op;
  bool verifies = false;
  if (use != NULL && strcmp(use, "sig") != 0)
    return USE_OTHER;
  cJSON_ArrayForEach(op, ops)
  {
    verifies = verifies || (cJSON_IsString(op) && strcmp(op->valuestring, "verify") == 0);
  }
  if (ops != NULL && !verifies)
    return USE_OTHER;
  return use != NULL || verifies ? USE_SIGNATURE : USE_UNSAID;
}

static EVP_PKEY *key_of_jwk(const cJSON *jwk)
{
  const char *type = json_get_string(jwk, "kty");
  if (type == NULL || use_of_jwk(jwk) == USE_OTHER)
    return NULL;
  EVP_PKEY *key = strcmp(type, "RSA") == 0   ? rsa_of_jwk(jwk)
                  : strcmp(type, "EC") == 0  ? ec_of_jwk(jwk)
                  : strcmp(type, "OKP") == 0 ? ed25519_of_jwk(jwk)
                                             : NULL;
  ERR_clear_error();
  return key;
}

/* A key marked for another algorithm must not be used with ours. */
static bool alg_fits(const cJSON *jwk, EVP_PKEY *key)
{
  enum jwt_alg alg;
  const char *named = json_get_string(jwk, "alg");
  return jwt_alg_of(key, &alg) && (named == NULL || jwt_alg_is(alg, named));
}

/* NULL for a key that cannot be used. */
static EVP_PKEY *usable_key(const cJSON *jwk, const char *kid)
{
  EVP_PKEY *key = kid == NULL || strlen(kid) <= JWT_KEY_ID_MAX ? key_of_jwk(jwk) : NULL;
  if (key != NULL && alg_fits(jwk, key))
    return key;
  EVP_PKEY_free(key);
  return NULL;
}

/* What became of a set's keys. */
struct tally {
  size_t unusable, surplus;
  const char *unusable_kid, *surplus_kid; /* the first of each */
};

static void count(size_t *n, const char **first, const char *kid)
{
  if ((*n)++ == 0)
    *first = kid != NULL ? kid : "";
}

/* Adds the usable keys of one use, in their order, as long as there is room. */
static void add_of_use(struct jwt_keys *k, const char *what, const cJSON *list, enum jwk_use use,
                       struct tally *t)
{
  const cJSON *jwk;
  cJSON_ArrayForEach(jwk, list)
  {
    const char *kid = json_get_string(jwk, "kid");
    if (use_of_jwk(jwk) != use)
      continue;
    EVP_PKEY *key = usable_key(jwk, kid);
    if (key == NULL) {
      count(&t->unusable, &t->unusable_kid, kid);
    } else if (k->n == JWT_KEYS_MAX) {
      EVP_PKEY_free(key);
      count(&t->surplus, &t->surplus_kid, kid);
    } else {
      add_public(k, what, kid != NULL ? kid : "", key, NULL);
    }
  }
}

/* One line each: a set may hold thousands. */
static void warn_of_skipped(const char *what, const struct tally *t)
{
  if (t->unusable > 0)
    log_warn("keys of a JWKS are not used: want RSA/RS256, EC P-256/ES256 or Ed25519/EdDSA, for "
             "signatures",
             LOG_S("setting", what), LOG_I("keys", t->unusable), LOG_S("first", t->unusable_kid));
  if (t->surplus > 0)
    log_warn("a JWKS holds more keys than are kept; tokens signed with the others are refused",
             LOG_S("setting", what), LOG_I("kept", JWT_KEYS_MAX), LOG_I("skipped", t->surplus),
             LOG_S("first", t->surplus_kid));
}

enum err_code jwt_keys_add_jwks(struct jwt_keys *k, const char *what, const char *json, size_t len,
                                struct err *e)
{
  AUTO_JSON cJSON *root = NULL;
  struct tally t = {0};
  enum err_code code = json_parse(&root, json, len, NULL, e);
  if (code != ERR_OK) {
    err_prefix(e, "%s: ", what);
    return code;
  }
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "keys");
  size_t before = k->n;
  add_of_use(k, what, list, USE_SIGNATURE, &t);
  add_of_use(k, what, list, USE_UNSAID, &t);
  add_of_use(k, what, list, USE_OTHER, &t);
  warn_of_skipped(what, &t);
  if (k->n == before && t.surplus == 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key",
                   "%s: keys: holds no usable key (RSA, EC P-256 or Ed25519)", what);
  return ERR_OK;
}

enum err_code jwt_keys_add_file(struct jwt_keys *k, const char *what, const char *path,
                                struct err *e)
{
  struct buf text = BUF_INIT(KEY_FILE_MAX);
  enum err_code code = file_read(&text, what, path, KEY_FILE_MAX, false, e);
  if (code != ERR_OK)
    return code;
  const char *start = text.data + strspn(text.data, " \t\r\n");
  code = *start == '{' ? jwt_keys_add_jwks(k, what, text.data, text.len, e)
                       : jwt_keys_add_pem(k, what, text.data, text.len, e);
  buf_free(&text);
  return code;
}

enum err_code jwt_keys_add_hs256(struct jwt_keys *k, const char *what, const char *secret,
                                 size_t len, struct err *e)
{
  if (len < JWT_HS256_MIN_BYTES)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key",
                   "%s: must be at least %d bytes, for example from: openssl rand -hex 32", what,
                   JWT_HS256_MIN_BYTES);
  if (k->n == JWT_KEYS_MAX)
    return too_many(what, e);
  k->keys[k->n++] = (struct jwt_key){.alg = JWT_HS256, .shared = secret_new(secret, len)};
  return ERR_OK;
}
