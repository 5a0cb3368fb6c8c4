/* Sealed secrets inside dealers.json.
 *
 * The file stays readable JSON; each secret is replaced where it stands:
 *
 *   "refresh_token": {"sealed": "v1:2026-11:pJ0c..."}
 *
 * and is bound to the format, the dealer (dealer_id, else account_id) and the path of the
 * field inside the dealer, so that a value copied to another dealer or field does not open.
 * The order of dealers and everything that is not secret may be changed at will. */
#ifndef AMCP_AUTH_SEALED_FILE_H
#define AMCP_AUTH_SEALED_FILE_H

#include <cjson/cJSON.h>

#include "auth-svc/secret/key_use.h"

#define SEALED_FILE_KIND "dealers.json/v1"

struct sealed_place;

/* How plain secrets are met when the file is loaded. */
struct sealed_policy {
  struct keyring *keyring; /* NULL: sealed values cannot be opened */
  bool require_sealed;     /* AUTH_REQUIRE_SEALED: a plain secret is refused */
  bool allow_mixed;        /* AUTH_ALLOW_PLAINTEXT_SECRETS: plain beside sealed is fine */
  bool warn_plain;         /* log once when the file holds plain secrets */
  struct key_use *use;     /* counts the keys of sealed values; NULL for nobody */
  /* Called for each fault, which then does not end the walk; NULL: the first one ends it. */
  void (*on_fault)(void *user, const struct sealed_place *place, const struct err *e);
  void *user;
};

/* Reason of the fault of a secret that is in the clear; its value stays as it is. */
#define SEALED_PLAIN_SECRET "plaintext_secret"

enum { SEALED_PATH_MAX = 160 };

/* Whether a key of a dealer names a secret: "client_secret", "refresh_token", ... */
bool sealed_is_secret_key(const char *key);

/* Where a fault is; for messages that name line and dealer. */
struct sealed_place {
  size_t index; /* of the dealer in the file */
  char dealer[72];
  char field[SEALED_PATH_MAX]; /* "oauth.refresh_token" */
};

/* Opens every sealed value of the parsed file, in place: afterwards the tree holds plain
 * strings, which the caller wipes. The first fault ends it, with its place. A tree that is
 * not a dealers file is left alone: the loader reports what is wrong with it. `policy` may be
 * NULL: no keyring, plain secrets are fine. */
enum err_code sealed_tree_open(cJSON *root, const struct sealed_policy *policy,
                               struct sealed_place *place, struct err *e);

/* Its path in the file, "dealers[2].oauth.refresh_token"; `bare`: the file is an array. */
void sealed_place_path(const struct sealed_place *place, bool bare, char *path, size_t size);

/* One secret of a file. */
struct sealed_value {
  const struct sealed_place *place;
  bool is_sealed;
  bool is_secret;   /* by its name; sealed values may stand at others by mistake */
  const char *text; /* the sealed text, or the plain secret */
  size_t len;
};

/* What is put in place of a secret. */
enum sealed_edit {
  SEALED_KEEP,
  SEALED_AS_SEALED, /* {"sealed": "<out>"} */
  SEALED_AS_PLAIN,  /* "<out>" */
};

/* Called for each secret in the order of the file. Appends to *out what replaces it. An error
 * ends the walk. */
typedef enum err_code sealed_visit(void *user, const struct sealed_value *value,
                                   enum sealed_edit *edit, struct buf *out, struct err *e);

/* Visits every secret of a file's text. With `out`, an empty buffer, writes the file with the
 * replacements: as JSON nothing else of it changes, nor does the order of its keys; it is printed
 * with one key per line, indented by tabs. RESOURCE_EXHAUSTED when that does not fit. `name` begins
 * the errors, which name line, field and dealer. */
enum err_code sealed_text_edit(struct buf *out, const char *name, const char *text, size_t len,
                               sealed_visit *visit, void *user, struct err *e);

/* The record a value is bound to. Points into the place. */
struct keyring_record sealed_record(const struct sealed_place *place);

#endif
