/* Which parameters of events properties have registered, and what is kept of it. */
#include "aggregate-svc/call/definitions.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse Response;

enum { KEPT_MS = 24 * 3600 * 1000 };

/* ------------------------------------------------------------------------ cache */

/* The place of a dealer, or the one to take over: the one that ends first. */
static struct definitions_place *place_of(struct definitions_cache *c, uint64_t dealer)
{
  struct definitions_place *set = c->places[dealer % DEFINITIONS_SETS], *oldest = set;
  for (size_t i = 0; i < DEFINITIONS_WAYS; i++) {
    if (set[i].dealer == dealer)
      return &set[i];
    if (set[i].until_ms < oldest->until_ms)
      oldest = &set[i];
  }
  return oldest;
}

bool definitions_kept(struct definitions_cache *c, const char *dealer_id, unsigned *registered)
{
  uint64_t dealer = hash_text(dealer_id);
  pthread_mutex_lock(&c->lock);
  const struct definitions_place *place = place_of(c, dealer);
  bool kept = place->dealer == dealer && place->until_ms > clock_mono_ms();
  if (kept)
    *registered = place->registered;
  pthread_mutex_unlock(&c->lock);
  return kept;
}

static void cache_put(struct definitions_cache *c, const char *dealer_id, unsigned registered)
{
  uint64_t dealer = hash_text(dealer_id);
  pthread_mutex_lock(&c->lock);
  *place_of(c, dealer) = (struct definitions_place){dealer, clock_mono_ms() + KEPT_MS, registered};
  pthread_mutex_unlock(&c->lock);
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
