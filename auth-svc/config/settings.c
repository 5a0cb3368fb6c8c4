/* Reads and cross-checks the settings. */
#include "auth-svc/config/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/config/await.h"
#include "auth-svc/credential/exchange.h"
#include "auth-svc/credential/field.h"
#include "auth-svc/credential/open_host.h"
#include "auth-svc/dealers/file.h"
#include "auth-svc/secret/secret.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/database/database.h"
#include "common/http/url.h"

#define DEFAULT_CREDENTIALS_PATH "config/dealers.json"
#define DEFAULT_GRANT_AUDIENCE "analytics-mcp"
#define DEFAULT_JWT_AUDIENCE "analytics-mcp"

enum { N_VARS = 55 };

static void describe(struct settings *s, struct config_var vars[N_VARS])
{
  const struct config_var table[] = {
      {"GRPC_LISTEN", CONFIG_HOSTPORT, &s->grpc_listen, "127.0.0.1:50051", 0, 0, false,
       "address where the rpcs are served"},
      {"ENABLE_AUTH", CONFIG_BOOL, &s->enable_auth, "true", 0, 0, false,
       "false: every caller may read everything; for local development"},
      {"GA_CREDENTIALS_PATH", CONFIG_STRING, &s->credentials_path, DEFAULT_CREDENTIALS_PATH, 0, 0,
       false, "file of the dealers and their credentials; read again when it changes"},
      {"GA_CREDENTIALS_WAIT_S", CONFIG_INT, &s->credentials_wait_s, "0", 0, 3600, false,
       "seconds to wait at the start for that file to appear; 0 ends the start when it is not "
       "there"},
      {"GA_CREDENTIALS_JSON", CONFIG_STRING, &s->credentials_json, NULL, 0, 0, true,
       "the same as text, instead of the file"},
      {"AUTH_CONFIG_CHECK_S", CONFIG_INT, &s->config_check_s, "10", 1, 3600, false,
       "seconds between looks at the file, where the system does not report changes"},
      {"AUTH_STATE_DIR", CONFIG_STRING, &s->state_dir, NULL, 0, 0, false,
       "folder for refresh tokens that a token endpoint issued in place of configured ones; of "
       "this process alone, on a disk that outlives it"},
      {"AUTH_STATE_PLAINTEXT", CONFIG_BOOL, &s->state_plaintext, "false", 0, 0, false,
       "true: without a keyring, they are written there unsealed"},
      {"DATABASE_URL", CONFIG_STRING, &s->database_url, NULL, 0, 0, true,
       "PostgreSQL that keeps connected dealers and links, for several replicas: "
       "postgresql://user:password@host/database; without it they are in AUTH_STATE_DIR"},
      {"AUTH_REFRESH_IN_USE_S", CONFIG_INT, &s->refresh_in_use_s, "5400", 60, 604800, false,
       "accounts used within this many seconds are refreshed ahead of time"},
      {"GOOGLE_APPLICATION_CREDENTIALS", CONFIG_STRING, &s->adc_path, NULL, 0, 0, false,
       "Google credential file for ENABLE_AUTH=false without a dealers file"},
      {"AUTH_ALLOW_NO_CREDENTIALS", CONFIG_BOOL, &s->allow_no_credentials, "false", 0, 0, false,
       "true: with ENABLE_AUTH=false it starts without either, too: tools are listed, and what asks "
       "Google says that credentials are missing"},
      {"OAUTH_TOKEN_ENDPOINT", CONFIG_STRING, &s->token_endpoint, NULL, 0, 0, false,
       "overrides every token_uri; default " GOOGLE_TOKEN_ENDPOINT},
      {"AUTH_ALLOW_HTTP_TOKEN_HOST", CONFIG_STRING, &s->http_token_host, NULL, 0, 0, false,
       "name of a simulator's host that credentials may be sent to over plain http; for "
       "demonstrations, never a host of Google"},
      {"AUTH_TOKEN_TIMEOUT_MS", CONFIG_INT, &s->token_timeout_ms, "10000", 100, 60000, false,
       "longest wait for the token endpoint, milliseconds"},
      {"AUTH_COHORT_RULES", CONFIG_STRING, &s->cohort_rules, "strict", 0, 0, false,
       "strict: cohorts that isolate dealers when subtracted are refused; warn: they are taken out "
       "of benchmarks"},
      {"AUTH_SEAL_KEY", CONFIG_STRING, &s->trust.seal_key, NULL, 0, 0, true,
       "key of sealed grants, hex or base64, 32 bytes or more; random when not set; several, "
       "comma-separated: the first seals, all open"},
      {"AUTH_SEAL_KEY_FILE", CONFIG_STRING, &s->trust.seal_key_file, NULL, 0, 0, false,
       "the same from a file; read again when it changes, like all files below"},
      {"AUTH_GRANT_AUDIENCE", CONFIG_STRING, &s->trust.audience, DEFAULT_GRANT_AUDIENCE, 0, 0,
       false,
       "name of the installation: grants sealed for another one are refused, also with the same "
       "key; the same for all replicas"},
      {"AUTH_POLICY_FILE", CONFIG_STRING, &s->trust.policy_file, NULL, 0, 0, false,
       "JSON file of the services that get in by certificate (needs GRPC_TLS_*), and of revoked "
       "subjects and bearer tokens"},
      {"AUTH_ISSUERS_FILE", CONFIG_STRING, &s->trust.issuers_file, NULL, 0, 0, false,
       "JSON file of further issuers of signed bearer tokens, such as Keycloak or Entra: their "
       "keys are found by discovery, and rules say which role and dealers their claims stand for"},
      {"AUTH_JWT_KEY_FILE", CONFIG_STRING, &s->trust.jwt_key_file, NULL, 0, 0, false,
       "public keys of signed bearer tokens, PEM or JWKS (RS256, ES256, EdDSA)"},
      {"AUTH_JWT_JWKS_URL", CONFIG_STRING, &s->jwks_url, NULL, 0, 0, false,
       "https URL of the issuer's JWKS; fetched, cached and changed without a restart"},
      {"AUTH_JWT_HS256_SECRET", CONFIG_STRING, &s->trust.jwt_secret, NULL, 0, 0, true,
       "secret of bearer tokens signed with HS256, 32 bytes or more"},
      {"AUTH_JWT_HS256_SECRET_FILE", CONFIG_STRING, &s->trust.jwt_secret_file, NULL, 0, 0, false,
       "the same from a file"},
      {"AUTH_JWT_ISSUER", CONFIG_STRING, &s->jwt_issuer, NULL, 0, 0, false,
       "issuer (iss) of signed bearer tokens; must be set with a key"},
      {"AUTH_JWT_AUDIENCE", CONFIG_STRING, &s->jwt_audience, NULL, 0, 0, false,
       "audience (aud) of signed bearer tokens; default: ANALYTICS_MCP_RESOURCE_URL, or else "
       "analytics-mcp"},
      {"ANALYTICS_MCP_RESOURCE_URL", CONFIG_STRING, &s->resource_url, NULL, 0, 0, false,
       "public URL of the endpoint, as the gateway has it: the audience that OAuth clients ask "
       "for"},
      {"AUTH_JWT_MAX_LIFE_S", CONFIG_INT, &s->jwt_max_life_s, "86400", 60, 31622400, false,
       "longest accepted life of a signed bearer token, seconds, from now and from its iat; one "
       "that ends later (exp) is refused"},
      {"AUTH_ACCOUNT_TOKENS", CONFIG_STRING, &s->account_tokens_text, "refresh_token", 0, 0, false,
       "refresh_token: an account or dealer id and its current refresh token are a bearer token; "
       "off: they are refused"},
      {"AUTH_ALLOW_UNSIGNED_TOKENS", CONFIG_BOOL, &s->allow_unsigned, "false", 0, 0, false,
       "true: a bearer token may name an account without proof; loopback only"},
      {"AUTH_ALLOW_UNSIGNED_TOKENS_ANYWHERE", CONFIG_BOOL, &s->allow_unsigned_anywhere, "false", 0,
       0, false, "true: also when GRPC_LISTEN is not loopback"},
      {"AUTH_AGGREGATE_IDENTITY", CONFIG_STRING, &s->aggregate_identity, "aggregate-svc", 0, 0,
       false, "certificate identity that may call ResolveCohort, with TLS"},
      {"AUTH_REPORT_IDENTITY", CONFIG_STRING, &s->report_identity, "report-svc", 0, 0, false,
       "certificate identity that may call GetAccessToken, GetAccessTokens, EndLease and OwnProperties, with TLS"},
      {"AUTH_GATEWAY_IDENTITY", CONFIG_STRING, &s->gateway_identity, "gateway", 0, 0, false,
       "certificate identity that may call CheckResource and the steps of a consent, and GetStatus "
       "without a grant, with TLS"},
      {"CONNECT_URL", CONFIG_STRING, &s->connect_url, NULL, 0, 0, false,
       "public https URL of the gateway's pages where dealers connect their website, such as "
       "https://analytics.example.com/connect; when not set, nobody can"},
      {"CONNECT_CLIENT_ID", CONFIG_STRING, &s->connect_client_id, NULL, 0, 0, false,
       "OAuth client (web application) that dealers consent to; its redirect URI at Google is "
       "CONNECT_URL/callback"},
      {"CONNECT_CLIENT_SECRET_FILE", CONFIG_STRING, &s->connect_client_secret_file, NULL, 0, 0,
       false, "file with the secret of that client, and nothing else"},
      {"CONNECT_APP_TESTING", CONFIG_BOOL, &s->connect_testing, "false", 0, 0, false,
       "true: the consent app is in testing mode at Google, so that consents end after 7 days; the "
       "pages say so"},
      {"CONNECT_REQUIRE_ISS", CONFIG_BOOL, &s->connect_require_iss, "false", 0, 0, false,
       "true: a redirect of Google without its issuer (RFC 9207) is refused; one with another "
       "issuer always is"},
      {"CONNECT_AUTHORIZATION_ENDPOINT", CONFIG_STRING, &s->connect_authorization,
       "https://accounts.google.com/o/oauth2/v2/auth", 0, 0, false,
       "Google's consent screen; another one for a simulator"},
      {"CONNECT_REVOKE_ENDPOINT", CONFIG_STRING, &s->connect_revoke,
       "https://oauth2.googleapis.com/revoke", 0, 0, false,
       "where auth-svc disconnect revokes a consent"},
      {"GA4_DATA_ENDPOINT", CONFIG_STRING, &s->ga4_data, "https://analyticsdata.googleapis.com", 0,
       0, false, "Google Analytics Data API, asked for yesterday's figures of a new dealer"},
      {"GA4_ADMIN_ENDPOINT", CONFIG_STRING, &s->ga4_admin, "https://analyticsadmin.googleapis.com",
       0, 0, false, "Google Analytics Admin API, asked for the properties of a person"},
      {"AUTH_KEYRING_FILE", CONFIG_STRING, &s->keyring_file, NULL, 0, 0, false,
       "keys of sealed secrets, of AUTH_STATE_DIR and of the audit log, one per line as auth-svc "
       "keygen prints them: the first seals, all open; read again when it changes"},
      {"AUTH_REQUIRE_SEALED", CONFIG_BOOL, &s->sealed.require_sealed, "false", 0, 0, false,
       "true: a secret in the clear in the dealers file is refused"},
      {"AUTH_ALLOW_PLAINTEXT_SECRETS", CONFIG_BOOL, &s->sealed.allow_mixed, "false", 0, 0, false,
       "true: one dealers file may hold sealed secrets and secrets in the clear"},
      {"AUTH_AUDIT_FILE", CONFIG_STRING, &s->audit_file, NULL, 0, 0, false,
       "file of the audit log; standard error when not set"},
      {"AUTH_REQUIRE_AUDIT", CONFIG_BOOL, &s->require_audit, "false", 0, 0, false,
       "true: no start without AUTH_AUDIT_FILE"},
      {"AUTH_AUDIT_FSYNC", CONFIG_STRING, &s->audit_fsync_text, "second", 0, 0, false,
       "when audit lines are synced to disk: always (before each answer), second, never"},
      {"AUTH_AUDIT_MAX_BYTES", CONFIG_INT, &s->audit_max_bytes, "67108864", 0, INT64_MAX, false,
       "size at which the audit file is renamed to FILE.NUMBER and a new one begins; 0 for never"},
      {"AUTH_AUDIT_KEEP_BYTES", CONFIG_INT, &s->audit_keep_bytes, "0", 0, INT64_MAX, false,
       "most bytes of renamed audit files together; beyond it the oldest are deleted, and a line "
       "says so; 0 keeps all"},
      {"AUTH_AUDIT_KEEP_DAYS", CONFIG_INT, &s->audit_keep_days, "0", 0, 36500, false,
       "days after its last line that a renamed audit file is kept; 0 keeps all"},
      {"AUTH_AUDIT_WARN_FREE_BYTES", CONFIG_INT, &s->audit_warn_free_bytes, "134217728", 0,
       INT64_MAX, false,
       "fewer free bytes on the volume of the audit file are a warning in log, metrics and "
       "/readyz; 0 for none"},
      {"AUTH_AUDIT_SINK", CONFIG_STRING, &s->audit_sink_text, "none", 0, 0, false,
       "where audit lines go beside the file: none, stdout, syslog; a line that finds a slow "
       "reader is lost there, and counted"},
  };
  _Static_assert(sizeof(table) == N_VARS * sizeof(table[0]), "N_VARS counts the table");
  memcpy(vars, table, sizeof(table));
}

