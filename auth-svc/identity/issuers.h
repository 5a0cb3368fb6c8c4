/* Issuers of signed bearer tokens beside the one of AUTH_JWT_* (AUTH_ISSUERS_FILE): where the keys
 * of each are found, what its tokens must be, and what their claims mean here.
 *
 *   {"issuers": [{"issuer": "https://id.example.com/realms/dealers", "name": "keycloak",
 *                 "audiences": [...], "algorithms": ["RS256"], "typ": "at+jwt", "leeway_s": 30,
 *                 "rules": [{"claim": "realm_access.roles", "contains": "dealer",
 *                            "role": "dealer", "dealers": ["{claim:dealer_ids}"]}]}]}
 *
 * config/issuers.schema.json describes it in full. Immutable, counted by references, thread-safe.
 */
#ifndef AMCP_AUTH_ISSUERS_H
#define AMCP_AUTH_ISSUERS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "auth-svc/dealers/directory.h"
#include "auth-svc/identity/mapping.h"
#include "common/base/buf.h"

enum {
  ISSUERS_FILE_MAX = 1 << 20,
  ISSUERS_MAX = 16,
  ISSUER_NAME_MAX = 32,
  ISSUER_AUDIENCES_MAX = 8,
  ISSUER_LEEWAY_MAX_S = 300,
};

struct issuer {
  const char *issuer;   /* the tokens' iss, letter for letter */
  const char *name;     /* for people: in subjects, log lines and metrics */
  const char *jwks_uri; /* NULL: found by discovery */
  struct claim_list audiences;
  bool own_audiences;               /* the file names them */
  struct claim_path audience_claim; /* .n 0: aud */
  unsigned algorithms;              /* set of 1U << enum jwt_alg */
  const char *typ;                  /* of the header; NULL: JWT, at+jwt or none */
  int64_t leeway_s, max_life_s;     /* 0: those of jwt.h */
  struct mapping mapping;
};

struct issuers {
  atomic_size_t refs;
  struct arena *arena;
  struct issuer *items; /* in the order of the file */
  size_t n;
};

struct issuers_fault {
  size_t line;
  const char *field; /* "issuers[0].rules[2].role" */
  const char *text;
};

struct issuers_options {
  const char *audience;   /* of issuers that name none; NULL: they must */
  const char *own_issuer; /* AUTH_JWT_ISSUER, which the file must not have; NULL for none */
  /* Gets every fault; NULL when the first is enough. */
  void (*on_fault)(void *user, const struct issuers_fault *fault);
  void *user;
};

/* No other issuer. */
struct issuers *issuers_none(void);
/* Reads and checks a file. Everything or nothing: the result is the first fault,
 * ERR_INVALID_ARGUMENT with one message that names file, line and field. ERR_NOT_FOUND for a
 * file that does not exist. */
enum err_code issuers_load(struct issuers **out, const char *path,
                           const struct issuers_options *options, struct err *e);
/* The same from text; `name` stands for the file in messages. */
enum err_code issuers_parse(struct issuers **out, const char *name, const char *text, size_t len,
                            const struct issuers_options *options, struct err *e);
struct issuers *issuers_ref(struct issuers *i);
/* NULL is fine. */
void issuers_unref(struct issuers *i);

/* The issuer of that iss, compared byte for byte; NULL when there is none. */
const struct issuer *issuers_find(const struct issuers *i, const char *iss);
/* Whether a subject could be taken for one of an issuer's: "keycloak:..." */
bool issuers_own_subject(const struct issuers *i, const char *subject);
/* Names in rules that the directory does not have, as policies_unknown_names(). */
size_t issuers_unknown_names(const struct issuers *i, const struct directory *directory,
                             struct buf *out);

#endif
