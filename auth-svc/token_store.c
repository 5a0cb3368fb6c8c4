/* Replaced refresh tokens on disk: a table in memory, a log behind it, one thread that syncs. */
#include "auth-svc/token_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth-svc/token_store_file.h"
#include "auth-svc/token_store_record.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum {
  BUCKETS = 4096,
  RECORD_MAX = STORE_RECORD_OVERHEAD + STORE_MAX_ACCOUNT + TOKEN_STORE_MAX_VALUE,
  OUTDATED_S = 30 * 86400, /* a credential that was replaced so long ago does not come back */
};

struct kept {
  struct kept *next;
  char *account_id;
  uint8_t fingerprint[SHA256_SIZE];
  int64_t stored_s;
  struct secret *token;
};

/* Somebody who waits for the disk. */
struct pending {
  struct pending *next;
  token_stored *stored;
  void *user;
};

struct token_store {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  struct token_store_crypto crypto;
  bool sealed;
  size_t compact_min;
  char *dir;
  struct store_file file;
  struct kept *buckets[BUCKETS];
  size_t n_kept;
  size_t live_bytes; /* of the file as it would be after a rewrite, about */
  struct pending *pending;
  bool must_rewrite; /* the file on disk is not what it should be */
  bool rewriting;
  struct buf since; /* records that came during a rewrite */
  struct err failure;
  bool stopping;
};

/* ------------------------------------------------------------------------ the table */

static struct kept **bucket_of(struct token_store *s, const char *account_id)
{
  uint64_t h = 1469598103934665603u;
  for (const char *p = account_id; *p != '\0'; p++)
    h = (h ^ (unsigned char)*p) * 1099511628211u;
  return &s->buckets[h % BUCKETS];
}

static struct kept *kept_find(struct token_store *s, const char *account_id,
                              const uint8_t fingerprint[SHA256_SIZE])
{
  for (struct kept *k = *bucket_of(s, account_id); k != NULL; k = k->next)
    if (strcmp(k->account_id, account_id) == 0 &&
        memcmp(k->fingerprint, fingerprint, SHA256_SIZE) == 0)
      return k;
  return NULL;
}

static void keep(struct token_store *s, const char *account_id,
                 const uint8_t fingerprint[SHA256_SIZE], struct secret *token, int64_t stored_s)
{
  struct kept *k = kept_find(s, account_id, fingerprint);
  if (k == NULL) {
    struct kept **b = bucket_of(s, account_id);
    k = xcalloc(1, sizeof(*k));
    k->account_id = xstrdup(account_id);
    memcpy(k->fingerprint, fingerprint, SHA256_SIZE);
    k->next = *b;
    *b = k;
    s->n_kept++;
  }
  secret_ref(token);
  secret_unref(k->token);
  k->token = token;
  k->stored_s = stored_s;
}

static void kept_free(struct kept *k)
{
  secret_unref(k->token);
  free(k->account_id);
  free(k);
}

/* Another credential has been in use for the account for long. */
static bool is_outdated(const struct kept *k, const struct kept *chain, int64_t now_s)
{
  if (now_s - k->stored_s < OUTDATED_S)
    return false;
  for (; chain != NULL; chain = chain->next)
    if (chain != k && strcmp(chain->account_id, k->account_id) == 0 &&
        chain->stored_s > k->stored_s)
      return true;
  return false;
}

static void drop_outdated(struct token_store *s)
{
  int64_t now_s = clock_unix_ms() / 1000;
  for (size_t i = 0; i < BUCKETS; i++)
    for (struct kept **p = &s->buckets[i]; *p != NULL;)
      if (is_outdated(*p, s->buckets[i], now_s)) {
        struct kept *k = *p;
        *p = k->next;
        kept_free(k);
        s->n_kept--;
      } else {
        p = &(*p)->next;
      }
}

/* ------------------------------------------------------------------------- records */

static void fingerprint_text(const uint8_t fingerprint[SHA256_SIZE], char out[65])
{
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < SHA256_SIZE; i++) {
    out[2 * i] = digits[fingerprint[i] >> 4];
    out[2 * i + 1] = digits[fingerprint[i] & 15];
  }
  out[64] = '\0';
}

