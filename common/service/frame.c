/* Start and end of a program. */
#include "common/service/frame.h"

#include <stdio.h>

#include "common/base/harden.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/otlp/exporter.h"

static void begin(const char *name, const struct service_settings *s)
{
  signals_init();
  log_init(name, s->log_level);
  harden_process(s->allow_core_dumps);
  rpc_set_pollers((size_t)s->pollers);
  rpc_init();
}

static enum err_code start(struct otlp_exporter **exporter, const struct service_frame *frame,
                           const struct service_settings *s, void *app, struct err *e)
{
  enum err_code code = otlp_start(exporter, &s->otlp, frame->name, e);
  otlp_settings_wipe();
  return code == ERR_OK ? frame->start(app, e) : code;
}

/* Whoever sends calls must have gone elsewhere before they are refused. */
static void serve(const struct service_frame *frame, const struct service_settings *s, void *app)
{
  int signal = signals_wait(frame->reload, app); /* apart: a log macro may skip its arguments */
  log_info("stopping", LOG_I("signal", signal), LOG_I("drain_ms", s->drain_ms));
  if (frame->drain == NULL)
    return;
  frame->drain(app);
  if (signals_wait_ms(s->drain_ms) != 0)
    log_info("asked to stop again: the drain ends early");
}

static int start_failed(const char *name, const struct err *e)
{
  fprintf(stderr, "%s: %s\n", name, e->message);
  if (e->code == ERR_CANCELLED)
    return EXIT_OK;
  return e->code == ERR_INVALID_ARGUMENT ? EXIT_CONFIG : EXIT_FAILED;
}

int service_run(const struct service_frame *frame, const struct service_settings *s, void *app)
{
  struct err e = {0};
  int exit_code = EXIT_OK;
  struct otlp_exporter *exporter = NULL;
  begin(frame->name, s);
  if (start(&exporter, frame, s, app, &e) == ERR_OK)
    serve(frame, s, app);
  else
    exit_code = start_failed(frame->name, &e);
  frame->stop(app);
  otlp_stop(exporter, OTLP_FLUSH_MS);
  rpc_shutdown();
  return exit_code;
}

bool service_show_backend(struct buf *detail, const char *name, struct rpc_channel *channel)
{
  bool up = rpc_channel_ready(channel);
  buf_printf(detail, "%s %s: %s\n", up ? "ok" : "wait", name, up ? "connected" : "not connected");
  return up;
}
