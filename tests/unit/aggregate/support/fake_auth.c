/* auth-svc's stand-in. */
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/fakes.h"

typedef Analytics__Auth__V1__ResolveCohortRequest ResolveRequest;
typedef Analytics__Auth__V1__ResolveCohortResponse ResolveResponse;
typedef Analytics__Auth__V1__CohortMember CohortMember;
typedef Analytics__Auth__V1__Dealer Dealer;

static void fill_dealer(Dealer *out, const struct fake_dealer *d)
{
  analytics__auth__v1__dealer__init(out);
  out->dealer_id = (char *)d->id;
  out->name = (char *)d->name;
  out->region = (char *)"West";
  out->lead_event = (char *)d->lead_event;
}

static bool auth_refuses(struct fake_world *w, struct rpc_call *call)
{
  pthread_mutex_lock(&w->lock); /* sees what the test changed before the call */
  struct err e = w->auth_error;
  pthread_mutex_unlock(&w->lock);
  if (e.code == ERR_OK)
    return false;
  rpc_call_finish(call, &e);
  return true;
}

static bool is_asked(const ResolveRequest *r, const struct fake_dealer *d)
{
  for (size_t i = 0; i < r->n_dealer_ids; i++)
    if (strcmp(r->dealer_ids[i], d->id) == 0)
      return true;
  return r->n_dealer_ids == 0;
}

static void resolve_cohort(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  const ResolveRequest *r = (const ResolveRequest *)message;
  if (auth_refuses(w, call))
    return;
  ResolveResponse out = ANALYTICS__AUTH__V1__RESOLVE_COHORT_RESPONSE__INIT;
  CohortMember members[FAKE_DEALERS], *list[FAKE_DEALERS];
  Dealer dealers[FAKE_DEALERS];
  out.cohort_id = (char *)"region:west@v1";
  out.label = (char *)"West";
  out.subject_index = -1;
  out.members = list;
  out.sealed_benchmark.data = (uint8_t *)FAKE_BENCHMARK_GRANT;
  out.sealed_benchmark.len = sizeof(FAKE_BENCHMARK_GRANT);
  Analytics__Auth__V1__ReleaseScope scope = ANALYTICS__AUTH__V1__RELEASE_SCOPE__INIT;
  scope.cohort = (char *)"west";
  scope.version = (char *)"v1";
  scope.view = (char *)"view";
  scope.viewer = (char *)"viewer";
  out.release_scope = &scope;
  for (size_t i = 0; i < w->n; i++) {
    const struct fake_dealer *d = &w->dealers[i];
    if (!is_asked(r, d))
      continue;
    CohortMember *m = list[out.n_members] = &members[i];
    analytics__auth__v1__cohort_member__init(m);
    m->dealer_ref = (char *)d->ref;
    m->visible = d->visible;
    m->owner_ref = (char *)d->owner;
    m->lead_event = (char *)d->lead_event;
    fill_dealer(&dealers[i], d);
    m->dealer = d->visible ? &dealers[i] : NULL;
    if (strcmp(r->subject_dealer_id, d->id) == 0)
      out.subject_index = (int32_t)out.n_members;
    out.n_members++;
  }
  rpc_call_reply(call, &out.base);
}

static void list_dealers(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct fake_world *w = service;
  (void)message;
  if (auth_refuses(w, call))
    return;
  Analytics__Auth__V1__ListDealersResponse out = ANALYTICS__AUTH__V1__LIST_DEALERS_RESPONSE__INIT;
  Dealer dealers[FAKE_DEALERS], *list[FAKE_DEALERS];
  out.dealers = list;
  for (size_t i = 0; i < w->n; i++) {
    if (!w->dealers[i].visible)
      continue;
    fill_dealer(&dealers[i], &w->dealers[i]);
    list[out.n_dealers++] = &dealers[i];
  }
  out.total = (int32_t)out.n_dealers;
  rpc_call_reply(call, &out.base);
}

static const struct rpc_method methods[] = {
    {"ResolveCohort", RPC_UNARY, RPC_ON_POLLER, resolve_cohort},
    {"ListDealers", RPC_UNARY, RPC_ON_POLLER, list_dealers},
};

const struct fake_service fake_auth = {&analytics__auth__v1__auth_service__descriptor, methods,
                                       ARRAY_LEN(methods)};
