/* The way of a program from its settings to its end, as far as it is the same for all:
 *
 *   if (!..._settings_load(&settings, argc, argv, &exit_code))
 *     return exit_code;
 *   service_begin(name, &settings.service);
 *   if (start(...) == ERR_OK)       the program's own: what it needs, listeners last
 *     service_wait();
 *   else
 *     exit_code = service_failed(name, &e);
 *   stop(...);                      listeners first, then what they use
 *   service_end();
 */
#ifndef AMCP_SERVICE_FRAME_H
#define AMCP_SERVICE_FRAME_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/service/settings.h"

/* Signals, log, hardening, gRPC: before any thread and before anything secret is there. */
void service_begin(const char *name, const struct service_settings *s);
/* Serves until SIGTERM or SIGINT, and logs which. */
void service_wait(void);
/* The same; on_hup(user) runs on this thread for each SIGHUP. */
void service_wait_hup(void (*on_hup)(void *user), void *user);
/* Prints why a start failed. Returns the exit code: EXIT_CONFIG when a setting was wrong
 * (ERR_INVALID_ARGUMENT), else EXIT_FAILED. */
int service_failed(const char *name, const struct err *e);
/* After the last channel and server. */
void service_end(void);

/* A line of /readyz about a backend: "ok auth-svc: connected" or "wait auth-svc: not
 * connected". Starts connecting when that has not begun. Returns whether it is connected. */
bool service_tell_backend(struct buf *detail, const char *name, struct rpc_channel *channel);

#endif
