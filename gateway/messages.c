/* Messages of the protocol in HTTP. */
#include "gateway/messages.h"

#include <stdlib.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/http/policy.h"
#include "gateway/http/reply.h"

/* Where the answers to one message go. Owned by the sink. */
struct way {
  struct messages messages;
  struct exchange *exchange;
};

/* With a reference to the exchange. */
static struct way *way_new(const struct messages *m, struct exchange *x)
{
  struct way *w = xcalloc(1, sizeof(*w));
  *w = (struct way){*m, x};
  exchange_ref(x);
  return w;
}

static void add_session(struct exchange *x, const char *session_id)
{
  if (session_id != NULL)
    exchange_add_header(x, "Mcp-Session-Id", session_id);
}

static void sink_reply(void *arg, int status, const char *session_id, struct buf *body)
{
  struct exchange *x = ((struct way *)arg)->exchange;
  add_session(x, session_id);
  if (status == 405)
    exchange_add_header(x, "Allow", MESSAGES_METHODS);
  exchange_reply(x, status, body->len > 0 ? REPLY_JSON_TYPE : NULL, body);
}

static void sink_forbid(void *arg, const char *scopes, struct buf *body)
{
  struct way *w = arg;
  if (w->messages.challenge != NULL)
    w->messages.challenge(w->messages.user, w->exchange, scopes);
  exchange_reply(w->exchange, 403, REPLY_JSON_TYPE, body);
}

static void sink_start(void *arg, const char *session_id)
{
  struct exchange *x = ((struct way *)arg)->exchange;
  add_session(x, session_id);
  exchange_stream_start(x);
}

static void sink_event(void *arg, const char *json, size_t len)
{
  exchange_stream_event(((struct way *)arg)->exchange, json, len);
}

static void sink_end(void *arg)
{
  exchange_stream_end(((struct way *)arg)->exchange);
}

static void sink_release(void *arg)
{
  struct way *w = arg;
  exchange_unref(w->exchange);
  free(w);
}

static void on_close(void *arg)
{
  mcp_exchange_gone(arg);
}

static void free_mcp(void *arg)
{
  mcp_exchange_unref(arg);
}

static const struct mcp_sink sink = {.reply = sink_reply,
                                     .forbid = sink_forbid,
                                     .stream_start = sink_start,
                                     .stream_event = sink_event,
                                     .stream_end = sink_end,
                                     .release = sink_release};

/* Request headers that the protocol speaks about. */
static struct mcp_headers headers_of(struct exchange *x)
{
  return (struct mcp_headers){.session_id = exchange_header(x, "Mcp-Session-Id"),
                              .protocol_version = exchange_header(x, "MCP-Protocol-Version"),
                              .method = exchange_header(x, "Mcp-Method"),
                              .name = exchange_header(x, "Mcp-Name")};
}

/* What of a request the protocol looks at. */
static struct mcp_post post_of(struct exchange *x, struct accept accept,
                               struct mcp_principal *principal)
{
  struct mcp_post post = {
      .headers = headers_of(x),
      .trace = exchange_trace(x),
      .accepts_json = accept.json,
      .accepts_sse = accept.sse,
      .principal = principal,
  };
  post.body = exchange_body(x, &post.body_len);
  return post;
}

static void post_message(const struct messages *m, struct exchange *x, struct accept accept,
                         struct mcp_principal *principal)
{
  struct mcp_post post = post_of(x, accept, principal);
  struct mcp_exchange *mcp = NULL;
  mcp_server_post(m->mcp, &post, &sink, way_new(m, x), &mcp);
  exchange_on_close(x, on_close, free_mcp, mcp);
}

void messages_post(const struct messages *m, struct exchange *x, struct mcp_principal *principal)
{
  struct accept accept = accept_read(exchange_header(x, "Accept"));
  const char *coding = exchange_header(x, "Content-Encoding");
  if (coding != NULL && !ascii_case_equal(coding, "identity"))
    reply_error(x, 415, "Content-Encoding must be identity: send the body uncompressed");
  else if (!content_type_is_json(exchange_header(x, "Content-Type")))
    reply_error(x, 415, "Content-Type must be application/json");
  else if (!accept.json && !accept.sse)
    reply_error(x, 406, "Accept must allow application/json or text/event-stream");
  else
    post_message(m, x, accept, principal);
}

/* The text of a refusal of mcp_server_get() or mcp_server_delete(). */
static const char *refusal_text(int status)
{
  return status == 400 ? "MCP-Protocol-Version is not a served one: send that of the session"
                       : "Session not found";
}

void messages_get(const struct messages *m, struct exchange *x, struct mcp_principal *principal)
{
  struct accept accept = accept_read(exchange_header(x, "Accept"));
  struct mcp_post post = post_of(x, accept, principal);
  struct mcp_exchange *mcp = NULL;
  struct way *way = way_new(m, x);
  int status = accept.sse ? mcp_server_get(m->mcp, &post, &sink, way, &mcp) : 405;
  if (status == 0) {
    exchange_on_close(x, on_close, free_mcp, mcp);
    return;
  }
  if (status == 405)
    reply_not_allowed(x, MESSAGES_METHODS, "GET opens the stream of a session");
  else
    reply_error(x, status, refusal_text(status));
  sink_release(way);
}

void messages_delete(const struct messages *m, struct exchange *x, struct mcp_principal *principal)
{
  struct mcp_headers headers = headers_of(x);
  int status = mcp_server_delete(m->mcp, &headers, principal);
  if (status == 204)
    exchange_reply(x, 204, NULL, NULL);
  else if (status == 405)
    reply_not_allowed(x, "POST, OPTIONS", "DELETE ends a session: name it in Mcp-Session-Id");
  else
    reply_error(x, status, refusal_text(status));
}
