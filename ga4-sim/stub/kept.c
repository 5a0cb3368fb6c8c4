/* A table with one answer in each slot; the newest of those that share a slot stays. */
#include "ga4-sim/stub/kept.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

struct stub_text {
  atomic_uint refs;
  size_t len;
  char *data;
};

struct slot {
  bool batch;
  char *body;
  size_t len;
  struct stub_text *answer; /* NULL: free */
};

struct stub_kept {
  pthread_mutex_t lock;
  struct slot slots[STUB_KEPT_SLOTS];
};

struct stub_text *stub_text_new(char *data, size_t len)
{
  struct stub_text *t = xcalloc(1, sizeof(*t));
  atomic_init(&t->refs, 1);
  t->data = data;
  t->len = len;
  return t;
}

char *stub_text_data(const struct stub_text *t)
{
  return t->data;
}

size_t stub_text_len(const struct stub_text *t)
{
  return t->len;
}

static struct stub_text *ref(struct stub_text *t)
{
  atomic_fetch_add(&t->refs, 1);
  return t;
}

void stub_text_unref(void *text)
{
  struct stub_text *t = text;
  if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
    return;
  free(t->data);
  free(t);
}

struct stub_kept *stub_kept_new(void)
{
  struct stub_kept *k = xcalloc(1, sizeof(*k));
  pthread_mutex_init(&k->lock, NULL);
  return k;
}

void stub_kept_free(struct stub_kept *k)
{
  for (size_t i = 0; i < STUB_KEPT_SLOTS; i++) {
    free(k->slots[i].body);
    stub_text_unref(k->slots[i].answer);
  }
  pthread_mutex_destroy(&k->lock);
  free(k);
}

static struct slot *slot_of(struct stub_kept *k, const char *body, size_t len)
{
  return &k->slots[hash_data(body, len) % STUB_KEPT_SLOTS];
}

struct stub_text *stub_kept_get(struct stub_kept *k, bool batch, const char *body, size_t len)
{
  struct slot *s = slot_of(k, body, len);
  pthread_mutex_lock(&k->lock);
  bool same =
      s->answer != NULL && s->batch == batch && s->len == len && memcmp(s->body, body, len) == 0;
  struct stub_text *answer = same ? ref(s->answer) : NULL;
  pthread_mutex_unlock(&k->lock);
  return answer;
}

void stub_kept_put(struct stub_kept *k, bool batch, const char *body, size_t len,
                   struct stub_text *answer)
{
  if (len > STUB_KEPT_MAX || answer->len > STUB_KEPT_MAX - len)
    return;
  struct slot *s = slot_of(k, body, len);
  struct slot put = {batch, xmalloc(len + 1), len, ref(answer)};
  memcpy(put.body, body, len);
  pthread_mutex_lock(&k->lock);
  struct slot before = *s;
  *s = put;
  pthread_mutex_unlock(&k->lock);
  free(before.body);
  stub_text_unref(before.answer);
}
