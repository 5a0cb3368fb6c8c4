/* JWT verification. */
#include "auth-svc/identity/jwt.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { PART_MAX = 16 * 1024, SIGNATURE_MAX = 1024 };

/* The three parts; `signed_len` bytes from the start are what was signed. Of a token that is
 * known only the payload is decoded. */
struct parts {
  const char *token;
  size_t signed_len;
  struct buf header, payload, signature;
};

static void parts_free(struct parts *p)
{
  buf_free(&p->header);
  buf_free(&p->payload);
  buf_free(&p->signature);
}

static enum err_code reject(struct err *e, const char *why)
{
  return err_set(e, ERR_UNAUTHENTICATED, "invalid_credentials", "bearer token: %s", why);
}

int64_t jwt_leeway_s(const struct jwt_policy *policy)
{
  return policy->leeway_s > 0 ? policy->leeway_s : JWT_LEEWAY_S;
}

/* ----------------------------------------------------------------------- form */

bool jwt_looks_like(const char *token, size_t len)
{
  size_t dots = 0;
  for (size_t i = 0; i < len; i++)
    dots += token[i] == '.';
  return dots == 2;
}

/* RFC 7515 allows base64url without padding only; the decoder would take more. */
static bool decode_part(struct buf *out, const char *s, size_t len)
{
  bool url_safe =
      memchr(s, '+', len) == NULL && memchr(s, '/', len) == NULL && memchr(s, '=', len) == NULL;
  return url_safe && len > 0 && base64_decode(out, s, len);
}

static bool split(struct parts *p, const char *token, size_t len, bool known)
{
  const char *end = token + len;
  const char *dot1 = memchr(token, '.', len);
  const char *dot2 = dot1 != NULL ? memchr(dot1 + 1, '.', (size_t)(end - dot1 - 1)) : NULL;
  if (dot2 == NULL)
    return false;
  p->token = token;
  p->signed_len = (size_t)(dot2 - token);
  if (!decode_part(&p->payload, dot1 + 1, (size_t)(dot2 - dot1 - 1)))
    return false;
  return known || (decode_part(&p->header, token, (size_t)(dot1 - token)) &&
                   decode_part(&p->signature, dot2 + 1, (size_t)(end - dot2 - 1)));
}

void jwt_peek_issuer(const char *token, size_t len, char *out, size_t size)
{
  __attribute__((cleanup(parts_free))) struct parts p = {.payload = BUF_INIT(PART_MAX)};
  AUTO_JSON cJSON *claims = NULL;
  *out = '\0';
  if (!split(&p, token, len, true) ||
      json_parse(&claims, p.payload.data, p.payload.len, NULL, NULL) != ERR_OK)
    return;
  const char *iss = json_get_string(claims, "iss");
  snprintf(out, size, "%s", iss != NULL ? iss : "");
}

/* ------------------------------------------------------------------ signature */

static bool verify_hs256(const struct secret *key, const struct parts *p)
{
  uint8_t mac[SHA256_SIZE];
  hmac_sha256(secret_text(key), secret_len(key), p->token, p->signed_len, mac);
  return p->signature.len == sizeof(mac) && CRYPTO_memcmp(mac, p->signature.data, sizeof(mac)) == 0;
}

static bool verify_digest(EVP_PKEY *key, const EVP_MD *md, const uint8_t *sig, size_t sig_len,
                          const struct parts *p)
{
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
            EVP_DigestVerify(ctx, sig, sig_len, (const uint8_t *)p->token, p->signed_len) == 1;
  EVP_MD_CTX_free(ctx);
  ERR_clear_error();
  return ok;
}

/* JWS carries r and s side by side (RFC 7518 §3.4), OpenSSL wants them in DER. */
static bool verify_es256(EVP_PKEY *key, const struct parts *p)
{
  if (p->signature.len != 64)
    return false;
  const uint8_t *raw = (const uint8_t *)p->signature.data;
  ECDSA_SIG *sig = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
  if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
    ECDSA_SIG_free(sig);
    BN_free(r);
    BN_free(s);
    return false;
  }
  uint8_t *der = NULL;
  int n = i2d_ECDSA_SIG(sig, &der);
  bool ok = n > 0 && verify_digest(key, EVP_sha256(), der, (size_t)n, p);
  OPENSSL_free(der);
  ECDSA_SIG_free(sig);
  return ok;
}

static bool verify_with(const struct jwt_key *key, const struct parts *p)
{
  const uint8_t *sig = (const uint8_t *)p->signature.data;
  switch (key->alg) {
  case JWT_RS256:
    return verify_digest(key->public_key, EVP_sha256(), sig, p->signature.len, p);
  case JWT_ES256:
    return verify_es256(key->public_key, p);
  case JWT_EDDSA:
    return verify_digest(key->public_key, NULL, sig, p->signature.len, p);
  case JWT_HS256:
    return verify_hs256(key->shared, p);
  }
  return false;
}

static bool takes_alg(const struct jwt_policy *policy, enum jwt_alg alg)
{
  return policy->algorithms == 0 || (policy->algorithms & 1U << alg) != 0;
}

