/* A new keyring takes over in the store of connected dealers. */
#include <string.h>

#include "auth-svc/connect/store_internal.h"
#include "auth-svc/connect/value.h"
#include "common/base/json.h"
#include "common/base/log.h"

enum err_code connect_store_check_keyring(struct connect_store *s, const struct keyring *next,
                                          struct err *e)
{
  struct key_use use = {0};
  connect_store_key_use(s, &use);
  const char *missing = key_use_missing(&use, next);
  return missing == NULL ? ERR_OK
                         : err_set(e, ERR_FAILED_PRECONDITION, "key_in_use",
                                   "the connected dealers in %s are sealed with \"%s\"",
                                   s->place->shared ? "DATABASE_URL" : "AUTH_STATE_DIR", missing);
}

/* What the first key has sealed stays: of replicas that get a new ring one seals, the others find
 * it done. */
static enum err_code seal_one(void *user, cJSON *object, const char *key,
                              const struct keyring_record *place, struct err *e)
{
  struct keyring *ring = user;
  char id[KEYRING_ID_MAX + 1] = "";
  AUTO_SECRET struct secret *plain = NULL;
  const char *sealed = json_get_string(cJSON_GetObjectItemCaseSensitive(object, key), "sealed");
  if (sealed != NULL && keyring_id_of(sealed, strlen(sealed), id) &&
      strcmp(id, keyring_id(ring, 0)) == 0)
    return ERR_OK;
  enum err_code code = value_open(&plain, object, key, ring, place, e);
  return code == ERR_OK ? value_seal(object, key, ring, place, secret_text(plain), e) : code;
}

enum err_code store_seal_again(struct connect_store *s, struct err *e)
{
  enum err_code code = value_each_secret(s->root, seal_one, s->ring, e);
  if (code != ERR_OK) {
    store_take_back(s); /* some are sealed again in memory, and none is stored */
    s->place->give_back(s->place);
  } else {
    code = store_put(s, e);
  }
  s->owes_sealing = code != ERR_OK;
  if (code != ERR_OK)
    log_error("the connected dealers stay sealed with the key before", LOG_S("error", e->message));
  return code;
}

static void use_ring(struct connect_store *s, struct keyring *next)
{
  struct keyring *old = s->ring;
  s->owes_sealing = s->owes_sealing || strcmp(keyring_id(old, 0), keyring_id(next, 0)) != 0;
  s->ring = keyring_ref(next);
  keyring_unref(old);
}

/* Where the store cannot be taken, the ring changes nevertheless, and the sealing is owed. */
void connect_store_set_keyring(struct connect_store *s, struct keyring *next)
{
  struct connect_texts news = {0};
  struct err e = {0};
  int64_t now_ms;
  store_enter(s, false);
  use_ring(s, next);
  enum err_code code = s->owes_sealing ? s->place->take(s->place, &news, &now_ms, &e) : ERR_OK;
  if (s->owes_sealing && code == ERR_OK) {
    code = store_work_in(s, &news, &e);
    if (code == ERR_OK)
      store_seal_again(s, &e);
    else
      s->place->give_back(s->place);
  }
  if (code != ERR_OK)
    store_note(s, &e);
  store_leave(s);
}