/* A setting that is refused. */
#define wrong(e, ...) err_set((e), ERR_INVALID_ARGUMENT, "bad_setting", __VA_ARGS__)

/* ------------------------------------------------------------------ cross-checks */

static bool listens_on_loopback(const struct settings *s)
{
  char host[256];
  uint16_t port;
  return config_split_hostport(s->grpc_listen, host, sizeof(host), &port) &&
         config_host_is_loopback(host);
}

static enum err_code check_account_tokens(struct settings *s, struct err *e)
{
  s->account_tokens = strcmp(s->account_tokens_text, "refresh_token") == 0;
  if (!s->account_tokens && strcmp(s->account_tokens_text, "off") != 0)
    return wrong(e, "AUTH_ACCOUNT_TOKENS: must be refresh_token or off");
  if (!s->account_tokens && s->allow_unsigned)
    return wrong(e, "AUTH_ALLOW_UNSIGNED_TOKENS: contradicts AUTH_ACCOUNT_TOKENS=off; set one");
  return ERR_OK;
}

static enum err_code check_auth(struct settings *s, struct err *e)
{
  s->trust.mutual_tls = s->service.tls.cert_file != NULL;
  bool has_jwt = s->trust.jwt_key_file != NULL || s->jwks_url != NULL ||
                 s->trust.jwt_secret != NULL || s->trust.jwt_secret_file != NULL;
  if (s->trust.seal_key != NULL && s->trust.seal_key_file != NULL)
    return wrong(e, "AUTH_SEAL_KEY: set it or AUTH_SEAL_KEY_FILE, not both");
  if (s->trust.jwt_secret != NULL && s->trust.jwt_secret_file != NULL)
    return wrong(e, "AUTH_JWT_HS256_SECRET: set it or AUTH_JWT_HS256_SECRET_FILE, not both");
  if (has_jwt && s->jwt_issuer == NULL)
    return wrong(e, "AUTH_JWT_ISSUER: must be set when a key for signed bearer tokens is");
  if (s->allow_unsigned && !s->allow_unsigned_anywhere && !listens_on_loopback(s))
    return wrong(e, "AUTH_ALLOW_UNSIGNED_TOKENS: refused because GRPC_LISTEN is not a loopback "
                    "address: anybody who reaches it could read every dealer. Listen on "
                    "127.0.0.1, or set AUTH_ALLOW_UNSIGNED_TOKENS_ANYWHERE=true if you mean it");
  return ERR_OK;
}

