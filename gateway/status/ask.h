/* Asks the services for GetStatus, all at once. */
#ifndef AMCP_GATEWAY_STATUS_ASK_H
#define AMCP_GATEWAY_STATUS_ASK_H

#include "common/status/join.h"
#include "gateway/status/status.h"

enum { ASK_MS = 1500 }; /* the page answers within 2 s */

/* What was answered; everything lives in the arena. */
struct answers {
  struct arena *arena;
  Analytics__Status__V1__ServiceStatus *status;
  int64_t asked_unix_ms; /* when the services were asked */
};

/* Waits for all of them, at most ASK_MS and what a thread may be late. NULL when memory ran out. */
struct answers *ask_services(const struct status_page_options *o);
/* NULL is fine. */
void answers_free(struct answers *a);

#endif
