/* Fetches and holds the keys of a JWKS URL. */
#include "auth-svc/identity/jwks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth-svc/credential/exchange.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { JWKS_MAGIC = 0x1a7b5e75 };

struct counted_set {
  struct jwks_set set; /* first */
  atomic_size_t refs;
};

struct waiter {
  void (*fn)(void *arg);
  void *arg;
};

struct jwks {
  uint32_t magic;
  struct http_client *http;
  char *url;
  int64_t min_age_ms, max_age_ms, retry_ms;
  struct metric *fetches, *fetched;

  pthread_mutex_t lock; /* of what follows */
  struct counted_set *current;
  bool fetching, timer;
  int64_t fetch_at_ms;   /* when the set has aged; the timer looks at it */
  int64_t unknown_at_ms; /* from when an unknown key may lead to a fetch */
  struct waiter waiters[JWKS_WAITERS_MAX];
  size_t n_waiters;
};

static void start_fetch(struct jwks *j);

/* ------------------------------------------------------------------------- sets */

static struct counted_set *set_new(struct jwt_keys *keys, uint64_t generation)
{
  struct counted_set *s = xcalloc(1, sizeof(*s));
  s->set = (struct jwks_set){keys, generation};
  atomic_init(&s->refs, 1);
  return s;
}

static void set_unref(struct counted_set *s)
{
  if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
    return;
  jwt_keys_unref(s->set.keys);
  free(s);
}

const struct jwks_set *jwks_acquire(struct jwks *j)
{
  pthread_mutex_lock(&j->lock);
  struct counted_set *s = j->current;
  atomic_fetch_add(&s->refs, 1);
  pthread_mutex_unlock(&j->lock);
  return &s->set;
}

void jwks_release(struct jwks *j, const struct jwks_set *set)
{
  struct counted_set *s;
  (void)j;
  memcpy(&s, &set, sizeof(s)); /* the set is the first member of what was counted */
  set_unref(s);
}

/* ------------------------------------------------------------------------ timing */

int64_t jwks_max_age_ms(const char *cache_control, int64_t fallback)
{
  const char *at = ascii_case_find(cache_control, "max-age=");
  if (ascii_case_find(cache_control, "no-store") != NULL ||
      ascii_case_find(cache_control, "no-cache") != NULL)
    return 0;
  if (at == NULL || at[8] < '0' || at[8] > '9')
    return fallback;
  long long s = strtoll(at + 8, NULL, 10); /* saturates */
  return s > JWKS_MAX_AGE_MS / 1000 ? JWKS_MAX_AGE_MS : s * 1000;
}

static int64_t bounded(const struct jwks *j, int64_t age_ms)
{
  return age_ms < j->min_age_ms ? j->min_age_ms : age_ms > j->max_age_ms ? j->max_age_ms : age_ms;
}

static void set_timer(struct jwks *j);

static void on_timer(void *arg)
{
  struct jwks *j = arg;
  MAGIC_CHECK(j, JWKS_MAGIC);
  pthread_mutex_lock(&j->lock);
  j->timer = false;
  bool due = clock_mono_ms() >= j->fetch_at_ms;
  pthread_mutex_unlock(&j->lock);
  if (due)
    start_fetch(j);
  else
    set_timer(j);
}

/* One timer at a time, which looks at the date every retry_ms: a fetch for an unknown key moves
 * the date, also to an earlier one, and must not lead to a fetch more either. */
static void set_timer(struct jwks *j)
{
  pthread_mutex_lock(&j->lock);
  int64_t delay_ms = j->fetch_at_ms - clock_mono_ms();
  delay_ms = delay_ms < 0 ? 0 : delay_ms > j->retry_ms ? j->retry_ms : delay_ms;
  bool start = !j->timer;
  j->timer = true;
  pthread_mutex_unlock(&j->lock);
  if (start && http_client_after(j->http, (uint32_t)delay_ms, on_timer, j) != ERR_OK) {
    pthread_mutex_lock(&j->lock);
    j->timer = false; /* the client is ending, or too many wait: an unknown key asks again */
    pthread_mutex_unlock(&j->lock);
  }
}

static void fetch_in(struct jwks *j, int64_t delay_ms)
{
  pthread_mutex_lock(&j->lock);
  j->fetch_at_ms = clock_mono_ms() + delay_ms;
  pthread_mutex_unlock(&j->lock);
  set_timer(j);
}

/* ----------------------------------------------------------------------- fetching */

/* Puts the keys in place and wakes the waiters. keys NULL: the fetch failed. */
static void finish(struct jwks *j, struct jwt_keys *keys)
{
  AUTO_FREE struct waiter *waiters = xcalloc(JWKS_WAITERS_MAX, sizeof(*waiters));
  struct counted_set *old = NULL;
  pthread_mutex_lock(&j->lock);
  if (keys != NULL) {
    old = j->current;
    j->current = set_new(keys, old->set.generation + 1);
  }
  size_t n = j->n_waiters;
  memcpy(waiters, j->waiters, n * sizeof(*waiters));
  j->n_waiters = 0;
  j->fetching = false;
  pthread_mutex_unlock(&j->lock);
  set_unref(old);
  for (size_t i = 0; i < n; i++)
    waiters[i].fn(waiters[i].arg);
}

static enum err_code read_answer(struct jwt_keys **out, const struct http_response *r,
                                 struct err *e)
{
  if (r->error.code != ERR_OK) {
    *e = r->error;
    return e->code;
  }
  if (r->status != 200)
    return err_set(e, ERR_UNAVAILABLE, "jwks", "answered with status %d", r->status);
  struct jwt_keys *keys = jwt_keys_new();
  enum err_code code = jwt_keys_add_jwks(keys, "AUTH_JWT_JWKS_URL", r->body, r->body_len, e);
  if (code != ERR_OK) {
    jwt_keys_unref(keys);
    return code;
  }
  *out = keys;
  return ERR_OK;
}

