/* The store of connected dealers: one document in memory, and its image on disk. */
#include "auth-svc/connect/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth-svc/connect/value.h"
#include "auth-svc/token/store_file.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define FILE_NAME "connected"

struct connect_store {
  char *dir;
  struct store_file file;
  int64_t (*unix_ms)(void);
  pthread_mutex_t lock;
  /* Guarded by lock: */
  cJSON *root;
  char *stored; /* the text on disk; NULL before the first write: nothing */
  struct keyring *ring;
  struct err failure; /* of the last write; code ERR_OK when it went well */
};

static const char *const list_names[] = {"invites", "sessions", "dealers"};

/* -------------------------------------------------------------------------- reading */

static enum err_code damaged(const char *dir, struct err *e)
{
  return err_set(e, ERR_DATA_LOSS, "state_damaged",
                 "AUTH_STATE_DIR: " FILE_NAME " in %s is damaged, or not a file of this version of "
                 "auth-svc; put a copy back, or move it away and let dealers consent again",
                 dir);
}

static enum err_code parse(cJSON **out, const char *dir, const struct buf *text, struct err *e)
{
  const struct json_limits limits = {.max_bytes = CONNECT_FILE_MAX};
  AUTO_JSON cJSON *root = NULL;
  if (json_parse(&root, text->data, text->len, &limits, NULL) != ERR_OK)
    return damaged(dir, e);
  for (size_t i = 0; i < ARRAY_LEN(list_names); i++)
    if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(root, list_names[i])))
      return damaged(dir, e);
  *out = TAKE_PTR(root);
  return ERR_OK;
}

static cJSON *empty_root(void)
{
  cJSON *root = cJSON_CreateObject();
  for (size_t i = 0; i < ARRAY_LEN(list_names); i++)
    cJSON_AddArrayToObject(root, list_names[i]);
  return root;
}

/* Every secret must open now, not in the middle of somebody's consent. */
static enum err_code try_to_open(void *user, cJSON *object, const char *key,
                                 const struct keyring_record *place, struct err *e)
{
  AUTO_SECRET struct secret *ignored = NULL;
  if (value_open(&ignored, object, key, user, place, e) == ERR_OK)
    return ERR_OK;
  return err_prefix(e, "AUTH_STATE_DIR: %s of \"%s\" in " FILE_NAME " does not open: ", key,
                    place->tenant);
}

static enum err_code load(struct connect_store *s, struct err *e)
{
  struct buf text = {0};
  store_file_drop_new(&s->file); /* what was not put in place was never acknowledged */
  enum err_code code = store_file_read(&s->file, FILE_NAME, &text, CONNECT_FILE_MAX, e);
  if (code == ERR_NOT_FOUND) {
    *e = (struct err){0};
    s->root = empty_root();
    return ERR_OK;
  }
  if (code == ERR_OK)
    code = parse(&s->root, s->dir, &text, e);
  if (code == ERR_OK)
    s->stored = buf_take(&text, NULL);
  buf_free(&text);
  return code == ERR_OK ? value_each_secret(s->root, try_to_open, s->ring, e) : code;
}

static void store_free(struct connect_store *s)
{
  store_file_close(&s->file);
  cJSON_Delete(s->root);
  free(s->stored);
  keyring_unref(s->ring);
  pthread_mutex_destroy(&s->lock);
  free(s->dir);
  free(s);
}

enum err_code connect_store_open(struct connect_store **out,
                                 const struct connect_store_options *options, struct err *e)
{
  struct err local = {0};
  e = e != NULL ? e : &local;
  struct connect_store *s = xcalloc(1, sizeof(*s));
  pthread_mutex_init(&s->lock, NULL);
  s->dir = xasprintf("%s/connect", options->state_dir);
  s->ring = keyring_ref(options->keyring);
  s->unix_ms = options->unix_ms != NULL ? options->unix_ms : clock_unix_ms;
  (void)mkdir(options->state_dir, 0700); /* where it fails, the next step says why */
  enum err_code code = store_file_open(&s->file, s->dir, FILE_NAME, e);
  if (code == ERR_OK)
    code = load(s, e);
  if (code != ERR_OK) {
    store_free(s);
    return code;
  }
  *out = s;
  return ERR_OK;
}

void connect_store_close(struct connect_store *s)
{
  if (s != NULL)
    store_free(s);
}

/* -------------------------------------------------------------------------- changes */

static cJSON *list_of(const struct connect_store *s, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(s->root, name);
}

static void drop_expired(cJSON *list, int64_t now_s)
{
  for (cJSON *item = list->child, *next; item != NULL; item = next) {
    next = item->next;
    if (value_number(item, "expires_s") <= now_s)
      cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
  }
}

void connect_store_begin(struct connect_store *s, struct connect_lists *out)
{
  pthread_mutex_lock(&s->lock);
  *out = (struct connect_lists){.invites = list_of(s, "invites"),
                                .sessions = list_of(s, "sessions"),
                                .dealers = list_of(s, "dealers"),
                                .ring = s->ring,
                                .now_s = s->unix_ms() / 1000};
  drop_expired(out->invites, out->now_s);
  drop_expired(out->sessions, out->now_s);
}

