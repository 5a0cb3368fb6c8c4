/* Sessions of the initialize era: a hash table with a list in order of last use. */
#include "gateway/mcp/session.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "gateway/mcp/call.h"

enum { BUCKETS = 4096 };

struct mcp_sessions {
  pthread_mutex_t lock;
  size_t max, count;
  int64_t idle_ms;
  struct mcp_session *oldest, *newest;
  struct metric *gauge;
  struct mcp_session *buckets[BUCKETS];
};

struct mcp_sessions *mcp_sessions_new(size_t max, int64_t idle_ms)
{
  struct mcp_sessions *t = xcalloc(1, sizeof(*t));
  pthread_mutex_init(&t->lock, NULL);
  t->max = max;
  t->idle_ms = idle_ms;
  t->gauge = metrics_gauge("mcp_sessions", "Open MCP sessions.", NULL);
  metric_set(t->gauge, 0, NULL);
  return t;
}

/* FNV-1a: ids made here are random, those from outside may be anything. */
static size_t bucket_of(const char *id)
{
  uint32_t h = 2166136261u;
  for (; *id != '\0'; id++)
    h = (h ^ (uint8_t)*id) * 16777619u;
  return h % BUCKETS;
}

static void session_free(struct mcp_session *s)
{
  free(s->principal_id);
  free(s);
}

static void list_remove(struct mcp_sessions *t, struct mcp_session *s)
{
  *(s->older != NULL ? &s->older->newer : &t->oldest) = s->newer;
  *(s->newer != NULL ? &s->newer->older : &t->newest) = s->older;
  s->older = s->newer = NULL;
}

static void list_append(struct mcp_sessions *t, struct mcp_session *s)
{
  s->older = t->newest;
  *(t->newest != NULL ? &t->newest->newer : &t->oldest) = s;
  t->newest = s;
}

static void touch(struct mcp_sessions *t, struct mcp_session *s, int64_t now_ms)
{
  s->last_used_ms = now_ms;
  list_remove(t, s);
  list_append(t, s);
}

/* Takes a session out of the table; the table's reference goes with it. */
static void unlink_locked(struct mcp_sessions *t, struct mcp_session *s)
{
  struct mcp_session **p = &t->buckets[bucket_of(s->id)];
  while (*p != s)
    p = &(*p)->next_in_bucket;
  *p = s->next_in_bucket;
  list_remove(t, s);
  s->ended = true;
  metric_set(t->gauge, (double)--t->count, NULL);
  if (--s->refs == 0)
    session_free(s);
}

void mcp_sessions_free(struct mcp_sessions *t)
{
  if (t == NULL)
    return;
  while (t->oldest != NULL)
    unlink_locked(t, t->oldest);
  pthread_mutex_destroy(&t->lock);
  free(t);
}

size_t mcp_sessions_count(struct mcp_sessions *t)
{
  pthread_mutex_lock(&t->lock);
  size_t n = t->count;
  pthread_mutex_unlock(&t->lock);
  return n;
}

static void random_id(char out[MCP_SESSION_ID_LEN + 1])
{
  unsigned char bytes[MCP_SESSION_ID_LEN / 2];
  size_t have = 0;
  while (have < sizeof(bytes)) {
    ssize_t n = getrandom(bytes + have, sizeof(bytes) - have, 0);
    if (n > 0)
      have += (size_t)n;
    else if (errno != EINTR)
      abort(); /* no randomness: an id that can be guessed must not be given out */
  }
  for (size_t i = 0; i < sizeof(bytes); i++)
    snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Drops the session that was idle longest; one with calls under way is not idle. */
static bool evict_locked(struct mcp_sessions *t)
{
  for (struct mcp_session *s = t->oldest; s != NULL; s = s->newer) {
    if (s->n_calls == 0) {
      log_warn("session table full, dropping the one idle longest", LOG_I("sessions", t->count));
      unlink_locked(t, s);
      return true;
    }
  }
  return false;
}

struct mcp_session *mcp_session_open(struct mcp_sessions *t, const char *principal_id,
                                     enum mcp_version version, int64_t now_ms)
{
  pthread_mutex_lock(&t->lock);
  if (t->count >= t->max && !evict_locked(t)) {
    pthread_mutex_unlock(&t->lock);
    return NULL;
  }
  struct mcp_session *s = xcalloc(1, sizeof(*s));
  random_id(s->id);
  s->version = version;
  s->principal_id = xstrdup(principal_id);
  s->last_used_ms = now_ms;
  s->refs = 2; /* the table's and the caller's */
  struct mcp_session **bucket = &t->buckets[bucket_of(s->id)];
  s->next_in_bucket = *bucket;
  *bucket = s;
  list_append(t, s);
  metric_set(t->gauge, (double)++t->count, NULL);
  pthread_mutex_unlock(&t->lock);
  return s;
}

struct mcp_session *mcp_session_find(struct mcp_sessions *t, const char *id,
                                     const char *principal_id, int64_t now_ms)
{
  pthread_mutex_lock(&t->lock);
  struct mcp_session *s = t->buckets[bucket_of(id)];
  while (s != NULL && strcmp(s->id, id) != 0)
    s = s->next_in_bucket;
  if (s != NULL && strcmp(s->principal_id, principal_id) != 0)
    s = NULL;
  if (s != NULL && s->n_calls == 0 && now_ms - s->last_used_ms > t->idle_ms) {
    unlink_locked(t, s);
    s = NULL;
  }
  if (s != NULL) {
    touch(t, s, now_ms);
    s->refs++;
  }
  pthread_mutex_unlock(&t->lock);
  return s;
}

void mcp_session_ref(struct mcp_sessions *t, struct mcp_session *s)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&t->lock);
  s->refs++;
  pthread_mutex_unlock(&t->lock);
}

