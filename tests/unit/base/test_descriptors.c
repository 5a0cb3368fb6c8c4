/* Room for connections below RLIMIT_NOFILE. */
#include <sys/resource.h>

#include "common/base/descriptors.h"
#include "tests/unit/harness.h"

static void set(rlim_t soft, rlim_t hard)
{
  struct rlimit limit = {soft, hard};
  CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static rlim_t soft_limit(void)
{
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

/* The hard limit can only fall: one test after the other. */
static void the_limit_is_raised_as_far_as_needed_and_allowed(void)
{
  struct rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  CU_ASSERT_FATAL(before.rlim_max >= 1000);
  set(300, 1000);
  CU_ASSERT_EQUAL(descriptors_reserve(40, "SETTING"), 40); /* fits as it is */
  CU_ASSERT_EQUAL(soft_limit(), 300);
  CU_ASSERT_EQUAL(descriptors_reserve(500, "SETTING"), 500);
  CU_ASSERT_EQUAL(soft_limit(), 500 + DESCRIPTORS_OTHERS);
  CU_ASSERT_EQUAL(descriptors_reserve(5000, "SETTING"), 1000 - DESCRIPTORS_OTHERS);
  CU_ASSERT_EQUAL(soft_limit(), 1000);
  set(100, 100);
  CU_ASSERT_EQUAL(descriptors_reserve(50, "SETTING"), 1);
}

TEST_MAIN("base descriptors", TEST(the_limit_is_raised_as_far_as_needed_and_allowed))