static enum err_code check_keys(struct settings *s, struct err *e)
{
  if (s->sealed.require_sealed && s->sealed.allow_mixed)
    return wrong(e, "AUTH_ALLOW_PLAINTEXT_SECRETS: contradicts AUTH_REQUIRE_SEALED=true; set one");
  if (s->require_audit && s->audit_file == NULL)
    return wrong(e, "AUTH_AUDIT_FILE: must be set because AUTH_REQUIRE_AUDIT=true");
  if (!audit_fsync_parse(s->audit_fsync_text, &s->audit_fsync))
    return wrong(e, "AUTH_AUDIT_FSYNC: \"%.40s\" must be one of always, second, never",
                 s->audit_fsync_text);
  s->sealed.warn_plain = true;
  return ERR_OK;
}

/* The file that was renamed last must not be deleted at once. */
static enum err_code check_audit(struct settings *s, struct err *e)
{
  bool keeps = s->audit_keep_bytes > 0 || s->audit_keep_days > 0;
  if (keeps && s->audit_max_bytes == 0)
    return wrong(e, "AUTH_AUDIT_MAX_BYTES: must not be 0 with AUTH_AUDIT_KEEP_BYTES or "
                    "AUTH_AUDIT_KEEP_DAYS: only renamed files are deleted");
  if (s->audit_keep_bytes > 0 && s->audit_keep_bytes < s->audit_max_bytes)
    return wrong(e,
                 "AUTH_AUDIT_KEEP_BYTES: must be 0 or at least AUTH_AUDIT_MAX_BYTES (%lld), the "
                 "size of one file",
                 (long long)s->audit_max_bytes);
  if (!audit_sink_parse(s->audit_sink_text, &s->audit_sink))
    return wrong(e, "AUTH_AUDIT_SINK: \"%.40s\" must be one of none, stdout, syslog",
                 s->audit_sink_text);
  return ERR_OK;
}

