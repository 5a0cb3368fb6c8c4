/* Reads one day or period, first in digits, then in words. */
#include "gateway/arguments/date.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "gateway/arguments/period.h"

enum { WORDS_MAX = 6, WORD_SIZE = 16, DAYS_AGO_MAX = 99999 };

static enum date_kind refuse(struct date_span *out, const char *why)
{
  snprintf(out->why, sizeof(out->why), "%s", why);
  return DATE_NONE;
}

/* One calendar day; false when it does not exist. */
static bool put_day(struct date_span *out, unsigned year, unsigned month, unsigned day)
{
  int64_t days;
  if (year > 9999 || month > 12 || day > 31)
    return false;
  snprintf(out->start, sizeof(out->start), "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
  memcpy(out->end, out->start, sizeof(out->end));
  return clock_parse_date(out->start, &days);
}

static enum date_kind day_or_refuse(struct date_span *out, unsigned year, unsigned month,
                                    unsigned day)
{
  if (put_day(out, year, month, day))
    return DATE_DAY;
  return refuse(out, "no such day in the calendar");
}

/* 05/06/2026 may be 5 June or May 6; 25/10/2026 is 25 October alone. */
static enum date_kind either_order(struct date_span *out, unsigned a, unsigned b, unsigned year)
{
  struct date_span other = {0};
  bool day_first = put_day(&other, year, b, a), month_first = put_day(out, year, a, b);
  if (day_first && month_first && a != b) {
    snprintf(out->why, sizeof(out->why), "it may be %s or %s; give one of these", out->start,
             other.start);
    memcpy(out->other, other.start, sizeof(out->other));
    return DATE_NONE;
  }
  if (!day_first && !month_first)
    return refuse(out, "no such day in the calendar");
  if (day_first)
    *out = other;
  return DATE_DAY;
}

/* Whether a time of the day follows: T00:00:00Z, or a blank and digits. */
static bool is_time(const char *s)
{
  return (*s == 'T' || *s == 't' || *s == ' ') && isdigit((unsigned char)s[1]) &&
         isdigit((unsigned char)s[2]) && s[3] == ':';
}

/* Up to three numbers apart by one of - / . and nothing else; returns how many. */
static int split_numbers(const char *s, unsigned n[3], size_t digits[3], const char **rest)
{
  int count = 0;
  char mark = 0;
  for (;;) {
    digits[count] = strspn(s, "0123456789");
    if (digits[count] == 0 || digits[count] > 8)
      return 0;
    n[count] = (unsigned)strtoul(s, NULL, 10);
    s += digits[count++];
    *rest = s;
    if (count == 3 || *s == '\0' || strchr("-/.", *s) == NULL || (mark != 0 && *s != mark))
      return count;
    mark = *s++;
  }
}

static enum date_kind read_digits(struct date_span *out, const char *text)
{
  unsigned n[3];
  size_t digits[3];
  const char *rest;
  int count = split_numbers(text, n, digits, &rest);
  bool ends = count > 0 && *rest == '\0';
  if (count == 3 && digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2 && (ends || is_time(rest)))
    return day_or_refuse(out, n[0], n[1], n[2]);
  if (count == 3 && digits[0] <= 2 && digits[1] <= 2 && digits[2] == 4 && ends)
    return either_order(out, n[0], n[1], n[2]);
  if (count == 3 && digits[0] <= 2 && digits[1] <= 2 && digits[2] <= 2 && ends)
    return refuse(out, "write the year with four digits, first");
  if (count == 1 && digits[0] == 8 && ends)
    return day_or_refuse(out, n[0] / 10000, n[0] / 100 % 100, n[0] % 100);
  if (count == 2 && digits[0] == 4 && digits[1] <= 2 && ends)
    return period_month(out, n[0], n[1]) ? DATE_PERIOD : refuse(out, "a year has 12 months");
  if (count == 2 && digits[1] == 4 && digits[0] <= 2 && ends)
    return period_month(out, n[1], n[0]) ? DATE_PERIOD : refuse(out, "a year has 12 months");
  if (count == 1 && digits[0] == 4 && ends && period_year(out, n[0]))
    return DATE_PERIOD;
  return DATE_NONE;
}

/* -------------------------------------------------------------------- words */

/* Words of letters and of digits, in lower case; "last7Days" and "28daysAgo" are three. */
struct words {
  char word[WORDS_MAX][WORD_SIZE];
  size_t n;
  bool too_many;
};

static bool starts_word(const char *text, const char *s)
{
  unsigned char c = (unsigned char)*s, before = s == text ? ' ' : (unsigned char)s[-1];
  if (!isalnum(before))
    return true;
  return (isdigit(c) != 0) != (isdigit(before) != 0) || (isupper(c) && islower(before));
}

static struct words split_words(const char *text)
{
  struct words w = {0};
  size_t len = 0;
  for (const char *s = text; *s != '\0'; s++) {
    unsigned char c = (unsigned char)*s;
    if (!isalnum(c)) {
      w.too_many |= c >= 0x80 || strchr(" -_/.,'", c) == NULL;
      continue;
    }
    if (starts_word(text, s)) {
      w.too_many |= w.n == WORDS_MAX;
      w.n += w.n < WORDS_MAX;
      len = 0;
    }
    w.too_many |= len + 1 >= WORD_SIZE;
    if (w.too_many)
      return w;
    w.word[w.n - 1][len++] = (char)tolower(c);
  }
  return w;
}

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp(word, list[i]) == 0)
      return true;
  }
  return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, ARRAY_LEN(list))

