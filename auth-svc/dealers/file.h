/* Loader of dealers.json.
 *
 *   {"dealers": [{"dealer_id": "d01", "account_id": "a01", "name": "Northgate Ford",
 *                 "region": "West", "city": "Reno", "state": "NV",
 *                 "oauth": {"client_id": ..., "client_secret": ..., "refresh_token": ...},
 *                 "properties": ["213025502"],
 *                 "owner": ..., "groups": [...], "lead_event": ..., "time_zone": ...}]}
 *
 * or the bare array. dealer_id defaults to account_id and the other way round; city, state,
 * owner, groups, lead_event, time_zone and properties may be left out. In place of oauth may stand
 * another credential (credential_config.h). A property is digits, "properties/" and digits, or
 * {"property_id": ..., "name": ..., "type": ...}. */
#ifndef AMCP_AUTH_DEALERS_FILE_H
#define AMCP_AUTH_DEALERS_FILE_H

#include <stddef.h>

#include "auth-svc/credential/credential.h"
#include "auth-svc/dealers/directory.h"
#include "auth-svc/dealers/sealed.h"
#include "auth-svc/secret/read_files.h"

enum { DEALERS_FILE_MAX = 16 << 20 };

/* What a file holds. */
struct dealers_content {
  struct directory *directory;
  struct credential **credentials; /* by dealer index */
  struct key_use sealed_with;      /* keys of the sealed secrets */
};
/* Frees it; zeroed is fine. */
void dealers_content_clear(struct dealers_content *c);

/* Dealers that were connected by consent (connect/store.h), and the OAuth client they were
 * connected with last. */
struct dealers_connected {
  const char *text; /* {"dealers": [...]} in the form of dealers.json, all secrets sealed */
  size_t len;
  const char *client_id;        /* those of this client get its secret as it is now */
  struct secret *client_secret; /* NULL: each has its own */
};

/* How a file is read; all zero is the plain, strict way. */
struct dealers_options {
  /* Secrets that may be sealed (sealed.h). One that does not open is refused like any
   * other fault. NULL: no keyring, plain secrets are fine. */
  const struct sealed_policy *sealed;
  /* Cohorts that isolate dealers when one is subtracted from another refuse the file; true:
   * the later one is taken out of benchmarks instead. */
  bool warn_of_cohorts;
  /* Credentials are not looked at, so that no key is needed; there are none in the content. */
  bool names_only;
  /* Gets the files that credentials stand in, also when the file is refused: those up to the
   * fault. NULL when it does not matter. */
  struct table *files;
  /* Joined to the dealers of the file, which may be none then; a dealer or property in both refuses
   * the file with its name. A region that grows by them may come into conflict with a cohort: that
   * is a matter for a warning then, as with warn_of_cohorts. NULL: there are none. */
  const struct dealers_connected *connected;
};

/* Reads and checks a file. Everything or nothing: a fault means ERR_INVALID_ARGUMENT,
 * nothing in *out, and a message of the first one that names file, line, field and dealer:
 *   config/dealers.json line 14: dealers[2].oauth.refresh_token (dealer "d03"): must be a
 *   non-empty string
 * ERR_NOT_FOUND when there is no file. Logs a warning when others may read the file. The caller
 * owns what it gets. `options` NULL: the plain way. */
enum err_code dealers_file_load(struct dealers_content *out, const char *path,
                                const struct dealers_options *options, struct err *e);

enum { DEALERS_FAULTS_LOCATED = 200 }; /* finding a line takes a walk over the text */

/* A fault. The texts live as long as the call that reports it. */
struct dealers_fault {
  size_t line;        /* from 1; 0 for faults beyond DEALERS_FAULTS_LOCATED */
  const char *field;  /* "dealers[2].oauth.refresh_token"; "" the file as a whole */
  const char *dealer; /* its id; "" when it has none or no dealer is at fault */
  const char *text;   /* what is wrong, and what to do */
};

/* Who watches a file being read. */
struct dealers_watch {
  void (*on_fault)(void *user, const struct dealers_fault *fault);
  /* The keys an object of the file may have, for each object; NULL when it does not matter. */
  void (*on_keys)(void *user, const char *field, const char *const *known, size_t n);
  void *user;
};

/* The same from text; `name` stands for the file in messages. With a watch (NULL: without) it goes
 * on after a fault: reports each one of a dealer or cohort to the watch, and asks no metadata
 * server
 * ("adc": true is taken as if it answered). A credential ends at its first fault; which dealers a
 * cohort has is looked at once the dealers are right. */
enum err_code dealers_file_read(struct dealers_content *out, const char *name, const char *text,
                                size_t len, const struct dealers_options *options,
                                const struct dealers_watch *watch, struct err *e);

#endif
