/* Finds words in texts, tolerant of misspelling. Pure. */
#ifndef AMCP_BASE_WORDS_H
#define AMCP_BASE_WORDS_H

#include <stddef.h>

enum { WORDS_FAR = 1000, WORDS_MAX = 8, WORDS_WORD_SIZE = 40 };

/* What is looked for: words in lower case. */
struct words {
  char word[WORDS_MAX][WORDS_WORD_SIZE];
  size_t n;
};

/* Splits a text into words at whatever is neither a letter nor a digit; bytes beyond ASCII count as
 * letters. What is more than 8 words is dropped, and so are the fillers, a list that NULL ends;
 * NULL for none. */
void words_read(struct words *out, const char *text, const char *const *fillers);

/* How many edits it takes until a word of words_read() stands among those of a text. A word with
 * digits or fewer than 5 letters must be exact; up to 8 letters one edit is taken, beyond that two,
 * but never of the first letter: Milton is not Hilton. WORDS_FAR when it is not there. */
unsigned words_distance(const char *word, const char *text);

#endif
