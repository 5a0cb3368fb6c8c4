/* Dealers by id: signs of suspect data, and how far the data reaches. */
#include "aggregate-svc/suspect/lately.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/table.h"

struct suspect_lately {
  struct table dealers; /* of struct lately_dealer, by id */
};

struct suspect_lately *lately_new(void)
{
  struct suspect_lately *l = xcalloc(1, sizeof(*l));
  table_init(&l->dealers, sizeof(struct lately_dealer), LATELY_MAX, NULL, NULL);
  return l;
}

void lately_free(struct suspect_lately *l)
{
  if (l == NULL)
    return;
  table_free(&l->dealers);
  free(l);
}

static unsigned signs_of(const struct suspect_findings *findings)
{
  unsigned signs = 0;
  for (unsigned code = 0; code < SUSPECT_CODES; code++)
    signs |= findings->of[code].found ? 1U << code : 0;
  return signs;
}

/* A dealer, as the one used last; made when it is not there. */
static struct lately_dealer *use(struct suspect_lately *l, const char *dealer_id)
{
  struct lately_dealer *d = table_make(&l->dealers, TABLE_TEXT(dealer_id));
  snprintf(d->dealer_id, sizeof(d->dealer_id), "%s", dealer_id);
  return d;
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
  pthread_mutex_lock(&l->dealers.lock);
  struct lately_dealer *d = use(l, dealer_id);
  if (has_signs(d, now_s))
    signs |= d->signs & kept;
  d->signs = signs;
  d->seen_at = now_s;
  if (signs == 0 && !has_reach(d, now_s))
    table_remove(&l->dealers, d);
  pthread_mutex_unlock(&l->dealers.lock);
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
  pthread_mutex_lock(&l->dealers.lock);
  struct lately_dealer *d = use(l, dealer_id);
  if (has_reach(d, now_s)) {
    reach.newest = d->reach.newest > reach.newest ? d->reach.newest : reach.newest;
    reach.looked = d->reach.looked > reach.looked ? d->reach.looked : reach.looked;
  }
  d->reach = reach;
  d->reached_at = now_s;
  pthread_mutex_unlock(&l->dealers.lock);
}

static size_t list(struct suspect_lately *l, struct lately_dealer *out, size_t max, int64_t now_s,
                   bool (*wanted)(const struct lately_dealer *d, int64_t now_s))
{
  size_t n = 0;
  pthread_mutex_lock(&l->dealers.lock);
  const struct lately_dealer *d = table_newest(&l->dealers);
  for (; d != NULL && n < max; d = table_older(d))
    if (wanted(d, now_s))
      out[n++] = *d;
  pthread_mutex_unlock(&l->dealers.lock);
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
  pthread_mutex_lock(&l->dealers.lock);
  size_t n = l->dealers.order.n;
  pthread_mutex_unlock(&l->dealers.lock);
  return n;
}
