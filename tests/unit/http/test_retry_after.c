/* Retry-After: seconds, dates, nonsense. */
#include "common/http/client.h"
#include "tests/unit/harness.h"

enum { CAP = 300 * 1000 };
/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7 */
static const int64_t example_ms = 784111777 * INT64_C(1000);

static uint32_t read_at(const char *value, int64_t now_ms)
{
  return http_retry_after_ms(value, now_ms, CAP);
}

static void seconds_are_read_and_capped(void)
{
  CU_ASSERT_EQUAL(read_at("0", example_ms), 0);
  CU_ASSERT_EQUAL(read_at("7", example_ms), 7000);
  CU_ASSERT_EQUAL(read_at("120", example_ms), 120000);
  CU_ASSERT_EQUAL(read_at("7, 9", example_ms), 7000); /* repeated header */
  CU_ASSERT_EQUAL(read_at("86400", example_ms), CAP);
  CU_ASSERT_EQUAL(read_at("99999999999999999999999999", example_ms), CAP);
}

static void all_three_forms_of_a_date_are_read(void)
{
  static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    CU_ASSERT_EQUAL(read_at(forms[i], example_ms - 40000), 40000);
    CU_ASSERT_EQUAL(read_at(forms[i], example_ms - 1), 1);
    CU_ASSERT_EQUAL(read_at(forms[i], example_ms), 0);
    CU_ASSERT_EQUAL(read_at(forms[i], example_ms + 3600 * 1000), 0); /* over */
    CU_ASSERT_EQUAL(read_at(forms[i], example_ms - 86400 * INT64_C(1000)), CAP);
  }
}

static void nonsense_asks_for_nothing(void)
{
  static const char *const bad[] = {
      "",      "-5",      "+5",   "1.5", "5x",
      "later", "Sunday",  "0x10", " 5",  "Sun, 99 Nov 1994 99:99:99 GMT",
      "\xff",  "12:00:00"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_EQUAL(read_at(bad[i], example_ms), 0);
  CU_ASSERT_EQUAL(read_at(NULL, example_ms), 0);
}

static void a_date_without_end_is_capped(void)
{
  CU_ASSERT_EQUAL(read_at("Fri, 31 Dec 9999 23:59:59 GMT", example_ms), CAP);
}

TEST_MAIN("http retry after", TEST(seconds_are_read_and_capped),
          TEST(all_three_forms_of_a_date_are_read), TEST(nonsense_asks_for_nothing),
          TEST(a_date_without_end_is_capped))
