/* How much one caller may use. */
#include "gateway/share/share.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { MINUTE_MS = 60000, SOON_MS = 1000 };

/* So many per minute, and as many at once. */
struct bucket {
  double tokens;
  int64_t at_ms;
};

/* A caller's turns of one kind, in the order in which they came. */
struct line {
  struct share *share;
  size_t running, max_running;
  struct share_turn *first, **last;
  bool waiting; /* one of those that take turns */
  struct line *next;
};

struct share {
  struct shares *owner;
  char *principal, *label;
  size_t refs; /* all guarded by the owner's lock */
  size_t calls, body_bytes, answer_bytes;
  struct bucket call_rate, request_rate;
  int64_t idle_since_ms, logged_ms;
  size_t refused; /* since the last log line */
  struct line lines[SHARE_KINDS];
  struct map_node in_map;
  struct lru_node in_idle; /* while refs is 0 */
};

struct shares {
  struct share_limits limits;
  pthread_mutex_t lock;
  struct map map;
  struct lru idle;
  size_t running, body_bytes, answer_bytes;
  struct line *waiting, **waiting_end;   /* lines with turns, next one first */
  struct share_turn *ready, **ready_end; /* turns that were given, not run yet */
  bool dispatching;                      /* a thread runs them */
  struct metric *refusals;
};

static const struct {
  const char *label, *text;
} causes[SHARE_CAUSES] = {
    [SHARE_GRANTED] = {"granted", "granted"},
    [SHARE_CALLS] = {"calls", "Too many calls of this caller are under way"},
    [SHARE_CALL_RATE] = {"call_rate", "Too many calls of this caller in one minute"},
    [SHARE_REQUEST_RATE] = {"request_rate", "Too many requests of this caller in one minute"},
    [SHARE_BODIES] = {"bodies", "Too many bytes of large requests at once"},
    [SHARE_ANSWERS] = {"answers", "Too many bytes of answers wait to be read"},
    [SHARE_STRANGERS] = {"strangers", "Too many unknown bearers from this address in one minute"},
};

const char *share_cause_text(enum share_cause cause)
{
  return causes[cause].text;
}

/* --------------------------------------------------------------- lifetime */

static void set_default(size_t *value, size_t fallback)
{
  if (*value == 0)
    *value = fallback;
}

static void set_defaults(struct share_limits *l)
{
  const size_t mib = (size_t)1024 * 1024;
  set_default(&l->calls, 256);
  set_default(&l->calls_per_minute, 3000);
  set_default(&l->requests_per_minute, 12000);
  set_default(&l->body_bytes, 64 * mib);
  set_default(&l->answer_bytes, 64 * mib);
  set_default(&l->running, 32);
  set_default(&l->running_long, 4);
  set_default(&l->all_running, 128);
  set_default(&l->all_answer_bytes, 512 * mib);
  set_default(&l->principals, 10000);
  if (l->now_ms == NULL)
    l->now_ms = clock_mono_ms;
}

struct shares *shares_new(const struct share_limits *limits)
{
  struct shares *s = xcalloc(1, sizeof(*s));
  s->limits = *limits;
  set_defaults(&s->limits);
  pthread_mutex_init(&s->lock, NULL);
  s->idle = LRU_INIT(s->limits.principals);
  s->waiting_end = &s->waiting;
  s->ready_end = &s->ready;
  s->refusals =
      metrics_counter("gateway_share_refusals_total",
                      "What was refused because a caller's share was used up.", "cause", NULL);
  return s;
}

static void drop_locked(struct shares *s, struct share *share)
{
  lru_remove(&s->idle, &share->in_idle);
  map_remove(&s->map, &share->in_map);
  free(share->principal);
  free(share->label);
  free(share);
}

static struct share *oldest_idle(const struct shares *s)
{
  return CONTAINER_OF(s->idle.oldest, struct share, in_idle);
}