static void on_done(void *user, const struct http_response *r)
{
  struct jwks *j = user;
  MAGIC_CHECK(j, JWKS_MAGIC);
  struct jwt_keys *keys = NULL;
  struct err e = {0};
  bool ok = read_answer(&keys, r, &e) == ERR_OK;
  metric_add(j->fetches, 1, METRIC_LABELS(ok ? "ok" : "failed"));
  if (ok)
    metric_set(j->fetched, (double)(clock_unix_ms() / 1000), NULL);
  if (ok)
    log_info("keys of bearer tokens fetched", LOG_I("keys", keys->n));
  else
    log_warn("keys of bearer tokens could not be fetched; those held stay in use",
             LOG_S("setting", "AUTH_JWT_JWKS_URL"), LOG_S("error", e.message));
  int64_t delay = ok ? bounded(j, jwks_max_age_ms(r->wanted, JWKS_MIN_AGE_MS)) : j->retry_ms;
  finish(j, keys);
  if (r->error.code != ERR_CANCELLED)
    fetch_in(j, delay);
}

/* The lock is not held; one fetch at a time. */
static void start_fetch(struct jwks *j)
{
  static const struct http_header accept = {"Accept", "application/json"};
  const struct http_request request = {.method = "GET",
                                       .url = j->url,
                                       .headers = &accept,
                                       .n_headers = 1,
                                       .timeout_ms = JWKS_TIMEOUT_MS,
                                       .max_response_bytes = JWKS_MAX_BYTES,
                                       .want_header = "cache-control",
                                       .on_done = on_done,
                                       .user = j};
  struct err e = {0};
  pthread_mutex_lock(&j->lock);
  bool start = !j->fetching;
  j->fetching = true;
  pthread_mutex_unlock(&j->lock);
  if (start && http_client_send(NULL, j->http, &request, &e) != ERR_OK) {
    if (e.code != ERR_CANCELLED) /* the program ends */
      log_warn("keys of bearer tokens could not be asked for", LOG_S("error", e.message));
    finish(j, NULL);
    if (e.code != ERR_CANCELLED)
      fetch_in(j, j->retry_ms);
  }
}

static enum jwks_answer answer_of(const struct jwks *j, uint64_t generation, int64_t now_ms)
{
  return j->current->set.generation != generation    ? JWKS_CHANGED
         : !j->fetching && now_ms < j->unknown_at_ms ? JWKS_SETTLED
         : j->n_waiters == JWKS_WAITERS_MAX          ? JWKS_FULL
                                                     : JWKS_WAITS;
}

enum jwks_answer jwks_wait(struct jwks *j, uint64_t generation, void (*fn)(void *arg), void *arg)
{
  pthread_mutex_lock(&j->lock);
  int64_t now = clock_mono_ms();
  enum jwks_answer answer = answer_of(j, generation, now);
  bool fetch = answer == JWKS_WAITS && !j->fetching;
  /* Fetches for unknown keys are counted among themselves: right after one that was due anyway
   * (the first, say) a new key still works at once. */
  if (fetch)
    j->unknown_at_ms = now + j->retry_ms;
  if (answer == JWKS_WAITS)
    j->waiters[j->n_waiters++] = (struct waiter){fn, arg};
  pthread_mutex_unlock(&j->lock);
  if (fetch)
    start_fetch(j);
  return answer;
}

/* -------------------------------------------------------------------------- object */

static bool is_safe_url(const char *url)
{
  char host[256], name[256];
  uint16_t port;
  if (!url_host(url, host, sizeof(host)))
    return false;
  if (strncasecmp(url, "https:", 6) == 0)
    return true;
  return config_host_is_loopback(host) ||
         (config_split_hostport(host, name, sizeof(name), &port) && config_host_is_loopback(name));
}

static int64_t or_default(uint32_t value, int64_t fallback)
{
  return value != 0 ? (int64_t)value : fallback;
}

enum err_code jwks_new(struct jwks **out, const char *what, const struct jwks_options *o,
                       struct err *e)
{
  if (!is_safe_url(o->url))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_setting",
                   "%s: must be an https URL (http only to a loopback address)", what);
  struct jwks *j = xcalloc(1, sizeof(*j));
  j->magic = JWKS_MAGIC;
  j->http = o->http;
  j->url = xstrdup(o->url);
  j->min_age_ms = or_default(o->min_age_ms, JWKS_MIN_AGE_MS);
  j->max_age_ms = or_default(o->max_age_ms, JWKS_MAX_AGE_MS);
  j->retry_ms = or_default(o->retry_ms, JWKS_RETRY_MS);
  j->fetches =
      metrics_counter("auth_jwks_fetches_total", "Fetches of the JWKS, by result.", "result", NULL);
  j->fetched = metrics_gauge("auth_jwks_fetched_timestamp_seconds",
                             "When the JWKS was fetched last with success; 0 for never.", NULL);
  metric_set(j->fetched, 0, NULL);
  metric_add(j->fetches, 0, METRIC_LABELS("failed"));
  pthread_mutex_init(&j->lock, NULL);
  j->current = set_new(jwt_keys_new(), 1);
  *out = j;
  start_fetch(j);
  return ERR_OK;
}

void jwks_free(struct jwks *j)
{
  if (j == NULL)
    return;
  set_unref(j->current);
  pthread_mutex_destroy(&j->lock);
  free(j->url);
  free(j);
}