/* Drops words that carry nothing: "the", "of", and the endings of 1st, 2nd, 3rd, 4th. */
static void drop_fillers(struct words *w)
{
  static const char *const fillers[] = {"the", "of"};
  static const char *const endings[] = {"st", "nd", "rd", "th"};
  size_t n = 0;
  for (size_t i = 0; i < w->n; i++) {
    bool ending =
        n > 0 && isdigit((unsigned char)w->word[n - 1][0]) && IS_ONE_OF(w->word[i], endings);
    if (IS_ONE_OF(w->word[i], fillers) || ending)
      continue;
    memmove(w->word[n++], w->word[i], WORD_SIZE);
  }
  w->n = n;
}

/* A number of up to 5 digits; 0 when it is none. */
static unsigned number_of(const char *word)
{
  size_t n = strspn(word, "0123456789");
  return word[n] == '\0' && n > 0 && n <= 5 ? (unsigned)strtoul(word, NULL, 10) : 0;
}

/* The same, and words up to twelve. */
static unsigned count_of(const char *word)
{
  static const char *const words[] = {"one",   "two",   "three", "four", "five",   "six",
                                      "seven", "eight", "nine",  "ten",  "eleven", "twelve"};
  for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
    if (strcmp(word, words[i]) == 0)
      return i + 1;
  }
  return number_of(word);
}

static unsigned month_of(const char *word)
{
  static const char *const months[] = {"january",   "february", "march",    "april",
                                       "may",       "june",     "july",     "august",
                                       "september", "october",  "november", "december"};
  for (unsigned i = 0; i < ARRAY_LEN(months); i++) {
    if (strcmp(word, months[i]) == 0 || (strlen(word) == 3 && strncmp(word, months[i], 3) == 0))
      return i + 1;
  }
  return strcmp(word, "sept") == 0 ? 9 : 0;
}

static unsigned year_of(const char *word)
{
  return strlen(word) == 4 ? number_of(word) : 0;
}

static enum date_kind one_word(struct date_span *out, const char *word, int64_t today)
{
  static const struct {
    const char *word;
    enum period_unit unit;
  } to_date[] = {
      {"wtd", PERIOD_WEEK}, {"mtd", PERIOD_MONTH}, {"qtd", PERIOD_QUARTER}, {"ytd", PERIOD_YEAR}};
  if (strcmp(word, "today") == 0 || strcmp(word, "yesterday") == 0) {
    text_copy(out->start, sizeof(out->start), word);
    memcpy(out->end, out->start, sizeof(out->end));
    return DATE_DAY;
  }
  for (size_t i = 0; i < ARRAY_LEN(to_date); i++) {
    if (strcmp(word, to_date[i].word) == 0) {
      period_this(out, to_date[i].unit, today);
      return DATE_RECENT;
    }
  }
  if (month_of(word) != 0)
    return refuse(out, "give the year as well, such as 2026-10");
  return DATE_NONE;
}

/* "28 days ago", "28daysAgo" */
static enum date_kind days_ago(struct date_span *out, const struct words *w)
{
  static const char *const units[] = {"day", "days"};
  bool joined = w->n == 2 && strcmp(w->word[1], "daysago") == 0;
  bool apart = w->n == 3 && IS_ONE_OF(w->word[1], units) && strcmp(w->word[2], "ago") == 0;
  if (!(joined || apart) || strspn(w->word[0], "0123456789") != strlen(w->word[0]) ||
      strlen(w->word[0]) > 5)
    return DATE_NONE;
  char number[WHOLE_TEXT];
  text_copy(out->start, sizeof(out->start), whole_write(number, number_of(w->word[0])));
  size_t len = strlen(out->start);
  text_copy(out->start + len, sizeof(out->start) - len, "daysAgo");
  memcpy(out->end, out->start, sizeof(out->end));
  return DATE_AGO;
}

