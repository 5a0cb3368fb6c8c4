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

static int order(const struct kept *k, const char *account_id, const uint8_t *fingerprint)
{
  int by_account = strcmp(k->account_id, account_id);
  return by_account != 0 ? by_account : memcmp(k->fingerprint, fingerprint, SHA256_SIZE);
}

/* Of the first that does not stand before it. */
static size_t place_of(const struct store_table *t, const char *account_id,
                       const uint8_t *fingerprint)
{
  size_t low = 0, high = t->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (order(&t->items[middle], account_id, fingerprint) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool is_at(const struct store_table *t, size_t i, const char *account_id,
                  const uint8_t *fingerprint)
{
  return i < t->n && order(&t->items[i], account_id, fingerprint) == 0;
}

const struct kept *kept_find(const struct store_table *t, const char *account_id,
                             const uint8_t fingerprint[SHA256_SIZE])
{
  size_t i = place_of(t, account_id, fingerprint);
  return is_at(t, i, account_id, fingerprint) ? &t->items[i] : NULL;
}

const struct kept *kept_newest(const struct store_table *t, const uint8_t fingerprint[SHA256_SIZE])
{
  const struct kept *newest = NULL;
  for (size_t i = 0; i < t->n; i++)
    if (memcmp(t->items[i].fingerprint, fingerprint, SHA256_SIZE) == 0 &&
        (newest == NULL || t->items[i].stored_s > newest->stored_s))
      newest = &t->items[i];
  return newest;
}

static struct kept *make_room(struct store_table *t, size_t i)
{
  if (t->n == t->capacity) {
    t->capacity = t->capacity == 0 ? 16 : 2 * t->capacity;
    t->items = xrealloc(t->items, t->capacity * sizeof(*t->items));
  }
  memmove(&t->items[i + 1], &t->items[i], (t->n++ - i) * sizeof(*t->items));
  t->items[i] = (struct kept){0};
  return &t->items[i];
}

void kept_put(struct store_table *t, const char *account_id, const uint8_t fingerprint[SHA256_SIZE],
              struct secret *token, int64_t stored_s)
{
  size_t i = place_of(t, account_id, fingerprint);
  struct kept *k;
  if (is_at(t, i, account_id, fingerprint)) {
    k = &t->items[i];
  } else {
    k = make_room(t, i);
    k->account_id = xstrdup(account_id);
    memcpy(k->fingerprint, fingerprint, SHA256_SIZE);
  }
  secret_ref(token);
  secret_unref(k->token);
  free(TAKE_PTR(k->sealed));
  k->token = token;
  k->stored_s = stored_s;
}

static void clear_one(struct kept *k)
{
  secret_unref(k->token);
  free(k->account_id);
  free(k->sealed);
}

/* Neighbours of one account stand side by side. */
static bool has_newer(const struct store_table *t, size_t i)
{
  const struct kept *k = &t->items[i];
  size_t from = i, to = i + 1;
  while (from > 0 && strcmp(t->items[from - 1].account_id, k->account_id) == 0)
    from--;
  for (; to < t->n && strcmp(t->items[to].account_id, k->account_id) == 0; to++)
    ;
  for (; from < to; from++)
    if (t->items[from].stored_s > k->stored_s)
      return true;
  return false;
}

void kept_drop_outdated(struct store_table *t, int64_t now_s)
{
  for (size_t i = t->n; i-- > 0;)
    if (now_s - t->items[i].stored_s >= OUTDATED_S && has_newer(t, i)) {
      clear_one(&t->items[i]);
      memmove(&t->items[i], &t->items[i + 1], (--t->n - i) * sizeof(*t->items));
    }
}

void kept_clear(struct store_table *t)
{
  for (size_t i = 0; i < t->n; i++)
    clear_one(&t->items[i]);
  free(t->items);
  *t = (struct store_table){0};
}

/* -------------------------------------------------------------------------- writing */

static enum err_code seal(struct kept *k, struct keyring *ring, const char *fingerprint,
                          struct err *e)
{
  char id[KEYRING_ID_MAX + 1] = "";
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_TEXT_MAX);
  const struct keyring_record record = {k->account_id, STORE_KIND, fingerprint};
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
  hex_write(fingerprint, k->fingerprint, SHA256_SIZE);
  buf_puts(out, "{\"account_id\":");
  buf_put_json_string(out, k->account_id, strlen(k->account_id));
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

enum err_code content_write(struct buf *out, struct store_table *t, struct keyring *ring,
                            struct key_use *use, struct err *e)
{
  char head[HEAD_LEN + 1] = {0};
  *use = (struct key_use){0};
  buf_append(out, head, HEAD_LEN);
  buf_puts(out, "{\"tokens\":[");
  for (size_t i = 0; i < t->n; i++) {
    buf_puts(out, i == 0 ? "\n" : ",\n");
    enum err_code code = write_one(out, &t->items[i], ring, use, e);
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

static enum err_code read_one(struct store_table *t, struct key_use *use, const cJSON *item,
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
  kept_put(t, account_id, fingerprint, token, (int64_t)stored_s);
  if (sealed != NULL) {
    t->items[place_of(t, account_id, fingerprint)].sealed = xstrdup(sealed);
    key_use_add_sealed(use, sealed, strlen(sealed));
  } else {
    use->plain++;
  }
  return ERR_OK;
}

enum err_code content_read(struct store_table *t, struct key_use *use, const struct buf *text,
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
