/* Sessions of the initialize era. They live in their ids (session_id.h): here is only what is under
 * way, the calls of a session while it has requests, and which sessions were deleted on this
 * replica. So nobody can push another's session out, however many he opens.
 *
 * A session is never authentication: it belongs to one principal, and each request still
 * proves who it is. Thread-safe. */
#ifndef AMCP_GATEWAY_MCP_SESSION_H
#define AMCP_GATEWAY_MCP_SESSION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/map.h"
#include "gateway/mcp/session_id.h"
#include "gateway/mcp/tool.h"

struct mcp_call;
struct mcp_sessions;

/* A session that has requests under way. */
struct mcp_session {
  enum mcp_version version;
  unsigned can; /* what its client can do: enum mcp_client_can */
  /* The rest belongs to the table. */
  enum mcp_level level; /* of the log */
  cJSON *uris;          /* resources subscribed to: an object of their URIs; NULL for none */
  bool kept;            /* for the two, with a reference */
  struct mcp_session *next_kept;
  uint8_t principal[MCP_PRINCIPAL_HASH];
  uint8_t key[MCP_SESSION_KEY_LEN];
  int64_t expires_ms;
  size_t refs;
  size_t n_calls;
  struct mcp_call *calls;
  struct map_node in_map;
};

struct mcp_sessions_options {
  struct ring *keys;  /* outlives the table */
  int64_t life_ms;    /* of an id, from initialize on */
  size_t max_deleted; /* deletions remembered; beyond it the session deleted longest ago is
                       * forgotten, and its id is good again until it expires. That harms nobody:
                       * an id is of use to its own principal alone. */
  size_t max_kept;    /* sessions with settings; a quarter of them of one principal */
};

struct mcp_sessions *mcp_sessions_new(const struct mcp_sessions_options *options);
/* Frees all. No call may be under way. */
void mcp_sessions_free(struct mcp_sessions *t);
/* Sessions with requests under way. */
size_t mcp_sessions_count(struct mcp_sessions *t);

/* Writes the id of a new session; nothing else is kept. now_ms here and below: since 1970. */
void mcp_session_open(struct mcp_sessions *t, const struct mcp_principal *principal,
                      enum mcp_version version, unsigned can, int64_t now_ms,
                      char id[MCP_SESSION_ID_MAX]);
/* A reference to the session of an id; NULL when the id is not one of ours, has expired, was
 * deleted here, or belongs to another principal. */
struct mcp_session *mcp_session_find(struct mcp_sessions *t, const char *id,
                                     const struct mcp_principal *principal, int64_t now_ms);
/* NULL is fine for both. */
void mcp_session_ref(struct mcp_sessions *t, struct mcp_session *s);
void mcp_session_release(struct mcp_sessions *t, struct mcp_session *s);
/* Ends a session: its id is unknown on this replica from now on, and its calls here are
 * cancelled. */
void mcp_session_end(struct mcp_sessions *t, struct mcp_session *s);
/* Housekeeping. */
void mcp_sessions_expire(struct mcp_sessions *t, int64_t now_ms);

/* Calls under way, so that notifications/cancelled finds them; at most `max`, with different
 * ids. A call holds a reference to its session. Detaching twice does nothing. */
enum mcp_attach { MCP_ATTACHED, MCP_ATTACH_TOO_MANY, MCP_ATTACH_DUPLICATE };
enum mcp_attach mcp_session_attach(struct mcp_sessions *t, struct mcp_session *s,
                                   struct mcp_call *call, size_t max);
/* The call of an id, with a reference; NULL when none is under way. */
struct mcp_call *mcp_session_find_call(struct mcp_sessions *t, struct mcp_session *s,
                                       const cJSON *id);
void mcp_session_detach(struct mcp_sessions *t, struct mcp_session *s, struct mcp_call *call);

/* The attached call asks its client with this id; "": no longer. */
void mcp_session_ask(struct mcp_sessions *t, struct mcp_call *call, const char *id);
/* The call that asks with an id, with a reference; NULL: none does. */
struct mcp_call *mcp_session_find_asking(struct mcp_sessions *t, struct mcp_session *s,
                                         const char *id);

/* Settings of a session. They are this process' and make it keep the session until its end. A NULL
 * session has none. False when too many sessions have some. */
enum mcp_level mcp_session_level(struct mcp_sessions *t, const struct mcp_session *s);
bool mcp_session_set_level(struct mcp_sessions *t, struct mcp_session *s, enum mcp_level level);
enum { MCP_SUBSCRIPTIONS_MAX = 64 }; /* of one session */
bool mcp_session_subscribe(struct mcp_sessions *t, struct mcp_session *s, const char *uri);
void mcp_session_unsubscribe(struct mcp_sessions *t, struct mcp_session *s, const char *uri);
bool mcp_session_is_subscribed(struct mcp_sessions *t, const struct mcp_session *s,
                               const char *uri);

#endif
