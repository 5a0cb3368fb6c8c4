/* The switches of properties. */
#include "ga4-sim/sim/conditions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"

struct conditions {
  pthread_mutex_t lock;
  size_t count;
  struct report_conditions *list;
};

static const struct {
  const char *name;
  size_t offset;
  double max;
} members[] = {
    {"freshness_lag_days", offsetof(struct report_conditions, freshness_lag_days), 60},
    {"threshold_users", offsetof(struct report_conditions, threshold_users), 1000000},
    {"other_after", offsetof(struct report_conditions, other_after), 1000000},
    {"sample_percent", offsetof(struct report_conditions, sample_percent), 99},
};

struct conditions *conditions_new(size_t n)
{
  struct conditions *c = xcalloc(1, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  c->count = n;
  c->list = xcalloc(n, sizeof(*c->list));
  return c;
}

void conditions_free(struct conditions *c)
{
  if (c == NULL)
    return;
  pthread_mutex_destroy(&c->lock);
  free(c->list);
  free(c);
}

/* Refuses names and numbers that are not those of a condition. */
static enum err_code check_members(const cJSON *d, struct err *e)
{
  const cJSON *m;
  cJSON_ArrayForEach(m, d)
  {
    bool known = strcmp(m->string, "dealer_id") == 0;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
      if (strcmp(m->string, members[i].name) != 0)
        continue;
      known = true;
      if (!cJSON_IsNumber(m) || m->valuedouble < 0 || m->valuedouble > members[i].max ||
          m->valuedouble != (double)(uint32_t)m->valuedouble)
        return err_set(e, ERR_INVALID_ARGUMENT, "conditions",
                       "%s must be a whole number from 0 to %.0f", members[i].name, members[i].max);
    }
    if (!known)
      return err_set(e, ERR_INVALID_ARGUMENT, "conditions",
                     "%s must be one of dealer_id, freshness_lag_days, threshold_users, "
                     "other_after, sample_percent",
                     m->string);
  }
  return ERR_OK;
}

static void apply(struct report_conditions *to, const cJSON *d)
{
  for (size_t i = 0; i < ARRAY_LEN(members); i++) {
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(d, members[i].name);
    if (m != NULL)
      *(uint32_t *)(void *)((char *)to + members[i].offset) = (uint32_t)m->valuedouble;
  }
}

enum err_code conditions_set(struct conditions *c, const struct world *w, const cJSON *description,
                             struct err *e)
{
  const char *dealer = json_get_string(description, "dealer_id");
  bool found = false;
  if (!cJSON_IsObject(description) || dealer == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "conditions",
                   "conditions need a dealer_id (text; \"*\" for everyone)");
  enum err_code code = check_members(description, e);
  if (code != ERR_OK)
    return code;
  pthread_mutex_lock(&c->lock);
  for (size_t i = 0; i < c->count; i++)
    if (strcmp(dealer, "*") == 0 || strcmp(dealer, w->properties[i].dealer_id) == 0) {
      apply(&c->list[i], description);
      found = true;
    }
  pthread_mutex_unlock(&c->lock);
  return found
             ? ERR_OK
             : err_set(e, ERR_NOT_FOUND, "conditions", "the world has no dealer_id \"%s\"", dealer);
}

struct report_conditions conditions_of(struct conditions *c, size_t property)
{
  pthread_mutex_lock(&c->lock);
  struct report_conditions out = c->list[property];
  pthread_mutex_unlock(&c->lock);
  return out;
}

void conditions_clear(struct conditions *c)
{
  pthread_mutex_lock(&c->lock);
  memset(c->list, 0, c->count * sizeof(*c->list));
  pthread_mutex_unlock(&c->lock);
}
