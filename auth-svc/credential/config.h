/* Reads and checks the credentials of dealers.json and of Google's own credential files. */
#ifndef AMCP_AUTH_CREDENTIAL_CONFIG_H
#define AMCP_AUTH_CREDENTIAL_CONFIG_H

#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/field.h"

/* Where credentials are read from, and how their faults are reported. */
struct credential_config {
  const char *dir;            /* relative files stand in it; NULL: the working directory */
  struct field_reader fields; /* how faults are reported */
  /* Gets each file of its own that a credential is read from, with what it holds; text NULL: it
   * could not be read. `user` is that of `fields`. NULL when it does not matter. */
  void (*on_file)(void *user, const char *path, const char *text, size_t len);
  bool offline;           /* a metadata server counts as there, nothing is asked */
  struct credential *adc; /* found once, for all dealers with "adc": true; starts NULL */
};

/* The keys of a dealer that hold a credential; each dealer has exactly one of them. */
extern const char *const credential_config_keys[5];

/* Reads the credential of a dealer:
 *
 *   "oauth":                        {client_id, client_secret, refresh_token[, token_uri]}
 *   "service_account":              Google's key file, and self_signed, subject
 *   "external_account":             Google's Workload Identity Federation file
 *   "impersonated_service_account": Google's file
 *   "adc": true                     Application Default Credentials
 *
 * All but adc may be {"file": "path"} instead, and may have quota_project_id beside it. Unknown
 * keys are refused in dealers.json, not in files that Google's tools wrote. URLs must be https,
 * or http to loopback; those of a credential_source may be http to a metadata address. */
enum err_code credential_config_read(struct credential **out, struct credential_config *config,
                                     const cJSON *dealer);
/* Drops what was kept between dealers. */
void credential_config_clear(struct credential_config *config);

/* A credential file of Google's, whatever its type; `source` names it in errors:
 * "SOURCE line 3: client_email: must be a non-empty string". */
enum err_code credential_from_adc_json(struct credential **out, const char *source,
                                       const char *text, size_t len, struct err *e);
/* The same from a file; `what` says where its path came from. ERR_NOT_FOUND when there is
 * none. */
enum err_code credential_from_file(struct credential **out, const char *what, const char *path,
                                   struct err *e);

#endif
