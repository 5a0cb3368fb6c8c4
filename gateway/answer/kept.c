/* A table of answers, bounded by their bytes. */
#include "gateway/answer/kept.h"

#include <stdint.h>

#include "common/base/mem.h"
#include "common/base/table.h"

enum { SHARE = 16 }; /* the part of all that one answer may take */

struct kept {
  struct table answers; /* of struct written *; sizes in bytes, keys included */
};

static void drop(void *user, void *value)
{
  (void)user;
  written_unref(*(struct written **)value);
}

struct kept *kept_new(size_t max_bytes)
{
  struct kept *k = xcalloc(1, sizeof(*k));
  table_init(&k->answers, sizeof(struct written *), max_bytes, drop, NULL);
  return k;
}

void kept_free(struct kept *k)
{
  if (k == NULL)
    return;
  table_free(&k->answers);
  free(k);
}

void written_unref(struct written *w)
{
  if (w == NULL || atomic_fetch_sub(&w->refs, 1) != 1)
    return;
  buf_free(&w->text);
  buf_free(&w->structured);
  free(w);
}

void kept_put_key(struct buf *key, const struct catalog_tool *tool, const struct answer_notes *own,
                  const void *message, size_t len)
{
  const uint64_t head[] = {(uint64_t)(tool - catalog_tools), own->has_offset, own->offset};
  *key = BUF_INIT(sizeof(head) + KEPT_MESSAGE_MAX);
  if (own->n > 0 || len > KEPT_MESSAGE_MAX)
    return;
  buf_expect(key, sizeof(head) + len);
  buf_append(key, head, sizeof(head));
  buf_append(key, message, len);
}

struct written *kept_find(struct kept *k, const struct buf *key)
{
  if (key->len == 0)
    return NULL;
  pthread_mutex_lock(&k->answers.lock);
  struct written **found = table_find(&k->answers, key->data, key->len, 0);
  struct written *w = found != NULL ? *found : NULL;
  if (w != NULL)
    atomic_fetch_add(&w->refs, 1);
  pthread_mutex_unlock(&k->answers.lock);
  return w;
}

/* Two calls may have written the same at once: the later one stays. */
static void add(struct kept *k, const struct buf *key, struct written *w, size_t size)
{
  pthread_mutex_lock(&k->answers.lock);
  struct written **value = table_put(&k->answers, key->data, key->len, size, INT64_MAX);
  *value = w;
  atomic_fetch_add(&w->refs, 1);
  pthread_mutex_unlock(&k->answers.lock);
}

struct written *kept_add(struct kept *k, const struct buf *key, struct buf *text,
                         struct buf *structured)
{
  struct written *w = xcalloc(1, sizeof(*w));
  atomic_init(&w->refs, 1);
  w->text = *text;
  w->structured = *structured;
  *text = BUF_INIT(w->text.max);
  *structured = BUF_INIT(w->structured.max);
  size_t size = TABLE_ENTRY_BYTES + sizeof(*w) + key->len + w->text.cap + w->structured.cap;
  if (key->len > 0 && size <= k->answers.order.max / SHARE)
    add(k, key, w, size);
  return w;
}