/* "last month", "past 7 days", "this week", "month to date" */
static enum date_kind recent(struct date_span *out, const struct words *w, int64_t today)
{
  static const char *const before[] = {"last", "past", "previous", "prev"};
  static const char *const now[] = {"this", "current"};
  enum period_unit unit;
  if (w->n == 3 && strcmp(w->word[1], "to") == 0 && strcmp(w->word[2], "date") == 0 &&
      period_unit_of(&unit, w->word[0]) && unit != PERIOD_DAY) {
    period_this(out, unit, today);
    return DATE_RECENT;
  }
  if (w->n < 2 || w->n > 3 || !period_unit_of(&unit, w->word[w->n - 1]))
    return DATE_NONE;
  unsigned count = w->n == 3 ? count_of(w->word[1]) : 1;
  if (w->n == 2 && IS_ONE_OF(w->word[0], now) && unit != PERIOD_DAY) {
    period_this(out, unit, today);
    return DATE_RECENT;
  }
  if (!IS_ONE_OF(w->word[0], before) || count == 0)
    return DATE_NONE;
  if (!period_last(out, unit, count, today))
    return refuse(out, "Google Analytics 4 has data from 2015-08-14 on");
  return DATE_RECENT;
}

/* "Q3 2026", "2026-Q3", "quarter 3 2026", "2026-W40" */
static enum date_kind numbered(struct date_span *out, const struct words *w)
{
  if (w->n != 3)
    return DATE_NONE;
  bool year_first = year_of(w->word[0]) != 0;
  const char *letter = w->word[year_first ? 1 : 0];
  unsigned n = number_of(w->word[year_first ? 2 : 1]), year = year_of(w->word[year_first ? 0 : 2]);
  if (year == 0)
    return DATE_NONE;
  if (strcmp(letter, "q") == 0 || strcmp(letter, "quarter") == 0)
    return period_quarter(out, year, n) ? DATE_PERIOD : refuse(out, "a year has 4 quarters");
  if (strcmp(letter, "w") == 0 || strcmp(letter, "week") == 0)
    return period_week(out, year, n) ? DATE_PERIOD : refuse(out, "no such ISO week");
  return DATE_NONE;
}

/* "October 2026", "2026 October", "October 5, 2026", "5 Oct 2026" */
static enum date_kind named_month(struct date_span *out, const struct words *w)
{
  if (w->n == 2) {
    unsigned month = month_of(w->word[0]) + month_of(w->word[1]);
    unsigned year = month_of(w->word[0]) != 0 ? year_of(w->word[1]) : year_of(w->word[0]);
    return month != 0 && year != 0 && period_month(out, year, month) ? DATE_PERIOD : DATE_NONE;
  }
  if (w->n != 3 || year_of(w->word[2]) == 0)
    return DATE_NONE;
  bool month_first = month_of(w->word[0]) != 0;
  unsigned month = month_of(w->word[month_first ? 0 : 1]);
  unsigned day = number_of(w->word[month_first ? 1 : 0]);
  return month != 0 && day != 0 ? day_or_refuse(out, year_of(w->word[2]), month, day) : DATE_NONE;
}

/* The closest form for a word that was misspelt; a day of the week is none. */
static void suggest(struct date_span *out, const char *text)
{
  static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                         "friday", "saturday", "sunday"};
  static const char *const forms[] = {"today",        "yesterday",    "last week",  "this week",
                                      "last month",   "this month",   "last year",  "this year",
                                      "last quarter", "this quarter", "last 7 days"};
  struct nearest best = {0};
  for (size_t i = 0; i < ARRAY_LEN(weekdays); i++) {
    if (ascii_case_equal(text, weekdays[i])) {
      refuse(out, "give the day itself");
      return;
    }
  }
  for (size_t i = 0; i < ARRAY_LEN(forms); i++)
    nearest_offer(&best, i, nearest_distance(text, forms[i]));
  if (best.n > 0 && best.distance[0] <= 2)
    snprintf(out->why, sizeof(out->why), "did you mean \"%s\"?", forms[best.item[0]]);
}

enum date_kind date_read(struct date_span *out, const char *text, int64_t today)
{
  *out = (struct date_span){0};
  enum date_kind kind = read_digits(out, text);
  if (kind != DATE_NONE || out->why[0] != '\0')
    return kind;
  struct words w = split_words(text);
  if (w.too_many)
    return DATE_NONE;
  drop_fillers(&w);
  kind = w.n == 1 ? one_word(out, w.word[0], today) : days_ago(out, &w);
  if (kind == DATE_NONE)
    kind = recent(out, &w, today);
  if (kind == DATE_NONE && out->why[0] == '\0')
    kind = numbered(out, &w);
  if (kind == DATE_NONE && out->why[0] == '\0')
    kind = named_month(out, &w);
  if (kind == DATE_NONE && out->why[0] == '\0')
    suggest(out, text);
  return kind;
}
