/* Replaced refresh tokens on disk: a table in memory, a log behind it, one thread that syncs. */
#include "auth-svc/token/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth-svc/token/store_content.h"
#include "auth-svc/token/store_file.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

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
  struct keyring *ring; /* NULL: values are written as they are */
  size_t compact_min;
  char *dir;
  struct store_file file;
  struct store_table table;
  size_t live_bytes; /* of the file as it would be after a rewrite, about */
  struct pending *pending;
  bool must_rewrite; /* what is in memory is not all in the file: no token counts as kept */
  bool want_rewrite; /* it is, but sealed with another key */
  int64_t retry_ms;  /* monotonic: when a rewrite that is only wanted may be tried again */
  bool rewriting;
  struct buf since; /* records that came during a rewrite */
  /* Keys of the records in the file; and of those that will be in it when the rewrite that is
   * under way (`renewing`), or the next one, is on disk. Until then either may be what a start
   * finds. */
  struct key_use use, next_use;
  bool renewing;
  struct err failure;
  bool stopping;
};

/* ------------------------------------------------------------------------- the file */

/* The table as a new file's content. The lock is held: for as long as the table is read, not
 * for the disk. */
static enum err_code serialize(struct token_store *s, struct buf *out, struct err *e)
{
  s->next_use = (struct key_use){0};
  table_drop_outdated(&s->table);
  return content_write(out, &s->table, s->ring, &s->next_use, e);
}

static enum err_code swap_in(struct token_store *s, int fd, size_t bytes, struct err *e)
{
  s->live_bytes = bytes;
  return store_file_replace(&s->file, fd, bytes, s->since.data, s->since.len, e);
}

/* Only when the new name is on disk, too, the old file cannot come back, and its keys may go. */
static enum err_code settle(struct token_store *s, struct err *e)
{
  enum err_code code = store_file_sync_dir(&s->file, e);
  pthread_mutex_lock(&s->lock);
  if (code == ERR_OK) {
    if (s->ring != NULL && key_use_has_other(&s->use, keyring_id(s->ring, 0)) &&
        !key_use_has_other(&s->next_use, keyring_id(s->ring, 0)))
      log_info("the store of refresh tokens is sealed with the first key only",
               LOG_S("key_id", keyring_id(s->ring, 0)), LOG_I("tokens", s->table.n));
    s->use = s->next_use;
  } else {
    key_use_join(&s->use, &s->next_use); /* the new name may be on disk and may not */
  }
  pthread_mutex_unlock(&s->lock);
  return code;
}

static enum err_code write_anew(struct token_store *s, const struct buf *text, struct err *e)
{
  enum err_code code = ERR_OK;
  int fd = store_file_write_new(&s->file, text->data, text->len, e);
  pthread_mutex_lock(&s->lock);
  if (fd >= 0)
    code = swap_in(s, fd, text->len, e);
  s->rewriting = false;
  pthread_mutex_unlock(&s->lock);
  if (fd < 0)
    return e->code;
  return code == ERR_OK ? settle(s, e) : code;
}

static enum err_code rewrite(struct token_store *s, struct err *e)
{
  AUTO_WIPED_BUF struct buf text = BUF_INIT(TOKEN_STORE_MAX_FILE);
  pthread_mutex_lock(&s->lock);
  enum err_code code = serialize(s, &text, e);
  bool must = s->must_rewrite;
  s->rewriting = s->renewing = code == ERR_OK;
  s->must_rewrite = false; /* whoever asks from now on means another one */
  buf_wipe(&s->since);
  s->since = BUF_INIT(TOKEN_STORE_MAX_FILE);
  pthread_mutex_unlock(&s->lock);
  if (code == ERR_OK)
    code = write_anew(s, &text, e);
  pthread_mutex_lock(&s->lock);
  s->renewing = false;
  s->must_rewrite = s->must_rewrite || (must && code != ERR_OK);
  pthread_mutex_unlock(&s->lock);
  return code;
}

