/* A thread of the client: commands from other threads, timers, deadlines, curl. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/internal.h"

enum { LONGEST_WAIT_MS = 60 * 1000 };

/* ---- the end of a transfer ---- */

static const char *host_label(struct http_loop *l, const char *host)
{
  for (size_t i = 0; i < l->n_host_labels; i++)
    if (ascii_case_equal(l->host_labels[i], host))
      return l->host_labels[i];
  if (l->n_host_labels == HTTP_MAX_HOST_LABELS)
    return "other";
  return l->host_labels[l->n_host_labels++] = xstrdup(host);
}

static void count(struct http_loop *l, const struct http_transfer *t, const struct http_response *r)
{
  char status[16];
  snprintf(status, sizeof(status), "%d", r->status);
  const char *code = r->error.code == ERR_OK ? status : err_code_name(r->error.code);
  const char *host = host_label(l, t->host);
  metric_add(l->client->requests, 1, METRIC_LABELS(host, code));
  metric_observe(l->client->seconds, (double)r->total_ms / 1000.0, METRIC_LABELS(host));
  log_debug("upstream request", LOG_S("method", t->method), LOG_S("to", t->peer),
            LOG_S("path", t->path), LOG_S("status", code), LOG_I("ms", r->total_ms));
}

static void unlink_live(struct http_loop *l, struct http_transfer *t)
{
  if (t->next != NULL)
    t->next->prev = t->prev;
  if (t->prev != NULL)
    t->prev->next = t->next;
  else if (l->live == t)
    l->live = t->next;
  t->prev = t->next = NULL;
}

/* Leaves curl and the loop's books; from now on cancel and resume do nothing. */
static void retire(struct http_loop *l, struct http_transfer *t)
{
  if (t->added)
    curl_multi_remove_handle(l->multi, t->easy);
  t->added = false;
  due_heap_remove(&l->deadlines, &t->deadline);
  unlink_live(l, t);
  pthread_mutex_lock(&l->lock);
  t->done = true;
  pthread_mutex_unlock(&l->lock);
  atomic_fetch_sub(&l->transfers, 1);
  atomic_fetch_sub(&l->client->transfers, 1);
}

/* Ends a transfer: result is curl's, unless a callback or the loop had another reason,
 * which forced names. The loop's reference is gone afterwards. */
static void finish(struct http_loop *l, struct http_transfer *t, CURLcode result,
                   enum err_code forced)
{
  struct http_response r = {.total_ms = clock_mono_ms() - t->started_ms};
  long status = 0;
  if (t->added) {
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &t->os_error);
  }
  retire(l, t);
  if (forced == ERR_CANCELLED)
    t->stop = HTTP_STOP_CANCELLED;
  http_failure(t, result, forced == ERR_DEADLINE_EXCEEDED, &r.error);
  r.status = (int)status;
  r.body = buf_str(&t->body);
  r.body_len = t->body.len;
  r.content_type = buf_str(&t->content_type);
  r.retry_after = buf_str(&t->retry_after);
  r.www_authenticate = buf_str(&t->www_authenticate);
  r.wanted = buf_str(&t->wanted);
  count(l, t, &r);
  http_trace_end(t, &r);
  struct trace_scope scope = trace_enter(t->trace);
  t->on_done(t->user, &r);
  trace_leave(scope);
  http_transfer_unref(t);
}

/* ---- commands ---- */

static void start(struct http_loop *l, struct http_transfer *t)
{
  t->next = l->live;
  if (l->live != NULL)
    l->live->prev = t;
  l->live = t;
  due_heap_add(&l->deadlines, &t->deadline, t->started_ms + t->timeout_ms);
  if (curl_multi_add_handle(l->multi, t->easy) != CURLM_OK) {
    finish(l, t, CURLE_OUT_OF_MEMORY, ERR_OK);
    return;
  }
  t->added = true;
}

static void set_deadline(struct http_transfer *t, int64_t at_ms)
{
  int64_t longest = t->started_ms + t->longest_ms;
  due_heap_remove(&t->loop->deadlines, &t->deadline);
  due_heap_add(&t->loop->deadlines, &t->deadline, at_ms < longest ? at_ms : longest);
}

void http_loop_pause(struct http_transfer *t)
{
  t->paused = true;
  t->left_ms = t->deadline.at_ms - clock_mono_ms();
  set_deadline(t, INT64_MAX);
}

