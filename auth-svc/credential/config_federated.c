/* Reads external_account and impersonated_service_account. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/credential/impersonation.h"
#include "auth-svc/credential/reader.h"
#include "auth-svc/credential/subject_token.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define AWS_TOKEN_TYPE "urn:ietf:params:aws:token-type:aws4_request"
#define AWS_VERIFICATION_URL                                                                       \
  "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"

enum { HEADER_NAME_MAX = 64 };

/* -------------------------------------------------------------------- impersonation */

static enum err_code read_life(const struct field_at *p, const cJSON *object, int64_t *life_s)
{
  static const char *const known[] = {"token_lifetime_seconds"};
  struct field_at child;
  const cJSON *o = NULL;
  enum err_code code =
      field_object(p, object, "service_account_impersonation", OPTIONAL, &child, &o);
  if (code != ERR_OK || o == NULL)
    return code;
  code = field_keys(&child, o, known, ARRAY_LEN(known));
  return code != ERR_OK ? code
                        : field_number(&child, o, known[0], IMPERSONATION_LIFE_MIN_S,
                                       IMPERSONATION_LIFE_MAX_S, " of seconds", life_s);
}

static enum err_code read_delegates(const struct field_at *p, const cJSON *object,
                                    const char *out[IMPERSONATION_MAX_DELEGATES], size_t *n)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "delegates");
  if (list == NULL)
    return ERR_OK;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > IMPERSONATION_MAX_DELEGATES)
    return field_refuse(p, "delegates", "must be an array of at most %d service accounts",
                        IMPERSONATION_MAX_DELEGATES);
  for (const cJSON *v = list->child; v != NULL; v = v->next) {
    char key[32];
    snprintf(key, sizeof(key), "delegates[%zu]", *n);
    if (!cJSON_IsString(v) || strchr(v->valuestring, '@') == NULL ||
        strlen(v->valuestring) > FIELD_NAME_MAX || field_has_control(v->valuestring))
      return field_refuse(p, key,
                          "must be the email of a service account, or "
                          "\"projects/-/serviceAccounts/EMAIL\"");
    out[(*n)++] = v->valuestring;
  }
  return ERR_OK;
}

/* *out stays NULL when there is no URL and it is OPTIONAL. */
static enum err_code read_impersonation(const struct field_at *p, const cJSON *object,
                                        enum presence presence, struct impersonation **out)
{
  static const char key[] = "service_account_impersonation_url", end[] = ":generateAccessToken";
  const char *url = NULL, *delegates[IMPERSONATION_MAX_DELEGATES];
  size_t n = 0;
  int64_t life_s = IMPERSONATION_LIFE_S;
  enum err_code code = field_text(p, object, key, presence, FIELD_URL_MAX, &url);
  if (code == ERR_OK && url != NULL)
    code = field_secure_url(p, key, url);
  if (code == ERR_OK && url != NULL &&
      (strlen(url) < strlen(end) || strcmp(url + strlen(url) - strlen(end), end) != 0))
    code = field_refuse(p, key, "must end in serviceAccounts/EMAIL%s", end);
  if (code == ERR_OK)
    code = read_life(p, object, &life_s);
  if (code == ERR_OK)
    code = read_delegates(p, object, delegates, &n);
  if (code == ERR_OK && url != NULL)
    *out = impersonation_new(url, p->site->scope, life_s, delegates, n);
  return code;
}

/* ------------------------------------------------------------------ subject tokens */

static enum err_code check_format_type(const struct field_at *p, const char *key, const char *type)
{
  return strcmp(type, "text") == 0 || strcmp(type, "json") == 0
             ? ERR_OK
             : field_refuse(p, key, "must be \"text\" or \"json\"");
}

static enum err_code read_format(const struct field_at *p, const cJSON *source,
                                 const char **json_field)
{
  struct field_at child;
  const cJSON *o = NULL;
  enum err_code code = field_object(p, source, "format", OPTIONAL, &child, &o);
  if (code != ERR_OK || o == NULL)
    return code;
  const char *type = json_get_string(o, "type"), *name = NULL;
  bool json = type != NULL && strcmp(type, "json") == 0;
  const struct field fields[] = {
      {"type", OPTIONAL, FIELD_NAME_MAX, &type, check_format_type},
      {"subject_token_field_name", json ? REQUIRED : OPTIONAL, FIELD_NAME_MAX, &name, NULL}};
  code = field_read(&child, o, fields, ARRAY_LEN(fields));
  *json_field = json ? name : NULL;
  return code;
}

