/* Cases that wait for time to pass more than they compute: each in a process of its own, some at a
 * time. In the place of TEST_MAIN:
 *
 *   TEST_MAIN_SIDE_BY_SIDE("rpc outages", TEST(...), ...)
 */
#ifndef AMCP_TESTS_SIDE_H
#define AMCP_TESTS_SIDE_H

#include <stdlib.h>

#include "tests/unit/harness.h"

/* Runs the program at `path` once for each case and prints what each printed, as they end. Returns
 * the exit code: 0 when all passed, 1 otherwise or when there is none. */
int side_by_side(const char *suite, const struct test_case *cases, size_t n, const char *path);

#define TEST_MAIN_SIDE_BY_SIDE(suite, ...)                                                         \
  int main(int argc, char **argv)                                                                  \
  {                                                                                                \
    static const struct test_case cases_[] = {__VA_ARGS__};                                        \
    const size_t n_ = sizeof(cases_) / sizeof(cases_[0]);                                          \
    if (argc < 2 && getenv("AMCP_TEST_DIRECT") == NULL)                                            \
      return side_by_side((suite), cases_, n_, argv[0]);                                           \
    return test_main((suite), cases_, n_, argc, argv);                                             \
  }

#endif
