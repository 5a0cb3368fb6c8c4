/* Sessions of the initialize era: who, which version, which calls are under way.
 *
 * A session is never authentication: it belongs to one principal, and each request still
 * proves who it is. Thread-safe. */
#ifndef AMCP_GATEWAY_MCP_SESSION_H
#define AMCP_GATEWAY_MCP_SESSION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/lru.h"
#include "common/base/map.h"
#include "gateway/mcp/version.h"

enum { MCP_SESSION_ID_LEN = 32 }; /* hexadecimal digits: 128 random bits */

struct mcp_call;
struct mcp_sessions;

struct mcp_session {
  char id[MCP_SESSION_ID_LEN + 1];
  enum mcp_version version;
  /* The rest belongs to the table. */
  char *principal_id;
  int64_t last_used_ms;
  size_t refs;
  size_t n_calls;
  bool ended;
  struct mcp_call *calls;
  struct map_node in_map;
  struct lru_node in_use;
};

/* At most max sessions; each ends after idle_ms without a request. */
struct mcp_sessions *mcp_sessions_new(size_t max, int64_t idle_ms);
/* Frees all. No call may be under way. */
void mcp_sessions_free(struct mcp_sessions *t);
size_t mcp_sessions_count(struct mcp_sessions *t);

/* Opens a session and returns a reference; NULL when the table is full of sessions with
 * calls under way. A full table drops the session that was idle longest. */
struct mcp_session *mcp_session_open(struct mcp_sessions *t, const char *principal_id,
                                     enum mcp_version version, int64_t now_ms);
/* A reference to the live session of an id, marked as used; NULL when there is none or it
 * belongs to another principal. */
struct mcp_session *mcp_session_find(struct mcp_sessions *t, const char *id,
                                     const char *principal_id, int64_t now_ms);
/* NULL is fine for both. */
void mcp_session_ref(struct mcp_sessions *t, struct mcp_session *s);
void mcp_session_release(struct mcp_sessions *t, struct mcp_session *s);
/* Ends a session: its id is unknown from now on and its calls are cancelled. */
void mcp_session_end(struct mcp_sessions *t, struct mcp_session *s);
/* Ends the sessions that have been idle too long. */
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

#endif
