/* Decimal text to double: exact short cuts for what GA4 prints, strtod() for the rest. */
#include "report-svc/rows/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIGITS = 19, MAX_SLOW_TEXT = 400 };

/* A number taken apart: value = mantissa / 10^fraction_digits. */
struct decimal {
  uint64_t mantissa;
  unsigned digits; /* in the mantissa, without leading zeros */
  unsigned fraction_digits;
  bool negative;
  bool exponent; /* has one: left to strtod() */
};

static bool is_digit(char c)
{
  return (unsigned char)(c - '0') < 10;
}

static const char *take_digits(struct decimal *d, const char *p, const char *end)
{
  for (; p < end && is_digit(*p); p++) {
    d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
    d->digits += d->digits > 0 || *p != '0';
  }
  return p;
}

static const char *skip_exponent(const char *p, const char *end)
{
  p++;
  if (p < end && (*p == '+' || *p == '-'))
    p++;
  const char *first = p;
  while (p < end && is_digit(*p))
    p++;
  return p > first ? p : NULL;
}

/* Whether the text is a JSON number; takes it apart. */
static bool split(struct decimal *d, const char *p, const char *end)
{
  *d = (struct decimal){0};
  if (p < end && *p == '-') {
    d->negative = true;
    p++;
  }
  const char *whole = p;
  p = take_digits(d, p, end);
  if (p == whole || (*whole == '0' && p - whole > 1))
    return false;
  if (p < end && *p == '.') {
    const char *fraction = ++p;
    p = take_digits(d, p, end);
    if (p == fraction)
      return false;
    d->fraction_digits = (unsigned)(p - fraction);
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    d->exponent = true;
    p = skip_exponent(p, end);
  }
  return p == end;
}

static double slow(const char *text, size_t len)
{
  char copy[MAX_SLOW_TEXT];
  if (len >= sizeof(copy))
    return NAN;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return strtod(copy, NULL);
}

/* One division of two numbers that a double holds exactly is rounded once, hence exact
 * (W. Clinger, "How to read floating point numbers accurately", 1990). */
static bool divide_double(double *out, const struct decimal *d)
{
  static const double pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (d->mantissa > (UINT64_C(1) << 53) || d->fraction_digits > 22)
    return false;
  *out = (double)d->mantissa / pow10[d->fraction_digits];
  return true;
}

#if LDBL_MANT_DIG == 64
/* The same with x87's 64-bit mantissa, for the 16-19 digits of a printed ratio. Rounding
 * the quotient again, to 53 bits, is exact unless it lies on the border between two
 * doubles, where the first rounding may have moved it: that case is left to strtod(). */
static bool divide_long_double(double *out, const struct decimal *d)
{
  static const long double pow10[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                      1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                      1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                      1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
  if (d->fraction_digits > 27)
    return false;
  long double quotient = (long double)d->mantissa / pow10[d->fraction_digits];
  uint64_t bits;
  memcpy(&bits, &quotient, sizeof(bits));
  if ((bits & 0x7ff) == 0x400)
    return false;
  *out = (double)quotient;
  return true;
}
#else
static bool divide_long_double(double *out, const struct decimal *d)
{
  (void)out;
  (void)d;
  return false;
}
#endif

double rows_number_parse(const char *text, size_t len)
{
  struct decimal d;
  double value;
  if (!split(&d, text, text + len))
    return NAN;
  if (d.exponent || d.digits > MAX_DIGITS ||
      (!divide_double(&value, &d) && !divide_long_double(&value, &d)))
    return slow(text, len);
  return d.negative ? -value : value;
}
