/* Answers by key, bounded by their bytes. */
#include "report-svc/ask/cache.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/table.h"

struct cache {
  int64_t ttl_ms;
  struct metric *lookups;
  struct metric *bytes;
  struct table answers; /* of struct answer *; sizes in bytes, keys included */
};

static void drop(void *user, void *value)
{
  (void)user;
  answer_unref(*(struct answer **)value);
}

struct cache *cache_new(size_t max_bytes, int64_t ttl_ms)
{
  struct cache *c = xcalloc(1, sizeof(*c));
  table_init(&c->answers, sizeof(struct answer *), ttl_ms > 0 ? max_bytes : 0, drop, NULL);
  c->ttl_ms = ttl_ms;
  c->lookups = metrics_counter("report_cache_lookups_total", "Lookups of report answers by result.",
                               "result", NULL);
  c->bytes = metrics_gauge("report_cache_bytes", "Memory held by cached report answers.", NULL);
  return c;
}

void cache_free(struct cache *c)
{
  if (c == NULL)
    return;
  table_free(&c->answers);
  free(c);
}

struct answer *cache_get(struct cache *c, const struct buf *key, int64_t now_ms)
{
  if (c->answers.order.max == 0)
    return NULL;
  pthread_mutex_lock(&c->answers.lock);
  struct answer **kept = table_find(&c->answers, buf_str(key), key->len, now_ms);
  struct answer *answer = kept != NULL ? answer_ref(*kept) : NULL;
  if (kept == NULL)
    metric_set(c->bytes, (double)c->answers.order.size, NULL);
  pthread_mutex_unlock(&c->answers.lock);
  const char *result = answer != NULL ? "hit" : "miss";
  metric_add(c->lookups, 1, METRIC_LABELS(result));
  log_debug("cache", LOG_S("of", "report answers"), LOG_S("result", result));
  return answer;
}

void cache_count_shared(struct cache *c)
{
  metric_add(c->lookups, 1, METRIC_LABELS("shared"));
}

int64_t cache_ttl_ms(const struct cache *c)
{
  return c->ttl_ms;
}

void cache_put(struct cache *c, const struct buf *key, struct answer *answer, int64_t keep_ms,
               int64_t now_ms)
{
  size_t size = TABLE_ENTRY_BYTES + key->len + answer_size(answer);
  if (size > c->answers.order.max / 4)
    return;
  pthread_mutex_lock(&c->answers.lock);
  struct answer **kept = table_put(&c->answers, buf_str(key), key->len, size,
                                   now_ms + (keep_ms > 0 ? keep_ms : c->ttl_ms));
  *kept = answer_ref(answer);
  metric_set(c->bytes, (double)c->answers.order.size, NULL);
  pthread_mutex_unlock(&c->answers.lock);
}

size_t cache_size(struct cache *c)
{
  pthread_mutex_lock(&c->answers.lock);
  size_t size = c->answers.order.size;
  pthread_mutex_unlock(&c->answers.lock);
  return size;
}
