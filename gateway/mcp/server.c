/* The entry of gateway/mcp: parses a posted body, finds its era, keeps house. */
#include "gateway/mcp/server.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/mcp/headers.h"
#include "gateway/mcp/internal.h"

static void set_defaults(struct mcp_server_options *o)
{
  if (o->session_life_ms == 0)
    o->session_life_ms = INT64_C(7) * 24 * 3600 * 1000;
  if (o->max_deleted_sessions == 0)
    o->max_deleted_sessions = 10000;
  if (o->max_calls_per_session == 0)
    o->max_calls_per_session = 64;
  if (o->ask_ms == 0)
    o->ask_ms = 50000;
  if (o->max_kept_sessions == 0)
    o->max_kept_sessions = 1024;
  if (o->page_size == 0)
    o->page_size = 100;
  if (o->stream_after_ms == 0)
    o->stream_after_ms = 10000;
  if (o->max_streams == 0)
    o->max_streams = 1024;
  if (o->max_streams_each == 0)
    o->max_streams_each = (o->max_streams + 3) / 4;
  if (o->stream_check_ms == 0)
    o->stream_check_ms = 60000;
}

struct mcp_server *mcp_server_new(const struct mcp_server_options *options)
{
  struct mcp_server *s = xcalloc(1, sizeof(*s));
  s->options = *options;
  set_defaults(&s->options);
  s->now_ms = options->now_ms != NULL ? options->now_ms : clock_mono_ms;
  s->unix_ms = options->unix_ms != NULL ? options->unix_ms : clock_unix_ms;
  s->sessions = mcp_sessions_new(
      &(struct mcp_sessions_options){.keys = s->options.session_keys,
                                     .life_ms = s->options.session_life_ms,
                                     .max_deleted = s->options.max_deleted_sessions,
                                     .max_kept = s->options.max_kept_sessions});
  s->requests = metrics_counter("mcp_requests_total", "MCP requests by method and outcome.",
                                "method", "code", NULL);
  s->tool_calls =
      metrics_counter("mcp_tool_calls_total", "Tool calls by outcome.", "tool", "outcome", NULL);
  s->tool_seconds = metrics_histogram("mcp_tool_seconds", "Duration of tool calls.", "tool", NULL);
  pthread_mutex_init(&s->lock, NULL);
  mcp_tools_write_first_pages(s);
  return s;
}