/* Tries the keys that fit: same algorithm, and same kid where both have one. */
static bool fits_one(const struct jwt_policy *policy, const struct jwt_keys *keys, const char *alg,
                     const char *kid, const struct parts *p, size_t *tried)
{
  for (size_t i = 0; keys != NULL && i < keys->n; i++) {
    const struct jwt_key *key = &keys->keys[i];
    if (!jwt_alg_is(key->alg, alg) || !takes_alg(policy, key->alg))
      continue;
    if (kid != NULL && key->kid[0] != '\0' && strcmp(kid, key->kid) != 0)
      continue;
    (*tried)++;
    if (verify_with(key, p))
      return true;
  }
  return false;
}

/* Keys without an id (PEM) do not count: they may fit any token. */
static bool has_id(const struct jwt_keys *keys, const char *kid)
{
  for (size_t i = 0; keys != NULL && i < keys->n; i++)
    if (strcmp(kid, keys->keys[i].kid) == 0)
      return true;
  return false;
}

/* Whether the key may be there once the URL is asked: it names one that is not here, or nothing
 * has come from there yet. A published key never is for HS256. */
static bool may_be_published(const struct jwt_policy *policy, const char *alg, const char *kid)
{
  static const enum jwt_alg published[] = {JWT_RS256, JWT_ES256, JWT_EDDSA};
  bool known_alg = false;
  for (size_t i = 0; alg != NULL && i < ARRAY_LEN(published); i++)
    known_alg = known_alg || (jwt_alg_is(published[i], alg) && takes_alg(policy, published[i]));
  if (policy->fetched == NULL || !known_alg)
    return false;
  return policy->fetched->n == 0 ||
         (kid != NULL && !has_id(policy->keys, kid) && !has_id(policy->fetched, kid));
}

static const char *why_not(const struct jwt_policy *policy, size_t tried)
{
  if (policy->fetched != NULL && policy->fetched->n == 0)
    return policy->of_file ? "the keys of its issuer have not been fetched yet"
                           : "no configured key matches it, and the keys of AUTH_JWT_JWKS_URL have "
                             "not been fetched yet";
  return tried > 0 ? "the signature does not match"
                   : "no configured key has the token's algorithm and key id";
}

static enum err_code check_signature(const struct jwt_policy *policy, const cJSON *header,
                                     const struct parts *p, struct err *e)
{
  const char *alg = json_get_string(header, "alg"), *kid = json_get_string(header, "kid");
  size_t tried = 0;
  if (alg != NULL && (fits_one(policy, policy->keys, alg, kid, p, &tried) ||
                      fits_one(policy, policy->fetched, alg, kid, p, &tried)))
    return ERR_OK;
  reject(e, why_not(policy, tried));
  if (may_be_published(policy, alg, kid))
    snprintf(e->reason, sizeof(e->reason), "unknown_key");
  return e->code;
}

/* --------------------------------------------------------------------- claims */

static bool has_audience(const cJSON *aud, const char *wanted)
{
  const cJSON *item;
  if (cJSON_IsString(aud))
    return strcmp(aud->valuestring, wanted) == 0;
  if (!cJSON_IsArray(aud))
    return false;
  cJSON_ArrayForEach(item, aud)
  {
    if (cJSON_IsString(item) && strcmp(item->valuestring, wanted) == 0)
      return true;
  }
  return false;
}

static bool is_for_us(const struct jwt_policy *policy, const cJSON *claims)
{
  const struct claim_path *path = policy->audience_claim;
  const cJSON *aud = path != NULL && path->n > 0 ? claim_path_find(path, claims)
                                                 : cJSON_GetObjectItemCaseSensitive(claims, "aud");
  for (size_t i = 0; i < policy->n_audiences; i++)
    if (has_audience(aud, policy->audiences[i]))
      return true;
  return policy->n_audiences == 0 && has_audience(aud, policy->audience);
}

/* NumericDate of RFC 7519 §2: seconds since 1970, within any calendar. */
static bool is_date(const cJSON *item)
{
  return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e11;
}

static enum err_code check_life(const struct jwt_policy *policy, const cJSON *claims, double now,
                                struct err *e)
{
  const cJSON *exp = cJSON_GetObjectItemCaseSensitive(claims, "exp");
  const cJSON *iat = cJSON_GetObjectItemCaseSensitive(claims, "iat");
  double life = (double)(policy->max_life_s > 0 ? policy->max_life_s : JWT_MAX_LIFE_S);
  double leeway = (double)jwt_leeway_s(policy);
  if (exp == NULL)
    return reject(e, "has no expiry (exp)");
  if (!is_date(exp))
    return reject(e, "its expiry (exp) is not a number of seconds since 1970");
  if (iat != NULL && !is_date(iat))
    return reject(e, "its time of issue (iat) is not a number of seconds since 1970");
  if (now >= exp->valuedouble + leeway)
    return reject(e, "has expired (exp)");
  if (exp->valuedouble - now > life + leeway ||
      (iat != NULL && exp->valuedouble - iat->valuedouble > life))
    return err_set(e, ERR_UNAUTHENTICATED, "invalid_credentials",
                   "bearer token: lives longer than the %.0f s that are accepted here (exp); have "
                   "the issuer make shorter ones, or raise %s",
                   life, policy->of_file ? "max_life_s of the issuer" : "AUTH_JWT_MAX_LIFE_S");
  return ERR_OK;
}

