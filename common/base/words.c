/* Finds words in texts, tolerant of misspelling. */
#include "common/base/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/nearest.h"

static bool is_letter(char c)
{
  return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The next word of a text in lower case; false at its end. A longer word is cut. */
static bool next_word(const char **text, char out[WORDS_WORD_SIZE])
{
  const char *s = *text;
  size_t n = 0;
  while (*s != '\0' && !is_letter(*s))
    s++;
  for (; is_letter(*s); s++) {
    if (n + 1 < WORDS_WORD_SIZE)
      out[n++] = (char)tolower((unsigned char)*s);
  }
  out[n] = '\0';
  *text = s;
  return n > 0;
}

static bool is_among(const char *word, const char *const *words)
{
  while (words != NULL && *words != NULL && strcmp(*words, word) != 0)
    words++;
  return words != NULL && *words != NULL;
}

void words_read(struct words *out, const char *text, const char *const *fillers)
{
  char word[WORDS_WORD_SIZE];
  *out = (struct words){0};
  while (out->n < WORDS_MAX && next_word(&text, word)) {
    if (!is_among(word, fillers))
      memcpy(out->word[out->n++], word, sizeof(word));
  }
}

/* Edits that a word may be away; words with digits are ids and years. */
static unsigned most_edits(const char *word)
{
  size_t len = strlen(word);
  if (len < 5 || strpbrk(word, "0123456789") != NULL)
    return 0;
  return len <= 8 ? 1 : 2;
}

static unsigned word_distance(const char *asked, const char *word)
{
  if (strcmp(asked, word) == 0)
    return 0;
  unsigned most = most_edits(asked);
  if (most == 0 || asked[0] != word[0] || strpbrk(word, "0123456789") != NULL)
    return WORDS_FAR;
  /* nearest_distance() calls a part near; a part of a word is another word here. */
  if (ascii_case_find(word, asked) != NULL || ascii_case_find(asked, word) != NULL) {
    size_t a = strlen(asked), b = strlen(word), edits = a > b ? a - b : b - a;
    return edits <= most ? (unsigned)edits : WORDS_FAR;
  }
  unsigned distance = nearest_distance(asked, word);
  return distance <= most ? distance : WORDS_FAR;
}

unsigned words_distance(const char *asked, const char *text)
{
  unsigned best = WORDS_FAR;
  char word[WORDS_WORD_SIZE];
  while (best > 0 && next_word(&text, word)) {
    unsigned distance = word_distance(asked, word);
    best = distance < best ? distance : best;
  }
  return best;
}
