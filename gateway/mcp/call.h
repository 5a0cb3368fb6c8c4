/* Inside of gateway/mcp: one request being answered, and the exchange it came in. */
#ifndef AMCP_GATEWAY_MCP_CALL_H
#define AMCP_GATEWAY_MCP_CALL_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/mcp/jsonrpc.h"
#include "gateway/mcp/method.h"
#include "gateway/mcp/server.h"
#include "gateway/mcp/session.h"

enum { MCP_REQUEST_DIGEST = 32, MCP_ASK_ID = 24 };
enum { MCP_CALL_MAGIC = 0x4d435043, MCP_EXCHANGE_MAGIC = 0x4d435058 };

/* One posted body. `lock` guards what follows it, and the calls' states; it also keeps
 * the sink's calls in order. */
struct mcp_exchange {
  unsigned magic;
  atomic_size_t refs;
  struct mcp_server *server;
  struct mcp_principal *principal;
  struct trace_context trace; /* of the request that brought it */
  cJSON *body;
  bool accepts_json, accepts_sse;
  int64_t started_ms;
  enum mcp_version version; /* that its requests are answered in */

  pthread_mutex_t lock;
  struct mcp_sink sink;
  void *sink_arg;
  bool batch, streaming;
  bool finished;    /* answered or gone: the sink is released */
  size_t pending;   /* responses still due */
  struct buf parts; /* responses of a batch so far */
  struct mcp_call *calls;
  /* List of open exchanges; guarded by the server's lock. */
  struct mcp_exchange *next_open, *prev_open;
  bool listed, streams_later;
  int64_t asked_ms; /* its call waits for an answer since then; 0: it does not */
};

/* One request of an exchange. Settled once: by its response or by a cancellation. */
struct mcp_call {
  unsigned magic;
  atomic_size_t refs;
  struct mcp_exchange *exchange;
  const cJSON *id;
  const cJSON *params;
  const struct mcp_method *method; /* NULL: none that is known, or a direct call */
  struct mcp_session *session;     /* NULL: none, as in every modern request */
  enum mcp_version version;
  unsigned can; /* what its client can do: enum mcp_client_can */
  struct mcp_call *next_in_session;
  bool attached;
  char ask_id[MCP_ASK_ID]; /* of the question that waits; guarded by the table of sessions */

  const struct mcp_tool *tool;
  const struct mcp_resource *resource; /* the tool's answer is read as this; NULL for tools/call */
  const struct mcp_completion *completion; /* the tool's answer holds the values of this */
  const struct mcp_prompt *prompt;         /* that the host makes; NULL for none */
  cJSON *arguments;
  cJSON *as_they_came; /* the arguments, where it may be run again; else NULL */
  bool may_ask;
  uint8_t digest[MCP_REQUEST_DIGEST]; /* of a modern request that may ask */
  cJSON *answers;                     /* to what it asked before; NULL for none */
  enum mcp_level level;               /* of the log that the client takes; MCP_LEVELS: none */
  struct share_turn turn;
  int64_t started_ns;

  unsigned listens;  /* of a stream: what it is notified of, enum mcp_change */
  const cJSON *uris; /* of a stream: resources it is notified of, an array; NULL for none */
  /* Of a stream, guarded by the server's lock. */
  struct mcp_call *next_stream;
  int64_t checked_ms;
  bool listed;

  /* Guarded by the exchange's lock. */
  bool begun;    /* of a stream: its first event is out */
  bool waiting;  /* for an answer, with a reference for whoever ends that */
  char *ask_key; /* of the question that waits, or waited last */
  struct mcp_call *next_in_exchange;
  const cJSON *progress_token;
  double last_progress;
  bool settled, cancelled;
  bool admitted; /* its turn must be ended */
  void (*on_cancel)(void *arg);
  void *on_cancel_arg;
};

/* Of the post only the principal, the trace and the answer forms are read. */
struct mcp_exchange *mcp_exchange_new(struct mcp_server *s, const struct mcp_post *post,
                                      const struct mcp_sink *sink, void *sink_arg);
void mcp_exchange_ref(struct mcp_exchange *x);
/* Answers the whole exchange without looking at requests: a refusal or an acknowledgement.
 * code 0 means an empty body. id may be NULL. data: JSON text or NULL. */
void mcp_exchange_refuse(struct mcp_exchange *x, int status, int code, const char *message,
                         const cJSON *id, const char *data);
/* Turns the answer into an event stream if the client takes one and it is not one yet. */
void mcp_exchange_start_stream(struct mcp_exchange *x);
/* The answer may take long: the server's tick makes a stream of it then, if the client takes one,
 * and the server's end answers it. */
void mcp_exchange_keep_open(struct mcp_exchange *x);
/* Answers every call that is under way with "restarting", and cancels it. */
void mcp_exchange_restarting(struct mcp_exchange *x);

/* A request of the exchange, in its version; the exchange's `pending` counts it already. */
struct mcp_call *mcp_call_new(struct mcp_exchange *x, const struct jsonrpc_message *m,
                              struct mcp_session *session);
/* Finds the method of a call and lets it answer; a method that does not exist is an error. Consumes
 * the reference. */
void mcp_call_dispatch(struct mcp_call *call, const char *method);
/* For metrics: a known method, "direct" or "other". */
const char *mcp_call_label(const struct mcp_call *call);
/* The share granted the call: its turn ends with it, at once if it has ended already. */
void mcp_call_admitted(struct mcp_call *call);
/* Settles a call with a result (JSON text) or an error. session_id goes into the header of
 * an answer that has not begun; NULL for none. */
void mcp_call_result(struct mcp_call *call, const char *result, size_t len, const char *session_id);
void mcp_call_error(struct mcp_call *call, int code, const char *message, const char *data);
/* Settles a call whose principal lacks a scope. */
void mcp_call_forbid(struct mcp_call *call, const char *scopes);
/* Settles a tool call with its result (JSON text). */
void mcp_call_settle_tool(struct mcp_call *call, const struct buf *result, bool is_error);
/* Settles a tool call with questions (JSON text). */
void mcp_call_settle_question(struct mcp_call *call, const struct buf *result);
/* Settles a direct call with its result as it is. */
void mcp_call_settle_direct(struct mcp_call *call, const struct mcp_tool_result *result);
/* Whether the call came by mcp_server_call(). */
bool mcp_call_is_direct(const struct mcp_call *call);
/* Settles a call as one that the end of the server cut short; whoever makes it, ends it. */
void mcp_call_restarting(struct mcp_call *call);
/* Settles a call without a response. */
void mcp_call_cancel(struct mcp_call *call);

#endif
