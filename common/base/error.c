/* Filling in errors. */
#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts an incomplete UTF-8 character off the end of s. */
static void trim_partial_char(char *s)
{
  size_t n = strlen(s);
  size_t back = 0;
  while (back < 3 && back < n && ((unsigned char)s[n - 1 - back] & 0xC0) == 0x80)
    back++;
  if (back >= n)
    return;
  unsigned char lead = (unsigned char)s[n - 1 - back];
  size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (want > back)
    s[n - 1 - back] = '\0';
}

static void fill(char *out, size_t size, const char *fmt, va_list args)
{
  int n = vsnprintf(out, size, fmt, args);
  if (n < 0)
    out[0] = '\0';
  else if ((size_t)n >= size)
    trim_partial_char(out);
}

enum err_code err_set(struct err *e, enum err_code code, const char *reason, const char *fmt, ...)
{
  if (e == NULL)
    return code;
  /* Built aside: the arguments may point into *e. */
  char message[sizeof(e->message)];
  char why[sizeof(e->reason)];
  va_list args;
  va_start(args, fmt);
  fill(message, sizeof(message), fmt, args);
  va_end(args);
  snprintf(why, sizeof(why), "%s", reason != NULL ? reason : "");
  e->code = code;
  memcpy(e->reason, why, sizeof(why));
  memcpy(e->message, message, sizeof(message));
  e->details_len = 0;
  return code;
}

void err_set_details(struct err *e, const void *details, size_t len)
{
  if (e == NULL)
    return;
  e->details_len = len <= ERR_DETAILS_MAX ? (unsigned short)len : 0;
  if (e->details_len > 0)
    memcpy(e->details, details, e->details_len);
}

enum err_code err_reword(struct err *e, const char *fmt, ...)
{
  if (e == NULL)
    return ERR_UNKNOWN;
  char message[sizeof(e->message)]; /* the arguments may point into *e */
  va_list args;
  va_start(args, fmt);
  fill(message, sizeof(message), fmt, args);
  va_end(args);
  memcpy(e->message, message, sizeof(message));
  return e->code;
}

enum err_code err_prefix(struct err *e, const char *fmt, ...)
{
  if (e == NULL)
    return ERR_UNKNOWN;
  char prefix[sizeof(e->message)];
  va_list args;
  va_start(args, fmt);
  fill(prefix, sizeof(prefix), fmt, args);
  va_end(args);
  char whole[2 * sizeof(e->message)];
  snprintf(whole, sizeof(whole), "%s%s", prefix, e->message);
  return err_reword(e, "%s", whole);
}

const char *err_code_name(enum err_code code)
{
  static const char *const names[] = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  unsigned i = (unsigned)code;
  return i < sizeof(names) / sizeof(names[0]) ? names[i] : "UNKNOWN";
}
