/* Numbers and lists in sentences. */
#include "aggregate-svc/disclosure/disclosure.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static void expect_signed(double change, const char *text)
{
  AUTO_BUF struct buf b = BUF_INIT(100);
  text_put_signed(&b, change);
  CU_ASSERT_STRING_EQUAL(buf_str(&b), text);
}

static void a_change_that_rounds_to_nothing_has_no_sign(void)
{
  expect_signed(-0.4, "0");
  expect_signed(0.4, "0");
  expect_signed(-0.0, "0");
  expect_signed(0, "0");
}

static void a_change_is_whole_and_signed(void)
{
  expect_signed(17.2, "+17");
  expect_signed(-16.6, "-17");
  expect_signed(0.5, "+1");
  expect_signed(-0.5, "-1");
  expect_signed(12345.6, "+12346");
}

static void expect_count(int64_t n, const char *text)
{
  AUTO_BUF struct buf b = BUF_INIT(100);
  text_put_count(&b, n);
  CU_ASSERT_STRING_EQUAL(buf_str(&b), text);
}

static void counts_are_grouped_by_thousands(void)
{
  expect_count(0, "0");
  expect_count(999, "999");
  expect_count(12400, "12,400");
  expect_count(-1234567, "-1,234,567");
  expect_count(-123, "-123");
}

static void every_reason_to_withhold_has_words(void)
{
  for (int code = DISCLOSURE_MIN_CONTRIBUTORS; code <= DISCLOSURE_BUDGET; code++) {
    const char *name = disclosure_code_name((enum disclosure_code)code);
    if (name[0] != '\0' && code != DISCLOSURE_NOT_VISIBLE)
      CU_ASSERT_PTR_NOT_EQUAL(text_withheld(name), name);
  }
  CU_ASSERT_STRING_EQUAL(text_withheld("other"), "other");
  CU_ASSERT_STRING_EQUAL(text_withheld_before("dominance"), text_withheld("dominance"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text_withheld_before("not_in_lattice"), "ask for whole weeks"));
}

static void too_few_dealers_are_counted_beside_those_it_takes(void)
{
  static const struct {
    size_t have;
    const char *text;
  } all[] = {{0, "nothing can be tested with 0 dealers; at least 5 are needed"},
             {1, "nothing can be tested with 1 dealer; at least 5 are needed"},
             {4, "nothing can be tested with 4 dealers; at least 5 are needed"}};
  for (size_t i = 0; i < ARRAY_LEN(all); i++) {
    AUTO_BUF struct buf b = BUF_INIT(100);
    text_put_few_dealers(&b, all[i].have, 5);
    CU_ASSERT_STRING_EQUAL(buf_str(&b), all[i].text);
  }
}

TEST_MAIN("aggregate words", TEST(too_few_dealers_are_counted_beside_those_it_takes),
          TEST(a_change_that_rounds_to_nothing_has_no_sign), TEST(a_change_is_whole_and_signed),
          TEST(counts_are_grouped_by_thousands), TEST(every_reason_to_withhold_has_words))
