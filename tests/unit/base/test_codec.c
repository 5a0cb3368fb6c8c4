/* Encodings. */
#include "common/base/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/backoff.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/unit/harness.h"

static void base64_matches_the_vectors_of_rfc_4648(void)
{
  static const char *const v[][2] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};
  for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
    struct buf b AUTO_BUF = BUF_INIT(64);
    CU_ASSERT_TRUE(base64_encode(&b, v[i][0], strlen(v[i][0])));
    CU_ASSERT_STRING_EQUAL(buf_str(&b), v[i][1]);
    buf_clear(&b);
    CU_ASSERT_TRUE(base64_decode(&b, v[i][1], strlen(v[i][1])));
    CU_ASSERT_STRING_EQUAL(buf_str(&b), v[i][0]);
  }
}

static void base64_of_random_bytes_survives_the_round_trip(void)
{
  for (int round = 0; round < 2000; round++) {
    unsigned char raw[64];
    size_t len = (size_t)random_below(sizeof(raw));
    for (size_t i = 0; i < len; i++)
      raw[i] = (unsigned char)random_below(256);
    struct buf text AUTO_BUF = BUF_INIT(256);
    struct buf back AUTO_BUF = BUF_INIT(256);
    CU_ASSERT_TRUE(round % 2 == 0 ? base64_encode(&text, raw, len)
                                  : base64url_encode(&text, raw, len));
    CU_ASSERT_TRUE(base64_decode(&back, buf_str(&text), text.len));
    CU_ASSERT_EQUAL(back.len, len);
    CU_ASSERT_EQUAL(memcmp(buf_str(&back), raw, len), 0);
  }
}

static void broken_base64_is_refused_and_leaves_nothing(void)
{
  static const char *const bad[] = {"Z", "Zg=", "Zm9v=", "Zm 9v", "Zh==", "====", "Zm9*"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct buf b AUTO_BUF = BUF_INIT(64);
    buf_puts(&b, "x");
    CU_ASSERT_FALSE(base64_decode(&b, bad[i], strlen(bad[i])));
    CU_ASSERT_STRING_EQUAL(buf_str(&b), "x");
  }
}

static void utf8_check_knows_the_edges(void)
{
  static const char *const good[] = {"",
                                     "plain ascii text",
                                     "é",
                                     "\xed\x9f\xbf",
                                     "\xee\x80\x80",
                                     "\xf0\x90\x80\x80",
                                     "\xf4\x8f\xbf\xbf",
                                     "eight by\xc3\xa9"};
  static const char *const bad[] = {
      "\x80",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
      "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
      "\xc3",         "\xe2\x82",         "abcdefgh\xff"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    CU_ASSERT_TRUE(utf8_valid(good[i], strlen(good[i])));
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_FALSE(utf8_valid(bad[i], strlen(bad[i])));
}

static void percent_and_hex_encode(void)
{
  struct buf b AUTO_BUF = BUF_INIT(64);
  CU_ASSERT_TRUE(percent_encode(&b, "a b/é~", 7));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "a%20b%2F%C3%A9~");
  buf_clear(&b);
  CU_ASSERT_TRUE(hex_encode(&b, "\x00\xff\x10", 3));
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "00ff10");
}

static void fixed_hex_has_one_spelling(void)
{
  char text[7];
  unsigned char back[3] = {0};
  hex_write(text, "\x00\xff\x1a", 3);
  CU_ASSERT_STRING_EQUAL(text, "00ff1a");
  CU_ASSERT_TRUE(hex_read(back, 3, text, 6));
  CU_ASSERT_EQUAL(memcmp(back, "\x00\xff\x1a", 3), 0);
  CU_ASSERT_TRUE(hex_read(back, 0, "", 0));
  CU_ASSERT_FALSE(hex_read(back, 3, "00fF1a", 6)); /* another spelling of the same bytes */
  CU_ASSERT_FALSE(hex_read(back, 3, "00Ff1a", 6));
  CU_ASSERT_FALSE(hex_read(back, 3, "00ff1", 5));
  CU_ASSERT_FALSE(hex_read(back, 3, "00ff1a2b", 8));
  CU_ASSERT_FALSE(hex_read(back, 3, "00f\0001a", 6));
  CU_ASSERT_FALSE(hex_read(back, 3, "00ff1g", 6));
}

