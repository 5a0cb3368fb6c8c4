/* The way of a program from its settings to its end. main() reads the settings, after subcommands
 * if the program has any, and runs the rest through the frame:
 *
 *   static const struct service_frame frame = {
 *       .name = "report-svc", .start = start, .drain = drain, .stop = stop};
 *
 *   if (!report_settings_load(&p.settings, argc, argv, &exit_code))
 *     return exit_code;
 *   return service_run(&frame, &p.settings.service, &p);
 */
#ifndef AMCP_SERVICE_FRAME_H
#define AMCP_SERVICE_FRAME_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/service/settings.h"

/* A program's own part. All run on main()'s thread. */
struct service_frame {
  const char *name; /* "report-svc" */
  /* Starts what the program needs, listeners last, and logs that it serves. An error ends the
   * program: ERR_INVALID_ARGUMENT, a setting is wrong, with EXIT_CONFIG; ERR_CANCELLED, SIGTERM
   * or SIGINT came while it waited for something, with EXIT_OK; others with EXIT_FAILED. */
  enum err_code (*start)(void *app, struct err *e);
  /* On SIGHUP, while serving; NULL when there is nothing to read again. */
  void (*reload)(void *app);
  /* The stop was asked for: everything that others look at says so from now on (health, /readyz),
   * while calls are still taken. Runs only after a start that went well; NULL for nothing to say.
   */
  void (*drain)(void *app);
  /* Stops listeners first, then what they use. Runs after a start that failed, too, and must cope
   * with what was not started. */
  void (*stop)(void *app);
};

/* Signals, log, hardening and gRPC, before any thread and any secret is there; then the export of
 * traces, start(), serving until SIGTERM or SIGINT, drain(), serving for AMCP_DRAIN_MS more (a
 * second signal ends that), stop(), the last export, and the end of gRPC. Returns the exit code. */
int service_run(const struct service_frame *frame, const struct service_settings *s, void *app);

/* A line of /readyz about a backend: "ok auth-svc: connected" or "wait auth-svc: not
 * connected". Starts connecting when that has not begun. Returns whether it is connected. */
bool service_show_backend(struct buf *detail, const char *name, struct rpc_channel *channel);

#endif
