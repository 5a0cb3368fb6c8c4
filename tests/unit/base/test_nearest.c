/* Closest matches, against the plain table of edits. */
#include "common/base/nearest.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/unit/harness.h"

enum { WORD = 24, WORDS = 20000 };

static void distances_of_known_pairs(void)
{
  static const struct {
    const char *asked, *candidate;
    unsigned distance;
  } cases[] = {{"d99", "D99", 0},
               {"northgate", "Northgate Ford", 1},
               {"dealer_northgate", "northgate", 1},
               {"d90", "d09", 1},
               {"kitten", "sitting", 3},
               {"banana", "West", NEAREST_FAR},
               {"", "West", NEAREST_FAR},
               {"West", "", NEAREST_FAR},
               {"ab", "xaby", NEAREST_FAR}}; /* two bytes are too few to be contained */
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_EQUAL(nearest_distance(cases[i].asked, cases[i].candidate), cases[i].distance);
}

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

/* Optimal string alignment over the whole table. */
static unsigned table_of_edits(const char *a, const char *b)
{
  unsigned d[WORD + 1][WORD + 1];
  size_t n = strlen(a), m = strlen(b);
  for (size_t i = 0; i <= n; i++)
    for (size_t j = 0; j <= m; j++) {
      if (i == 0 || j == 0) {
        d[i][j] = (unsigned)(i + j);
        continue;
      }
      d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                      d[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[n][m];
}

static void random_word(char out[WORD + 1])
{
  size_t n = 1 + random_below(WORD);
  for (size_t i = 0; i < n; i++)
    out[i] = (char)('a' + random_below(3));
  out[n] = '\0';
}

/* A few edits of another word, so that close pairs are among them. */
static void changed_word(char out[WORD + 1], const char *of)
{
  size_t n = strlen(of);
  memcpy(out, of, n + 1);
  for (uint64_t k = random_below(6); k > 0; k--) {
    size_t at = random_below(n);
    char kept = out[at];
    if (random_below(2) == 0 || at + 1 == n) {
      out[at] = (char)('a' + random_below(3));
    } else {
      out[at] = out[at + 1];
      out[at + 1] = kept;
    }
  }
}

static void distances_agree_with_the_table_of_edits(void)
{
  size_t near = 0;
  for (int i = 0; i < WORDS; i++) {
    char a[WORD + 1], b[WORD + 1];
    random_word(a);
    if (random_below(2) == 0)
      random_word(b);
    else
      changed_word(b, a);
    unsigned edits = table_of_edits(a, b), most = least(((unsigned)strlen(a) + 1) / 2, 8);
    bool contained =
        (strlen(a) >= 3 && strstr(b, a) != NULL) || (strlen(b) >= 3 && strstr(a, b) != NULL);
    unsigned expected = strcmp(a, b) == 0 ? 0 : contained ? 1 : edits <= most ? edits : NEAREST_FAR;
    CU_ASSERT_EQUAL(nearest_distance(a, b), expected);
    unsigned limit = (unsigned)random_below(9);
    CU_ASSERT_EQUAL(nearest_within(a, b, limit),
                    expected > limit && !contained ? NEAREST_FAR : expected);
    near += expected < NEAREST_FAR ? 1 : 0;
  }
  CU_ASSERT_TRUE(near > WORDS / 4 && near < WORDS); /* both kinds were tried */
}

static void the_best_three_are_kept_in_order(void)
{
  struct nearest best = {0};
  static const unsigned d[] = {5, 2, NEAREST_FAR, 2, 1, 9};
  for (size_t i = 0; i < ARRAY_LEN(d); i++)
    nearest_offer(&best, i, d[i]);
  CU_ASSERT_EQUAL_FATAL(best.n, NEAREST_MAX);
  CU_ASSERT_EQUAL(best.item[0], 4);
  CU_ASSERT_EQUAL(best.item[1], 1);
  CU_ASSERT_EQUAL(best.item[2], 3);
}

static void what_is_still_wanted_would_come_among_the_best(void)
{
  struct nearest best = {0};
  CU_ASSERT_EQUAL(nearest_wanted(&best), 8);
  for (unsigned i = 0; i < NEAREST_MAX; i++)
    nearest_offer(&best, i, 4);
  CU_ASSERT_EQUAL(nearest_wanted(&best), 3);
  nearest_offer(&best, 7, nearest_wanted(&best));
  CU_ASSERT_EQUAL(best.item[0], 7);
  for (unsigned i = 0; i < NEAREST_MAX; i++)
    nearest_offer(&best, i, 0);
  CU_ASSERT_EQUAL(nearest_wanted(&best), 0);
}

TEST_MAIN("base/nearest", TEST(distances_of_known_pairs),
          TEST(distances_agree_with_the_table_of_edits), TEST(the_best_three_are_kept_in_order),
          TEST(what_is_still_wanted_would_come_among_the_best))