static void hex_decodes_both_cases_and_nothing_else(void)
{
  struct buf b AUTO_BUF = BUF_INIT(3);
  CU_ASSERT_TRUE(hex_decode(&b, "00fF1a", 6));
  CU_ASSERT_EQUAL(b.len, 3);
  CU_ASSERT_EQUAL(memcmp(b.data, "\x00\xff\x1a", 3), 0);
  CU_ASSERT_FALSE(hex_decode(&b, "00ff10aa", 8)); /* beyond the cap */
  buf_clear(&b);
  CU_ASSERT_FALSE(hex_decode(&b, "00f", 3));
  CU_ASSERT_FALSE(hex_decode(&b, "0g", 2));
  CU_ASSERT_FALSE(hex_decode(&b, " 0", 2));
  CU_ASSERT_EQUAL(b.len, 0);
}

static void letters_compare_without_case(void)
{
  CU_ASSERT_TRUE(ascii_case_equal("West", "wEST"));
  CU_ASSERT_FALSE(ascii_case_equal("West", "Wes"));
  CU_ASSERT_FALSE(ascii_case_equal("Wes", "West"));
  CU_ASSERT_STRING_EQUAL(ascii_case_find("Northgate Ford", "FORD"), "Ford");
  CU_ASSERT_PTR_NULL(ascii_case_find("Ford", "Fordx"));
  CU_ASSERT_STRING_EQUAL(ascii_case_find("x", ""), "x");
}

static void blanks_and_tabs_at_both_ends_are_left_out(void)
{
  static const struct {
    const char *text, *rest;
  } cases[] = {{"", ""},          {" ", ""},      {"\t \t", ""},     {"a", "a"},
               {"  a b ", "a b"}, {"\ta\t", "a"}, {"\na\n", "\na\n"}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    const char *at = cases[i].text;
    size_t len = strlen(at);
    ascii_trim(&at, &len);
    CU_ASSERT_EQUAL(len, strlen(cases[i].rest));
    CU_ASSERT_EQUAL(memcmp(at, cases[i].rest, len), 0);
  }
}

static void whole_numbers_equal_snprintf(void)
{
  static const int64_t numbers[] = {0, 7, -7, 200, 1000000, INT32_MIN, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
    char expected[WHOLE_TEXT], text[WHOLE_TEXT];
    snprintf(expected, sizeof(expected), "%" PRId64, numbers[i]);
    CU_ASSERT_STRING_EQUAL(whole_write(text, numbers[i]), expected);
  }
}

static void copied_texts_are_cut_to_their_place(void)
{
  char out[5] = "xxxx";
  text_copy(out, sizeof(out), "abcdef");
  CU_ASSERT_STRING_EQUAL(out, "abcd");
  text_copy(out, sizeof(out), "ab");
  CU_ASSERT_STRING_EQUAL(out, "ab");
  text_copy(out, 1, "ab");
  CU_ASSERT_STRING_EQUAL(out, "");
}

static void a_text_is_found_as_it_is_written(void)
{
  static const char *const texts[] = {"one", "two", ""};
  CU_ASSERT_EQUAL(text_find(texts, 3, "one"), 0);
  CU_ASSERT_EQUAL(text_find(texts, 3, ""), 2);
  CU_ASSERT_EQUAL(text_find(texts, 2, ""), 2);
  CU_ASSERT_EQUAL(text_find(texts, 3, "Two"), 3);
  CU_ASSERT_TRUE(TEXT_IS_IN(texts, "two"));
  CU_ASSERT_FALSE(TEXT_IS_IN(texts, "tw"));
}

static void ids_are_hexadecimal_and_differ(void)
{
  char a[RANDOM_ID_SIZE], b[RANDOM_ID_SIZE];
  random_id(a);
  random_id(b);
  CU_ASSERT_EQUAL(strspn(a, "0123456789abcdef"), 32);
  CU_ASSERT_EQUAL(strlen(a), 32);
  CU_ASSERT_STRING_NOT_EQUAL(a, b);
}

TEST_MAIN("base/codec", TEST(a_text_is_found_as_it_is_written),
          TEST(ids_are_hexadecimal_and_differ), TEST(whole_numbers_equal_snprintf),
          TEST(copied_texts_are_cut_to_their_place),
          TEST(blanks_and_tabs_at_both_ends_are_left_out),
          TEST(base64_matches_the_vectors_of_rfc_4648),
          TEST(base64_of_random_bytes_survives_the_round_trip),
          TEST(broken_base64_is_refused_and_leaves_nothing), TEST(utf8_check_knows_the_edges),
          TEST(percent_and_hex_encode), TEST(fixed_hex_has_one_spelling),
          TEST(hex_decodes_both_cases_and_nothing_else), TEST(letters_compare_without_case))
