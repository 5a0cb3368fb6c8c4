#include "tests/unit/harness.h"
static void x(void)
{
  CU_ASSERT_TRUE(1);
}
TEST_MAIN("x", TEST(x))
