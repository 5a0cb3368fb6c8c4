/* Growing buffers. */
#include "common/base/buf.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "tests/unit/harness.h"

static void append_past_the_cap_fails_and_keeps_the_content(void)
{
  struct buf b AUTO_BUF = BUF_INIT(8);
  CU_ASSERT_TRUE(buf_puts(&b, "12345678"));
  CU_ASSERT_FALSE(buf_putc(&b, '9'));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "12345678");
  CU_ASSERT_TRUE(b.failed);
}

static void a_failed_buffer_stays_failed_until_cleared(void)
{
  struct buf b AUTO_BUF = BUF_INIT(4);
  CU_ASSERT_FALSE(buf_puts(&b, "12345"));
  CU_ASSERT_FALSE(buf_puts(&b, "1"));
  buf_clear(&b);
  CU_ASSERT_TRUE(buf_puts(&b, "1"));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "1");
}

static void growth_keeps_every_byte(void)
{
  struct buf b AUTO_BUF = BUF_INIT(1 << 20);
  for (int i = 0; i < 100000; i++)
    buf_putc(&b, (char)('a' + i % 26));
  CU_ASSERT_EQUAL(b.len, 100000);
  bool same = true;
  for (int i = 0; i < 100000; i++)
    same = same && b.data[i] == 'a' + i % 26;
  CU_ASSERT_TRUE(same);
  CU_ASSERT_EQUAL(b.data[b.len], '\0');
}

static void printf_longer_than_the_stack_buffer_is_whole(void)
{
  struct buf b AUTO_BUF = BUF_INIT(4096);
  char long_text[1001];
  memset(long_text, 'x', 1000);
  long_text[1000] = '\0';
  CU_ASSERT_TRUE(buf_printf(&b, "<%s>", long_text));
  CU_ASSERT_EQUAL(b.len, 1002);
  CU_ASSERT_EQUAL(b.data[1001], '>');
}

/* Whether a format gives what snprintf gives. */
#define SAME_AS_SNPRINTF(...)                                                                      \
  do {                                                                                             \
    char expected[256];                                                                            \
    struct buf b AUTO_BUF = BUF_INIT(300);                                                         \
    int n = snprintf(expected, sizeof(expected), __VA_ARGS__);                                     \
    CU_ASSERT_TRUE(buf_puts(&b, "before ") && buf_printf(&b, __VA_ARGS__));                        \
    CU_ASSERT_STRING_EQUAL(buf_str(&b) + 7, expected);                                             \
    CU_ASSERT_EQUAL(b.len, 7 + (size_t)n);                                                         \
  } while (0)

static void printf_of_texts_and_whole_numbers_equals_snprintf(void)
{
  SAME_AS_SNPRINTF("%s", "");
  SAME_AS_SNPRINTF("no conversion");
  SAME_AS_SNPRINTF("%s%s and %s", "a", "", "b");
  SAME_AS_SNPRINTF("100%% of %.3s, %.0s%.9s|", "abcdef", "gone", "short");
  SAME_AS_SNPRINTF("<%.*s> <%.*s> <%.*s>", 2, "abc", 0, "abc", -1, "abc");
  SAME_AS_SNPRINTF("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
  SAME_AS_SNPRINTF("%u %u", 0U, UINT_MAX);
  SAME_AS_SNPRINTF("%ld %ld %lu", LONG_MAX, LONG_MIN, ULONG_MAX);
  SAME_AS_SNPRINTF("%lld %lld %llu", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
  SAME_AS_SNPRINTF("%zu %zd", SIZE_MAX, (ssize_t)-7);
}

static void printf_of_other_formats_equals_snprintf(void)
{
  SAME_AS_SNPRINTF("%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
  SAME_AS_SNPRINTF("%x %#o %c %.3d", 255U, 8U, 'c', 7);
  SAME_AS_SNPRINTF("%.1f %g %s %.17g", 0.25, 1e100, "between", 0.1);
  SAME_AS_SNPRINTF("%10s|%-10s|%10.2s", "right", "left", "cut");
}

static void printf_that_does_not_fit_leaves_nothing_behind(void)
{
  struct buf b AUTO_BUF = BUF_INIT(10);
  CU_ASSERT_TRUE(buf_puts(&b, "12345"));
  CU_ASSERT_FALSE(buf_printf(&b, "%s%d", "678", 901));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "12345");
  CU_ASSERT_TRUE(b.failed && b.len == 5);
  CU_ASSERT_FALSE(buf_printf(&b, "%s", ""));
}

static void json_string_escapes_what_must_be_escaped(void)
{
  struct buf b AUTO_BUF = BUF_INIT(256);
  const char raw[] = "a\"b\\c\nd\x01é";
  CU_ASSERT_TRUE(buf_put_json_string(&b, raw, sizeof(raw) - 1));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "\"a\\\"b\\\\c\\nd\\u0001é\"");
}

/* Against a plain writer, with characters of every kind at every place of a word of eight bytes. */
static void json_string_equals_a_plain_writer(void)
{
  static const char special[] = "\"\\\n\r\t\b\f\x01\x1f \x7f\xc3\xa9!#[]";
  for (size_t at = 0; at < 24; at++) {
    for (size_t k = 0; k < sizeof(special) - 1; k++) {
      char text[24], expected[64];
      size_t n = 0;
      memset(text, 'a', sizeof(text));
      text[at] = special[k];
      expected[n++] = '"';
      for (size_t i = 0; i < sizeof(text); i++) {
        static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
        const char *found = text[i] != '\0' ? strchr(from, text[i]) : NULL;
        if (found != NULL)
          n += (size_t)snprintf(expected + n, 8, "\\%c", to[found - from]);
        else if ((unsigned char)text[i] < 0x20)
          n += (size_t)snprintf(expected + n, 8, "\\u%04x", text[i]);
        else
          expected[n++] = text[i];
      }
      expected[n++] = '"';
      AUTO_BUF struct buf b = BUF_INIT(1000);
      CU_ASSERT_TRUE(buf_put_json_string(&b, text, sizeof(text)));
      CU_ASSERT_TRUE(b.len == n && memcmp(b.data, expected, n) == 0);
    }
  }
}

static void whole_numbers_are_written_in_full(void)
{
  AUTO_BUF struct buf b = BUF_INIT(100);
  CU_ASSERT_TRUE(buf_put_whole(&b, false, 0) && buf_putc(&b, ' '));
  CU_ASSERT_TRUE(buf_put_whole(&b, true, (uint64_t)1 << 63) && buf_putc(&b, ' '));
  CU_ASSERT_TRUE(buf_put_whole(&b, false, UINT64_MAX));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "0 -9223372036854775808 18446744073709551615");
}

