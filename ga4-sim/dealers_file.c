/* Writes dealers.json and the token files it refers to. */
#include "ga4-sim/dealers_file.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/base/file.h"
#include "ga4-sim/base/value.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/login/login.h"

enum { FILE_MAX = 4 * 1024 * 1024, TOKEN_LIFETIME_S = 24 * 3600 };

struct writer {
  struct sim *sim;
  char *dir; /* absolute */
  enum err_code code;
  struct err *e;
};

static cJSON *oauth_of(const struct sim *s, const struct world_property *p)
{
  AUTO_FREE char *token_uri = xasprintf("%s/token", s->base_url);
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "client_id", p->client_id);
  cJSON_AddStringToObject(json, "client_secret", p->client_secret);
  cJSON_AddStringToObject(json, "refresh_token", p->refresh_token);
  cJSON_AddStringToObject(json, "token_uri", token_uri);
  return json;
}

static cJSON *key_of(struct sim *s, int64_t identity)
{
  AUTO_BUF struct buf text = BUF_INIT(16 * 1024);
  service_account_key_json(s->service_accounts, service_accounts_of(s->service_accounts, identity),
                           s->base_url, &text);
  return cJSON_Parse(buf_str(&text));
}

/* The operator's consent, as gcloud stores it. */
static cJSON *operator_of(const struct sim *s)
{
  AUTO_FREE char *token_uri = xasprintf("%s/token", s->base_url);
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "type", "authorized_user");
  cJSON_AddStringToObject(json, "client_id", grants_operator_client_id(s->grants));
  cJSON_AddStringToObject(json, "client_secret", grants_operator_secret(s->grants));
  cJSON_AddStringToObject(json, "refresh_token", grants_operator_refresh_token(s->grants));
  cJSON_AddStringToObject(json, "token_uri", token_uri);
  return json;
}

static void add_impersonation(struct sim *s, cJSON *json, int64_t identity)
{
  AUTO_FREE char *url =
      xasprintf("%s/v1/projects/-/serviceAccounts/%s:generateAccessToken", s->base_url,
                service_accounts_of(s->service_accounts, identity)->email);
  cJSON_AddStringToObject(json, "service_account_impersonation_url", url);
}

/* Every other one starts from the agency's key, through no delegate. */
static cJSON *impersonated_of(struct sim *s, const struct world_property *p, size_t variant)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "type", "impersonated_service_account");
  add_impersonation(s, json, p->index);
  cJSON_AddItemToObject(json, "source_credentials",
                        variant % 2 == 0 ? operator_of(s) : key_of(s, IDENTITY_SERVICE_ACCOUNT));
  cJSON_AddArrayToObject(json, "delegates");
  return json;
}

/* A projected token of the dealer's subject, in a file of its own; answers its path. The text
 * has no newline, as the kubelet writes it: clients send it as it is. */
static char *write_token(struct writer *w, const struct world_property *p, bool as_json)
{
  AUTO_FREE char *sub = xasprintf(FEDERATION_DEALER_NAMESPACE "%s", p->dealer_id);
  AUTO_BUF struct buf token = BUF_INIT(JWT_MAX), text = BUF_INIT(2 * JWT_MAX);
  char *path = xasprintf("%s/%s.token%s", w->dir, p->dealer_id, as_json ? ".json" : "");
  oidc_mint(w->sim, sub, FEDERATION_OIDC, TOKEN_LIFETIME_S, &token);
  buf_printf(&text, as_json ? "{\"id_token\":\"%s\"}\n" : "%s", buf_str(&token));
  if (w->code == ERR_OK)
    w->code = file_write_private(path, &text, w->e);
  return path;
}

static void add_format(cJSON *source, const char *field)
{
  cJSON *format = cJSON_AddObjectToObject(source, "format");
  cJSON_AddStringToObject(format, "type", field == NULL ? "text" : "json");
  if (field != NULL)
    cJSON_AddStringToObject(format, "subject_token_field_name", field);
}

static void add_file_source(struct writer *w, cJSON *source, const struct world_property *p,
                            bool as_json)
{
  AUTO_FREE char *path = write_token(w, p, as_json);
  cJSON_AddStringToObject(source, "file", path);
  add_format(source, as_json ? "id_token" : NULL);
}

static void add_url_source(const struct sim *s, cJSON *source, const struct world_property *p)
{
  AUTO_BUF struct buf aud = BUF_INIT(512);
  percent_encode(&aud, FEDERATION_OIDC, strlen(FEDERATION_OIDC));
  AUTO_FREE char *url =
      xasprintf("%s/sim/projected-token?sub=" FEDERATION_DEALER_NAMESPACE "%s&aud=%s", s->base_url,
                p->dealer_id, buf_str(&aud));
  cJSON_AddStringToObject(source, "url", url);
  cJSON_AddStringToObject(cJSON_AddObjectToObject(source, "headers"), "X-Workload", p->dealer_id);
  add_format(source, "token");
}