/* curl hands out the bytes it kept from within curl_easy_pause(), and on_body may pause
 * again there; an error is reported nowhere else. */
static void resume(struct http_loop *l, struct http_transfer *t)
{
  if (!t->paused)
    return;
  t->paused = false;
  set_deadline(t, clock_mono_ms() + t->left_ms);
  CURLcode result = curl_easy_pause(t->easy, CURLPAUSE_CONT);
  if (result != CURLE_OK || t->stop != HTTP_STOP_NONE)
    finish(l, t, result != CURLE_OK ? result : CURLE_WRITE_ERROR, ERR_OK);
}

/* What another thread wants of a transfer; the reference is the taker's. */
struct command {
  struct http_transfer *t;
  bool start;
  bool resume;
  bool done; /* too late for either */
};

static bool next_command(struct http_loop *l, struct command *out)
{
  pthread_mutex_lock(&l->lock);
  struct http_transfer *t = l->commands;
  if (t != NULL) {
    l->commands = t->next_command;
    *out = (struct command){.t = t, .start = t->start, .resume = t->resume, .done = t->done};
    t->queued = t->start = t->resume = false;
  }
  pthread_mutex_unlock(&l->lock);
  return t != NULL;
}

static void run_commands(struct http_loop *l)
{
  struct command k;
  while (next_command(l, &k)) {
    MAGIC_CHECK(k.t, HTTP_TRANSFER_MAGIC);
    if (!k.done && atomic_load(&k.t->cancelled))
      finish(l, k.t, CURLE_OK, ERR_CANCELLED);
    else if (k.start)
      start(l, k.t);
    else if (k.resume && !k.done)
      resume(l, k.t);
    http_transfer_unref(k.t);
  }
}

/* ---- time ---- */

/* Takes the next timer to run in this round: one that is due (or any, when the client
 * ends) and was set before the round began, so that timers that set timers do not keep
 * the thread from its transfers. */
static struct http_timer *next_timer(struct http_loop *l, int64_t now, uint64_t round)
{
  pthread_mutex_lock(&l->lock);
  struct due *d = due_heap_first(&l->timers);
  if (d != NULL && !l->stopping && (d->at_ms > now || d->order >= round))
    d = NULL;
  if (d != NULL)
    due_heap_remove(&l->timers, d);
  pthread_mutex_unlock(&l->lock);
  return (struct http_timer *)d;
}

static void run_timers(struct http_loop *l)
{
  pthread_mutex_lock(&l->lock);
  uint64_t round = l->timers.next_order;
  pthread_mutex_unlock(&l->lock);
  int64_t now = clock_mono_ms();
  struct http_timer *timer;
  while ((timer = next_timer(l, now, round)) != NULL) {
    timer->fn(timer->arg);
    free(timer);
  }
}

/* curl's own timeout does not run while a transfer waits for a connection, so the deadline
 * is kept here. */
static void run_deadlines(struct http_loop *l)
{
  int64_t now = clock_mono_ms();
  struct due *d;
  while ((d = due_heap_first(&l->deadlines)) != NULL && d->at_ms <= now)
    finish(l, (struct http_transfer *)d, CURLE_OK, ERR_DEADLINE_EXCEEDED);
}

/* How long nothing is due; 0 when there is something to do. Says that the thread waits. */
static int begin_wait_ms(struct http_loop *l)
{
  int64_t now = clock_mono_ms(), at = now + LONGEST_WAIT_MS;
  struct due *d = due_heap_first(&l->deadlines);
  if (d != NULL && d->at_ms < at)
    at = d->at_ms;
  pthread_mutex_lock(&l->lock);
  d = due_heap_first(&l->timers);
  if (d != NULL && d->at_ms < at)
    at = d->at_ms;
  l->asleep = l->commands == NULL && !l->stopping && at > now;
  bool asleep = l->asleep;
  pthread_mutex_unlock(&l->lock);
  return asleep ? (int)(at - now) : 0;
}

static bool end_wait(struct http_loop *l)
{
  pthread_mutex_lock(&l->lock);
  l->asleep = false;
  bool stopping = l->stopping;
  pthread_mutex_unlock(&l->lock);
  return stopping;
}

/* ---- the loop ---- */

