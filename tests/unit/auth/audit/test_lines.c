/* Lines of the audit log: texts of any kind, keys that hand over to another, and what verifying
 * says of files. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/audit/stage.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------- what is written */

static void texts_of_any_kind_stay_one_line_within_the_cap(void)
{
  char controls[AUDIT_TEXT_MAX + 1], quotes[AUDIT_TEXT_MAX + 1], wide[AUDIT_TEXT_MAX + 1];
  stage();
  memset(controls, 0x01, sizeof(controls));
  memset(quotes, '"', sizeof(quotes));
  for (size_t i = 0; i < AUDIT_TEXT_MAX; i += 2)
    memcpy(wide + i, "\xc2\x9b", 2); /* a terminal's command, in one character */
  controls[AUDIT_TEXT_MAX] = quotes[AUDIT_TEXT_MAX] = wide[AUDIT_TEXT_MAX] = '\0';
  const char *const texts[] = {controls, quotes, wide};
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    const char *t = texts[i];
    const struct audit_event event = {.event = t,
                                      .result = t,
                                      .reason = t,
                                      .subject = t,
                                      .role = t,
                                      .account = t,
                                      .dealer = t,
                                      .purpose = t,
                                      .peer = t,
                                      .trace_id = t,
                                      .detail = t};
    struct err e = {0};
    CU_ASSERT_EQUAL(audit_write(a, &event, &e), ERR_OK);
  }
  audit_close(a);
  const char *line = slurp(path);
  for (; *line != '\0'; line = strchr(line, '\n') + 1)
    CU_ASSERT_TRUE(strchr(line, '\n') - line < AUDIT_LINE_MAX);
  for (const char *p = slurp(path); *p != '\0'; p++)
    CU_ASSERT_TRUE((unsigned char)*p >= 0x20 || *p == '\n');
  strike();
}

static void commands_for_terminals_and_turned_text_are_escaped(void)
{
  static const char *const raw[] = {"\x1b[2J",      "\xc2\x9b",     "\x7f", "\xe2\x80\xae",
                                    "\xe2\x81\xa6", "\xe2\x80\xa8", "\r"};
  static const char *const shown[] = {"\\u001b[2J", "\\u009b", "\\u007f", "\\u202e",
                                      "\\u2066",    "\\u2028", "\\u000d"};
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  for (size_t i = 0; i < ARRAY_LEN(raw); i++)
    CU_ASSERT_EQUAL(put(a, raw[i]), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "J\xc3\xbcrgen \xe6\x9d\x8e \xf0\x9f\x9a\x97"), ERR_OK);
  audit_close(a);
  for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
    CU_ASSERT_PTR_NULL(strstr(slurp(path), raw[i]));
    expect_in(path, shown[i]);
  }
  expect_in(path, "J\xc3\xbcrgen \xe6\x9d\x8e \xf0\x9f\x9a\x97");
  expect_faults(0, 0, "");
  strike();
}

/* Who wants to pass for somebody else gets an id that begins the same. */
static void long_and_broken_subjects_can_be_told_apart(void)
{
  char long_one[5000], long_two[5000];
  const char *first, *second;
  stage();
  memset(long_one, 'x', sizeof(long_one));
  long_one[sizeof(long_one) - 1] = '\0';
  memcpy(long_two, long_one, sizeof(long_two));
  long_two[sizeof(long_two) - 2] = 'y';
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, long_one), ERR_OK);
  CU_ASSERT_EQUAL(put(a, long_two), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "\xff\xfe"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "\xff\xfd"), ERR_OK);
  audit_close(a);
  const char *text = slurp(path);
  first = strstr(text, "x...#");
  second = first != NULL ? strstr(first + 1, "x...#") : NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(second);
  CU_ASSERT_NOT_EQUAL(memcmp(first, second, 21), 0);
  first = strstr(text, "(not UTF-8)#");
  second = first != NULL ? strstr(first + 1, "(not UTF-8)#") : NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(second);
  CU_ASSERT_NOT_EQUAL(memcmp(first, second, 28), 0);
  expect_faults(0, 0, "");
  strike();
}

/* ------------------------------------------------------------------- changes of key */

/* Appends a line as somebody would who has this key, and what the log looked like. */
static void forge(const struct keyring *keys, size_t i, const struct audit_event *event)
{
  AUTO_BUF struct buf line = BUF_INIT(AUDIT_LINE_MAX);
  struct audit_chain last, next;
  struct audit_key key;
  CU_ASSERT_EQUAL(audit_head_read(&last, path), AUDIT_HEAD_GOOD);
  audit_key_of(&key, keys, i);
  CU_ASSERT_TRUE(audit_line_make(&line, &next, &last, event, clock_unix_ms(), &key));
  append_text(buf_str(&line));
  unlink(head);
}

