/* The client's thread: commands from other threads, timers, deadlines, curl. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/internal.h"

enum {
  LONGEST_WAIT_MS = 60 * 1000,
  /* While transfers are under way. libcurl 7.88 can drop the timer of a transfer that it has just
   * moved on from waiting for a connection (its clock advances within curl_multi_perform());
   * looking again runs it. */
  LONGEST_BUSY_WAIT_MS = 20,
};

/* ---- the end of a transfer ---- */

static const char *host_label(struct http_client *c, const char *host)
{
  for (size_t i = 0; i < c->n_host_labels; i++)
    if (ascii_case_equal(c->host_labels[i], host))
      return c->host_labels[i];
  if (c->n_host_labels == HTTP_MAX_HOST_LABELS)
    return "other";
  return c->host_labels[c->n_host_labels++] = xstrdup(host);
}

static void count(struct http_client *c, const struct http_transfer *t,
                  const struct http_response *r)
{
  char status[16];
  snprintf(status, sizeof(status), "%d", r->status);
  const char *code = r->error.code == ERR_OK ? status : err_code_name(r->error.code);
  const char *host = host_label(c, t->host);
  metric_add(c->requests, 1, METRIC_LABELS(host, code));
  metric_observe(c->seconds, (double)r->total_ms / 1000.0, METRIC_LABELS(host));
  log_debug("upstream request", LOG_S("method", t->method), LOG_S("to", t->peer),
            LOG_S("path", t->path), LOG_S("status", code), LOG_I("ms", r->total_ms));
}

static void unlink_live(struct http_client *c, struct http_transfer *t)
{
  if (t->next != NULL)
    t->next->prev = t->prev;
  if (t->prev != NULL)
    t->prev->next = t->next;
  else if (c->live == t)
    c->live = t->next;
  t->prev = t->next = NULL;
}

/* Leaves curl and the client's books; from now on cancel and resume do nothing. */
static void retire(struct http_client *c, struct http_transfer *t)
{
  if (t->added)
    curl_multi_remove_handle(c->multi, t->easy);
  t->added = false;
  due_heap_remove(&c->deadlines, &t->deadline);
  unlink_live(c, t);
  pthread_mutex_lock(&c->lock);
  t->done = true;
  c->n_transfers--;
  pthread_mutex_unlock(&c->lock);
}

/* Ends a transfer: result is curl's, unless a callback or the client had another reason,
 * which forced names. The client's reference is gone afterwards. */
static void finish(struct http_client *c, struct http_transfer *t, CURLcode result,
                   enum err_code forced)
{
  struct http_response r = {.total_ms = clock_mono_ms() - t->started_ms};
  long status = 0;
  if (t->added) {
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &t->os_error);
  }
  retire(c, t);
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
  count(c, t, &r);
  http_trace_end(t, &r);
  struct trace_scope scope = trace_enter(t->trace);
  t->on_done(t->user, &r);
  trace_leave(scope);
  http_transfer_unref(t);
}

/* ---- commands ---- */

static void start(struct http_client *c, struct http_transfer *t)
{
  t->next = c->live;
  if (c->live != NULL)
    c->live->prev = t;
  c->live = t;
  due_heap_add(&c->deadlines, &t->deadline, t->started_ms + t->timeout_ms);
  if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK) {
    finish(c, t, CURLE_OUT_OF_MEMORY, ERR_OK);
    return;
  }
  t->added = true;
}

static void set_deadline(struct http_transfer *t, int64_t at_ms)
{
  int64_t longest = t->started_ms + t->longest_ms;
  due_heap_remove(&t->client->deadlines, &t->deadline);
  due_heap_add(&t->client->deadlines, &t->deadline, at_ms < longest ? at_ms : longest);
}

void http_loop_pause(struct http_transfer *t)
{
  t->paused = true;
  t->left_ms = t->deadline.at_ms - clock_mono_ms();
  set_deadline(t, INT64_MAX);
}

/* curl hands out the bytes it kept from within curl_easy_pause(), and on_body may pause
 * again there; an error is reported nowhere else. */
static void resume(struct http_client *c, struct http_transfer *t)
{
  if (!t->paused)
    return;
  t->paused = false;
  set_deadline(t, clock_mono_ms() + t->left_ms);
  CURLcode result = curl_easy_pause(t->easy, CURLPAUSE_CONT);
  if (result != CURLE_OK || t->stop != HTTP_STOP_NONE)
    finish(c, t, result != CURLE_OK ? result : CURLE_WRITE_ERROR, ERR_OK);
}

/* What another thread wants of a transfer; the reference is the taker's. */
struct command {
  struct http_transfer *t;
  bool start;
  bool resume;
  bool done; /* too late for either */
};

