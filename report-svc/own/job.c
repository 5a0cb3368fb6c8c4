/* One batch per property, one after the other, then the join. See own.h.
 *
 * What a job holds is counted in its share of service->joins (ask/room.h). A job that finds no room
 * drops what it has, stands in line and begins again at its turn: Google is asked twice for it,
 * which happens to large reports only, and only while others are under way.
 *
 * One thread at a time drives a job: the callbacks of its asks. The lock guards only what
 * own_job_cancel() needs, which may come from any thread: the ask under way, and whether there
 * should be a further one. The chain holds a reference from start to on_done. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/ask/first_day.h"
#include "report-svc/own/impl.h"

#define OWN_MAGIC 0x6f776e21u

enum { JOB_ARENA = 96 * 1024 * 1024 };

typedef Analytics__Ga4__V1beta__ResponseMetaData metadata_message;
typedef Analytics__Ga4__V1beta__BatchRunReportsResponse batch_response;

struct own_job {
  unsigned magic;
  atomic_int refs;
  struct own_options options;
  struct arena *arena; /* plans, and the joined report */
  struct own_shape shape;
  struct own_plan plans[OWN_MAX_PROPERTIES];
  struct ask *asks[OWN_MAX_PROPERTIES];
  bool without_rows[OWN_MAX_PROPERTIES];
  size_t n;               /* asks made */
  struct room_share room; /* of the asks and the join */
  struct own_join join;
  metadata_message metadata;
  own_response *report;
  struct own_facts facts;

  pthread_mutex_t lock;
  struct ask *current; /* under way; guarded by the lock */
  bool cancelled;      /* guarded by the lock */
  bool waits;          /* in line for room, or was; guarded by the lock */
};

/* ------------------------------------------------------------------ life */

/* Nothing has been asked yet. */
static void begin(struct own_job *j)
{
  j->arena = arena_new(JOB_ARENA);
  j->join = (struct own_join){
      .asked = j->options.asked, .shape = &j->shape, .arena = j->arena, .room = &j->room};
  j->facts = (struct own_facts){0};
  analytics__ga4__v1beta__response_meta_data__init(&j->metadata);
}

struct own_job *own_job_new(const struct own_options *options)
{
  struct own_job *j = xcalloc(1, sizeof(*j));
  j->magic = OWN_MAGIC;
  atomic_init(&j->refs, 1);
  j->options = *options;
  j->room.room = &options->service->joins;
  begin(j);
  pthread_mutex_init(&j->lock, NULL);
  return j;
}

struct own_job *own_job_ref(struct own_job *j)
{
  atomic_fetch_add(&j->refs, 1);
  return j;
}

void own_job_unref(struct own_job *j)
{
  if (j == NULL || atomic_fetch_sub(&j->refs, 1) != 1)
    return;
  own_join_free(&j->join);
  for (size_t i = 0; i < j->n; i++)
    ask_unref(j->asks[i]);
  arena_free(j->arena);
  room_leave(&j->room);
  pthread_mutex_destroy(&j->lock);
  j->magic = 0;
  free(j);
}

const own_response *own_report(const struct own_job *j)
{
  return j->report;
}

const struct own_facts *own_facts(const struct own_job *j)
{
  return &j->facts;
}

const struct ask *own_ask(const struct own_job *j)
{
  return j->n > 0 ? j->asks[0] : NULL;
}

const struct ask *own_ask_of(const struct own_job *j, size_t i)
{
  return j->asks[i];
}

size_t own_without_rows(const struct own_job *j, size_t from)
{
  while (from < j->facts.properties && !j->without_rows[from])
    from++;
  return from;
}

void own_set_first_day(struct own_job *j, size_t i, int64_t day)
{
  ask_set_first_day(j->asks[i], day);
}

/* What no report is made of after an error goes at once, for others to have the room: the job may
 * be kept until a slow reader has heard of it. */
static void let_go(struct own_job *j)
{
  own_join_free(&j->join);
  for (size_t i = 0; i < j->n; i++)
    ask_drop_message(j->asks[i]);
  arena_free(TAKE_PTR(j->arena));
  room_leave(&j->room);
}

static void finish(struct own_job *j, const struct err *e)
{
  if (e->code != ERR_OK)
    let_go(j);
  j->options.on_done(j->options.user, j, e);
  own_job_unref(j); /* the chain's */
}

/* ------------------------------------------------------------------ one property */

/* Which of the dealer's properties are read: the named one, or all. */
static size_t properties_of(const struct own_job *j, const struct token *t)
{
  bool one = j->options.first_only || j->options.property_id[0] != '\0';
  return one || token_properties(t) == 0 ? 1 : token_properties(t);
}

