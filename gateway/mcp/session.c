/* Sessions of the initialize era: those with requests under way, and those deleted. */
#include "gateway/mcp/session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/table.h"
#include "gateway/mcp/call.h"
#include "gateway/mcp/opened.h"

/* Clocks of replicas differ a little. */
enum { SKEW_MS = 5 * 60 * 1000 };

struct mcp_sessions {
  struct mcp_sessions_options options;
  pthread_mutex_t lock;
  struct map map;           /* by key */
  struct table deleted;     /* sessions whose ids have not expired, by key */
  struct mcp_session *kept; /* with settings */
  size_t n_kept;
  struct opened *ids; /* has a lock of its own */
  struct metric *gauge, *opened, *refusals;
};

struct mcp_sessions *mcp_sessions_new(const struct mcp_sessions_options *options)
{
  struct mcp_sessions *t = xcalloc(1, sizeof(*t));
  t->options = *options;
  pthread_mutex_init(&t->lock, NULL);
  table_init(&t->deleted, 0, options->max_deleted, NULL, NULL);
  t->ids = opened_new(options->keys);
  t->gauge = metrics_gauge("mcp_sessions", "MCP sessions with requests under way.", NULL);
  t->opened = metrics_counter("mcp_sessions_opened_total", "MCP sessions opened.", NULL);
  t->refusals = metrics_counter("mcp_session_refusals_total",
                                "Requests with a session id that does not hold.", "cause", NULL);
  metric_set(t->gauge, 0, NULL);
  return t;
}

static void release_locked(struct mcp_sessions *t, struct mcp_session *s)
{
  if (--s->refs > 0)
    return;
  map_remove(&t->map, &s->in_map);
  metric_set(t->gauge, (double)t->map.n, NULL);
  cJSON_Delete(s->uris);
  free(s);
}

/* A session loses its settings. */
static void let_go_locked(struct mcp_sessions *t, struct mcp_session **at)
{
  struct mcp_session *s = *at;
  *at = s->next_kept;
  t->n_kept--;
  s->kept = false;
  release_locked(t, s);
}

