/* Lists of key=value in settings. */
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/otlp/pairs.h"
#include "tests/unit/harness.h"

static void lists_are_read_with_spaces_and_percent_signs(void)
{
  struct otlp_pairs p;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(
      otlp_pairs_read(&p, "S", OTLP_HEADERS, "api-key=s3cr%65t%2C%3D, x = a b ,,empty=", &e),
      ERR_OK);
  CU_ASSERT_EQUAL(p.n, 3);
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "api-key"), "s3cret,=");
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "x"), "a b");
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "empty"), "");
  CU_ASSERT_PTR_NULL(otlp_pairs_get(&p, "API-KEY"));
  otlp_pairs_set(&p, "x", "other");
  otlp_pairs_set(&p, "y", "new");
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "x"), "other");
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "y"), "new");
  otlp_pairs_free(&p);
  CU_ASSERT_EQUAL(otlp_pairs_read(&p, "S", OTLP_ATTRIBUTES, NULL, &e), ERR_OK);
  CU_ASSERT_EQUAL(p.n, 0);
  CU_ASSERT_EQUAL(otlp_pairs_read(&p, "S", OTLP_ATTRIBUTES, "a=1=2,b=Z%C3%BCrich", &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "a"), "1=2");
  CU_ASSERT_STRING_EQUAL(otlp_pairs_get(&p, "b"), "Z\xc3\xbcrich");
  otlp_pairs_free(&p);
}

static void malformed_lists_are_refused_by_the_number_of_the_entry(void)
{
  static const char *const bad[] = {
      "ok=1,secret",       "ok=1,=secret",          "ok=1,a=secret%",    "ok=1,a=secret%4",
      "ok=1,a=secret%zz",  "ok=1,a=secret%0d%0aX:", "ok=1,a b=secret",   "ok=1,a:=secret",
      "ok=1,a=secret%00x", "ok=1,a=secret\xff",     "ok=1,a=secret%c3x",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct otlp_pairs p;
    struct err e = {0};
    CU_ASSERT_EQUAL(otlp_pairs_read(&p, "OTEL_X", OTLP_HEADERS, bad[i], &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(p.n, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "OTEL_X: entry 2:"));
    CU_ASSERT_PTR_NULL(strstr(e.message, "secret"));
  }
}

static void lists_have_caps(void)
{
  struct otlp_pairs p;
  struct err e = {0};
  AUTO_BUF struct buf text = BUF_INIT(20000);
  for (int i = 0; i < OTLP_PAIRS_MAX; i++)
    buf_printf(&text, "k%d=%d,", i, i);
  CU_ASSERT_EQUAL(otlp_pairs_read(&p, "S", OTLP_ATTRIBUTES, buf_str(&text), &e), ERR_OK);
  CU_ASSERT_EQUAL(p.n, OTLP_PAIRS_MAX);
  for (int i = OTLP_PAIRS_MAX; i < OTLP_PAIRS_ROOM + 2; i++) { /* the program's own */
    char key[16];
    snprintf(key, sizeof(key), "k%d", i);
    otlp_pairs_set(&p, key, "x");
  }
  CU_ASSERT_EQUAL(p.n, OTLP_PAIRS_ROOM);
  otlp_pairs_free(&p);
  buf_puts(&text, "one=more");
  CU_ASSERT_EQUAL(otlp_pairs_read(&p, "S", OTLP_ATTRIBUTES, buf_str(&text), &e),
                  ERR_INVALID_ARGUMENT);
  buf_clear(&text);
  buf_puts(&text, "a=");
  while (text.len <= OTLP_PAIRS_TEXT)
    buf_putc(&text, 'x');
  CU_ASSERT_EQUAL(otlp_pairs_read(&p, "S", OTLP_ATTRIBUTES, buf_str(&text), &e),
                  ERR_INVALID_ARGUMENT);
}

TEST_MAIN("otlp_pairs", TEST(lists_are_read_with_spaces_and_percent_signs),
          TEST(malformed_lists_are_refused_by_the_number_of_the_entry), TEST(lists_have_caps))
