/* The programs that the laptop image runs, as processes. */
#ifndef AMCP_INIT_CHILD_H
#define AMCP_INIT_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
  const char *name;
  const char *admin_listen; /* its ADMIN_LISTEN where the container's is not off */
  pid_t pid;                /* 0: not running */
};

/* Starts FOLDER/NAME with `mask` as its signal mask. False, logged, when it cannot be. */
bool child_start(struct child *c, const char *folder, const sigset_t *mask);
/* Starts FOLDER/NAME healthcheck; returns its pid, or -1. */
pid_t child_ask(const struct child *c, const char *folder, const sigset_t *mask);
/* Signals it when it runs. */
void child_signal(const struct child *c, int signal);

#endif
