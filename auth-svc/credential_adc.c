/* Application Default Credentials: finds and reads Google's credential files. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/credential.h"
#include "auth-svc/secret_file.h"
#include "auth-svc/token_exchange.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { ADC_FILE_MAX = 64 * 1024 };

/* A member that must be there; sets the error once. */
static const char *need(const cJSON *root, const char *key, const char *source, struct err *e)
{
  const char *s = json_get_string(root, key);
  if (s != NULL && *s != '\0')
    return s;
  if (e != NULL && e->code == ERR_OK)
    err_set(e, ERR_INVALID_ARGUMENT, "bad_credential_file", "%s: %s: must be a non-empty string",
            source, key);
  return NULL;
}

static enum err_code read_authorized_user(struct credential **out, const char *source,
                                          const cJSON *root, struct err *e)
{
  const char *id = need(root, "client_id", source, e);
  const char *client_secret = need(root, "client_secret", source, e);
  const char *refresh = need(root, "refresh_token", source, e);
  if (id == NULL || client_secret == NULL || refresh == NULL)
    return ERR_INVALID_ARGUMENT;
  *out =
      credential_new_refresh_token(id, client_secret, refresh, json_get_string(root, "token_uri"),
                                   json_get_string(root, "quota_project_id"));
  return ERR_OK;
}

static enum err_code read_service_account(struct credential **out, const char *source,
                                          const cJSON *root, struct err *e)
{
  const char *email = need(root, "client_email", source, e);
  const char *key = need(root, "private_key", source, e);
  if (email == NULL || key == NULL)
    return ERR_INVALID_ARGUMENT;
  return credential_new_service_account(
      out, source, email, key, json_get_string(root, "private_key_id"),
      json_get_string(root, "token_uri"), json_get_string(root, "quota_project_id"), e);
}

static enum err_code read_root(struct credential **out, const char *source, const cJSON *root,
                               struct err *e)
{
  char host[256];
  const char *type = json_get_string(root, "type");
  const char *token_uri = json_get_string(root, "token_uri");
  if (token_uri != NULL && !url_host(token_uri, host, sizeof(host)))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_credential_file",
                   "%s: token_uri: must be an https URL", source);
  if (type != NULL && strcmp(type, "authorized_user") == 0)
    return read_authorized_user(out, source, root, e);
  if (type != NULL && strcmp(type, "service_account") == 0)
    return read_service_account(out, source, root, e);
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_credential_file",
                 "%s: type: must be \"authorized_user\" or \"service_account\"", source);
}

enum err_code credential_from_adc_json(struct credential **out, const char *source,
                                       const char *text, size_t len, struct err *e)
{
  struct err local = {0};
  if (e == NULL)
    e = &local;
  *e = (struct err){0};
  AUTO_JSON cJSON *root = NULL;
  enum err_code code = json_parse(&root, text, len, NULL, e);
  if (code != ERR_OK) {
    err_prefix(e, "%s: ", source);
    return code;
  }
  code = read_root(out, source, root, e);
  for (cJSON *c = root->child; c != NULL; c = c->next)
    if (cJSON_IsString(c))
      mem_wipe(c->valuestring, strlen(c->valuestring));
  return code;
}

/* Where gcloud leaves its file (facts: ADC order). NULL when there is no home. */
static char *well_known_path(void)
{
  const char *config = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME");
  if (config != NULL && *config != '\0')
    return xasprintf("%s/application_default_credentials.json", config);
  if (home != NULL && *home != '\0')
    return xasprintf("%s/.config/gcloud/application_default_credentials.json", home);
  return NULL;
}

enum err_code credential_find_adc(struct credential **out, const char *explicit_path, struct err *e)
{
  AUTO_FREE char *path = explicit_path != NULL ? xstrdup(explicit_path) : well_known_path();
  const char *what =
      explicit_path != NULL ? "GOOGLE_APPLICATION_CREDENTIALS" : "Application Default Credentials";
  if (path == NULL)
    return err_set(e, ERR_NOT_FOUND, "no_credentials",
                   "no credentials: set GOOGLE_APPLICATION_CREDENTIALS or HOME");
  AUTO_WIPED_BUF struct buf text = BUF_INIT(ADC_FILE_MAX);
  enum err_code code = secret_file_read(&text, what, path, ADC_FILE_MAX, true, e);
  return code != ERR_OK ? code : credential_from_adc_json(out, path, text.data, text.len, e);
}
