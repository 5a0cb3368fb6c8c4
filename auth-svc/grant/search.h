/* Finds dealers by words: over what the caller may see, tolerant of misspelling. Pure. */
#ifndef AMCP_AUTH_SEARCH_H
#define AMCP_AUTH_SEARCH_H

#include "auth-svc/grant/scope.h"

enum { SEARCH_FAR = 1000, SEARCH_WORDS_MAX = 8, SEARCH_WORD_SIZE = 40 };

/* What is looked for: its words in lower case without "the", "of", "and" and the like. */
struct search {
  char words[SEARCH_WORDS_MAX][SEARCH_WORD_SIZE];
  size_t n;
};

/* Splits a text into words at whatever is neither a letter nor a digit; bytes beyond ASCII count as
 * letters. What is more than 8 words is dropped. */
void search_read(struct search *out, const char *text);

/* How many edits it takes until every word stands, in any order, among those of the dealer: id,
 * account, name, city, state, region, owner, groups and property ids. A word with digits or
 * fewer than 5 letters must be exact; up to 8 letters one edit is taken, beyond that two, but never
 * of the first letter: Milton is not Hilton. SEARCH_FAR when a word is not there, or when there are
 * no words. */
unsigned search_dealer(const struct search *search, const struct dealer *dealer);

/* The dealer that a text names: an account id, a property id, the exact name, or words of which at
 * least one stands in its name or city, when they fit only one dealer that the caller may see. Of
 * several that fit, the one whose whole name was given, or that fits without an edit, is taken when
 * there is one such. NULL when none or several fit; *n then says how many, and `list` holds the
 * first of them (at most max). */
const struct dealer *search_one(const struct scope *s, const char *text, const struct dealer **list,
                                size_t max, size_t *n);

#endif
