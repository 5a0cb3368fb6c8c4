/* Starts and signals the programs of the laptop image. */
#include "deploy/init/child.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"

static bool admin_is_off(void)
{
  const char *listen = getenv("ADMIN_LISTEN");
  return listen != NULL && strcmp(listen, "off") == 0;
}

/* In the new process; returns only when the program cannot be run. */
static void become(const struct child *c, const char *folder, char *argument, const sigset_t *mask)
{
  char path[PATH_MAX];
  char *argv[] = {(char *)(uintptr_t)c->name, argument, NULL};
  int n = snprintf(path, sizeof(path), "%s/%s", folder, c->name);
  if (n < 0 || (size_t)n >= sizeof(path))
    return;
  if (c->admin_listen != NULL && !admin_is_off())
    setenv("ADMIN_LISTEN", c->admin_listen, 1);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execv(path, argv);
}

static pid_t run(const struct child *c, const char *folder, char *argument, const sigset_t *mask)
{
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  become(c, folder, argument, mask);
  fprintf(stderr, "analytics-mcp: cannot run %s/%s: %s\n", folder, c->name, strerror(errno));
  _exit(127);
}

bool child_start(struct child *c, const char *folder, const sigset_t *mask)
{
  pid_t pid = run(c, folder, NULL, mask);
  if (pid < 0) {
    log_error("cannot start a process", LOG_S("program", c->name), LOG_S("error", strerror(errno)));
    return false;
  }
  c->pid = pid;
  return true;
}

pid_t child_ask(const struct child *c, const char *folder, const sigset_t *mask)
{
  static char argument[] = "healthcheck";
  return run(c, folder, argument, mask);
}

void child_signal(const struct child *c, int signal)
{
  if (c->pid > 0)
    kill(c->pid, signal);
}
