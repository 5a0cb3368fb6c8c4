/* Bearer token -> grant: asks auth-svc, once at a time for each token, remembers for a minute.
 *
 * A refusal is not remembered: a token may become good (a key that is fetched, dealers that are
 * configured), and an attacker who guesses tokens sends another one each time. */
#include "gateway/access/access.h"

#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "gateway/access/cache.h"
#include "gateway/http/proxies.h"
#include "gateway/seal/digest.h"

enum { QUESTION_MAGIC = 0x41435145 };

typedef void access_done(void *arg, enum access_outcome outcome, struct grant *grant,
                         const char *why);

/* One of those who wait for a question's answer. */
struct waiter {
  access_done *done;
  void *arg;
  struct waiter *next;
};

/* One question to auth-svc, on behalf of all who came with the same token meanwhile. */
struct question {
  unsigned magic;
  struct map_node in_map;
  struct access *access;
  uint8_t key[CACHE_KEY_LEN];
  struct grant *grant;
  struct waiter *waiters; /* guarded by the access' lock until the answer is there */
};

struct access {
  struct access_options options;
  struct grant_cache *cache;
  pthread_mutex_t lock; /* taken before the cache's */
  struct map open;      /* questions under way; guarded by lock */
};

struct access *access_new(const struct access_options *options)
{
  struct access *a = xcalloc(1, sizeof(*a));
  a->options = *options;
  if (a->options.cache_ms == 0)
    a->options.cache_ms = 60000;
  if (a->options.timeout_ms == 0)
    a->options.timeout_ms = 5000;
  pthread_mutex_init(&a->lock, NULL);
  a->cache = grant_cache_new(options->cache_max > 0 ? options->cache_max : 10000);
  return a;
}

void access_free(struct access *a)
{
  if (a == NULL)
    return;
  grant_cache_free(a->cache);
  map_free(&a->open);
  pthread_mutex_destroy(&a->lock);
  free(a);
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  const Analytics__Auth__V1__AuthenticateResponse *r =
      (const Analytics__Auth__V1__AuthenticateResponse *)message;
  if (r->grant != NULL && q->grant == NULL)
    q->grant = grant_new(r);
  return true;
}

static enum access_outcome outcome_of(const struct question *q, const struct err *status)
{
  switch (status->code) {
  case ERR_OK:
    return q->grant != NULL ? ACCESS_GRANTED : ACCESS_UNAVAILABLE;
  case ERR_UNAUTHENTICATED:
    return strcmp(status->reason, "missing_credentials") == 0 ? ACCESS_MISSING : ACCESS_INVALID;
  case ERR_INVALID_ARGUMENT:
    return ACCESS_INVALID;
  case ERR_PERMISSION_DENIED:
    return ACCESS_FORBIDDEN;
  default:
    return ACCESS_UNAVAILABLE;
  }
}

/* The text of a refusal that its reader can do something about; NULL for others. */
static const char *why_of(enum access_outcome outcome, const struct err *status)
{
  static const char prefix[] = "bearer token: ";
  const char *text = status->message;
  if (outcome != ACCESS_FORBIDDEN || strcmp(status->reason, "no_mapping") != 0)
    return NULL;
  return strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1 : text;
}

/* Keeps the grant for a minute, or until it ends. False when it has ended already. */
static bool remember(struct question *q)
{
  int64_t life = q->access->options.cache_ms, expires_at = grant_expires_at(q->grant);
  if (expires_at > 0 && expires_at < INT64_MAX / 1000) {
    int64_t left = expires_at * 1000 - clock_unix_ms();
    if (left <= 0)
      return false;
    if (left < life)
      life = left;
  }
  grant_cache_put(q->access->cache, q->key, q->grant, clock_mono_ms() + life);
  return true;
}

/* From here on a request with this token asks again. The answer is in the cache by now, so every
 * request finds either the open question or the answer. */
static struct waiter *close_question(struct question *q)
{
  struct access *a = q->access;
  pthread_mutex_lock(&a->lock);
  map_remove(&a->open, &q->in_map);
  struct waiter *waiters = q->waiters;
  pthread_mutex_unlock(&a->lock);
  return waiters;
}

