/* Streams that carry notifications which belong to no request. */
#include "gateway/mcp/stream.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/internal.h"

/* What a subscription may ask for. */
static const struct {
  const char *wish; /* in params.notifications */
  const char *method;
  unsigned change;
} kinds[] = {
    {"toolsListChanged", "notifications/tools/list_changed", MCP_TOOLS_CHANGED},
    {"promptsListChanged", "notifications/prompts/list_changed", MCP_PROMPTS_CHANGED},
    {"resourcesListChanged", "notifications/resources/list_changed", MCP_RESOURCES_CHANGED},
};

static unsigned changes_of(const struct mcp_tool_host *host)
{
  return MCP_TOOLS_CHANGED | (host->n_prompts > 0 ? MCP_PROMPTS_CHANGED : 0U) |
         (host->n_resources > 0 ? MCP_RESOURCES_CHANGED : 0U);
}

/* ------------------------------------------------------------------- list */

static struct mcp_principal *principal_of(const struct mcp_call *call)
{
  return call->exchange->principal;
}

static bool has_room_locked(const struct mcp_server *s, const struct mcp_principal *p)
{
  size_t own = 0;
  for (const struct mcp_call *c = s->streams; c != NULL; c = c->next_stream)
    own += strcmp(principal_of(c)->id, p->id) == 0;
  return s->n_streams < s->options.max_streams && own < s->options.max_streams_each;
}

/* The list takes a reference. False when there is no room, or the program ends. */
static bool add(struct mcp_call *call)
{
  struct mcp_server *s = call->exchange->server;
  pthread_mutex_lock(&s->lock);
  bool room = !s->streams_over && has_room_locked(s, principal_of(call));
  if (room) {
    mcp_call_ref(call);
    call->listed = true;
    call->checked_ms = s->now_ms();
    call->next_stream = s->streams;
    s->streams = call;
    s->n_streams++;
  }
  pthread_mutex_unlock(&s->lock);
  return room;
}

bool mcp_stream_remove(struct mcp_call *call)
{
  struct mcp_server *s = call->exchange->server;
  pthread_mutex_lock(&s->lock);
  bool listed = call->listed;
  if (listed) {
    struct mcp_call **p = &s->streams;
    while (*p != call)
      p = &(*p)->next_stream;
    *p = call->next_stream;
    s->n_streams--;
    call->listed = false;
  }
  pthread_mutex_unlock(&s->lock);
  return listed;
}

/* The first stream that fits, with a reference. */
static struct mcp_call *find(struct mcp_server *s,
                             bool (*fits)(const struct mcp_call *call, const void *arg),
                             const void *arg)
{
  pthread_mutex_lock(&s->lock);
  struct mcp_call *c = s->streams;
  while (c != NULL && !fits(c, arg))
    c = c->next_stream;
  if (c != NULL)
    mcp_call_ref(c);
  pthread_mutex_unlock(&s->lock);
  return c;
}

/* ------------------------------------------------------------------ events */

static void put_subscription(struct buf *out, const struct mcp_call *call)
{
  buf_puts(out, "\"_meta\":{\"" MCP_META_SUBSCRIPTION "\":");
  jsonrpc_put_id(out, call->id);
  buf_putc(out, '}');
}

/* The first event begins the stream: what others send before is dropped. json NULL: none. */
static void send(struct mcp_call *call, const struct buf *json, bool first)
{
  struct mcp_exchange *x = call->exchange;
  pthread_mutex_lock(&x->lock);
  call->begun |= first;
  if (json != NULL && call->begun && !x->finished && x->streaming && !call->settled)
    x->sink.stream_event(x->sink_arg, buf_str(json), json->len);
  pthread_mutex_unlock(&x->lock);
}

static void acknowledge(struct mcp_call *call)
{
  struct buf json AUTO_BUF = BUF_INIT(16384);
  buf_puts(&json, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
                  "\"params\":{");
  put_subscription(&json, call);
  buf_puts(&json, ",\"notifications\":{");
  const char *before = "";
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    if ((call->listens & kinds[i].change) == 0)
      continue;
    buf_printf(&json, "%s\"%s\":true", before, kinds[i].wish);
    before = ",";
  }
  buf_puts(&json, "}}}");
  send(call, &json, true);
}

static void notify(struct mcp_call *call, unsigned changes)
{
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    if ((call->listens & changes & kinds[i].change) == 0)
      continue;
    struct buf json AUTO_BUF = BUF_INIT(16384);
    buf_printf(&json, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"", kinds[i].method);
    if (call->id != NULL) {
      buf_puts(&json, ",\"params\":{");
      put_subscription(&json, call);
      buf_putc(&json, '}');
    }
    buf_putc(&json, '}');
    send(call, &json, false);
  }
}

void mcp_stream_end(struct mcp_call *call)
{
  if (call->id != NULL)
    mcp_call_result(call, "{}", 2, NULL);
  else
    mcp_call_cancel(call); /* a GET has no response */
}

/* ----------------------------------------------------------------- opening */