static void json_string_that_does_not_fit_leaves_nothing_behind(void)
{
  struct buf b AUTO_BUF = BUF_INIT(6);
  buf_puts(&b, "[");
  CU_ASSERT_FALSE(buf_put_json_string(&b, "abcdef", 6));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "[");
}

static void expecting_takes_memory_and_never_fails(void)
{
  struct buf b AUTO_BUF = BUF_INIT(100);
  buf_expect(&b, 60);
  CU_ASSERT_TRUE(b.cap >= 60);
  CU_ASSERT_EQUAL(b.len, 0);
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "");
  const char *data = b.data;
  CU_ASSERT_TRUE(buf_puts(&b, "0123456789012345678901234567890123456789"));
  CU_ASSERT_PTR_EQUAL(b.data, data);
  buf_expect(&b, 61);
  buf_expect(&b, SIZE_MAX);
  CU_ASSERT_FALSE(b.failed);
  CU_ASSERT_EQUAL(b.len, 40);
}

static void take_hands_over_the_memory(void)
{
  struct buf b AUTO_BUF = BUF_INIT(64);
  buf_puts(&b, "gone");
  size_t len;
  char *s AUTO_FREE = buf_take(&b, &len);
  CU_ASSERT_EQUAL(len, 4);
  CU_ASSERT_STRING_EQUAL(s, "gone");
  CU_ASSERT_EQUAL(b.len, 0);
  char *empty AUTO_FREE = buf_take(&b, NULL);
  CU_ASSERT_STRING_EQUAL(empty, "");
}

static void secret_buffers_stay_secret_and_keep_every_byte(void)
{
  struct buf b AUTO_BUF = BUF_SECRET(1 << 16);
  for (int i = 0; i < 1000; i++)
    CU_ASSERT_TRUE(buf_printf(&b, "%03d", i));
  CU_ASSERT_EQUAL(b.len, 3000);
  CU_ASSERT_EQUAL(memcmp(b.data + 2997, "999", 4), 0);
  CU_ASSERT_EQUAL(memcmp(b.data, "000001002", 9), 0);
  buf_free(&b);
  CU_ASSERT_TRUE(b.secret && b.data == NULL && b.max == 1 << 16);
  buf_puts(&b, "again");
  char *s AUTO_FREE = buf_take(&b, NULL);
  CU_ASSERT_STRING_EQUAL(s, "again");
  CU_ASSERT_TRUE(b.secret);
}

TEST_MAIN("base/buf", TEST(append_past_the_cap_fails_and_keeps_the_content),
          TEST(a_failed_buffer_stays_failed_until_cleared), TEST(growth_keeps_every_byte),
          TEST(printf_longer_than_the_stack_buffer_is_whole),
          TEST(printf_of_texts_and_whole_numbers_equals_snprintf),
          TEST(printf_of_other_formats_equals_snprintf),
          TEST(printf_that_does_not_fit_leaves_nothing_behind),
          TEST(json_string_escapes_what_must_be_escaped), TEST(json_string_equals_a_plain_writer),
          TEST(whole_numbers_are_written_in_full),
          TEST(json_string_that_does_not_fit_leaves_nothing_behind),
          TEST(expecting_takes_memory_and_never_fails), TEST(take_hands_over_the_memory),
          TEST(secret_buffers_stay_secret_and_keep_every_byte))