static enum err_code check_claims(const struct jwt_policy *policy, const cJSON *claims,
                                  int64_t now_s, struct err *e)
{
  const cJSON *nbf = cJSON_GetObjectItemCaseSensitive(claims, "nbf");
  const char *iss = json_get_string(claims, "iss");
  double now = (double)now_s;
  if (iss == NULL || strcmp(iss, policy->issuer) != 0)
    return reject(e, "wrong issuer (iss)");
  if (!is_for_us(policy, claims))
    return reject(e, "made for another audience (aud)");
  if (check_life(policy, claims, now, e) != ERR_OK)
    return e->code;
  if (nbf != NULL && !cJSON_IsNumber(nbf))
    return reject(e, "nbf must be a number");
  if (nbf != NULL && now + (double)jwt_leeway_s(policy) < nbf->valuedouble)
    return reject(e, "is not valid yet (nbf)");
  return ERR_OK;
}

/* "application/" may be left out (RFC 7515 §4.1.9). */
static bool is_typ(const cJSON *typ, const char *wanted)
{
  static const char media[] = "application/";
  const char *text = cJSON_GetStringValue(typ);
  if (text != NULL && strncasecmp(text, media, sizeof(media) - 1) == 0)
    text += sizeof(media) - 1;
  return text != NULL && ascii_case_equal(text, wanted);
}

/* An extension that must be understood is one we do not know (RFC 7515 §4.1.11). */
static enum err_code check_header(const struct jwt_policy *policy, const cJSON *header,
                                  struct err *e)
{
  const cJSON *typ = cJSON_GetObjectItemCaseSensitive(header, "typ");
  if (!cJSON_IsObject(header))
    return reject(e, "its header is not a JSON object");
  if (cJSON_GetObjectItemCaseSensitive(header, "crit") != NULL)
    return reject(e, "its header asks for extensions (crit) that are not supported");
  if (policy->typ != NULL && !is_typ(typ, policy->typ))
    return reject(e, "its header's typ is not the one that its issuer must write (typ)");
  if (policy->typ == NULL && typ != NULL && !is_typ(typ, "JWT") && !is_typ(typ, "at+jwt"))
    return reject(e, "its header's typ is neither JWT nor at+jwt");
  return ERR_OK;
}

/* Header and signature, unless this very token has passed them before. */
static enum err_code check_proof(const struct jwt_policy *policy, const struct parts *p, bool known,
                                 struct err *e)
{
  AUTO_JSON cJSON *header = NULL;
  if (known)
    return ERR_OK;
  if (json_parse(&header, p->header.data, p->header.len, NULL, NULL) != ERR_OK)
    return reject(e, "its header is not a JSON object");
  enum err_code code = check_header(policy, header, e);
  return code == ERR_OK ? check_signature(policy, header, p, e) : code;
}

static void remember(const struct jwt_policy *policy, const uint8_t *digest, const cJSON *claims)
{
  verified_add(policy->verified, digest, policy->generation,
               (int64_t)json_get_number(claims, "exp", 0) + jwt_leeway_s(policy));
}

static enum err_code verify_parts(cJSON **claims, const struct jwt_policy *policy,
                                  const struct parts *p, bool known, int64_t now_s, struct err *e)
{
  AUTO_JSON cJSON *payload = NULL;
  enum err_code code = check_proof(policy, p, known, e);
  if (code != ERR_OK)
    return code;
  if (json_parse(&payload, p->payload.data, p->payload.len, NULL, NULL) != ERR_OK ||
      !cJSON_IsObject(payload))
    return reject(e, "its claims are not a JSON object");
  code = check_claims(policy, payload, now_s, e);
  if (code == ERR_OK)
    *claims = TAKE_PTR(payload);
  return code;
}

enum err_code jwt_verify(cJSON **claims, const struct jwt_policy *policy, const char *token,
                         size_t len, int64_t now_s, struct err *e)
{
  __attribute__((cleanup(parts_free))) struct parts p = {.header = BUF_INIT(PART_MAX),
                                                         .payload = BUF_INIT(PART_MAX),
                                                         .signature = BUF_INIT(SIGNATURE_MAX)};
  uint8_t digest[SHA256_SIZE];
  bool known = false;
  if (policy->verified != NULL) {
    sha256_of(token, len, digest);
    known = verified_has(policy->verified, digest, policy->generation, now_s);
  }
  if (!split(&p, token, len, known))
    return reject(e, "not three parts of base64url");
  enum err_code code = verify_parts(claims, policy, &p, known, now_s, e);
  if (code == ERR_OK && policy->verified != NULL && !known)
    remember(policy, digest, *claims);
  return code;
}
