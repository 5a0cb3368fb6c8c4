/* What a browser sends to the pages: fields of a query or a form, and the cookie. Whoever wrote it,
 * a field is valid UTF-8 without NUL that fits, or as if it had not come. */
#ifndef AMCP_GATEWAY_CONNECT_FIELDS_H
#define AMCP_GATEWAY_CONNECT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

enum { CONNECT_FIELD_MAX = 2048, CONNECT_SESSION_MAX = 64 };

/* What a request brought. Starts as {0}; wiped by its owner. */
struct fields {
  char invite[CONNECT_FIELD_MAX], lang[8], property[64];
  char state[CONNECT_FIELD_MAX], code[CONNECT_FIELD_MAX], error[128], iss[256];
};

/* Takes one that is known, decoded already; of two of one name the last counts. Always true: for
 * exchange_query(), `fields` being a struct fields. */
bool fields_take(void *fields, const char *name, size_t name_len, const char *value, size_t len);
/* application/x-www-form-urlencoded of len bytes, of any content. A name counts as it is written.
 */
void fields_read_form(struct fields *f, const char *body, size_t len);
/* The session of a Cookie header (NULL: there is none), "" when it has none of ours. Returns where
 * the language behind it begins, in the header, or NULL. */
const char *fields_read_cookie(const char *header, char session[CONNECT_SESSION_MAX]);

#endif
