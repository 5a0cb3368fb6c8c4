/* Runs the cases of one CUnit suite, one line each, and turns their results into an exit code.
 *
 * The cases run in a forked child (watch.c is its parent), so that the output of a case that
 * crashes, hangs or is ended by a sanitizer is shown as well as that of one that fails. With
 * AMCP_TEST_DIRECT set there is no child and nothing is kept apart: for debuggers. */
#include "tests/unit/harness.h"

#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/unit/capture.h"
#include "tests/unit/watch.h"

static const struct test_program *program;
static struct watch *watched; /* NULL when run directly */
static int64_t began_ms;

static int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const struct test_case *find_case(const char *name)
{
  for (size_t i = 0; i < program->n; i++)
    if (strcmp(program->cases[i].name, name) == 0)
      return &program->cases[i];
  return NULL;
}

static void case_begins(const CU_pTest test, const CU_pSuite suite)
{
  (void)suite;
  began_ms = now_ms();
  if (watched != NULL)
    watch_case(watched, find_case(test->pName)->name);
  capture_mark();
}

static void case_ended(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
  FILE *out = capture_results();
  (void)suite;
  fflush(NULL);
  fprintf(out, "  %s %s (%lld ms)\n", failures == NULL ? "ok  " : "FAIL", test->pName,
          (long long)(now_ms() - began_ms));
  if (failures == NULL)
    return;
  capture_show();
  for (const CU_FailureRecord *f = failures; f != NULL; f = f->pNext)
    fprintf(out, "    %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
  if (watched == NULL)
    fprintf(out, "run it alone: tests/run.sh %s %s\n", program->room, test->pName);
  fflush(out);
  if (watched != NULL)
    watch_failed(watched, find_case(test->pName)->name);
}

static int add_cases(const char *wanted)
{
  CU_pSuite suite = CU_add_suite(program->suite, NULL, NULL);
  const struct test_case *only = wanted != NULL ? find_case(wanted) : NULL;
  for (size_t i = 0; i < program->n; i++) {
    const struct test_case *c = &program->cases[i];
    if (only != NULL ? c != only : wanted != NULL && strstr(c->name, wanted) == NULL)
      continue;
    if (suite == NULL || CU_add_test(suite, c->name, c->run) == NULL)
      return -1;
  }
  return 0;
}

/* Whether threads were started although ctest takes the test for one without, which
 * ThreadSanitizer is spared: AMCP_UNTHREADED of cmake/AmcpTargets.cmake. */
static bool threads_undeclared(FILE *out)
{
#ifdef __SANITIZE_THREAD__
  return false; /* it starts a thread of its own */
#endif
  if (getenv("AMCP_TEST_UNTHREADED") == NULL || __libc_single_threaded)
    return false;
  fputs("  FAIL: it starts threads, and AMCP_UNTHREADED (cmake/AmcpTargets.cmake) says that it "
        "starts none\n",
        out);
  return true;
}

/* In the child, or directly. The parent sees names by their address in the program. */
static int run_cases(const char *wanted)
{
  if (CU_initialize_registry() != CUE_SUCCESS || add_cases(wanted) != 0)
    return 1;
  CU_set_test_start_handler(case_begins);
  CU_set_test_complete_handler(case_ended);
  if (program->begin != NULL)
    program->begin();
  CU_run_all_tests();
  if (program->end != NULL)
    program->end();
  unsigned run = CU_get_number_of_tests_run();
  unsigned failed = CU_get_number_of_tests_failed();
  CU_cleanup_registry();
  FILE *out = capture_results();
  if (run == 0)
    fprintf(out, "%s: no case is named \"%s\"\n", program->suite, wanted != NULL ? wanted : "");
  else
    fprintf(out, "%s: %u of %u cases passed\n", program->suite, run - failed, run);
  bool good = run > 0 && failed == 0 && !threads_undeclared(out);
  fflush(out);
  if (watched != NULL && run > 0)
    watch_over(watched);
  return good ? 0 : 1;
}

static int list_cases(void)
{
  for (size_t i = 0; i < program->n; i++)
    puts(program->cases[i].name);
  return 0;
}

/* A program with threads already cannot be forked. */
static bool has_threads(void)
{
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3; /* ".", "..", one task */
}

int test_run(const struct test_program *p, int argc, char **argv)
{
  const char *wanted = argc > 1 ? argv[1] : NULL;
  program = p;
  if (wanted != NULL && strcmp(wanted, "--list") == 0)
    return list_cases();
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (getenv("AMCP_TEST_DIRECT") != NULL)
    return run_cases(wanted);
  if (capture_begin() != 0)
    return 1;
  if (has_threads())
    return run_cases(wanted);
  watched = watch_new();
  int code = 0;
  switch (watched != NULL ? watch_fork(watched, program, argv[0], &code) : WATCH_REFUSED) {
  case WATCH_CHILD:
    return run_cases(wanted);
  case WATCH_PARENT:
    return code;
  default:
    return 1;
  }
}
