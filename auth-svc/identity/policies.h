/* Policies of an installation: which services get in by certificate and what they may read,
 * and which subjects and bearer tokens get nothing any more (AUTH_POLICY_FILE).
 *
 *   {"policies": [{"identity": "nightly-export", "subject": "nightly-export", "role": "group",
 *                  "dealers": [...], "regions": [...], "groups": [...]}],
 *    "revoked": [{"subject": "..."}, {"token_id": "<jti>"}, {"token_sha256": "<hex>"}]}
 *
 * Immutable, counted by references, thread-safe. */
#ifndef AMCP_AUTH_POLICIES_H
#define AMCP_AUTH_POLICIES_H

#include <stdatomic.h>

#include "auth-svc/identity/claims.h"
#include "common/base/buf.h"

enum {
  POLICY_FILE_MAX = 8 << 20,
  POLICIES_MAX = 1000,
  REVOKED_MAX = 20000,
};

/* What a service may read that shows a certificate. */
struct policy {
  const char *identity; /* as rpc_call_peer() reports it */
  struct claims claims; /* principal_id is set: a hash of the identity */
};

struct policies {
  atomic_size_t refs;
  struct arena *arena;
  struct policy *items; /* in the order of the file */
  size_t n;
  struct claim_list subjects, token_ids, token_hashes; /* revoked; each in order */
};

/* Nobody gets in by certificate, nothing is revoked. */
struct policies *policies_none(void);
/* Reads and checks a file. Everything or nothing: the first fault ends with
 * ERR_INVALID_ARGUMENT and one message that names file, line and field:
 *   config/policies.json line 4: policies[0].role (identity "nightly-export"): must be ...
 * ERR_NOT_FOUND when there is no file. */
enum err_code policies_load(struct policies **out, const char *path, struct err *e);
/* The same from text; `name` stands for the file in messages. */
enum err_code policies_parse(struct policies **out, const char *name, const char *text, size_t len,
                             struct err *e);
struct policies *policies_ref(struct policies *p);
/* NULL is fine. */
void policies_unref(struct policies *p);

/* The policy of a certificate's identity, compared byte for byte; NULL when there is none, and
 * for "" (no certificate). */
const struct policy *policies_find(const struct policies *p, const char *identity);
/* The grant of the policy for an identity (rpc_call_peer), in the arena; it ends after
 * GRANT_LIFE_S. UNAUTHENTICATED: `missing_credentials` for "" (the caller showed no
 * certificate), `invalid_credentials` when no policy names the identity. Pure. */
enum err_code certificate_grant(Analytics__Auth__V1__Grant **out, const struct policies *policies,
                                const char *identity, const struct directory *directory,
                                int64_t now_s, struct arena *arena, struct err *e);
/* UNAUTHENTICATED `revoked` when one of these is. token_sha256: hexadecimal, lower case. */
enum err_code policies_check_revoked(const struct policies *p, const char *subject,
                                     const char *token_id, const char *token_sha256, struct err *e);

/* Names in the policies that the directory does not know, for people: 'policies[0].dealers
 * "d99", ...', the first few. How many there are. They grant nothing and are not a fault: the two
 * files change separately. */
size_t policies_unknown_names(const struct policies *p, const struct directory *directory,
                              struct buf *out);

#endif