static void on_done(void *user, const struct err *status)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  enum access_outcome outcome = outcome_of(q, status);
  if (outcome == ACCESS_GRANTED && !remember(q))
    outcome = ACCESS_INVALID;
  if (outcome == ACCESS_UNAVAILABLE)
    log_warn("auth-svc did not decide", LOG_S("code", err_code_name(status->code)),
             LOG_S("detail", status->message));
  struct waiter *w = close_question(q);
  while (w != NULL) {
    struct waiter *next = w->next;
    w->done(w->arg, outcome, outcome == ACCESS_GRANTED ? q->grant : NULL, why_of(outcome, status));
    free(w);
    w = next;
  }
  grant_unref(q->grant);
  q->magic = 0;
  free(q);
}

static void ask(struct question *q, const char *bearer, const char *client)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  Analytics__Auth__V1__AuthenticateRequest request =
      ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  request.bearer_token = borrow_text(bearer);
  request.client_address = borrow_text(client != NULL ? client : "");
  struct rpc_client_options options = {.timeout_ms = q->access->options.timeout_ms,
                                       .attempt_ms = RPC_QUICK_ATTEMPT_MS};
  struct err e = {0};
  if (rpc_client_start(NULL, q->access->options.auth,
                       &analytics__auth__v1__auth_service__descriptor, "Authenticate", RPC_UNARY,
                       &request.base, &options, &callbacks, q, &e) != ERR_OK)
    on_done(q, &e);
}

/* A stranger's question is out of his address' minute. */
static bool may_ask(struct access *a, const char *client)
{
  if (a->options.addresses == NULL || client == NULL)
    return true;
  char network[ADDRESS_NETWORK];
  int64_t retry_ms;
  address_network(network, client);
  struct share *share = share_of(a->options.addresses, network, network);
  enum share_cause cause = share_request(share, &retry_ms);
  share_unref(share);
  return cause == SHARE_GRANTED;
}

/* Joins the question under way for the key, or opens one: then *opened is set, and it is the
 * caller's to ask. NULL when the grant is known: *known is a reference to it; or when too many
 * were asked for this client. */
static struct question *join_or_open(struct access *a, const uint8_t key[CACHE_KEY_LEN],
                                     const char *client, struct waiter *w, bool *opened,
                                     struct grant **known)
{
  bool accepted_before;
  pthread_mutex_lock(&a->lock);
  *known = grant_cache_get(a->cache, key, clock_mono_ms(), &accepted_before);
  struct map_node *found = *known == NULL ? map_find(&a->open, key, CACHE_KEY_LEN) : NULL;
  struct question *q = CONTAINER_OF(found, struct question, in_map);
  *opened = *known == NULL && q == NULL && (accepted_before || may_ask(a, client));
  log_debug("cache", LOG_S("of", "grants"),
            LOG_S("result", *known != NULL ? "hit"
                            : q != NULL    ? "joined"
                                           : "miss"));
  if (*opened) {
    q = xcalloc(1, sizeof(*q));
    q->magic = QUESTION_MAGIC;
    q->access = a;
    memcpy(q->key, key, CACHE_KEY_LEN);
    map_add(&a->open, &q->in_map, q->key, CACHE_KEY_LEN);
  }
  if (q != NULL) {
    w->next = q->waiters;
    q->waiters = w;
  }
  pthread_mutex_unlock(&a->lock);
  return q;
}

void access_check(struct access *a, const char *bearer, const char *client, access_done *done,
                  void *arg)
{
  if (!a->options.enabled || bearer == NULL)
    bearer = "";
  if (a->options.enabled && bearer[0] == '\0') {
    done(arg, ACCESS_MISSING, NULL, NULL);
    return;
  }
  uint8_t key[CACHE_KEY_LEN];
  digest(key, bearer, strlen(bearer));
  struct waiter *w = xcalloc(1, sizeof(*w));
  *w = (struct waiter){.done = done, .arg = arg};
  bool opened;
  struct grant *known;
  struct question *q = join_or_open(a, key, client, w, &opened, &known);
  if (q == NULL)
    free(w);
  if (known != NULL) {
    done(arg, ACCESS_GRANTED, known, NULL);
    grant_unref(known);
  } else if (q == NULL) {
    done(arg, ACCESS_TOO_MANY, NULL, NULL);
  } else if (opened) {
    ask(q, bearer, client);
  }
}