static enum err_code write_record(const struct token_store *s, const struct kept *k,
                                  struct buf *out, struct err *e)
{
  AUTO_WIPED_BUF struct buf sealed = BUF_INIT(TOKEN_STORE_MAX_VALUE);
  struct store_record r = {.kind = s->sealed ? STORE_SEALED : STORE_PLAIN,
                           .stored_s = k->stored_s,
                           .value = secret_text(k->token),
                           .value_len = secret_len(k->token)};
  memcpy(r.fingerprint, k->fingerprint, SHA256_SIZE);
  if (strlen(k->account_id) > STORE_MAX_ACCOUNT)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_account", "an account_id is too long to be kept");
  memcpy(r.account_id, k->account_id, strlen(k->account_id) + 1);
  if (s->sealed) {
    char fingerprint[65];
    fingerprint_text(k->fingerprint, fingerprint);
    enum err_code code = s->crypto.seal(s->crypto.user, k->account_id, fingerprint, r.value,
                                        r.value_len, &sealed, e);
    if (code != ERR_OK)
      return code;
    r.value = buf_str(&sealed);
    r.value_len = sealed.len;
  }
  return store_record_write(out, &r) ? ERR_OK
                                     : err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full",
                                               "AUTH_STATE_DIR: the file has reached its cap");
}

static enum err_code read_value(const struct token_store *s, const struct store_record *r,
                                struct secret **out, struct err *e)
{
  char fingerprint[65];
  if (r->kind == STORE_PLAIN) {
    *out = secret_new(r->value, r->value_len);
    return ERR_OK;
  }
  if (!s->sealed)
    return err_set(e, ERR_FAILED_PRECONDITION, "state_sealed",
                   "AUTH_STATE_DIR: the refresh token kept for account \"%s\" is sealed and there "
                   "is no key; give the keyring it was sealed with",
                   r->account_id);
  fingerprint_text(r->fingerprint, fingerprint);
  if (s->crypto.open(s->crypto.user, r->account_id, fingerprint, r->value, r->value_len, out, e) ==
      ERR_OK)
    return ERR_OK;
  err_prefix(e, "AUTH_STATE_DIR: the refresh token kept for account \"%s\" does not open: ",
             r->account_id);
  return e->code;
}

/* ------------------------------------------------------------------------- the file */

/* Writes the table into a new file. Takes the lock for as long as the table is read and for
 * the swap, not for the disk. */
static enum err_code serialize(struct token_store *s, struct buf *out, struct err *e)
{
  enum err_code code = ERR_OK;
  drop_outdated(s);
  buf_append(out, store_head, STORE_HEAD_SIZE);
  for (size_t i = 0; i < BUCKETS && code == ERR_OK; i++)
    for (struct kept *k = s->buckets[i]; k != NULL && code == ERR_OK; k = k->next)
      code = write_record(s, k, out, e);
  return code;
}

static enum err_code swap_in(struct token_store *s, int fd, size_t bytes, struct err *e)
{
  s->live_bytes = bytes;
  return store_file_replace(&s->file, fd, bytes, s->since.data, s->since.len, e);
}

static enum err_code rewrite(struct token_store *s, struct err *e)
{
  AUTO_WIPED_BUF struct buf text = BUF_INIT(TOKEN_STORE_MAX_FILE);
  pthread_mutex_lock(&s->lock);
  enum err_code code = serialize(s, &text, e);
  s->rewriting = code == ERR_OK;
  s->must_rewrite = false; /* whoever asks from now on means another one */
  buf_wipe(&s->since);
  s->since = BUF_INIT(TOKEN_STORE_MAX_FILE);
  pthread_mutex_unlock(&s->lock);
  if (code != ERR_OK)
    return code;
  int fd = store_file_write_new(&s->file, text.data, text.len, e);
  pthread_mutex_lock(&s->lock);
  if (fd >= 0)
    code = swap_in(s, fd, text.len, e);
  s->rewriting = false;
  pthread_mutex_unlock(&s->lock);
  if (fd < 0)
    return e->code;
  return code == ERR_OK ? store_file_sync_dir(&s->file, e) : code;
}

/* Where the good part of the file ends. Damage before that is skipped and counted. */
struct reading {
  size_t good;   /* end of the last good record */
  size_t damage; /* places where something between good records is no record */
  bool plain;    /* a value was found as it is */
};

