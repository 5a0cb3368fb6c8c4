/* Finds dealers by words. */
#include "auth-svc/grant/search.h"

#include <ctype.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"

static bool is_letter(char c)
{
  return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The next word of a text in lower case; false at its end. A longer word is cut. */
static bool next_word(const char **text, char out[SEARCH_WORD_SIZE])
{
  const char *s = *text;
  size_t n = 0;
  while (*s != '\0' && !is_letter(*s))
    s++;
  for (; is_letter(*s); s++) {
    if (n + 1 < SEARCH_WORD_SIZE)
      out[n++] = (char)tolower((unsigned char)*s);
  }
  out[n] = '\0';
  *text = s;
  return n > 0;
}

static bool is_filler(const char *word)
{
  static const char *const fillers[] = {"the", "of",  "and",    "at",        "in",
                                        "my",  "our", "dealer", "dealership"};
  for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
    if (strcmp(word, fillers[i]) == 0)
      return true;
  }
  return false;
}

void search_read(struct search *out, const char *text)
{
  char word[SEARCH_WORD_SIZE];
  *out = (struct search){0};
  while (out->n < SEARCH_WORDS_MAX && next_word(&text, word)) {
    if (!is_filler(word))
      memcpy(out->words[out->n++], word, sizeof(word));
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
    return SEARCH_FAR;
  /* nearest_distance() calls a part near; a part of a word is another word here. */
  if (ascii_case_find(word, asked) != NULL || ascii_case_find(asked, word) != NULL) {
    size_t a = strlen(asked), b = strlen(word), edits = a > b ? a - b : b - a;
    return edits <= most ? (unsigned)edits : SEARCH_FAR;
  }
  unsigned distance = nearest_distance(asked, word);
  return distance <= most ? distance : SEARCH_FAR;
}

/* The closest word of a text. */
static unsigned text_distance(const char *asked, const char *text)
{
  unsigned best = SEARCH_FAR;
  char word[SEARCH_WORD_SIZE];
  while (best > 0 && next_word(&text, word)) {
    unsigned distance = word_distance(asked, word);
    best = distance < best ? distance : best;
  }
  return best;
}

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

/* In what names the dealer itself. */
static unsigned name_distance(const char *asked, const struct dealer *d)
{
  return least(text_distance(asked, d->name), text_distance(asked, d->city));
}

static unsigned other_distance(const char *asked, const struct dealer *d)
{
  unsigned best = least(text_distance(asked, d->dealer_id), text_distance(asked, d->account_id));
  best = least(best, least(text_distance(asked, d->state), text_distance(asked, d->region)));
  best = least(best, text_distance(asked, d->owner));
  for (size_t i = 0; i < d->n_groups && best > 0; i++)
    best = least(best, text_distance(asked, d->groups[i]));
  for (size_t i = 0; i < d->n_property_ids && best > 0; i++)
    best = least(best, text_distance(asked, d->property_ids[i]));
  return best;
}

/* *named counts the words that stand in the name or the city. */
static unsigned distance(const struct search *search, const struct dealer *d, size_t *named)
{
  unsigned sum = 0;
  *named = 0;
  for (size_t i = 0; i < search->n; i++) {
    unsigned by_name = name_distance(search->words[i], d);
    unsigned best = by_name > 0 ? least(by_name, other_distance(search->words[i], d)) : 0;
    if (best == SEARCH_FAR)
      return SEARCH_FAR;
    *named += by_name == best;
    sum += best;
  }
  return search->n > 0 ? sum : SEARCH_FAR;
}

unsigned search_dealer(const struct search *search, const struct dealer *dealer)
{
  size_t named;
  return distance(search, dealer, &named);
}

static const struct dealer *seen(const struct scope *s, const struct dealer *d)
{
  return scope_sees(s, d) ? d : NULL;
}

/* The dealer of an account, a property or exactly this name. */
static const struct dealer *exact(const struct scope *s, const char *text)
{
  const char *digits = strncmp(text, "properties/", 11) == 0 ? text + 11 : text;
  const struct dealer *d = seen(s, directory_by_account(s->directory, text)), *named = NULL;
  if (d == NULL)
    d = seen(s, directory_by_property(s->directory, digits));
  size_t found = 0;
  for (size_t i = 0; d == NULL && i < s->directory->n_dealers; i++) {
    const struct dealer *other = &s->directory->dealers[i];
    if (!scope_sees(s, other) || !ascii_case_equal(other->name, text))
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
static bool is_whole_name(const struct dealer *d, const struct search *search)
{
  struct search name;
  size_t asked = 0;
  search_read(&name, d->name);
  for (size_t i = 0; i < search->n; i++)
    asked += text_distance(search->words[i], d->name) < SEARCH_FAR;
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
  struct search search;
  struct fits fits = {0};
  const struct dealer *only = exact(s, text);
  *n = 0;
  if (only != NULL)
    return only;
  search_read(&search, text);
  for (size_t i = 0; i < s->directory->n_dealers; i++) {
    size_t named;
    const struct dealer *d = &s->directory->dealers[i];
    unsigned edits = scope_sees(s, d) ? distance(&search, d, &named) : SEARCH_FAR;
    if (edits == SEARCH_FAR || named == 0)
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
