/* Sessions of the initialize era: those with requests under way, and those deleted. */
#include "gateway/mcp/session.h"

#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "gateway/mcp/call.h"
#include "gateway/mcp/deleted.h"
#include "gateway/mcp/opened.h"

/* Clocks of replicas differ a little. */
enum { SKEW_MS = 5 * 60 * 1000 };

struct mcp_sessions {
  struct mcp_sessions_options options;
  pthread_mutex_t lock;
  struct map map; /* by key */
  struct deleted deleted;
  struct opened *ids; /* has a lock of its own */
  struct metric *gauge, *opened, *refusals;
};

struct mcp_sessions *mcp_sessions_new(const struct mcp_sessions_options *options)
{
  struct mcp_sessions *t = xcalloc(1, sizeof(*t));
  t->options = *options;
  pthread_mutex_init(&t->lock, NULL);
  deleted_init(&t->deleted, options->max_deleted);
  t->ids = opened_new(options->keys);
  t->gauge = metrics_gauge("mcp_sessions", "MCP sessions with requests under way.", NULL);
  t->opened = metrics_counter("mcp_sessions_opened_total", "MCP sessions opened.", NULL);
  t->refusals = metrics_counter("mcp_session_refusals_total",
                                "Requests with a session id that does not hold.", "cause", NULL);
  metric_set(t->gauge, 0, NULL);
  return t;
}

void mcp_sessions_free(struct mcp_sessions *t)
{
  if (t == NULL)
    return;
  deleted_free(&t->deleted);
  opened_free(t->ids);
  map_free(&t->map);
  pthread_mutex_destroy(&t->lock);
  free(t);
}

size_t mcp_sessions_count(struct mcp_sessions *t)
{
  pthread_mutex_lock(&t->lock);
  size_t n = t->map.n;
  pthread_mutex_unlock(&t->lock);
  return n;
}

void mcp_session_open(struct mcp_sessions *t, const char *principal_id, enum mcp_version version,
                      unsigned can, int64_t now_ms, char id[MCP_SESSION_ID_MAX])
{
  struct mcp_session_facts facts = {.version = version, .can = can, .issued_ms = now_ms};
  mcp_principal_hash(facts.principal, principal_id);
  mcp_session_id_seal(t->options.keys, &facts, id);
  metric_add(t->opened, 1, NULL);
}

/* Why an id that opens does not hold; NULL when it does. */
static const char *problem(const struct mcp_sessions *t, const struct mcp_session_facts *facts,
                           const char *principal_id, int64_t now_ms)
{
  uint8_t principal[MCP_PRINCIPAL_HASH];
  mcp_principal_hash(principal, principal_id);
  if (memcmp(principal, facts->principal, sizeof(principal)) != 0)
    return "principal";
  int64_t age = now_ms - facts->issued_ms;
  return age < -SKEW_MS || age >= t->options.life_ms ? "expired" : NULL;
}

static struct mcp_session *add_locked(struct mcp_sessions *t, const struct mcp_session_facts *facts)
{
  struct mcp_session *s = xcalloc(1, sizeof(*s));
  s->version = facts->version;
  s->can = facts->can;
  s->expires_ms = facts->issued_ms + t->options.life_ms;
  memcpy(s->key, facts->key, sizeof(s->key));
  map_add(&t->map, &s->in_map, s->key, sizeof(s->key));
  metric_set(t->gauge, (double)t->map.n, NULL);
  return s;
}

struct mcp_session *mcp_session_find(struct mcp_sessions *t, const char *id,
                                     const char *principal_id, int64_t now_ms)
{
  struct mcp_session_facts facts;
  struct mcp_session *s = NULL;
  const char *cause = opened_find(t->ids, id, &facts)
                          ? problem(t, &facts, principal_id, now_ms)
                          : "unknown";
  if (cause == NULL) {
    pthread_mutex_lock(&t->lock);
    if (deleted_has(&t->deleted, facts.key)) {
      cause = "deleted";
    } else {
      struct map_node *found = map_find(&t->map, facts.key, sizeof(facts.key));
      s = found != NULL ? CONTAINER_OF(found, struct mcp_session, in_map) : add_locked(t, &facts);
      s->refs++;
    }
    pthread_mutex_unlock(&t->lock);
  }
  if (cause != NULL)
    metric_add(t->refusals, 1, METRIC_LABELS(cause));
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
  if (--s->refs == 0) {
    map_remove(&t->map, &s->in_map);
    metric_set(t->gauge, (double)t->map.n, NULL);
    free(s);
  }
  pthread_mutex_unlock(&t->lock);
}

void mcp_session_end(struct mcp_sessions *t, struct mcp_session *s)
{
  pthread_mutex_lock(&t->lock);
  deleted_add(&t->deleted, s->key, s->expires_ms);
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
  deleted_expire(&t->deleted, now_ms);
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
