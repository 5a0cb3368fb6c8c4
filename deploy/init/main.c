/* analytics-mcp: the first process of the laptop image. Starts auth-svc, report-svc, aggregate-svc
 * and gateway, each when the one before it serves, and waits.
 *
 * SIGTERM and SIGINT end them: the gateway first, so that what is under way is answered, then the
 * others at once. SIGHUP goes to auth-svc, which reads its files again. When one of the programs
 * ends by itself, so does everything, with exit code 1: whoever runs the container starts it again.
 * Processes that lost their parent are reaped. Everything happens in one loop over signals; nothing
 * is done in a handler. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "deploy/init/child.h"

enum {
  START_LIMIT_MS = 60 * 1000, /* for one program to serve */
  ASK_EVERY_MS = 100,
  STOP_LIMIT_MS = 15 * 1000, /* for one step of the end, then SIGKILL */
};

enum { AUTH, REPORT, AGGREGATE, GATEWAY, N_CHILDREN };

struct init {
  char folder[PATH_MAX]; /* of the programs: the one this is in */
  sigset_t handled, outer;
  struct child children[N_CHILDREN];
  int stop_signal; /* 0: none came */
  bool failed;
};

static const char usage[] =
    "analytics-mcp: auth-svc, report-svc, aggregate-svc and gateway in one container, for a "
    "laptop.\n"
    "\nUsage: analytics-mcp [--help | --version]\n"
    "\nTakes the settings of all four (gateway --help, auth-svc --help and so on). When\n"
    "GOOGLE_APPLICATION_CREDENTIALS is set, ENABLE_AUTH is not, and no dealers file exists,\n"
    "ENABLE_AUTH is false: a single user with their own credentials.\n";

static struct child *child_of(struct init *in, pid_t pid)
{
  for (size_t i = 0; i < N_CHILDREN; i++)
    if (in->children[i].pid == pid)
      return &in->children[i];
  return NULL;
}

static bool ending(const struct init *in)
{
  return in->failed || in->stop_signal != 0;
}

