/* Errors. */
#include "common/base/error.h"

#include <string.h>

#include "common/base/codec.h"
#include "tests/unit/harness.h"

static void set_fills_code_reason_and_message(void)
{
  struct err e = {0};
  CU_ASSERT_EQUAL(err_set(&e, ERR_NOT_FOUND, "unknown_dealer", "no dealer \"%s\"", "d99"),
                  ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(e.reason, "unknown_dealer");
  CU_ASSERT_STRING_EQUAL(e.message, "no dealer \"d99\"");
  CU_ASSERT_EQUAL(err_set(NULL, ERR_INTERNAL, NULL, "x"), ERR_INTERNAL);
}

static void a_message_may_be_built_from_itself(void)
{
  struct err e = {0};
  err_set(&e, ERR_UNAVAILABLE, "timeout", "no answer");
  err_set(&e, e.code, e.reason, "%s: %s", "report-svc", e.message);
  CU_ASSERT_STRING_EQUAL(e.message, "report-svc: no answer");
  CU_ASSERT_STRING_EQUAL(e.reason, "timeout");
  err_prefix(&e, "%s; ", "first");
  CU_ASSERT_STRING_EQUAL(e.message, "first; report-svc: no answer");
}

static void details_go_with_the_error_they_were_set_for(void)
{
  unsigned char large[ERR_DETAILS_MAX + 1] = {0};
  struct err e = {0};
  err_set(&e, ERR_INVALID_ARGUMENT, "several", "one");
  err_set_details(&e, "a\0b", 3);
  err_prefix(&e, "x: ");
  CU_ASSERT_EQUAL(err_reword(&e, "%s, two", e.message), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "x: one, two");
  CU_ASSERT_STRING_EQUAL(e.reason, "several");
  CU_ASSERT_EQUAL_FATAL(e.details_len, 3);
  CU_ASSERT_EQUAL(memcmp(e.details, "a\0b", 3), 0);
  err_set_details(&e, large, sizeof(large));
  CU_ASSERT_EQUAL(e.details_len, 0);
  err_set_details(&e, large, ERR_DETAILS_MAX);
  CU_ASSERT_EQUAL(e.details_len, ERR_DETAILS_MAX);
  err_set(&e, ERR_INTERNAL, NULL, "another");
  CU_ASSERT_EQUAL(e.details_len, 0);
}

static void a_long_message_is_cut_at_a_character(void)
{
  char text[2000];
  for (size_t shift = 0; shift < 4; shift++) {
    memset(text, 'x', shift);
    for (size_t i = shift; i + 3 < sizeof(text); i += 3)
      memcpy(text + i, "\xe2\x82\xac", 4);
    struct err e = {0};
    err_set(&e, ERR_UNKNOWN, NULL, "%s", text);
    CU_ASSERT_TRUE(utf8_valid(e.message, strlen(e.message)));
    CU_ASSERT_TRUE(strlen(e.message) > sizeof(e.message) - 5);
  }
}

static void codes_have_the_names_of_grpc(void)
{
  CU_ASSERT_STRING_EQUAL(err_code_name(ERR_OK), "OK");
  CU_ASSERT_STRING_EQUAL(err_code_name(ERR_UNAUTHENTICATED), "UNAUTHENTICATED");
  CU_ASSERT_STRING_EQUAL(err_code_name((enum err_code)99), "UNKNOWN");
}

TEST_MAIN("base/error", TEST(set_fills_code_reason_and_message),
          TEST(a_message_may_be_built_from_itself),
          TEST(details_go_with_the_error_they_were_set_for),
          TEST(a_long_message_is_cut_at_a_character), TEST(codes_have_the_names_of_grpc))
