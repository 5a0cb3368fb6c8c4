/* What a program says of itself in GetStatus. */
#ifndef AMCP_STATUS_FACTS_H
#define AMCP_STATUS_FACTS_H

#include "analytics/status/v1/status.pb-c.h"
#include "common/base/arena.h"

struct status_self {
  const char *name;      /* "auth-svc" */
  const char *cert_file; /* NULL without TLS */
  int64_t started_at;    /* seconds since 1970 */
};

/* Name, version, host, start and certificate, in the arena; NULL when that is full. Reads the
 * certificate's file. Texts of `self` are lent to the result. Thread-safe. */
Analytics__Status__V1__Service *status_service(const struct status_self *self, struct arena *arena);

#endif
