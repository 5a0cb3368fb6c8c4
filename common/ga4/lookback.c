/* A cache of findings by dealer. */
#include "common/ga4/lookback.h"

#include <stdlib.h>
#include <string.h>

enum { REF_BYTES_MAX = 200 };

struct entry {
  struct map_node in_map;
  struct lru_node in_use;
  int64_t last_day;
  struct lead_finding finding;
  char ref[];
};

void lookback_init(struct lookback *l, int64_t max_dealers)
{
  memset(l, 0, sizeof(*l));
  pthread_mutex_init(&l->lock, NULL);
  l->in_use = LRU_INIT((size_t)max_dealers);
}

static void drop(struct lookback *l, struct entry *x)
{
  lru_remove(&l->in_use, &x->in_use);
  map_remove(&l->entries, &x->in_map);
  free(x);
}

void lookback_free(struct lookback *l)
{
  while (l->in_use.oldest != NULL)
    drop(l, CONTAINER_OF(l->in_use.oldest, struct entry, in_use));
  map_free(&l->entries);
  pthread_mutex_destroy(&l->lock);
}

static struct entry *find(const struct lookback *l, const char *ref)
{
  struct map_node *node = map_find_text(&l->entries, ref);
  return node != NULL ? CONTAINER_OF(node, struct entry, in_map) : NULL;
}

bool lookback_find(struct lookback *l, const char *dealer_ref, int64_t last_day,
                   struct lead_finding *out)
{
  pthread_mutex_lock(&l->lock);
  struct entry *x = find(l, dealer_ref);
  bool found = x != NULL && x->last_day == last_day;
  if (found) {
    lru_touch(&l->in_use, &x->in_use);
    *out = x->finding;
  }
  pthread_mutex_unlock(&l->lock);
  return found;
}

static void add(struct lookback *l, const char *ref, int64_t last_day, struct lead_finding finding)
{
  size_t len = strlen(ref);
  struct lru_node *excess;
  struct entry *x = xcalloc(1, sizeof(*x) + len + 1);
  while ((excess = lru_excess(&l->in_use, 1)) != NULL)
    drop(l, CONTAINER_OF(excess, struct entry, in_use));
  memcpy(x->ref, ref, len + 1);
  x->last_day = last_day;
  x->finding = finding;
  map_add_text(&l->entries, &x->in_map, x->ref);
  lru_add(&l->in_use, &x->in_use, 1);
}

void lookback_keep(struct lookback *l, const char *dealer_ref, int64_t last_day,
                   struct lead_finding finding)
{
  if (l->in_use.max == 0 || strlen(dealer_ref) > REF_BYTES_MAX)
    return;
  pthread_mutex_lock(&l->lock);
  struct entry *x = find(l, dealer_ref);
  if (x != NULL)
    drop(l, x);
  add(l, dealer_ref, last_day, finding);
  pthread_mutex_unlock(&l->lock);
}