static enum err_code on_token(void *user, const struct token *t, const char *property,
                              const ProtobufCMessage **body, struct err *e)
{
  struct own_job *j = user;
  struct own_plan *p = &j->plans[j->n - 1];
  MAGIC_CHECK(j, OWN_MAGIC);
  size_t n = properties_of(j, t);
  if (n > OWN_MAX_PROPERTIES)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "property_id: the dealer has %zu properties, more than the %d that are added "
                   "up; name one",
                   n, OWN_MAX_PROPERTIES);
  if (j->n == 1 && own_shape_make(&j->shape, j->options.asked, t, n > 1, e) != ERR_OK)
    return e->code;
  if (!own_plan_make(p, j->options.asked, &j->shape, t, &j->options.service->sites, property,
                     clock_unix_ms(), j->arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  *body = &p->body.base;
  return ERR_OK;
}

static void on_ask_done(void *user, struct ask *a, const struct err *status);

static void start_ask(struct own_job *j, const char *property_id)
{
  const struct own_options *o = &j->options;
  struct ask_options options = {.service = o->service,
                                .parent = o->parent,
                                .method = google_method(GOOGLE_BATCH_RUN_REPORTS),
                                .dealer_id = o->dealer_id,
                                .property_id = property_id,
                                .purpose = o->purpose,
                                .on_token = on_token,
                                .too_many = own_too_large,
                                .room = &j->room,
                                .on_done = on_ask_done,
                                .user = j};
  struct ask *a = ask_new(&options);
  j->asks[j->n++] = ask_ref(a);
  pthread_mutex_lock(&j->lock);
  j->current = ask_ref(a);
  bool cancelled = j->cancelled;
  pthread_mutex_unlock(&j->lock);
  if (cancelled)
    ask_cancel(a); /* before the start: ends it at once */
  ask_start(a);    /* j may be gone after this */
  ask_unref(a);
}

/* What limits one report limits the joined one. */
static void add_metadata(metadata_message *to, const metadata_message *m)
{
  if (m == NULL)
    return;
  if (to->time_zone[0] == '\0')
    to->time_zone = m->time_zone;
  if (to->currency_code[0] == '\0')
    to->currency_code = m->currency_code;
  if (to->n_sampling_metadatas == 0) {
    to->sampling_metadatas = m->sampling_metadatas;
    to->n_sampling_metadatas = m->n_sampling_metadatas;
  }
  if (to->n_data_truncation_reasons == 0) {
    to->data_truncation_reasons = m->data_truncation_reasons;
    to->n_data_truncation_reasons = m->n_data_truncation_reasons;
  }
  if (to->schema_restriction_response == NULL)
    to->schema_restriction_response = m->schema_restriction_response;
  to->subject_to_thresholding |= m->subject_to_thresholding;
  to->data_loss_from_other_row |= m->data_loss_from_other_row;
}

static bool needs(const struct own_job *j, enum own_part part)
{
  return (j->shape.parts & (1U << part)) != 0;
}

static enum err_code take(struct own_job *j, struct ask *a, struct err *e)
{
  struct own_plan *p = &j->plans[j->n - 1];
  const batch_response *batch = (const batch_response *)ask_message(a);
  const char *property = ask_property(a) + strlen("properties/");
  own_plan_resolve(p, ask_used_token(a), &j->options.service->sites, property, batch->reports);
  for (size_t i = 0; i < batch->n_reports; i++)
    if ((int)i != p->place[OWN_LOOK_BACK])
      add_metadata(&j->metadata, batch->reports[i]->metadata);
  j->without_rows[j->n - 1] =
      first_day_matters(j->options.asked, batch->reports[p->place[OWN_REPORT]], clock_unix_ms());
  j->facts.without_leads += p->lead_event == NULL;
  j->facts.without_shoppers += p->shopper == SHOPPER_UNKNOWN;
  return own_join_add(&j->join, p, batch->reports, e);
}

/* ------------------------------------------------------------------ the end */

/* Unknown is not 0: a count that no property knows is not given. */
static enum err_code check_known(const struct own_job *j, struct err *e)
{
  const struct own_facts *f = &j->facts;
  bool leads = needs(j, OWN_LEADS) || needs(j, OWN_LEAD_SESSIONS);
  if ((leads && f->without_leads == f->properties) ||
      (needs(j, OWN_FORMS) && j->plans[0].form_event == NULL && f->properties == 1))
    return err_set(e, ERR_FAILED_PRECONDITION, "no_lead_event",
                   "the number of leads is not known: the site fired none of asc_form_submission, "
                   "generate_lead and form_submit in 90 days; the operator can name the dealer's "
                   "lead_event, and GA4's own metrics can be asked for");
  if (needs(j, OWN_SHOPPER_SESSIONS) && f->without_shoppers == f->properties)
    return err_set(e, ERR_FAILED_PRECONDITION, "no_shopper_sessions",
                   "the number of shopper sessions is not known: the site reported no pages of "
                   "vehicles in 90 days; the operator can set the dealer's qualified_session");
  return ERR_OK;
}

static double total(const struct own_job *j, enum own_part part)
{
  double sum = 0;
  for (size_t i = 0; i < j->join.n; i++)
    for (size_t k = 0; k < OWN_MAX_RANGES; k++)
      if (j->join.combinations[i]->cells[k] != NULL)
        sum += j->join.combinations[i]->cells[k]->parts[part];
  return sum;
}

static void put_facts(struct own_job *j)
{
  struct own_facts *f = &j->facts;
  const struct own_plan *p = &j->plans[0];
  const struct token *t = ask_used_token(j->asks[0]);
  f->leads = needs(j, OWN_LEADS) || needs(j, OWN_LEAD_SESSIONS);
  f->shoppers = needs(j, OWN_SHOPPER_SESSIONS);
  f->calls = needs(j, OWN_CALLS) && total(j, OWN_CALLS) == 0;
  f->chats = needs(j, OWN_CHATS) && total(j, OWN_CHATS) == 0;
  f->some_chats = needs(j, OWN_CHATS) && !f->chats;
  f->lead_event = p->lead_event;
  f->configured = t->lead_event[0] != '\0';
  f->shopper = p->shopper;
  f->shopper_event = p->shopper_event;
  for (size_t i = 0; f->properties > 1 && i < j->shape.n; i++)
    if (j->shape.columns[i].own == NULL && j->shape.columns[i].merge == OWN_FIRST)
      f->first_only[f->n_first_only++] = j->shape.columns[i].name;
}

static enum err_code join(struct own_job *j, struct err *e)
{
  j->facts.properties = j->n;
  if (check_known(j, e) != ERR_OK)
    return e->code;
  put_facts(j);
  const batch_response *batch = (const batch_response *)ask_message(j->asks[0]);
  j->report = own_page(&j->join, batch->reports[0], j->options.all);
  if (j->report == NULL && j->join.full)
    return room_refused(&j->room, own_too_large, e);
  if (j->report == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                   "the answer is too large; use a smaller limit and page with offset");
  j->report->metadata = &j->metadata;
  return ERR_OK;
}

/* ------------------------------------------------------------------ in line for room */

static void on_turn(void *user)
{
  struct own_job *j = user;
  MAGIC_CHECK(j, OWN_MAGIC);
  start_ask(j, j->options.property_id);
}

/* Ends a job that waits; not one whose turn has come. */
static void stop_waiting(struct own_job *j)
{
  struct err e = {0};
  if (!room_cancel(&j->room))
    return;
  err_set(&e, ERR_CANCELLED, "cancelled", "the request was cancelled");
  finish(j, &e);
}

/* Forgets everything, and asks once more when there is room. False: it is not worth waiting. */
static bool wait_for_room(struct own_job *j)
{
  let_go(j);
  for (size_t i = 0; i < j->n; i++)
    ask_unref(j->asks[i]);
  j->n = 0;
  begin(j);
  own_job_ref(j);
  pthread_mutex_lock(&j->lock);
  j->waits = true;
  pthread_mutex_unlock(&j->lock);
  bool waits = room_wait(&j->room, on_turn, j);
  pthread_mutex_lock(&j->lock);
  bool cancelled = j->cancelled;
  pthread_mutex_unlock(&j->lock);
  if (waits && cancelled) /* before it stood in line */
    stop_waiting(j);
  own_job_unref(j);
  return waits;
}

static void on_ask_done(void *user, struct ask *a, const struct err *status)
{
  struct own_job *j = user;
  MAGIC_CHECK(j, OWN_MAGIC);
  struct err e = *status;
  pthread_mutex_lock(&j->lock);
  struct ask *current = TAKE_PTR(j->current);
  pthread_mutex_unlock(&j->lock);
  ask_unref(current);
  if (e.code == ERR_OK)
    take(j, a, &e);
  const struct token *t = ask_used_token(j->asks[0]);
  if (e.code == ERR_OK && j->n < properties_of(j, t)) {
    start_ask(j, t->property_ids[j->n]);
    return;
  }
  if (e.code == ERR_OK)
    join(j, &e);
  if (e.code != ERR_OK && j->room.full && wait_for_room(j))
    return;
  finish(j, &e);
}

void own_job_start(struct own_job *j)
{
  own_job_ref(j); /* the chain's */
  start_ask(j, j->options.property_id);
}

void own_job_cancel(struct own_job *j)
{
  MAGIC_CHECK(j, OWN_MAGIC);
  pthread_mutex_lock(&j->lock);
  j->cancelled = true;
  struct ask *a = j->current == NULL ? NULL : ask_ref(j->current);
  bool waits = j->waits && a == NULL;
  own_job_ref(j);
  pthread_mutex_unlock(&j->lock);
  if (a != NULL)
    ask_cancel(a);
  else if (waits)
    stop_waiting(j);
  own_job_unref(j);
  ask_unref(a);
}
