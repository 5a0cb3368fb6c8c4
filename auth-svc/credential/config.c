/* Chooses the credential of a dealer and reads the simple kinds. */
#include "auth-svc/credential/config.h"

#include <stdio.h>
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/reader.h"
#include "auth-svc/secret/json.h"
#include "common/base/config.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { FILE_MAX = 64 * 1024 };

const char *const credential_config_keys[5] = {"oauth", "service_account", "external_account",
                                               "impersonated_service_account", "adc"};

/* -------------------------------------------------------------------- simple kinds */

enum err_code read_authorized_user(struct credential **out, const struct field_at *p,
                                   const cJSON *object)
{
  const char *id, *secret, *refresh, *token_uri, *quota;
  const struct field fields[] = {
      {"client_id", REQUIRED, FIELD_SECRET_MAX, &id, NULL},
      {"client_secret", REQUIRED, FIELD_SECRET_MAX, &secret, NULL},
      {"refresh_token", REQUIRED, FIELD_SECRET_MAX, &refresh, NULL},
      {"token_uri", OPTIONAL, FIELD_URL_MAX, &token_uri, field_secure_url},
      {"quota_project_id", OPTIONAL, FIELD_NAME_MAX, &quota, NULL},
      FIELD_ELSEWHERE("type"),
      FIELD_UNREAD("account"),
      FIELD_UNREAD("universe_domain")};
  enum err_code code = field_read(p, object, fields, ARRAY_LEN(fields));
  if (code != ERR_OK)
    return code;
  *out = credential_new_refresh_token(id, secret, refresh, token_uri, field_quota(p, quota),
                                      strcmp(p->site->scope, ANALYTICS_SCOPE) != 0);
  return ERR_OK;
}

enum err_code read_service_account(struct credential **out, const struct field_at *p,
                                   const cJSON *object)
{
  struct service_account_options o = {
      .scope = p->site->scope, .subject = p->site->subject, .self_signed = p->site->self_signed};
  const struct field fields[] = {
      {"client_email", REQUIRED, FIELD_NAME_MAX, &o.client_email, NULL},
      {"private_key", REQUIRED, FIELD_PEM_MAX, &o.private_key, NULL},
      {"private_key_id", OPTIONAL, FIELD_NAME_MAX, &o.private_key_id, NULL},
      {"token_uri", OPTIONAL, FIELD_URL_MAX, &o.token_uri, field_secure_url},
      FIELD_ELSEWHERE("self_signed"),
      FIELD_ELSEWHERE("subject"),
      {"quota_project_id", OPTIONAL, FIELD_NAME_MAX, &o.quota_project, NULL},
      FIELD_ELSEWHERE("type"),
      FIELD_UNREAD("project_id"),
      FIELD_UNREAD("client_id"),
      FIELD_UNREAD("auth_uri"),
      FIELD_UNREAD("auth_provider_x509_cert_url"),
      FIELD_UNREAD("client_x509_cert_url"),
      FIELD_UNREAD("universe_domain")};
  struct err e = {0};
  enum err_code code = field_read(p, object, fields, ARRAY_LEN(fields));
  o.quota_project = code == ERR_OK ? field_quota(p, o.quota_project) : NULL;
  if (code == ERR_OK && credential_new_service_account(out, &o, &e) != ERR_OK)
    code = field_refuse(p, "private_key", "%s", e.message);
  return code;
}

/* ------------------------------------------------------------------ choice by type */

static const struct {
  const char *type;
  credential_read_fn *read;
} kinds[] = {{"authorized_user", read_authorized_user},
             {"service_account", read_service_account},
             {"external_account", read_external_account},
             {"impersonated_service_account", read_impersonated}};

static size_t kind_of(const char *type)
{
  size_t i = 0;
  while (i < ARRAY_LEN(kinds) && (type == NULL || strcmp(kinds[i].type, type) != 0))
    i++;
  return i;
}

credential_read_fn *credential_reader_of(const char *type)
{
  size_t kind = kind_of(type);
  return kind < ARRAY_LEN(kinds) ? kinds[kind].read : NULL;
}

