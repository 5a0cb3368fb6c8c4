/* Asks report-svc which parameters of events properties have registered, and keeps the answers. */
#include "aggregate-svc/call/definitions.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/call/each.h"
#include "aggregate-svc/words/text.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse Response;

enum { DEFINITIONS_MAGIC = 0x446546e1, KEPT_MS = 24 * 3600 * 1000 };

struct definitions {
  uint32_t magic;
  struct definitions_options options;
  void (*finished)(void *user, const struct err *status);
  void *user;
  struct each *each;
};

/* ------------------------------------------------------------------------ cache */

void definitions_cache_init(struct table *cache)
{
  table_init(cache, sizeof(unsigned), DEFINITIONS_DEALERS, NULL, NULL);
}

static bool cache_get(struct table *cache, const char *dealer_id, unsigned *registered)
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

static void answered(void *user, size_t member, const ProtobufCMessage *message)
{
  struct definitions *d = user;
  struct cohort_member *m = &d->options.cohort->members[member];
  m->vehicles.registered = registered_in((const Response *)message);
  cache_put(d->options.cache, m->dealer_id, m->vehicles.registered);
}

static void failed(void *user, size_t member, const struct err *e)
{
  struct definitions *d = user;
  struct cohort_member *m = &d->options.cohort->members[member];
  if (d->options.wanted != NULL)
    return;
  m->state = DEALER_FAILED;
  m->code = e->code;
  text_copy(m->reason, sizeof(m->reason), e->reason[0] != '\0' ? e->reason : "failed");
  text_copy(m->message, sizeof(m->message), e->message);
}

/* Whether a dealer must be asked about; what is kept of it is filled in. */
static bool is_open(void *user, size_t member)
{
  struct definitions *d = user;
  struct cohort_member *m = &d->options.cohort->members[member];
  bool configured = m->vehicles.make[0] != '\0' && m->vehicles.model[0] != '\0';
  bool wanted = d->options.wanted != NULL ? d->options.wanted(d->options.wanted_user, member)
                                          : m->state == DEALER_PENDING && !configured;
  return wanted && !cache_get(d->options.cache, m->dealer_id, &m->vehicles.registered);
}

static void finished(void *user, const struct err *status)
{
  struct definitions *d = user;
  MAGIC_CHECK(d, DEFINITIONS_MAGIC);
  d->finished(d->user, status); /* d may be gone after this */
}

void definitions_find(struct definitions **out, const struct definitions_options *options,
                      void (*on_finished)(void *user, const struct err *status), void *user)
{
  struct definitions *d = xcalloc(1, sizeof(*d));
  d->magic = DEFINITIONS_MAGIC;
  d->options = *options;
  d->finished = on_finished;
  d->user = user;
  *out = d;
  each_start(&d->each, &(struct each_options){.report = options->report,
                                              .parent = options->parent,
                                              .deadline_ms = options->deadline_ms,
                                              .cohort = options->cohort,
                                              .method = "GetCustomDimensionsAndMetrics",
                                              .at_once = DEFINITIONS_AT_ONCE,
                                              .wanted = is_open,
                                              .answered = answered,
                                              .failed = failed,
                                              .finished = finished,
                                              .user = d});
}

void definitions_free(struct definitions *d)
{
  if (d == NULL)
    return;
  MAGIC_CHECK(d, DEFINITIONS_MAGIC);
  each_free(d->each);
  d->magic = 0;
  free(d);
}
