/* Replaced refresh tokens on disk.
 *
 * The table in memory (store_content) is the truth, the file is its image. A caller changes the
 * table under the lock and sets `dirty`; nobody but one thread writes. That thread takes the text
 * of the table, replaces the file with it (write beside, fsync, rename, fsync of the folder) and
 * then calls back everybody whose token was in it. So one write serves all tokens that came
 * meanwhile, a caller never waits for the disk, and there is one way to the disk for a new token,
 * a new key and a repair.
 *
 * A process that is killed leaves the old file, or the new one, or both with the new one complete:
 * the start takes the new one then, since it is never older. A new one that is not complete holds
 * no token that anybody was given. A file that is not as it was written is refused, not mended.
 *
 * A key may leave the keyring only when no content that a start might find is sealed with it:
 * while a write is under way, and after one that failed behind the rename, that is the old and the
 * new content, so `use` is what the file is sealed with and `next_use` what its successor is. */
#include "auth-svc/token/store.h"

#include <pthread.h>
#include <string.h>

#include "auth-svc/token/store_content.h"
#include "auth-svc/token/store_file.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

#define STORE_FILE_NAME "refresh-tokens"

/* Somebody who waits for the disk. */
struct pending {
  struct pending *next;
  token_stored *stored;
  void *user;
};

struct token_store {
  char *dir;
  struct store_file file;
  int64_t (*unix_ms)(void);
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  /* Guarded by lock: */
  struct keyring *ring;    /* NULL: values are written as they are */
  struct table table;      /* of struct kept */
  struct pending *pending; /* in no order */
  bool dirty;              /* the table is not what the file holds */
  bool writing;
  struct key_use use, next_use;
  struct err failure; /* of the last write; code ERR_OK when it went well */
  bool stopping;
};

/* ------------------------------------------------------------------------- the file */

/* What of the table's text and of the keys it needs is fixed by now; a change from here on makes
 * it dirty again. The lock is held: for as long as the table is read, not for the disk. */
static enum err_code take_text(struct token_store *s, struct buf *text, struct err *e)
{
  kept_drop_outdated(&s->table, s->unix_ms() / 1000);
  enum err_code code = content_write(text, &s->table, s->ring, &s->next_use, e);
  s->writing = code == ERR_OK;
  s->dirty = false;
  return code;
}

/* The lock is held. */
static void take_outcome(struct token_store *s, enum err_code code, bool renamed)
{
  bool had_other = s->ring != NULL && key_use_has_other(&s->use, keyring_id(s->ring, 0));
  if (code != ERR_OK) {
    s->dirty = true;
    if (renamed)
      key_use_join(&s->use, &s->next_use);
  } else {
    s->use = s->next_use;
    if (had_other && !key_use_has_other(&s->use, keyring_id(s->ring, 0)))
      log_info("the store of refresh tokens is sealed with the first key only",
               LOG_S("key_id", keyring_id(s->ring, 0)), LOG_I("tokens", s->table.order.n));
  }
  s->writing = false;
}

/* Takes the lock itself. */
static enum err_code write_file(struct token_store *s, struct err *e)
{
  AUTO_BUF struct buf text = BUF_SECRET(STORE_FILE_MAX);
  bool renamed = false;
  pthread_mutex_lock(&s->lock);
  enum err_code code = take_text(s, &text, e);
  pthread_mutex_unlock(&s->lock);
  if (code == ERR_OK)
    code = store_file_replace(&s->file, &text, &renamed, e);
  pthread_mutex_lock(&s->lock);
  take_outcome(s, code, renamed);
  pthread_mutex_unlock(&s->lock);
  return code;
}

/* A new file that a killed process left complete is the file. */
static enum err_code settle_new(struct token_store *s, struct err *e)
{
  AUTO_BUF struct buf text = {0};
  if (store_file_read(&s->file, s->file.next, &text, STORE_FILE_MAX, NULL) == ERR_OK &&
      content_is_whole(&text))
    return store_file_adopt_new(&s->file, e);
  store_file_drop_new(&s->file);
  return ERR_OK;
}

static enum err_code load(struct token_store *s, struct err *e)
{
  AUTO_BUF struct buf text = {0};
  enum err_code code = settle_new(s, e);
  if (code == ERR_OK)
    code = store_file_read(&s->file, STORE_FILE_NAME, &text, STORE_FILE_MAX, e);
  s->dirty = code == ERR_NOT_FOUND;
  if (code == ERR_NOT_FOUND)
    *e = (struct err){0};
  if (code != ERR_OK)
    return e->code;
  code = content_read(&s->table, &s->use, &text, s->ring, e);
  if (code == ERR_DATA_LOSS && strcmp(e->reason, "state_damaged") == 0)
    err_prefix(e, "AUTH_STATE_DIR: " STORE_FILE_NAME " in %s ", s->dir);
  s->dirty = s->use.plain > 0 && s->ring != NULL;
  return code;
}

