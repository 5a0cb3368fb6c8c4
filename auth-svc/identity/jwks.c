/* Fetches and holds the keys of a JWKS URL.
 *
 * A fetch goes from stage to stage, one request at a time: where the address is to be found, the
 * issuer's metadata comes first, by OpenID Connect and, where that is not there, by RFC 8414. It is
 * one fetch to those who wait, however many requests it takes. */
#include "auth-svc/identity/jwks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/identity/discovery.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { JWKS_MAGIC = 0x1a7b5e75, FAILURE_MAX = 200 };

/* What is asked for next. */
enum stage { STAGE_OIDC, STAGE_OAUTH, STAGE_KEYS };

struct waiter {
  void (*fn)(void *arg);
  void *arg;
};

struct jwks {
  uint32_t magic;
  struct http_client *http;
  char *url;    /* configured; NULL: to be found */
  char *issuer; /* NULL with a url */
  char *name;
  int64_t min_age_ms, retry_ms;
  struct metric *fetches, *fetched;

  /* Of the fetch under way, which alone touches them: */
  enum stage stage;
  struct buf found;    /* jwks_uri of the metadata; empty: not known */
  int64_t found_at_ms; /* when it was read */

  pthread_mutex_t lock;    /* of what follows */
  struct jwks_set current; /* with a reference to the keys */
  bool fetching, timer, dropped;
  int64_t fetched_ms;        /* unix time of the set; 0 before the first */
  char failure[FAILURE_MAX]; /* of the last fetch; "" when it went well */
  int64_t fetch_at_ms;       /* when the set has aged; the timer looks at it */
  int64_t unknown_at_ms;     /* from when an unknown key may lead to a fetch */
  struct waiter waiters[JWKS_WAITERS_MAX];
  size_t n_waiters;
};

static void start_fetch(struct jwks *j);

struct jwks_set jwks_acquire(struct jwks *j)
{
  pthread_mutex_lock(&j->lock);
  struct jwks_set set = j->current;
  jwt_keys_ref(set.keys);
  pthread_mutex_unlock(&j->lock);
  return set;
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
  return age_ms < j->min_age_ms     ? j->min_age_ms
         : age_ms > JWKS_MAX_AGE_MS ? JWKS_MAX_AGE_MS
                                    : age_ms;
}

static void set_timer(struct jwks *j);