static enum err_code write_root(struct connect_store *s, struct err *e)
{
  bool renamed;
  AUTO_FREE char *text = cJSON_PrintUnformatted(s->root);
  size_t len = text != NULL ? strlen(text) : 0;
  if (text == NULL || len > CONNECT_FILE_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full",
                   "AUTH_STATE_DIR: the store of connected dealers has reached its cap");
  const struct buf content = {.data = text, .len = len, .cap = len + 1, .max = CONNECT_FILE_MAX};
  enum err_code code = store_file_replace(&s->file, &content, &renamed, e);
  if (code == ERR_OK) {
    free(s->stored);
    s->stored = TAKE_PTR(text);
  }
  return code;
}

/* Back to what was stored last. */
static void take_back(struct connect_store *s)
{
  cJSON_Delete(s->root);
  s->root = s->stored != NULL ? cJSON_Parse(s->stored) : empty_root();
}

enum err_code connect_store_end(struct connect_store *s, bool changed, struct err *e)
{
  struct err failure = {0};
  enum err_code code = changed ? write_root(s, &failure) : ERR_OK;
  if (changed)
    s->failure = failure;
  if (code != ERR_OK)
    take_back(s);
  pthread_mutex_unlock(&s->lock);
  if (code != ERR_OK)
    log_error("a change of the connected dealers could not be stored and was not made",
              LOG_S("error", failure.message));
  if (code != ERR_OK && e != NULL)
    *e = failure;
  return code;
}

/* -------------------------------------------------------------------------- dealers */

static void put_dealers(const cJSON *list, struct buf *out)
{
  const cJSON *item;
  const char *between = "";
  buf_puts(out, "{\"dealers\":[");
  cJSON_ArrayForEach(item, list)
  {
    AUTO_FREE char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(item, "dealer"));
    buf_printf(out, "%s\n", between);
    buf_puts(out, text != NULL ? text : "{}");
    between = ",";
  }
  buf_puts(out, "]}\n");
}

void connect_store_dealers(struct connect_store *s, struct buf *out)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->lock);
  put_dealers(list_of(s, "dealers"), out);
  pthread_mutex_unlock(&s->lock);
}

enum err_code connect_store_peek(const char *state_dir, struct buf *out, struct err *e)
{
  AUTO_FREE char *dir = xasprintf("%s/connect", state_dir);
  const struct store_file file = {.dir = dir, .name = FILE_NAME, .dir_fd = -1, .lock_fd = -1};
  struct buf text = {0};
  AUTO_JSON cJSON *root = NULL;
  enum err_code code = store_file_read(&file, FILE_NAME, &text, CONNECT_FILE_MAX, e);
  if (code == ERR_OK)
    code = parse(&root, dir, &text, e);
  buf_free(&text);
  if (code == ERR_OK)
    put_dealers(cJSON_GetObjectItemCaseSensitive(root, "dealers"), out);
  return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* ----------------------------------------------------------------------------- keys */

static enum err_code count_key(void *user, cJSON *object, const char *key,
                               const struct keyring_record *place, struct err *e)
{
  const char *sealed = json_get_string(cJSON_GetObjectItemCaseSensitive(object, key), "sealed");
  (void)place;
  (void)e;
  if (sealed != NULL)
    key_use_add_sealed(user, sealed, strlen(sealed));
  return ERR_OK;
}

void connect_store_key_use(struct connect_store *s, struct key_use *use)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->lock);
  value_each_secret(s->root, count_key, use, NULL);
  pthread_mutex_unlock(&s->lock);
}

enum err_code connect_store_check_keyring(struct connect_store *s, const struct keyring *next,
                                          struct err *e)
{
  struct key_use use = {0};
  connect_store_key_use(s, &use);
  const char *missing = key_use_missing(&use, next);
  return missing == NULL
             ? ERR_OK
             : err_set(e, ERR_FAILED_PRECONDITION, "key_in_use",
                       "the connected dealers in AUTH_STATE_DIR are sealed with \"%s\"", missing);
}

struct resealing {
  struct keyring *from, *to;
};

static enum err_code seal_again(void *user, cJSON *object, const char *key,
                                const struct keyring_record *place, struct err *e)
{
  const struct resealing *r = user;
  AUTO_SECRET struct secret *plain = NULL;
  enum err_code code = value_open(&plain, object, key, r->from, place, e);
  return code == ERR_OK ? value_seal(object, key, r->to, place, secret_text(plain), e) : code;
}

void connect_store_set_keyring(struct connect_store *s, struct keyring *next)
{
  struct err e = {0};
  pthread_mutex_lock(&s->lock);
  struct resealing r = {next, next}; /* the new ring opens what is there: that was checked */
  bool other = strcmp(keyring_id(s->ring, 0), keyring_id(next, 0)) != 0;
  keyring_unref(s->ring);
  s->ring = keyring_ref(next);
  enum err_code code = other ? value_each_secret(s->root, seal_again, &r, &e) : ERR_OK;
  if (other && code == ERR_OK)
    code = write_root(s, &e);
  if (code != ERR_OK) {
    s->failure = e;
    take_back(s);
    log_error("the connected dealers stay sealed with the key before", LOG_S("error", e.message));
  }
  pthread_mutex_unlock(&s->lock);
}

void connect_store_describe(struct connect_store *s, struct buf *detail)
{
  pthread_mutex_lock(&s->lock);
  buf_printf(detail, "%s connect: %d dealers connected, %d links open%s\n",
             s->failure.code == ERR_OK ? "ok" : "warn", cJSON_GetArraySize(list_of(s, "dealers")),
             cJSON_GetArraySize(list_of(s, "invites")),
             s->failure.code == ERR_OK ? "" : "; the last change could not be stored");
  pthread_mutex_unlock(&s->lock);
}
