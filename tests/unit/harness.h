/* The frame of every unit test program: CUnit, one suite, names that state behaviour.
 *
 *   static void buffer_refuses_to_grow_past_its_cap(void) { CU_ASSERT_FALSE(...); }
 *   TEST_MAIN("buf", TEST(buffer_refuses_to_grow_past_its_cap))
 */
#ifndef AMCP_TESTS_HARNESS_H
#define AMCP_TESTS_HARNESS_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct test_case {
  const char *name;
  void (*run)(void);
};

/* Runs the cases (only those whose name contains argv[1], when given) and returns the exit
 * code: 0 when all passed, 1 otherwise or when none ran. */
int test_main(const char *suite, const struct test_case *cases, size_t n, int argc, char **argv);

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
