/* Strictness of a request's head.
 *
 * libmicrohttpd keeps a head in one piece of memory and cuts it into texts where it lies: each end
 * of a line becomes one NUL per byte, so "name: value CR LF name" is "name NUL ... value NUL NUL
 * name". The texts it hands out point into that memory. So every line of a well-formed head begins
 * exactly two bytes after the text before it, and the head ends two bytes (the empty line) after
 * the last. A line feed alone, a NUL inside a line and a folded line (which is copied elsewhere)
 * each break that. Nothing here reads memory; addresses are compared. Another version of the
 * library that lays heads out differently fails the tests at once: every request would be refused.
 */
#include "gateway/http/head.h"

#include <stdint.h>
#include <string.h>

enum { LINE_END = 2 };

struct walk {
  uintptr_t next; /* where the next line must begin */
  bool strict;
};

/* No control characters but the tab (RFC 9110, 5.5). */
static bool is_text(const char *value)
{
  for (; *value != '\0'; value++)
    if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
      return false;
  return true;
}

static enum MHD_Result check_line(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
  (void)kind;
  struct walk *w = cls;
  w->strict = value != NULL && (uintptr_t)name == w->next && is_text(value);
  if (w->strict)
    w->next = (uintptr_t)value + strlen(value) + LINE_END;
  return w->strict ? MHD_YES : MHD_NO;
}

/* Bytes from the method to the end of the empty line. */
static size_t head_size(struct MHD_Connection *c)
{
  return MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
}

bool head_is_strict(struct MHD_Connection *c, const char *method, const char *version)
{
  struct walk w = {(uintptr_t)version + strlen(version) + LINE_END, true};
  MHD_get_connection_values(c, MHD_HEADER_KIND, check_line, &w);
  return w.strict && (uintptr_t)method + head_size(c) == w.next + LINE_END;
}