/* Reaps what has ended. *asked_status is set when it was `asked`. */
static void reap(struct init *in, pid_t asked, int *asked_status)
{
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    struct child *c = child_of(in, pid);
    if (asked > 0 && pid == asked)
      *asked_status = status;
    if (c == NULL)
      continue;
    c->pid = 0;
    if (ending(in))
      continue;
    in->failed = true;
    log_error("a program ended; stopping the others", LOG_S("program", c->name),
              LOG_I("exit_code", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
              LOG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  }
}

/* Handles one signal, or the end of the wait. */
static void step(struct init *in, int wait_ms, pid_t asked, int *asked_status)
{
  const struct timespec wait = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
  int signal = sigtimedwait(&in->handled, NULL, &wait);
  if (signal == SIGTERM || signal == SIGINT)
    in->stop_signal = signal;
  else if (signal == SIGHUP)
    child_signal(&in->children[AUTH], SIGHUP);
  reap(in, asked, asked_status); /* one SIGCHLD may stand for several */
}

static bool serves(struct init *in, const struct child *c)
{
  int status = -1;
  pid_t asked = child_ask(c, in->folder, &in->outer);
  while (asked > 0 && status == -1 && !ending(in))
    step(in, ASK_EVERY_MS, asked, &status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 && status != -1;
}

static bool start(struct init *in, struct child *c)
{
  int64_t until_ms = clock_mono_ms() + START_LIMIT_MS;
  if (!child_start(c, in->folder, &in->outer))
    return false;
  while (!ending(in) && !serves(in, c)) {
    if (clock_mono_ms() > until_ms) {
      log_error("a program does not serve; stopping", LOG_S("program", c->name),
                LOG_I("waited_ms", START_LIMIT_MS));
      return false;
    }
    step(in, ASK_EVERY_MS, 0, NULL);
  }
  return !ending(in);
}

static bool any_runs(const struct init *in, size_t from, size_t to)
{
  for (size_t i = from; i <= to; i++)
    if (in->children[i].pid > 0)
      return true;
  return false;
}

static void stop(struct init *in, size_t from, size_t to)
{
  int64_t until_ms = clock_mono_ms() + STOP_LIMIT_MS;
  for (size_t i = from; i <= to; i++)
    child_signal(&in->children[i], SIGTERM);
  while (any_runs(in, from, to) && clock_mono_ms() < until_ms)
    step(in, ASK_EVERY_MS, 0, NULL);
  for (size_t i = from; i <= to; i++)
    child_signal(&in->children[i], SIGKILL);
}

/* The probe of the image asks the gateway, whose ADMIN_LISTEN is the container's. */
static void init_children(struct init *in)
{
  in->children[AUTH] = (struct child){"auth-svc", "127.0.0.1:9465", 0};
  in->children[REPORT] = (struct child){"report-svc", "127.0.0.1:9466", 0};
  in->children[AGGREGATE] = (struct child){"aggregate-svc", "127.0.0.1:9467", 0};
  in->children[GATEWAY] = (struct child){"gateway", NULL, 0};
}

static bool is_set(const char *name)
{
  const char *value = getenv(name);
  return value != NULL && *value != '\0';
}

/* One user with credentials of their own, as in `docker run -e GOOGLE_APPLICATION_CREDENTIALS=...`;
 * or nobody, who looks at the tools. */
static void choose_auth(void)
{
  const char *dealers =
      is_set("GA_CREDENTIALS_PATH") ? getenv("GA_CREDENTIALS_PATH") : "config/dealers.json";
  setenv("AUTH_ALLOW_NO_CREDENTIALS", "true", 0);
  if (!is_set("GOOGLE_APPLICATION_CREDENTIALS") || is_set("ENABLE_AUTH") ||
      is_set("GA_CREDENTIALS_JSON") || access(dealers, F_OK) == 0)
    return;
  setenv("ENABLE_AUTH", "false", 1);
  log_warn("ENABLE_AUTH is false: GOOGLE_APPLICATION_CREDENTIALS is set and no dealers file "
           "exists. Anyone who can reach the port can read whatever these credentials can");
}

static bool find_folder(struct init *in)
{
  ssize_t n = readlink("/proc/self/exe", in->folder, sizeof(in->folder) - 1);
  in->folder[n > 0 ? n : 0] = '\0';
  char *slash = strrchr(in->folder, '/');
  if (slash != NULL)
    *slash = '\0';
  return slash != NULL;
}

static void block_signals(struct init *in)
{
  sigemptyset(&in->handled);
  sigaddset(&in->handled, SIGTERM);
  sigaddset(&in->handled, SIGINT);
  sigaddset(&in->handled, SIGHUP);
  sigaddset(&in->handled, SIGCHLD);
  sigprocmask(SIG_BLOCK, &in->handled, &in->outer);
}

static int run(struct init *in)
{
  int64_t began_ms = clock_mono_ms();
  for (size_t i = 0; i < N_CHILDREN && !ending(in); i++)
    if (!start(in, &in->children[i]) && !ending(in))
      in->failed = true;
  if (!ending(in))
    log_info("serving", LOG_I("ms", clock_mono_ms() - began_ms));
  while (!ending(in))
    step(in, 60 * 1000, 0, NULL);
  stop(in, GATEWAY, GATEWAY);
  stop(in, AUTH, AGGREGATE);
  return in->failed ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
  static struct init in;
  if (argc > 1) {
    bool help = strcmp(argv[1], "--help") == 0;
    bool version = strcmp(argv[1], "--version") == 0;
    fputs(version ? "analytics-mcp " AMCP_VERSION "\n" : usage, help || version ? stdout : stderr);
    return help || version ? EXIT_OK : EXIT_USAGE;
  }
  log_init("analytics-mcp", LOG_LEVEL_INFO);
  block_signals(&in);
  init_children(&in);
  if (!find_folder(&in)) {
    fputs("analytics-mcp: /proc is not mounted\n", stderr);
    return EXIT_FAILED;
  }
  choose_auth();
  return run(&in);
}
