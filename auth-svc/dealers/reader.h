/* What the parts of the dealers file's loader share; nobody else includes it. */
#ifndef AMCP_AUTH_DEALERS_READER_H
#define AMCP_AUTH_DEALERS_READER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/credential/config.h"
#include "auth-svc/dealers/file.h"
#include "common/base/error.h"

enum { DEALERS_FAULT_TEXT = 400 };

/* Where the reader stands, for messages. */
struct dealers_reader {
  const char *name;
  const char *text;
  size_t len;
  bool bare;            /* the file is an array of dealers */
  bool warn_of_cohorts; /* see struct dealers_options, as are the next two */
  bool names_only;
  struct table *files;
  const struct dealers_connected *connected; /* likewise */
  size_t n_own;        /* dealers of the file; those that were connected come after them */
  size_t index;        /* of the dealer being read */
  const char *who;     /* its id; NULL while not known */
  struct arena *arena; /* its cap is above the file's */
  struct credential_config credentials;
  struct field_reader own_fields, top_fields;
  struct field_at own;               /* the dealer being read */
  struct field_at top;               /* the file */
  struct err *e;                     /* gets the first fault */
  const struct dealers_watch *watch; /* gets every fault; may be NULL */
  size_t *n_faults;
  bool *unopened; /* by place in the file: a secret did not open */
};

/* Reports a fault at a path of the file, of a dealer or (NULL) of none. Always
 * ERR_INVALID_ARGUMENT. */
enum err_code dealers_fault(const struct dealers_reader *r, const char *path, const char *dealer,
                            const char *text);
/* Sets `own` and `top`, whose fields field_refuse() refuses. */
void dealers_set_fields(struct dealers_reader *r);
/* The object at a path of r->own ("properties[1]") or r->top. */
struct field_at dealers_at(const struct field_at *object, const char *path);

/* Appends the connected dealers to the file's, their secrets opened; nothing without any. Counts
 * the keys they are sealed with in *use. */
enum err_code dealers_join(struct dealers_reader *r, cJSON *list,
                           const struct sealed_policy *sealed, struct key_use *use);
/* Reads how a dealer's website is read: qualified_session, vehicle_dimensions,
 * vdp_path_pattern, vehicle_overrides; and checks lead_event and time_zone. */
enum err_code dealers_read_settings(struct dealers_reader *r, const cJSON *object,
                                    struct dealer *d);
/* Reads vehicle_overrides. */
enum err_code dealers_read_overrides(const struct dealers_reader *r, const cJSON *object,
                                     struct dealer *d);
/* Reads the file's "cohorts" (absent: the regions alone) into the directory. Without one (NULL:
 * there are faults in the dealers) only what each cohort says is checked, not its members. */
enum err_code dealers_read_cohorts(const struct dealers_reader *r, const cJSON *root,
                                   struct directory *d);

/* Ids and accounts share one space: a token may name a dealer by either. */
enum err_code dealers_check_ids(struct dealers_reader *r, const struct dealer *dealers, size_t n);
enum err_code dealers_check_properties(struct dealers_reader *r, const struct dealer *dealers,
                                       size_t n);
/* A dealer without properties has a credential that no other dealer has: what one login sees
 * could not be told apart. Credentials that were refused are NULL. */
enum err_code dealers_check_credentials(struct dealers_reader *r, const struct dealer *dealers,
                                        struct credential *const *credentials, size_t n);

#endif
