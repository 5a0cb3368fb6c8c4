/* Offsets of time zones, read from the system's time zone files (TZif, RFC 8536).
 *
 * The C library can tell the time of one zone per process only; properties live in many. */
#ifndef AMCP_BASE_ZONE_H
#define AMCP_BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the zones are: TZDIR, as in the C library, or /usr/share/zoneinfo. */
const char *zone_folder(void);
/* Whether a text has the form of a zone's name, which leaves the folder by no path. */
bool zone_is_name(const char *name);
/* Seconds east of UTC of a zone ("America/New_York") at a time (seconds since
 * 1970-01-01 UTC). False when the name is malformed or the system does not know it.
 * Reads a small file, once a minute for each zone. Thread-safe. */
bool zone_offset(const char *name, int64_t unix_s, int32_t *offset_s);

/* The same from the content of a TZif file. */
bool zone_offset_in(const unsigned char *tzif, size_t len, int64_t unix_s, int32_t *offset_s);
/* The same from a POSIX TZ rule ("EST5EDT,M3.2.0,M11.1.0"), the form at the end of a
 * TZif file for times after its last transition. Jn and n day forms included. */
bool zone_offset_of_rule(const char *rule, int64_t unix_s, int32_t *offset_s);

#endif
