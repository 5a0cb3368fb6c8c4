/* The store of connected dealers: three lists in memory, and the place where they lie.
 *
 * Memory is what was read or stored last. Whoever takes the store takes the place too (place.h),
 * which hands over what other replicas changed; whoever gives it back changed puts the lists there
 * that differ from the texts stored last. What the place does not take is undone in memory.
 *
 * A server that stands still must not collect the threads of the rpcs, which answer for other
 * dealers as well: while one waits for it, the others give up (store_enter()). What /readyz and the
 * keyring want to know is kept apart, so that they never wait. */
#include "auth-svc/connect/store.h"

#include <stdlib.h>
#include <string.h>

#include "auth-svc/connect/store_internal.h"
#include "auth-svc/connect/value.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

enum { INVITES, SESSIONS, DEALERS, HANGS_MS = 1500, LOOK_MS = 100 };

/* ------------------------------------------------------------------- what is known */

static cJSON *list_of(const struct connect_store *s, size_t i)
{
  return cJSON_GetObjectItemCaseSensitive(s->root, connect_list_names[i]);
}

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

/* After every change of the lists, with the store taken. */
static void note_lists(struct connect_store *s, bool other_dealers)
{
  struct key_use use = {0};
  value_each_secret(s->root, count_key, &use, NULL);
  pthread_mutex_lock(&s->known_lock);
  s->known.dealers = cJSON_GetArraySize(list_of(s, DEALERS));
  s->known.invites = cJSON_GetArraySize(list_of(s, INVITES));
  s->known.version += other_dealers;
  s->known.use = use;
  pthread_mutex_unlock(&s->known_lock);
}

void store_note(struct connect_store *s, const struct err *failure)
{
  pthread_mutex_lock(&s->known_lock);
  bool was_well = s->known.failure.code == ERR_OK, well = failure->code == ERR_OK;
  s->known.failure = *failure;
  s->known.read = s->known.read || well;
  pthread_mutex_unlock(&s->known_lock);
  if (was_well && !well)
    log_error("the connected dealers cannot be read or stored; what is known of them stays in use",
              LOG_S("error", failure->message));
  else if (!was_well && well)
    log_info("the connected dealers can be read and stored again");
}

static struct store_known known(struct connect_store *s)
{
  pthread_mutex_lock(&s->known_lock);
  struct store_known k = s->known;
  pthread_mutex_unlock(&s->known_lock);
  return k;
}

/* --------------------------------------------------------------------------- taking */

bool store_enter(struct connect_store *s, bool gives_up)
{
  bool ok = true;
  pthread_mutex_lock(&s->gate);
  while (s->entered && ok) {
    int64_t now = clock_mono_ms();
    ok = !gives_up || !s->place->shared || now - s->since_ms <= HANGS_MS;
    if (ok)
      wait_until(&s->left, &s->gate, now + LOOK_MS);
  }
  if (ok) {
    s->entered = true;
    s->since_ms = clock_mono_ms();
  }
  pthread_mutex_unlock(&s->gate);
  return ok;
}

void store_leave(struct connect_store *s)
{
  pthread_mutex_lock(&s->gate);
  s->entered = false;
  pthread_cond_signal(&s->left);
  pthread_mutex_unlock(&s->gate);
}

/* False when one of them is not a list. */
static bool parse(cJSON *lists[CONNECT_LISTS], const struct connect_texts *texts)
{
  const struct json_limits limits = {.max_bytes = CONNECT_FILE_MAX};
  for (size_t i = 0; i < CONNECT_LISTS; i++) {
    const char *text = texts->list[i];
    if (text != NULL && (json_parse(&lists[i], text, strlen(text), &limits, NULL) != ERR_OK ||
                         !cJSON_IsArray(lists[i])))
      return false;
  }
  return true;
}

/* Takes the list and its text. */
static void set_list(struct connect_store *s, size_t i, cJSON *list, char *text)
{
  cJSON_ReplaceItemInObjectCaseSensitive(s->root, connect_list_names[i], list);
  free(s->stored.list[i]);
  s->stored.list[i] = text;
}

enum err_code store_work_in(struct connect_store *s, struct connect_texts *news, struct err *e)
{
  cJSON *lists[CONNECT_LISTS] = {0};
  bool any = false, ok = parse(lists, news), other_dealers = ok && lists[DEALERS] != NULL;
  for (size_t i = 0; i < CONNECT_LISTS; i++) {
    any = any || lists[i] != NULL;
    if (ok && lists[i] != NULL)
      set_list(s, i, lists[i], TAKE_PTR(news->list[i]));
    else
      cJSON_Delete(lists[i]);
  }
  connect_texts_free(news);
  if (ok && any)
    note_lists(s, other_dealers);
  if (ok)
    return ERR_OK;
  s->place->forget(s->place);
  return err_set(e, ERR_DATA_LOSS, "state_damaged",
                 "the lists of connected dealers are damaged; put a copy of them back");
}

