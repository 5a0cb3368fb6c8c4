/* Who may call GetStatus of report-svc and aggregate-svc, over mutual TLS: the gateway's
 * certificate without a grant, an admin's grant by auth-svc's word. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/status/gate.h"
#include "tests/unit/auth/support/cert_maker.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/side.h"

typedef Analytics__Auth__V1__AuthorizeStatusResponse authorized;

/* auth-svc and report-svc as one server: its GetStatus asks its own AuthorizeStatus. */
static struct {
  char *certs;
  struct rpc_server *server;
  struct rpc_channel *own;
  struct status_gate gate;
  atomic_bool refuses, with_cohorts;
  atomic_int asked;
} t;

static void authorize(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  authorized response = ANALYTICS__AUTH__V1__AUTHORIZE_STATUS_RESPONSE__INIT;
  struct err e = {0};
  (void)request, (void)user;
  t.asked++;
  if (t.refuses) {
    err_set(&e, ERR_PERMISSION_DENIED, "not_admin", "this is for admins only");
    rpc_call_finish(call, &e);
    return;
  }
  rpc_call_reply(call, &response.base);
}

static void get_status(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__AuthStatus response = ANALYTICS__AUTH__V1__AUTH_STATUS__INIT;
  authorized *cohorts = NULL;
  struct err e = {0}, unknown = {0};
  (void)request, (void)user;
  if (t.with_cohorts)
    status_authorize_with_cohorts(&t.gate, call, &cohorts, &unknown, &e);
  else
    status_authorize(&t.gate, call, &e);
  if (cohorts != NULL)
    protobuf_c_message_free_unpacked(&cohorts->base, NULL);
  if (e.code == ERR_OK)
    rpc_call_reply(call, &response.base);
  else
    rpc_call_finish(call, &e);
}

static const struct rpc_method methods[] = {
    {"GetStatus", RPC_UNARY, RPC_ON_WORKER, get_status},
    {"AuthorizeStatus", RPC_UNARY, RPC_ON_POLLER, authorize}};

static struct rpc_channel *channel_as(const char *client)
{
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(t.server)),
                 *cert = cert_path(t.certs, client, "pem"),
                 *key = cert_path(t.certs, client, "key"), *ca = cert_path(t.certs, "ca", "pem");
  const struct rpc_channel_options options = {
      .target = target, .name = "service", .tls = {cert, key, ca}};
  struct rpc_channel *channel;
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&channel, &options, NULL), ERR_OK);
  return channel;
}

static void start(void)
{
  static const char *const names[] = {"service", "gateway", "report-svc"};
  char dir[] = "/tmp/status-gate-XXXXXX";
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  cert_make(dir, names, ARRAY_LEN(names));
  t.certs = xstrdup(dir);
  rpc_init();
  AUTO_FREE char *cert = cert_path(dir, "service", "pem"), *key = cert_path(dir, "service", "key"),
                 *ca = cert_path(dir, "ca", "pem");
  const struct rpc_server_options options = {
      .listen = "127.0.0.1:0", .tls = {cert, key, ca}, .drain_ms = 1, .grace_ms = 1000};
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&t.server, &options, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_add(t.server, &analytics__auth__v1__status_service__descriptor,
                                       methods, ARRAY_LEN(methods), NULL, NULL),
                        ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(t.server, NULL), ERR_OK);
  t.own = channel_as("service");
  t.gate = (struct status_gate){t.own, "gateway"};
}

static void stop(void)
{
  rpc_server_stop(t.server);
  rpc_channel_free(t.own);
  rpc_shutdown();
  folder_remove(t.certs);
  free(t.certs);
}

/* "" when it is answered, else the reason. */
static const char *outcome(const char *client, bool grant, char reason[40])
{
  static const struct rpc_metadata sealed = {RPC_META_GRANT, "sealed", 6};
  const Analytics__Status__V1__GetStatusRequest request =
      ANALYTICS__STATUS__V1__GET_STATUS_REQUEST__INIT;
  const struct rpc_client_options options = {
      .timeout_ms = 10000, .metadata = &sealed, .n_metadata = grant ? 1 : 0};
  struct rpc_channel *channel = channel_as(client);
  ProtobufCMessage *response = NULL;
  struct err e = {0};
  rpc_client_call_sync(&response, channel, &analytics__auth__v1__status_service__descriptor,
                       "GetStatus", &request.base, &options, &e);
  snprintf(reason, 40, "%s", response != NULL ? "" : e.reason);
  if (response != NULL)
    protobuf_c_message_free_unpacked(response, NULL);
  rpc_channel_free(channel);
  return reason;
}

static void without_a_grant_the_gateways_certificate_alone_will_do(void)
{
  char reason[40];
  start();
  for (int i = 0; i < 2; i++) {
    t.with_cohorts = i == 1;
    t.asked = 0;
    CU_ASSERT_STRING_EQUAL(outcome("report-svc", false, reason), "wrong_service");
    CU_ASSERT_EQUAL(t.asked, 0); /* nor is auth-svc asked for it */
    CU_ASSERT_STRING_EQUAL(outcome("gateway", false, reason), "");
    CU_ASSERT_EQUAL(t.asked, i); /* for the cohorts */
  }
  stop();
}

static void a_grant_decides_whoevers_certificate_calls(void)
{
  char reason[40];
  start();
  for (int i = 0; i < 2; i++) {
    t.with_cohorts = i == 1;
    t.refuses = false;
    CU_ASSERT_STRING_EQUAL(outcome("report-svc", true, reason), "");
    t.refuses = true;
    CU_ASSERT_STRING_EQUAL(outcome("report-svc", true, reason), "not_admin");
    CU_ASSERT_STRING_EQUAL(outcome("gateway", true, reason), "not_admin");
  }
  stop();
}

/* Its answers, while auth-svc is away. */
static const char *outcome_alone(bool grant, char reason[40])
{
  const struct rpc_channel_options gone = {.target = "127.0.0.1:1", .name = "auth-svc"};
  struct rpc_channel *nobody;
  start();
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&nobody, &gone, NULL), ERR_OK);
  t.gate.auth = nobody;
  t.with_cohorts = true;
  outcome("gateway", grant, reason);
  rpc_server_stop(t.server);
  t.server = NULL;
  rpc_channel_free(nobody);
  stop();
  return reason;
}

static void without_auth_svc_the_gateway_is_answered(void)
{
  char reason[40];
  CU_ASSERT_STRING_EQUAL(outcome_alone(false, reason), "");
}

static void without_auth_svc_no_grant_is_taken(void)
{
  char reason[40];
  CU_ASSERT_STRING_NOT_EQUAL(outcome_alone(true, reason), "");
}

TEST_MAIN_SIDE_BY_SIDE("status_gate", TEST(without_a_grant_the_gateways_certificate_alone_will_do),
                       TEST(a_grant_decides_whoevers_certificate_calls),
                       TEST(without_auth_svc_the_gateway_is_answered),
                       TEST(without_auth_svc_no_grant_is_taken))