static enum err_code check_audience(struct settings *s, struct err *e)
{
  if (field_has_control(s->trust.audience))
    return wrong(e, "AUTH_GRANT_AUDIENCE: holds a control character");
  return strlen(s->trust.audience) <= SEAL_AUDIENCE_MAX
             ? ERR_OK
             : wrong(e, "AUTH_GRANT_AUDIENCE: longer than %d bytes", SEAL_AUDIENCE_MAX);
}

/* Clients ask for tokens for the URL that the metadata names (RFC 8707). */
static enum err_code check_resource(struct settings *s, struct err *e)
{
  if (s->jwt_audience != NULL && s->resource_url != NULL &&
      strcmp(s->jwt_audience, s->resource_url) != 0)
    return wrong(e,
                 "AUTH_JWT_AUDIENCE: \"%.100s\" differs from ANALYTICS_MCP_RESOURCE_URL "
                 "(\"%.100s\"), for which OAuth clients get their tokens: leave "
                 "AUTH_JWT_AUDIENCE out, or set both to the same",
                 s->jwt_audience, s->resource_url);
  s->trust.jwt_issuer = s->jwt_issuer;
  s->trust.jwt_audience = s->jwt_audience != NULL ? s->jwt_audience : s->resource_url;
  if (s->jwt_audience == NULL)
    s->jwt_audience = s->resource_url != NULL ? s->resource_url : DEFAULT_JWT_AUDIENCE;
  return ERR_OK;
}

