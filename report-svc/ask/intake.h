/* Memory of the reports that arrive for fan-outs: keys, texts and columns, a bound over the whole
 * process.
 *
 * Each dealer under way has a share, which grows in steps of INTAKE_STEP and is given back as a
 * whole. Who finds the intake full keeps what it has, stops reading, and waits in line. A fan-out's
 * dealer that has the fan-out's turn reads on in any case: one dealer of every fan-out always
 * proceeds, so nobody waits for a fan-out of somebody else whose reader is slow. The process holds
 * the bound, and what one dealer of each fan-out takes beyond it.
 *
 * The turn is for reading. A dealer that must wait for something else, above all for a place at
 * Google while those in line hold them all, gives it to the next in line (intake_yield()) and keeps
 * its memory: who has the turn has a transfer, which ends and frees its place.
 *
 * Thread-safe. Callbacks run without the lock, on the thread that made room. */
#ifndef AMCP_REPORT_INTAKE_H
#define AMCP_REPORT_INTAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct metric;

enum { INTAKE_STEP = 64 * 1024 };

struct intake_share;
struct intake_waiter;

struct intake {
  pthread_mutex_t lock; /* guards all below, and what others keep here */
  size_t max, held;
  struct intake_waiter *first, *last;
  struct metric *gauge; /* bytes held */
};

/* Of a fan-out; zeroed but for the intake. */
struct intake_group {
  struct intake *intake;
  struct intake_share *turn; /* NULL: nobody's */
};

/* Of a dealer; zeroed but for the group. */
struct intake_share {
  struct intake_group *group;
  size_t held;
};

/* Something of a dealer that waits. */
struct intake_waiter {
  struct intake_share *share;
  size_t bytes;
  void (*go)(void *user);
  void *user;
  struct intake_waiter *next;
};

/* At most `max` bytes beside the turns; the gauge shows those that are held. */
void intake_init(struct intake *in, size_t max, struct metric *gauge);
/* Nobody may hold or wait. */
void intake_end(struct intake *in);
size_t intake_held(struct intake *in);

/* The share holds `bytes` in all, unless it held more. False: there is no room for them. */
bool intake_take(struct intake_share *s, size_t bytes);
/* Likewise for the waiter (share, bytes, go and user are set). False: it is in line, and go(user)
 * runs once, perhaps before this returns, when the share holds them. True: it does not wait. */
bool intake_take_or_wait(struct intake_waiter *w);
/* True: it no longer waits, go does not run. False: it did not wait, or go ran or is about to. */
bool intake_forget(struct intake_waiter *w);
/* Gives the turn on, if the share has it, and keeps what it holds. */
void intake_yield(struct intake_share *s);
/* Gives everything back, and the turn on. Nothing of the share may wait. */
void intake_leave(struct intake_share *s);

#endif
