/* The fields of every configuration file of ours: dealers, cohorts, credentials, policies. A field
 * is read from its object, which stands at a path of the file, within bounds; what is wrong with it
 * is reported with that path. Thread-safe as far as the reader's functions are. */
#ifndef AMCP_AUTH_FIELD_H
#define AMCP_AUTH_FIELD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum {
  FIELD_PATH_MAX = 160,
  FIELD_ADVICE_MAX = 400,
  FIELD_SECRET_MAX = 4096, /* bytes of a client id, secret, refresh token or header */
  FIELD_NAME_MAX = 512,    /* of an audience, email, path */
  FIELD_PEM_MAX = 16 * 1024,
  FIELD_URL_MAX = 1024,
};

/* A reader that goes on after a fault finds all of them; the first one is the result. */
static inline enum err_code first_of(enum err_code code, enum err_code next)
{
  return code != ERR_OK ? code : next;
}

/* Who reads a file. */
struct field_reader {
  /* Refuses a field by its path ("service_account.file"; "" is the object itself). Returns
   * ERR_INVALID_ARGUMENT. */
  enum err_code (*refuse)(void *user, const char *path, const char *text);
  /* Gets the keys that a strict object may have; NULL when it does not matter. */
  void (*on_keys)(void *user, const char *path, const char *const *known, size_t n);
  void *user;
  bool go_on; /* every unknown key of an object is refused, not the first alone */
};

struct credential_site; /* reader.h */

/* An object of a file, and where it stands. */
struct field_at {
  const struct field_reader *reader;
  bool strict;                        /* unknown keys are refused */
  const struct credential_site *site; /* what credentials are read with; else NULL */
  char path[FIELD_PATH_MAX];
};

/* ELSEWHERE: known, and read by other means. UNREAD: a text that others write and nobody reads. */
enum presence { REQUIRED, OPTIONAL, ELSEWHERE, UNREAD };

enum err_code field_refuse(const struct field_at *p, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The object under a key; *child is where it stands. */
enum err_code field_object(const struct field_at *p, const cJSON *object, const char *key,
                           enum presence presence, struct field_at *child, const cJSON **out);
/* Only these keys, where the object is strict. */
enum err_code field_keys(const struct field_at *p, const cJSON *object, const char *const *known,
                         size_t n);
/* A line of text of at most `max` bytes, a PEM with FIELD_PEM_MAX; *out stays NULL when it is
 * absent and OPTIONAL. Lives as long as the JSON. */
enum err_code field_text(const struct field_at *p, const cJSON *object, const char *key,
                         enum presence presence, size_t max, const char **out);

/* A whole number from min to max, of `unit` ("" or " of seconds"); absent leaves *out. */
enum err_code field_number(const struct field_at *p, const cJSON *object, const char *key,
                           int64_t min, int64_t max, const char *unit, int64_t *out);
/* The array under a key of at most `max` items; absent counts as empty (*list NULL). */
enum err_code field_list(const struct field_at *p, const cJSON *object, const char *key, int max,
                         const cJSON **list, size_t *n);
/* Where item i of a list stands. */
struct field_at field_item(const struct field_at *p, const char *list, size_t i);
/* Reads the items of a list in their order, by read(); after a fault only when the reader goes on.
 * The first fault is the result. */
enum err_code field_each(const struct field_at *p, const char *key, const cJSON *list,
                         enum err_code (*read)(const struct field_at *at, const cJSON *item,
                                               size_t i, void *user),
                         void *user);

/* Checks the text under a key further; refuses it by field_refuse(). */
typedef enum err_code field_check(const struct field_at *p, const char *key, const char *text);
/* A field in a table of all that an object may hold. */
struct field {
  const char *key;
  enum presence presence;
  size_t max; /* the rest as for field_text(), which it is read with unless it is ELSEWHERE */
  const char **out;
  field_check *check; /* of what is there; NULL for none */
};
#define FIELD_ELSEWHERE(name) ((struct field){.key = (name), .presence = ELSEWHERE})
#define FIELD_UNREAD(name) ((struct field){.key = (name), .presence = UNREAD})
/* Reads an object: first its keys, then what is UNREAD, then the others in the table's order. */
enum err_code field_read(const struct field_at *p, const cJSON *object, const struct field *fields,
                         size_t n);

bool field_has_control(const char *s);
/* Whether a key is known; when not, the advice names the closest or all that are. */
bool field_knows_key(const char *key, const char *const *known, size_t n, char *advice,
                     size_t size);
/* Line of a path in a JSON text; of the nearest parent when the field is missing. */
size_t field_line_of(const char *text, size_t len, const char *path);

#endif
