/* Sessions of the initialize era: a map by id and a list in order of last use. */
#include "gateway/mcp/session.h"

#include <pthread.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/random.h"
#include "gateway/mcp/call.h"

struct mcp_sessions {
  pthread_mutex_t lock;
  int64_t idle_ms;
  struct map map;
  struct lru list; /* counts sessions */
  struct metric *gauge;
};

/* The session that is a member of the list; NULL for NULL. */
static struct mcp_session *session_of(struct lru_node *node)
{
  return CONTAINER_OF(node, struct mcp_session, in_use);
}

struct mcp_sessions *mcp_sessions_new(size_t max, int64_t idle_ms)
{
  struct mcp_sessions *t = xcalloc(1, sizeof(*t));
  pthread_mutex_init(&t->lock, NULL);
  t->list = LRU_INIT(max);
  t->idle_ms = idle_ms;
  t->gauge = metrics_gauge("mcp_sessions", "Open MCP sessions.", NULL);
  metric_set(t->gauge, 0, NULL);
  return t;
}

static void session_free(struct mcp_session *s)
{
  free(s->principal_id);
  free(s);
}

static void count_sessions(struct mcp_sessions *t)
{
  metric_set(t->gauge, (double)t->list.n, NULL);
}

/* Takes a session out of the table; the table's reference goes with it. */
static void unlink_locked(struct mcp_sessions *t, struct mcp_session *s)
{
  map_remove(&t->map, &s->in_map);
  lru_remove(&t->list, &s->in_use);
  count_sessions(t);
  s->ended = true;
  if (--s->refs == 0)
    session_free(s);
}

void mcp_sessions_free(struct mcp_sessions *t)
{
  if (t == NULL)
    return;
  while (t->list.oldest != NULL)
    unlink_locked(t, session_of(t->list.oldest));
  map_free(&t->map);
  pthread_mutex_destroy(&t->lock);
  free(t);
}

size_t mcp_sessions_count(struct mcp_sessions *t)
{
  pthread_mutex_lock(&t->lock);
  size_t n = t->list.n;
  pthread_mutex_unlock(&t->lock);
  return n;
}

static void make_id(char out[MCP_SESSION_ID_LEN + 1])
{
  unsigned char bytes[MCP_SESSION_ID_LEN / 2];
  random_fill(bytes, sizeof(bytes));
  hex_write(out, bytes, sizeof(bytes));
}

/* Drops the session that was idle longest; one with calls under way is not idle. */
static bool evict_locked(struct mcp_sessions *t)
{
  for (struct lru_node *node = t->list.oldest; node != NULL; node = node->newer) {
    struct mcp_session *s = session_of(node);
    if (s->n_calls == 0) {
      log_warn("session table full, dropping the one idle longest", LOG_I("sessions", t->list.n));
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
  if (lru_excess(&t->list, 1) != NULL && !evict_locked(t)) {
    pthread_mutex_unlock(&t->lock);
    return NULL;
  }
  struct mcp_session *s = xcalloc(1, sizeof(*s));
  make_id(s->id);
  s->version = version;
  s->principal_id = xstrdup(principal_id);
  s->last_used_ms = now_ms;
  s->refs = 2; /* the table's and the caller's */
  map_add(&t->map, &s->in_map, s->id, MCP_SESSION_ID_LEN);
  lru_add(&t->list, &s->in_use, 1);
  count_sessions(t);
  pthread_mutex_unlock(&t->lock);
  return s;
}

struct mcp_session *mcp_session_find(struct mcp_sessions *t, const char *id,
                                     const char *principal_id, int64_t now_ms)
{
  pthread_mutex_lock(&t->lock);
  struct mcp_session *s = CONTAINER_OF(map_find_text(&t->map, id), struct mcp_session, in_map);
  if (s != NULL && strcmp(s->principal_id, principal_id) != 0)
    s = NULL;
  if (s != NULL && s->n_calls == 0 && now_ms - s->last_used_ms > t->idle_ms) {
    unlink_locked(t, s);
    s = NULL;
  }
  if (s != NULL) {
    s->last_used_ms = now_ms;
    lru_touch(&t->list, &s->in_use);
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
  for (struct lru_node *node = t->list.oldest, *next; node != NULL; node = next) {
    struct mcp_session *s = session_of(node);
    next = node->newer;
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
