/* Application Default Credentials: looks where Google's own clients look, in their order. */
#include <string.h>

#include "auth-svc/credential/config.h"
#include "auth-svc/credential/credential.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"

enum { PROJECT_ID_MAX = 100 };

/* Where gcloud leaves its file (facts: ADC order). NULL when there is no home. */
static char *well_known_path(void)
{
  const char *config = config_text("CLOUDSDK_CONFIG"), *home = config_text("HOME");
  if (config != NULL)
    return xasprintf("%s/application_default_credentials.json", config);
  if (home != NULL)
    return xasprintf("%s/.config/gcloud/application_default_credentials.json", home);
  return NULL;
}

static enum err_code find_metadata(struct credential **out, const char *looked_at, bool offline,
                                   struct err *e)
{
  const char *host = credential_metadata_host();
  const char *off = config_text("NO_GCE_CHECK");
  bool ask = off == NULL || !ascii_case_equal(off, "true");
  if (ask && (offline || credential_metadata_detect(host))) {
    *out = credential_new_metadata(host, ANALYTICS_SCOPE);
    return ERR_OK;
  }
  return err_set(e, ERR_NOT_FOUND, "no_credentials",
                 "no Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, "
                 "there is no %s, and %s%s; set GOOGLE_APPLICATION_CREDENTIALS to a credential "
                 "file, or run gcloud auth application-default login",
                 looked_at != NULL ? looked_at : "HOME",
                 ask ? "no metadata server answers at " : "NO_GCE_CHECK=true", ask ? host : "");
}

/* Whose quota is used by credentials that name nobody: what Google's own clients read for it, then
 * the project of the installation. NULL for none. */
static const char *project_of_environment(const char **variable)
{
  static const char *const names[] = {"GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_PROJECT"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    const char *value = config_text(*variable = names[i]);
    if (value != NULL)
      return value;
  }
  return NULL;
}

/* It becomes a header (x-goog-user-project). Ids of projects are lower-case letters, digits and
 * hyphens; those of a domain begin with its name and a colon. */
static bool is_project(const char *text)
{
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.:");
  return text[n] == '\0' && n <= PROJECT_ID_MAX;
}

static enum err_code find(struct credential **out, const char *explicit_path, bool offline,
                          struct err *e)
{
  if (explicit_path != NULL)
    return credential_from_file(out, "GOOGLE_APPLICATION_CREDENTIALS", explicit_path, e);
  AUTO_FREE char *path = well_known_path();
  struct err found = {0};
  enum err_code code =
      path != NULL ? credential_from_file(out, "Application Default Credentials", path, &found)
                   : ERR_NOT_FOUND;
  if (code == ERR_NOT_FOUND)
    return find_metadata(out, path, offline, e);
  if (code != ERR_OK && e != NULL)
    *e = found;
  return code;
}

enum err_code credential_find_adc(struct credential **out, const char *explicit_path, bool offline,
                                  struct err *e)
{
  const char *variable, *project = project_of_environment(&variable);
  if (project != NULL && !is_project(project))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_quota_project",
                   "%s: must be the id of a Google Cloud project, such as analytics-prod-1",
                   variable);
  enum err_code code = find(out, explicit_path, offline, e);
  if (code == ERR_OK && project != NULL && (*out)->quota_project == NULL)
    (*out)->quota_project = xstrdup(project);
  return code;
}
