/* What the readers of credentials share; nobody else includes it. */
#ifndef AMCP_AUTH_CREDENTIAL_READER_H
#define AMCP_AUTH_CREDENTIAL_READER_H

#include <stdbool.h>

#include "auth-svc/credential/config.h"

/* What the credential at a place is read with. */
struct credential_site {
  struct credential_config *config;
  const char *scope; /* of the tokens it gives */
  /* Settings of ours that stand beside Google's in dealers.json. */
  bool self_signed;
  const char *subject;
  const char *quota_project;
};

/* A URL that secrets may be sent to: https, or plain http to loopback; or to a metadata address. */
field_check field_secure_url, field_metadata_url;
/* "quota_project_id" of an object, unless dealers.json has another. */
static inline const char *field_quota(const struct field_at *p, const char *own)
{
  return p->site->quota_project != NULL ? p->site->quota_project : own;
}

/* Reads one type of credential. */
typedef enum err_code credential_read_fn(struct credential **out, const struct field_at *p,
                                         const cJSON *object);
credential_read_fn read_authorized_user, read_service_account, read_external_account,
    read_impersonated;
/* The one that reads a type; NULL when there is none. */
credential_read_fn *credential_reader_of(const char *type);
/* The path of a file that stands beside dealers.json; free() it. */
char *field_path(const struct field_at *p, const char *file);

#endif
