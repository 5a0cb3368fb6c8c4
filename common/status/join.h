/* The state of the set, put together of what each service says of itself: for the page of operators
 * and for the tool get_service_status. Pure. */
#ifndef AMCP_STATUS_JOIN_H
#define AMCP_STATUS_JOIN_H

#include <stdbool.h>

#include "analytics/aggregate/v1/status.pb-c.h"
#include "analytics/auth/v1/status.pb-c.h"
#include "analytics/report/v1/status.pb-c.h"
#include "analytics/status/v1/status.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"

enum { STATUS_ARENA_MAX = 32 << 20, STATUS_SERVICES = 3 };

/* What was answered; the messages are lent to the result. */
struct status_parts {
  const Analytics__Auth__V1__AuthStatus *auth; /* NULL: it did not answer, as the next two */
  const Analytics__Report__V1__ReportStatus *report;
  const Analytics__Aggregate__V1__AggregateStatus *aggregate;
  struct err away[STATUS_SERVICES]; /* why not, in that order */
  const Analytics__Status__V1__Service
      *asking; /* a row of its own for the asking program; NULL: none */
  int64_t now_unix_ms;
};

/* All dealers, those that need somebody to act first, then by id. NULL when the arena is full: it
 * should take STATUS_ARENA_MAX. */
Analytics__Status__V1__ServiceStatus *status_join(const struct status_parts *p,
                                                  struct arena *arena);

/* States of a dealer, the most urgent first; "ok" last. */
enum status_state {
  STATUS_NEEDS_RECONSENT,
  STATUS_MISCONFIGURED,
  STATUS_FAILING,   /* the last token or report failed */
  STATUS_HELD,      /* nothing is sent after Google's server errors */
  STATUS_NO_QUOTA,  /* the property's quota at Google is used up */
  STATUS_SUSPECT,   /* its data was found suspect */
  STATUS_NO_REPORT, /* no report was asked for since the start */
  STATUS_OK,
  STATUS_STATES
};
/* "needs_reconsent". Static. */
const char *status_state_name(enum status_state state);
/* The state of a name; STATUS_STATES when it is none. */
enum status_state status_state_of(const char *name);
/* Whether somebody has to act or to know. */
static inline bool status_is_problem(enum status_state state)
{
  return state < STATUS_NO_REPORT;
}

#endif
