/* A request's place: local, then of all replicas. See place.h. */
#include "report-svc/google/place.h"

#include "common/base/clock.h"
#include "common/base/random.h"
#include "report-svc/google/google_impl.h"

/* Between two questions for a place while all are taken. */
enum { ASK_AGAIN_MIN_MS = 20, ASK_AGAIN_MAX_MS = 80 };
/* Who knows that all places are taken lets so many answers be late. */
enum { MAX_LATE = 5 };

static void ask_shared(void *arg);

static void refuse(struct place *p, const struct err *e)
{
  governor_release(p->google->governor, &p->ticket);
  p->on_admitted(p->user, e);
}

static void admit(struct place *p)
{
  static const struct err ok = {0};
  p->on_admitted(p->user, &ok);
}

static void on_wait(void *user)
{
  struct place *p = user;
  if (p->on_wait != NULL)
    p->on_wait(p->user);
}

static void ask_again(struct place *p)
{
  struct err e;
  on_wait(p);
  uint32_t wait =
      ASK_AGAIN_MIN_MS + (uint32_t)random_below(ASK_AGAIN_MAX_MS - ASK_AGAIN_MIN_MS + 1);
  if (clock_mono_ms() + wait >= p->deadline_ms)
    governor_too_late(p->google->governor, &e);
  else if (http_client_after(p->google->options.http, wait, ask_shared, p) == ERR_OK)
    return;
  else
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "busy",
            "too many reports wait for Google already; try "
            "again in a minute");
  refuse(p, &e);
}

/* What the other replicas know becomes known here, which says it in words. */
static void learn(struct place *p, const struct shared_decision *d)
{
  struct budget *b = p->google->budget;
  int64_t now = clock_unix_ms();
  if (d->verdict == SHARED_SERVER_ERRORS)
    budget_learn_held(b, p->key, d->until_ms);
  else if (d->until_ms > 0)
    budget_learn_gone(b, p->key, d->until_ms, d->day, now);
}

/* Whether to ask again although there was no answer: it was only late. */
static bool may_wait(struct place *p, const struct shared_decision *d)
{
  if (d->verdict != SHARED_AWAY) {
    p->full = d->verdict == SHARED_FULL;
    p->late = 0;
    return false;
  }
  return p->full && shared_is_up(p->google->options.shared) && ++p->late <= MAX_LATE;
}

static void on_decision(void *user, const struct shared_decision *d)
{
  struct place *p = user;
  struct err e = {0};
  bool wait = may_wait(p, d);
  learn(p, d);
  if (d->verdict == SHARED_GRANTED)
    admit(p);
  else if (d->verdict == SHARED_FULL || wait)
    ask_again(p);
  else if (budget_admit(p->google->budget, p->key, clock_unix_ms(), &e) != ERR_OK)
    refuse(p, &e);
  else if (d->verdict == SHARED_AWAY)
    admit(p);
  else
    ask_again(p); /* the time it names has come meanwhile */
}

static void ask_shared(void *arg)
{
  struct place *p = arg;
  const struct google *g = p->google;
  size_t guests = g->options.benchmark_places;
  const struct shared_limits limits = {GOOGLE_PLACES,
                                       guests == 0 ? GOOGLE_PLACES : (uint32_t)guests,
                                       g->options.budget.server_errors, g->options.budget.probe_ms};
  struct err e;
  if (atomic_load(&p->cancelled)) {
    err_set(&e, ERR_CANCELLED, "cancelled", "the request was cancelled");
    refuse(p, &e);
    return;
  }
  shared_take_place(g->options.shared, &p->shared, p->key, p->guest, &limits, on_decision, p);
}

static void on_local(void *user, const struct err *e)
{
  struct place *p = user;
  if (e->code == ERR_OK && p->google->options.shared != NULL)
    ask_shared(p);
  else
    p->on_admitted(p->user, e);
}

void place_acquire(struct place *p)
{
  atomic_store(&p->cancelled, false);
  p->full = false;
  p->late = 0;
  p->ticket.on_admitted = on_local;
  p->ticket.on_wait = on_wait;
  p->ticket.user = p;
  p->ticket.deadline_ms = p->deadline_ms;
  p->ticket.guest = p->guest;
  governor_acquire(p->google->governor, &p->ticket, p->key);
  google_watch_queue(p->google);
}

bool place_cancel(struct place *p)
{
  atomic_store(&p->cancelled, true);
  return governor_cancel(p->google->governor, &p->ticket);
}

void place_release(struct place *p)
{
  shared_give_place(&p->shared); /* first: the next one here may ask for it at once */
  governor_release(p->google->governor, &p->ticket);
}
