/* A protocol server with a fake tool host and a sink that keeps what was answered. */
#ifndef AMCP_TESTS_GATEWAY_MCP_FIXTURE_H
#define AMCP_TESTS_GATEWAY_MCP_FIXTURE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/mcp/server.h"

enum { FIXTURE_MAX_EVENTS = 32 };

/* What one post was answered with. */
struct answer {
  int replies; /* calls of sink.reply */
  int status;  /* 0 while there is none; 200 for a stream */
  int releases;
  bool stream, ended, written_after_release;
  char session_id[128];
  char scopes[64];                  /* of one that was forbidden */
  char *body;                       /* of a reply */
  char *events[FIXTURE_MAX_EVENTS]; /* of a stream */
  int n_events;
  struct mcp_exchange *exchange;
};

struct fixture {
  struct ring *keys;
  struct mcp_server *server;
  struct mcp_call *held[64]; /* calls of the tool "slow", in order */
  int n_held, cancels, host_calls;
  char last_arguments[256];
  char session[128];
};

/* The principal that is an operator. The tool "state" is for operators. */
#define FIXTURE_OPERATOR "operator"

/* What principals may do; NULL: everything. fixture_start() sets it back. */
extern bool (*fixture_has_scopes)(const struct mcp_principal *p, const char *scopes);
/* The clock of every fixture, in milliseconds. */
extern int64_t fixture_now;

/* adjust may be NULL. */
void fixture_start(struct fixture *f, void (*adjust)(struct mcp_server_options *o));
/* With session keys of a text instead of a random one. */
void fixture_start_with(struct fixture *f, const char *keys);
void fixture_stop(struct fixture *f);
/* Resources (test://echo, fail, slow: those tools; ui://test/page: a text that stands) and prompts
 * (ask, plain) besides the tools; for `adjust`. */
void fixture_offer(struct mcp_server_options *o);
/* initialize with a version; keeps the session id in f->session. */
void fixture_initialize(struct fixture *f, const char *version);
/* The same with the capabilities of the client, JSON. */
void fixture_initialize_as(struct fixture *f, const char *version, const char *capabilities);

/* Posts a body with f->session and Accept for both; answer_free() ends it. */
struct answer *post(struct fixture *f, const char *body);
struct answer *post_as(struct fixture *f, const char *body, const struct mcp_headers *headers,
                       const char *principal, bool json, bool sse);
/* Opens the stream of a session into a new answer; what mcp_server_get() gives. */
int get_as(struct fixture *f, struct answer *a, const char *session, const char *principal);
void answer_free(struct answer *a);
/* The body of a reply, or the last event, parsed; free with cJSON_Delete(). */
cJSON *answer_json(const struct answer *a);
/* error.code of the answer; 0 when it is not an error. */
int answer_code(const struct answer *a);
/* Ends a held call well. */
void finish_held(struct fixture *f, int i);

#endif