static enum err_code read_file_source(const struct field_at *p, const cJSON *source,
                                      struct subject_source **out)
{
  const char *file = NULL;
  const char *json_field = NULL;
  const struct field fields[] = {{"file", REQUIRED, FIELD_NAME_MAX, &file, NULL},
                                 FIELD_ELSEWHERE("format")};
  enum err_code code = field_read(p, source, fields, ARRAY_LEN(fields));
  if (code == ERR_OK)
    code = read_format(p, source, &json_field);
  if (code != ERR_OK)
    return code;
  AUTO_FREE char *path = field_path(p, file);
  *out = subject_from_file(path, json_field);
  return ERR_OK;
}

static enum err_code read_headers(const struct field_at *p, const cJSON *source,
                                  struct http_header headers[SUBJECT_MAX_HEADERS], size_t *n)
{
  struct field_at child;
  const cJSON *o = NULL;
  enum err_code code = field_object(p, source, "headers", OPTIONAL, &child, &o);
  for (const cJSON *v = o != NULL ? o->child : NULL; v != NULL && code == ERR_OK; v = v->next) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_";
    const char *value = NULL;
    if (*n == SUBJECT_MAX_HEADERS)
      return field_refuse(p, "headers", "more than %d headers", SUBJECT_MAX_HEADERS);
    if (v->string[0] == '\0' || strlen(v->string) > HEADER_NAME_MAX ||
        v->string[strspn(v->string, alphabet)] != '\0')
      return field_refuse(p, "headers", "\"%.40s\" is not the name of a header", v->string);
    code = field_text(&child, o, v->string, REQUIRED, FIELD_SECRET_MAX, &value);
    headers[(*n)++] = (struct http_header){v->string, value};
  }
  return code;
}

static enum err_code read_url_source(const struct field_at *p, const cJSON *source,
                                     struct subject_source **out)
{
  const char *url = NULL;
  const char *json_field = NULL;
  struct http_header headers[SUBJECT_MAX_HEADERS];
  size_t n = 0;
  const struct field fields[] = {{"url", REQUIRED, FIELD_URL_MAX, &url, field_metadata_url},
                                 FIELD_ELSEWHERE("headers"),
                                 FIELD_ELSEWHERE("format")};
  enum err_code code = field_read(p, source, fields, ARRAY_LEN(fields));
  if (code == ERR_OK)
    code = read_headers(p, source, headers, &n);
  if (code == ERR_OK)
    code = read_format(p, source, &json_field);
  if (code == ERR_OK)
    *out = subject_from_url(url, headers, n, json_field);
  return code;
}

static enum err_code check_environment(const struct field_at *p, const char *key, const char *id)
{
  return strcmp(id, "aws1") == 0 ? ERR_OK : field_refuse(p, key, "must be \"aws1\"");
}

static enum err_code read_aws_source(const struct field_at *p, const cJSON *source,
                                     const char *audience, struct subject_source **out)
{
  struct subject_aws_options o = {.audience = audience};
  const char *id = NULL;
  const struct field fields[] = {
      {"environment_id", REQUIRED, FIELD_NAME_MAX, &id, check_environment},
      {"region_url", OPTIONAL, FIELD_URL_MAX, &o.region_url, field_metadata_url},
      {"url", OPTIONAL, FIELD_URL_MAX, &o.url, field_metadata_url},
      {"imdsv2_session_token_url", OPTIONAL, FIELD_URL_MAX, &o.imds_token_url, field_metadata_url},
      {"regional_cred_verification_url", OPTIONAL, FIELD_URL_MAX, &o.verification_url,
       field_secure_url}};
  enum err_code code = field_read(p, source, fields, ARRAY_LEN(fields));
  if (code != ERR_OK)
    return code;
  if (o.verification_url == NULL)
    o.verification_url = AWS_VERIFICATION_URL;
  *out = subject_from_aws(&o);
  return ERR_OK;
}

enum source_kind { SOURCE_FILE, SOURCE_URL, SOURCE_AWS, N_SOURCES };

static const char *const source_keys[] = {"file",           "url",
                                          "headers",        "format",
                                          "region_url",     "regional_cred_verification_url",
                                          "environment_id", "imdsv2_session_token_url"};