static enum err_code load(struct token_store *s, struct err *e)
{
  AUTO_WIPED_BUF struct buf text = BUF_INIT(TOKEN_STORE_MAX_FILE);
  struct content_found found;
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
  code = content_read(&found, &s->table, &text, s->ring, e);
  if (code != ERR_OK)
    return code;
  if (found.damage > 0) {
    log_error("the file of refresh tokens is damaged; what can be read is used and a copy is kept",
              LOG_S("path", s->dir), LOG_I("places", found.damage), LOG_I("kept", s->table.n));
    store_file_set_aside(&s->file);
  } else if (found.good < text.len) {
    log_info("cut off half a record at the end of the file of refresh tokens",
             LOG_I("bytes", text.len - found.good));
  }
  s->file.bytes = s->live_bytes = found.good;
  s->use = found.use;
  s->must_rewrite =
      found.damage > 0 || found.good < text.len || (found.use.plain > 0 && s->ring != NULL);
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

/* Whether the file should be written anew, and whether that is due: after a failure it is not
 * tried with every token. */
static bool wants_rewrite(const struct token_store *s)
{
  return (s->want_rewrite || is_bloated(s)) && clock_mono_ms() >= s->retry_ms;
}

static enum err_code sync_file(const struct token_store *s, struct err *e)
{
  if (fdatasync(s->file.fd) == 0)
    return ERR_OK;
  return err_set(e, ERR_UNAVAILABLE, "state_unwritable", "AUTH_STATE_DIR: cannot sync %s in %s: %s",
                 STORE_FILE_NAME, s->dir, strerror(errno));
}

static void wait_ms(struct token_store *s, int64_t ms, bool for_pending)
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
  while (!s->stopping && timed_out == 0 && !(for_pending && s->pending != NULL))
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

/* Writes the file anew where it only should be: what fails here holds up no token. The lock is
 * held on entry and on return. */
static void rewrite_if_wanted(struct token_store *s, struct backoff *backoff)
{
  struct err e = {0};
  s->want_rewrite = false;
  pthread_mutex_unlock(&s->lock);
  bool ok = rewrite(s, &e) == ERR_OK;
  if (!ok)
    log_error("the file of refresh tokens cannot be written anew", LOG_S("error", e.message));
  pthread_mutex_lock(&s->lock);
  s->failure = e;
  if (ok) {
    backoff->attempt = 0;
    return;
  }
  s->want_rewrite = true;
  s->retry_ms = clock_mono_ms() + backoff_next_ms(backoff);
}

/* Brings to disk what waits: by a sync, or in a new file where the old one is not good. The
 * lock is held on entry and on return. */
static void sync_once(struct token_store *s, struct backoff *backoff)
{
  struct pending *batch = TAKE_PTR(s->pending);
  bool anew = s->must_rewrite, final = s->stopping;
  struct err e = {0};
  pthread_mutex_unlock(&s->lock);
  bool ok = (anew ? rewrite(s, &e) : sync_file(s, &e)) == ERR_OK;
  if (!ok)
    log_error("refresh tokens cannot be stored", LOG_S("error", e.message));
  tell(batch, &e, ok || final);
  pthread_mutex_lock(&s->lock);
  if (ok) {
    if (!s->want_rewrite)
      s->failure = e;
    backoff->attempt = 0;
    return;
  }
  s->failure = e;
  /* After a failed sync the kernel may call pages clean that never reached the disk: only a
   * new file says again what is there. */
  s->must_rewrite = true;
  if (!final)
    s->pending = append_list(batch, TAKE_PTR(s->pending));
  wait_ms(s, backoff_next_ms(backoff), false);
}

static void *run(void *arg)
{
  struct token_store *s = arg;
  struct backoff needed = {500, 30000, 0}, wanted = {500, 30000, 0};
  pthread_mutex_lock(&s->lock);
  for (;;) {
    if (s->pending != NULL || (s->must_rewrite && !s->stopping))
      sync_once(s, &needed);
    else if (s->stopping)
      break;
    else if (wants_rewrite(s))
      rewrite_if_wanted(s, &wanted);
    else if (s->want_rewrite)
      wait_ms(s, s->retry_ms - clock_mono_ms() + 1, true);
    else
      pthread_cond_wait(&s->wake, &s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* -------------------------------------------------------------------------- callers */

static void store_free(struct token_store *s)
{
  table_clear(&s->table);
  keyring_unref(s->ring);
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
  s->ring = keyring_ref(options->keyring);
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
  s->want_rewrite = s->ring != NULL && key_use_has_other(&s->use, keyring_id(s->ring, 0));
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

/* Hands a record to the kernel, and to the new file when one is being written. What fails
 * here is made good by a rewrite, from the table. */
static void write_through(struct token_store *s, const struct kept *k)
{
  AUTO_WIPED_BUF struct buf record = BUF_INIT(RECORD_MAX);
  struct key_use use = {0};
  struct err e = {0};
  if (buf_reserve(&record, RECORD_MAX - 1) == NULL ||
      content_add(&record, k, s->ring, &use, &e) != ERR_OK) {
    s->must_rewrite = true;
    return;
  }
  /* Also for a record that is written half: what may be on disk counts. */
  if (s->ring != NULL) {
    key_use_add(&s->use, keyring_id(s->ring, 0));
    key_use_add(&s->next_use, keyring_id(s->ring, 0));
  }
  if (!store_file_append(&s->file, record.data, record.len))
    s->must_rewrite = true;
  if (s->rewriting && !buf_append(&s->since, record.data, record.len))
    s->must_rewrite = true;
}

struct secret *token_store_get(struct token_store *s, const char *account_id,
                               const uint8_t fingerprint[SHA256_SIZE])
{
  struct secret *token = NULL;
  pthread_mutex_lock(&s->lock);
  const struct kept *own = table_find(&s->table, account_id, fingerprint);
  const struct kept *newest = table_newest(&s->table, fingerprint);
  if (newest != NULL && (own == NULL || own->stored_s < newest->stored_s)) {
    /* The account that it was kept under may leave, and its tokens with it. */
    table_keep(&s->table, account_id, fingerprint, newest->token, newest->stored_s);
    own = table_find(&s->table, account_id, fingerprint);
    write_through(s, own);
  }
  if (own != NULL)
    token = secret_ref(own->token);
  pthread_mutex_unlock(&s->lock);
  return token;
}

void token_store_put(struct token_store *s, const char *account_id,
                     const uint8_t fingerprint[SHA256_SIZE], struct secret *token,
                     token_stored *stored, void *user)
{
  struct pending *p = xcalloc(1, sizeof(*p));
  *p = (struct pending){NULL, stored, user};
  pthread_mutex_lock(&s->lock);
  table_keep(&s->table, account_id, fingerprint, token, clock_unix_ms() / 1000);
  write_through(s, table_find(&s->table, account_id, fingerprint));
  s->pending = append_list(s->pending, p);
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

void token_store_rewrite(struct token_store *s)
{
  pthread_mutex_lock(&s->lock);
  s->want_rewrite = true;
  s->retry_ms = 0;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

/* Of all that a start might find. The lock is held. */
static struct key_use whole_use(const struct token_store *s)
{
  struct key_use use = s->use;
  if (s->renewing)
    key_use_join(&use, &s->next_use);
  return use;
}

enum err_code token_store_check_keyring(struct token_store *s, const struct keyring *next,
                                        struct err *e)
{
  enum err_code code = ERR_OK;
  pthread_mutex_lock(&s->lock);
  const struct key_use use = whole_use(s);
  const char *id = key_use_missing(&use, next);
  if (id != NULL && s->failure.code != ERR_OK)
    code = err_set(e, ERR_FAILED_PRECONDITION, "key_in_use",
                   "the store of refresh tokens is still sealed with \"%s\" and cannot be written "
                   "(%s)",
                   id, s->failure.message);
  else if (id != NULL)
    code = err_set(e, ERR_FAILED_PRECONDITION, "key_in_use",
                   "the store of refresh tokens (AUTH_STATE_DIR) is still sealed with \"%s\"", id);
  pthread_mutex_unlock(&s->lock);
  return code;
}

void token_store_set_keyring(struct token_store *s, struct keyring *next)
{
  pthread_mutex_lock(&s->lock);
  struct keyring *old = s->ring;
  s->ring = keyring_ref(next);
  if (next == NULL || old == NULL || strcmp(keyring_id(next, 0), keyring_id(old, 0)) != 0) {
    s->want_rewrite = true;
    s->retry_ms = 0;
    pthread_cond_signal(&s->wake);
  }
  pthread_mutex_unlock(&s->lock);
  keyring_unref(old);
}

void token_store_key_use(struct token_store *s, struct key_use *out)
{
  pthread_mutex_lock(&s->lock);
  *out = whole_use(s);
  pthread_mutex_unlock(&s->lock);
}

bool token_store_is_writable(struct token_store *s)
{
  pthread_mutex_lock(&s->lock);
  bool ok = s->failure.code == ERR_OK;
  pthread_mutex_unlock(&s->lock);
  return ok;
}

void token_store_describe(struct token_store *s, struct buf *detail)
{
  pthread_mutex_lock(&s->lock);
  if (s->failure.code == ERR_OK)
    buf_printf(detail, "ok state: %zu replaced refresh tokens kept\n", s->table.n);
  else
    buf_printf(detail, "warn state: %s\n", s->failure.message);
  pthread_mutex_unlock(&s->lock);
}