/* `kind` ARRAY_LEN(kinds) takes every type. */
static enum err_code read_file_root(struct credential **out, const struct field_at *p,
                                    const cJSON *root, size_t kind)
{
  size_t found = kind_of(json_get_string(root, "type"));
  if (found == ARRAY_LEN(kinds))
    return field_refuse(p, "type",
                        "must be \"authorized_user\", \"service_account\", \"external_account\" or "
                        "\"impersonated_service_account\"");
  if (kind < ARRAY_LEN(kinds) && found != kind)
    return field_refuse(p, "type", "is \"%s\"; move the file under \"%s\"", kinds[found].type,
                        credential_config_keys[found]);
  return kinds[found].read(out, p, root);
}

/* ----------------------------------------------------------------- Google's own files */

/* A fault in a file of its own. */
struct file_fault {
  const char *source;
  const char *text;
  size_t len;
  const struct field_at *outer; /* the {"file": ...} of dealers.json; NULL: e gets the fault */
  struct err *e;
};

static enum err_code refuse_in_file(void *user, const char *field, const char *why)
{
  const struct file_fault *f = user;
  char text[400];
  snprintf(text, sizeof(text), "%.150s line %zu: %s%s%s", f->source,
           field_line_of(f->text, f->len, field), field, *field != '\0' ? ": " : "", why);
  if (f->outer != NULL)
    return field_refuse(f->outer, "file", "%s", text);
  return err_set(f->e, ERR_INVALID_ARGUMENT, "bad_credential_file", "%s", text);
}

/* `beside` is what dealers.json adds; may be NULL. */
static enum err_code read_text(struct credential **out, struct file_fault *fault,
                               const struct credential_site *beside, size_t kind)
{
  struct credential_config config = {.fields = {.refuse = refuse_in_file, .user = fault}};
  struct credential_site site = beside != NULL ? *beside : (struct credential_site){0};
  const struct field_at p = {.reader = &config.fields, .site = &site};
  AUTO_WIPED_JSON cJSON *root = NULL;
  struct err e = {0};
  site.config = &config;
  site.scope = ANALYTICS_SCOPE;
  if (json_parse(&root, fault->text, fault->len, NULL, &e) != ERR_OK)
    return fault->outer != NULL
               ? field_refuse(fault->outer, "file", "%.150s: %s", fault->source, e.message)
               : err_set(fault->e, ERR_INVALID_ARGUMENT, "bad_credential_file", "%s: %s",
                         fault->source, e.message);
  return read_file_root(out, &p, root, kind);
}

enum err_code credential_from_adc_json(struct credential **out, const char *source,
                                       const char *text, size_t len, struct err *e)
{
  struct file_fault fault = {source, text, len, NULL, e};
  return read_text(out, &fault, NULL, ARRAY_LEN(kinds));
}

enum err_code credential_from_file(struct credential **out, const char *what, const char *path,
                                   struct err *e)
{
  AUTO_BUF struct buf text = BUF_SECRET(FILE_MAX);
  enum err_code code = file_read(&text, what, path, FILE_MAX, true, e);
  return code != ERR_OK ? code : credential_from_adc_json(out, path, text.data, text.len, e);
}

/* ------------------------------------------------------------------------ dealers.json */

char *field_path(const struct field_at *p, const char *file)
{
  const char *dir = p->site->config->dir;
  bool relative = file[0] != '/' && dir != NULL;
  return xasprintf("%s%s%s", relative ? dir : "",
                   relative && dir[strlen(dir) - 1] != '/' ? "/" : "", file);
}

/* {"file": "path", ...}: relative to the folder of dealers.json. */
static enum err_code read_named_file(struct credential **out, const struct field_at *p,
                                     const char *file, size_t kind)
{
  const struct credential_config *config = p->site->config;
  AUTO_FREE char *path = field_path(p, file);
  AUTO_BUF struct buf text = BUF_SECRET(FILE_MAX);
  struct err e = {0};
  bool ok = file_read(&text, "credential file", path, FILE_MAX, true, &e) == ERR_OK;
  if (config->on_file != NULL)
    config->on_file(config->fields.user, path, ok ? text.data : NULL, text.len);
  if (!ok)
    return field_refuse(p, "file", "%s", e.message);
  struct file_fault fault = {path, text.data, text.len, p, NULL};
  return read_text(out, &fault, p->site, kind);
}

static enum err_code read_switch(const struct field_at *p, const cJSON *object, const char *key,
                                 bool *out)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
  if (v != NULL && !cJSON_IsBool(v))
    return field_refuse(p, key, "must be true or false");
  *out = cJSON_IsTrue(v);
  return ERR_OK;
}

