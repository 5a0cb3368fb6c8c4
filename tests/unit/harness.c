/* Runs one CUnit suite and turns its result into an exit code. */
#include "tests/unit/harness.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

int test_main(const char *suite, const struct test_case *cases, size_t n, int argc, char **argv)
{
  if (CU_initialize_registry() != CUE_SUCCESS)
    return 1;
  CU_pSuite s = CU_add_suite(suite, NULL, NULL);
  for (size_t i = 0; s != NULL && i < n; i++) {
    if (argc > 1 && strstr(cases[i].name, argv[1]) == NULL)
      continue;
    if (CU_add_test(s, cases[i].name, cases[i].run) == NULL)
      return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  unsigned run = CU_get_number_of_tests_run();
  unsigned failed = CU_get_number_of_tests_failed();
  CU_cleanup_registry();
  return run > 0 && failed == 0 ? 0 : 1;
}
