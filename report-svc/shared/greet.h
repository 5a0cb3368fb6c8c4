/* What is said to Redis first on a new connection: who we are, which database, the scripts. */
#ifndef AMCP_REPORT_SHARED_GREET_H
#define AMCP_REPORT_SHARED_GREET_H

#include "report-svc/shared/link.h"

struct redisReader;

/* Blocks until it is done or clock_mono_ms() is deadline_ms. ERR_UNAVAILABLE says what failed, with
 * the first word of Redis's error alone: "signing in: WRONGPASS". */
enum err_code redis_greet(struct wire *wire, struct redisReader *reader,
                          const struct link_options *options, int64_t deadline_ms, struct err *e);
/* Length of the first word of an error of Redis, for "%.*s": the rest may quote arguments. */
int redis_error_word(const char *error);

#endif
