/* One request of a test. */
#include "tests/unit/http/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 30 };

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct fetch *f = user;
  enum http_flow flow = HTTP_CONTINUE;
  pthread_mutex_lock(&f->lock);
  f->calls++;
  f->late += f->aborted;
  if (f->abort_at > 0 && f->streamed + len >= f->abort_at) {
    flow = HTTP_ABORT;
    f->aborted = true;
  } else if (f->pause_every > 0 && f->calls % f->pause_every == 0) {
    flow = HTTP_PAUSE;
    f->pauses++;
    f->paused = true;
  } else {
    f->in_order = f->in_order && server_bytes_are(f->streamed, data, len);
    f->streamed += len;
  }
  pthread_cond_broadcast(&f->changed);
  pthread_mutex_unlock(&f->lock);
  return flow;
}

static void on_done(void *user, const struct http_response *r)
{
  struct fetch *f = user;
  pthread_mutex_lock(&f->lock);
  f->error = r->error;
  f->status = r->status;
  if (r->body_len > 0)
    buf_append(&f->body, r->body, r->body_len);
  snprintf(f->content_type, sizeof(f->content_type), "%s", r->content_type);
  snprintf(f->retry_after, sizeof(f->retry_after), "%s", r->retry_after);
  snprintf(f->www_authenticate, sizeof(f->www_authenticate), "%s", r->www_authenticate);
  f->total_ms = r->total_ms;
  void (*then)(struct fetch * f) = f->then;
  pthread_mutex_unlock(&f->lock);
  if (then != NULL)
    then(f);
  pthread_mutex_lock(&f->lock);
  f->n_done++;
  pthread_cond_broadcast(&f->changed);
  pthread_mutex_unlock(&f->lock);
}

void fetch_init(struct fetch *f, const struct server *s, const char *path)
{
  *f = (struct fetch){.in_order = true, .body = BUF_INIT(64 * 1024 * 1024)};
  pthread_mutex_init(&f->lock, NULL);
  pthread_cond_init(&f->changed, NULL);
  if (s != NULL)
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u%s", server_port(s), path);
  else
    snprintf(f->url, sizeof(f->url), "%s", path);
  f->request = (struct http_request){.method = "GET", .url = f->url, .on_done = on_done, .user = f};
}

void fetch_stream(struct fetch *f)
{
  f->request.on_body = on_body;
}

enum err_code fetch_start(struct fetch *f, struct http_client *c)
{
  struct err e = {0};
  f->client = c;
  enum err_code code = http_client_send(&f->transfer, c, &f->request, &e);
  if (code != ERR_OK)
    f->error = e;
  return code;
}

static bool wait_until(struct fetch *f, bool (*ready)(const struct fetch *f, size_t n), size_t n)
{
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += PATIENCE_S;
  pthread_mutex_lock(&f->lock);
  bool ok = ready(f, n);
  while (!ok && pthread_cond_timedwait(&f->changed, &f->lock, &end) != ETIMEDOUT)
    ok = ready(f, n);
  pthread_mutex_unlock(&f->lock);
  return ok;
}

static bool is_done(const struct fetch *f, size_t n)
{
  return f->n_done > n;
}

static bool has_bytes(const struct fetch *f, size_t n)
{
  return f->streamed >= n;
}

static bool is_paused_or_done(const struct fetch *f, size_t n)
{
  (void)n;
  return f->paused || f->n_done > 0;
}

bool fetch_wait(struct fetch *f)
{
  return wait_until(f, is_done, 0);
}

bool fetch_wait_bytes(struct fetch *f, size_t n)
{
  return wait_until(f, has_bytes, n);
}

bool fetch_wait_pause(struct fetch *f)
{
  return wait_until(f, is_paused_or_done, 0);
}

bool fetch_resume_to_end(struct fetch *f)
{
  for (;;) {
    if (!fetch_wait_pause(f))
      return false;
    pthread_mutex_lock(&f->lock);
    bool paused = f->paused;
    bool done = f->n_done > 0;
    f->paused = false;
    pthread_mutex_unlock(&f->lock);
    if (done)
      return true;
    if (paused)
      http_transfer_resume(f->transfer);
  }
}

bool fetch_run(struct fetch *f, struct http_client *c)
{
  return fetch_start(f, c) == ERR_OK && fetch_wait(f);
}

void fetch_free(struct fetch *f)
{
  http_transfer_release(f->transfer);
  buf_free(&f->body);
  pthread_cond_destroy(&f->changed);
  pthread_mutex_destroy(&f->lock);
}

void test_sleep_ms(long ms)
{
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

struct http_client *new_client(void)
{
  struct http_client *c;
  struct err e;
  if (http_client_new(&c, NULL, &e) != ERR_OK) {
    fprintf(stderr, "%s\n", e.message);
    exit(1);
  }
  return c;
}