static bool refuse(struct mcp_call *call, int code, const char *message)
{
  mcp_call_error(call, code, message, NULL);
  return false;
}

/* What is asked for and served. False after the refusal. */
static bool read_wishes(struct mcp_call *call)
{
  const cJSON *wishes = cJSON_GetObjectItemCaseSensitive(call->params, "notifications");
  unsigned served = changes_of(&call->exchange->server->options.tools);
  if (!cJSON_IsObject(wishes))
    return refuse(call, JSONRPC_INVALID_PARAMS,
                  "params.notifications must be an object that names what to listen to, for "
                  "example {\"toolsListChanged\":true}");
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    const cJSON *wish = cJSON_GetObjectItemCaseSensitive(wishes, kinds[i].wish);
    if (wish != NULL && !cJSON_IsBool(wish))
      return refuse(call, JSONRPC_INVALID_PARAMS,
                    "params.notifications: each of them must be true or false");
    if (cJSON_IsTrue(wish))
      call->listens |= kinds[i].change & served;
  }
  return true;
}

static bool can_stream(struct mcp_call *call)
{
  return call->exchange->accepts_sse ||
         refuse(call, JSONRPC_INVALID_PARAMS,
                "The answer is a stream: Accept must allow text/event-stream");
}

/* Before the first event: whoever has to be refused gets an answer of JSON. */
static bool take_place(struct mcp_call *call)
{
  return call->listens == 0 || add(call) ||
         refuse(call, JSONRPC_INTERNAL_ERROR,
                "Too many streams are open, or the server is restarting: try again later");
}

void mcp_listen(struct mcp_call *call)
{
  if (read_wishes(call) && can_stream(call) && take_place(call)) {
    mcp_exchange_start_stream(call->exchange);
    acknowledge(call);
    if (call->listens == 0)
      mcp_stream_end(call);
  }
  mcp_call_unref(call);
}

/* ------------------------------------------------------------ for the host */

static bool is_of_session(const struct mcp_call *call, const void *session)
{
  return call->session == session;
}

static bool is_of_principal(const struct mcp_call *call, const void *principal)
{
  return principal == NULL || principal_of(call) == principal;
}

/* Replaces the stream that the session has. */
static void open_get(struct mcp_exchange *x, struct mcp_session *session)
{
  struct mcp_server *s = x->server;
  const struct jsonrpc_message none = {.kind = JSONRPC_NOTIFICATION};
  struct mcp_call *old = find(s, is_of_session, session);
  if (old != NULL) {
    mcp_stream_end(old);
    mcp_call_unref(old);
  }
  x->version = session->version;
  x->pending = 1;
  struct mcp_call *call = mcp_call_new(x, &none, session);
  call->listens = changes_of(&s->options.tools);
  call->attached = true;
  mcp_session_attach(s->sessions, session, call, SIZE_MAX); /* so that DELETE ends it */
  if (add(call)) {
    mcp_exchange_start_stream(x);
    send(call, NULL, true);
  } else {
    mcp_exchange_refuse(x, 405, 0, NULL, NULL,
                        NULL); /* the one refusal that clients take quietly */
    mcp_call_cancel(call);
  }
  mcp_call_unref(call);
}

int mcp_server_get(struct mcp_server *s, const struct mcp_post *post, const struct mcp_sink *sink,
                   void *sink_arg, struct mcp_exchange **out)
{
  const char *id = post->headers.session_id;
  *out = NULL;
  if (id == NULL || !s->options.tools.lists_change)
    return 405;
  struct mcp_session *session =
      mcp_session_find(s->sessions, id, post->principal->id, s->unix_ms());
  if (session == NULL)
    return 404;
  *out = mcp_exchange_new(s, post, sink, sink_arg);
  open_get(*out, session);
  mcp_session_release(s->sessions, session);
  return 0;
}

void mcp_server_changed(struct mcp_server *s, const struct mcp_principal *p, unsigned changes)
{
  struct mcp_call *call = find(s, is_of_principal, p);
  if (call == NULL)
    return;
  notify(call, changes);
  mcp_call_unref(call);
}

void mcp_server_end_streams(struct mcp_server *s, const struct mcp_principal *p)
{
  struct mcp_call *call;
  pthread_mutex_lock(&s->lock);
  s->streams_over |= p == NULL;
  pthread_mutex_unlock(&s->lock);
  while ((call = find(s, is_of_principal, p)) != NULL) {
    mcp_stream_end(call);
    mcp_call_unref(call);
  }
}

struct mcp_principal *mcp_server_unchecked_stream(struct mcp_server *s)
{
  struct mcp_principal *p = NULL;
  int64_t now = s->now_ms();
  pthread_mutex_lock(&s->lock);
  for (struct mcp_call *c = s->streams; c != NULL && p == NULL; c = c->next_stream) {
    if (now - c->checked_ms < s->options.stream_check_ms)
      continue;
    c->checked_ms = now;
    p = principal_of(c);
    p->ref(p);
  }
  pthread_mutex_unlock(&s->lock);
  return p;
}
