/* Inside of the rpcs: what the files of the service share; nobody else includes it.
 *
 * call.c ends and opens calls, authenticate.c, access_token.c, access_tokens.c and lease.c hold one
 * rpc each, connect_pages.c and connect_admin.c those of ConnectService, status.c and
 * status_parts.c those of StatusService, service.c the others. */
#ifndef AMCP_AUTH_SERVICE_INTERNAL_H
#define AMCP_AUTH_SERVICE_INTERNAL_H

#include "analytics/auth/v1/status.pb-c.h"
#include "auth-svc/grant/scope.h"
#include "auth-svc/rpc/service.h"
#include "auth-svc/rpc/target.h"

enum { SERVICE_MAGIC = 0x5e781ce1 };

struct service {
  uint32_t magic;
  struct service_options options;
  struct metric *authenticated;
  struct metric *issued;
  struct verified *verified;
};

struct service *service_of(void *p);
/* Seconds since 1970. */
int64_t service_now_s(void);

/* What the audit line of a call says; filled in as it becomes known. Texts live as long as
 * the call. */
struct facts {
  const char *event;
  const char *subject, *role, *grant_id;
  const char *account, *dealer, *purpose, *requested, *detail;
  const char *client; /* address that the caller serves; NULL when it does not say */
  uint64_t count;     /* calls that the line stands for; 0 for this one */
};
void facts_of_grant(struct facts *f, const Analytics__Auth__V1__Grant *grant);
/* facts.purpose of a request: "benchmark", else "direct". */
const char *purpose_name(Analytics__Auth__V1__Purpose purpose);

/* One dealer's token that is asked for. GetAccessToken's may wait for a refresh and lives in the
 * call's arena; GetAccessTokens has one for each dealer. */
struct token_call {
  uint32_t magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Auth__V1__GetAccessTokenRequest *request;
  struct snapshot *config; /* the target points into it */
  struct unsealed grant;
  struct target target;
  struct token_key key; /* where the target's token is kept */
  uint64_t wait_id;
  struct facts facts;
  int attempts;
};
/* Opens the call's grant, as report-svc alone may. */
enum err_code token_call_open(struct token_call *t, struct err *e);
/* Finds whose token it is, within the grant. */
enum err_code token_call_resolve(struct token_call *t, struct err *e);
/* Whether the token may be given now: the caller may have been revoked since. */
enum err_code token_call_check(const struct token_call *t, struct err *e);
/* The answer with a token; lives as long as t, the token and `principal`. */
enum { PRINCIPAL_SIZE = 17 }; /* 64 bits in hexadecimal digits */
void token_call_answer(Analytics__Auth__V1__GetAccessTokenResponse *out,
                       char principal[PRINCIPAL_SIZE], const struct token_call *t,
                       const struct token_result *held);

/* The one way out of every rpc: no answer, good or bad, leaves before its audit line is
 * written, or a refusal counted (audit_write_refusal()): one of Authenticate, or for want of a
 * grant. `error` NULL, or one that is not set, answers well; the response counts for nothing
 * otherwise. */
void service_end_call(const struct service *s, struct rpc_call *call, const struct facts *f,
                      const ProtobufCMessage *response, const struct err *error);
/* The audit line of a part of an answer that goes well, and the answer whose parts have theirs. A
 * part that failed to be audited must not be in it. */
enum err_code service_audit(const struct service *s, struct rpc_call *call, const struct facts *f,
                            struct err *e);
void service_end_audited(struct rpc_call *call, const ProtobufCMessage *response);

/* For how long, in milliseconds, an answer to GetAccessToken may be used again: what report-svc
 * wants, at most LEASE_MAX_MS, within the grant's and the token's life (seconds since 1970). */
enum { LEASE_MAX_MS = 2000 };
uint32_t lease_length(const struct unsealed *grant, int64_t token_expires_at, uint32_t wanted_ms,
                      int64_t now_unix_ms);
/* The account and dealer that a line is about. The log is the operator's: it names peers too. */
void facts_of_target(struct facts *f, const struct target *target);
/* The target as the caller wrote it, "dealer_ref=d99": what a line is about that knows no dealer.
 * In the call's arena; NULL when it named none. */
const char *service_requested(struct rpc_call *call,
                              const Analytics__Auth__V1__GetAccessTokenRequest *r);

/* Whether the caller's certificate allows the rpc; identity NULL: whoever calls. */
enum err_code service_check_peer(struct rpc_call *call, const char *identity, struct err *e);
/* Opens the call's sealed grant with the keys of the configuration, and refuses it when its
 * subject or bearer is revoked there. The only way to a grant. */
enum err_code service_open_grant(struct rpc_call *call, const struct snapshot *config,
                                 struct unsealed *out, struct facts *f, struct err *e);
/* The same for a grant that may have ended up to grace_s ago or be revoked: of what was done with
 * it, never for what is still to do. */
enum err_code service_open_past_grant(struct rpc_call *call, const struct snapshot *config,
                                      int64_t grace_s, struct unsealed *out, struct facts *f,
                                      struct err *e);
/* An address as the audit log has it, in the arena: IPv6 by its first 64 bits, of which one client
 * has all the others ("2001:db8:1:2::/64"). NULL for a text that is not an address. */
const char *service_client(struct arena *arena, const char *address);
/* The scope of the caller's own grant; a benchmark grant is refused. */
enum err_code service_open_scope(struct rpc_call *call, const struct snapshot *config,
                                 const struct scope **out, struct facts *f, struct err *e);
/* The same for an admin, whom alone it lets in. */
enum err_code service_open_admin(struct rpc_call *call, const struct snapshot *config,
                                 struct unsealed *out, struct facts *f, struct err *e);
/* What GetStatus answers, of this configuration; ERR_RESOURCE_EXHAUSTED when it does not fit the
 * arena. */
enum err_code service_make_status(Analytics__Auth__V1__AuthStatus **out, const struct service *s,
                                  const struct snapshot *config, struct arena *arena,
                                  struct err *e);
/* FAILED_PRECONDITION `connect_off` where dealers cannot connect by consent. */
enum err_code service_check_connect(const struct service *s, struct err *e);
/* Seals into the call's arena. */
enum err_code service_seal(struct rpc_call *call, const struct snapshot *config,
                           enum seal_type type, const ProtobufCMessage *message,
                           ProtobufCBinaryData *out, struct err *e);

#endif
