/* The gateway's own keys, from a file that may change. */
#include "gateway/seal/ring.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "gateway/seal/digest.h"

/* What distinguishes one content of the file from another without reading it. */
struct version {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
};

struct keys {
  struct ring_key list[RING_KEYS_MAX];
  size_t n;
};

struct ring {
  char *setting, *file;
  pthread_mutex_t lock;
  struct keys keys; /* guarded by lock, like the next */
  uint64_t changes;
  struct version version; /* of the refreshing thread: what was read or refused last */
};

/* ---------------------------------------------------------------- reading */

static enum err_code bad(struct err *e, const char *setting, size_t line, const char *why)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_ring",
                 "%s: line %zu: %s; each line is a key of %d random bytes in base64 or hex, "
                 "as auth-svc keygen prints it",
                 setting, line, why, RING_KEY_BYTES);
}

static bool decode(struct buf *out, const char *s, size_t len)
{
  return (len == 2 * RING_KEY_BYTES && hex_decode(out, s, len)) || base64_decode(out, s, len);
}

static const struct ring_key *find(const struct keys *k, const uint8_t mark[RING_MARK_BYTES])
{
  for (size_t i = 0; i < k->n; i++)
    if (memcmp(k->list[i].mark, mark, RING_MARK_BYTES) == 0)
      return &k->list[i];
  return NULL;
}

static void set_key(struct ring_key *key, const void *bytes)
{
  uint8_t hash[DIGEST_BYTES];
  memcpy(key->bytes, bytes, RING_KEY_BYTES);
  digest(hash, key->bytes, RING_KEY_BYTES);
  memcpy(key->mark, hash, RING_MARK_BYTES);
}

static enum err_code add_line(struct keys *k, const char *setting, size_t line, const char *s,
                              size_t len, struct err *e)
{
  AUTO_BUF struct buf bytes = BUF_SECRET(RING_FILE_MAX);
  const char *colon = memchr(s, ':', len);
  if (colon != NULL) {
    len -= (size_t)(colon + 1 - s);
    s = colon + 1;
  }
  while (len > 0 && (*s == ' ' || *s == '\t')) {
    s++;
    len--;
  }
  if (!decode(&bytes, s, len) || bytes.len != RING_KEY_BYTES)
    return bad(e, setting, line, "the key must be 32 bytes");
  if (k->n == RING_KEYS_MAX)
    return bad(e, setting, line, "more than 16 keys");
  struct ring_key key;
  set_key(&key, bytes.data);
  bool duplicate = find(k, key.mark) != NULL;
  if (!duplicate)
    k->list[k->n++] = key;
  mem_wipe(&key, sizeof(key));
  return duplicate ? bad(e, setting, line, "duplicate key") : ERR_OK;
}

static enum err_code parse(struct keys *out, const char *setting, const char *text, size_t len,
                           struct err *e)
{
  const char *p = text, *end = text + len;
  enum err_code code = ERR_OK;
  out->n = 0;
  for (size_t line = 1; p < end && code == ERR_OK; line++) {
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    const char *to = stop != NULL ? stop : end;
    while (p < to && (*p == ' ' || *p == '\t'))
      p++;
    while (to > p && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
      to--;
    if (p < to && *p != '#')
      code = add_line(out, setting, line, p, (size_t)(to - p), e);
    p = stop != NULL ? stop + 1 : end;
  }
  if (code == ERR_OK && out->n == 0)
    code = err_set(e, ERR_INVALID_ARGUMENT, "bad_ring",
                   "%s: holds no key; make one with: auth-svc keygen", setting);
  return code;
}

static enum err_code read_keys(struct ring *r, struct keys *out, struct err *e)
{
  AUTO_BUF struct buf text = {0};
  enum err_code code = file_read(&text, r->setting, r->file, RING_FILE_MAX, true, e);
  return code == ERR_OK ? parse(out, r->setting, text.data, text.len, e) : code;
}

static struct version version_of(const char *file)
{
  struct stat st;
  if (stat(file, &st) != 0)
    return (struct version){0};
  return (struct version){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

static bool same_version(const struct version *a, const struct version *b)
{
  return a->device == b->device && a->inode == b->inode && a->size == b->size &&
         a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* --------------------------------------------------------------- lifetime */

static struct ring *alloc(const char *setting, const char *file)
{
  struct ring *r = xcalloc(1, sizeof(*r));
  r->setting = xstrdup(setting);
  r->file = xstrdup(file);
  pthread_mutex_init(&r->lock, NULL);
  return r;
}

static void make_random_key(struct ring *r)
{
  uint8_t bytes[RING_KEY_BYTES];
  random_fill(bytes, sizeof(bytes));
  set_key(&r->keys.list[0], bytes);
  mem_wipe(bytes, sizeof(bytes));
  r->keys.n = 1;
}

enum err_code ring_new(struct ring **out, const char *setting, const char *file, struct err *e)
{
  struct ring *r = alloc(setting, file);
  enum err_code code = ERR_OK;
  *out = NULL;
  if (file == NULL) {
    make_random_key(r);
  } else {
    r->version = version_of(file);
    code = read_keys(r, &r->keys, e);
  }
  if (code == ERR_OK)
    *out = r;
  else
    ring_free(r);
  return code;
}

enum err_code ring_parse(struct ring **out, const char *setting, const char *text, size_t len,
                         struct err *e)
{
  struct ring *r = alloc(setting, NULL);
  enum err_code code = parse(&r->keys, setting, text, len, e);
  *out = NULL;
  if (code == ERR_OK)
    *out = r;
  else
    ring_free(r);
  return code;
}

void ring_free(struct ring *r)
{
  if (r == NULL)
    return;
  mem_wipe(&r->keys, sizeof(r->keys));
  pthread_mutex_destroy(&r->lock);
  free(r->setting);
  free(r->file);
  free(r);
}

void ring_refresh(struct ring *r)
{
  if (r->file == NULL)
    return;
  struct version now = version_of(r->file);
  if (same_version(&now, &r->version))
    return;
  r->version = now;
  struct keys keys;
  struct err e = {0};
  if (read_keys(r, &keys, &e) == ERR_OK) {
    pthread_mutex_lock(&r->lock);
    r->keys = keys;
    r->changes++;
    pthread_mutex_unlock(&r->lock);
    log_info("keys read again", LOG_S("setting", r->setting), LOG_I("keys", keys.n));
  } else {
    log_error("keys were not read again, the old ones stay in use", LOG_S("detail", e.message));
  }
  mem_wipe(&keys, sizeof(keys));
}

/* -------------------------------------------------------------------- use */

void ring_first(struct ring *r, struct ring_key *out)
{
  pthread_mutex_lock(&r->lock);
  *out = r->keys.list[0];
  pthread_mutex_unlock(&r->lock);
}

bool ring_find(struct ring *r, const uint8_t mark[RING_MARK_BYTES], struct ring_key *out)
{
  pthread_mutex_lock(&r->lock);
  const struct ring_key *key = find(&r->keys, mark);
  if (key != NULL)
    *out = *key;
  pthread_mutex_unlock(&r->lock);
  return key != NULL;
}

size_t ring_size(struct ring *r)
{
  pthread_mutex_lock(&r->lock);
  size_t n = r->keys.n;
  pthread_mutex_unlock(&r->lock);
  return n;
}

uint64_t ring_version(struct ring *r)
{
  pthread_mutex_lock(&r->lock);
  uint64_t version = r->changes;
  pthread_mutex_unlock(&r->lock);
  return version;
}
