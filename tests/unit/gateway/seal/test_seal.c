/* Keys from a file that changes, and texts sealed with them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "gateway/seal/token.h"
#include "tests/unit/harness.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_C "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static struct ring *parse(const char *text)
{
  struct ring *r = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(ring_parse(&r, "KEYS", text, strlen(text), &e), ERR_OK);
  return r;
}

static void seal(struct ring *r, const char *use, const char *facts, char *out)
{
  AUTO_BUF struct buf text = BUF_INIT(TOKEN_TEXT_MAX);
  uint8_t salt[TOKEN_SALT_BYTES];
  CU_ASSERT_TRUE(token_seal(r, use, facts, strlen(facts), salt, &text));
  snprintf(out, TOKEN_TEXT_MAX + 1, "%s", buf_str(&text));
}

static bool opens(struct ring *r, const char *use, const char *text, const char *facts)
{
  char back[TOKEN_FACTS_MAX] = "";
  uint8_t salt[TOKEN_SALT_BYTES];
  return token_open(r, use, text, back, strlen(facts), salt) &&
         memcmp(back, facts, strlen(facts)) == 0;
}

static void sealed_text_opens_with_its_key_its_use_and_its_length_only(void)
{
  struct ring *r = parse("a: " KEY_A), *other = parse(KEY_C);
  char text[TOKEN_TEXT_MAX + 1];
  seal(r, "one", "facts", text);
  CU_ASSERT_TRUE(opens(r, "one", text, "facts"));
  CU_ASSERT_FALSE(opens(r, "two", text, "facts"));
  CU_ASSERT_FALSE(opens(r, "one", text, "fact"));
  CU_ASSERT_FALSE(opens(other, "one", text, "facts"));
  CU_ASSERT_PTR_NULL(strstr(text, "facts"));
  ring_free(r);
  ring_free(other);
}

static void equal_facts_give_different_texts(void)
{
  struct ring *r = parse(KEY_A);
  char one[TOKEN_TEXT_MAX + 1], two[TOKEN_TEXT_MAX + 1];
  seal(r, "u", "facts", one);
  seal(r, "u", "facts", two);
  CU_ASSERT_STRING_NOT_EQUAL(one, two);
  ring_free(r);
}

static void text_in_another_spelling_does_not_open(void)
{
  struct ring *r = parse(KEY_A);
  static const char alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";
  char text[TOKEN_TEXT_MAX + 1], other[TOKEN_TEXT_MAX + 8];
  seal(r, "u", "four", text); /* 41 bytes: the last character has bits to spare */
  snprintf(other, sizeof(other), "%s=", text);
  CU_ASSERT_FALSE(opens(r, "u", other, "four"));
  size_t last = strlen(text) - 1, n = 0;
  snprintf(other, sizeof(other), "%s", text);
  for (size_t i = 0; alphabet[i] != '\0'; i++) {
    other[last] = alphabet[i];
    n += opens(r, "u", other, "four");
  }
  CU_ASSERT_EQUAL(n, 1);
  ring_free(r);
}

static void first_key_seals_and_every_key_opens(void)
{
  struct ring *before = parse("a: " KEY_A "\n"),
              *after = parse("# changed today\nb: " KEY_B "\r\n\n a: " KEY_A);
  char old[TOKEN_TEXT_MAX + 1], new[TOKEN_TEXT_MAX + 1];
  CU_ASSERT_EQUAL(ring_size(after), 2);
  seal(before, "u", "facts", old);
  seal(after, "u", "facts", new);
  CU_ASSERT_TRUE(opens(after, "u", old, "facts"));
  CU_ASSERT_FALSE(opens(before, "u", new, "facts"));
  ring_free(before);
  ring_free(after);
}

static void malformed_files_are_refused_by_line_and_without_the_key(void)
{
  static const struct {
    const char *text, *says;
  } bad[] = {{"", "holds no key"},
             {"# only a comment\n", "holds no key"},
             {"a: " KEY_A "\nb: abcd", "line 2"},
             {"a: " KEY_A "\nb: " KEY_A, "duplicate"},
             {"not a key at all", "32 bytes"}};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct ring *r = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(ring_parse(&r, "KEYS", bad[i].text, strlen(bad[i].text), &e),
                    ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(r);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, bad[i].says));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "KEYS"));
    CU_ASSERT_PTR_NULL(strstr(e.message, "abcd"));
  }
}

static void seventeen_keys_are_too_many(void)
{
  AUTO_BUF struct buf text = BUF_INIT(4096);
  struct ring *r = NULL;
  struct err e = {0};
  for (int i = 0; i < 17; i++)
    buf_printf(&text, "%064x\n", i);
  CU_ASSERT_EQUAL(ring_parse(&r, "KEYS", buf_str(&text), text.len, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "line 17"));
}

static void write_file(const char *path, const char *text)
{
  char temporary[64];
  snprintf(temporary, sizeof(temporary), "%s.new", path);
  FILE *f = fopen(temporary, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
  chmod(temporary, 0600);
  CU_ASSERT_EQUAL(rename(temporary, path), 0);
}

static void changed_file_is_read_again_and_a_bad_one_changes_nothing(void)
{
  char dir[] = "/tmp/amcp-ring-XXXXXX", path[64], text[TOKEN_TEXT_MAX + 1];
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  snprintf(path, sizeof(path), "%s/keys", dir);
  write_file(path, "a: " KEY_A);
  struct ring *r = NULL, *b = parse(KEY_B);
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(ring_new(&r, "KEYS", path, &e), ERR_OK);
  write_file(path, "b: " KEY_B "\na: " KEY_A);
  ring_refresh(r);
  CU_ASSERT_EQUAL(ring_size(r), 2);
  seal(r, "u", "facts", text);
  CU_ASSERT_TRUE(opens(b, "u", text, "facts"));
  write_file(path, "b: nonsense");
  ring_refresh(r);
  CU_ASSERT_EQUAL(ring_size(r), 2);
  unlink(path);
  ring_refresh(r);
  CU_ASSERT_TRUE(opens(r, "u", text, "facts"));
  rmdir(dir);
  ring_free(r);
  ring_free(b);
}

static void file_that_is_missing_stops_the_start_and_none_gives_a_random_key(void)
{
  struct ring *r = NULL, *other = NULL;
  struct err e = {0};
  char text[TOKEN_TEXT_MAX + 1];
  CU_ASSERT_EQUAL(ring_new(&r, "KEYS", "/nonexistent/keys", &e), ERR_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "KEYS: cannot open /nonexistent/keys"));
  CU_ASSERT_EQUAL_FATAL(ring_new(&r, "KEYS", NULL, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(ring_new(&other, "KEYS", NULL, &e), ERR_OK);
  seal(r, "u", "facts", text);
  CU_ASSERT_TRUE(opens(r, "u", text, "facts"));
  CU_ASSERT_FALSE(opens(other, "u", text, "facts"));
  ring_free(r);
  ring_free(other);
}

TEST_MAIN("gateway_seal", TEST(sealed_text_opens_with_its_key_its_use_and_its_length_only),
          TEST(equal_facts_give_different_texts), TEST(text_in_another_spelling_does_not_open),
          TEST(first_key_seals_and_every_key_opens),
          TEST(malformed_files_are_refused_by_line_and_without_the_key),
          TEST(seventeen_keys_are_too_many),
          TEST(changed_file_is_read_again_and_a_bad_one_changes_nothing),
          TEST(file_that_is_missing_stops_the_start_and_none_gives_a_random_key))
