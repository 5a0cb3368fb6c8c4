/* What the parts of the dealers file's loader share; nobody else includes it. */
#ifndef AMCP_AUTH_DEALERS_READER_H
#define AMCP_AUTH_DEALERS_READER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/credential_config.h"
#include "auth-svc/directory.h"
#include "common/base/error.h"

enum { FIELD_PATH_MAX = 160 };

/* Where the reader stands, for messages. */
struct dealers_reader {
  const char *name;
  const char *text;
  size_t len;
  bool bare;            /* the file is an array of dealers */
  bool warn_of_cohorts; /* see struct dealers_options */
  size_t index;         /* of the dealer being read */
  const char *who;      /* its id; NULL while not known */
  struct arena *arena;
  struct credential_config credentials;
  struct err *e;
};

/* Refuses the file because of a field of the current dealer ("oauth.client_id"; "" for the
 * dealer itself). Always ERR_INVALID_ARGUMENT. */
enum err_code dealers_refuse(const struct dealers_reader *r, const char *field, const char *fmt,
                             ...) __attribute__((format(printf, 3, 4)));

/* Line on which a path of the file stands; of the nearest parent when it is missing. */
size_t dealers_line_of(const struct dealers_reader *r, const char *path);
/* A text of the file that outlives it; never NULL. */
const char *dealers_keep(const struct dealers_reader *r, const char *s);
/* Refuses keys of an object that are not in the list; `prefix` is its path with a dot. */
enum err_code dealers_check_keys(const struct dealers_reader *r, const cJSON *object,
                                 const char *prefix, const char *const *known, size_t n);

/* Reads how a dealer's website is read: qualified_session, vehicle_dimensions,
 * vdp_path_pattern; and checks time_zone. */
enum err_code dealers_read_settings(const struct dealers_reader *r, const cJSON *object,
                                    struct dealer *d);
/* Reads the file's "cohorts" (absent: the regions alone) into the directory. */
enum err_code dealers_read_cohorts(const struct dealers_reader *r, const cJSON *root,
                                   struct directory *d);

/* Ids and accounts share one space: a token may name a dealer by either. */
enum err_code dealers_check_ids(struct dealers_reader *r, const struct dealer *dealers, size_t n);
enum err_code dealers_check_properties(struct dealers_reader *r, const struct dealer *dealers,
                                       size_t n);

#endif
