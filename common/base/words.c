/* Finds words in texts, tolerant of misspelling. */
#include "common/base/words.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/nearest.h"

/* A letter or digit in lower case; 0 for what stands between words. */
static char letter(char c)
{
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80)
    return c;
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : '\0';
}

/* Where the next word of a text begins; at its NUL when there is none. */
static const char *word_start(const char *s)
{
  while (*s != '\0' && letter(*s) == '\0')
    s++;
  return s;
}

/* The word that begins here in lower case; a longer one is cut. Returns where it ends. */
static const char *read_word(const char *s, char out[WORDS_WORD_SIZE])
{
  size_t n = 0;
  for (char c; (c = letter(*s)) != '\0'; s++) {
    if (n + 1 < WORDS_WORD_SIZE)
      out[n++] = c;
  }
  out[n] = '\0';
  return s;
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
  while (out->n < WORDS_MAX && *(text = word_start(text)) != '\0') {
    text = read_word(text, word);
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
  /* No edit is taken of the first letter: most words of a text are passed over by it. */
  for (text = word_start(text); best > 0 && *text != '\0'; text = word_start(text)) {
    if (letter(*text) != asked[0]) {
      while (letter(*text) != '\0')
        text++;
      continue;
    }
    text = read_word(text, word);
    unsigned distance = word_distance(asked, word);
    best = distance < best ? distance : best;
  }
  return best;
}
