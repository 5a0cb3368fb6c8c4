/* The parts of the join; nobody else includes this. */
#ifndef AMCP_STATUS_JOIN_INTERNAL_H
#define AMCP_STATUS_JOIN_INTERNAL_H

#include "common/status/join.h"

/* How many dealers are in which state. */
struct status_counts {
  size_t of[STATUS_STATES];
};

/* Each fills its lists of `out`; false when the arena is full. */
bool status_add_dealers(Analytics__Status__V1__ServiceStatus *out, const struct status_parts *p,
                        struct status_counts *counts, struct arena *arena);
bool status_add_facts(Analytics__Status__V1__ServiceStatus *out, const struct status_parts *p,
                      struct arena *arena);

/* RFC 3339 in whole seconds, in the arena; "" for 0. NULL when that is full. */
char *status_time(int64_t unix_s, struct arena *arena);

#endif
