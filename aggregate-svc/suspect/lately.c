/* Dealers by id: signs of suspect data, and how far the data reaches. */
#include "aggregate-svc/suspect/lately.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"

struct entry {
  struct map_node in_map;
  struct lru_node in_use;
  struct lately_dealer dealer;
};

struct suspect_lately {
  pthread_mutex_t lock;
  struct map map;
  struct lru use; /* sizes: 1 each */
};

struct suspect_lately *lately_new(void)
{
  struct suspect_lately *l = xcalloc(1, sizeof(*l));
  pthread_mutex_init(&l->lock, NULL);
  l->use = LRU_INIT(LATELY_MAX);
  return l;
}

static void drop(struct suspect_lately *l, struct lru_node *node)
{
  struct entry *e = CONTAINER_OF(node, struct entry, in_use);
  map_remove(&l->map, &e->in_map);
  lru_remove(&l->use, node);
  free(e);
}

void lately_free(struct suspect_lately *l)
{
  if (l == NULL)
    return;
  while (l->use.oldest != NULL)
    drop(l, l->use.oldest);
  map_free(&l->map);
  pthread_mutex_destroy(&l->lock);
  free(l);
}

static unsigned signs_of(const struct suspect_findings *findings)
{
  unsigned signs = 0;
  for (unsigned code = 0; code < SUSPECT_CODES; code++)
    signs |= findings->of[code].found ? 1U << code : 0;
  return signs;
}

/* The entry of a dealer, as the one used last; made when it is not there. */
static struct entry *use(struct suspect_lately *l, const char *dealer_id)
{
  struct entry *e = CONTAINER_OF(map_find_text(&l->map, dealer_id), struct entry, in_map);
  struct lru_node *oldest;
  if (e != NULL) {
    lru_touch(&l->use, &e->in_use);
    return e;
  }
  while ((oldest = lru_excess(&l->use, 1)) != NULL)
    drop(l, oldest);
  e = xcalloc(1, sizeof(*e));
  snprintf(e->dealer.dealer_id, sizeof(e->dealer.dealer_id), "%s", dealer_id);
  map_add_text(&l->map, &e->in_map, e->dealer.dealer_id);
  lru_add(&l->use, &e->in_use, 1);
  return e;
}

static bool has_signs(const struct lately_dealer *d, int64_t now_s)
{
  return d->signs != 0 && now_s - d->seen_at < LATELY_KEEP_S;
}

static bool has_reach(const struct lately_dealer *d, int64_t now_s)
{
  return d->reach.newest != 0 && now_s - d->reached_at < LATELY_KEEP_S;
}

/* kept: the signs from before that still hold, unless they are a day old. */
static void note(struct suspect_lately *l, const char *dealer_id, unsigned signs, unsigned kept,
                 int64_t now_s)
{
  pthread_mutex_lock(&l->lock);
  struct entry *e = use(l, dealer_id);
  if (has_signs(&e->dealer, now_s))
    signs |= e->dealer.signs & kept;
  e->dealer.signs = signs;
  e->dealer.seen_at = now_s;
  if (signs == 0 && !has_reach(&e->dealer, now_s))
    drop(l, &e->in_use);
  pthread_mutex_unlock(&l->lock);
}

void lately_note(struct suspect_lately *l, const char *dealer_id,
                 const struct suspect_findings *findings, int64_t now_s)
{
  if (l != NULL)
    note(l, dealer_id, signs_of(findings), 0, now_s);
}

void lately_add(struct suspect_lately *l, const char *dealer_id,
                const struct suspect_findings *findings, int64_t now_s)
{
  unsigned signs = signs_of(findings);
  if (l != NULL && signs != 0)
    note(l, dealer_id, signs, ~0U, now_s);
}

void lately_reach(struct suspect_lately *l, const char *dealer_id, struct suspect_reach reach,
                  int64_t now_s)
{
  if (l == NULL || reach.newest == 0)
    return;
  pthread_mutex_lock(&l->lock);
  struct lately_dealer *d = &use(l, dealer_id)->dealer;
  if (has_reach(d, now_s)) {
    reach.newest = d->reach.newest > reach.newest ? d->reach.newest : reach.newest;
    reach.looked = d->reach.looked > reach.looked ? d->reach.looked : reach.looked;
  }
  d->reach = reach;
  d->reached_at = now_s;
  pthread_mutex_unlock(&l->lock);
}

static size_t list(struct suspect_lately *l, struct lately_dealer *out, size_t max, int64_t now_s,
                   bool (*wanted)(const struct lately_dealer *d, int64_t now_s))
{
  size_t n = 0;
  pthread_mutex_lock(&l->lock);
  for (struct lru_node *node = l->use.newest; node != NULL && n < max; node = node->older) {
    const struct entry *e = CONTAINER_OF(node, struct entry, in_use);
    if (wanted(&e->dealer, now_s))
      out[n++] = e->dealer;
  }
  pthread_mutex_unlock(&l->lock);
  return n;
}

size_t lately_list(struct suspect_lately *l, struct lately_dealer *out, size_t max, int64_t now_s)
{
  return list(l, out, max, now_s, has_signs);
}

size_t lately_list_reach(struct suspect_lately *l, struct lately_dealer *out, size_t max,
                         int64_t now_s)
{
  return list(l, out, max, now_s, has_reach);
}

size_t lately_count(struct suspect_lately *l)
{
  pthread_mutex_lock(&l->lock);
  size_t n = l->use.n;
  pthread_mutex_unlock(&l->lock);
  return n;
}
