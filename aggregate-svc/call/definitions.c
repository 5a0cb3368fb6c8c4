/* Which parameters of events properties have registered, and what is kept of it. */
#include "aggregate-svc/call/definitions.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse Response;

enum { KEPT_MS = 24 * 3600 * 1000 };

/* ------------------------------------------------------------------------ cache */

void definitions_cache_init(struct table *cache)
{
  table_init(cache, sizeof(unsigned), DEFINITIONS_DEALERS, NULL, NULL);
}

bool definitions_kept(struct table *cache, const char *dealer_id, unsigned *registered)
{
  pthread_mutex_lock(&cache->lock);
  const unsigned *kept = table_find(cache, TABLE_TEXT(dealer_id), clock_mono_ms());
  if (kept != NULL)
    *registered = *kept;
  pthread_mutex_unlock(&cache->lock);
  return kept != NULL;
}

static void cache_put(struct table *cache, const char *dealer_id, unsigned registered)
{
  pthread_mutex_lock(&cache->lock);
  unsigned *kept = table_put(cache, TABLE_TEXT(dealer_id), 1, clock_mono_ms() + KEPT_MS);
  *kept = registered;
  pthread_mutex_unlock(&cache->lock);
}

/* ------------------------------------------------------------------------ questions */

static unsigned registered_in(const Response *r)
{
  static const struct {
    const char *name;
    unsigned bit;
  } parameters[] = {{"customEvent:item_make", VEHICLE_PARAMETER_MAKE},
                    {"customEvent:item_model", VEHICLE_PARAMETER_MODEL},
                    {"customEvent:item_condition", VEHICLE_PARAMETER_CONDITION},
                    {"customEvent:item_fuel_type", VEHICLE_PARAMETER_FUEL},
                    {LEAD_MESSAGE_DIMENSION, PARAMETER_COMM_TYPE}};
  unsigned bits = PARAMETERS_KNOWN;
  for (size_t i = 0; i < r->n_custom_dimensions; i++)
    for (size_t k = 0; k < ARRAY_LEN(parameters); k++)
      if (strcmp(r->custom_dimensions[i]->api_name, parameters[k].name) == 0)
        bits |= parameters[k].bit;
  return bits;
}

static void answered(const void *question, size_t member, const ProtobufCMessage *response)
{
  const struct definitions_question *q = question;
  struct cohort_member *m = &q->cohort->members[member];
  m->vehicles.registered = registered_in((const Response *)response);
  cache_put(q->cache, m->dealer_id, m->vehicles.registered);
}

static void failed(const void *question, size_t member, const struct err *e)
{
  const struct definitions_question *q = question;
  struct cohort_member *m = &q->cohort->members[member];
  if (q->needed != NULL)
    return;
  m->state = DEALER_FAILED;
  m->code = e->code;
  text_copy(m->reason, sizeof(m->reason), e->reason[0] != '\0' ? e->reason : "failed");
  text_copy(m->message, sizeof(m->message), e->message);
}

static bool wanted(const void *question, size_t member)
{
  const struct definitions_question *q = question;
  struct cohort_member *m = &q->cohort->members[member];
  bool configured = m->vehicles.make[0] != '\0' && m->vehicles.model[0] != '\0';
  bool needed =
      q->needed != NULL ? q->needed(q->user, member) : m->state == DEALER_PENDING && !configured;
  return needed && !definitions_kept(q->cache, m->dealer_id, &m->vehicles.registered);
}

const struct lookup_kind definitions_lookup = {.method = "GetCustomDimensionsAndMetrics",
                                               .wanted = wanted,
                                               .answered = answered,
                                               .failed = failed};
