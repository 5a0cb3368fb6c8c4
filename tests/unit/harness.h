/* The frame of every unit test program: CUnit, one suite, names that state behaviour.
 *
 *   static void buffer_refuses_to_grow_past_its_cap(void) { CU_ASSERT_FALSE(...); }
 *   TEST_MAIN("buf", TEST(buffer_refuses_to_grow_past_its_cap))
 *
 * A program prints one line per case. What the cases themselves print (the product's log above
 * all) is kept apart and shown only for a case that fails; then the last lines say how to run that
 * case alone. tests/README.md describes the arguments and the environment.
 */
#ifndef AMCP_TESTS_HARNESS_H
#define AMCP_TESTS_HARNESS_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct test_case {
  const char *name;
  void (*run)(void);
};

struct test_program {
  const char *suite;
  const char *room; /* as tests/run.sh takes it: "auth/token" */
  const struct test_case *cases;
  size_t n;
  void (*begin)(void), (*end)(void); /* around all cases, in their process; NULL for nothing */
};

/* Runs the cases and returns the exit code: 0 when all passed, 1 otherwise or when none ran.
 * argv[1], when given, chooses the case of that name, else all whose name contains it. */
int test_run(const struct test_program *program, int argc, char **argv);

#ifndef AMCP_TEST_ROOM /* amcp_test() defines it */
#define AMCP_TEST_ROOM ""
#endif

/* The same, for a program that writes its main() itself. The cases run in a child process: what has
 * threads begins in test_program.begin, not before. */
static inline int test_main(const char *suite, const struct test_case *cases, size_t n, int argc,
                            char **argv)
{
  const struct test_program program = {suite, AMCP_TEST_ROOM, cases, n, NULL, NULL};
  return test_run(&program, argc, argv);
}

#define TEST(fn)                                                                                   \
  {                                                                                                \
#fn, fn                                                                                        \
  }
#define TEST_MAIN(suite, ...)                                                                      \
  int main(int argc, char **argv)                                                                  \
  {                                                                                                \
    static const struct test_case cases_[] = {__VA_ARGS__};                                        \
    return test_main((suite), cases_, sizeof(cases_) / sizeof(cases_[0]), argc, argv);             \
  }

#endif
