/* Entries by key: a map, and a list in order of use. */
#include "common/base/table.h"

#include "common/base/mem.h"

struct entry {
  struct map_node in_map;
  struct lru_node in_order;
  int64_t until;
  max_align_t value[]; /* and the key behind it */
};
_Static_assert(sizeof(struct entry) <= TABLE_ENTRY_BYTES, "TABLE_ENTRY_BYTES");

static struct entry *entry_of(const void *value)
{
  return CONTAINER_OF((void *)value, struct entry, value);
}

static struct entry *in_order(struct lru_node *node)
{
  return CONTAINER_OF(node, struct entry, in_order);
}

void table_init(struct table *t, size_t value_bytes, size_t max, table_drop *drop, void *user)
{
  *t = (struct table){
      .order = LRU_INIT(max), .value_bytes = value_bytes, .drop = drop, .user = user};
  pthread_mutex_init(&t->lock, NULL);
}

static void drop_entry(struct table *t, struct entry *e)
{
  map_remove(&t->map, &e->in_map);
  lru_remove(&t->order, &e->in_order);
  if (t->drop != NULL)
    t->drop(t->user, e->value);
  free(e);
}

void table_free(struct table *t)
{
  while (t->order.oldest != NULL)
    drop_entry(t, in_order(t->order.oldest));
  map_free(&t->map);
  pthread_mutex_destroy(&t->lock);
}

/* The entry of a key, whether it has ended or not. */
static struct entry *any_entry(const struct table *t, const void *key, size_t len)
{
  return CONTAINER_OF(map_find(&t->map, key, len), struct entry, in_map);
}

void *table_peek(const struct table *t, const void *key, size_t len, int64_t now)
{
  struct entry *e = any_entry(t, key, len);
  return e != NULL && e->until > now ? e->value : NULL;
}

void *table_find(struct table *t, const void *key, size_t len, int64_t now)
{
  struct entry *e = any_entry(t, key, len);
  if (e != NULL && e->until <= now) {
    drop_entry(t, e);
    return NULL;
  }
  if (e != NULL)
    lru_touch(&t->order, &e->in_order);
  return e != NULL ? e->value : NULL;
}

void *table_make(struct table *t, const void *key, size_t len)
{
  void *value = table_find(t, key, len, 0);
  return value != NULL ? value : table_put(t, key, len, 1, INT64_MAX);
}

void *table_put(struct table *t, const void *key, size_t len, size_t size, int64_t until)
{
  struct entry *old = any_entry(t, key, len);
  struct lru_node *excess;
  if (size > t->order.max)
    return NULL;
  if (old != NULL)
    drop_entry(t, old);
  while ((excess = lru_excess(&t->order, size)) != NULL)
    drop_entry(t, in_order(excess));
  struct entry *e = xcalloc(1, sizeof(*e) + t->value_bytes + len + 1);
  char *own_key = (char *)e->value + t->value_bytes;
  memcpy(own_key, key, len);
  e->until = until;
  map_add(&t->map, &e->in_map, own_key, len);
  lru_add(&t->order, &e->in_order, size);
  return e->value;
}

void table_remove(struct table *t, void *value)
{
  drop_entry(t, entry_of(value));
}

void table_expire(struct table *t, int64_t now)
{
  for (struct lru_node *n = t->order.oldest, *newer; n != NULL; n = newer) {
    newer = n->newer;
    if (in_order(n)->until <= now)
      drop_entry(t, in_order(n));
  }
}

static void *value_of(struct lru_node *node)
{
  return node != NULL ? in_order(node)->value : NULL;
}

void *table_newest(const struct table *t)
{
  return value_of(t->order.newest);
}

void *table_older(const void *value)
{
  return value_of(entry_of(value)->in_order.older);
}

const void *table_key(const void *value)
{
  return entry_of(value)->in_map.key;
}
