/* Inside the room: the texts of Timestamp (RFC 3339) and Duration ("1.5s"). */
#ifndef AMCP_PBJSON_WKT_H
#define AMCP_PBJSON_WKT_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970-01-01 UTC, or of a duration, and the nanoseconds beyond. */
struct wkt_time {
  int64_t seconds;
  int32_t nanos;
};

enum { WKT_TEXT = 48 };

/* Writes "2026-11-22T15:04:05.5Z" with 0, 3, 6 or 9 digits of fraction. False when the
 * time is outside the years 1 to 9999 or nanos outside 0 to 999999999. */
bool wkt_timestamp_format(char out[WKT_TEXT], struct wkt_time t);
/* Reads RFC 3339 with any offset and up to 9 digits of fraction. */
bool wkt_timestamp_parse(struct wkt_time *out, const char *s);

/* Writes "-1.5s". False beyond +-315576000000 s (about 10000 years), nanos beyond
 * +-999999999, or seconds and nanos of different signs. */
bool wkt_duration_format(char out[WKT_TEXT], struct wkt_time t);
bool wkt_duration_parse(struct wkt_time *out, const char *s);

#endif
