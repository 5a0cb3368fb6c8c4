/* The phase PLACE of a call: whether its property's quota leaves a request, and the governor's
 * queue. */
#include "common/base/clock.h"
#include "report-svc/google/call_impl.h"

static void on_place(void *user, const struct err *e)
{
  struct google_call *c = user;
  MAGIC_CHECK(c, CALL_MAGIC);
  if (e->code == ERR_OK)
    call_start_transfer(c);
  else
    call_finish(c, e);
}

/* Takes a ticket back that a cancel missed because it was not queued yet, or finds it. */
void call_leave_queue(struct google_call *c)
{
  if (place_cancel(&c->place))
    call_finish_cancelled(c);
}

/* Whether the property's quota, and for another owner's property the shares of benchmarks, leave a
 * request. A request that is tried again was counted when it was first. */
static enum err_code admit(const struct google_call *c, struct err *e)
{
  struct google *g = c->google;
  int64_t now = clock_unix_ms();
  enum err_code code = shared_is_up(g->options.shared)
                           ? budget_admit_errors(g->budget, c->target.key, now, e)
                           : budget_admit(g->budget, c->target.key, now, e);
  if (code != ERR_OK || !c->token->opaque)
    return code;
  code = budget_admit_benchmark(g->budget, c->target.key, now, e);
  if (code != ERR_OK)
    benchmark_refused(g->benchmark, c->token->principal, "property_tokens", now);
  else if (c->attempts == 0)
    code = benchmark_admit(g->benchmark, c->token->principal, now, e);
  return code;
}

void call_seek_place(struct google_call *c)
{
  struct err e = {0};
  if (!call_enter(c, PHASE_PLACE)) {
    call_finish_cancelled(c);
    return;
  }
  if (admit(c, &e) != ERR_OK) {
    call_finish(c, &e);
    return;
  }
  google_call_ref(c); /* on_place may end the call before place_acquire() returns */
  c->place.google = c->google;
  c->place.key = c->target.key;
  c->place.on_admitted = on_place;
  c->place.on_wait = call_waits;
  c->place.user = c;
  c->place.deadline_ms = c->options.deadline_ms;
  c->place.guest = c->token->opaque;
  place_acquire(&c->place);
  pthread_mutex_lock(&c->lock);
  bool cancelled = c->cancelled;
  pthread_mutex_unlock(&c->lock);
  if (cancelled)
    call_leave_queue(c);
  google_call_unref(c);
}
