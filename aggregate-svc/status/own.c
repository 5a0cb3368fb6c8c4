/* GetStatus of aggregate-svc. */
#include "aggregate-svc/status/own.h"

#include "aggregate-svc/suspect/lately.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__AggregateStatus aggregate_status;
typedef Analytics__Aggregate__V1__CohortRelease release;
typedef Analytics__Aggregate__V1__SuspectDealer suspect;
typedef Analytics__Aggregate__V1__DealerFreshness freshness;
typedef Analytics__Auth__V1__AuthorizeStatusResponse sizes;

enum { ARENA_MAX = 8 << 20, DAY_S = 86400 };

/* -------------------------------------------------------------------------- cohorts */

static release *release_of(const struct disclosure_policy *policy,
                           const Analytics__Auth__V1__CohortSize *c, struct arena *arena)
{
  const struct disclosure_outlook size = {c->dealers, c->owners, c->isolates_dealers};
  release *r = ARENA_NEW(arena, release);
  if (r == NULL)
    return NULL;
  analytics__aggregate__v1__cohort_release__init(r);
  r->id = arena_strdup(arena, c->id);
  r->label = arena_strdup(arena, c->label);
  r->dealers = c->dealers;
  r->owners = c->owners;
  r->why_not = borrow_text(disclosure_cohort_withheld(policy, &size));
  r->released = r->why_not[0] == '\0';
  return r->id != NULL && r->label != NULL ? r : NULL;
}

static bool add_cohorts(aggregate_status *out, const struct disclosure_policy *policy,
                        const sizes *list, struct arena *arena)
{
  size_t n = list != NULL ? list->n_cohorts : 0;
  out->cohorts = ARENA_ARRAY(arena, release *, n);
  for (size_t i = 0; out->cohorts != NULL && i < n; i++) {
    out->cohorts[i] = release_of(policy, list->cohorts[i], arena);
    if (out->cohorts[i] == NULL)
      return false;
    out->n_cohorts++;
  }
  return out->cohorts != NULL;
}

/* -------------------------------------------------------------------------- suspects */

static suspect *suspect_of(struct lately_dealer *d, struct arena *arena)
{
  suspect *m = ARENA_NEW(arena, suspect);
  char **signs = ARENA_ARRAY(arena, char *, SUSPECT_CODES);
  if (m == NULL || signs == NULL)
    return NULL;
  analytics__aggregate__v1__suspect_dealer__init(m);
  m->dealer_id = d->dealer_id;
  m->seen_at = d->seen_at;
  m->signs = signs;
  for (size_t i = 0; i < SUSPECT_CODES; i++)
    if (d->signs & 1U << suspect_by_harm[i])
      signs[m->n_signs++] = borrow_text(suspect_name(suspect_by_harm[i]));
  return m;
}

static bool add_suspects(aggregate_status *out, struct suspect_lately *lately, struct arena *arena)
{
  size_t n = lately_count(lately);
  struct lately_dealer *list = ARENA_ARRAY(arena, struct lately_dealer, n);
  out->suspects = ARENA_ARRAY(arena, suspect *, n);
  if (list == NULL || out->suspects == NULL)
    return false;
  n = lately_list(lately, list, n, clock_unix_ms() / 1000);
  for (size_t i = 0; i < n; i++) {
    out->suspects[i] = suspect_of(&list[i], arena);
    if (out->suspects[i] == NULL)
      return false;
    out->n_suspects++;
  }
  return true;
}

/* ------------------------------------------------------------------------- freshness */

static char *date_text(int64_t day, struct arena *arena)
{
  char text[16];
  clock_format_date(day, text, sizeof(text));
  return arena_strdup(arena, text);
}