void mcp_sessions_free(struct mcp_sessions *t)
{
  if (t == NULL)
    return;
  while (t->kept != NULL)
    let_go_locked(t, &t->kept);
  table_free(&t->deleted);
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

void mcp_session_open(struct mcp_sessions *t, const struct mcp_principal *principal,
                      enum mcp_version version, unsigned can, int64_t now_ms,
                      char id[MCP_SESSION_ID_MAX])
{
  struct mcp_session_facts facts = {.version = version, .can = can, .issued_ms = now_ms};
  mcp_principal_hash(facts.principal, principal);
  mcp_session_id_seal(t->options.keys, &facts, id);
  metric_add(t->opened, 1, NULL);
}

/* Why an id that opens does not hold; NULL when it does. */
static const char *problem(const struct mcp_sessions *t, const struct mcp_session_facts *facts,
                           const struct mcp_principal *principal, int64_t now_ms)
{
  uint8_t hash[MCP_PRINCIPAL_HASH];
  mcp_principal_hash(hash, principal);
  if (memcmp(hash, facts->principal, sizeof(hash)) != 0)
    return "principal";
  int64_t age = now_ms - facts->issued_ms;
  return age < -SKEW_MS || age >= t->options.life_ms ? "expired" : NULL;
}

static struct mcp_session *add_locked(struct mcp_sessions *t, const struct mcp_session_facts *facts)
{
  struct mcp_session *s = xcalloc(1, sizeof(*s));
  s->version = facts->version;
  s->can = facts->can;
  s->level = MCP_LEVEL_INFO;
  memcpy(s->principal, facts->principal, sizeof(s->principal));
  s->expires_ms = facts->issued_ms + t->options.life_ms;
  memcpy(s->key, facts->key, sizeof(s->key));
  map_add(&t->map, &s->in_map, s->key, sizeof(s->key));
  metric_set(t->gauge, (double)t->map.n, NULL);
  return s;
}

struct mcp_session *mcp_session_find(struct mcp_sessions *t, const char *id,
                                     const struct mcp_principal *principal, int64_t now_ms)
{
  struct mcp_session_facts facts;
  struct mcp_session *s = NULL;
  const char *cause =
      opened_find(t->ids, id, &facts) ? problem(t, &facts, principal, now_ms) : "unknown";
  if (cause == NULL) {
    pthread_mutex_lock(&t->lock);
    if (table_peek(&t->deleted, facts.key, sizeof(facts.key), now_ms) != NULL) {
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
  release_locked(t, s);
  pthread_mutex_unlock(&t->lock);
}

void mcp_session_end(struct mcp_sessions *t, struct mcp_session *s)
{
  pthread_mutex_lock(&t->lock);
  table_put(&t->deleted, s->key, sizeof(s->key), 1, s->expires_ms);
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
  for (struct mcp_session **at = &t->kept; *at != NULL; at = &(*at)->next_kept) {
    if (*at != s)
      continue;
    let_go_locked(t, at);
    break;
  }
  pthread_mutex_unlock(&t->lock);
}

void mcp_sessions_expire(struct mcp_sessions *t, int64_t now_ms)
{
  pthread_mutex_lock(&t->lock);
  table_expire(&t->deleted, now_ms);
  for (struct mcp_session **at = &t->kept; *at != NULL;) {
    if ((*at)->expires_ms <= now_ms)
      let_go_locked(t, at);
    else
      at = &(*at)->next_kept;
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

/* --------------------------------------------------------------- questions */

void mcp_session_ask(struct mcp_sessions *t, struct mcp_call *call, const char *id)
{
  pthread_mutex_lock(&t->lock);
  snprintf(call->ask_id, sizeof(call->ask_id), "%s", id);
  pthread_mutex_unlock(&t->lock);
}

struct mcp_call *mcp_session_find_asking(struct mcp_sessions *t, struct mcp_session *s,
                                         const char *id)
{
  pthread_mutex_lock(&t->lock);
  struct mcp_call *call = id[0] != '\0' ? s->calls : NULL;
  while (call != NULL && strcmp(call->ask_id, id) != 0)
    call = call->next_in_session;
  if (call != NULL)
    mcp_call_ref(call);
  pthread_mutex_unlock(&t->lock);
  return call;
}

/* ---------------------------------------------------------------- settings */

static bool keep_locked(struct mcp_sessions *t, struct mcp_session *s)
{
  size_t own = 0;
  if (s->kept)
    return true;
  for (const struct mcp_session *k = t->kept; k != NULL; k = k->next_kept)
    own += memcmp(k->principal, s->principal, sizeof(s->principal)) == 0;
  if (t->n_kept >= t->options.max_kept || own >= (t->options.max_kept + 3) / 4)
    return false;
  s->kept = true;
  s->refs++;
  s->next_kept = t->kept;
  t->kept = s;
  t->n_kept++;
  return true;
}

enum mcp_level mcp_session_level(struct mcp_sessions *t, const struct mcp_session *s)
{
  if (s == NULL)
    return MCP_LEVELS;
  pthread_mutex_lock(&t->lock);
  enum mcp_level level = s->level;
  pthread_mutex_unlock(&t->lock);
  return level;
}

bool mcp_session_set_level(struct mcp_sessions *t, struct mcp_session *s, enum mcp_level level)
{
  pthread_mutex_lock(&t->lock);
  bool room = keep_locked(t, s);
  if (room)
    s->level = level;
  pthread_mutex_unlock(&t->lock);
  return room;
}

bool mcp_session_subscribe(struct mcp_sessions *t, struct mcp_session *s, const char *uri)
{
  pthread_mutex_lock(&t->lock);
  bool room = keep_locked(t, s);
  if (room && s->uris == NULL)
    s->uris = cJSON_CreateObject();
  if (room && cJSON_GetObjectItemCaseSensitive(s->uris, uri) == NULL) {
    room = cJSON_GetArraySize(s->uris) < MCP_SUBSCRIPTIONS_MAX;
    if (room)
      cJSON_AddTrueToObject(s->uris, uri);
  }
  pthread_mutex_unlock(&t->lock);
  return room;
}

void mcp_session_unsubscribe(struct mcp_sessions *t, struct mcp_session *s, const char *uri)
{
  pthread_mutex_lock(&t->lock);
  cJSON_DeleteItemFromObjectCaseSensitive(s->uris, uri);
  pthread_mutex_unlock(&t->lock);
}

bool mcp_session_is_subscribed(struct mcp_sessions *t, const struct mcp_session *s, const char *uri)
{
  pthread_mutex_lock(&t->lock);
  bool is = cJSON_GetObjectItemCaseSensitive(s->uris, uri) != NULL;
  pthread_mutex_unlock(&t->lock);
  return is;
}