static void collect(struct http_loop *l)
{
  int left;
  CURLMsg *m;
  while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
    if (m->msg != CURLMSG_DONE)
      continue;
    CURLcode result = m->data.result; /* m dies with the handle */
    char *p = NULL;
    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
    struct http_transfer *t = (struct http_transfer *)(void *)p;
    MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
    finish(l, t, result, ERR_OK);
  }
}

/* No new work is taken now, so one pass over what is left is enough. */
static void cancel_all(struct http_loop *l)
{
  struct command k;
  while (l->live != NULL) {
    atomic_store(&l->live->cancelled, true);
    finish(l, l->live, CURLE_OK, ERR_CANCELLED);
  }
  while (next_command(l, &k)) {
    if (!k.done)
      finish(l, k.t, CURLE_OK, ERR_CANCELLED);
    http_transfer_unref(k.t);
  }
  run_timers(l);
}

static void *run(void *loop)
{
  struct http_loop *l = loop;
  MAGIC_CHECK(l, HTTP_LOOP_MAGIC);
  /* Signals are for main(). SIGPIPE in particular: OpenSSL raises it when it writes to a
   * connection the server has closed. */
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  do {
    run_commands(l);
    run_timers(l);
    run_deadlines(l);
    http_sockets_turn(&l->sockets, begin_wait_ms(l));
    collect(l);
  } while (!end_wait(l));
  cancel_all(l);
  return NULL;
}

/* ---- life ---- */

enum err_code http_loop_init(struct http_loop *l, struct http_client *client, size_t connections,
                             size_t host_connections)
{
  l->magic = HTTP_LOOP_MAGIC;
  l->client = client;
  pthread_mutex_init(&l->lock, NULL);
  l->multi = curl_multi_init();
  if (l->multi == NULL || !http_sockets_init(&l->sockets, l->multi))
    return ERR_RESOURCE_EXHAUSTED;
  curl_multi_setopt(l->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(l->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
  curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)host_connections);
  curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)connections);
  return ERR_OK;
}

enum err_code http_loop_start(struct http_loop *l)
{
  l->running = pthread_create(&l->thread, NULL, run, l) == 0;
  return l->running ? ERR_OK : ERR_RESOURCE_EXHAUSTED;
}

/* Under lock. */
static void wake(struct http_loop *l)
{
  if (!l->asleep)
    return;
  l->asleep = false; /* once is enough */
  http_sockets_wake(&l->sockets);
}

void http_loop_stop(struct http_loop *l)
{
  pthread_mutex_lock(&l->lock);
  l->stopping = true;
  wake(l);
  pthread_mutex_unlock(&l->lock);
}

void http_loop_join(struct http_loop *l)
{
  if (l->running)
    pthread_join(l->thread, NULL);
  l->running = false;
  if (l->multi != NULL)
    curl_multi_cleanup(l->multi);
  l->multi = NULL;
}

void http_loop_free(struct http_loop *l)
{
  if (l->magic == 0)
    return;
  for (size_t i = 0; i < l->n_host_labels; i++)
    free(l->host_labels[i]);
  http_sockets_free(&l->sockets);
  due_heap_free(&l->timers);
  due_heap_free(&l->deadlines);
  pthread_mutex_destroy(&l->lock);
  l->magic = 0;
}

/* ---- from other threads ---- */

void http_loop_command(struct http_loop *l, struct http_transfer *t)
{
  if (t->queued)
    return;
  atomic_fetch_add(&t->refs, 1);
  t->queued = true;
  t->next_command = NULL;
  if (l->commands == NULL)
    l->commands = t;
  else
    l->last_command->next_command = t;
  l->last_command = t;
  wake(l);
}

enum err_code http_loop_after(struct http_loop *l, uint32_t delay_ms, void (*fn)(void *arg),
                              void *arg)
{
  int64_t at_ms = clock_mono_ms() + delay_ms;
  enum err_code code = ERR_OK;
  pthread_mutex_lock(&l->lock);
  if (l->stopping) {
    code = ERR_CANCELLED;
  } else if (l->timers.len >= HTTP_MAX_TIMERS) {
    code = ERR_RESOURCE_EXHAUSTED;
  } else {
    struct http_timer *timer = xcalloc(1, sizeof(*timer));
    timer->fn = fn;
    timer->arg = arg;
    due_heap_add(&l->timers, &timer->due, at_ms);
    if (due_heap_first(&l->timers) == &timer->due)
      wake(l);
  }
  pthread_mutex_unlock(&l->lock);
  return code;
}
