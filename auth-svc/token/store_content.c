/* The token store's file, from and to bytes, sealed and opened on the way. */
#include "auth-svc/token/store_content.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

#define STORE_KIND "token-store/v1"

/* -------------------------------------------------------------------------- writing */

static enum err_code seal_value(struct buf *sealed, struct store_record *r, struct keyring *ring,
                                struct key_use *use, struct err *e)
{
  AUTO_BUF struct buf fingerprint = BUF_INIT((size_t)2 * SHA256_SIZE);
  hex_encode(&fingerprint, r->fingerprint, SHA256_SIZE);
  const struct keyring_record place = {r->account_id, STORE_KIND, buf_str(&fingerprint)};
  enum err_code code = keyring_seal(sealed, ring, &place, r->value, r->value_len, e);
  if (code != ERR_OK)
    return code;
  key_use_add(use, keyring_id(ring, 0));
  r->kind = STORE_SEALED;
  r->value = buf_str(sealed);
  r->value_len = sealed->len;
  return ERR_OK;
}

enum err_code content_add(struct buf *out, const struct kept *k, struct keyring *ring,
                          struct key_use *use, struct err *e)
{
  AUTO_WIPED_BUF struct buf sealed = BUF_INIT(TOKEN_STORE_MAX_VALUE);
  struct store_record r = {.kind = STORE_PLAIN,
                           .stored_s = k->stored_s,
                           .value = secret_text(k->token),
                           .value_len = secret_len(k->token)};
  enum err_code code = ERR_OK;
  if (strlen(k->account_id) > STORE_MAX_ACCOUNT)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_account", "an account_id is too long to be kept");
  memcpy(r.fingerprint, k->fingerprint, SHA256_SIZE);
  memcpy(r.account_id, k->account_id, strlen(k->account_id) + 1);
  if (ring != NULL)
    code = seal_value(&sealed, &r, ring, use, e);
  else
    use->plain++;
  if (code != ERR_OK)
    return code;
  return store_record_write(out, &r) ? ERR_OK
                                     : err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full",
                                               "AUTH_STATE_DIR: the file has reached its cap");
}

struct writing {
  struct buf *out;
  struct keyring *ring;
  struct key_use *use;
};

static enum err_code write_one(void *user, const struct kept *k, struct err *e)
{
  struct writing *w = user;
  return content_add(w->out, k, w->ring, w->use, e);
}

enum err_code content_write(struct buf *out, const struct store_table *table, struct keyring *ring,
                            struct key_use *use, struct err *e)
{
  struct writing w = {out, ring, use};
  buf_append(out, store_head, STORE_HEAD_SIZE);
  return table_each(table, write_one, &w, e);
}

/* -------------------------------------------------------------------------- reading */

static enum err_code open_value(const struct store_record *r, struct keyring *ring,
                                struct secret **out, struct err *e)
{
  AUTO_BUF struct buf fingerprint = BUF_INIT((size_t)2 * SHA256_SIZE);
  if (r->kind == STORE_PLAIN) {
    *out = secret_new(r->value, r->value_len);
    return ERR_OK;
  }
  if (ring == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "state_sealed",
                   "AUTH_STATE_DIR: the refresh token kept for account \"%s\" is sealed and there "
                   "is no key; give the keyring it was sealed with",
                   r->account_id);
  hex_encode(&fingerprint, r->fingerprint, SHA256_SIZE);
  const struct keyring_record place = {r->account_id, STORE_KIND, buf_str(&fingerprint)};
  if (keyring_open(out, ring, &place, r->value, r->value_len, e) == ERR_OK)
    return ERR_OK;
  err_prefix(e, "AUTH_STATE_DIR: the refresh token kept for account \"%s\" does not open: ",
             r->account_id);
  return e->code;
}

static void count(struct key_use *use, const struct store_record *r)
{
  if (r->kind == STORE_PLAIN)
    use->plain++;
  else
    key_use_add_sealed(use, r->value, r->value_len);
}

enum err_code content_read(struct content_found *out, struct store_table *table,
                           const struct buf *text, struct keyring *ring, struct err *e)
{
  const uint8_t *p = (const uint8_t *)text->data;
  bool lost = false;
  *out = (struct content_found){.good = STORE_HEAD_SIZE};
  for (size_t at = STORE_HEAD_SIZE; at < text->len;) {
    struct store_record r;
    size_t n = store_record_read(&r, p + at, text->len - at);
    if (n == 0) {
      lost = true;
      at++;
      continue;
    }
    out->damage += lost;
    lost = false;
    AUTO_SECRET struct secret *token = NULL;
    enum err_code code = open_value(&r, ring, &token, e);
    if (code != ERR_OK)
      return code;
    table_keep(table, r.account_id, r.fingerprint, token, r.stored_s);
    count(&out->use, &r);
    out->good = at += n;
  }
  return ERR_OK;
}
