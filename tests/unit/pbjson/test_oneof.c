/* Messages in a oneof, read and set by the name of the member. */
#include "common/pbjson/oneof.h"

#include "kitchen.pb-c.h"
#include "tests/unit/harness.h"

static Kitchen__Choices choices(void)
{
  return (Kitchen__Choices)KITCHEN__CHOICES__INIT;
}

static void only_the_member_that_is_set_is_found(void)
{
  Kitchen__Choices c = choices();
  Kitchen__Scalars leaf = KITCHEN__SCALARS__INIT;
  CU_ASSERT_PTR_NULL(oneof_get(&c.base, "d_message"));
  c.dish_case = KITCHEN__CHOICES__DISH_D_MESSAGE;
  c.d_message = &leaf;
  CU_ASSERT_PTR_EQUAL(oneof_get(&c.base, "d_message"), &leaf.base);
  c.dish_case = KITCHEN__CHOICES__DISH_D_INT32;
  c.d_int32 = 7;
  CU_ASSERT_PTR_NULL(oneof_get(&c.base, "d_message"));
}

static void setting_a_member_replaces_the_one_before(void)
{
  Kitchen__Choices c = choices();
  Kitchen__Scalars leaf = KITCHEN__SCALARS__INIT;
  c.dish_case = KITCHEN__CHOICES__DISH_D_INT32;
  c.d_int32 = 7;
  CU_ASSERT_TRUE(oneof_set(&c.base, "d_message", &leaf.base));
  CU_ASSERT_EQUAL(c.dish_case, KITCHEN__CHOICES__DISH_D_MESSAGE);
  CU_ASSERT_PTR_EQUAL(c.d_message, &leaf);
}

static void what_is_not_a_message_in_a_oneof_is_refused(void)
{
  Kitchen__Choices c = choices();
  Kitchen__Scalars leaf = KITCHEN__SCALARS__INIT;
  Kitchen__Choices other = choices();
  static const char *const names[] = {"d_int32", "salt", "no_such_member", ""};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    CU_ASSERT_FALSE(oneof_set(&c.base, names[i], &leaf.base));
    CU_ASSERT_PTR_NULL(oneof_get(&c.base, names[i]));
  }
  CU_ASSERT_FALSE(oneof_set(&c.base, "d_message", &other.base)); /* of another type */
  CU_ASSERT_EQUAL(c.dish_case, KITCHEN__CHOICES__DISH__NOT_SET);
}

TEST_MAIN("pbjson/oneof", TEST(only_the_member_that_is_set_is_found),
          TEST(setting_a_member_replaces_the_one_before),
          TEST(what_is_not_a_message_in_a_oneof_is_refused))