static void add_aws_source(const struct sim *s, cJSON *source)
{
  static const char *const urls[][2] = {
      {"region_url", "/latest/meta-data/placement/availability-zone"},
      {"url", "/latest/meta-data/iam/security-credentials"},
      {"imdsv2_session_token_url", "/latest/api/token"}};
  cJSON_AddStringToObject(source, "environment_id", "aws1");
  for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
    AUTO_FREE char *url = xasprintf("%s%s", s->base_url, urls[i][1]);
    cJSON_AddStringToObject(source, urls[i][0], url);
  }
  cJSON_AddStringToObject(
      source, "regional_cred_verification_url",
      "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15");
}

/* In turn: a file of text, of JSON, AWS, a URL, a file without impersonation. */
static cJSON *external_of(struct writer *w, const struct world_property *p, size_t variant)
{
  enum { FILE_TEXT, FILE_JSON, AWS, URL, DIRECT, VARIANTS };
  struct sim *s = w->sim;
  AUTO_FREE char *token_url = xasprintf("%s/v1/token", s->base_url);
  cJSON *json = cJSON_CreateObject();
  size_t v = variant % VARIANTS;
  cJSON_AddStringToObject(json, "type", "external_account");
  cJSON_AddStringToObject(json, "audience", v == AWS ? FEDERATION_AWS : FEDERATION_OIDC);
  cJSON_AddStringToObject(json, "subject_token_type",
                          v == AWS ? "urn:ietf:params:aws:token-type:aws4_request"
                                   : "urn:ietf:params:oauth:token-type:jwt");
  cJSON_AddStringToObject(json, "token_url", token_url);
  if (v != DIRECT)
    add_impersonation(s, json, p->index);
  cJSON *source = cJSON_AddObjectToObject(json, "credential_source");
  if (v == AWS)
    add_aws_source(s, source);
  else if (v == URL)
    add_url_source(s, source, p);
  else
    add_file_source(w, source, p, v == FILE_JSON);
  return json;
}

static void add_credentials(struct writer *w, cJSON *dealer, const struct world_property *p)
{
  enum credential_kinds kinds = w->sim->options->credential_kinds;
  bool mixed = kinds == CREDENTIALS_MIXED;
  size_t variant = mixed ? p->index / 4 : p->index;
  switch (mixed ? (enum credential_kinds)(p->index % 4) : kinds) {
  case CREDENTIALS_SERVICE_ACCOUNT:
    cJSON_AddItemToObject(dealer, "service_account", key_of(w->sim, p->index));
    break;
  case CREDENTIALS_EXTERNAL_ACCOUNT:
    cJSON_AddItemToObject(dealer, "external_account", external_of(w, p, variant));
    break;
  case CREDENTIALS_IMPERSONATED:
    cJSON_AddItemToObject(dealer, "impersonated_service_account",
                          impersonated_of(w->sim, p, variant));
    break;
  case CREDENTIALS_OAUTH:
  case CREDENTIALS_MIXED:
    cJSON_AddItemToObject(dealer, "oauth", oauth_of(w->sim, p));
    break;
  }
}

static cJSON *dealer_of(struct writer *w, const struct world_property *p)
{
  cJSON *dealer = cJSON_CreateObject();
  cJSON_AddStringToObject(dealer, "account_id", p->account_id);
  cJSON_AddStringToObject(dealer, "dealer_id", p->dealer_id);
  cJSON_AddStringToObject(dealer, "name", p->dealer_name);
  cJSON_AddStringToObject(dealer, "region", p->region);
  cJSON_AddStringToObject(dealer, "city", p->city);
  cJSON_AddStringToObject(dealer, "state", p->state);
  cJSON_AddStringToObject(dealer, "owner", p->owner);
  cJSON *groups = cJSON_AddArrayToObject(dealer, "groups");
  cJSON_AddItemToArray(groups, cJSON_CreateString(p->owner_group));
  cJSON_AddItemToArray(groups, cJSON_CreateString(p->make_group));
  if (p->lead_event != NULL)
    cJSON_AddStringToObject(dealer, "lead_event", p->lead_event);
  add_credentials(w, dealer, p);
  cJSON_AddItemToArray(cJSON_AddArrayToObject(dealer, "properties"),
                       cJSON_CreateString(p->id_text));
  return dealer;
}

enum err_code dealers_file_write(struct sim *s, const char *path, struct err *e)
{
  AUTO_FREE char *copy = xstrdup(path);
  AUTO_FREE char *dir = realpath(dirname(copy), NULL);
  struct writer w = {.sim = s, .dir = dir, .e = e};
  if (dir == NULL)
    return err_set(e, ERR_UNAVAILABLE, "write", "cannot write %s: its folder does not exist", path);
  AUTO_JSON cJSON *root = cJSON_CreateObject();
  cJSON *dealers = cJSON_AddArrayToObject(root, "dealers");
  for (size_t i = 0; i < s->world->property_count; i++)
    cJSON_AddItemToArray(dealers, dealer_of(&w, &s->world->properties[i]));
  AUTO_BUF struct buf text = BUF_INIT(FILE_MAX), pretty = BUF_INIT(FILE_MAX);
  AUTO_FREE char *json = cJSON_PrintUnformatted(root);
  buf_puts(&text, json == NULL ? "{}" : json);
  value_pretty_json(&pretty, buf_str(&text), text.len);
  buf_putc(&pretty, '\n');
  return w.code != ERR_OK ? w.code : file_write_private(path, &pretty, e);
}
