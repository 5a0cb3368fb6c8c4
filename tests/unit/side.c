/* A process for each case of a test program, some at a time. */
#include "tests/unit/side.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 6 };

struct side {
  pid_t pid; /* 0: none */
  int out;   /* what it prints, in memory */
};

static void run_case(const char *path, const char *name, int out, pid_t parent)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
    _exit(1);
  execl("/proc/self/exe", path, name, NULL);
  _exit(1);
}

static bool begin_case(struct side *s, const char *path, const char *name)
{
  pid_t parent = getpid();
  s->out = memfd_create("output of a case", MFD_CLOEXEC);
  s->pid = s->out < 0 ? -1 : fork();
  if (s->pid == 0)
    run_case(path, name, s->out, parent);
  return s->pid > 0;
}

/* All that a case printed; of one that passed, without the last line, which counts cases. */
static void show(int out, bool passed)
{
  struct stat st;
  char *text = fstat(out, &st) == 0 && st.st_size > 0
                   ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, out, 0)
                   : MAP_FAILED;
  if (text == MAP_FAILED)
    return;
  size_t len = (size_t)st.st_size;
  const char *last = passed ? memrchr(text, '\n', len - 1) : NULL;
  fwrite(text, 1, last != NULL ? (size_t)(last - text) + 1 : len, stdout);
  fflush(stdout);
  munmap(text, len);
}

/* Waits for the end of any; returns its place, or -1. */
static int wait_for_one(struct side sides[AT_ONCE], bool *passed)
{
  int status = 0;
  pid_t pid = waitpid(-1, &status, 0);
  for (int i = 0; pid > 0 && i < AT_ONCE; i++)
    if (sides[i].pid == pid) {
      *passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      return i;
    }
  return -1;
}

static int free_side(const struct side sides[AT_ONCE])
{
  for (int i = 0; i < AT_ONCE; i++)
    if (sides[i].pid == 0)
      return i;
  return -1;
}

/* Waits until one has ended, and shows it; false when there is none to wait for. */
static bool end_one(struct side sides[AT_ONCE], size_t *n_passed)
{
  bool passed = false;
  int at = wait_for_one(sides, &passed);
  if (at < 0)
    return false;
  show(sides[at].out, passed);
  close(sides[at].out);
  sides[at] = (struct side){0};
  *n_passed += passed ? 1 : 0;
  return true;
}

int side_by_side(const char *suite, const struct test_case *cases, size_t n, const char *path)
{
  struct side sides[AT_ONCE] = {{0}};
  size_t n_passed = 0;
  for (size_t i = 0; i < n; i++) {
    while (free_side(sides) < 0)
      if (!end_one(sides, &n_passed))
        return 1;
    if (!begin_case(&sides[free_side(sides)], path, cases[i].name))
      return 1;
  }
  while (end_one(sides, &n_passed))
    continue;
  printf("%s: %zu of %zu cases passed\n", suite, n_passed, n);
  return n_passed == n && n > 0 ? 0 : 1;
}
