/* A cache of findings by dealer. */
#include "common/ga4/lookback.h"

enum { REF_BYTES_MAX = 200 };

struct entry {
  int64_t last_day;
  struct lead_finding finding;
};

void lookback_init(struct lookback *l, int64_t max_dealers)
{
  table_init(&l->entries, sizeof(struct entry), (size_t)max_dealers, NULL, NULL);
}

void lookback_free(struct lookback *l)
{
  table_free(&l->entries);
}

bool lookback_find(struct lookback *l, const char *dealer_ref, int64_t last_day,
                   struct lead_finding *out)
{
  pthread_mutex_lock(&l->entries.lock);
  const struct entry *x = table_find(&l->entries, TABLE_TEXT(dealer_ref), 0);
  bool found = x != NULL && x->last_day == last_day;
  if (found)
    *out = x->finding;
  pthread_mutex_unlock(&l->entries.lock);
  return found;
}

void lookback_keep(struct lookback *l, const char *dealer_ref, int64_t last_day,
                   struct lead_finding finding)
{
  if (strlen(dealer_ref) > REF_BYTES_MAX)
    return;
  pthread_mutex_lock(&l->entries.lock);
  struct entry *x = table_put(&l->entries, TABLE_TEXT(dealer_ref), 1, INT64_MAX);
  if (x != NULL)
    *x = (struct entry){last_day, finding};
  pthread_mutex_unlock(&l->entries.lock);
}
