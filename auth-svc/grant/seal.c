/* Makes and checks sealed grants. */
#include "auth-svc/grant/seal.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/pbjson/borrow.h"
#include "common/pbjson/pbjson.h"

enum {
  VERSION = 1,
  KEY_ID_BYTES = 8,
  HEAD_BYTES = 2 + KEY_ID_BYTES,
  MAC_BYTES = SHA256_SIZE,
  KEY_MAX = 256
};

struct seal_key {
  uint8_t id[KEY_ID_BYTES];
  struct secret *seal; /* derived: one key per use */
  struct secret *tag;
};

struct sealer {
  atomic_size_t refs;
  struct seal_key keys[SEAL_KEYS_MAX];
  size_t n_keys;
  char audience[SEAL_AUDIENCE_MAX + 1];
  uint8_t audience_sha256[SHA256_SIZE];
};

static struct secret *derive(const void *key, size_t len, const char *use)
{
  uint8_t out[MAC_BYTES];
  hmac_sha256(key, len, use, strlen(use), out);
  struct secret *s = secret_new(out, sizeof(out));
  mem_wipe(out, sizeof(out));
  return s;
}

static void add_key(struct sealer *s, const void *key, size_t len)
{
  struct seal_key *k = &s->keys[s->n_keys++];
  uint8_t id[MAC_BYTES];
  k->seal = derive(key, len, "analytics-mcp grant seal v1");
  k->tag = derive(key, len, "analytics-mcp peer tag v1");
  static const char use[] = "analytics-mcp key id v1";
  hmac_sha256(key, len, use, sizeof(use) - 1, id);
  memcpy(k->id, id, KEY_ID_BYTES);
}

/* Hex first: 64 hex digits are base64 too, but nobody means that. */
static bool decode_key(struct buf *out, const char *s, size_t len)
{
  return hex_decode(out, s, len) || base64_decode(out, s, len);
}

static enum err_code add_encoded(struct sealer *s, const char *what, const char *text, size_t len,
                                 struct err *e)
{
  AUTO_BUF struct buf key = BUF_SECRET(KEY_MAX);
  if (s->n_keys == SEAL_KEYS_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_seal_key", "%s: more than %d keys", what,
                   SEAL_KEYS_MAX);
  if (!decode_key(&key, text, len) || key.len < SEAL_KEY_MIN_BYTES)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_seal_key",
                   "%s: key %zu must be at least %d random bytes in hex or base64, for example "
                   "from: openssl rand -hex 32",
                   what, s->n_keys + 1, SEAL_KEY_MIN_BYTES);
  add_key(s, key.data, key.len);
  return ERR_OK;
}

static void add_random(struct sealer *s)
{
  uint8_t random[SEAL_KEY_MIN_BYTES];
  random_fill(random, sizeof(random));
  add_key(s, random, sizeof(random));
  mem_wipe(random, sizeof(random));
}

static enum err_code add_list(struct sealer *s, const char *what, const char *keys, struct err *e)
{
  static const char apart[] = ", \t\r\n";
  for (const char *p = keys; *(p += strspn(p, apart)) != '\0';) {
    size_t n = strcspn(p, apart);
    enum err_code code = add_encoded(s, what, p, n, e);
    if (code != ERR_OK)
      return code;
    p += n;
  }
  return s->n_keys > 0 ? ERR_OK
                       : err_set(e, ERR_INVALID_ARGUMENT, "bad_seal_key", "%s: holds no key", what);
}

enum err_code sealer_new(struct sealer **out, const char *what, const char *keys,
                         const char *audience, struct err *e)
{
  struct sealer *s = xcalloc(1, sizeof(*s));
  enum err_code code = ERR_OK;
  atomic_init(&s->refs, 1);
  snprintf(s->audience, sizeof(s->audience), "%s", audience);
  sha256_of(s->audience, strlen(s->audience), s->audience_sha256);
  if (keys == NULL)
    add_random(s);
  else
    code = add_list(s, what, keys, e);
  if (code != ERR_OK)
    sealer_unref(s);
  else
    *out = s;
  return code;
}

struct sealer *sealer_ref(struct sealer *s)
{
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

size_t sealer_n_keys(const struct sealer *s)
{
  return s->n_keys;
}

void sealer_unref(struct sealer *s)
{
  if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < s->n_keys; i++) {
    secret_unref(s->keys[i].seal);
    secret_unref(s->keys[i].tag);
  }
  free(s);
}

/* The message with the sealer's audience; a copy of its outermost level, so that the caller's
 * own stays as it is. By the message itself, not by the type it is sealed as. */
union sealable {
  Analytics__Auth__V1__Grant grant;
  Analytics__Auth__V1__BenchmarkGrant benchmark;
};

static const ProtobufCMessage *with_audience(const struct sealer *s, const ProtobufCMessage *m,
                                             union sealable *copy)
{
  if (m->descriptor == &analytics__auth__v1__grant__descriptor) {
    memcpy(&copy->grant, m, sizeof(copy->grant));
    copy->grant.audience = borrow_text(s->audience);
    return &copy->grant.base;
  }
  if (m->descriptor == &analytics__auth__v1__benchmark_grant__descriptor) {
    memcpy(&copy->benchmark, m, sizeof(copy->benchmark));
    copy->benchmark.audience = borrow_text(s->audience);
    return &copy->benchmark.base;
  }
  return m;
}