static enum err_code check_dealers(struct settings *s, struct err *e)
{
  s->from_json = s->credentials_json != NULL;
  if (s->from_json && config_text("GA_CREDENTIALS_PATH") != NULL)
    return wrong(e, "GA_CREDENTIALS_JSON: set it or GA_CREDENTIALS_PATH, not both");
  return ERR_OK;
}

static enum err_code check_rest(struct settings *s, struct err *e)
{
  if (strcmp(s->cohort_rules, "strict") != 0 && strcmp(s->cohort_rules, "warn") != 0)
    return wrong(e, "AUTH_COHORT_RULES: must be strict or warn");
  char host[256];
  if (s->token_endpoint != NULL && !url_host(s->token_endpoint, host, sizeof(host)))
    return wrong(e, "OAUTH_TOKEN_ENDPOINT: must be an http or https URL");
  const char *problem = s->http_token_host != NULL ? open_host_problem(s->http_token_host) : NULL;
  if (problem != NULL)
    return wrong(e, "AUTH_ALLOW_HTTP_TOKEN_HOST: %s", problem);
  if (s->token_endpoint != NULL && !open_host_url_is_safe(s->token_endpoint))
    return wrong(e,
                 "OAUTH_TOKEN_ENDPOINT: must be an https URL: refresh tokens would travel in the "
                 "clear to %.100s (plain http is for loopback, and for a simulator that "
                 "AUTH_ALLOW_HTTP_TOKEN_HOST names)",
                 host);
  return ERR_OK;
}

