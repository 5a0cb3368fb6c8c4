/* Counters per property (one account each) and in total. */
#include "ga4-sim/sim/stats.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { ISSUED_KEPT = 64 };

struct counters {
  uint64_t events[STATS_EVENT_COUNT];
  uint32_t in_flight, max_in_flight;
  int64_t issued_ms[ISSUED_KEPT]; /* a ring; events[STATS_TOKEN_ISSUED] is its head */
};

struct stats {
  pthread_mutex_t lock;
  size_t count;
  struct counters total, *properties;
};

struct stats *stats_new(size_t properties)
{
  struct stats *s = xcalloc(1, sizeof(*s));
  pthread_mutex_init(&s->lock, NULL);
  s->count = properties;
  s->properties = xcalloc(properties, sizeof(*s->properties));
  return s;
}

void stats_free(struct stats *s)
{
  if (s == NULL)
    return;
  pthread_mutex_destroy(&s->lock);
  free(s->properties);
  free(s);
}

void stats_count(struct stats *s, int64_t property, enum stats_event event)
{
  pthread_mutex_lock(&s->lock);
  s->total.events[event]++;
  if (property >= 0)
    s->properties[property].events[event]++;
  pthread_mutex_unlock(&s->lock);
}

static void note(struct counters *c, int64_t unix_ms)
{
  c->issued_ms[c->events[STATS_TOKEN_ISSUED]++ % ISSUED_KEPT] = unix_ms;
}

void stats_issued(struct stats *s, int64_t property, int64_t unix_ms)
{
  pthread_mutex_lock(&s->lock);
  note(&s->total, unix_ms);
  if (property >= 0)
    note(&s->properties[property], unix_ms);
  pthread_mutex_unlock(&s->lock);
}

static void enter(struct counters *c)
{
  if (++c->in_flight > c->max_in_flight)
    c->max_in_flight = c->in_flight;
}

void stats_enter(struct stats *s, int64_t property)
{
  pthread_mutex_lock(&s->lock);
  enter(&s->total);
  if (property >= 0)
    enter(&s->properties[property]);
  pthread_mutex_unlock(&s->lock);
}

void stats_leave(struct stats *s, int64_t property)
{
  pthread_mutex_lock(&s->lock);
  s->total.in_flight--;
  if (property >= 0)
    s->properties[property].in_flight--;
  pthread_mutex_unlock(&s->lock);
}

static void reset(struct counters *c)
{
  memset(c->events, 0, sizeof(c->events));
  c->max_in_flight = c->in_flight;
}

void stats_reset(struct stats *s)
{
  pthread_mutex_lock(&s->lock);
  reset(&s->total);
  for (size_t i = 0; i < s->count; i++)
    reset(&s->properties[i]);
  pthread_mutex_unlock(&s->lock);
}

static void add_counters(cJSON *out, const struct counters *c)
{
  static const char *const names[STATS_EVENT_COUNT] = {
      "token_requests",  "tokens_issued", "report_requests",  "reports_ok",
      "admin_requests",  "quota_refused", "unauthenticated",  "sts_requests",
      "sts_issued",      "iam_requests",  "iam_issued",       "metadata_requests",
      "metadata_issued", "imds_requests", "imds_credentials", "revoke_requests"};
  for (size_t i = 0; i < STATS_EVENT_COUNT; i++)
    cJSON_AddNumberToObject(out, names[i], (double)c->events[i]);
  cJSON_AddNumberToObject(out, "in_flight", c->in_flight);
  cJSON_AddNumberToObject(out, "max_concurrent", c->max_in_flight);
}

/* Oldest first. */
static void add_times(cJSON *account, const struct counters *c)
{
  cJSON *list = cJSON_AddArrayToObject(account, "issued_at_ms");
  uint64_t end = c->events[STATS_TOKEN_ISSUED];
  for (uint64_t i = end > ISSUED_KEPT ? end - ISSUED_KEPT : 0; i < end; i++)
    cJSON_AddItemToArray(list, cJSON_CreateNumber((double)c->issued_ms[i % ISSUED_KEPT]));
}

static void add_account(cJSON *account, const struct world_property *p, const struct counters *c)
{
  static const struct {
    const char *name;
    enum stats_event event;
  } shown[] = {{"token_requests", STATS_TOKEN_REQUEST}, {"tokens_issued", STATS_TOKEN_ISSUED},
               {"sts_requests", STATS_STS_REQUEST},     {"sts_issued", STATS_STS_ISSUED},
               {"iam_requests", STATS_IAM_REQUEST},     {"iam_issued", STATS_IAM_ISSUED}};
  cJSON_AddStringToObject(account, "dealer_id", p->dealer_id);
  for (size_t i = 0; i < ARRAY_LEN(shown); i++)
    cJSON_AddNumberToObject(account, shown[i].name, (double)c->events[shown[i].event]);
  add_times(account, c);
}

cJSON *stats_render(struct stats *s, const struct world *w)
{
  cJSON *root = cJSON_CreateObject();
  pthread_mutex_lock(&s->lock);
  add_counters(cJSON_AddObjectToObject(root, "totals"), &s->total);
  cJSON *accounts = cJSON_AddObjectToObject(root, "accounts");
  cJSON *properties = cJSON_AddObjectToObject(root, "properties");
  for (size_t i = 0; i < s->count; i++) {
    const struct world_property *p = &w->properties[i];
    const struct counters *c = &s->properties[i];
    add_account(cJSON_AddObjectToObject(accounts, p->account_id), p, c);
    cJSON *property = cJSON_AddObjectToObject(properties, p->id_text);
    cJSON_AddStringToObject(property, "dealer_id", p->dealer_id);
    add_counters(property, c);
  }
  pthread_mutex_unlock(&s->lock);
  return root;
}
