/* What auth-svc trusts beside the dealers' credentials: keys of sealed grants, keys of signed
 * bearer tokens, other issuers, policies. Loaded together, put in place with the dealers as one
 * snapshot. */
#ifndef AMCP_AUTH_TRUST_H
#define AMCP_AUTH_TRUST_H

#include "auth-svc/grant/seal.h"
#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/jwt_keys.h"
#include "auth-svc/identity/policies.h"

/* One state of it; each a reference. */
struct trust {
  struct sealer *sealer;
  struct jwt_keys *jwt_keys; /* as configured; may be empty */
  struct policies *policies;
  struct issuers *issuers; /* of AUTH_ISSUERS_FILE; may be empty */
};
/* Drops the references. */
void trust_clear(struct trust *t);

/* Where it comes from. Of each pair at most one is set; all but the secrets must outlive the
 * source. */
struct trust_options {
  const char *seal_key, *seal_key_file; /* neither: a random key */
  const char *jwt_secret, *jwt_secret_file;
  const char *jwt_key_file;
  const char *policy_file;
  const char *issuers_file;
  const char *jwt_issuer, *jwt_audience; /* what the issuers file is read with; NULL for none */
  const char *audience;                  /* of sealed grants */
  bool mutual_tls;                       /* without it, nobody can get in by certificate */
};

/* The files, and what came otherwise and cannot be read again: a key or secret of the
 * environment, a random key. Those are the same in every state that is loaded. Immutable. */
struct trust_source;
/* Takes the secrets of the options over, so that they may be wiped. Errors name the setting. */
enum err_code trust_source_new(struct trust_source **out, const struct trust_options *options,
                               struct err *e);
void trust_source_free(struct trust_source *s);

/* Reads all files. Everything or nothing; errors name the setting and the file. */
enum err_code trust_load(struct trust *out, const struct trust_source *s, struct err *e);
/* The keys of signed bearer tokens alone, the other issuers alone. */
enum err_code trust_load_jwt_keys(struct jwt_keys **out, const struct trust_source *s,
                                  struct err *e);
enum err_code trust_load_issuers(struct issuers **out, const struct trust_source *s, struct err *e);

#endif
