/* Retry-After: seconds or a date (RFC 9110 section 10.2.3). */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/client.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

uint32_t http_retry_after_ms(const char *value, int64_t now_unix_ms, uint32_t max_ms)
{
  int64_t ms = 0;
  if (value == NULL)
    return 0;
  if (is_digit(value[0])) {
    /* Nothing but digits; a repeated header has been joined with a comma. */
    size_t n = strspn(value, "0123456789");
    bool whole = value[n] == '\0' || value[n] == ',';
    ms = !whole ? 0 : n > 9 ? INT64_MAX : (int64_t)strtoul(value, NULL, 10) * 1000;
  } else if (is_letter(value[0])) {
    /* All three forms of a date begin with the day's name. */
    int64_t at_s = (int64_t)curl_getdate(value, NULL);
    ms = at_s > INT64_MAX / 2000 ? INT64_MAX : at_s * 1000 - now_unix_ms;
  }
  return ms <= 0 ? 0 : ms > (int64_t)max_ms ? max_ms : (uint32_t)ms;
}
