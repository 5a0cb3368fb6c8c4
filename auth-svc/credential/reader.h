/* What the readers of credentials and of the policy file share; nobody else includes it. */
#ifndef AMCP_AUTH_CREDENTIAL_READER_H
#define AMCP_AUTH_CREDENTIAL_READER_H

#include <stdbool.h>

#include "auth-svc/credential/config.h"

enum {
  CONFIG_PATH_MAX = 160,
  CONFIG_SECRET_MAX = 4096, /* bytes of a client id, secret, refresh token or header */
  CONFIG_NAME_MAX = 512,    /* of an audience, email, path */
  CONFIG_PEM_MAX = 16 * 1024,
  CONFIG_URL_MAX = 1024,
};

/* An object being read. */
struct place {
  struct credential_config *config;
  bool strict;       /* refuse unknown keys */
  const char *scope; /* of the tokens it gives */
  char path[CONFIG_PATH_MAX];
  /* Settings of ours that stand beside Google's in dealers.json. */
  bool self_signed;
  const char *subject;
  const char *quota_project;
};

enum presence { REQUIRED, OPTIONAL };

/* Which hosts a URL may name with plain http, beside loopback. */
enum url_rule { URL_SECURE, URL_METADATA };

enum err_code place_refuse(const struct place *p, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The object under a key; *child is where it stands. */
enum err_code place_object(const struct place *p, const cJSON *object, const char *key,
                           enum presence presence, struct place *child, const cJSON **out);
/* Only these keys, where that is asked for. */
enum err_code place_keys(const struct place *p, const cJSON *object, const char *const *known,
                         size_t n);
/* Keys of Google's that are known and not read: text where they are there at all. */
enum err_code place_unread(const struct place *p, const cJSON *object, const char *const *keys,
                           size_t n);
bool config_has_control(const char *s);
/* A line of text; *out stays NULL when it is absent and OPTIONAL. Lives as long as the JSON. */
enum err_code place_text(const struct place *p, const cJSON *object, const char *key,
                         enum presence presence, size_t max, const char **out);
enum err_code place_url(const struct place *p, const cJSON *object, const char *key,
                        enum presence presence, enum url_rule rule, const char **out);
/* "quota_project_id", unless dealers.json has another. */
enum err_code place_quota(const struct place *p, const cJSON *object, const char **out);

/* Reads one type of credential. */
typedef enum err_code credential_read_fn(struct credential **out, const struct place *p,
                                         const cJSON *object);
credential_read_fn read_authorized_user, read_service_account, read_external_account,
    read_impersonated;

#endif
