/* Lets a new keyring take over: checks who needs what, then changes all of it. */
#include "auth-svc/config/keyring_live.h"

#include <pthread.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"

enum { IDLE_TEXT_MAX = 1024 };

struct keyring_live {
  struct keyring_live_options options;
  pthread_mutex_t lock;
  struct keyring *current; /* under lock */
};

struct keyring_live *keyring_live_new(const struct keyring_live_options *options)
{
  struct keyring_live *l = xcalloc(1, sizeof(*l));
  l->options = *options;
  l->current = keyring_ref(options->first);
  pthread_mutex_init(&l->lock, NULL);
  return l;
}

void keyring_live_free(struct keyring_live *l)
{
  if (l == NULL)
    return;
  keyring_unref(l->current);
  pthread_mutex_destroy(&l->lock);
  free(l);
}

static struct keyring *current(struct keyring_live *l)
{
  pthread_mutex_lock(&l->lock);
  struct keyring *ring = keyring_ref(l->current);
  pthread_mutex_unlock(&l->lock);
  return ring;
}

/* ------------------------------------------------------------------------- checking */

/* An id that stands for another key now: what the former one sealed would not open, and audit
 * lines made with it would look changed. */
static enum err_code check_ids(const struct keyring *now, const struct keyring *next, struct err *e)
{
  for (size_t i = 0; i < keyring_size(next); i++) {
    size_t j = keyring_find(now, keyring_id(next, i));
    if (j < keyring_size(now) && !keyring_same_key(next, i, now, j))
      return err_set(e, ERR_FAILED_PRECONDITION, "key_id_reused",
                     "AUTH_KEYRING_FILE: key \"%s\" is another one than before: give the new key "
                     "an id of its own, as auth-svc keygen --add does",
                     keyring_id(next, i));
  }
  return ERR_OK;
}

static void add_need(struct buf *needs, const char *what)
{
  buf_printf(needs, "%s%s", needs->len > 0 ? "; and " : "", what);
}

/* What still needs a key that the new ring lacks; nothing when it may take over. The first key
 * seals until the change is made, so it must stay for one step. */
static void find_needs(struct keyring_live *l, const struct keyring *now,
                       const struct keyring *next, struct buf *needs)
{
  struct err e = {0};
  const char *first = keyring_id(now, 0);
  if (keyring_find(next, first) == keyring_size(next)) {
    AUTO_FREE char *text = xasprintf("\"%s\" is the first key in use, which seals at present: put "
                                     "the new key before it, and take it out after the change",
                                     first);
    add_need(needs, text);
  }
  if (l->options.store != NULL && token_store_check_keyring(l->options.store, next, &e) != ERR_OK)
    add_need(needs, e.message);
  if (l->options.connected != NULL &&
      connect_store_check_keyring(l->options.connected, next, &e) != ERR_OK)
    add_need(needs, e.message);
}

/* The loader's own fault comes last: it is there when a file is sealed with a key that is
 * gone, too. */
static enum err_code refuse(const struct buf *needs, const struct err *loading, struct err *e)
{
  if (needs->len == 0) {
    *e = *loading;
    return e->code;
  }
  const char *more = loading->code != ERR_OK ? loading->message : "";
  return err_set(e, ERR_FAILED_PRECONDITION, "key_in_use",
                 "AUTH_KEYRING_FILE: lacks a key that is still needed: %s%s%s. Put it back; "
                 "/readyz names the keys in use",
                 buf_str(needs), *more != '\0' ? "; and " : "", more);
}

/* ------------------------------------------------------------------------ taking over */

static enum err_code take_over(struct keyring_live *l, struct keyring *now, struct keyring *next,
                               struct err *e)
{
  /* The line first: it is the only thing that can fail. */
  enum err_code code = audit_set_keyring(l->options.audit, next, e);
  if (code != ERR_OK)
    return code;
  keyring_carry_uses(next, now);
  if (l->options.store != NULL)
    token_store_set_keyring(l->options.store, next);
  if (l->options.connected != NULL)
    connect_store_set_keyring(l->options.connected, next);
  pthread_mutex_lock(&l->lock);
  struct keyring *old = l->current;
  l->current = keyring_ref(next);
  pthread_mutex_unlock(&l->lock);
  if (strcmp(keyring_id(old, 0), keyring_id(next, 0)) != 0)
    log_info("a new key has taken over", LOG_S("old_key", keyring_id(old, 0)),
             LOG_S("new_key", keyring_id(next, 0)), LOG_I("keys", keyring_size(next)));
  keyring_unref(old);
  return ERR_OK;
}