void mcp_server_free(struct mcp_server *s)
{
  if (s == NULL)
    return;
  mcp_sessions_free(s->sessions);
  for (int v = 0; v <= MCP_TOOLS_NEWEST; v++)
    for (int i = 0; i < 2; i++)
      buf_free(&s->first_pages[i][v]);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

size_t mcp_server_sessions(struct mcp_server *s)
{
  return mcp_sessions_count(s->sessions);
}

void mcp_server_list(struct mcp_server *s, struct mcp_exchange *x, bool streams_later)
{
  pthread_mutex_lock(&s->lock);
  x->streams_later = streams_later;
  if (!x->listed) { /* a batch comes once for each call */
    x->listed = true;
    x->next_open = s->open;
    if (s->open != NULL)
      s->open->prev_open = x;
    s->open = x;
  }
  pthread_mutex_unlock(&s->lock);
}

void mcp_server_unlist(struct mcp_server *s, struct mcp_exchange *x)
{
  pthread_mutex_lock(&s->lock);
  if (x->listed) {
    *(x->prev_open != NULL ? &x->prev_open->next_open : &s->open) = x->next_open;
    if (x->next_open != NULL)
      x->next_open->prev_open = x->prev_open;
    x->listed = false;
  }
  pthread_mutex_unlock(&s->lock);
}

void mcp_server_asked(struct mcp_server *s, struct mcp_exchange *x, int64_t now_ms)
{
  pthread_mutex_lock(&s->lock);
  x->asked_ms = now_ms;
  pthread_mutex_unlock(&s->lock);
}

struct mcp_exchange *mcp_server_next_overdue(struct mcp_server *s, int64_t before_ms)
{
  pthread_mutex_lock(&s->lock);
  struct mcp_exchange *x = s->open;
  while (x != NULL && (x->asked_ms == 0 || x->asked_ms > before_ms))
    x = x->next_open;
  if (x != NULL) {
    x->asked_ms = 0;
    mcp_exchange_ref(x);
  }
  pthread_mutex_unlock(&s->lock);
  return x;
}

void mcp_server_count(struct mcp_server *s, const char *method, int code)
{
  char number[WHOLE_TEXT];
  const char *text = whole_write(number, code);
  metric_add(s->requests, 1, METRIC_LABELS(method, text));
}

void mcp_server_count_tool(const struct mcp_call *call, const char *outcome)
{
  struct mcp_server *s = call->exchange->server;
  double seconds = (double)(clock_mono_ns() - call->started_ns) / 1e9;
  metric_add(s->tool_calls, 1, METRIC_LABELS(call->tool->name, outcome));
  metric_observe(s->tool_seconds, seconds, METRIC_LABELS(call->tool->name));
}

void mcp_server_cancelled(const struct mcp_call *call)
{
  metric_add(call->exchange->server->requests, 1, METRIC_LABELS(mcp_call_label(call), "cancelled"));
  if (call->tool != NULL)
    mcp_server_count_tool(call, "cancelled");
}

static void answer(struct mcp_exchange *x, const struct mcp_post *post)
{
  struct err e = {0};
  if (json_parse(&x->body, post->body, post->body_len, NULL, &e) != ERR_OK) {
    char text[700];
    snprintf(text, sizeof(text), "The body is not well-formed JSON: %s", e.message);
    mcp_exchange_refuse(x, 400, JSONRPC_PARSE_ERROR, text, NULL, NULL);
    return;
  }
  struct mcp_refusal why;
  switch (mcp_era_classify(&post->headers, x->body, &why)) {
  case MCP_ERA_LEGACY:
    mcp_legacy_post(x, &post->headers);
    return;
  case MCP_ERA_MODERN:
    mcp_modern_post(x, &post->headers);
    return;
  case MCP_ERA_REFUSED:
    mcp_exchange_refuse(x, why.status, why.code, why.message, jsonrpc_read(x->body).id, NULL);
    return;
  }
}

void mcp_server_post(struct mcp_server *s, const struct mcp_post *post, const struct mcp_sink *sink,
                     void *sink_arg, struct mcp_exchange **out)
{
  struct mcp_exchange *x = mcp_exchange_new(s, post, sink, sink_arg);
  answer(x, post);
  *out = x;
}

void mcp_refusal_put(struct buf *out, const char *body, size_t len, int code, const char *message)
{
  struct err e = {0};
  AUTO_JSON cJSON *parsed = NULL;
  const cJSON *id = NULL;
  if (body != NULL && json_parse(&parsed, body, len, NULL, &e) == ERR_OK)
    id = jsonrpc_read(parsed).id;
  jsonrpc_put_error(out, jsonrpc_id_valid(id) ? id : NULL, code, message, NULL);
}

int mcp_server_delete(struct mcp_server *s, const struct mcp_headers *headers,
                      const struct mcp_principal *principal)
{
  int refusal = mcp_headers_check_session(headers);
  if (refusal != 0)
    return refusal;
  struct mcp_session *session =
      mcp_session_find(s->sessions, headers->session_id, principal, s->unix_ms());
  if (session == NULL)
    return 404;
  mcp_session_end(s->sessions, session);
  mcp_session_release(s->sessions, session);
  return 204;
}

/* The open exchange that should become a stream, with a reference; NULL when none. Gives each
 * once. */
static struct mcp_exchange *next_slow(struct mcp_server *s, int64_t before_ms)
{
  pthread_mutex_lock(&s->lock);
  struct mcp_exchange *x = s->open;
  while (x != NULL && (!x->streams_later || x->started_ms > before_ms))
    x = x->next_open;
  if (x != NULL) {
    x->streams_later = false;
    mcp_exchange_ref(x);
  }
  pthread_mutex_unlock(&s->lock);
  return x;
}

/* An open exchange, with a reference, out of the list; NULL when none. */
static struct mcp_exchange *take_open(struct mcp_server *s)
{
  pthread_mutex_lock(&s->lock);
  struct mcp_exchange *x = s->open;
  if (x != NULL)
    mcp_exchange_ref(x);
  pthread_mutex_unlock(&s->lock);
  if (x != NULL)
    mcp_server_unlist(s, x);
  return x;
}

void mcp_server_restarting(struct mcp_server *s)
{
  struct mcp_exchange *x;
  atomic_store(&s->restarting, true);
  while ((x = take_open(s)) != NULL) {
    mcp_exchange_restarting(x);
    mcp_exchange_unref(x);
  }
}

void mcp_server_tick(struct mcp_server *s)
{
  int64_t now = s->now_ms();
  ring_refresh(s->options.session_keys);
  mcp_sessions_expire(s->sessions, s->unix_ms());
  struct mcp_exchange *x;
  while ((x = next_slow(s, now - s->options.stream_after_ms)) != NULL) {
    mcp_exchange_start_stream(x);
    mcp_exchange_unref(x);
  }
  mcp_elicit_overdue(s);
}