static void on_timer(void *arg)
{
  struct jwks *j = arg;
  MAGIC_CHECK(j, JWKS_MAGIC);
  pthread_mutex_lock(&j->lock);
  j->timer = false;
  bool due = clock_mono_ms() >= j->fetch_at_ms, dropped = j->dropped;
  pthread_mutex_unlock(&j->lock);
  if (dropped)
    return;
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

/* Puts the keys in place and wakes the waiters. keys NULL: the fetch failed, for that reason. */
static void finish(struct jwks *j, struct jwt_keys *keys, const char *failure)
{
  AUTO_FREE struct waiter *waiters = xcalloc(JWKS_WAITERS_MAX, sizeof(*waiters));
  struct jwt_keys *old = NULL;
  pthread_mutex_lock(&j->lock);
  if (keys != NULL) {
    old = j->current.keys;
    j->current = (struct jwks_set){keys, j->current.generation + 1};
    j->fetched_ms = clock_unix_ms();
  }
  snprintf(j->failure, sizeof(j->failure), "%.199s", keys != NULL ? "" : failure);
  size_t n = j->n_waiters;
  memcpy(waiters, j->waiters, n * sizeof(*waiters));
  j->n_waiters = 0;
  j->fetching = false;
  pthread_mutex_unlock(&j->lock);
  jwt_keys_unref(old);
  for (size_t i = 0; i < n; i++)
    waiters[i].fn(waiters[i].arg);
}

static enum err_code check_answer(const struct http_response *r, struct err *e)
{
  if (r->error.code != ERR_OK)
    *e = r->error;
  else if (r->status != 200)
    err_set(e, ERR_UNAVAILABLE, "jwks", "answered with status %d", r->status);
  return e->code;
}

static enum err_code read_keys(const struct jwks *j, struct jwt_keys **out,
                               const struct http_response *r, struct err *e)
{
  if (check_answer(r, e) != ERR_OK)
    return e->code;
  struct jwt_keys *keys = jwt_keys_new();
  enum err_code code = jwt_keys_add_jwks(keys, j->name, r->body, r->body_len, e);
  if (code == ERR_OK)
    *out = keys;
  else
    jwt_keys_unref(keys);
  return code;
}

/* Ends a fetch. keys NULL: it failed. */
static void end_fetch(struct jwks *j, struct jwt_keys *keys, int64_t again_ms, const struct err *e)
{
  metric_add(j->fetches, 1, METRIC_LABELS(keys != NULL ? "ok" : "failed", j->name));
  if (keys != NULL) {
    metric_set(j->fetched, (double)(clock_unix_ms() / 1000), METRIC_LABELS(j->name));
    log_info("keys of bearer tokens fetched", LOG_S("setting", j->name), LOG_I("keys", keys->n));
  } else if (e->code != ERR_CANCELLED) {
    log_warn("keys of bearer tokens could not be fetched; those held stay in use",
             LOG_S("setting", j->name), LOG_S("error", e->message));
  }
  if (keys == NULL)
    buf_clear(&j->found); /* the keys may have moved */
  if (e->code != ERR_CANCELLED)
    fetch_in(j, again_ms); /* before anybody sees the keys: their age counts from here */
  finish(j, keys, e->message);
}

static void send(struct jwks *j);

static void on_keys(struct jwks *j, const struct http_response *r)
{
  struct jwt_keys *keys = NULL;
  struct err e = {0};
  bool ok = read_keys(j, &keys, r, &e) == ERR_OK;
  int64_t again = ok ? bounded(j, jwks_max_age_ms(r->wanted, JWKS_MIN_AGE_MS)) : j->retry_ms;
  end_fetch(j, keys, again, &e);
}

/* Metadata of the one kind is not there, so the other is asked for; anything else that is wrong
 * with it ends the fetch. */
static void on_metadata(struct jwks *j, const struct http_response *r)
{
  struct err e = {0};
  bool not_there = r->error.code == ERR_OK && r->status >= 400 && r->status < 500;
  if (j->stage == STAGE_OIDC && not_there) {
    j->stage = STAGE_OAUTH;
    send(j);
    return;
  }
  buf_clear(&j->found);
  if (check_answer(r, &e) == ERR_OK &&
      discovery_read(&j->found, j->issuer, r->body, r->body_len, &e) == ERR_OK) {
    j->found_at_ms = clock_mono_ms();
    j->stage = STAGE_KEYS;
    send(j);
    return;
  }
  err_prefix(&e, "metadata: ");
  end_fetch(j, NULL, j->retry_ms, &e);
}

static void on_done(void *user, const struct http_response *r)
{
  struct jwks *j = user;
  MAGIC_CHECK(j, JWKS_MAGIC);
  (j->stage == STAGE_KEYS ? on_keys : on_metadata)(j, r);
}

/* The address of the stage. */
static const char *put_address(const struct jwks *j, struct buf *out)
{
  if (j->stage == STAGE_KEYS)
    return j->url != NULL ? j->url : buf_str(&j->found);
  discovery_put_url(out, j->issuer, j->stage == STAGE_OAUTH);
  return buf_str(out);
}

static void send(struct jwks *j)
{
  static const struct http_header accept = {"Accept", "application/json"};
  AUTO_BUF struct buf address = BUF_INIT(2 * DISCOVERY_URL_MAX);
  const struct http_request request = {.method = "GET",
                                       .url = put_address(j, &address),
                                       .headers = &accept,
                                       .n_headers = 1,
                                       .timeout_ms = JWKS_TIMEOUT_MS,
                                       .max_response_bytes = JWKS_MAX_BYTES,
                                       .want_header = "cache-control",
                                       .on_done = on_done,
                                       .user = j};
  struct err e = {0};
  if (http_client_send(NULL, j->http, &request, &e) != ERR_OK)
    end_fetch(j, NULL, j->retry_ms, &e);
}

/* The lock is not held; one fetch at a time. */
static void start_fetch(struct jwks *j)
{
  pthread_mutex_lock(&j->lock);
  bool start = !j->fetching;
  j->fetching = true;
  pthread_mutex_unlock(&j->lock);
  if (!start)
    return;
  bool known =
      j->url != NULL || (j->found.len > 0 && clock_mono_ms() < j->found_at_ms + JWKS_MAX_AGE_MS);
  j->stage = known ? STAGE_KEYS : STAGE_OIDC;
  send(j);
}

static enum jwks_answer answer_of(const struct jwks *j, uint64_t generation, int64_t now_ms)
{
  return j->current.generation != generation         ? JWKS_CHANGED
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

static int64_t or_default(uint32_t value, int64_t fallback)
{
  return value != 0 ? (int64_t)value : fallback;
}

enum err_code jwks_new(struct jwks **out, const char *what, const struct jwks_options *o,
                       struct err *e)
{
  if (o->url != NULL && !discovery_url_is_safe(o->url))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_setting",
                   "%s: must be an https URL (http only to a loopback address)", what);
  struct jwks *j = xcalloc(1, sizeof(*j));
  j->magic = JWKS_MAGIC;
  j->http = o->http;
  j->url = o->url != NULL ? xstrdup(o->url) : NULL;
  j->issuer = o->url == NULL ? xstrdup(o->issuer) : NULL;
  j->name = xstrdup(o->name != NULL ? o->name : "AUTH_JWT_JWKS_URL");
  j->found = (struct buf)BUF_INIT(DISCOVERY_URL_MAX);
  j->min_age_ms = or_default(o->min_age_ms, JWKS_MIN_AGE_MS);
  j->retry_ms = or_default(o->retry_ms, JWKS_RETRY_MS);
  j->fetches =
      metrics_counter("auth_jwks_fetches_total", "Fetches of the JWKS, by result and issuer.",
                      "result", "issuer", NULL);
  j->fetched =
      metrics_gauge("auth_jwks_fetched_timestamp_seconds",
                    "When the JWKS was fetched last with success; 0 for never.", "issuer", NULL);
  metric_set(j->fetched, 0, METRIC_LABELS(j->name));
  metric_add(j->fetches, 0, METRIC_LABELS("failed", j->name));
  pthread_mutex_init(&j->lock, NULL);
  j->current = (struct jwks_set){jwt_keys_new(), 1};
  *out = j;
  start_fetch(j);
  return ERR_OK;
}

void jwks_free(struct jwks *j)
{
  if (j == NULL)
    return;
  jwt_keys_unref(j->current.keys);
  pthread_mutex_destroy(&j->lock);
  buf_free(&j->found);
  free(j->url);
  free(j->issuer);
  free(j->name);
  free(j);
}

void jwks_keep(struct jwks *j, bool keep)
{
  pthread_mutex_lock(&j->lock);
  bool again = keep && j->dropped;
  j->dropped = !keep;
  pthread_mutex_unlock(&j->lock);
  if (again)
    set_timer(j);
}

void jwks_describe(struct jwks *j, struct buf *detail)
{
  pthread_mutex_lock(&j->lock);
  size_t n = j->current.keys->n;
  bool good = n > 0 && j->failure[0] == '\0';
  buf_printf(detail, "%s issuer %s: ", good ? "ok" : "warn", j->name);
  if (n > 0) {
    char time[32];
    clock_format_rfc3339(j->fetched_ms, time, sizeof(time));
    buf_printf(detail, "%zu keys, fetched %s", n, time);
  } else {
    buf_puts(detail, "no keys yet, its tokens cannot be checked");
  }
  if (j->failure[0] != '\0')
    buf_printf(detail, "; %s", j->failure);
  buf_putc(detail, '\n');
  pthread_mutex_unlock(&j->lock);
}
