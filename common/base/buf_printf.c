/* buf_printf(). What nearly all formats consist of is written here, at a fraction of what printf
 * takes: %s, with a precision or without, and whole numbers in decimal without flags or a width. A
 * format with anything else is left to printf as a whole. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"

enum width { WIDTH_INT, WIDTH_LONG, WIDTH_LONG_LONG, WIDTH_SIZE };

/* What stands behind a '%'. */
struct conversion {
  int precision; /* of %s; -1: none */
  bool star;     /* the precision is an argument */
  enum width width;
  char type; /* s, d, u, or % */
};

static const char *read_precision(struct conversion *out, const char *s)
{
  out->precision = -1;
  if (*s != '.')
    return s;
  out->precision = 0;
  out->star = *++s == '*';
  if (out->star)
    return s + 1;
  for (; *s >= '0' && *s <= '9' && out->precision < 100000; s++)
    out->precision = out->precision * 10 + (*s - '0');
  return s;
}

static const char *read_width(struct conversion *out, const char *s)
{
  if (*s == 'z') {
    out->width = WIDTH_SIZE;
    return s + 1;
  }
  if (*s != 'l')
    return s;
  out->width = s[1] == 'l' ? WIDTH_LONG_LONG : WIDTH_LONG;
  return s + (s[1] == 'l' ? 2 : 1);
}

/* Reads what stands behind a '%', and returns what follows it; NULL when it is left to printf. */
static const char *read_conversion(struct conversion *out, const char *s)
{
  *out = (struct conversion){0};
  s = read_width(out, read_precision(out, s));
  bool text = *s == 's' && out->width == WIDTH_INT;
  bool percent = *s == '%' && s[-1] == '%';
  bool number = (*s == 'd' || *s == 'u') && out->precision == -1;
  out->type = *s;
  return text || percent || number ? s + 1 : NULL;
}

static bool is_simple(const char *fmt)
{
  struct conversion c;
  for (const char *s = strchr(fmt, '%'); s != NULL; s = strchr(s, '%')) {
    s = read_conversion(&c, s + 1);
    if (s == NULL)
      return false;
  }
  return true;
}

static bool put_text(struct buf *b, const char *s, int precision)
{
  if (s == NULL)
    s = "(null)";
  return buf_append(b, s, precision < 0 ? strlen(s) : strnlen(s, (size_t)precision));
}

static bool put_signed(struct buf *b, long long n)
{
  return buf_put_whole(b, n < 0, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

/* A va_list that is handed on as an argument may be an array: hence in a structure. */
struct arguments {
  va_list list;
};

static bool put_number(struct buf *b, const struct conversion *c, struct arguments *args)
{
  bool with_sign = c->type == 'd';
  switch (c->width) {
  case WIDTH_LONG:
    return with_sign ? put_signed(b, va_arg(args->list, long))
                     : buf_put_whole(b, false, va_arg(args->list, unsigned long));
  case WIDTH_LONG_LONG:
    return with_sign ? put_signed(b, va_arg(args->list, long long))
                     : buf_put_whole(b, false, va_arg(args->list, unsigned long long));
  case WIDTH_SIZE:
    return with_sign ? put_signed(b, va_arg(args->list, ptrdiff_t))
                     : buf_put_whole(b, false, va_arg(args->list, size_t));
  default:
    return with_sign ? put_signed(b, va_arg(args->list, int))
                     : buf_put_whole(b, false, va_arg(args->list, unsigned));
  }
}

static bool put_conversion(struct buf *b, const struct conversion *c, struct arguments *args)
{
  if (c->type == '%')
    return buf_putc(b, '%');
  if (c->type != 's')
    return put_number(b, c, args);
  int precision = c->star ? va_arg(args->list, int) : c->precision;
  return put_text(b, va_arg(args->list, const char *), precision);
}

static bool put_simple(struct buf *b, const char *fmt, struct arguments *args)
{
  struct conversion c;
  size_t before = b->len;
  bool ok = !b->failed;
  while (ok && *fmt != '\0') {
    size_t plain = strcspn(fmt, "%");
    ok = plain == 0 || buf_append(b, fmt, plain);
    fmt += plain;
    if (ok && *fmt == '%') {
      fmt = read_conversion(&c, fmt + 1);
      ok = put_conversion(b, &c, args);
    }
  }
  if (!ok && b->data != NULL) {
    b->len = before;
    b->data[before] = '\0';
  }
  return ok;
}

/* By printf, straight into the buffer when it is long. */
static bool put_any(struct buf *b, const char *fmt, struct arguments *args, struct arguments *again)
{
  char small[256];
  int n = vsnprintf(small, sizeof(small), fmt, args->list);
  if (n < 0) {
    b->failed = true;
    return false;
  }
  if ((size_t)n < sizeof(small))
    return buf_append(b, small, (size_t)n);
  char *p = buf_reserve(b, (size_t)n);
  if (p == NULL)
    return false;
  vsnprintf(p, (size_t)n + 1, fmt, again->list);
  b->len += (size_t)n;
  return true;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
  struct arguments args, again;
  va_start(args.list, fmt);
  va_copy(again.list, args.list);
  bool ok = is_simple(fmt) ? put_simple(b, fmt, &args) : put_any(b, fmt, &args, &again);
  va_end(again.list);
  va_end(args.list);
  return ok;
}
