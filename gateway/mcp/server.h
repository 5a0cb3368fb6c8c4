/* The Model Context Protocol over posted messages: what arrives as an HTTP body goes in,
 * what has to be answered comes out through a sink. Knows no sockets, no tools' insides.
 *
 * All functions are thread-safe. */
#ifndef AMCP_GATEWAY_MCP_SERVER_H
#define AMCP_GATEWAY_MCP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "gateway/mcp/era.h"
#include "gateway/mcp/tool.h"
#include "gateway/seal/ring.h"

struct mcp_server;
struct mcp_exchange; /* one posted body and its answer */

/* Most bytes of one answer. A client in the field cuts an SSE line at 5 MiB. */
enum { MCP_MAX_ANSWER = 4800 * 1024 };

struct mcp_server_options {
  const char *name, *title, *version; /* serverInfo */
  const char *instructions;           /* for the model; NULL or empty for none */
  struct mcp_tool_host tools;
  struct ring *session_keys;    /* seal session ids */
  int64_t session_life_ms;      /* from initialize on; 0 means 7 days */
  size_t max_deleted_sessions;  /* deletions remembered until the ids expire; 0 means 10,000 */
  size_t max_calls_per_session; /* under way at once; 0 means 64 */
  size_t max_streams;           /* of notifications; 0 means 1,024 */
  size_t max_streams_each;      /* of one principal; 0 means a quarter of all */
  int64_t stream_check_ms;      /* between looks at whose stream it is; 0 means 60,000 */
  bool asks_in_sessions; /* questions are also sent to clients of sessions, whose answers must come
                            to this process */
  int64_t ask_ms;        /* for such an answer; 0 means 50,000: clients wait for a minute */
  size_t max_kept_sessions; /* with a level of the log or subscriptions; 0 means 1,024, a quarter
                               of them of one principal */
  bool sessions_required;   /* legacy requests without one are refused; false: served */
  size_t page_size;         /* entries per page of a list; 0 means 100 */
  int64_t stream_after_ms;  /* a call that takes longer is answered as a stream, so that idle
                               timeouts on the way do not cut it; 0 means 10,000 */
  int64_t (*now_ms)(void);  /* NULL means clock_mono_ms() */
  int64_t (*unix_ms)(void); /* NULL means clock_unix_ms() */
};

/* Everything the options point to must outlive the server. */
struct mcp_server *mcp_server_new(const struct mcp_server_options *options);
/* No exchange may be open. */
void mcp_server_free(struct mcp_server *s);
/* Sessions with requests under way. */
size_t mcp_server_sessions(struct mcp_server *s);

/* Where the answer to one posted body goes: either one reply (or forbid), or stream_start, events
 * and stream_end; then release, exactly once, and nothing after it. Calls come from any thread, one
 * at a time, and must not block or call back into this room. */
struct mcp_sink {
  /* One JSON answer; takes the buffer's memory. An empty body goes without a content type.
   * session_id is for the header Mcp-Session-Id; NULL for none. */
  void (*reply)(void *arg, int status, const char *session_id, struct buf *body);
  /* The answer to a request whose access token lacks one of these scopes; else as reply. NULL: a
   * reply of status 403. */
  void (*forbid)(void *arg, const char *scopes, struct buf *body);
  void (*stream_start)(void *arg, const char *session_id);
  void (*stream_event)(void *arg, const char *json, size_t len);
  void (*stream_end)(void *arg);
  void (*release)(void *arg);
  /* Of mcp_server_call() alone, in place of those above but release: the one result. Not called
   * when the client is gone. */
  void (*result)(void *arg, const struct mcp_tool_result *result);
};

struct mcp_post {
  struct mcp_headers headers;
  const struct trace_context *trace; /* of the request that brought it; NULL for none; copied */
  bool accepts_json, accepts_sse;    /* at least one */
  const char *body;
  size_t body_len;
  struct mcp_principal *principal; /* a reference is taken */
};

/* Handles one posted body. *out gets a reference to the exchange, which may have been
 * answered already. */
void mcp_server_post(struct mcp_server *s, const struct mcp_post *post, const struct mcp_sink *sink,
                     void *sink_arg, struct mcp_exchange **out);
/* The tool of a name; NULL when there is none that the caller may see. */
const struct mcp_tool *mcp_server_tool(const struct mcp_server *s, const char *name,
                                       const struct mcp_principal *principal);

/* One call of a tool without a session and without JSON-RPC around it. */
struct mcp_direct_call {
  const struct mcp_tool *tool;
  cJSON *arguments;                  /* an object; belongs to the server from now on */
  const struct trace_context *trace; /* as above */
  struct mcp_principal *principal;   /* a reference is taken */
};

/* Runs a call as tools/call does, under the same share, and gives its result to sink->result. *out
 * as above. */
void mcp_server_call(struct mcp_server *s, const struct mcp_direct_call *call,
                     const struct mcp_sink *sink, void *sink_arg, struct mcp_exchange **out);
/* The client is gone: cancels what is under way for it; nothing is written after. */
void mcp_exchange_gone(struct mcp_exchange *x);
void mcp_exchange_unref(struct mcp_exchange *x);

/* What a caller sees, as notifications name it. */
enum mcp_change { MCP_TOOLS_CHANGED = 1, MCP_PROMPTS_CHANGED = 2, MCP_RESOURCES_CHANGED = 4 };

/* The stream of notifications of a session (2025-11-25, Transports); of the post only headers and
 * principal are read. 0: *out gets a reference to the exchange; else the HTTP status of the
 * refusal, 405, 400 or 404. */
int mcp_server_get(struct mcp_server *s, const struct mcp_post *post, const struct mcp_sink *sink,
                   void *sink_arg, struct mcp_exchange **out);
/* The principal, with a reference, of a stream that was not looked at for stream_check_ms; it
 * counts as looked at from now on. NULL when there is none. */
struct mcp_principal *mcp_server_unchecked_stream(struct mcp_server *s);
/* Notifies the stream of this object that its principal sees other things (enum mcp_change) now;
 * NULL: all streams. */
void mcp_server_changed(struct mcp_server *s, const struct mcp_principal *p, unsigned changes);
/* Notifies whoever subscribed to it that a resource reads differently now. */
void mcp_server_resource_changed(struct mcp_server *s, const char *uri);
/* Ends the stream of this object in good order; NULL: all streams, and no more are opened. */
void mcp_server_end_streams(struct mcp_server *s, const struct mcp_principal *p);

/* Ends a session. The HTTP status: 204, 405 (there is no session: no id, or headers of 2026-07-28
 * or later, where an id is ignored), 400 (a version that is not served) or 404. */
int mcp_server_delete(struct mcp_server *s, const struct mcp_headers *headers,
                      const struct mcp_principal *principal);
/* The program ends: calls under way, and those that come from now on, are answered with an error
 * that says to call again, and their work is cancelled. */
void mcp_server_restarting(struct mcp_server *s);
/* Appends an error response to the request of a posted body, for a refusal before the protocol was
 * asked. Without an id when the body is not one request. */
void mcp_refusal_put(struct buf *out, const char *body, size_t len, int code, const char *message);
/* Housekeeping, about every second: changed keys, expired ids, calls that become streams. */
void mcp_server_tick(struct mcp_server *s);

#endif