static void drop_expired(cJSON *list, int64_t now_s)
{
  for (cJSON *item = list->child, *next; item != NULL; item = next) {
    next = item->next;
    if (value_number(item, "expires_s") <= now_s)
      cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
  }
}

static void put_lists(struct connect_store *s, struct connect_lists *out, int64_t now_ms)
{
  *out = (struct connect_lists){.invites = list_of(s, INVITES),
                                .sessions = list_of(s, SESSIONS),
                                .dealers = list_of(s, DEALERS),
                                .ring = s->ring,
                                .now_s = now_ms / 1000};
  drop_expired(out->invites, out->now_s);
  drop_expired(out->sessions, out->now_s);
}

enum err_code connect_store_begin(struct connect_store *s, struct connect_lists *out, struct err *e)
{
  struct connect_texts news = {0};
  struct err failure = {0};
  int64_t now_ms = clock_unix_ms();
  if (!store_enter(s, true))
    return err_set(e, ERR_UNAVAILABLE, "state_unavailable",
                   "the store of connected dealers (DATABASE_URL) does not answer");
  enum err_code code = s->place->take(s->place, &news, &now_ms, &failure);
  if (code == ERR_OK && (code = store_work_in(s, &news, &failure)) != ERR_OK)
    s->place->give_back(s->place);
  if (code == ERR_OK) {
    put_lists(s, out, s->unix_ms != NULL ? s->unix_ms() : now_ms);
    return ERR_OK;
  }
  store_note(s, &failure);
  store_leave(s);
  if (e != NULL)
    *e = failure;
  return code;
}

/* ---------------------------------------------------------------------- giving back */

void store_take_back(struct connect_store *s)
{
  for (size_t i = 0; i < CONNECT_LISTS; i++) {
    const char *text = s->stored.list[i];
    cJSON_ReplaceItemInObjectCaseSensitive(s->root, connect_list_names[i],
                                           text != NULL ? cJSON_Parse(text) : cJSON_CreateArray());
  }
}

/* The lists as texts, and which of them are not what is stored. */
static enum err_code print(const struct connect_store *s, struct connect_texts *texts,
                           bool changed[CONNECT_LISTS], struct err *e)
{
  for (size_t i = 0; i < CONNECT_LISTS; i++) {
    const char *before = s->stored.list[i] != NULL ? s->stored.list[i] : "[]";
    texts->list[i] = cJSON_PrintUnformatted(list_of(s, i));
    if (texts->list[i] == NULL)
      return err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full", "no memory for the lists");
    changed[i] = strcmp(before, texts->list[i]) != 0;
  }
  return ERR_OK;
}

enum err_code store_put(struct connect_store *s, struct err *e)
{
  struct connect_texts texts = {0};
  struct err failure = {0};
  bool changed[CONNECT_LISTS];
  enum err_code code = print(s, &texts, changed, &failure);
  if (code != ERR_OK)
    s->place->give_back(s->place);
  else
    code = s->place->put(s->place, &texts, changed, &failure);
  if (code == ERR_OK) {
    for (size_t i = 0; i < CONNECT_LISTS; i++)
      if (changed[i]) {
        free(s->stored.list[i]);
        s->stored.list[i] = TAKE_PTR(texts.list[i]);
      }
    note_lists(s, changed[DEALERS]);
  } else {
    store_take_back(s);
  }
  connect_texts_free(&texts);
  store_note(s, &failure);
  if (code != ERR_OK)
    *e = failure;
  return code;
}

enum err_code connect_store_end(struct connect_store *s, bool changed, struct err *e)
{
  struct err failure = {0};
  enum err_code code = ERR_OK;
  if (changed)
    code = store_put(s, &failure);
  else
    s->place->give_back(s->place);
  store_leave(s);
  if (code != ERR_OK && e != NULL)
    *e = failure;
  return code;
}