static const struct {
  const char *name;
  const char *const *keys;
  size_t n;
} sources[N_SOURCES] = {
    {"file", (const char *const[]){"file", "format"}, 2},
    {"url", (const char *const[]){"url", "headers", "format"}, 3},
    {"environment_id",
     (const char *const[]){"environment_id", "region_url", "url", "regional_cred_verification_url",
                           "imdsv2_session_token_url"},
     5}};

static bool has(const cJSON *object, const char *key)
{
  return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

/* What Google's libraries know and we do not, with what to do instead. */
static enum err_code refuse_unsupported(const struct field_at *p, const cJSON *s)
{
  const char *key = has(s, "executable") ? "executable" : "certificate";
  if (!has(s, key))
    return ERR_OK;
  return field_refuse(p, key,
                      "is not supported: %s; let a sidecar write the token and name its file in "
                      "credential_source.file",
                      strcmp(key, "executable") == 0 ? "auth-svc runs no programs"
                                                     : "auth-svc has no X.509 source");
}

/* Exactly one source, and nothing of another: what is not read must not look as if it were. */
static enum err_code choose_source(const struct field_at *p, const cJSON *s, enum source_kind *kind)
{
  char advice[FIELD_ADVICE_MAX];
  bool aws = has(s, "environment_id"), url = has(s, "url"), file = has(s, "file");
  enum err_code code = refuse_unsupported(p, s);
  if (code == ERR_OK && !aws && !url && !file)
    code = field_keys(p, s, source_keys, ARRAY_LEN(source_keys));
  if (code == ERR_OK && file + (url || aws) != 1)
    code = field_refuse(p, "", "must hold exactly one of file, url and environment_id (\"aws1\")");
  if (code != ERR_OK)
    return code;
  *kind = aws ? SOURCE_AWS : url ? SOURCE_URL : SOURCE_FILE;
  for (const cJSON *c = p->strict ? s->child : NULL; c != NULL; c = c->next)
    if (field_knows_key(c->string, source_keys, ARRAY_LEN(source_keys), advice, sizeof(advice)) &&
        !field_knows_key(c->string, sources[*kind].keys, sources[*kind].n, advice, sizeof(advice)))
      return field_refuse(p, c->string, "belongs to another source than \"%s\"; leave it out",
                          sources[*kind].name);
  return ERR_OK;
}

static enum err_code read_source(const struct field_at *p, const cJSON *object,
                                 const char *audience, bool aws_type, struct subject_source **out)
{
  struct field_at child;
  const cJSON *s = NULL;
  enum source_kind kind = SOURCE_FILE;
  enum err_code code = field_object(p, object, "credential_source", REQUIRED, &child, &s);
  if (code == ERR_OK)
    code = choose_source(&child, s, &kind);
  if (code != ERR_OK)
    return code;
  if ((kind == SOURCE_AWS) != aws_type)
    return field_refuse(p, "subject_token_type",
                        aws_type ? "of AWS needs credential_source.environment_id"
                                 : "must be " AWS_TOKEN_TYPE " with environment_id");
  return kind == SOURCE_AWS    ? read_aws_source(&child, s, audience, out)
         : kind == SOURCE_FILE ? read_file_source(&child, s, out)
                               : read_url_source(&child, s, out);
}

/* ----------------------------------------------------------------- external_account */

static enum err_code check_subject_type(const struct field_at *p, const char *key, const char *type)
{
  static const char *const types[] = {"urn:ietf:params:oauth:token-type:jwt",
                                      "urn:ietf:params:oauth:token-type:id_token",
                                      "urn:ietf:params:oauth:token-type:saml2", AWS_TOKEN_TYPE};
  if (TEXT_IS_IN(types, type))
    return ERR_OK;
  return field_refuse(p, key,
                      "must be urn:ietf:params:oauth:token-type:jwt, :id_token or "
                      ":saml2, or " AWS_TOKEN_TYPE);
}

static enum err_code check_audience(const struct field_at *p, const char *key, const char *text)
{
  if (strstr(text, "/workforcePools/") != NULL)
    return field_refuse(
        p, key, "names a workforce pool, which is for people; use a workload identity pool");
  if (strncmp(text, "//iam.", 6) != 0 || strstr(text, "/workloadIdentityPools/") == NULL)
    return field_refuse(p, key,
                        "must be //iam.googleapis.com/projects/NUMBER/locations/global/"
                        "workloadIdentityPools/POOL/providers/PROVIDER");
  return ERR_OK;
}

enum err_code read_external_account(struct credential **out, const struct field_at *p,
                                    const cJSON *object)
{
  bool impersonates = has(object, "service_account_impersonation_url");
  struct external_account_options o = {.scope =
                                           impersonates ? CLOUD_PLATFORM_SCOPE : p->site->scope};
  struct impersonation *impersonation = NULL;
  const struct field fields[] = {
      {"audience", REQUIRED, FIELD_NAME_MAX, &o.audience, check_audience},
      {"subject_token_type", REQUIRED, FIELD_NAME_MAX, &o.subject_token_type, check_subject_type},
      {"token_url", OPTIONAL, FIELD_URL_MAX, &o.token_url, field_secure_url},
      FIELD_ELSEWHERE("credential_source"),
      FIELD_ELSEWHERE("service_account_impersonation_url"),
      FIELD_ELSEWHERE("service_account_impersonation"),
      {"quota_project_id", OPTIONAL, FIELD_NAME_MAX, &o.quota_project, NULL},
      FIELD_ELSEWHERE("type"),
      FIELD_UNREAD("token_info_url"),
      FIELD_UNREAD("universe_domain")};
  if (has(object, "client_id"))
    return field_refuse(p, "client_id", "is for workforce pools; use a workload identity pool");
  enum err_code code = field_read(p, object, fields, ARRAY_LEN(fields));
  if (code == ERR_OK)
    code = read_source(p, object, o.audience, strcmp(o.subject_token_type, AWS_TOKEN_TYPE) == 0,
                       &o.source);
  if (code == ERR_OK)
    code = read_impersonation(p, object, OPTIONAL, &impersonation);
  if (code != ERR_OK) {
    subject_free(o.source);
    return code;
  }
  o.quota_project = field_quota(p, o.quota_project);
  *out = credential_new_external_account(&o);
  if (impersonation != NULL)
    *out = credential_new_impersonated("external_account", *out, impersonation, o.quota_project);
  return ERR_OK;
}

/* ------------------------------------------------------- impersonated_service_account */

static enum err_code read_source_credentials(struct credential **out, const struct field_at *p,
                                             const cJSON *object)
{
  struct field_at child;
  const cJSON *o = NULL;
  enum err_code code = field_object(p, object, "source_credentials", REQUIRED, &child, &o);
  if (code != ERR_OK)
    return code;
  const struct credential_site site = {.config = p->site->config, .scope = CLOUD_PLATFORM_SCOPE};
  child.site = &site;
  if (cJSON_GetObjectItemCaseSensitive(o, "self_signed") != NULL)
    return field_refuse(&child, "self_signed", "has no place in source_credentials; leave it out");
  if (cJSON_GetObjectItemCaseSensitive(o, "subject") != NULL)
    return field_refuse(&child, "subject", "has no place in source_credentials; leave it out");
  credential_read_fn *const read = credential_reader_of(json_get_string(o, "type"));
  if (read == NULL || read == read_impersonated)
    return field_refuse(&child, "type",
                        "must be \"authorized_user\", \"service_account\" or \"external_account\"");
  return read(out, &child, o);
}

enum err_code read_impersonated(struct credential **out, const struct field_at *p,
                                const cJSON *object)
{
  struct impersonation *impersonation = NULL;
  struct credential *source = NULL;
  const char *quota = NULL;
  const struct field fields[] = {FIELD_ELSEWHERE("source_credentials"),
                                 FIELD_ELSEWHERE("service_account_impersonation_url"),
                                 FIELD_ELSEWHERE("delegates"),
                                 FIELD_ELSEWHERE("service_account_impersonation"),
                                 {"quota_project_id", OPTIONAL, FIELD_NAME_MAX, &quota, NULL},
                                 FIELD_ELSEWHERE("type"),
                                 FIELD_UNREAD("universe_domain")};
  enum err_code code = field_read(p, object, fields, ARRAY_LEN(fields));
  if (code == ERR_OK)
    code = read_source_credentials(&source, p, object);
  if (code == ERR_OK)
    code = read_impersonation(p, object, REQUIRED, &impersonation);
  if (code == ERR_OK)
    *out = credential_new_impersonated("impersonated_service_account", source, impersonation,
                                       field_quota(p, quota));
  else
    credential_unref(source);
  return code;
}
