/* The parent of a test program's cases: reports how they ended when they cannot do it themselves.
 */
#ifndef AMCP_TESTS_WATCH_H
#define AMCP_TESTS_WATCH_H

#include <stdbool.h>

struct test_program;

enum { WATCH_FAILED_MAX = 16 };

/* Shared memory of the two processes; names point to constants of the program. */
struct watch {
  const char *current; /* the case under way */
  const char *failed[WATCH_FAILED_MAX];
  int failed_n;
  bool over; /* all cases ran */
};

/* NULL when the system refuses. Lives until the program ends. */
struct watch *watch_new(void);

enum watch_side { WATCH_REFUSED, WATCH_CHILD, WATCH_PARENT };

/* Forks, and returns WATCH_CHILD in the child. The parent waits for it, reports how to run again
 * what failed, sets *code to the exit code and returns WATCH_PARENT. AMCP_TEST_SECONDS ends a child
 * that takes longer. */
enum watch_side watch_fork(struct watch *w, const struct test_program *program, const char *path,
                           int *code);

/* In the child: a case begins; a case failed; all cases ran. */
void watch_case(struct watch *w, const char *name);
void watch_failed(struct watch *w, const char *name);
void watch_over(struct watch *w);

#endif
