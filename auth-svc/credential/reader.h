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

/* Which hosts a URL may name with plain http, beside loopback. */
enum url_rule { URL_SECURE, URL_METADATA };

/* Keys of Google's that are known and not read: text where they are there at all. */
enum err_code field_unread(const struct field_at *p, const cJSON *object, const char *const *keys,
                           size_t n);
enum err_code field_url(const struct field_at *p, const cJSON *object, const char *key,
                        enum presence presence, enum url_rule rule, const char **out);
/* "quota_project_id", unless dealers.json has another. */
enum err_code field_quota(const struct field_at *p, const cJSON *object, const char **out);

/* Reads one type of credential. */
typedef enum err_code credential_read_fn(struct credential **out, const struct field_at *p,
                                         const cJSON *object);
credential_read_fn read_authorized_user, read_service_account, read_external_account,
    read_impersonated;

#endif