static enum err_code check_secure_url(const char *name, const char *url, struct err *e)
{
  if (url_valid_endpoint(name, url, e) != ERR_OK)
    return e->code;
  return open_host_url_is_safe(url)
             ? ERR_OK
             : wrong(e,
                     "%s: must be an https URL (plain http is for loopback, and for a simulator "
                     "that AUTH_ALLOW_HTTP_TOKEN_HOST names)",
                     name);
}

static enum err_code check_connect(struct settings *s, struct err *e)
{
  const struct {
    const char *name, *url;
  } urls[] = {{"CONNECT_URL", s->connect_url},
              {"CONNECT_AUTHORIZATION_ENDPOINT", s->connect_authorization},
              {"CONNECT_REVOKE_ENDPOINT", s->connect_revoke},
              {"GA4_DATA_ENDPOINT", s->ga4_data},
              {"GA4_ADMIN_ENDPOINT", s->ga4_admin}};
  if (s->connect_url == NULL)
    return ERR_OK;
  for (size_t i = 0; i < ARRAY_LEN(urls); i++)
    if (check_secure_url(urls[i].name, urls[i].url, e) != ERR_OK)
      return e->code;
  if (s->connect_url[strlen(s->connect_url) - 1] == '/')
    return wrong(e, "CONNECT_URL: must not end in a slash");
  if (s->connect_client_id == NULL || s->connect_client_secret_file == NULL)
    return wrong(e,
                 "CONNECT_CLIENT_ID, CONNECT_CLIENT_SECRET_FILE: must be set when CONNECT_URL is");
  if ((s->state_dir == NULL && s->database_url == NULL) || s->keyring_file == NULL)
    return wrong(e,
                 "AUTH_STATE_DIR (or DATABASE_URL, for several replicas), AUTH_KEYRING_FILE: must "
                 "be set when CONNECT_URL is: what dealers consent to is stored there, sealed");
  return ERR_OK;
}

static enum err_code check_database(struct settings *s, struct err *e)
{
  if (s->database_url == NULL)
    return ERR_OK;
  if (database_check_url(s->database_url, e) != ERR_OK)
    return e->code;
  return s->keyring_file != NULL
             ? ERR_OK
             : wrong(e,
                     "AUTH_KEYRING_FILE: must be set when DATABASE_URL is: connected dealers are "
                     "stored there sealed");
}

