/* Asks report-svc which vehicle parameters properties have registered, and keeps the answers.
 *
 * A window of unary calls: each one that ends starts the next. One lock covers the window and the
 * cohort's members; `running` counts the calls under way and one for the start itself, so that
 * `finished` runs once, after the last, without the lock. */
#include "aggregate-svc/call/definitions.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/rpc/grant_reasons.h"

typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsRequest Request;
typedef Analytics__Report__V1__GetCustomDimensionsAndMetricsResponse Response;

enum { DEFINITIONS_MAGIC = 0x446546e1, QUESTION_MAGIC = 0x51755374, KEPT_MS = 24 * 3600 * 1000 };

/* The question about one dealer. */
struct question {
  uint32_t magic;
  struct definitions *all;
  struct cohort_member *member;
  struct rpc_client_call *call;
};

struct definitions {
  uint32_t magic;
  struct definitions_options options;
  void (*finished)(void *user, const struct err *status);
  void *user;
  pthread_mutex_t lock;
  struct question *questions;
  size_t n, next, running;
  struct err fatal;
};

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

static bool cache_get(struct definitions_cache *c, const char *dealer_id, unsigned *registered)
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
                    {"customEvent:item_fuel_type", VEHICLE_PARAMETER_FUEL}};
  unsigned bits = 0;
  for (size_t i = 0; i < r->n_custom_dimensions; i++)
    for (size_t k = 0; k < ARRAY_LEN(parameters); k++)
      if (strcmp(r->custom_dimensions[i]->api_name, parameters[k].name) == 0)
        bits |= parameters[k].bit;
  return bits;
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  unsigned registered = registered_in((const Response *)message);
  pthread_mutex_lock(&q->all->lock);
  q->member->vehicles.registered = registered;
  pthread_mutex_unlock(&q->all->lock);
  cache_put(q->all->options.cache, q->member->dealer_id, registered);
  return true;
}

/* The lock is held. */
static void fail_member(struct definitions *d, struct cohort_member *m, const struct err *e)
{
  m->state = DEALER_FAILED;
  m->code = e->code;
  text_copy(m->reason, sizeof(m->reason), e->reason[0] != '\0' ? e->reason : "failed");
  text_copy(m->message, sizeof(m->message), e->message);
  if (grant_is_over(e) && d->fatal.code == ERR_OK)
    d->fatal = *e;
}

static void on_done(void *user, const struct err *status);

/* Starts questions while the window has room. The lock is held. */
static void start_next(struct definitions *d)
{
  while (d->next < d->n && d->running <= DEFINITIONS_AT_ONCE && d->fatal.code == ERR_OK) {
    struct question *q = &d->questions[d->next++];
    struct err e = {0};
    int64_t left = d->options.deadline_ms - clock_mono_ms();
    Request request = ANALYTICS__REPORT__V1__GET_CUSTOM_DIMENSIONS_AND_METRICS_REQUEST__INIT;
    request.dealer_id = borrow_text(q->member->dealer_id);
    struct rpc_client_options options = {.timeout_ms = left < 1 ? 1 : (uint32_t)left,
                                         .parent = d->options.parent};
    struct rpc_client_callbacks callbacks = {on_message, on_done};
    if (rpc_client_start(&q->call, d->options.report,
                         &analytics__report__v1__report_service__descriptor,
                         "GetCustomDimensionsAndMetrics", RPC_UNARY, &request.base, &options,
                         &callbacks, q, &e) == ERR_OK)
      d->running++;
    else
      fail_member(d, q->member, &e);
  }
}

static void let_go(struct definitions *d)
{
  pthread_mutex_lock(&d->lock);
  start_next(d);
  bool last = --d->running == 0;
  struct err status = d->fatal;
  pthread_mutex_unlock(&d->lock);
  if (last)
    d->finished(d->user, &status);
}

static void on_done(void *user, const struct err *status)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  if (status->code != ERR_OK) {
    pthread_mutex_lock(&q->all->lock);
    fail_member(q->all, q->member, status);
    pthread_mutex_unlock(&q->all->lock);
  }
  let_go(q->all);
}

/* Whether a dealer must be asked about; what is kept of it is filled in. */
static bool is_open(const struct definitions_options *o, struct cohort_member *m)
{
  bool configured = m->vehicles.make[0] != '\0' && m->vehicles.model[0] != '\0';
  return m->visible && m->state == DEALER_PENDING && !configured &&
         !cache_get(o->cache, m->dealer_id, &m->vehicles.registered);
}

void definitions_find(struct definitions **out, const struct definitions_options *options,
                      void (*finished)(void *user, const struct err *status), void *user)
{
  struct definitions *d = xcalloc(1, sizeof(*d));
  d->magic = DEFINITIONS_MAGIC;
  d->options = *options;
  d->finished = finished;
  d->user = user;
  d->questions = xcalloc(options->cohort->n + 1, sizeof(*d->questions));
  pthread_mutex_init(&d->lock, NULL);
  for (size_t i = 0; i < options->cohort->n; i++) {
    struct cohort_member *m = &options->cohort->members[i];
    if (is_open(options, m))
      d->questions[d->n++] = (struct question){QUESTION_MAGIC, d, m, NULL};
  }
  *out = d;
  d->running = 1;
  let_go(d);
}

void definitions_free(struct definitions *d)
{
  if (d == NULL)
    return;
  MAGIC_CHECK(d, DEFINITIONS_MAGIC);
  for (size_t i = 0; i < d->n; i++)
    rpc_client_release(d->questions[i].call);
  free(d->questions);
  pthread_mutex_destroy(&d->lock);
  d->magic = 0;
  free(d);
}
