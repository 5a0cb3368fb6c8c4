/* Settings of auth-svc, from the environment. */
#ifndef AMCP_AUTH_SETTINGS_H
#define AMCP_AUTH_SETTINGS_H

#include "auth-svc/audit/audit.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/config/trust.h"
#include "auth-svc/connect/store.h"
#include "auth-svc/dealers/sealed.h"
#include "auth-svc/secret/read_files.h"
#include "auth-svc/secret/secret.h"
#include "auth-svc/token/store.h"
#include "common/service/settings.h"

struct settings {
  struct service_settings service;
  const char *grpc_listen;
  bool enable_auth;
  const char *credentials_path;
  int64_t credentials_wait_s;   /* for that file to appear, at the start */
  const char *cohort_rules;     /* "strict" or "warn" */
  const char *credentials_json; /* GA_CREDENTIALS_JSON; NULL when not set or wiped */
  bool from_json;               /* the dealers come from it */
  struct secret *kept_json;     /* it, once wiped: a reload of other files needs the dealers */
  int64_t config_check_s;
  const char *state_dir; /* NULL: replaced refresh tokens stay in memory */
  bool state_plaintext;
  const char *database_url; /* NULL: what is stored lies in state_dir; NULL once wiped */
  int64_t refresh_in_use_s;
  const char *adc_path;        /* GOOGLE_APPLICATION_CREDENTIALS; NULL when not set */
  bool allow_no_credentials;
  const char *token_endpoint;  /* NULL: each credential's own */
  const char *http_token_host; /* NULL: none; used where URLs are checked (open_host.h) */
  int64_t token_timeout_ms;
  struct trust_options trust;
  const char *jwks_url, *jwt_issuer, *jwt_audience, *resource_url;
  int64_t jwt_max_life_s;
  const char *account_tokens_text;
  bool account_tokens; /* a bearer may be an account's id and its refresh token */
  bool allow_unsigned, allow_unsigned_anywhere;
  const char *aggregate_identity, *report_identity, *gateway_identity;
  const char *connect_url; /* NULL: dealers cannot connect by consent */
  const char *connect_client_id, *connect_client_secret_file;
  const char *connect_authorization, *connect_revoke;
  bool connect_testing, connect_require_iss;
  const char *ga4_data, *ga4_admin;
  const char *keyring_file;
  struct sealed_policy sealed; /* its keyring is set by settings_load_keyring() */
  const char *audit_file, *audit_fsync_text;
  bool require_audit;
  int64_t audit_max_bytes, audit_keep_bytes, audit_keep_days, audit_warn_free_bytes;
  enum audit_fsync audit_fsync;
  const char *audit_sink_text;
  enum audit_sink_kind audit_sink;
};

/* Command line and environment; `usage` is the list of subcommands for --help. False when the
 * program ends at once, with *exit_code: after
 * --help and --version, or with a message about the variable that is wrong. */
bool settings_read(struct settings *s, const char *usage, int argc, char **argv, int *exit_code);

/* Reads the environment for a subcommand: the same variables and checks, no command line. */
enum err_code settings_from_environment(struct settings *s, struct err *e);

/* The keyring of the start, kept in s->sealed.keyring until settings_free(). None is fine. */
enum err_code settings_load_keyring(struct settings *s, struct err *e);
void settings_free(struct settings *s);

/* What the settings lead to. Each fails with a message that names the variable or file. The
 * snapshot lacks what is trusted (snapshot_trust); its sealed secrets are opened with `ring` (NULL
 * for none). `connected` and `files` as in struct dealers_options. */
enum err_code settings_load_snapshot(struct snapshot **out, const struct settings *s,
                                     struct keyring *ring,
                                     const struct dealers_connected *connected, struct table *files,
                                     struct err *e);
/* The store of replaced refresh tokens; *out is NULL without AUTH_STATE_DIR. Without a keyring
 * it opens only when AUTH_STATE_PLAINTEXT allows it. */
enum err_code settings_open_store(struct token_store **out, const struct settings *s,
                                  struct err *e);
/* Where the connected dealers are; for connect_store_peek() too. Texts are lent. */
struct connect_store_options settings_connected(const struct settings *s);
/* The store of connected dealers, in DATABASE_URL or AUTH_STATE_DIR; *out is NULL where CONNECT_URL
 * is not set and no dealer was connected in the folder before. */
enum err_code settings_open_connected(struct connect_store **out, const struct settings *s,
                                      struct err *e);
/* The secret of CONNECT_CLIENT_SECRET_FILE; *out is NULL where that is not set. */
enum err_code settings_load_client_secret(struct secret **out, const struct settings *s,
                                          struct err *e);
/* Waits at the start for a dealers file that is not there yet, where one is read; see await.h. */
enum err_code settings_await_dealers(const struct settings *s, struct err *e);
enum err_code settings_open_audit(struct audit **out, const struct settings *s, struct err *e);

/* Overwrites the secrets that came by environment, also as /proc shows it. The settings
 * no longer point to them. */
void settings_wipe_secrets(struct settings *s);

#endif
