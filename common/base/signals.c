/* SIGTERM and SIGINT as an ordinary event for main(). */
#include "common/base/signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"

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

int signals_wait_ms(int64_t ms)
{
  sigset_t set;
  stop_set(&set);
  int64_t until_ms = clock_mono_ms() + ms;
  for (int64_t left = ms; left > 0; left = until_ms - clock_mono_ms()) {
    const struct timespec t = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    int sig = sigtimedwait(&set, NULL, &t);
    if (sig == SIGTERM || sig == SIGINT)
      return sig;
  }
  return 0;
}

void signals_raise_stop(void)
{
  kill(getpid(), SIGTERM);
}