void shares_free(struct shares *s)
{
  if (s == NULL)
    return;
  while (s->idle.oldest != NULL)
    drop_locked(s, oldest_idle(s));
  map_free(&s->map);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

size_t shares_count(struct shares *s)
{
  pthread_mutex_lock(&s->lock);
  size_t n = s->map.n;
  pthread_mutex_unlock(&s->lock);
  return n;
}

static void open_line(struct share *share, enum share_kind kind, size_t max_running)
{
  struct line *line = &share->lines[kind];
  *line = (struct line){.share = share, .max_running = max_running, .last = &line->first};
}

static struct share *add_locked(struct shares *s, const char *principal, const char *label)
{
  int64_t now = s->limits.now_ms();
  struct share *share = xcalloc(1, sizeof(*share));
  share->owner = s;
  share->principal = xstrdup(principal);
  share->label = xstrdup(label);
  share->call_rate = (struct bucket){(double)s->limits.calls_per_minute, now};
  share->request_rate = (struct bucket){(double)s->limits.requests_per_minute, now};
  share->logged_ms = now - MINUTE_MS;
  open_line(share, SHARE_SHORT, s->limits.running);
  open_line(share, SHARE_LONG, s->limits.running_long);
  map_add_text(&s->map, &share->in_map, share->principal);
  return share;
}

struct share *share_of(struct shares *s, const char *principal, const char *label)
{
  pthread_mutex_lock(&s->lock);
  struct map_node *found = map_find_text(&s->map, principal);
  struct share *share = CONTAINER_OF(found, struct share, in_map);
  if (share == NULL)
    share = add_locked(s, principal, label);
  else if (share->refs == 0)
    lru_remove(&s->idle, &share->in_idle);
  share->refs++;
  pthread_mutex_unlock(&s->lock);
  return share;
}

void share_ref(struct share *share)
{
  if (share == NULL)
    return;
  pthread_mutex_lock(&share->owner->lock);
  share->refs++;
  pthread_mutex_unlock(&share->owner->lock);
}

/* A minute without use: its buckets are full again, as a new one's. */
static void forget_idle_locked(struct shares *s, int64_t now)
{
  struct lru_node *excess;
  while ((excess = lru_excess(&s->idle, 1)) != NULL)
    drop_locked(s, CONTAINER_OF(excess, struct share, in_idle));
  while (s->idle.oldest != NULL && now - oldest_idle(s)->idle_since_ms > MINUTE_MS)
    drop_locked(s, oldest_idle(s));
}

static void unref_locked(struct share *share)
{
  struct shares *s = share->owner;
  if (--share->refs > 0)
    return;
  int64_t now = s->limits.now_ms();
  forget_idle_locked(s, now);
  share->idle_since_ms = now;
  lru_add(&s->idle, &share->in_idle, 1);
}

void share_unref(struct share *share)
{
  if (share == NULL)
    return;
  struct shares *s = share->owner;
  pthread_mutex_lock(&s->lock);
  unref_locked(share);
  pthread_mutex_unlock(&s->lock);
}

/* --------------------------------------------------------------- refusals */

static enum share_cause refuse_locked(struct share *share, enum share_cause cause)
{
  int64_t now = share->owner->limits.now_ms();
  metric_add(share->owner->refusals, 1, METRIC_LABELS(causes[cause].label));
  share->refused++;
  if (now - share->logged_ms < MINUTE_MS)
    return cause;
  log_warn("share used up", LOG_S("principal", share->label), LOG_S("cause", causes[cause].label),
           LOG_I("refused", share->refused));
  share->logged_ms = now;
  share->refused = 0;
  return cause;
}

/* Takes a token. False: *retry_ms says when there will be one. */
static bool take_token(struct bucket *b, size_t per_minute, int64_t now, int64_t *retry_ms)
{
  static const double whole = 1 - 1e-9; /* what rounding leaves of a token */
  b->tokens += (double)(now - b->at_ms) * (double)per_minute / MINUTE_MS;
  if (b->tokens > (double)per_minute)
    b->tokens = (double)per_minute;
  b->at_ms = now;
  if (b->tokens >= whole) {
    b->tokens -= 1;
    return true;
  }
  double wait = (1 - b->tokens) * MINUTE_MS / (double)per_minute;
  *retry_ms = (int64_t)wait + ((double)(int64_t)wait < wait);
  return false;
}

enum share_cause share_request(struct share *share, int64_t *retry_ms)
{
  if (share == NULL)
    return SHARE_GRANTED;
  struct shares *s = share->owner;
  enum share_cause cause = SHARE_GRANTED;
  pthread_mutex_lock(&s->lock);
  if (!take_token(&share->request_rate, s->limits.requests_per_minute, s->limits.now_ms(),
                  retry_ms))
    cause = refuse_locked(share, s->limits.addresses ? SHARE_STRANGERS : SHARE_REQUEST_RATE);
  pthread_mutex_unlock(&s->lock);
  return cause;
}

/* ------------------------------------------------------------------ turns */

static bool may_run(const struct line *line)
{
  const struct shares *s = line->share->owner;
  return s->running < s->limits.all_running && line->running < line->max_running;
}

static void start_locked(struct line *line, struct share_turn *turn)
{
  turn->running = true;
  line->running++;
  line->share->owner->running++;
}

static void begin_waiting_locked(struct line *line)
{
  struct shares *s = line->share->owner;
  if (line->waiting)
    return;
  line->waiting = true;
  line->next = NULL;
  *s->waiting_end = line;
  s->waiting_end = &line->next;
}

static void end_waiting_locked(struct shares *s, struct line **at)
{
  struct line *line = *at;
  *at = line->next;
  if (s->waiting_end == &line->next)
    s->waiting_end = at;
  line->waiting = false;
}

static void add_turn_locked(struct line *line, struct share_turn *turn)
{
  turn->next = NULL;
  *line->last = turn;
  line->last = &turn->next;
  begin_waiting_locked(line);
}

static struct share_turn *take_turn_locked(struct line *line, struct share_turn **at)
{
  struct share_turn *turn = *at;
  *at = turn->next;
  if (line->last == &turn->next)
    line->last = at;
  turn->next = NULL;
  return turn;
}

/* The turn that runs next: of the first line that may run one; that line goes to the end of them.
 * NULL when none may. */
static struct share_turn *next_turn_locked(struct shares *s)
{
  struct line **at = &s->waiting;
  while (*at != NULL && ((*at)->first == NULL || !may_run(*at))) {
    if ((*at)->first == NULL)
      end_waiting_locked(s, at); /* its turns were called off */
    else
      at = &(*at)->next;
  }
  struct line *line = *at;
  if (line == NULL)
    return NULL;
  end_waiting_locked(s, at);
  struct share_turn *turn = take_turn_locked(line, &line->first);
  if (line->first != NULL)
    begin_waiting_locked(line);
  start_locked(line, turn);
  return turn;
}

/* Runs what is ready. One thread at a time, so that a call which ends while it begins does not
 * begin the next inside of itself, and so on. The lock is held, and let go meanwhile. */
static void run_ready_locked(struct shares *s)
{
  if (s->dispatching)
    return;
  s->dispatching = true;
  while (s->ready != NULL) {
    struct share_turn *turn = s->ready;
    s->ready = turn->next;
    if (s->ready == NULL)
      s->ready_end = &s->ready;
    pthread_mutex_unlock(&s->lock);
    turn->run(turn);
    pthread_mutex_lock(&s->lock);
  }
  s->dispatching = false;
}

static void start_next_locked(struct shares *s)
{
  struct share_turn *turn = next_turn_locked(s);
  if (turn == NULL)
    return;
  *s->ready_end = turn;
  s->ready_end = &turn->next;
  run_ready_locked(s);
}

static enum share_cause admit_locked(struct share *share, int64_t *retry_ms)
{
  const struct share_limits *l = &share->owner->limits;
  *retry_ms = SOON_MS;
  if (share->calls >= l->calls)
    return refuse_locked(share, SHARE_CALLS);
  if (!take_token(&share->call_rate, l->calls_per_minute, l->now_ms(), retry_ms))
    return refuse_locked(share, SHARE_CALL_RATE);
  return SHARE_GRANTED;
}

enum share_cause share_call_begin(struct share *share, struct share_turn *turn,
                                  enum share_kind kind, void (*run)(struct share_turn *turn),
                                  int64_t *retry_ms)
{
  *turn = (struct share_turn){.run = run, .kind = kind};
  if (share == NULL) {
    run(turn);
    return SHARE_GRANTED;
  }
  struct shares *s = share->owner;
  struct line *line = &share->lines[kind];
  pthread_mutex_lock(&s->lock);
  enum share_cause cause = admit_locked(share, retry_ms);
  bool now = cause == SHARE_GRANTED && line->first == NULL && may_run(line);
  if (cause == SHARE_GRANTED) {
    turn->share = share;
    share->calls++;
    share->refs++;
    if (now)
      start_locked(line, turn);
    else
      add_turn_locked(line, turn);
  }
  pthread_mutex_unlock(&s->lock);
  if (now)
    run(turn);
  return cause;
}

/* Takes a turn that waits out of its line. */
static void call_off_locked(struct line *line, struct share_turn *turn)
{
  struct share_turn **at = &line->first;
  while (*at != turn)
    at = &(*at)->next;
  take_turn_locked(line, at);
}

bool share_call_end(struct share_turn *turn)
{
  struct share *share = turn->share;
  if (share == NULL)
    return false;
  struct shares *s = share->owner;
  struct line *line = &share->lines[turn->kind];
  pthread_mutex_lock(&s->lock);
  bool called_off = !turn->running;
  turn->share = NULL;
  if (called_off) {
    call_off_locked(line, turn);
  } else {
    line->running--;
    s->running--;
  }
  share->calls--;
  unref_locked(share);
  start_next_locked(s);
  pthread_mutex_unlock(&s->lock);
  return called_off;
}

/* ------------------------------------------------------------------ bytes */

/* Takes bytes of a share and of all shares together. */
static enum share_cause take_bytes(struct share *share, size_t bytes, size_t *own, size_t own_max,
                                   size_t *all, size_t all_max, enum share_cause cause)
{
  enum share_cause result = SHARE_GRANTED;
  pthread_mutex_lock(&share->owner->lock);
  if (*own + bytes > own_max || *all + bytes > all_max) {
    result = refuse_locked(share, cause);
  } else {
    *own += bytes;
    *all += bytes;
  }
  pthread_mutex_unlock(&share->owner->lock);
  return result;
}

static void give_bytes(struct share *share, size_t bytes, size_t *own, size_t *all)
{
  pthread_mutex_lock(&share->owner->lock);
  *own -= bytes;
  *all -= bytes;
  pthread_mutex_unlock(&share->owner->lock);
}

enum share_cause share_body(struct share *share, size_t bytes)
{
  if (share == NULL)
    return SHARE_GRANTED;
  struct shares *s = share->owner;
  return take_bytes(share, bytes, &share->body_bytes, s->limits.body_bytes, &s->body_bytes,
                    SIZE_MAX, SHARE_BODIES);
}

void share_body_end(struct share *share, size_t bytes)
{
  if (share != NULL)
    give_bytes(share, bytes, &share->body_bytes, &share->owner->body_bytes);
}

enum share_cause share_answer(struct share *share, size_t bytes)
{
  if (share == NULL)
    return SHARE_GRANTED;
  struct shares *s = share->owner;
  return take_bytes(share, bytes, &share->answer_bytes, s->limits.answer_bytes, &s->answer_bytes,
                    s->limits.all_answer_bytes, SHARE_ANSWERS);
}

void share_answer_end(struct share *share, size_t bytes)
{
  if (share != NULL)
    give_bytes(share, bytes, &share->answer_bytes, &share->owner->answer_bytes);
}