bool connect_store_is_shared(const struct connect_store *s)
{
  return s->place->shared;
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

uint64_t connect_store_dealers(struct connect_store *s, struct buf *out)
{
  if (s == NULL)
    return 0;
  store_enter(s, false);
  put_dealers(list_of(s, DEALERS), out);
  uint64_t version = known(s).version;
  store_leave(s);
  return version;
}

uint64_t connect_store_version(struct connect_store *s)
{
  return known(s).version;
}

static enum err_code peek_database(const char *url, struct connect_texts *out, struct err *e)
{
  struct connect_place *place = NULL;
  enum err_code code = connect_place_shared(&place, url, e);
  if (code == ERR_OK)
    code = place->look(place, out, e);
  if (place != NULL)
    place->close(place);
  return code;
}

enum err_code connect_store_peek(const struct connect_store_options *o, struct buf *out,
                                 struct err *e)
{
  struct connect_texts texts = {0};
  cJSON *lists[CONNECT_LISTS] = {0};
  enum err_code code = o->database_url != NULL ? peek_database(o->database_url, &texts, e)
                       : o->state_dir != NULL  ? connect_place_peek(o->state_dir, &texts, e)
                                               : ERR_NOT_FOUND;
  if (code == ERR_OK && parse(lists, &texts))
    put_dealers(lists[DEALERS], out);
  else if (code == ERR_OK)
    code = err_set(e, ERR_DATA_LOSS, "state_damaged", "the lists of connected dealers are damaged");
  for (size_t i = 0; i < CONNECT_LISTS; i++)
    cJSON_Delete(lists[i]);
  connect_texts_free(&texts);
  return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* -------------------------------------------------------------------------- opening */

/* Every secret must open now, not in the middle of somebody's consent. */
static enum err_code try_to_open(void *user, cJSON *object, const char *key,
                                 const struct keyring_record *place, struct err *e)
{
  AUTO_SECRET struct secret *ignored = NULL;
  if (value_open(&ignored, object, key, user, place, e) == ERR_OK)
    return ERR_OK;
  return err_prefix(e, "the connected dealers: %s of \"%s\" does not open: ", key, place->tenant);
}

/* A server that is away now is asked again by and by; what is wrong with what it has is not. */
static enum err_code read_first(struct connect_store *s, struct err *e)
{
  struct connect_texts news = {0};
  enum err_code code = s->place->look(s->place, &news, e);
  if (code == ERR_OK)
    code = store_work_in(s, &news, e);
  if (code == ERR_OK)
    code = value_each_secret(s->root, try_to_open, s->ring, e);
  store_note(s, code == ERR_OK ? &(struct err){0} : e);
  if (code != ERR_UNAVAILABLE || !s->place->shared)
    return code;
  *e = (struct err){0};
  return ERR_OK;
}

static struct connect_store *store_new(const struct connect_store_options *o)
{
  struct connect_store *s = xcalloc(1, sizeof(*s));
  pthread_mutex_init(&s->gate, NULL);
  wait_init(&s->left);
  pthread_mutex_init(&s->known_lock, NULL);
  pthread_mutex_init(&s->watch.lock, NULL);
  wait_init(&s->watch.wake);
  s->ring = keyring_ref(o->keyring);
  s->unix_ms = o->unix_ms;
  s->root = cJSON_CreateObject();
  for (size_t i = 0; i < CONNECT_LISTS; i++)
    cJSON_AddArrayToObject(s->root, connect_list_names[i]);
  return s;
}

enum err_code connect_store_open(struct connect_store **out, const struct connect_store_options *o,
                                 struct err *e)
{
  struct err local = {0};
  e = e != NULL ? e : &local;
  struct connect_store *s = store_new(o);
  enum err_code code = o->database_url != NULL ? connect_place_shared(&s->place, o->database_url, e)
                                               : connect_place_folder(&s->place, o->state_dir, e);
  if (code == ERR_OK)
    code = read_first(s, e);
  if (code == ERR_OK)
    *out = s;
  else
    connect_store_close(s);
  return code;
}

void connect_store_close(struct connect_store *s)
{
  if (s == NULL)
    return;
  connect_store_unwatch(s);
  if (s->place != NULL)
    s->place->close(s->place);
  cJSON_Delete(s->root);
  connect_texts_free(&s->stored);
  keyring_unref(s->ring);
  pthread_mutex_destroy(&s->gate);
  pthread_cond_destroy(&s->left);
  pthread_mutex_destroy(&s->known_lock);
  pthread_mutex_destroy(&s->watch.lock);
  pthread_cond_destroy(&s->watch.wake);
  free(s);
}

bool connect_store_is_well(struct connect_store *s)
{
  return known(s).failure.code == ERR_OK;
}

bool connect_store_ready(struct connect_store *s, struct buf *detail)
{
  const struct store_known k = known(s);
  const char *away = k.failure.code == ERR_OK ? ""
                     : s->place->shared       ? "; the database cannot be reached, the log says why"
                                              : "; the last change could not be stored";
  buf_printf(detail, "%s connect: %d dealers connected, %d links open%s\n",
             k.failure.code == ERR_OK ? "ok"
             : k.read                 ? "warn"
                                      : "fail",
             k.dealers, k.invites, away);
  return k.read;
}

void connect_store_key_use(struct connect_store *s, struct key_use *use)
{
  if (s == NULL)
    return;
  const struct store_known k = known(s);
  key_use_sum(use, &k.use);
}
