/* What handles the rpcs of analytics.auth.v1.AuthService (methods.h). */
#ifndef AMCP_AUTH_SERVICE_H
#define AMCP_AUTH_SERVICE_H

#include "auth-svc/audit/audit.h"
#include "auth-svc/config/keyring_live.h"
#include "auth-svc/config/reload.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/connect/connect.h"
#include "auth-svc/identity/bearer.h"
#include "auth-svc/identity/key_sources.h"
#include "auth-svc/token/tokens.h"
#include "common/rpc/rpc.h"

struct service;

/* What GetStatus shows beside configuration, tokens and audit log. Each pointer may be NULL. */
struct service_status {
  int64_t started_at; /* seconds since 1970 */
  const char *cert_file;
  struct reload *reload;
  struct keyring_live *keyring;
  struct token_store *store;
  const char *keyring_file, *seal_key_file, *jwt_key_file;
};

struct service_options {
  struct snapshot_slot *config; /* of snapshots that snapshot_trust() completed */
  struct tokens *tokens;
  struct audit *audit;         /* takes a line before each answer; NULL for none (tests) */
  struct bearer_policy bearer; /* its functions, user and keys are filled in for each call */
  struct jwks *jwks;           /* keys of AUTH_JWT_JWKS_URL; NULL for none */
  struct key_sources *sources; /* of the issuers of the configuration; NULL for none */
  /* With TLS: the identities (rpc_call_peer) that may call ResolveCohort, and GetAccessToken,
   * GetAccessTokens, EndLease and OwnProperties. NULL without TLS: any caller may. */
  const char *aggregate_identity;
  const char *report_identity;
  /* Dealers that connect by consent; NULL: they cannot. `apply` takes what is stored into use,
   * false when the configuration is refused. `catch_up` does so only where something was stored,
   * by another replica, that is not in use here, and is false otherwise; NULL: never. Both block.
   */
  struct connect *connect;
  struct connect_store *connected;
  bool (*apply)(void *user);
  bool (*catch_up)(void *user);
  void *apply_user;
  const char *gateway_identity; /* may call CheckResource and the steps of a consent, and GetStatus
                                   without a grant; NULL as above */
  struct service_status status;
};

/* Everything in the options must outlive the service. */
struct service *service_new(const struct service_options *options);
void service_free(struct service *s);
/* Writes the audit line of a call that the rpc layer answers itself, for rpc_server_options.
 * `user` is the service. What cannot be audited becomes UNAVAILABLE `audit_unavailable`. */
void service_on_refusal(void *user, struct rpc_call *call, const char *method, struct err *status);
/* The handlers; `user` is the service. Thread-safe. */
rpc_handler service_authenticate, service_check_resource, service_get_access_token,
    service_get_access_tokens, service_end_lease, service_own_properties, service_resolve_cohort,
    service_list_dealers, service_list_cohorts;
/* Of ConnectService: the steps of the pages, then what admins do. */
rpc_handler service_show_invite, service_start_consent, service_receive_consent,
    service_show_consent, service_finish_consent;
rpc_handler service_create_invite, service_list_connections, service_revoke_invite,
    service_disconnect, service_export_connected, service_import_connected;
/* Of StatusService. */
rpc_handler service_get_status, service_authorize_status;

#endif
