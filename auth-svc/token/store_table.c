/* Table of replaced refresh tokens, by account and the credential they replaced. */
#include "auth-svc/token/store_table.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { OUTDATED_S = 30 * 86400 };

static struct kept **bucket_of(struct store_table *t, const char *account_id)
{
  uint64_t h = 1469598103934665603u;
  for (const char *p = account_id; *p != '\0'; p++)
    h = (h ^ (unsigned char)*p) * 1099511628211u;
  return &t->buckets[h % STORE_BUCKETS];
}

struct kept *table_find(struct store_table *t, const char *account_id,
                        const uint8_t fingerprint[SHA256_SIZE])
{
  for (struct kept *k = *bucket_of(t, account_id); k != NULL; k = k->next)
    if (strcmp(k->account_id, account_id) == 0 &&
        memcmp(k->fingerprint, fingerprint, SHA256_SIZE) == 0)
      return k;
  return NULL;
}

struct kept *table_newest(struct store_table *t, const uint8_t fingerprint[SHA256_SIZE])
{
  struct kept *newest = NULL;
  for (size_t i = 0; i < STORE_BUCKETS; i++)
    for (struct kept *k = t->buckets[i]; k != NULL; k = k->next)
      if (memcmp(k->fingerprint, fingerprint, SHA256_SIZE) == 0 &&
          (newest == NULL || k->stored_s > newest->stored_s))
        newest = k;
  return newest;
}

void table_keep(struct store_table *t, const char *account_id,
                const uint8_t fingerprint[SHA256_SIZE], struct secret *token, int64_t stored_s)
{
  struct kept *k = table_find(t, account_id, fingerprint);
  if (k == NULL) {
    struct kept **b = bucket_of(t, account_id);
    k = xcalloc(1, sizeof(*k));
    k->account_id = xstrdup(account_id);
    memcpy(k->fingerprint, fingerprint, SHA256_SIZE);
    k->next = *b;
    *b = k;
    t->n++;
  }
  secret_ref(token);
  secret_unref(k->token);
  k->token = token;
  k->stored_s = stored_s;
}

static void kept_free(struct kept *k)
{
  secret_unref(k->token);
  free(k->account_id);
  free(k);
}

/* Another credential has been in use for the account for long. */
static bool is_outdated(const struct kept *k, const struct kept *chain, int64_t now_s)
{
  if (now_s - k->stored_s < OUTDATED_S)
    return false;
  for (; chain != NULL; chain = chain->next)
    if (chain != k && strcmp(chain->account_id, k->account_id) == 0 &&
        chain->stored_s > k->stored_s)
      return true;
  return false;
}

void table_drop_outdated(struct store_table *t)
{
  int64_t now_s = clock_unix_ms() / 1000;
  for (size_t i = 0; i < STORE_BUCKETS; i++)
    for (struct kept **p = &t->buckets[i]; *p != NULL;)
      if (is_outdated(*p, t->buckets[i], now_s)) {
        struct kept *k = *p;
        *p = k->next;
        kept_free(k);
        t->n--;
      } else {
        p = &(*p)->next;
      }
}

enum err_code table_each(const struct store_table *t,
                         enum err_code (*fn)(void *user, const struct kept *k, struct err *e),
                         void *user, struct err *e)
{
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < STORE_BUCKETS && code == ERR_OK; i++)
    for (const struct kept *k = t->buckets[i]; k != NULL && code == ERR_OK; k = k->next)
      code = fn(user, k, e);
  return code;
}

void table_clear(struct store_table *t)
{
  for (size_t i = 0; i < STORE_BUCKETS; i++)
    while (t->buckets[i] != NULL) {
      struct kept *k = t->buckets[i];
      t->buckets[i] = k->next;
      kept_free(k);
    }
  t->n = 0;
}
