/* Numbers, names and lists in sentences for people. */
#include "aggregate-svc/words/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

void text_put_clipped(struct buf *b, const char *s, size_t max)
{
  buf_append(b, s, text_clip(s, max));
}

void text_put_separator(struct buf *b, size_t i, size_t n)
{
  if (i > 0)
    buf_puts(b, i + 1 == n ? " and " : ", ");
}

void text_put_count(struct buf *b, int64_t n)
{
  char digits[24];
  int len = snprintf(digits, sizeof(digits), "%" PRId64, n);
  for (int i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
      buf_putc(b, ',');
    buf_putc(b, digits[i]);
  }
}

void text_put_signed(struct buf *b, double change)
{
  double whole = round(change);
  if (whole == 0) /* -0.0, too */
    buf_putc(b, '0');
  else
    buf_printf(b, "%+.0f", whole);
}

const char *text_s(size_t n)
{
  return n == 1 ? "" : "s";
}

void text_put_few_dealers(struct buf *b, size_t have, size_t least)
{
  buf_printf(b, "nothing can be tested with %zu dealer%s; at least %zu are needed", have,
             text_s(have), least);
}

const char *text_ordinal(int32_t n)
{
  if (n % 100 >= 11 && n % 100 <= 13)
    return "th";
  return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

const char *text_withheld(const char *code)
{
  static const struct {
    const char *code, *words;
  } all[] = {
      {"min_contributors", "too few other dealers to hide a single one"},
      {"min_owners", "the other dealers have too few owners"},
      {"dominance", "one or two of the others make up too much of it"},
      {"p_percent", "one of the others could be worked out from it"},
      {"min_volume", "the others have too few events"},
      {"peer_counts", "the others' counts are not shown"},
      {"not_in_lattice", "it is given for whole weeks or months that are finished"},
      {"not_ready", "another dealer has not answered yet"},
      {"cohort_changed", "the dealers of the cohort have changed"},
      {"budget", "today's share of new figures is used up"},
  };
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
    if (strcmp(all[i].code, code) == 0)
      return all[i].words;
  return code;
}

const char *text_withheld_before(const char *code)
{
  return strcmp(code, "not_in_lattice") == 0 ? "the period before is not one of whole weeks or "
                                               "months, as one of the same length before "
                                               "a month seldom is; ask for whole weeks, Monday to "
                                               "Sunday, or compare_trends by month"
                                             : text_withheld(code);
}
