/* Memory that several questions under way may take together: a bound over the whole process.
 *
 * Each of them has a share, which grows in steps of ROOM_STEP as it takes more, and is given back
 * as a whole. Half of the room is for all of them. One that finds it full gives its share back and
 * waits in line, holding nothing, for the other half: that is one question's at a time, so that
 * whatever fits into it is answered in its turn.
 *
 * The room is thread-safe; a share is for one thread at a time. */
#ifndef AMCP_REPORT_ROOM_H
#define AMCP_REPORT_ROOM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

struct metric;

enum { ROOM_STEP = 16 * 1024, ROOM_MAX_WAITING = 512 };

/* Of one question; zeroed but for the room before first use. */
struct room_share {
  struct room *room;
  size_t used, held; /* held: of the room, `used` rounded up to steps */
  bool full;         /* others had what the last room_take() wanted: waiting helps */
  /* In line: what runs when its turn has come. */
  void (*go)(void *user);
  void *user;
  struct room_share *next;
};

struct room {
  pthread_mutex_t lock; /* guards all below */
  size_t half;
  size_t common;           /* held by all but the one whose turn it is */
  struct room_share *turn; /* NULL: nobody's */
  struct room_share *first, *last;
  size_t waiting;
  struct metric *gauge; /* bytes held */
};

/* At most `max` bytes in all; the gauge shows those that are held. */
void room_init(struct room *r, size_t max, struct metric *gauge);
/* Nobody may hold or wait. */
void room_end(struct room *r);
size_t room_held(struct room *r);

/* Counts `bytes` more as used. False: there is no room for them, and nothing is counted. */
bool room_take(struct room_share *s, size_t bytes);
/* Counts so many of the used bytes, or all where they are fewer, as free again for this share. */
void room_reuse(struct room_share *s, size_t bytes);
/* Why the last room_take() was refused: ERR_RESOURCE_EXHAUSTED, `busy`, or `answer_too_large` with
 * this text where half of the room would not be enough. */
enum err_code room_refused(const struct room_share *s, const char *too_large, struct err *e);
/* Gives everything back, and the turn on: the `go` of the next in line may run on this thread. */
void room_leave(struct room_share *s);
/* Waits for the turn, to be ended by room_leave(), with nothing held; go(user) runs once, perhaps
 * before this returns. False: too many wait, or it is its turn already; go does not run. */
bool room_wait(struct room_share *s, void (*go)(void *user), void *user);
/* True: it no longer waits, go does not run. False: go ran or is about to. */
bool room_cancel(struct room_share *s);

#endif