/* What dealers.json says beside Google's own members. */
static enum err_code read_settings(struct credential_site *site, const struct field_at *p,
                                   const cJSON *object, size_t kind)
{
  enum err_code code =
      field_text(p, object, "quota_project_id", OPTIONAL, FIELD_NAME_MAX, &site->quota_project);
  if (code != ERR_OK || kinds[kind].read != read_service_account)
    return code;
  code = read_switch(p, object, "self_signed", &site->self_signed);
  if (code == ERR_OK)
    code = field_text(p, object, "subject", OPTIONAL, FIELD_NAME_MAX, &site->subject);
  if (code == ERR_OK && site->self_signed && site->subject != NULL)
    code = field_refuse(p, "subject",
                        "cannot be combined with self_signed: acting for a user needs Google's "
                        "token endpoint; leave one of them out");
  return code;
}

static enum err_code read_reference(struct credential **out, const struct field_at *p,
                                    const cJSON *object, size_t kind)
{
  const char *file = NULL;
  const struct field fields[] = {{"file", REQUIRED, FIELD_NAME_MAX, &file, NULL},
                                 FIELD_ELSEWHERE("quota_project_id"),
                                 FIELD_ELSEWHERE("self_signed"),
                                 FIELD_ELSEWHERE("subject")};
  size_t n = kinds[kind].read == read_service_account ? 4 : 2;
  enum err_code code = field_read(p, object, fields, n);
  return code != ERR_OK ? code : read_named_file(out, p, file, kind);
}

static enum err_code read_kind(struct credential **out, const struct field_at *dealer,
                               const cJSON *object, size_t kind)
{
  struct credential_site site = *dealer->site;
  struct field_at p = {0};
  const cJSON *value = NULL;
  enum err_code code =
      field_object(dealer, object, credential_config_keys[kind], REQUIRED, &p, &value);
  p.site = &site;
  if (code == ERR_OK)
    code = read_settings(&site, &p, value, kind);
  if (code != ERR_OK)
    return code;
  if (cJSON_GetObjectItemCaseSensitive(value, "file") != NULL)
    return read_reference(out, &p, value, kind);
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(value, "type");
  if (type != NULL && (!cJSON_IsString(type) || strcmp(type->valuestring, kinds[kind].type) != 0))
    return field_refuse(&p, "type", "must be \"%s\" here, or left out", kinds[kind].type);
  return kinds[kind].read(out, &p, value);
}

static enum err_code read_adc(struct credential **out, const struct field_at *dealer,
                              const cJSON *object)
{
  struct credential **adc = &dealer->site->config->adc;
  struct err e = {0};
  const char *path = config_text("GOOGLE_APPLICATION_CREDENTIALS");
  if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "adc")))
    return field_refuse(dealer, "adc", "must be true; leave it out for another credential");
  enum err_code code = ERR_OK;
  if (*adc == NULL)
    code = credential_find_adc(adc, path, dealer->site->config->offline, &e);
  if (code != ERR_OK)
    return field_refuse(dealer, "adc", "%s", e.message);
  *out = credential_ref(*adc);
  return ERR_OK;
}

enum err_code credential_config_read(struct credential **out, struct credential_config *config,
                                     const cJSON *dealer)
{
  enum { NONE = ARRAY_LEN(credential_config_keys), ADC = NONE - 1 };
  const struct credential_site site = {.config = config, .scope = ANALYTICS_SCOPE};
  const struct field_at p = {.reader = &config->fields, .strict = true, .site = &site};
  size_t found = NONE;
  for (size_t i = 0; i < NONE; i++) {
    if (cJSON_GetObjectItemCaseSensitive(dealer, credential_config_keys[i]) == NULL)
      continue;
    if (found != NONE)
      return field_refuse(&p, credential_config_keys[i],
                          "cannot be combined with \"%s\"; a dealer has exactly one credential",
                          credential_config_keys[found]);
    found = i;
  }
  if (found == NONE)
    return field_refuse(&p, "",
                        "has no credential; give exactly one of oauth, service_account, "
                        "external_account, impersonated_service_account, adc");
  return found == ADC ? read_adc(out, &p, dealer) : read_kind(out, &p, dealer, found);
}

void credential_config_clear(struct credential_config *config)
{
  credential_unref(TAKE_PTR(config->adc));
}