enum err_code seal_message(const struct sealer *s, enum seal_type type,
                           const ProtobufCMessage *original, struct buf *out, struct err *e)
{
  union sealable copy;
  const ProtobufCMessage *message = with_audience(s, original, &copy);
  size_t size = protobuf_c_message_get_packed_size(message), start = out->len;
  if (size > SEALED_MAX_BYTES - HEAD_BYTES - MAC_BYTES)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "grant_too_large",
                   "the grant covers too many dealers to travel (their ids make %zu bytes, %d at "
                   "most); give the bearer token fewer dealers, regions or groups, or the role "
                   "admin",
                   size, SEALED_MAX_BYTES - HEAD_BYTES - MAC_BYTES);
  uint8_t *p = (uint8_t *)buf_reserve(out, HEAD_BYTES + size + MAC_BYTES);
  if (p == NULL)
    return err_set(e, ERR_INTERNAL, "seal_buffer", "not enough memory for the sealed grant");
  p[0] = VERSION;
  p[1] = (uint8_t)type;
  memcpy(p + 2, s->keys[0].id, KEY_ID_BYTES);
  protobuf_c_message_pack(message, p + HEAD_BYTES);
  hmac_sha256(secret_text(s->keys[0].seal), secret_len(s->keys[0].seal), p, HEAD_BYTES + size,
              p + HEAD_BYTES + size);
  out->len = start + HEAD_BYTES + size + MAC_BYTES;
  out->data[out->len] = '\0';
  return ERR_OK;
}

static enum err_code bad_grant(struct err *e)
{
  return err_set(e, ERR_UNAUTHENTICATED, "bad_grant",
                 "the call's grant was not made by this auth-svc or was changed; when several "
                 "auth-svc run, set the same AUTH_SEAL_KEY for all");
}

static const struct seal_key *key_of(const struct sealer *s, const uint8_t *id)
{
  for (size_t i = 0; i < s->n_keys; i++)
    if (CRYPTO_memcmp(s->keys[i].id, id, KEY_ID_BYTES) == 0)
      return &s->keys[i];
  return NULL;
}

static bool is_authentic(const struct sealer *s, const uint8_t *p, size_t len, size_t *which)
{
  if (len < HEAD_BYTES + MAC_BYTES || len > SEALED_MAX_BYTES || p[0] != VERSION)
    return false;
  const struct seal_key *key = key_of(s, p + 2);
  if (key == NULL)
    return false;
  uint8_t mac[MAC_BYTES];
  hmac_sha256(secret_text(key->seal), secret_len(key->seal), p, len - MAC_BYTES, mac);
  *which = (size_t)(key - s->keys);
  return CRYPTO_memcmp(mac, p + len - MAC_BYTES, MAC_BYTES) == 0;
}

/* Digests are compared, so that the time discloses nothing, not even a length. */
static bool is_audience(const struct sealer *s, const char *named)
{
  uint8_t other[SHA256_SIZE];
  sha256_of(named, strlen(named), other);
  return CRYPTO_memcmp(s->audience_sha256, other, sizeof(other)) == 0;
}

/* What both grants say of their holder. */
#define TAKE_HOLDER(out, g)                                                                        \
  ((out)->expires_at = (g)->expires_at, (out)->subject = (g)->subject,                             \
   (out)->principal_id = (g)->principal_id, (out)->token_id = (g)->token_id,                       \
   (out)->grant_id = (g)->grant_id, (g)->audience)

/* Unpacks what the MAC proved to be ours. The audience; NULL when it is neither. */
static const char *unpack(struct unsealed *out, enum seal_type type, const uint8_t *p, size_t len,
                          struct arena *arena)
{
  ProtobufCAllocator in_arena = pbjson_arena_allocator(arena);
  if (type == SEAL_GRANT)
    out->grant = analytics__auth__v1__grant__unpack(&in_arena, len, p);
  else if (type == SEAL_BENCHMARK)
    out->benchmark = analytics__auth__v1__benchmark_grant__unpack(&in_arena, len, p);
  return out->grant != NULL       ? TAKE_HOLDER(out, out->grant)
         : out->benchmark != NULL ? TAKE_HOLDER(out, out->benchmark)
                                  : NULL;
}

enum err_code seal_open(struct unsealed *out, const struct sealer *s, const void *sealed,
                        size_t len, int64_t now_s, struct arena *arena, struct err *e)
{
  const uint8_t *p = sealed;
  size_t key = 0;
  *out = (struct unsealed){0};
  if (p == NULL || len == 0)
    return err_set(e, ERR_UNAUTHENTICATED, "missing_grant",
                   "the call carries no grant (metadata grant-bin); call Authenticate first");
  if (!is_authentic(s, p, len, &key))
    return bad_grant(e);
  const char *audience = unpack(out, p[1], p + HEAD_BYTES, len - HEAD_BYTES - MAC_BYTES, arena);
  if (audience == NULL)
    return bad_grant(e);
  out->key = key;
  if (!is_audience(s, audience))
    return err_set(
        e, ERR_UNAUTHENTICATED, "wrong_audience",
        "the call's grant was made for another installation (AUTH_GRANT_AUDIENCE, the same "
        "for all replicas of one); authenticate with this one");
  if (now_s >= out->expires_at)
    return err_set(e, ERR_UNAUTHENTICATED, "expired_grant",
                   "the call's grant has expired; authenticate again");
  return ERR_OK;
}

void seal_tag(const struct sealer *s, size_t key, const char *domain, const char *id,
              uint8_t tag[PEER_TAG_BYTES])
{
  uint8_t mac[MAC_BYTES];
  char text[512];
  size_t n = (size_t)snprintf(text, sizeof(text), "%s\n%s", domain, id);
  hmac_sha256(secret_text(s->keys[key].tag), secret_len(s->keys[key].tag), text,
              n < sizeof(text) ? n : sizeof(text) - 1, mac);
  memcpy(tag, mac, PEER_TAG_BYTES);
}