static enum err_code read_records(struct token_store *s, const struct buf *text,
                                  struct reading *found, struct err *e)
{
  const uint8_t *p = (const uint8_t *)text->data;
  bool lost = false;
  for (size_t at = STORE_HEAD_SIZE; at < text->len;) {
    struct store_record r;
    size_t n = store_record_read(&r, p + at, text->len - at);
    if (n == 0) {
      lost = true;
      at++;
      continue;
    }
    found->damage += lost;
    lost = false;
    AUTO_SECRET struct secret *token = NULL;
    enum err_code code = read_value(s, &r, &token, e);
    if (code != ERR_OK)
      return code;
    keep(s, r.account_id, r.fingerprint, token, r.stored_s);
    found->plain = found->plain || r.kind == STORE_PLAIN;
    found->good = at += n;
  }
  return ERR_OK;
}

static enum err_code load(struct token_store *s, struct err *e)
{
  AUTO_WIPED_BUF struct buf text = BUF_INIT(TOKEN_STORE_MAX_FILE);
  struct reading found = {.good = STORE_HEAD_SIZE};
  enum err_code code = store_file_read(&s->file, &text, TOKEN_STORE_MAX_FILE, e);
  if (code != ERR_OK)
    return code;
  s->must_rewrite = s->file.fd < 0;
  if (s->file.fd < 0)
    return ERR_OK;
  if (text.len < STORE_HEAD_SIZE || memcmp(text.data, store_head, STORE_HEAD_SIZE) != 0)
    return err_set(e, ERR_DATA_LOSS, "state_damaged",
                   "AUTH_STATE_DIR: " STORE_FILE_NAME " in %s is no file of auth-svc; move it away",
                   s->dir);
  code = read_records(s, &text, &found, e);
  if (code != ERR_OK)
    return code;
  if (found.damage > 0) {
    log_error("the file of refresh tokens is damaged; what can be read is used and a copy is kept",
              LOG_S("path", s->dir), LOG_I("places", found.damage), LOG_I("kept", s->n_kept));
    store_file_set_aside(&s->file);
  } else if (found.good < text.len) {
    log_info("cut off half a record at the end of the file of refresh tokens",
             LOG_I("bytes", text.len - found.good));
  }
  s->file.bytes = s->live_bytes = found.good;
  s->must_rewrite = found.damage > 0 || found.good < text.len || (found.plain && s->sealed);
  return ERR_OK;
}

/* ----------------------------------------------------------------------- the thread */

static void tell(struct pending *list, const struct err *error, bool final)
{
  while (list != NULL) {
    struct pending *p = list;
    list = p->next;
    p->stored(p->user, error, final);
    if (final)
      free(p);
  }
}

static bool is_bloated(const struct token_store *s)
{
  return s->file.bytes > s->compact_min && s->file.bytes > 2 * s->live_bytes;
}

static enum err_code bring_to_disk(struct token_store *s, bool anew, struct err *e)
{
  if (anew)
    return rewrite(s, e);
  if (fdatasync(s->file.fd) == 0)
    return ERR_OK;
  return err_set(e, ERR_UNAVAILABLE, "state_unwritable", "AUTH_STATE_DIR: cannot sync %s in %s",
                 STORE_FILE_NAME, s->dir);
}

static void wait_ms(struct token_store *s, uint32_t ms)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += (long)(ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  int timed_out = 0;
  while (!s->stopping && timed_out == 0)
    timed_out = pthread_cond_timedwait(&s->wake, &s->lock, &until);
}

static struct pending *append_list(struct pending *list, struct pending *tail)
{
  struct pending **p = &list;
  while (*p != NULL)
    p = &(*p)->next;
  *p = tail;
  return list;
}

/* One pass, with the lock held on entry and on return. */
static void sync_once(struct token_store *s, struct backoff *backoff)
{
  struct pending *batch = TAKE_PTR(s->pending);
  bool anew = s->must_rewrite || is_bloated(s), final = s->stopping;
  struct err e = {0};
  pthread_mutex_unlock(&s->lock);
  bool ok = bring_to_disk(s, anew, &e) == ERR_OK;
  if (!ok)
    log_error("refresh tokens cannot be stored", LOG_S("error", e.message));
  tell(batch, &e, ok || final);
  pthread_mutex_lock(&s->lock);
  s->failure = e;
  if (ok) {
    backoff->attempt = 0;
    return;
  }
  /* After a failed sync the kernel may call pages clean that never reached the disk: only a
   * new file says again what is there. */
  s->must_rewrite = true;
  if (!final)
    s->pending = append_list(batch, TAKE_PTR(s->pending));
  wait_ms(s, backoff_next_ms(backoff));
}