void mcp_session_release(struct mcp_sessions *t, struct mcp_session *s)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&t->lock);
  if (--s->refs == 0)
    session_free(s);
  pthread_mutex_unlock(&t->lock);
}

void mcp_session_end(struct mcp_sessions *t, struct mcp_session *s)
{
  pthread_mutex_lock(&t->lock);
  if (!s->ended)
    unlink_locked(t, s);
  /* A cancelled call detaches itself, so take one at a time. */
  while (s->calls != NULL) {
    struct mcp_call *call = s->calls;
    mcp_call_ref(call);
    pthread_mutex_unlock(&t->lock);
    mcp_call_cancel(call);
    mcp_session_detach(t, s, call);
    mcp_call_unref(call);
    pthread_mutex_lock(&t->lock);
  }
  pthread_mutex_unlock(&t->lock);
}

void mcp_sessions_expire(struct mcp_sessions *t, int64_t now_ms)
{
  pthread_mutex_lock(&t->lock);
  struct mcp_session *next;
  for (struct mcp_session *s = t->oldest; s != NULL; s = next) {
    next = s->newer;
    if (now_ms - s->last_used_ms <= t->idle_ms)
      break;
    if (s->n_calls == 0)
      unlink_locked(t, s);
  }
  pthread_mutex_unlock(&t->lock);
}

enum mcp_attach mcp_session_attach(struct mcp_sessions *t, struct mcp_session *s,
                                   struct mcp_call *call, size_t max)
{
  enum mcp_attach result = MCP_ATTACHED;
  pthread_mutex_lock(&t->lock);
  for (struct mcp_call *c = s->calls; c != NULL; c = c->next_in_session) {
    if (jsonrpc_id_equal(c->id, call->id))
      result = MCP_ATTACH_DUPLICATE;
  }
  if (result == MCP_ATTACHED && s->n_calls >= max)
    result = MCP_ATTACH_TOO_MANY;
  if (result == MCP_ATTACHED) {
    call->next_in_session = s->calls;
    s->calls = call;
    s->n_calls++;
  }
  pthread_mutex_unlock(&t->lock);
  return result;
}

struct mcp_call *mcp_session_find_call(struct mcp_sessions *t, struct mcp_session *s,
                                       const cJSON *id)
{
  pthread_mutex_lock(&t->lock);
  struct mcp_call *call = s->calls;
  while (call != NULL && !jsonrpc_id_equal(call->id, id))
    call = call->next_in_session;
  if (call != NULL)
    mcp_call_ref(call);
  pthread_mutex_unlock(&t->lock);
  return call;
}

void mcp_session_detach(struct mcp_sessions *t, struct mcp_session *s, struct mcp_call *call)
{
  pthread_mutex_lock(&t->lock);
  struct mcp_call **p = &s->calls;
  while (*p != NULL && *p != call)
    p = &(*p)->next_in_session;
  if (*p != NULL) {
    *p = call->next_in_session;
    call->next_in_session = NULL;
    s->n_calls--;
  }
  pthread_mutex_unlock(&t->lock);
}