/* ----------------------------------------------------------------------- the thread */

static void call_back(struct pending *list, const struct err *error, bool final)
{
  while (list != NULL) {
    struct pending *p = list;
    list = p->next;
    p->stored(p->user, error, final);
    if (final)
      free(p);
  }
}

static void put_back(struct token_store *s, struct pending *list)
{
  struct pending **end = &list;
  while (*end != NULL)
    end = &(*end)->next;
  *end = s->pending;
  s->pending = list;
}

/* The lock is held on entry and on return. */
static void write_once(struct token_store *s, struct backoff *backoff)
{
  struct pending *batch = TAKE_PTR(s->pending);
  bool final = s->stopping;
  struct err e = {0};
  pthread_mutex_unlock(&s->lock);
  bool ok = write_file(s, &e) == ERR_OK;
  if (!ok)
    log_error("refresh tokens cannot be stored", LOG_S("error", e.message));
  pthread_mutex_lock(&s->lock);
  s->failure = e;
  pthread_mutex_unlock(&s->lock);
  call_back(batch, &e, ok || final);
  pthread_mutex_lock(&s->lock);
  if (ok) {
    backoff->attempt = 0;
    return;
  }
  if (!final)
    put_back(s, batch);
  int64_t until = clock_mono_ms() + backoff_next_ms(backoff);
  while (!s->stopping && wait_until(&s->wake, &s->lock, until))
    ;
}

static void *run(void *arg)
{
  struct token_store *s = arg;
  struct backoff backoff = {500, 30000, 0};
  pthread_mutex_lock(&s->lock);
  for (bool last = false; !last;) {
    last = s->stopping;
    if (s->pending != NULL || s->dirty)
      write_once(s, &backoff);
    else if (!last)
      pthread_cond_wait(&s->wake, &s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* -------------------------------------------------------------------------- callers */

static void store_free(struct token_store *s)
{
  table_free(&s->table);
  keyring_unref(s->ring);
  store_file_close(&s->file);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->wake);
  free(s->dir);
  free(s);
}

static struct token_store *store_new(const struct token_store_options *options)
{
  struct token_store *s = xcalloc(1, sizeof(*s));
  pthread_mutex_init(&s->lock, NULL);
  wait_init(&s->wake);
  s->ring = keyring_ref(options->keyring);
  s->unix_ms = options->unix_ms != NULL ? options->unix_ms : clock_unix_ms;
  s->dir = xstrdup(options->dir);
  kept_init(&s->table);
  return s;
}

enum err_code token_store_open(struct token_store **out, const struct token_store_options *options,
                               struct err *e)
{
  struct err local = {0};
  e = e != NULL ? e : &local;
  struct token_store *s = store_new(options);
  enum err_code code = store_file_open(&s->file, s->dir, STORE_FILE_NAME, e);
  if (code == ERR_OK)
    code = load(s, e);
  if (code == ERR_OK && s->dirty)
    code = write_file(s, e);
  s->dirty = s->ring != NULL && key_use_has_other(&s->use, keyring_id(s->ring, 0));
  if (code == ERR_OK && pthread_create(&s->thread, NULL, run, s) != 0)
    code = err_set(e, ERR_UNAVAILABLE, "no_thread",
                   "cannot start the thread of the store of refresh tokens");
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

/* The lock is held. */
static void changed(struct token_store *s)
{
  s->dirty = true;
  pthread_cond_signal(&s->wake);
}

struct secret *token_store_get(struct token_store *s, const char *account_id,
                               const uint8_t fingerprint[SHA256_SIZE])
{
  struct secret *token = NULL;
  pthread_mutex_lock(&s->lock);
  const struct kept *own = kept_find(&s->table, account_id, fingerprint);
  const struct kept *newest = kept_newest(&s->table, fingerprint);
  if (newest != NULL && (own == NULL || own->stored_s < newest->stored_s)) {
    /* The account that it was kept under may leave, and its tokens with it. */
    AUTO_SECRET struct secret *shared = secret_ref(newest->token);
    kept_put(&s->table, account_id, fingerprint, shared, newest->stored_s);
    own = kept_find(&s->table, account_id, fingerprint);
    changed(s);
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
  kept_put(&s->table, account_id, fingerprint, token, s->unix_ms() / 1000);
  p->next = s->pending;
  s->pending = p;
  changed(s);
  pthread_mutex_unlock(&s->lock);
}

/* Of all that a start might find. The lock is held. */
static struct key_use whole_use(const struct token_store *s)
{
  struct key_use use = s->use;
  if (s->writing)
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
  if (next == NULL || old == NULL || strcmp(keyring_id(next, 0), keyring_id(old, 0)) != 0)
    changed(s);
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
    buf_printf(detail, "ok state: %zu replaced refresh tokens kept\n", s->table.order.n);
  else
    buf_puts(detail, "warn state: replaced refresh tokens cannot be stored; the log says why\n");
  pthread_mutex_unlock(&s->lock);
}
