/* SIGTERM and SIGINT as an ordinary event for main(). */
#include "common/base/signals.h"

#include <signal.h>
#include <unistd.h>

static void stop_set(sigset_t *set)
{
  sigemptyset(set);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGHUP);
}

void signals_init(void)
{
  sigset_t set;
  stop_set(&set);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
}

int signals_wait(void (*on_hup)(void *arg), void *arg)
{
  sigset_t set;
  stop_set(&set);
  for (;;) {
    int sig = 0;
    if (sigwait(&set, &sig) != 0)
      continue;
    if (sig != SIGHUP)
      return sig;
    if (on_hup != NULL)
      on_hup(arg);
  }
}

void signals_raise_stop(void)
{
  kill(getpid(), SIGTERM);
}
