/* Inside of gateway/mcp: the server and the handlers of its two eras. */
#ifndef AMCP_GATEWAY_MCP_INTERNAL_H
#define AMCP_GATEWAY_MCP_INTERNAL_H

#include <pthread.h>

#include "common/base/metrics.h"
#include "gateway/mcp/call.h"

/* The last version whose tools have fields of their own: later ones list them as it does. */
#define MCP_TOOLS_NEWEST MCP_2025_06_18

struct mcp_server {
  struct mcp_server_options options;
  struct mcp_sessions *sessions;
  int64_t (*now_ms)(void), (*unix_ms)(void);
  struct metric *requests, *tool_calls, *tool_seconds;
  /* Of tools/list, which everybody asks for: as others see it, and operators. */
  struct buf first_pages[2][MCP_TOOLS_NEWEST + 1];
  atomic_bool restarting;
  pthread_mutex_t lock; /* guards what follows; taken after an exchange's */
  struct mcp_exchange *open;
  struct mcp_call *streams; /* of notifications */
  size_t n_streams;
  bool streams_over; /* no more are opened */
};

/* Open exchanges wait for a response; those that may become a stream say so. */
void mcp_server_list(struct mcp_server *s, struct mcp_exchange *x, bool streams_later);
void mcp_server_unlist(struct mcp_server *s, struct mcp_exchange *x);
/* An open exchange waits for an answer of its client since now_ms; 0: no more. */
void mcp_server_asked(struct mcp_server *s, struct mcp_exchange *x, int64_t now_ms);
/* One that has waited since before_ms, with a reference; NULL: none. Gives each once. */
struct mcp_exchange *mcp_server_next_overdue(struct mcp_server *s, int64_t before_ms);

/* At the start: the tools do not change. */
void mcp_tools_write_first_pages(struct mcp_server *s);

/* Metrics. code 0 is success, else the JSON-RPC code. */
void mcp_server_count(struct mcp_server *s, const char *method, int code);
void mcp_server_count_tool(const struct mcp_call *call, const char *outcome);
void mcp_server_cancelled(const struct mcp_call *call);

/* Answers a posted body of an era. The exchange's body is parsed. */
void mcp_legacy_post(struct mcp_exchange *x, const struct mcp_headers *headers);
void mcp_modern_post(struct mcp_exchange *x, const struct mcp_headers *headers);

mcp_handler mcp_initialize, mcp_discover, mcp_ping, mcp_tools_list, mcp_tools_call;
mcp_handler mcp_resources_list, mcp_resource_templates_list, mcp_resources_read;
mcp_handler mcp_prompts_list, mcp_prompts_get, mcp_listen, mcp_complete;
mcp_handler mcp_set_level, mcp_subscribe, mcp_unsubscribe;
/* Waits for the call's turn and runs its tool. */
void mcp_tools_run(struct mcp_call *call);
/* Makes the call one of its session's, so that it can be cancelled; false after an answer. */
bool mcp_tools_attach(struct mcp_call *call);
/* Whether the client may be asked back, and what it answered; without_state: answers are taken from
 * whoever sends them. Before the arguments are taken out of the request. False after the refusal of
 * an answer that does not belong to it. */
bool mcp_question_begin(struct mcp_call *call, bool without_state);
/* Sends the client of a session a question (the params of elicitation/create). */
void mcp_elicit(struct mcp_call *call, const char *key, const struct buf *params);
/* A response that a session's client posted: the answer to a question, or stray. */
void mcp_elicit_response(struct mcp_server *s, struct mcp_session *session, const cJSON *response);
/* Runs calls again whose answers have not come in time. */
void mcp_elicit_overdue(struct mcp_server *s);
/* Adds an answer; takes the memory. */
void mcp_question_add_answer(struct mcp_call *call, const char *key, cJSON *answer);
/* The host runs the call, at first or again. It owns one reference. */
void mcp_call_run(struct mcp_call *call);
/* Takes the arguments out of the request: an object. False after a refusal. */
bool mcp_read_arguments(struct mcp_call *call);
/* The end of a call that reads a resource. */
void mcp_resource_finish(struct mcp_call *call, const struct mcp_tool_result *result);
/* The end of a call that completes an argument. */
void mcp_completion_finish(struct mcp_call *call, const struct mcp_tool_result *result);
/* What a client needs and did not say that it can do, for a call of this tool; 0: nothing. */
unsigned mcp_tool_lacks(const struct mcp_server *s, const cJSON *params, unsigned can);

#endif
