/* Finds dealers by words: over what the caller may see, tolerant of misspelling. Pure. */
#ifndef AMCP_AUTH_SEARCH_H
#define AMCP_AUTH_SEARCH_H

#include "auth-svc/grant/scope.h"
#include "common/base/words.h"

/* The words of a text that say which dealer is meant: without "the", "of", "dealer" and the like.
 */
void search_read(struct words *out, const char *text);

/* How many edits it takes until every word stands, in any order, among those of the dealer: id,
 * account, name, city, state, region, owner, groups and property ids, as words_distance() counts.
 * WORDS_FAR when a word is not there, or when there are no words. */
unsigned search_dealer(const struct words *search, const struct dealer *dealer);

/* The dealer that a text names: an account id, a property id, the exact name, or words of which at
 * least one stands in its name or city, when they fit only one dealer that the caller may see. Of
 * several that fit, the one whose whole name was given, or that fits without an edit, is taken when
 * there is one such. NULL when none or several fit; *n then says how many, and `list` holds the
 * first of them (at most max). */
const struct dealer *search_one(const struct scope *s, const char *text, const struct dealer **list,
                                size_t max, size_t *n);

#endif
