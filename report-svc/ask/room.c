/* Two halves and a line. */
#include "report-svc/ask/room.h"

#include "common/base/mem.h"
#include "common/base/metrics.h"

void room_init(struct room *r, size_t max, struct metric *gauge)
{
  *r = (struct room){.half = max / 2, .gauge = gauge};
  pthread_mutex_init(&r->lock, NULL);
  metric_set(r->gauge, 0, NULL);
}

void room_end(struct room *r)
{
  pthread_mutex_destroy(&r->lock);
}

static size_t held(const struct room *r)
{
  return r->common + (r->turn == NULL ? 0 : r->turn->held);
}

size_t room_held(struct room *r)
{
  pthread_mutex_lock(&r->lock);
  size_t n = held(r);
  pthread_mutex_unlock(&r->lock);
  return n;
}

/* The lock is held. */
static void show(const struct room *r)
{
  metric_set(r->gauge, (double)held(r), NULL);
}

static bool hold(struct room_share *s, size_t bytes)
{
  struct room *r = s->room;
  pthread_mutex_lock(&r->lock);
  size_t half = r->turn == s ? s->held : r->common;
  bool fits = bytes <= r->half - half;
  if (fits) {
    s->held += bytes;
    r->common += r->turn == s ? 0 : bytes;
    show(r);
  }
  pthread_mutex_unlock(&r->lock);
  return fits;
}

static size_t in_steps(size_t bytes)
{
  return (bytes + ROOM_STEP - 1) / ROOM_STEP * ROOM_STEP;
}

bool room_take(struct room_share *s, size_t bytes)
{
  size_t most = s->room->half / ROOM_STEP * ROOM_STEP;
  s->full = false;
  if (bytes > most || s->used > most - bytes)
    return false;
  size_t used = s->used + bytes;
  s->full = used > s->held && !hold(s, in_steps(used) - s->held);
  if (!s->full)
    s->used = used;
  return !s->full;
}

enum err_code room_refused(const struct room_share *s, const char *too_large, struct err *e)
{
  if (!s->full)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large", "%s", too_large);
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "busy",
                 "other reports that are being put together take all memory for them; ask for "
                 "fewer dealers, dimensions or days at once, or filter, or try again in a moment");
}

void room_reuse(struct room_share *s, size_t bytes)
{
  s->used -= bytes < s->used ? bytes : s->used;
}

/* ------------------------------------------------------------------ the line */

/* Takes the first of the line when it is nobody's turn; NULL otherwise. The lock is held. */
static struct room_share *next_turn(struct room *r)
{
  struct room_share *s = r->first;
  if (r->turn != NULL || s == NULL)
    return NULL;
  r->first = s->next;
  r->last = r->first == NULL ? NULL : r->last;
  r->waiting--;
  r->turn = s;
  return s;
}

static void start(struct room_share *s)
{
  if (s != NULL)
    s->go(s->user);
}

void room_leave(struct room_share *s)
{
  struct room *r = s->room;
  pthread_mutex_lock(&r->lock);
  if (r->turn == s)
    r->turn = NULL;
  else
    r->common -= s->held;
  s->used = s->held = 0;
  s->full = false;
  struct room_share *next = next_turn(r);
  show(r);
  pthread_mutex_unlock(&r->lock);
  start(next);
}

bool room_wait(struct room_share *s, void (*go)(void *user), void *user)
{
  struct room *r = s->room;
  pthread_mutex_lock(&r->lock);
  bool waits = r->turn != s && r->waiting < ROOM_MAX_WAITING;
  struct room_share *next = NULL;
  if (waits) {
    s->go = go;
    s->user = user;
    s->next = NULL;
    *(r->last != NULL ? &r->last->next : &r->first) = s;
    r->last = s;
    r->waiting++;
    next = next_turn(r);
  }
  pthread_mutex_unlock(&r->lock);
  start(next);
  return waits;
}

bool room_cancel(struct room_share *s)
{
  struct room *r = s->room;
  struct room_share *before = NULL;
  pthread_mutex_lock(&r->lock);
  struct room_share *at = r->first;
  for (; at != NULL && at != s; at = at->next)
    before = at;
  if (at != NULL) {
    *(before != NULL ? &before->next : &r->first) = s->next;
    r->last = r->last == s ? before : r->last;
    r->waiting--;
  }
  pthread_mutex_unlock(&r->lock);
  return at != NULL;
}
