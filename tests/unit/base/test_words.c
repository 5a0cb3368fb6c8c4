/* Words found in texts, against pairs worked out by hand. */
#include "common/base/words.h"

#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

static void text_becomes_words_in_lower_case_without_fillers(void)
{
  static const char *const fillers[] = {"the", NULL};
  struct words w;
  words_read(&w, "  The Ford-of\tReno, NV_89501 \xc3\x89t\xc3\xa9", fillers);
  static const char *const wanted[] = {"ford", "of", "reno", "nv", "89501", "\xc3\x89t\xc3\xa9"};
  CU_ASSERT_EQUAL_FATAL(w.n, ARRAY_LEN(wanted));
  for (size_t i = 0; i < w.n; i++)
    CU_ASSERT_STRING_EQUAL(w.word[i], wanted[i]);
  words_read(&w, "the", NULL);
  CU_ASSERT_EQUAL(w.n, 1);
  words_read(&w, " ,;", NULL);
  CU_ASSERT_EQUAL(w.n, 0);
  words_read(&w, "a b c d e f g h i j", NULL);
  CU_ASSERT_EQUAL(w.n, WORDS_MAX);
}

static void long_words_are_cut_and_stay_words(void)
{
  char text[200];
  struct words w;
  memset(text, 'x', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  words_read(&w, text, NULL);
  CU_ASSERT_EQUAL_FATAL(w.n, 1);
  CU_ASSERT_EQUAL(strlen(w.word[0]), WORDS_WORD_SIZE - 1);
  CU_ASSERT_EQUAL(words_distance(w.word[0], text), 0);
}

static void distances_of_known_pairs(void)
{
  static const struct {
    const char *word, *text;
    unsigned distance;
  } rows[] = {{"landing", "Landing page + query string", 0},
              {"lnading", "landingPage: Landing page", 1},
              {"session", "Sessions", 1},
              {"channel", "sessionDefaultChannelGroup", WORDS_FAR}, /* part of a longer word */
              {"page", "Pages", WORDS_FAR},                         /* too short for an edit */
              {"hilton", "Milton", WORDS_FAR},                      /* never the first letter */
              {"2025", "2026", WORDS_FAR},
              {"engagment", "Engagement rate", 1},
              {"x", "", WORDS_FAR}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    CU_ASSERT_EQUAL(words_distance(rows[i].word, rows[i].text), rows[i].distance);
}

TEST_MAIN("words", TEST(text_becomes_words_in_lower_case_without_fillers),
          TEST(long_words_are_cut_and_stay_words), TEST(distances_of_known_pairs))
