/* Answers that were written are found by all bytes of their message, and by nothing less. */
#include "gateway/answer/kept.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { ROOM = 64 * 1024 };

static const struct answer_notes none;

static struct buf text_buf(const char *text)
{
  struct buf b = BUF_INIT(ROOM);
  buf_puts(&b, text);
  return b;
}

static struct buf key_of(size_t tool, const struct answer_notes *own, const char *message)
{
  struct buf key;
  kept_put_key(&key, &catalog_tools[tool], own, message, strlen(message));
  return key;
}

/* Keeps an answer under a key. */
static void keep(struct kept *k, const struct buf *key, const char *text)
{
  struct buf t = text_buf(text), s = text_buf("{}");
  struct written *w = kept_add(k, key, &t, &s);
  CU_ASSERT_STRING_EQUAL(buf_str(&w->text), text);
  CU_ASSERT_STRING_EQUAL(buf_str(&w->structured), "{}");
  written_unref(w);
}

/* Whether the answer of a message is kept, and is this one. */
static bool has(struct kept *k, size_t tool, const struct answer_notes *own, const char *message,
                const char *text)
{
  AUTO_BUF struct buf key = key_of(tool, own, message);
  struct written *w = kept_find(k, &key);
  bool same = w != NULL && strcmp(buf_str(&w->text), text) == 0;
  written_unref(w);
  return same;
}

static void an_answer_is_found_by_tool_offset_and_message(void)
{
  struct kept *k = kept_new(ROOM);
  const struct answer_notes at_0 = {.has_offset = true}, at_7 = {.has_offset = true, .offset = 7};
  AUTO_BUF struct buf key = key_of(1, &at_0, "message");
  CU_ASSERT_FALSE(has(k, 1, &at_0, "message", "answer"));
  keep(k, &key, "answer");
  CU_ASSERT_TRUE(has(k, 1, &at_0, "message", "answer"));
  CU_ASSERT_FALSE(has(k, 2, &at_0, "message", "answer"));
  CU_ASSERT_FALSE(has(k, 1, &at_7, "message", "answer"));
  CU_ASSERT_FALSE(has(k, 1, &none, "message", "answer"));
  CU_ASSERT_FALSE(has(k, 1, &at_0, "messagf", "answer"));
  CU_ASSERT_FALSE(has(k, 1, &at_0, "messag", "answer"));
  CU_ASSERT_FALSE(has(k, 1, &at_0, "messages", "answer"));
  kept_free(k);
}

static void an_answer_with_notes_of_its_call_is_not_kept(void)
{
  struct kept *k = kept_new(ROOM);
  const char *note = "limit was read as 10";
  const struct answer_notes own = {.text = &note, .n = 1};
  AUTO_BUF struct buf key = key_of(1, &own, "message");
  CU_ASSERT_EQUAL(key.len, 0);
  keep(k, &key, "answer");
  CU_ASSERT_FALSE(has(k, 1, &own, "message", "answer"));
  CU_ASSERT_FALSE(has(k, 1, &none, "message", "answer"));
  kept_free(k);
}

static void a_long_message_and_a_large_answer_are_not_kept(void)
{
  struct kept *k = kept_new(ROOM);
  AUTO_FREE char *message = xcalloc(1, KEPT_MESSAGE_MAX + 2);
  memset(message, 'm', KEPT_MESSAGE_MAX + 1);
  AUTO_BUF struct buf long_key = key_of(1, &none, message), key = key_of(1, &none, "message");
  CU_ASSERT_EQUAL(long_key.len, 0);
  message[ROOM / 16] = '\0';
  keep(k, &key, message);
  CU_ASSERT_FALSE(has(k, 1, &none, "message", message));
  kept_free(k);
}

static void the_one_used_longest_ago_gives_way(void)
{
  enum { MANY = 1000 };
  struct kept *k = kept_new(ROOM);
  char name[16];
  size_t left = 0;
  AUTO_BUF struct buf first = key_of(1, &none, "first");
  keep(k, &first, "answer");
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof(name), "%d", i);
    AUTO_BUF struct buf key = key_of(1, &none, name);
    keep(k, &key, name);
    CU_ASSERT_TRUE(has(k, 1, &none, "first", "answer")); /* used again each time */
  }
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof(name), "%d", i);
    left += has(k, 1, &none, name, name);
  }
  CU_ASSERT_TRUE(left > 0 && left * 100 < ROOM); /* each takes more than 100 bytes */
  snprintf(name, sizeof(name), "%d", MANY - 1);
  CU_ASSERT_TRUE(has(k, 1, &none, name, name));
  kept_free(k);
}

static void *use_all(void *kept)
{
  char name[16];
  for (int i = 0; i < 2000; i++) {
    snprintf(name, sizeof(name), "%d", i % 300);
    AUTO_BUF struct buf key = key_of(1, &none, name);
    struct written *w = kept_find(kept, &key);
    if (w == NULL) {
      struct buf text = text_buf(name), structured = text_buf("{}");
      w = kept_add(kept, &key, &text, &structured);
    }
    CU_ASSERT_STRING_EQUAL(buf_str(&w->text), name);
    written_unref(w);
  }
  return NULL;
}

static void threads_find_their_own_answers(void)
{
  struct kept *k = kept_new(32 * 1024); /* answers go while others read them */
  pthread_t threads[4];
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_create(&threads[i], NULL, use_all, k);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  kept_free(k);
}

TEST_MAIN("gateway/answer/kept", TEST(an_answer_is_found_by_tool_offset_and_message),
          TEST(an_answer_with_notes_of_its_call_is_not_kept),
          TEST(a_long_message_and_a_large_answer_are_not_kept),
          TEST(the_one_used_longest_ago_gives_way), TEST(threads_find_their_own_answers))
