/* Snapshot of the configuration and the slot that holds the current one. */
#include "auth-svc/config/snapshot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct snapshot_slot {
  pthread_mutex_t lock;
  struct snapshot *current;
};

enum { UNKNOWN_NAMES_MAX = 2048 };

/* A dealer's place among those sorted by credential. */
struct by_credential {
  const uint8_t *fingerprint;
  size_t index;
};

static int compare_credentials(const void *a, const void *b)
{
  const struct by_credential *x = a, *y = b;
  int order = memcmp(x->fingerprint, y->fingerprint, SHA256_SIZE);
  return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* The first of those with the same credential, for each. */
static size_t *find_token_dealers(struct credential *const *credentials, size_t n)
{
  size_t *out = xcalloc(n + 1, sizeof(*out));
  AUTO_FREE struct by_credential *sorted = xcalloc(n + 1, sizeof(*sorted));
  size_t n_sorted = 0;
  for (size_t i = 0; i < n; i++) {
    out[i] = i;
    if (credentials[i] != NULL) /* else there are faults, and the snapshot is not used */
      sorted[n_sorted++] = (struct by_credential){credentials[i]->fingerprint, i};
  }
  qsort(sorted, n_sorted, sizeof(*sorted), compare_credentials);
  for (size_t i = 0; i < n_sorted; i++) {
    bool same = i > 0 && memcmp(sorted[i].fingerprint, sorted[i - 1].fingerprint, SHA256_SIZE) == 0;
    out[sorted[i].index] = same ? out[sorted[i - 1].index] : sorted[i].index;
  }
  return out;
}

struct snapshot *snapshot_new(struct directory *directory, struct credential **credentials,
                              struct credential *adc)
{
  struct snapshot *s = xcalloc(1, sizeof(*s));
  atomic_init(&s->refs, 1);
  s->directory = directory;
  s->credentials = credentials;
  s->adc = adc;
  s->token_dealer = find_token_dealers(credentials, directory->n_dealers);
  return s;
}

enum err_code snapshot_parse(struct snapshot **out, const char *name, const char *text, size_t len,
                             const struct dealers_options *options, struct err *e)
{
  struct dealers_content content;
  enum err_code code = text == NULL
                           ? dealers_file_load(&content, name, options, e)
                           : dealers_file_read(&content, name, text, len, options, NULL, e);
  *out = code == ERR_OK ? snapshot_new(content.directory, content.credentials, NULL) : NULL;
  if (code == ERR_OK)
    (*out)->sealed_with = content.sealed_with;
  return code;
}

enum err_code snapshot_load(struct snapshot **out, const char *path,
                            const struct dealers_options *options, struct err *e)
{
  return snapshot_parse(out, path, NULL, 0, options, e);
}

static void find_unknown_names(struct snapshot *s)
{
  AUTO_BUF struct buf text = BUF_INIT(UNKNOWN_NAMES_MAX);
  AUTO_BUF struct buf rules = BUF_INIT(UNKNOWN_NAMES_MAX);
  s->n_unknown_names = policies_unknown_names(s->trust.policies, s->directory, &text);
  s->n_unknown_names += issuers_unknown_names(s->trust.issuers, s->directory, &rules);
  if (text.len > 0 && rules.len > 0)
    buf_puts(&text, ", ");
  buf_puts(&text, buf_str(&rules));
  s->unknown_names = s->n_unknown_names > 0 ? xstrdup(buf_str(&text)) : NULL;
}

void snapshot_trust(struct snapshot *s, const struct trust *t)
{
  s->trust.sealer = sealer_ref(t->sealer);
  s->trust.jwt_keys = t->jwt_keys != NULL ? jwt_keys_ref(t->jwt_keys) : jwt_keys_new();
  s->trust.policies = t->policies != NULL ? policies_ref(t->policies) : policies_none();
  s->trust.issuers = t->issuers != NULL ? issuers_ref(t->issuers) : issuers_none();
  s->peers = peers_new(s->directory, t->sealer);
  find_unknown_names(s);
}

void snapshot_stamp(struct snapshot *s, uint64_t generation)
{
  for (size_t i = 0; i < s->directory->n_dealers; i++)
    s->credentials[i]->generation = generation;
  if (s->adc != NULL)
    s->adc->generation = generation;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

void snapshot_unref(struct snapshot *s)
{
  if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < s->directory->n_dealers; i++)
    credential_unref(s->credentials[i]);
  free(s->credentials);
  free(s->token_dealer);
  credential_unref(s->adc);
  peers_free(s->peers);
  trust_clear(&s->trust);
  free(s->unknown_names);
  directory_free(s->directory);
  free(s);
}

size_t snapshot_accounts(const struct snapshot *s)
{
  return s->directory->n_dealers + (s->adc != NULL ? 1 : 0);
}

struct credential *snapshot_find_credential(const struct snapshot *s, const char *account_id)
{
  const struct dealer *d = directory_by_account(s->directory, account_id);
  if (d != NULL)
    return snapshot_credential(s, d);
  return s->adc != NULL && strcmp(account_id, ADC_ACCOUNT_ID) == 0 ? s->adc : NULL;
}

struct credential *snapshot_credential(const struct snapshot *s, const struct dealer *dealer)
{
  return s->credentials[dealer->index];
}

struct token_key snapshot_token_key(const struct snapshot *s, const char *account_id)
{
  const struct dealer *d = directory_by_account(s->directory, account_id);
  if (d == NULL)
    return (struct token_key){account_id, snapshot_find_credential(s, account_id)};
  size_t first = s->token_dealer[d->index];
  return (struct token_key){s->directory->dealers[first].account_id, s->credentials[first]};
}

struct credential *snapshot_token_credential(const struct snapshot *s, const char *account_id)
{
  const struct dealer *d = directory_by_account(s->directory, account_id);
  bool another = d != NULL && s->token_dealer[d->index] != d->index;
  return another ? NULL : snapshot_find_credential(s, account_id);
}

struct snapshot_slot *snapshot_slot_new(struct snapshot *first)
{
  struct snapshot_slot *slot = xcalloc(1, sizeof(*slot));
  pthread_mutex_init(&slot->lock, NULL);
  slot->current = first;
  first->number = 1;
  return slot;
}

void snapshot_slot_free(struct snapshot_slot *slot)
{
  if (slot == NULL)
    return;
  snapshot_unref(slot->current);
  pthread_mutex_destroy(&slot->lock);
  free(slot);
}

struct snapshot *snapshot_current(struct snapshot_slot *slot)
{
  pthread_mutex_lock(&slot->lock);
  struct snapshot *s = snapshot_ref(slot->current);
  pthread_mutex_unlock(&slot->lock);
  return s;
}

void snapshot_replace(struct snapshot_slot *slot, struct snapshot *s)
{
  pthread_mutex_lock(&slot->lock);
  struct snapshot *old = slot->current;
  s->number = old->number + 1;
  slot->current = s;
  pthread_mutex_unlock(&slot->lock);
  snapshot_unref(old);
}
