/* The client as its users see it: start, cancel, resume, release, wait. */
#include "common/http/client.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/http/internal.h"

static CURLcode global_result;

static void global_init(void)
{
  global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Never undone: curl's resolver threads may outlive the last client. */
static enum err_code init_curl(struct err *e)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, global_init);
  if (global_result != CURLE_OK)
    return err_set(e, ERR_INTERNAL, "curl_init", "libcurl cannot start: %s",
                   curl_easy_strerror(global_result));
  return ERR_OK;
}

static enum err_code check_trust(const struct http_client_options *o, struct err *e)
{
  FILE *f = o->ca_file != NULL ? fopen(o->ca_file, "re") : NULL;
  if (o->ca_file != NULL && f == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "ca_file", "CA file %s cannot be read: %s",
                   o->ca_file, strerror(errno));
  if (f != NULL)
    fclose(f);
  DIR *d = o->ca_dir != NULL ? opendir(o->ca_dir) : NULL;
  if (o->ca_dir != NULL && d == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "ca_dir", "CA directory %s cannot be read: %s",
                   o->ca_dir, strerror(errno));
  if (d != NULL)
    closedir(d);
  return ERR_OK;
}

/* Google compresses only for user agents that say gzip. */
static char *make_user_agent(const char *agent)
{
  if (agent == NULL || agent[0] == '\0')
    agent = "analytics-mcp/" AMCP_VERSION;
  return ascii_case_find(agent, "gzip") != NULL ? xstrdup(agent) : xasprintf("%s (gzip)", agent);
}

static struct http_client *make_client(const struct http_client_options *o)
{
  size_t threads = o->threads == 0 ? 1 : o->threads;
  if (threads > HTTP_MAX_THREADS)
    threads = HTTP_MAX_THREADS;
  struct http_client *c = xcalloc(1, sizeof(*c) + threads * sizeof(c->loops[0]));
  c->magic = HTTP_CLIENT_MAGIC;
  c->n_loops = threads;
  atomic_init(&c->refs, 1);
  c->user_agent = make_user_agent(o->user_agent);
  c->ca_file = xstrdup(o->ca_file);
  c->ca_dir = xstrdup(o->ca_dir);
  c->max_transfers = o->max_transfers > 0 ? o->max_transfers : 1024;
  c->requests = metrics_counter("http_client_requests_total",
                                "HTTP requests sent, by host and status (or error code).", "host",
                                "code", NULL);
  c->seconds =
      metrics_histogram("http_client_seconds",
                        "Time from sending a request to the end of its response.", "host", NULL);
  return c;
}

/* The part of a bound on all loops that one has. */
static size_t part(size_t bound, size_t otherwise, size_t loops)
{
  return ((bound > 0 ? bound : otherwise) + loops - 1) / loops;
}

static enum err_code start_loops(struct http_client *c, const struct http_client_options *o)
{
  size_t connections = part(o->max_connections, 256, c->n_loops);
  size_t host_connections = part(o->max_host_connections, 64, c->n_loops);
  for (size_t i = 0; i < c->n_loops; i++)
    if (http_loop_init(&c->loops[i], c, connections, host_connections) != ERR_OK)
      return ERR_RESOURCE_EXHAUSTED;
  for (size_t i = 0; i < c->n_loops; i++)
    if (http_loop_start(&c->loops[i]) != ERR_OK)
      return ERR_RESOURCE_EXHAUSTED;
  return ERR_OK;
}

enum err_code http_client_new(struct http_client **out, const struct http_client_options *options,
                              struct err *e)
{
  *out = NULL;
  struct http_client_options o = options != NULL ? *options : (struct http_client_options){0};
  enum err_code code = init_curl(e);
  if (code == ERR_OK)
    code = check_trust(&o, e);
  if (code != ERR_OK)
    return code;
  struct http_client *c = make_client(&o);
  if (start_loops(c, &o) != ERR_OK) {
    http_client_free(c);
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "no_thread",
                   "the HTTP client's threads cannot start: out of threads or descriptors");
  }
  *out = c;
  return ERR_OK;
}

void http_client_free(struct http_client *c)
{
  if (c == NULL)
    return;
  MAGIC_CHECK(c, HTTP_CLIENT_MAGIC);
  atomic_store(&c->stopping, true);
  for (size_t i = 0; i < c->n_loops && c->loops[i].magic != 0; i++)
    http_loop_stop(&c->loops[i]);
  for (size_t i = 0; i < c->n_loops && c->loops[i].magic != 0; i++)
    http_loop_join(&c->loops[i]);
  http_client_unref(c);
}

void http_client_unref(struct http_client *c)
{
  if (atomic_fetch_sub(&c->refs, 1) != 1)
    return;
  for (size_t i = 0; i < c->n_loops; i++)
    http_loop_free(&c->loops[i]);
  free(c->user_agent);
  free(c->ca_file);
  free(c->ca_dir);
  c->magic = 0;
  free(c);
}