/* A period may end after today. */
static freshness *freshness_of(struct lately_dealer *d, int64_t today, struct arena *arena)
{
  freshness *m = ARENA_NEW(arena, freshness);
  if (m == NULL)
    return NULL;
  analytics__aggregate__v1__dealer_freshness__init(m);
  m->dealer_id = d->dealer_id;
  m->newest_day = date_text(d->reach.newest, arena);
  m->looked_through = date_text(d->reach.looked < today ? d->reach.looked : today, arena);
  return m->newest_day != NULL && m->looked_through != NULL ? m : NULL;
}

static bool add_freshness(aggregate_status *out, struct suspect_lately *lately, struct arena *arena)
{
  size_t n = lately_count(lately);
  struct lately_dealer *list = ARENA_ARRAY(arena, struct lately_dealer, n);
  out->freshness = ARENA_ARRAY(arena, freshness *, n);
  if (list == NULL || out->freshness == NULL)
    return false;
  int64_t now_s = clock_unix_ms() / 1000;
  n = lately_list_reach(lately, list, n, now_s);
  for (size_t i = 0; i < n; i++) {
    out->freshness[i] = freshness_of(&list[i], now_s / DAY_S, arena);
    if (out->freshness[i] == NULL)
      return false;
    out->n_freshness++;
  }
  return true;
}

/* -------------------------------------------------------------------------- the rest */

static bool add_releases(aggregate_status *out, struct release_store *store, struct arena *arena)
{
  struct release_store_state state = {.kind = "none", .cells = -1};
  out->releases = ARENA_NEW(arena, Analytics__Aggregate__V1__ReleaseStore);
  if (out->releases == NULL)
    return false;
  if (store != NULL)
    release_store_look(store, &state);
  analytics__aggregate__v1__release_store__init(out->releases);
  out->releases->kind = borrow_text(state.kind);
  out->releases->healthy = state.healthy;
  out->releases->cells = state.cells;
  return true;
}

static bool fill(aggregate_status *out, struct aggregate_service *s, const sizes *list,
                 const struct err *unknown, struct arena *arena)
{
  out->cohorts_unknown =
      unknown->code != ERR_OK ? arena_strdup(arena, unknown->message) : out->cohorts_unknown;
  out->service = status_service(&s->self, arena);
  return out->service != NULL && out->cohorts_unknown != NULL &&
         add_cohorts(out, &s->options.policy, list, arena) && add_suspects(out, s->lately, arena) &&
         add_freshness(out, s->lately, arena) && add_releases(out, s->store, arena);
}

aggregate_status *status_own(struct aggregate_service *s, struct rpc_call *call,
                             struct arena *arena, struct err *e)
{
  sizes *list = NULL;
  struct err unknown = {0};
  const struct status_gate gate = {s->auth, s->gateway_identity};
  if (status_authorize_with_cohorts(&gate, call, &list, &unknown, e) != ERR_OK)
    return NULL;
  aggregate_status *out = ARENA_NEW(arena, aggregate_status);
  if (out != NULL)
    analytics__aggregate__v1__aggregate_status__init(out);
  if (out != NULL && !fill(out, s, list, &unknown, arena))
    out = NULL;
  if (list != NULL)
    protobuf_c_message_free_unpacked(&list->base, NULL);
  if (out == NULL)
    err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the status");
  return out;
}

void status_own_handle(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct err e = {0};
  struct arena *arena = arena_new(ARENA_MAX);
  (void)request;
  aggregate_status *out = status_own(user, call, arena, &e);
  if (out != NULL)
    rpc_call_reply(call, &out->base);
  else
    rpc_call_finish(call, &e);
  arena_free(arena);
}

void status_own_gauges(void *user)
{
  struct aggregate_service *s = user;
  size_t n = lately_count(s->lately);
  AUTO_FREE struct lately_dealer *list = xcalloc(n + 1, sizeof(*list));
  metric_set(metrics_gauge("aggregate_suspect_dealers",
                           "Dealers whose data an answer of the last 24 hours found suspect.",
                           NULL),
             (double)lately_list(s->lately, list, n, clock_unix_ms() / 1000), NULL);
}
