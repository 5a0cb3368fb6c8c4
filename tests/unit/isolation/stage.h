/* auth-svc, report-svc and aggregate-svc in one process, wired over loopback, and a client
 * of all three. */
#ifndef AMCP_TESTS_ISOLATION_STAGE_H
#define AMCP_TESTS_ISOLATION_STAGE_H

#include "aggregate-svc/call/service.h"
#include "aggregate-svc/methods.h"
#include "auth-svc/grant/seal.h"
#include "auth-svc/config/snapshot.h"
#include "common/base/arena.h"
#include "common/rpc/rpc.h"
#include "tests/unit/isolation/google.h"
#include "tests/unit/isolation/report_side.h"

#define STAGE_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define STAGE_SECRET "isolation: a shared secret of 32 bytes or more"

struct stage {
  struct plan plan;
  struct fake_world_google *google;
  struct snapshot_slot *config;
  struct sealer *sealer;
  struct jwt_keys *keys;
  struct policies *policies; /* of the plan */
  struct http_client *http;  /* of auth-svc and report-svc */
  struct tokens *tokens;
  struct service *auth_service;
  struct rpc_server *auth_server, *aggregate_server;
  /* The same auth-svc behind mutual TLS, and a client of it that calls as STAGE_CONSUMER. */
  struct rpc_server *auth_tls_server;
  struct rpc_channel *consumer;
  struct rpc_channel *auth, *report, *aggregate; /* the services' and the test's */
  struct report_side *report_side;
  struct aggregate_service aggregate_service;
};

/* Identity of the certificate that `consumer` shows. */
#define STAGE_CONSUMER "nightly-export"

/* One more copy of the set for the plan already drawn. */
void stage_start(struct stage *s);
/* Puts the (changed) plan in place of the one before. Between calls only. */
void stage_change(struct stage *s);
void stage_stop(struct stage *s);
/* Puts policies in place of those before: the text of a policy file; NULL for none. */
void stage_policies(struct stage *s, const char *json);

/* What a call brought: a message to free, or the error. Streams give their last message. */
struct reply {
  ProtobufCMessage *message; /* NULL when it failed */
  struct err error;
};
void stage_call(struct reply *out, struct rpc_channel *channel,
                const ProtobufCServiceDescriptor *service, const char *method,
                const ProtobufCMessage *request, const ProtobufCBinaryData *grant);
void reply_free(struct reply *r);

/* A signed bearer: payload's claims after iss, aud, sub; e.g. "\"exp\":1,\"role\":\"admin\"". */
char *stage_jwt(const char *claims, const char *secret);
/* Authenticates; by the certificate when bearer is NULL. */
void stage_authenticate(struct stage *s, const char *bearer, struct reply *out);
/* A grant for claims without exp; aborts when it is refused. Freed by the caller. */
void stage_grant(struct stage *s, const char *claims, struct reply *out,
                 ProtobufCBinaryData *sealed);

#endif
