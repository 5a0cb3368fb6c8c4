/* What the token store keeps: the table, and the text of its file. */
#include "auth-svc/token/store_content.h"

#include <string.h>

#include "auth-svc/secret/json.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define STORE_KIND "token-store/v1"
#define HEAD "amcp-tokens v2 "
enum { OUTDATED_S = 30 * 86400, HEAD_LEN = sizeof(HEAD) - 1 + 2 * SHA256_SIZE + 1 };

/* ------------------------------------------------------------------------ the table */

static void drop(void *user, void *value)
{
  struct kept *k = value;
  (void)user;
  secret_unref(k->token);
  free(k->sealed);
}

void kept_init(struct table *t)
{
  table_init(t, sizeof(struct kept), SIZE_MAX, drop, NULL);
}

/* The fingerprint, and the account behind it. */
static struct buf key_of(const char *account_id, const uint8_t fingerprint[SHA256_SIZE])
{
  struct buf key = BUF_INIT(STORE_FILE_MAX);
  buf_append(&key, fingerprint, SHA256_SIZE);
  buf_puts(&key, account_id);
  return key;
}

static const uint8_t *fingerprint_of(const struct kept *k)
{
  return table_key(k);
}

static const char *account_of(const struct kept *k)
{
  return (const char *)table_key(k) + SHA256_SIZE;
}

const struct kept *kept_find(const struct table *t, const char *account_id,
                             const uint8_t fingerprint[SHA256_SIZE])
{
  AUTO_BUF struct buf key = key_of(account_id, fingerprint);
  return table_peek(t, key.data, key.len, 0);
}

const struct kept *kept_newest(const struct table *t, const uint8_t fingerprint[SHA256_SIZE])
{
  const struct kept *newest = NULL;
  for (const struct kept *k = table_newest(t); k != NULL; k = table_older(k))
    if (memcmp(fingerprint_of(k), fingerprint, SHA256_SIZE) == 0 &&
        (newest == NULL || k->stored_s > newest->stored_s))
      newest = k;
  return newest;
}

struct kept *kept_put(struct table *t, const char *account_id,
                      const uint8_t fingerprint[SHA256_SIZE], struct secret *token,
                      int64_t stored_s)
{
  AUTO_BUF struct buf key = key_of(account_id, fingerprint);
  secret_ref(token);
  struct kept *k = table_put(t, key.data, key.len, 1, INT64_MAX);
  *k = (struct kept){.token = token, .stored_s = stored_s};
  return k;
}

void kept_drop_outdated(struct table *t, int64_t now_s)
{
  CLEANUP(table_free) struct table last; /* when a token of each account was stored last */
  table_init(&last, sizeof(int64_t), SIZE_MAX, NULL, NULL);
  for (const struct kept *k = table_newest(t); k != NULL; k = table_older(k)) {
    int64_t *stored_s = table_make(&last, TABLE_TEXT(account_of(k)));
    *stored_s = k->stored_s > *stored_s ? k->stored_s : *stored_s;
  }
  for (struct kept *k = table_newest(t), *older; k != NULL; k = older) {
    const int64_t *stored_s = table_peek(&last, TABLE_TEXT(account_of(k)), 0);
    older = table_older(k);
    if (now_s - k->stored_s >= OUTDATED_S && *stored_s > k->stored_s)
      table_remove(t, k);
  }
}

/* -------------------------------------------------------------------------- writing */

static enum err_code seal(struct kept *k, struct keyring *ring, const char *fingerprint,
                          struct err *e)
{
  char id[KEYRING_ID_MAX + 1] = "";
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_TEXT_MAX);
  const struct keyring_record record = {account_of(k), STORE_KIND, fingerprint};
  if (k->sealed != NULL && keyring_id_of(k->sealed, strlen(k->sealed), id) &&
      strcmp(id, keyring_id(ring, 0)) == 0)
    return ERR_OK;
  if (keyring_seal(&sealed, ring, &record, secret_text(k->token), secret_len(k->token), e) !=
      ERR_OK)
    return e->code;
  free(k->sealed);
  k->sealed = buf_take(&sealed, NULL);
  return ERR_OK;
}

static enum err_code write_one(struct buf *out, struct kept *k, struct keyring *ring,
                               struct key_use *use, struct err *e)
{
  char fingerprint[2 * SHA256_SIZE + 1];
  hex_write(fingerprint, fingerprint_of(k), SHA256_SIZE);
  buf_puts(out, "{\"account_id\":");
  buf_put_json_string(out, account_of(k), strlen(account_of(k)));
  buf_printf(out, ",\"fingerprint\":\"%s\",\"stored_s\":%lld,", fingerprint,
             (long long)k->stored_s);
  if (ring == NULL) {
    use->plain++;
    buf_puts(out, "\"token\":");
    buf_put_json_string(out, secret_text(k->token), secret_len(k->token));
  } else {
    if (seal(k, ring, fingerprint, e) != ERR_OK)
      return e->code;
    key_use_add(use, keyring_id(ring, 0));
    buf_printf(out, "\"sealed\":\"%s\"", k->sealed);
  }
  buf_putc(out, '}');
  return ERR_OK;
}

