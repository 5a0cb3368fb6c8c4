/* See answers.h. */
#include "ga4-sim/world/answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"

struct entry {
  struct map_node in_map;
  struct lru_node in_use;
  size_t question_len, answer_len;
  char bytes[]; /* the question, then the answer */
};

struct answers {
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct map map;
  struct lru use;
};

struct answers *answers_new(size_t max_bytes)
{
  struct answers *a = xcalloc(1, sizeof(*a));
  pthread_mutex_init(&a->lock, NULL);
  a->use = LRU_INIT(max_bytes);
  return a;
}

static void drop(struct answers *a, struct entry *entry)
{
  map_remove(&a->map, &entry->in_map);
  lru_remove(&a->use, &entry->in_use);
  free(entry);
}

void answers_free(struct answers *a)
{
  if (a == NULL)
    return;
  while (a->use.oldest != NULL)
    drop(a, CONTAINER_OF(a->use.oldest, struct entry, in_use));
  map_free(&a->map);
  pthread_mutex_destroy(&a->lock);
  free(a);
}

bool answers_find(struct answers *a, const struct buf *question, struct buf *out)
{
  bool found = false;
  pthread_mutex_lock(&a->lock);
  struct map_node *node = map_find(&a->map, question->data, question->len);
  if (node != NULL) {
    struct entry *entry = CONTAINER_OF(node, struct entry, in_map);
    lru_touch(&a->use, &entry->in_use);
    found = buf_append(out, entry->bytes + entry->question_len, entry->answer_len);
  }
  pthread_mutex_unlock(&a->lock);
  return found;
}

void answers_keep(struct answers *a, const struct buf *question, const struct buf *answer)
{
  size_t size = sizeof(struct entry) + question->len + answer->len;
  struct lru_node *old;
  if (size > a->use.max / 16)
    return;
  struct entry *entry = xcalloc(1, size);
  entry->question_len = question->len;
  entry->answer_len = answer->len;
  memcpy(entry->bytes, question->data, question->len);
  if (answer->len > 0)
    memcpy(entry->bytes + question->len, answer->data, answer->len);
  pthread_mutex_lock(&a->lock);
  struct map_node *same = map_find(&a->map, question->data, question->len);
  if (same != NULL) /* computed by another thread meanwhile */
    drop(a, CONTAINER_OF(same, struct entry, in_map));
  while ((old = lru_excess(&a->use, size)) != NULL)
    drop(a, CONTAINER_OF(old, struct entry, in_use));
  map_add(&a->map, &entry->in_map, entry->bytes, entry->question_len);
  lru_add(&a->use, &entry->in_use, size);
  pthread_mutex_unlock(&a->lock);
}