/* The loop of a lane; without one that with the fewest transfers, the first of those, so that a
 * client with little to do keeps to the connections that it has. */
static struct http_loop *choose_loop(struct http_client *c, uint32_t lane)
{
  if (lane != 0)
    return &c->loops[lane % c->n_loops];
  struct http_loop *best = &c->loops[0];
  for (size_t i = 1; i < c->n_loops; i++)
    if (atomic_load(&c->loops[i].transfers) < atomic_load(&best->transfers))
      best = &c->loops[i];
  return best;
}

static enum err_code give(struct http_transfer *t, struct http_transfer **out, struct err *e)
{
  struct http_loop *l = t->loop;
  pthread_mutex_lock(&l->lock);
  bool stopping = l->stopping || atomic_load(&t->client->stopping);
  if (!stopping) {
    atomic_fetch_add(&l->transfers, 1);
    if (out != NULL) {
      atomic_fetch_add(&t->refs, 1);
      *out = t; /* before the thread can run a callback */
    }
    t->start = true;
    http_loop_command(l, t);
  }
  pthread_mutex_unlock(&l->lock);
  return stopping ? err_set(e, ERR_CANCELLED, "stopping", "the HTTP client is stopping") : ERR_OK;
}

static enum err_code admit(struct http_client *c, struct http_transfer *t,
                           struct http_transfer **out, struct err *e)
{
  size_t before = atomic_fetch_add(&c->transfers, 1);
  enum err_code code =
      before < c->max_transfers
          ? give(t, out, e)
          : err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_transfers",
                    "%zu HTTP transfers are under way already; try again later", before);
  if (code != ERR_OK)
    atomic_fetch_sub(&c->transfers, 1);
  return code;
}

enum err_code http_client_send(struct http_transfer **out, struct http_client *c,
                               const struct http_request *request, struct err *e)
{
  if (out != NULL)
    *out = NULL;
  MAGIC_CHECK(c, HTTP_CLIENT_MAGIC);
  struct http_transfer *t = xcalloc(1, sizeof(*t));
  t->magic = HTTP_TRANSFER_MAGIC;
  atomic_init(&t->refs, 1);
  atomic_init(&t->cancelled, false);
  atomic_fetch_add(&c->refs, 1);
  t->client = c;
  t->loop = choose_loop(c, request->lane);
  t->started_ms = clock_mono_ms();
  enum err_code code = http_transfer_setup(t, request, e);
  if (code == ERR_OK)
    code = admit(c, t, out, e);
  if (code != ERR_OK)
    http_transfer_unref(t);
  return code;
}

void http_transfer_cancel(struct http_transfer *t)
{
  MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
  pthread_mutex_lock(&t->loop->lock);
  if (!t->done) {
    atomic_store(&t->cancelled, true);
    http_loop_command(t->loop, t);
  }
  pthread_mutex_unlock(&t->loop->lock);
}

void http_transfer_resume(struct http_transfer *t)
{
  MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
  pthread_mutex_lock(&t->loop->lock);
  if (!t->done) {
    t->resume = true;
    http_loop_command(t->loop, t);
  }
  pthread_mutex_unlock(&t->loop->lock);
}

void http_transfer_release(struct http_transfer *t)
{
  if (t == NULL)
    return;
  MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
  http_transfer_unref(t);
}

/* Headers and bodies carry tokens: they are overwritten before the memory goes back. */
static void wipe_request(struct http_transfer *t)
{
  for (struct curl_slist *h = t->headers; h != NULL; h = h->next)
    mem_wipe(h->data, strlen(h->data));
  curl_slist_free_all(t->headers);
  if (t->request_body != NULL)
    mem_wipe(t->request_body, t->request_len);
  free(t->request_body);
}

void http_transfer_unref(struct http_transfer *t)
{
  if (atomic_fetch_sub(&t->refs, 1) != 1)
    return;
  if (t->easy != NULL)
    curl_easy_cleanup(t->easy);
  wipe_request(t);
  buf_free(&t->body);
  buf_free(&t->content_type);
  buf_free(&t->retry_after);
  buf_free(&t->www_authenticate);
  buf_free(&t->wanted);
  free(t->want_header);
  free(t->host);
  free(t->peer);
  free(t->path);
  http_trace_free(t);
  t->magic = 0;
  http_client_unref(t->client);
  free(t);
}

enum err_code http_client_after(struct http_client *c, uint32_t delay_ms, void (*fn)(void *arg),
                                void *arg)
{
  MAGIC_CHECK(c, HTTP_CLIENT_MAGIC);
  return http_loop_after(&c->loops[0], delay_ms, fn, arg);
}
