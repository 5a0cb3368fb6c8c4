/* Application Default Credentials: looks where Google's own clients look, in their order. */
#include <string.h>

#include "auth-svc/credential/config.h"
#include "auth-svc/credential/credential.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

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

static enum err_code find_metadata(struct credential **out, const char *looked_at, bool offline,
                                   struct err *e)
{
  const char *host = credential_metadata_host();
  const char *off = getenv("NO_GCE_CHECK");
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

enum err_code credential_find_adc(struct credential **out, const char *explicit_path, bool offline,
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