static enum err_code check(struct settings *s, struct err *e)
{
  static enum err_code (*const checks[])(struct settings *, struct err *) = {
      check_auth,     check_account_tokens, check_keys, check_audit,   check_audience,
      check_resource, check_dealers,        check_rest, check_connect, check_database};
  for (size_t i = 0; i < ARRAY_LEN(checks); i++)
    if (checks[i](s, e) != ERR_OK)
      return e->code;
  return ERR_OK;
}

enum err_code settings_from_environment(struct settings *s, struct err *e)
{
  struct config_var vars[N_VARS];
  *s = (struct settings){0};
  describe(s, vars);
  enum err_code code = service_settings_read(&s->service, vars, N_VARS, e);
  return code == ERR_OK ? check(s, e) : code;
}

bool settings_read(struct settings *s, const char *usage, int argc, char **argv, int *exit_code)
{
  const struct service_program program = {
      "auth-svc", "credential broker and access decisions of the analytics MCP set", usage};
  struct config_var vars[N_VARS];
  struct err e = {0};
  *s = (struct settings){0};
  describe(s, vars);
  if (!service_settings_load(&s->service, &program, vars, N_VARS, argc, argv, exit_code))
    return false;
  return check(s, &e) == ERR_OK || service_settings_refuse(&program, &e, exit_code);
}

/* ----------------------------------------------------------------------- loading */

/* Local development without a dealers file: Google's own credential file. */
static bool wants_adc(const struct settings *s)
{
  return !s->enable_auth && !s->from_json && config_text("GA_CREDENTIALS_PATH") == NULL &&
         access(DEFAULT_CREDENTIALS_PATH, F_OK) != 0;
}

static enum err_code load_adc(struct snapshot **out, const struct settings *s, struct err *e)
{
  struct credential *adc = NULL;
  enum err_code code = credential_find_adc(&adc, s->adc_path, false, e);
  if (code == ERR_NOT_FOUND && s->adc_path == NULL && s->allow_no_credentials) {
    log_warn("no dealers file and no credentials: nothing can be asked", LOG_S("why", e->message));
    *e = (struct err){0};
    *out = snapshot_new(directory_new(arena_new(1 << 16), NULL, 0), NULL, NULL);
    return ERR_OK;
  }
  if (code != ERR_OK) {
    err_prefix(e, "no dealers file (GA_CREDENTIALS_PATH, %s) and no credentials beside it: ",
               s->credentials_path);
    return code;
  }
  log_info("no dealers file: using Application Default Credentials",
           LOG_S("type", adc->kind->name));
  struct directory *empty = directory_new(arena_new(1 << 16), NULL, 0);
  *out = snapshot_new(empty, NULL, adc);
  return ERR_OK;
}

enum err_code settings_load_snapshot(struct snapshot **out, const struct settings *s,
                                     struct keyring *ring,
                                     const struct dealers_connected *connected, struct table *files,
                                     struct err *e)
{
  if (wants_adc(s))
    return load_adc(out, s, e);
  struct sealed_policy policy = s->sealed;
  policy.keyring = ring;
  const struct dealers_options options = {.sealed = &policy,
                                          .warn_of_cohorts = strcmp(s->cohort_rules, "warn") == 0,
                                          .files = files,
                                          .connected = connected};
  if (!s->from_json)
    return snapshot_load(out, s->credentials_path, &options, e);
  const char *text = s->kept_json != NULL ? secret_text(s->kept_json) : s->credentials_json;
  return snapshot_parse(out, "GA_CREDENTIALS_JSON", text, strlen(text), &options, e);
}

