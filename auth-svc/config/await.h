/* Waits at the start for a file that somebody else puts there: a sidecar, a mounted secret that is
 * fetched, a simulator that writes its dealers. */
#ifndef AMCP_AUTH_CONFIG_AWAIT_H
#define AMCP_AUTH_CONFIG_AWAIT_H

#include <stdint.h>

#include "common/base/error.h"

/* Returns when the file is there, holds something and has stayed as it is for a moment, or after
 * wait_s seconds, whatever comes first: whoever reads it says what is wrong then. 0 returns at
 * once. ERR_CANCELLED: SIGTERM or SIGINT came meanwhile. For main()'s thread, with the signals of
 * signals_init(). */
enum err_code await_file(const char *path, int64_t wait_s, struct err *e);

#endif