static enum err_code reload_file(struct keyring_live *l, struct keyring *now,
                                 keyring_live_load *load, void *user, struct snapshot **out,
                                 struct err *e)
{
  AUTO_KEYRING struct keyring *next = NULL;
  AUTO_BUF struct buf needs = BUF_INIT(4096);
  struct err loading = {0};
  enum err_code code = keyring_load(&next, l->options.file, e);
  if (code == ERR_OK)
    code = check_ids(now, next, e);
  if (code != ERR_OK)
    return code;
  find_needs(l, now, next, &needs);
  code = load(user, next, out, &loading);
  if (code != ERR_OK || needs.len > 0)
    code = refuse(&needs, &loading, e);
  else
    code = take_over(l, now, next, e);
  return code;
}

enum err_code keyring_live_reload(struct keyring_live *l, keyring_live_load *load, void *user,
                                  struct snapshot **out, struct err *e)
{
  *out = NULL;
  AUTO_KEYRING struct keyring *now = current(l);
  enum err_code code = l->options.file == NULL || now == NULL
                           ? load(user, now, out, e)
                           : reload_file(l, now, load, user, out, e);
  if (code != ERR_OK)
    snapshot_unref(TAKE_PTR(*out));
  return code;
}

/* ------------------------------------------------------------------------ describing */

/* What the stores are sealed with. */
static struct key_use stored_use(const struct keyring_live *l)
{
  struct key_use stored = {0};
  if (l->options.store != NULL)
    token_store_key_use(l->options.store, &stored);
  connect_store_key_use(l->options.connected, &stored);
  return stored;
}

void keyring_live_keys(struct keyring_live *l, const struct key_use *dealers,
                       void (*fn)(void *user, const char *id, bool idle), void *user)
{
  AUTO_KEYRING struct keyring *ring = current(l);
  struct key_use stored = stored_use(l);
  for (size_t i = 0; ring != NULL && i < keyring_size(ring); i++) {
    const char *id = keyring_id(ring, i);
    fn(user, id, i > 0 && !key_use_has(dealers, id) && !key_use_has(&stored, id));
  }
}

/* The keys that nothing needs, for people. */
struct idle {
  size_t n;
  struct buf text;
};

static void add_idle(void *user, const char *id, bool idle)
{
  struct idle *out = user;
  if (!idle)
    return;
  buf_printf(&out->text, "%s%s", out->n > 0 ? ", " : "; may leave the keyring: ", id);
  out->n++;
}

size_t keyring_live_idle(struct keyring_live *l, const struct key_use *dealers)
{
  struct idle idle = {0};
  keyring_live_keys(l, dealers, add_idle, &idle);
  buf_free(&idle.text);
  return idle.n;
}

void keyring_live_describe(struct keyring_live *l, const struct key_use *dealers,
                           struct buf *detail)
{
  AUTO_KEYRING struct keyring *ring = current(l);
  struct key_use stored = {0};
  struct idle idle = {.text = BUF_INIT(IDLE_TEXT_MAX)};
  char audit_key[KEYRING_ID_MAX + 1] = "";
  if (ring == NULL)
    return;
  audit_key_id(l->options.audit, audit_key);
  buf_printf(detail, "ok keyring: first %s; file ", keyring_id(ring, 0));
  key_use_print(dealers, detail);
  if (l->options.store != NULL) {
    token_store_key_use(l->options.store, &stored);
    buf_puts(detail, "; store ");
    key_use_print(&stored, detail);
  }
  keyring_live_keys(l, dealers, add_idle, &idle);
  buf_printf(detail, "; audit %s%s\n", *audit_key != '\0' ? audit_key : "none",
             buf_str(&idle.text));
  buf_free(&idle.text);
}
