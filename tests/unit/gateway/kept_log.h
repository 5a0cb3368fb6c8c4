/* The product's log, kept for a test to read: standard error goes to a file meanwhile. */
#ifndef AMCP_TESTS_GATEWAY_KEPT_LOG_H
#define AMCP_TESTS_GATEWAY_KEPT_LOG_H

#include "common/base/buf.h"

/* One at a time in a process. */
void kept_log_begin(void);
/* Standard error is what it was; appends all that was written to it meanwhile. */
void kept_log_end(struct buf *text);

/* Lines of a log that hold all of the parts; the list of parts ends with NULL. */
size_t kept_log_count(const struct buf *text, const char *const *parts);
#define KEPT_LOG_COUNT(text, ...)                                                                  \
  kept_log_count((text), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

#endif
