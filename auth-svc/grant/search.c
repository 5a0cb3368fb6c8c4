/* Finds dealers by words. */
#include "auth-svc/grant/search.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

/* Words that say nothing about which dealer is meant. */
static const char *const fillers[] = {"the", "of",  "and",    "at",         "in",
                                      "my",  "our", "dealer", "dealership", NULL};

void search_read(struct words *out, const char *text)
{
  words_read(out, text, fillers);
}

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

/* In what names the dealer itself. */
static unsigned name_distance(const char *asked, const struct dealer *d)
{
  return least(words_distance(asked, d->name), words_distance(asked, d->city));
}

static unsigned other_distance(const char *asked, const struct dealer *d)
{
  unsigned best = least(words_distance(asked, d->dealer_id), words_distance(asked, d->account_id));
  best = least(best, least(words_distance(asked, d->state), words_distance(asked, d->region)));
  best = least(best, words_distance(asked, d->owner));
  for (size_t i = 0; i < d->n_groups && best > 0; i++)
    best = least(best, words_distance(asked, d->groups[i]));
  for (size_t i = 0; i < d->n_property_ids && best > 0; i++)
    best = least(best, words_distance(asked, d->property_ids[i]));
  return best;
}

/* *named counts the words that stand in the name or the city. */
static unsigned distance(const struct words *search, const struct dealer *d, size_t *named)
{
  unsigned sum = 0;
  *named = 0;
  for (size_t i = 0; i < search->n; i++) {
    unsigned by_name = name_distance(search->word[i], d);
    unsigned best = by_name > 0 ? least(by_name, other_distance(search->word[i], d)) : 0;
    if (best == WORDS_FAR)
      return WORDS_FAR;
    *named += by_name == best;
    sum += best;
  }
  return search->n > 0 ? sum : WORDS_FAR;
}

unsigned search_dealer(const struct words *search, const struct dealer *dealer)
{
  size_t named;
  return distance(search, dealer, &named);
}

static const struct dealer *seen(const struct scope *s, const struct dealer *d)
{
  return scope_sees(s, d) ? d : NULL;
}

/* The dealer of an account, a property or exactly this name or id, in any letter case where one
 * alone has it. */
static const struct dealer *exact(const struct scope *s, const char *text)
{
  const char *digits = strncmp(text, "properties/", 11) == 0 ? text + 11 : text;
  const struct dealer *d = seen(s, directory_by_account(s->directory, text)), *named = NULL;
  if (d == NULL)
    d = seen(s, directory_by_property(s->directory, digits));
  size_t found = 0;
  for (size_t i = 0; d == NULL && i < s->directory->n_dealers; i++) {
    const struct dealer *other = &s->directory->dealers[i];
    bool same = ascii_case_equal(other->name, text) || ascii_case_equal(other->dealer_id, text);
    if (!same || !scope_sees(s, other))
      continue;
    named = other;
    found++;
  }
  return found == 1 ? named : d;
}

/* Dealers that fit so far, and the last of each kind. */
struct fits {
  size_t all, whole, precise;
  const struct dealer *last, *last_whole, *last_precise;
};

/* Whether the words that stand in the name and the city are all of the name's. */
static bool is_whole_name(const struct dealer *d, const struct words *search)
{
  struct words name;
  size_t asked = 0;
  search_read(&name, d->name);
  for (size_t i = 0; i < search->n; i++)
    asked += words_distance(search->word[i], d->name) < WORDS_FAR;
  return asked == name.n;
}

static void add_fit(struct fits *f, const struct dealer *d, bool whole, bool precise)
{
  f->all++;
  f->whole += whole;
  f->precise += precise;
  f->last = d;
  f->last_whole = whole ? d : f->last_whole;
  f->last_precise = precise ? d : f->last_precise;
}

const struct dealer *search_one(const struct scope *s, const char *text, const struct dealer **list,
                                size_t max, size_t *n)
{
  struct words search;
  struct fits fits = {0};
  const struct dealer *only = exact(s, text);
  *n = 0;
  if (only != NULL)
    return only;
  search_read(&search, text);
  for (size_t i = 0; i < s->directory->n_dealers; i++) {
    size_t named;
    const struct dealer *d = &s->directory->dealers[i];
    unsigned edits = scope_sees(s, d) ? distance(&search, d, &named) : WORDS_FAR;
    if (edits == WORDS_FAR || named == 0)
      continue;
    if (fits.all < max)
      list[fits.all] = d;
    add_fit(&fits, d, is_whole_name(d, &search), edits == 0);
  }
  *n = fits.all;
  if (fits.whole == 1)
    return fits.last_whole;
  if (fits.precise == 1)
    return fits.last_precise;
  return fits.all == 1 ? fits.last : NULL;
}
