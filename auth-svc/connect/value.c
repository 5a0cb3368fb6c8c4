/* Members of the store's objects. */
#include "auth-svc/connect/value.h"

#include <openssl/crypto.h>
#include <string.h>

#include "auth-svc/dealers/sealed.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#define SESSION_KIND "connect-session/v1"

void connect_token_make(char out[CONNECT_TOKEN_TEXT + 1])
{
  uint8_t bytes[32];
  AUTO_BUF struct buf text = BUF_SECRET(CONNECT_TOKEN_TEXT + 1);
  random_fill(bytes, sizeof(bytes));
  base64url_encode(&text, bytes, sizeof(bytes));
  memcpy(out, buf_str(&text), CONNECT_TOKEN_TEXT + 1);
  mem_wipe(bytes, sizeof(bytes));
}

cJSON *connect_find_text(const cJSON *list, const char *key, const char *text)
{
  cJSON *item;
  cJSON_ArrayForEach(item, list)
  {
    if (strcmp(value_text(item, key), text) == 0)
      return item;
  }
  return NULL;
}

/* The digests are compared in constant time, although who knows one knows no token. */
cJSON *connect_find(const cJSON *list, const char *token)
{
  char hash[SHA256_HEX_SIZE];
  cJSON *item, *found = NULL;
  if (strlen(token) != CONNECT_TOKEN_TEXT)
    return NULL;
  sha256_hex(token, CONNECT_TOKEN_TEXT, hash);
  cJSON_ArrayForEach(item, list)
  {
    const char *own = value_text(item, "hash");
    if (strlen(own) == SHA256_HEX_SIZE - 1 && CRYPTO_memcmp(own, hash, SHA256_HEX_SIZE - 1) == 0)
      found = item;
  }
  return found;
}

static void set(cJSON *object, const char *key, cJSON *value)
{
  if (cJSON_HasObjectItem(object, key))
    cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
  else
    cJSON_AddItemToObject(object, key, value);
}

void value_set_text(cJSON *object, const char *key, const char *text)
{
  if (text == NULL)
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
  else
    set(object, key, cJSON_CreateString(text));
}

void value_set_number(cJSON *object, const char *key, int64_t n)
{
  set(object, key, cJSON_CreateNumber((double)n));
}

const char *value_text(const cJSON *object, const char *key)
{
  const char *text = json_get_string(object, key);
  return text != NULL ? text : "";
}

int64_t value_number(const cJSON *object, const char *key)
{
  double n = json_get_number(object, key, 0);
  return n >= -1e15 && n <= 1e15 ? (int64_t)n : 0;
}

/* ------------------------------------------------------------------------- secrets */

enum err_code value_seal(cJSON *object, const char *key, struct keyring *ring,
                         const struct keyring_record *place, const char *text, struct err *e)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_TEXT_MAX);
  enum err_code code = keyring_seal(&sealed, ring, place, text, strlen(text), e);
  if (code != ERR_OK)
    return code;
  cJSON *value = cJSON_CreateObject();
  cJSON_AddStringToObject(value, "sealed", buf_str(&sealed));
  set(object, key, value);
  return ERR_OK;
}

enum err_code value_open(struct secret **out, const cJSON *object, const char *key,
                         const struct keyring *ring, const struct keyring_record *place,
                         struct err *e)
{
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
  const char *sealed = json_get_string(value, "sealed");
  if (sealed == NULL)
    return err_set(e, ERR_DATA_LOSS, "state_damaged", "the connected dealers: %s of \"%s\" is missing",
                   key, place->tenant);
  return keyring_open(out, ring, place, sealed, strlen(sealed), e);
}

struct keyring_record value_place_of_session(const cJSON *session, const char *key)
{
  return (struct keyring_record){value_text(session, "hash"), SESSION_KIND, key};
}

/* As a dealers file has it, so that an entry can stand in either. */
struct keyring_record value_place_of_dealer(const cJSON *dealer, const char *path)
{
  return (struct keyring_record){value_text(dealer, "dealer_id"), SEALED_FILE_KIND, path};
}

static enum err_code visit_session(cJSON *session, value_visit *visit, void *user, struct err *e)
{
  static const char *const keys[] = {"verifier", "refresh_token"};
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    const struct keyring_record place = value_place_of_session(session, keys[i]);
    if (cJSON_HasObjectItem(session, keys[i]) && visit(user, session, keys[i], &place, e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}

static enum err_code visit_dealer(const cJSON *item, value_visit *visit, void *user, struct err *e)
{
  static const char *const keys[][2] = {{"client_id", "oauth.client_id"},
                                        {"client_secret", "oauth.client_secret"},
                                        {"refresh_token", "oauth.refresh_token"}};
  const cJSON *dealer = cJSON_GetObjectItemCaseSensitive(item, "dealer");
  cJSON *oauth = cJSON_GetObjectItemCaseSensitive(dealer, "oauth");
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    const struct keyring_record place = value_place_of_dealer(dealer, keys[i][1]);
    if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(oauth, keys[i][0])) &&
        visit(user, oauth, keys[i][0], &place, e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}

enum err_code value_each_secret(cJSON *root, value_visit *visit, void *user, struct err *e)
{
  struct err local;
  cJSON *item;
  e = e != NULL ? e : &local;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "sessions"))
  {
    if (visit_session(item, visit, user, e) != ERR_OK)
      return e->code;
  }
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "dealers"))
  {
    if (visit_dealer(item, visit, user, e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}