static void only_the_key_in_use_hands_over_to_another(void)
{
  static const struct audit_event plain = {.event = "authenticate", .result = "ok"};
  static const struct audit_event change = {
      .event = "key_changed", .result = "ok", .old_key = "b", .new_key = "a"};
  stage();
  AUTO_KEYRING struct keyring *both = ring_of(KEY_B KEY_A), *b = ring_of(KEY_B);
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(audit_set_keyring(a, both, NULL), ERR_OK);
  CU_ASSERT_EQUAL(audit_set_keyring(a, b, NULL), ERR_OK); /* the same first key: no line */
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  CU_ASSERT_EQUAL(audit_seq(a), 3);
  audit_close(a);
  keyring_unref(ring);
  ring = keyring_ref(both);
  expect_faults(0, 0, "");
  AUTO_FREE char *good = xstrdup(slurp(path)), *good_head = xstrdup(slurp(head));
  forge(both, 1, &plain); /* with the old key, which got out */
  expect_faults(1, 4, "is made with key \"a\" where \"b\" is due");
  folder_write(dir, "audit.log", good);
  folder_write(dir, "audit.log.head", good_head);
  forge(both, 1, &change); /* a change that the old key claims */
  expect_faults(1, 4, "goes back to an older key");
  folder_write(dir, "audit.log", good);
  folder_write(dir, "audit.log.head", good_head);
  forge(both, 0, &change); /* the key in use may go back */
  expect_faults(0, 0, "");
  strike();
}

static void a_key_that_is_gone_at_the_start_is_replaced_by_the_new_ones_word(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  audit_close(a);
  keyring_unref(ring);
  ring = ring_of(KEY_B);
  a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  expect_in(path, "\"old_key\":\"a\",\"new_key\":\"b\",\"key\":\"b\"");
  keyring_unref(ring);
  ring = ring_of(KEY_B KEY_A);
  expect_faults(0, 0, "");
  keyring_unref(ring);
  ring = ring_of(KEY_A KEY_B); /* by its place, b would be the older one */
  expect_faults(1, 2, "goes back to an older key");
  strike();
}

/* ------------------------------------------------------------------------- verify */

static void verify_names_files_that_are_empty_missing_or_anothers(void)
{
  const char *file;
  struct found f;
  struct audit_findings findings;
  stage();
  folder_write(dir, "audit.log", "");
  expect_faults(1, 1, "the file is empty");
  unlink(path);
  file = path;
  struct err e = verify_files(&file, 1, ring, &f, &findings);
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "name the files of one log, oldest first"));
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  AUTO_KEYRING struct keyring *other = ring_of(FALSE_A);
  verify_files(&file, 1, other, &f, &findings);
  CU_ASSERT_EQUAL(f.n, 2);
  CU_ASSERT_TRUE(findings.good[0] == 0 && findings.bad[0] == 2);
  CU_ASSERT_EQUAL(truncate(path, 0), 0); /* emptied, but the head knows */
  verify_files(&file, 1, ring, &f, &findings);
  CU_ASSERT_EQUAL(f.n, 2);
  strike();
}

/* Lines of a version that knew fewer fields, and lines of this one behind them. */
static void lines_of_an_older_version_are_checked_and_gone_on_with(void)
{
  static const char old[] =
      "{\"audit\":1,\"seq\":1,\"time\":\"2026-11-01T00:00:00.000Z\",\"event\":\"start\",\"result\":"
      "\"ok\",\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\","
      "\"hash\":"
      "\"5dc628c5b2edd62e73425224b6f9e588745f3ffddfbb8031bdd3bcc5db36f9f8\"}\n"
      "{\"audit\":1,\"seq\":2,\"time\":\"2026-11-01T00:00:01.000Z\",\"event\":\"get_access_token\","
      "\"result\":\"denied\",\"reason\":\"unknown_dealer\",\"subject\":\"ann\",\"role\":\"dealer\","
      "\"purpose\":\"direct\",\"peer\":\"report-svc\",\"prev\":"
      "\"5dc628c5b2edd62e73425224b6f9e588745f3ffddfbb8031bdd3bcc5db36f9f8\",\"hash\":"
      "\"a459dc5c250cf83ff6f527e7e0a3af8e139418413c5bc0206c4339dff8827ac4\"}\n";
  const struct audit_event event = {.event = "get_access_token",
                                    .result = "denied",
                                    .purpose = "direct",
                                    .requested = "dealer_ref=d99"};
  stage();
  keyring_unref(ring);
  ring = NULL;
  folder_write(dir, "audit.log", old);
  expect_faults(0, 0, "");
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(audit_write(a, &event, NULL), ERR_OK);
  CU_ASSERT_EQUAL(audit_seq(a), 4); /* the second says that there was no .head */
  audit_close(a);
  expect_in(path, "\"purpose\":\"direct\",\"requested\":\"dealer_ref=d99\"");
  expect_faults(0, 0, "");
  strike();
}

TEST_MAIN("auth audit lines", TEST(texts_of_any_kind_stay_one_line_within_the_cap),
          TEST(commands_for_terminals_and_turned_text_are_escaped),
          TEST(long_and_broken_subjects_can_be_told_apart),
          TEST(only_the_key_in_use_hands_over_to_another),
          TEST(a_key_that_is_gone_at_the_start_is_replaced_by_the_new_ones_word),
          TEST(verify_names_files_that_are_empty_missing_or_anothers),
          TEST(lines_of_an_older_version_are_checked_and_gone_on_with))
