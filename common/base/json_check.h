/* A strict JSON scanner: checks a text, and finds where a path stands in it. Private to
 * common/base. */
#ifndef AMCP_BASE_JSON_CHECK_H
#define AMCP_BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Checks the whole text. On failure returns false with the offset of the offending byte and
 * what is wrong (static text). */
bool json_check(const char *text, size_t len, size_t max_depth, size_t *offset, const char **what);

/* Offset of the value at a path; SIZE_MAX when there is none. The text must be well-formed. */
size_t json_offset_of(const char *text, size_t len, const char *path);

/* Offset of the second value of a name in the object at a path; SIZE_MAX when there is none, or
 * when the name is written with escapes. */
size_t json_offset_of_repeat(const char *text, size_t len, const char *path, const char *name);

#endif
