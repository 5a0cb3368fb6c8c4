/* A request's place at its property: one of this process's (governor.h) and, where replicas share
 * their state, one of all replicas' (shared/shared.h), in that order.
 *
 * Who finds no place with all replicas keeps the local one and asks again within a tenth of a
 * second, until its deadline. The shared state also says when Google failed too often at the
 * property or its tokens are used up; budget.h learns that here. While Redis is unreachable, or
 * is too late for one who has not heard that all places are taken, the local state decides. */
#ifndef AMCP_REPORT_PLACE_H
#define AMCP_REPORT_PLACE_H

#include <stdatomic.h>

#include "report-svc/google/governor.h"
#include "report-svc/shared/shared.h"

struct google;

/* Zeroed before first use, owned by the caller until it was released or refused. */
struct place {
  struct google *google;
  const char *key; /* stays the caller's, as long as the place */
  void (*on_admitted)(void *user, const struct err *e);
  void (*on_wait)(void *user); /* before it waits, perhaps several times; NULL for nothing */
  void *user;
  int64_t deadline_ms; /* clock_mono_ms() */
  bool guest;          /* asks on behalf of somebody else than the property's owner */
  struct governor_ticket ticket;
  struct shared_place shared;
  atomic_bool cancelled;
  unsigned late; /* answers of Redis that did not come in time, one after another */
  bool full;     /* all places were taken when it answered last */
};

/* Asks for a place; the fields down to `guest` are set. on_admitted runs once, perhaps before this
 * returns: with ERR_OK (held until place_release()), with an error of governor_acquire() or
 * budget_admit(), or with ERR_CANCELLED. */
void place_acquire(struct place *p);
/* True: on_admitted will not run. False: it ran or will, soon. */
bool place_cancel(struct place *p);
void place_release(struct place *p);

#endif
