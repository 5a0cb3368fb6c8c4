/* tracestate as the W3C recommendation reads it. */
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/trace/context.h"
#include "tests/unit/harness.h"

static bool read_state(char out[TRACE_STATE_MAX + 1], const char *s)
{
  return trace_state_read(out, s, strlen(s));
}

static void well_formed_states_are_normalised(void)
{
  static const struct {
    const char *in, *out;
  } vectors[] = {
      {"", ""},
      {"a=1", "a=1"},
      {"a=1,b=2", "a=1,b=2"},
      {" a=1\t, \tb=2 ", "a=1,b=2"},
      {"a=1,,b=2,", "a=1,b=2"}, /* empty members are allowed, and not sent on */
      {",", ""},
      {"0vendor=x", "0vendor=x"},
      {"fw529a3039@dt=FfD4", "fw529a3039@dt=FfD4"},
      {"a_-*/z=!~ ;:\"x", "a_-*/z=!~ ;:\"x"},
      {"a= 1", "a= 1"}, /* a value may begin with a space */
      {"a=1;b", "a=1;b"},
  };
  for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
    char out[TRACE_STATE_MAX + 1];
    CU_ASSERT_TRUE(read_state(out, vectors[i].in));
    CU_ASSERT_STRING_EQUAL(out, vectors[i].out);
  }
}

static void malformed_states_are_dropped_whole(void)
{
  static const char *const bad[] = {
      "a",          "a=",         "=1",    "A=1",      "a=1,B=2", "a=1,a=2", /* a duplicate key */
      "a =1",       "_a=1",       "@a=1",  "a=1=2",    "a=\x7f",  "a=\x01",
      "a=\xc3\xa9", "\xc3\xa9=1", "a.b=1", "a=1\nb=2",
  };
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    char out[TRACE_STATE_MAX + 1] = "x";
    CU_ASSERT_FALSE(read_state(out, bad[i]));
    CU_ASSERT_STRING_EQUAL(out, "");
  }
}

/* "k0=<value>,k1=<value>,..." */
static void put_members(struct buf *out, size_t n, size_t value_len)
{
  for (size_t i = 0; i < n; i++) {
    buf_printf(out, "%sk%zu=", i > 0 ? "," : "", i);
    for (size_t k = 0; k < value_len; k++)
      buf_putc(out, 'v');
  }
}

static void more_than_32_members_are_malformed(void)
{
  AUTO_BUF struct buf fits = BUF_INIT(4096), more = BUF_INIT(4096);
  char out[TRACE_STATE_MAX + 1];
  put_members(&fits, 32, 1);
  put_members(&more, 33, 1);
  CU_ASSERT_TRUE(read_state(out, buf_str(&fits)));
  CU_ASSERT_STRING_EQUAL(out, buf_str(&fits));
  CU_ASSERT_FALSE(read_state(out, buf_str(&more)));
}

static void keys_and_values_have_256_bytes_at_most(void)
{
  AUTO_BUF struct buf value = BUF_INIT(4096);
  char out[TRACE_STATE_MAX + 1];
  put_members(&value, 1, 256);
  CU_ASSERT_TRUE(read_state(out, buf_str(&value)));
  CU_ASSERT_STRING_EQUAL(out, buf_str(&value));
  buf_putc(&value, 'v');
  CU_ASSERT_FALSE(read_state(out, buf_str(&value)));
  buf_clear(&value);
  for (int i = 0; i < 257; i++)
    buf_putc(&value, 'k');
  buf_puts(&value, "=1");
  CU_ASSERT_FALSE(read_state(out, buf_str(&value)));
  CU_ASSERT_TRUE(trace_state_read(out, buf_str(&value) + 1, value.len - 1));
}

static void a_long_state_loses_long_members_first_and_then_the_last(void)
{
  AUTO_BUF struct buf s = BUF_INIT(4096), expected = BUF_INIT(4096);
  char out[TRACE_STATE_MAX + 1];
  /* 200 + 6 * 100 bytes: the long one goes, and of the others the last. */
  buf_puts(&s, "long=");
  for (int i = 0; i < 195; i++)
    buf_putc(&s, 'x');
  buf_putc(&s, ',');
  put_members(&s, 6, 97);
  put_members(&expected, 5, 97);
  CU_ASSERT_TRUE(read_state(out, buf_str(&s)));
  CU_ASSERT_STRING_EQUAL(out, buf_str(&expected));
  CU_ASSERT_TRUE(strlen(out) <= TRACE_STATE_MAX);
}

static void a_state_is_looked_at_up_to_4096_bytes(void)
{
  AUTO_BUF struct buf s = BUF_INIT(8192);
  char out[TRACE_STATE_MAX + 1];
  buf_puts(&s, "a=1");
  while (s.len < TRACE_STATE_READ)
    buf_putc(&s, ' ');
  CU_ASSERT_TRUE(read_state(out, buf_str(&s)));
  CU_ASSERT_STRING_EQUAL(out, "a=1");
  buf_putc(&s, ' ');
  CU_ASSERT_FALSE(read_state(out, buf_str(&s)));
}

TEST_MAIN("trace_state", TEST(well_formed_states_are_normalised),
          TEST(malformed_states_are_dropped_whole), TEST(more_than_32_members_are_malformed),
          TEST(keys_and_values_have_256_bytes_at_most),
          TEST(a_long_state_loses_long_members_first_and_then_the_last),
          TEST(a_state_is_looked_at_up_to_4096_bytes))