static void *run(void *arg)
{
  struct token_store *s = arg;
  struct backoff backoff = {500, 30000, 0};
  pthread_mutex_lock(&s->lock);
  for (;;) {
    if (s->pending != NULL || (s->must_rewrite && !s->stopping))
      sync_once(s, &backoff);
    else if (s->stopping)
      break;
    else
      pthread_cond_wait(&s->wake, &s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* -------------------------------------------------------------------------- callers */

static void store_free(struct token_store *s)
{
  for (size_t i = 0; i < BUCKETS; i++)
    while (s->buckets[i] != NULL) {
      struct kept *k = s->buckets[i];
      s->buckets[i] = k->next;
      kept_free(k);
    }
  store_file_close(&s->file);
  buf_wipe(&s->since);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->wake);
  free(s->dir);
  free(s);
}

static struct token_store *store_new(const struct token_store_options *options)
{
  struct token_store *s = xcalloc(1, sizeof(*s));
  pthread_condattr_t attr;
  pthread_mutex_init(&s->lock, NULL);
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&s->wake, &attr);
  pthread_condattr_destroy(&attr);
  s->sealed = options->crypto != NULL;
  if (s->sealed)
    s->crypto = *options->crypto;
  s->compact_min =
      options->compact_min_bytes != 0 ? options->compact_min_bytes : TOKEN_STORE_COMPACT_MIN;
  s->dir = xstrdup(options->dir);
  return s;
}

enum err_code token_store_open(struct token_store **out, const struct token_store_options *options,
                               struct err *e)
{
  struct err local = {0};
  e = e != NULL ? e : &local;
  struct token_store *s = store_new(options);
  enum err_code code = store_file_open(&s->file, s->dir, e);
  if (code == ERR_OK)
    code = load(s, e);
  if (code == ERR_OK && s->must_rewrite)
    code = rewrite(s, e);
  if (code == ERR_OK && pthread_create(&s->thread, NULL, run, s) != 0)
    code = err_set(e, ERR_UNAVAILABLE, "no_thread", "no thread for the store of refresh tokens");
  if (code != ERR_OK) {
    store_free(s);
    return code;
  }
  *out = s;
  return ERR_OK;
}

void token_store_close(struct token_store *s)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
  pthread_join(s->thread, NULL);
  store_free(s);
}

struct secret *token_store_get(struct token_store *s, const char *account_id,
                               const uint8_t fingerprint[SHA256_SIZE])
{
  pthread_mutex_lock(&s->lock);
  const struct kept *k = kept_find(s, account_id, fingerprint);
  struct secret *token = k != NULL ? secret_ref(k->token) : NULL;
  pthread_mutex_unlock(&s->lock);
  return token;
}

/* Hands a record to the kernel, and to the new file when one is being written. What fails
 * here is made good by a rewrite, from the table. */
static void write_through(struct token_store *s, const struct kept *k)
{
  AUTO_WIPED_BUF struct buf record = BUF_INIT(RECORD_MAX);
  struct err e = {0};
  if (buf_reserve(&record, RECORD_MAX - 1) == NULL || write_record(s, k, &record, &e) != ERR_OK) {
    s->must_rewrite = true;
    return;
  }
  if (!store_file_append(&s->file, record.data, record.len))
    s->must_rewrite = true;
  if (s->rewriting && !buf_append(&s->since, record.data, record.len))
    s->must_rewrite = true;
}

void token_store_put(struct token_store *s, const char *account_id,
                     const uint8_t fingerprint[SHA256_SIZE], struct secret *token,
                     token_stored *stored, void *user)
{
  struct pending *p = xcalloc(1, sizeof(*p));
  *p = (struct pending){NULL, stored, user};
  pthread_mutex_lock(&s->lock);
  keep(s, account_id, fingerprint, token, clock_unix_ms() / 1000);
  write_through(s, kept_find(s, account_id, fingerprint));
  s->pending = append_list(s->pending, p);
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

void token_store_rewrite(struct token_store *s)
{
  pthread_mutex_lock(&s->lock);
  s->must_rewrite = true;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

void token_store_describe(struct token_store *s, struct buf *detail)
{
  pthread_mutex_lock(&s->lock);
  if (s->failure.code == ERR_OK)
    buf_printf(detail, "ok state: %zu replaced refresh tokens kept\n", s->n_kept);
  else
    buf_printf(detail, "warn state: %s\n", s->failure.message);
  pthread_mutex_unlock(&s->lock);
}
