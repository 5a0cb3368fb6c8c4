/* Equal questions under way at the same time: one of them is sent, the others take its answer.
 *
 * Who asks tries to lead. When another leads already it waits, after its own token was checked, and
 * gets the end. Each question gets its end once. Thread-safe. */
#ifndef AMCP_REPORT_ASK_FLIGHT_H
#define AMCP_REPORT_ASK_FLIGHT_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "report-svc/ask/answer.h"

struct flights;
struct flight;

/* One that waits; owned by its caller, until its end or its leaving. */
struct flight_waiter {
  /* The leader's answer, borrowed, and ERR_OK; or NULL and why there is none. */
  void (*on_end)(void *user, struct answer *answer, const struct err *e);
  void *user;
  struct flight *flight; /* NULL: does not wait */
  struct flight_waiter *next;
};

struct flights *flights_new(void);
/* Nothing may be under way. NULL is fine. */
void flights_free(struct flights *f);
/* The flight that the caller leads from now on, until flights_end(); NULL when another leads. */
struct flight *flights_lead(struct flights *f, const struct buf *key);
/* Waits for the leader's end. False when nobody leads any more: on_end will not run. */
bool flights_wait(struct flights *f, const struct buf *key, struct flight_waiter *waiter);
/* True: the waiter no longer waits, on_end will not run. False: it ran or is about to. */
bool flights_leave(struct flights *f, struct flight_waiter *waiter);
/* Ends a flight: on_end of all that wait runs, on this thread. */
void flights_end(struct flights *f, struct flight *flight, struct answer *answer,
                 const struct err *e);

#endif