/* The first line, as it must be for what follows it. */
static void head_of(const struct buf *text, char head[HEAD_LEN + 1])
{
  uint8_t digest[SHA256_SIZE];
  memcpy(head, HEAD, sizeof(HEAD));
  sha256_of(text->data + HEAD_LEN, text->len - HEAD_LEN, digest);
  hex_write(head + sizeof(HEAD) - 1, digest, sizeof(digest));
  memcpy(head + HEAD_LEN - 1, "\n", 2);
}

enum err_code content_write(struct buf *out, struct table *t, struct keyring *ring,
                            struct key_use *use, struct err *e)
{
  char head[HEAD_LEN + 1] = {0};
  *use = (struct key_use){0};
  buf_append(out, head, HEAD_LEN);
  buf_puts(out, "{\"tokens\":[");
  for (struct kept *k = table_newest(t), *first = k; k != NULL; k = table_older(k)) {
    buf_puts(out, k == first ? "\n" : ",\n");
    enum err_code code = write_one(out, k, ring, use, e);
    if (code != ERR_OK)
      return code;
  }
  if (!buf_puts(out, "\n]}\n"))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full",
                   "AUTH_STATE_DIR: the file has reached its cap");
  head_of(out, head);
  memcpy(out->data, head, HEAD_LEN);
  return ERR_OK;
}

/* -------------------------------------------------------------------------- reading */

bool content_is_whole(const struct buf *text)
{
  char head[HEAD_LEN + 1];
  if (text->len <= HEAD_LEN)
    return false;
  head_of(text, head);
  return memcmp(text->data, head, HEAD_LEN) == 0;
}

static enum err_code open_sealed(struct secret **out, const char *account_id,
                                 const char *fingerprint, const char *sealed, struct keyring *ring,
                                 struct err *e)
{
  const struct keyring_record record = {account_id, STORE_KIND, fingerprint};
  if (ring == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "state_sealed",
                   "AUTH_STATE_DIR: the refresh token kept for account \"%s\" is sealed, and "
                   "its key is missing; give the keyring it was sealed with",
                   account_id);
  if (keyring_open(out, ring, &record, sealed, strlen(sealed), e) == ERR_OK)
    return ERR_OK;
  err_prefix(
      e, "AUTH_STATE_DIR: the refresh token kept for account \"%s\" does not open: ", account_id);
  return e->code;
}

static enum err_code damaged(struct err *e)
{
  return err_set(e, ERR_DATA_LOSS, "state_damaged",
                 "is damaged, or not a file of this version of auth-svc");
}

static enum err_code read_one(struct table *t, struct key_use *use, const cJSON *item,
                              struct keyring *ring, struct err *e)
{
  const char *account_id = json_get_string(item, "account_id");
  const char *hex = json_get_string(item, "fingerprint");
  const char *sealed = json_get_string(item, "sealed"), *plain = json_get_string(item, "token");
  double stored_s = json_get_number(item, "stored_s", -1);
  uint8_t fingerprint[SHA256_SIZE];
  AUTO_SECRET struct secret *token = NULL;
  if (account_id == NULL || hex == NULL || !hex_read(fingerprint, SHA256_SIZE, hex, strlen(hex)) ||
      (sealed == NULL) == (plain == NULL) || !(stored_s >= 0 && stored_s <= 1e15))
    return damaged(e);
  if (plain != NULL)
    token = secret_from(plain);
  else if (open_sealed(&token, account_id, hex, sealed, ring, e) != ERR_OK)
    return e->code;
  struct kept *k = kept_put(t, account_id, fingerprint, token, (int64_t)stored_s);
  if (sealed != NULL) {
    k->sealed = xstrdup(sealed);
    key_use_add_sealed(use, sealed, strlen(sealed));
  } else {
    use->plain++;
  }
  return ERR_OK;
}

enum err_code content_read(struct table *t, struct key_use *use, const struct buf *text,
                           struct keyring *ring, struct err *e)
{
  const struct json_limits limits = {.max_bytes = STORE_FILE_MAX};
  AUTO_WIPED_JSON cJSON *root = NULL;
  *use = (struct key_use){0};
  if (!content_is_whole(text) ||
      json_parse(&root, text->data + HEAD_LEN, text->len - HEAD_LEN, &limits, NULL) != ERR_OK)
    return damaged(e);
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "tokens");
  if (!cJSON_IsArray(list))
    return damaged(e);
  for (const cJSON *item = list->child; item != NULL; item = item->next) {
    enum err_code code = read_one(t, use, item, ring, e);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}