enum err_code settings_await_dealers(const struct settings *s, struct err *e)
{
  bool reads_one = !s->from_json && !wants_adc(s);
  return reads_one ? await_file(s->credentials_path, s->credentials_wait_s, e) : ERR_OK;
}

enum err_code settings_load_keyring(struct settings *s, struct err *e)
{
  return keyring_load(&s->sealed.keyring, s->keyring_file, e);
}

void settings_free(struct settings *s)
{
  keyring_unref(TAKE_PTR(s->sealed.keyring));
  secret_unref(TAKE_PTR(s->kept_json));
}

enum err_code settings_open_audit(struct audit **out, const struct settings *s, struct err *e)
{
  const struct audit_options options = {.path = s->audit_file,
                                        .keyring = s->sealed.keyring,
                                        .fsync = s->audit_fsync,
                                        .max_bytes = (uint64_t)s->audit_max_bytes,
                                        .keep_bytes = (uint64_t)s->audit_keep_bytes,
                                        .keep_days = (uint64_t)s->audit_keep_days,
                                        .warn_free_bytes = (uint64_t)s->audit_warn_free_bytes,
                                        .sink = s->audit_sink};
  return audit_open(out, &options, e);
}

enum err_code settings_open_store(struct token_store **out, const struct settings *s, struct err *e)
{
  struct keyring *keyring = s->sealed.keyring;
  *out = NULL;
  if (s->state_dir == NULL)
    return ERR_OK;
  if (keyring == NULL && !s->state_plaintext)
    return wrong(e, "AUTH_STATE_DIR: refresh tokens would be stored there unsealed; set "
                    "AUTH_KEYRING_FILE, or AUTH_STATE_PLAINTEXT=true if the disk is protected in "
                    "another way");
  if (keyring == NULL)
    log_warn("AUTH_STATE_PLAINTEXT=true: replaced refresh tokens are written unsealed",
             LOG_S("path", s->state_dir));
  const struct token_store_options options = {.dir = s->state_dir, .keyring = keyring};
  return token_store_open(out, &options, e);
}

struct connect_store_options settings_connected(const struct settings *s)
{
  return (struct connect_store_options){
      .database_url = s->database_url, .state_dir = s->state_dir, .keyring = s->sealed.keyring};
}

/* Whether there are, or may come to be, connected dealers. */
static bool has_connected(const struct settings *s)
{
  AUTO_FREE char *dir = s->state_dir != NULL ? xasprintf("%s/connect", s->state_dir) : NULL;
  return s->database_url != NULL ||
         (dir != NULL && (s->connect_url != NULL || access(dir, F_OK) == 0));
}

enum err_code settings_open_connected(struct connect_store **out, const struct settings *s,
                                      struct err *e)
{
  const struct connect_store_options options = settings_connected(s);
  *out = NULL;
  if (!has_connected(s))
    return ERR_OK;
  if (options.keyring == NULL)
    return wrong(e,
                 "AUTH_KEYRING_FILE: must be set: AUTH_STATE_DIR holds dealers that were connected "
                 "by consent, sealed");
  return connect_store_open(out, &options, e);
}

enum err_code settings_load_client_secret(struct secret **out, const struct settings *s,
                                          struct err *e)
{
  *out = NULL;
  return s->connect_client_secret_file == NULL ? ERR_OK
                                               : secret_from_file(out, "CONNECT_CLIENT_SECRET_FILE",
                                                                  s->connect_client_secret_file, e);
}

void settings_wipe_secrets(struct settings *s)
{
  if (s->credentials_json != NULL && s->kept_json == NULL)
    s->kept_json = secret_from(s->credentials_json);
  config_wipe("AUTH_SEAL_KEY");
  config_wipe("AUTH_JWT_HS256_SECRET");
  config_wipe("GA_CREDENTIALS_JSON");
  config_wipe("DATABASE_URL");
  s->database_url = NULL; /* who needs it has a copy */
  s->trust.seal_key = s->trust.jwt_secret = s->credentials_json = NULL;
}
