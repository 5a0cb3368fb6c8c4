/* Streams that carry notifications which belong to no request. */
#include "gateway/mcp/stream.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/headers.h"
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
  if (!host->lists_change)
    return 0;
  return MCP_TOOLS_CHANGED | (host->n_prompts > 0 ? MCP_PROMPTS_CHANGED : 0U) |
         (host->n_resources > 0 ? MCP_RESOURCES_CHANGED : 0U);
}

/* ------------------------------------------------------------------- list */

enum { URI_MAX = 2048 };

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
static bool add_unsettled(struct mcp_call *call)
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

/* The same; a call that was settled meanwhile is not listed, because nothing would take it off. */
static bool add(struct mcp_call *call)
{
  struct mcp_exchange *x = call->exchange;
  pthread_mutex_lock(&x->lock);
  bool added = call->settled || add_unsettled(call);
  pthread_mutex_unlock(&x->lock);
  return added;
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

/* The resources subscribed to, at most as many as a session may have. */
static void put_uris(struct buf *out, const struct mcp_call *call, const char *before)
{
  const cJSON *uri;
  if (call->uris == NULL)
    return;
  buf_printf(out, "%s\"resourceSubscriptions\":[", before);
  before = "";
  cJSON_ArrayForEach(uri, call->uris)
  {
    buf_puts(out, before);
    buf_put_json_string(out, uri->valuestring, strlen(uri->valuestring));
    before = ",";
  }
  buf_putc(out, ']');
}

static void acknowledge(struct mcp_call *call)
{
  struct buf json AUTO_BUF = BUF_INIT(1024 * 1024);
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
  put_uris(&json, call, before);
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

static bool read_uris(struct mcp_call *call, const cJSON *uris)
{
  const cJSON *uri;
  bool good = uris == NULL || cJSON_IsNull(uris) ||
              (cJSON_IsArray(uris) && cJSON_GetArraySize(uris) <= MCP_SUBSCRIPTIONS_MAX);
  cJSON_ArrayForEach(uri, uris)
  {
    good = good && cJSON_IsString(uri) && strlen(uri->valuestring) <= URI_MAX;
  }
  if (!good)
    return refuse(call, JSONRPC_INVALID_PARAMS,
                  "params.notifications.resourceSubscriptions must be an array of at most 64 URIs");
  bool served = call->exchange->server->options.tools.resources_change;
  call->uris = served && cJSON_GetArraySize(uris) > 0 ? uris : NULL;
  return true;
}

static bool listens(const struct mcp_call *call)
{
  return call->listens != 0 || call->uris != NULL;
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
    if (wish != NULL && !cJSON_IsNull(wish) && !cJSON_IsBool(wish))
      return refuse(call, JSONRPC_INVALID_PARAMS,
                    "params.notifications: each of them must be true or false");
    if (cJSON_IsTrue(wish))
      call->listens |= kinds[i].change & served;
  }
  return read_uris(call, cJSON_GetObjectItemCaseSensitive(wishes, "resourceSubscriptions"));
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
  return !listens(call) || add(call) ||
         refuse(call, JSONRPC_INTERNAL_ERROR,
                "Too many streams are open, or the server is restarting: try again later");
}

void mcp_listen(struct mcp_call *call)
{
  if (read_wishes(call) && can_stream(call) && take_place(call)) {
    mcp_exchange_start_stream(call->exchange);
    acknowledge(call);
    if (!listens(call))
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
  int refusal = mcp_headers_check_session(&post->headers);
  *out = NULL;
  if (!(s->options.tools.lists_change || s->options.tools.resources_change))
    return 405;
  if (refusal != 0)
    return refusal;
  struct mcp_session *session = mcp_session_find(s->sessions, id, post->principal, s->unix_ms());
  if (session == NULL)
    return 404;
  *out = mcp_exchange_new(s, post, sink, sink_arg);
  open_get(*out, session);
  mcp_session_release(s->sessions, session);
  return 0;
}

/* Gives fn each stream that fits. */
static void each(struct mcp_server *s, bool (*fits)(const struct mcp_call *call, const void *arg),
                 const void *arg, void (*fn)(struct mcp_call *call, const void *arg),
                 const void *fn_arg)
{
  size_t n = 0;
  pthread_mutex_lock(&s->lock);
  struct mcp_call **calls = xcalloc(s->n_streams + 1, sizeof(struct mcp_call *));
  for (struct mcp_call *c = s->streams; c != NULL; c = c->next_stream) {
    if (!fits(c, arg))
      continue;
    mcp_call_ref(c);
    calls[n++] = c;
  }
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < n; i++) {
    fn(calls[i], fn_arg);
    mcp_call_unref(calls[i]);
  }
  free(calls);
}

static void tell_changes(struct mcp_call *call, const void *changes)
{
  notify(call, *(const unsigned *)changes);
}

void mcp_server_changed(struct mcp_server *s, const struct mcp_principal *p, unsigned changes)
{
  each(s, is_of_principal, p, tell_changes, &changes);
}

static bool is_subscribed(const struct mcp_call *call, const void *uri)
{
  const cJSON *one;
  if (call->session != NULL)
    return mcp_session_is_subscribed(call->exchange->server->sessions, call->session, uri);
  cJSON_ArrayForEach(one, call->uris)
  {
    if (strcmp(one->valuestring, uri) == 0)
      return true;
  }
  return false;
}

static void tell_update(struct mcp_call *call, const void *uri)
{
  struct buf json AUTO_BUF = BUF_INIT(16384);
  buf_puts(&json,
           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{");
  if (call->id != NULL) {
    put_subscription(&json, call);
    buf_putc(&json, ',');
  }
  buf_puts(&json, "\"uri\":");
  buf_put_json_string(&json, uri, strlen(uri));
  buf_puts(&json, "}}");
  send(call, &json, false);
}

void mcp_server_resource_changed(struct mcp_server *s, const char *uri)
{
  each(s, is_subscribed, uri, tell_update, uri);
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
