/* Start and end of a program. */
#include "common/service/frame.h"

#include <stdio.h>

#include "common/base/harden.h"
#include "common/base/log.h"
#include "common/base/signals.h"

void service_begin(const char *name, const struct service_settings *s)
{
  signals_init();
  log_init(name, s->log_level);
  harden_process(s->allow_core_dumps);
  rpc_init();
}

void service_wait_hup(void (*on_hup)(void *user), void *user)
{
  int signal = signals_wait(on_hup, user); /* apart: a log macro may skip its arguments */
  log_info("stopping", LOG_I("signal", signal));
}

void service_wait(void)
{
  service_wait_hup(NULL, NULL);
}

int service_failed(const char *name, const struct err *e)
{
  fprintf(stderr, "%s: %s\n", name, e->message);
  return e->code == ERR_INVALID_ARGUMENT ? EXIT_CONFIG : EXIT_FAILED;
}

void service_end(void)
{
  rpc_shutdown();
}

bool service_tell_backend(struct buf *detail, const char *name, struct rpc_channel *channel)
{
  bool up = rpc_channel_ready(channel);
  buf_printf(detail, "%s %s: %s\n", up ? "ok" : "wait", name, up ? "connected" : "not connected");
  return up;
}
