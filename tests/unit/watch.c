/* The parent of a test program's cases. */
#include "tests/unit/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/harness.h"

struct watch *watch_new(void)
{
  void *shared =
      mmap(NULL, sizeof(struct watch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return shared != MAP_FAILED ? shared : NULL;
}

void watch_case(struct watch *w, const char *name)
{
  w->current = name;
}

void watch_failed(struct watch *w, const char *name)
{
  if (w->failed_n < WATCH_FAILED_MAX)
    w->failed[w->failed_n++] = name;
}

void watch_over(struct watch *w)
{
  w->current = NULL;
  w->over = true;
}

static void on_alarm(int number)
{
  (void)number; /* ends waitpid() */
}

/* Whether the child ended by itself; *status as of waitpid(). */
static bool wait_for(pid_t child, int *status)
{
  const char *text = getenv("AMCP_TEST_SECONDS");
  struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
  sigaction(SIGALRM, &action, NULL);
  alarm(text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0);
  if (waitpid(child, status, 0) == child)
    return true;
  kill(child, SIGKILL);
  while (waitpid(child, status, 0) < 0 && errno == EINTR) {
  }
  return false;
}

static void report_end(const struct watch *w, bool by_itself, int status)
{
  FILE *out = capture_results();
  if (!w->over || w->failed_n == 0) /* a crash, or a sanitizer's verdict on the whole program */
    capture_show_report();
  if (!by_itself)
    fprintf(out, "  FAIL %s: not over after %s s\n", w->current ? w->current : "the program",
            getenv("AMCP_TEST_SECONDS"));
  else if (WIFSIGNALED(status))
    fprintf(out, "  FAIL %s: ended by signal %d (%s)\n", w->current ? w->current : "the program",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
  else if (!w->over)
    fprintf(out, "  FAIL %s: the program ended with code %d\n",
            w->current ? w->current : "the program", WEXITSTATUS(status));
  else if (w->failed_n == 0)
    fprintf(out, "  FAIL: every case ran, but the program ended with code %d\n",
            WEXITSTATUS(status));
}

static void report_again(const struct test_program *program, const char *path, const char *name)
{
  FILE *out = capture_results();
  fprintf(out, "run it alone: tests/run.sh %s%s%s\n", program->room, name != NULL ? " " : "",
          name != NULL ? name : "");
  fprintf(out, "in this build: %s%s%s\n", path, name != NULL ? " " : "", name != NULL ? name : "");
}

static int report(const struct watch *w, const struct test_program *program, const char *path,
                  bool by_itself, int status)
{
  if (by_itself && w->over && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  report_end(w, by_itself, status);
  for (int i = 0; i < w->failed_n; i++)
    report_again(program, path, w->failed[i]);
  if (w->current != NULL || w->failed_n == 0)
    report_again(program, path, w->current);
  fflush(capture_results());
  return by_itself && WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
}

enum watch_side watch_fork(struct watch *w, const struct test_program *program, const char *path,
                           int *code)
{
  pid_t parent = getpid(), child = fork();
  if (child < 0)
    return WATCH_REFUSED;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == parent ? WATCH_CHILD : WATCH_REFUSED;
  }
  int status = 0;
  bool by_itself = wait_for(child, &status);
  *code = report(w, program, path, by_itself, status);
  return WATCH_PARENT;
}
