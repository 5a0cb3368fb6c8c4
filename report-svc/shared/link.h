/* The way to Redis: a thread of its own that holds one connection, sends operations and hands their
 * replies out.
 *
 * Nobody waits for it. An operation ends once: with Redis's reply, or without one when none came
 * in time, there is no connection, or too much is queued. A connection that fails or answers
 * nothing for a second and a half is closed, all that is under way ends without a reply, and the
 * thread connects again, with growing waits. One line is logged per change; report_redis_up says
 * which it is. */
#ifndef AMCP_REPORT_SHARED_LINK_H
#define AMCP_REPORT_SHARED_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "report-svc/shared/wire.h"

struct redisReply;
struct link;
struct link_op;

enum { LINK_QUEUE_MAX = 4096, LINK_BYTES_MAX = 8 * 1024 * 1024, LINK_SHA_SIZE = 41 };

struct link_op_type {
  const char *name; /* label of the metric */
  /* The end, once: the reply, valid during the call; NULL without one. On the link's thread, or on
   * that of link_submit(). Must not block. An error of Redis comes as NULL. */
  void (*end)(struct link_op *op, const struct redisReply *reply);
  /* The reply of an operation that had ended without one; NULL when it does not matter. */
  void (*late)(struct link_op *op, const struct redisReply *reply);
  /* Frees it: nothing more follows. */
  void (*release)(struct link_op *op);
};

/* Part of an operation; its members are the link's once it is submitted. */
struct link_op {
  const struct link_op_type *type;
  char *command; /* in Redis's protocol */
  size_t len;
  int64_t sent_ms, deadline_ms;
  bool ended;
  struct link_op *next;
};

struct link_options {
  struct redis_url url; /* taken over */
  struct wire_trust trust;
  uint32_t patience_ms; /* an operation without a reply ends after this */
  uint32_t silence_ms;  /* a connection that owes an answer so long is closed; 0 means 1,500 */
  uint32_t retry_ms;    /* bound of the first wait before connecting again; 0 means 200 */
  const char *const *scripts;  /* Lua, loaded at the start of every connection */
  size_t n_scripts;            /* at most LINK_MAX_SCRIPTS */
  void (*on_tick)(void *user); /* every tick_ms while connected, on the link's thread */
  uint32_t tick_ms;
  void *user;
};

enum { LINK_MAX_SCRIPTS = 8 };

/* Without its thread: link_start() follows once callbacks may run. */
struct link *link_new(const struct link_options *options);
/* Starts the thread, which connects. Once. */
void link_start(struct link *l);
/* Ends all operations and the thread; later ones end at once without a reply. */
void link_stop(struct link *l);
/* After link_stop(). NULL is fine. */
void link_free(struct link *l);
bool link_is_up(struct link *l);
/* The name of a script for EVALSHA. */
const char *link_script(const struct link *l, size_t i);
/* Gives an operation its command. */
void link_op_set(struct link_op *op, const struct link_op_type *type, int argc, const char **argv,
                 const size_t *lens);
/* Sends it; takes it over. Thread-safe. */
void link_submit(struct link *l, struct link_op *op);

#endif
