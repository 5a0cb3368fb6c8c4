/* A sum, a line, and a turn per fan-out. */
#include "report-svc/ask/intake.h"

#include "common/base/metrics.h"

void intake_init(struct intake *in, size_t max, struct metric *gauge)
{
  *in = (struct intake){.max = max, .gauge = gauge};
  pthread_mutex_init(&in->lock, NULL);
  metric_set(in->gauge, 0, NULL);
}

void intake_end(struct intake *in)
{
  pthread_mutex_destroy(&in->lock);
}

size_t intake_held(struct intake *in)
{
  pthread_mutex_lock(&in->lock);
  size_t n = in->held;
  pthread_mutex_unlock(&in->lock);
  return n;
}

static size_t in_steps(size_t bytes)
{
  return (bytes + INTAKE_STEP - 1) / INTAKE_STEP * INTAKE_STEP;
}

/* Whether the share may hold so much; counts it then. `first`: nobody waits before it. The lock is
 * held. */
static bool grant(struct intake_share *s, size_t bytes, bool first)
{
  struct intake_group *g = s->group;
  struct intake *in = g->intake;
  size_t more = bytes > s->held ? in_steps(bytes) - s->held : 0;
  bool fits = more == 0 || (first && in->held <= in->max && more <= in->max - in->held);
  if (!fits && g->turn == NULL)
    g->turn = s;
  if (!fits && g->turn != s)
    return false;
  s->held += more;
  in->held += more;
  if (more > 0)
    metric_set(in->gauge, (double)in->held, NULL);
  return true;
}

bool intake_take(struct intake_share *s, size_t bytes)
{
  struct intake *in = s->group->intake;
  pthread_mutex_lock(&in->lock);
  bool granted = grant(s, bytes, in->first == NULL);
  pthread_mutex_unlock(&in->lock);
  return granted;
}

bool intake_take_or_wait(struct intake_waiter *w)
{
  struct intake *in = w->share->group->intake;
  pthread_mutex_lock(&in->lock);
  bool granted = grant(w->share, w->bytes, in->first == NULL);
  if (!granted) {
    w->next = NULL;
    *(in->last != NULL ? &in->last->next : &in->first) = w;
    in->last = w;
  }
  pthread_mutex_unlock(&in->lock);
  return granted;
}

/* Takes those out of the line that may go on, in their order: who fits while nobody before it
 * waits, and whose dealer has the turn. The lock is held. */
static struct intake_waiter *take_ready(struct intake *in)
{
  struct intake_waiter *ready = NULL, **end = &ready, **at = &in->first;
  in->last = NULL;
  while (*at != NULL) {
    struct intake_waiter *w = *at;
    if (grant(w->share, w->bytes, at == &in->first)) {
      *at = w->next;
      w->next = NULL;
      *end = w;
      end = &w->next;
    } else {
      in->last = w;
      at = &w->next;
    }
  }
  return ready;
}

static void run(struct intake_waiter *ready)
{
  while (ready != NULL) { /* it may be gone after its go */
    struct intake_waiter *next = ready->next;
    ready->go(ready->user);
    ready = next;
  }
}

bool intake_forget(struct intake_waiter *w)
{
  if (w->share == NULL)
    return false;
  struct intake *in = w->share->group->intake;
  pthread_mutex_lock(&in->lock);
  struct intake_waiter *before = NULL, *at = in->first;
  for (; at != NULL && at != w; at = at->next)
    before = at;
  if (at != NULL) {
    *(before != NULL ? &before->next : &in->first) = w->next;
    in->last = in->last == w ? before : in->last;
  }
  struct intake_waiter *ready = at == NULL ? NULL : take_ready(in);
  pthread_mutex_unlock(&in->lock);
  run(ready);
  return at != NULL;
}

/* Gives the turn on, and with `back` what the share holds. */
static void give(struct intake_share *s, bool back)
{
  struct intake *in = s->group->intake;
  struct intake_waiter *ready = NULL;
  pthread_mutex_lock(&in->lock);
  bool turn = s->group->turn == s;
  if (turn)
    s->group->turn = NULL;
  if (back) {
    in->held -= s->held;
    s->held = 0;
    metric_set(in->gauge, (double)in->held, NULL);
  }
  if (turn || back)
    ready = take_ready(in);
  pthread_mutex_unlock(&in->lock);
  run(ready);
}

void intake_yield(struct intake_share *s)
{
  give(s, false);
}

void intake_leave(struct intake_share *s)
{
  give(s, true);
}
