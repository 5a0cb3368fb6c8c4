/* What was answered is found again, as long as there is room. */
#include <string.h>

#include "ga4-sim/world/answers.h"
#include "tests/unit/harness.h"

enum { ROOM = 64 * 1024 };

static void question_of(int number, struct buf *out)
{
  buf_clear(out);
  buf_printf(out, "SELECT %d", number);
  buf_append(out, "\0x", 2); /* what is bound is part of it */
}

static void keep(struct answers *a, int number, size_t size)
{
  AUTO_BUF struct buf question = BUF_INIT(64), answer = BUF_INIT(ROOM);
  question_of(number, &question);
  while (answer.len < size)
    buf_putc(&answer, (char)('a' + number % 26));
  answers_keep(a, &question, &answer);
}

/* Bytes of the answer, each of which is the number's letter; -1 when it is not known. */
static int known(struct answers *a, int number)
{
  AUTO_BUF struct buf question = BUF_INIT(64), out = BUF_INIT(ROOM);
  question_of(number, &question);
  if (!answers_find(a, &question, &out))
    return -1;
  for (size_t i = 0; i < out.len; i++)
    CU_ASSERT_EQUAL(out.data[i], 'a' + number % 26);
  return (int)out.len;
}

static void an_answer_is_found_by_its_question_alone(void)
{
  struct answers *a = answers_new(ROOM);
  CU_ASSERT_EQUAL(known(a, 1), -1);
  keep(a, 1, 100);
  keep(a, 2, 0);
  CU_ASSERT_EQUAL(known(a, 1), 100);
  CU_ASSERT_EQUAL(known(a, 2), 0);
  CU_ASSERT_EQUAL(known(a, 3), -1);
  keep(a, 1, 50); /* the later one counts */
  CU_ASSERT_EQUAL(known(a, 1), 50);
  answers_free(a);
}

static void what_was_used_least_recently_makes_room(void)
{
  struct answers *a = answers_new(ROOM);
  int gone = 0;
  for (int i = 0; i < 100; i++) {
    keep(a, i, 2000);
    CU_ASSERT_EQUAL(known(a, 0), 2000); /* used all the time */
  }
  for (int i = 1; i < 100; i++)
    gone += known(a, i) < 0;
  CU_ASSERT_TRUE(gone >= 100 - ROOM / 2000 && gone < 90);
  CU_ASSERT_EQUAL(known(a, 99), 2000);
  answers_free(a);
}

static void an_answer_of_a_sixteenth_of_the_room_is_not_kept(void)
{
  struct answers *a = answers_new(ROOM);
  keep(a, 1, ROOM / 16);
  CU_ASSERT_EQUAL(known(a, 1), -1);
  keep(a, 2, ROOM / 32);
  CU_ASSERT_EQUAL(known(a, 2), ROOM / 32);
  answers_free(a);
}

static void an_answer_that_does_not_fit_its_reader_is_not_given(void)
{
  struct answers *a = answers_new(ROOM);
  AUTO_BUF struct buf question = BUF_INIT(64), out = BUF_INIT(10);
  keep(a, 1, 11);
  question_of(1, &question);
  CU_ASSERT_FALSE(answers_find(a, &question, &out));
  CU_ASSERT_EQUAL(out.len, 0);
  answers_free(a);
}

TEST_MAIN("sim answers", TEST(an_answer_is_found_by_its_question_alone),
          TEST(what_was_used_least_recently_makes_room),
          TEST(an_answer_of_a_sixteenth_of_the_room_is_not_kept),
          TEST(an_answer_that_does_not_fit_its_reader_is_not_given))
