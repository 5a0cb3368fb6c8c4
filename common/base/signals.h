/* SIGTERM and SIGINT as an ordinary event for main(). */
#ifndef AMCP_BASE_SIGNALS_H
#define AMCP_BASE_SIGNALS_H

#include <stdint.h>

/* Blocks SIGTERM, SIGINT and SIGHUP in this and all later threads and ignores
 * SIGPIPE. Call first in main(), before any thread starts. */
void signals_init(void);
/* Waits for SIGTERM or SIGINT and returns it. SIGHUP is passed to on_hup (may be
 * NULL) on this thread, then waiting goes on. */
int signals_wait(void (*on_hup)(void *arg), void *arg);
/* The same for at most ms milliseconds, without regard to SIGHUP; 0 when none came. */
int signals_wait_ms(int64_t ms);
/* Makes signals_wait() return from another thread. */
void signals_raise_stop(void);

#endif
