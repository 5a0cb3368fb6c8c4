/* Shortest decimal forms of doubles and floats; strict parsers of numbers in strings. */
#include "common/pbjson/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool put_special(struct buf *out, double value)
{
  if (isnan(value))
    return buf_puts(out, "\"NaN\"");
  return buf_puts(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

/* Few digits suffice for most values; subnormals have fewer than the usual 15, so the
 * search for them starts at one. */
bool number_put_double(struct buf *out, double value)
{
  if (!isfinite(value))
    return put_special(out, value);
  /* Most are counts. */
  if (fabs(value) < 1e15 && value == trunc(value) && !(value == 0 && signbit(value)))
    return buf_put_whole(out, value < 0, (uint64_t)fabs(value));
  char text[40];
  for (int digits = fpclassify(value) == FP_SUBNORMAL ? 1 : 15; digits <= 17; digits++) {
    snprintf(text, sizeof(text), "%.*g", digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  return buf_puts(out, text);
}

bool number_put_float(struct buf *out, float value)
{
  if (!isfinite(value))
    return put_special(out, (double)value);
  char text[40];
  for (int digits = fpclassify(value) == FP_SUBNORMAL ? 1 : 6; digits <= 9; digits++) {
    snprintf(text, sizeof(text), "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value)
      break;
  }
  return buf_puts(out, text);
}

bool number_parse_whole(struct number_whole *out, const char *s)
{
  *out = (struct number_whole){0};
  if (*s == '-') {
    out->negative = true;
    s++;
  }
  if (!isdigit((unsigned char)*s) || (*s == '0' && s[1] != '\0'))
    return false;
  for (; isdigit((unsigned char)*s); s++) {
    uint64_t digit = (uint64_t)(*s - '0');
    if (out->magnitude > (UINT64_MAX - digit) / 10)
      return false;
    out->magnitude = out->magnitude * 10 + digit;
  }
  return *s == '\0';
}

static const char *skip_digits(const char *s)
{
  while (isdigit((unsigned char)*s))
    s++;
  return s;
}

/* Where a JSON number that starts at s ends; NULL when there is none (RFC 8259 §6). */
static const char *number_end(const char *s)
{
  if (*s == '-')
    s++;
  if (!isdigit((unsigned char)*s))
    return NULL;
  s = *s == '0' ? s + 1 : skip_digits(s);
  if (*s == '.') {
    if (!isdigit((unsigned char)s[1]))
      return NULL;
    s = skip_digits(s + 1);
  }
  if (*s == 'e' || *s == 'E') {
    s++;
    if (*s == '+' || *s == '-')
      s++;
    if (!isdigit((unsigned char)*s))
      return NULL;
    s = skip_digits(s);
  }
  return s;
}

bool number_parse_double(double *out, const char *s)
{
  const char *end = number_end(s);
  if (end == NULL || *end != '\0')
    return false;
  *out = strtod(s, NULL);
  return isfinite(*out);
}