static bool next_command(struct http_client *c, struct command *out)
{
  pthread_mutex_lock(&c->lock);
  struct http_transfer *t = c->commands;
  if (t != NULL) {
    c->commands = t->next_command;
    *out = (struct command){.t = t, .start = t->start, .resume = t->resume, .done = t->done};
    t->queued = t->start = t->resume = false;
  }
  pthread_mutex_unlock(&c->lock);
  return t != NULL;
}

static void run_commands(struct http_client *c)
{
  struct command k;
  while (next_command(c, &k)) {
    MAGIC_CHECK(k.t, HTTP_TRANSFER_MAGIC);
    if (!k.done && atomic_load(&k.t->cancelled))
      finish(c, k.t, CURLE_OK, ERR_CANCELLED);
    else if (k.start)
      start(c, k.t);
    else if (k.resume && !k.done)
      resume(c, k.t);
    http_transfer_unref(k.t);
  }
}

/* ---- time ---- */

/* Takes the next timer to run in this round: one that is due (or any, when the client
 * ends) and was set before the round began, so that timers that set timers do not keep
 * the thread from its transfers. */
static struct http_timer *next_timer(struct http_client *c, int64_t now, uint64_t round)
{
  pthread_mutex_lock(&c->lock);
  struct due *d = due_heap_first(&c->timers);
  if (d != NULL && !c->stopping && (d->at_ms > now || d->order >= round))
    d = NULL;
  if (d != NULL)
    due_heap_remove(&c->timers, d);
  pthread_mutex_unlock(&c->lock);
  return (struct http_timer *)d;
}

static void run_timers(struct http_client *c)
{
  pthread_mutex_lock(&c->lock);
  uint64_t round = c->timers.next_order;
  pthread_mutex_unlock(&c->lock);
  int64_t now = clock_mono_ms();
  struct http_timer *timer;
  while ((timer = next_timer(c, now, round)) != NULL) {
    timer->fn(timer->arg);
    free(timer);
  }
}

/* curl's own timeout does not run while a transfer waits for a connection, so the deadline
 * is kept here. */
static void run_deadlines(struct http_client *c)
{
  int64_t now = clock_mono_ms();
  struct due *d;
  while ((d = due_heap_first(&c->deadlines)) != NULL && d->at_ms <= now)
    finish(c, (struct http_transfer *)d, CURLE_OK, ERR_DEADLINE_EXCEEDED);
}

static int wait_ms(struct http_client *c)
{
  int64_t at = clock_mono_ms() + (c->live != NULL ? LONGEST_BUSY_WAIT_MS : LONGEST_WAIT_MS);
  struct due *d = due_heap_first(&c->deadlines);
  if (d != NULL && d->at_ms < at)
    at = d->at_ms;
  pthread_mutex_lock(&c->lock);
  d = due_heap_first(&c->timers);
  if (d != NULL && d->at_ms < at)
    at = d->at_ms;
  pthread_mutex_unlock(&c->lock);
  int64_t wait = at - clock_mono_ms();
  return wait > 0 ? (int)wait : 0;
}

/* ---- the loop ---- */

static void collect(struct http_client *c)
{
  int left;
  CURLMsg *m;
  while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
    if (m->msg != CURLMSG_DONE)
      continue;
    CURLcode result = m->data.result; /* m dies with the handle */
    char *p = NULL;
    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
    struct http_transfer *t = (struct http_transfer *)(void *)p;
    MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
    finish(c, t, result, ERR_OK);
  }
}

static bool is_stopping(struct http_client *c)
{
  pthread_mutex_lock(&c->lock);
  bool stopping = c->stopping;
  pthread_mutex_unlock(&c->lock);
  return stopping;
}

static void wait(struct http_client *c)
{
  if (curl_multi_poll(c->multi, NULL, 0, wait_ms(c), NULL) == CURLM_OK)
    return;
  /* Out of memory or descriptors: do not spin. */
  nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* No new work is taken any more, so one pass over what is left is enough. */
static void cancel_all(struct http_client *c)
{
  struct command k;
  while (c->live != NULL) {
    atomic_store(&c->live->cancelled, true);
    finish(c, c->live, CURLE_OK, ERR_CANCELLED);
  }
  while (next_command(c, &k)) {
    if (!k.done)
      finish(c, k.t, CURLE_OK, ERR_CANCELLED);
    http_transfer_unref(k.t);
  }
  run_timers(c);
}

void *http_loop_run(void *client)
{
  struct http_client *c = client;
  MAGIC_CHECK(c, HTTP_CLIENT_MAGIC);
  /* Signals are for main(). SIGPIPE in particular: OpenSSL raises it when it writes to a
   * connection the server has closed. */
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  while (!is_stopping(c)) {
    int running;
    run_commands(c);
    run_timers(c);
    run_deadlines(c);
    curl_multi_perform(c->multi, &running);
    collect(c);
    wait(c);
  }
  cancel_all(c);
  return NULL;
}
