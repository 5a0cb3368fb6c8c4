/* Who may call the rpcs of ConnectService: admins give orders, whoever else has a grant or none
 * does not; and each answer is a line of the audit log. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/rpc/rpc.h"
#include "tests/unit/auth/connect/stage.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

static struct {
  struct stage stage;
  struct snapshot_slot *config;
  struct sealer *sealer;
  struct audit *audit;
  char *folder, *path;
  struct service *service;
  struct rpc_server *server;
  struct rpc_channel *channel;
} t;

static bool apply(void *user)
{
  (void)user;
  return true;
}

static void start(bool with_connect)
{
  struct trust trust = {0};
  stage_open(&t.stage);
  t.folder = folder_make();
  t.path = xasprintf("%s/audit.log", t.folder);
  const struct audit_options audit = {.path = t.path, .fsync = AUDIT_FSYNC_NEVER};
  CU_ASSERT_EQUAL_FATAL(audit_open(&t.audit, &audit, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(sealer_new(&t.sealer, "KEY", NULL, "here", NULL), ERR_OK);
  trust.sealer = t.sealer;
  struct snapshot *first = world_new(3, NULL);
  snapshot_trust(first, &trust);
  t.config = snapshot_slot_new(first);
  const struct service_options options = {.config = t.config,
                                          .audit = t.audit,
                                          .connect = with_connect ? t.stage.connect : NULL,
                                          .connected = with_connect ? t.stage.store : NULL,
                                          .apply = apply};
  t.service = service_new(&options);
  const struct rpc_server_options server = {.listen = "127.0.0.1:0",
                                            .drain_ms = 1,
                                            .grace_ms = 1000,
                                            .on_refusal = service_on_refusal,
                                            .user = t.service};
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&t.server, &server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(methods_register(t.service, t.server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(t.server, NULL), ERR_OK);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(t.server));
  const struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&t.channel, &channel, NULL), ERR_OK);
}

static void stop(void)
{
  rpc_channel_free(t.channel);
  rpc_server_stop(t.server);
  service_free(t.service);
  snapshot_slot_free(t.config);
  sealer_unref(t.sealer);
  audit_close(t.audit);
  free(t.path);
  folder_remove(t.folder);
  free(t.folder);
  stage_close(&t.stage);
}

/* Calls with a grant of this role; ROLE_UNSPECIFIED: with none. */
static enum err_code call(const char *method, const ProtobufCMessage *request,
                          Analytics__Auth__V1__Role role, struct err *e)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  char subject[] = "ann";
  ProtobufCMessage *response = NULL;
  grant.subject = grant.grant_id = grant.principal_id = subject;
  grant.role = role;
  grant.all_dealers = true;
  grant.expires_at = clock_unix_ms() / 1000 + 60;
  seal_message(t.sealer, SEAL_GRANT, &grant.base, &sealed, NULL);
  const struct rpc_metadata metadata = {RPC_META_GRANT, sealed.data, sealed.len};
  const struct rpc_client_options options = {
      .timeout_ms = 20000,
      .metadata = &metadata,
      .n_metadata = role != ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED ? 1 : 0};
  *e = (struct err){0};
  enum err_code code =
      rpc_client_call_sync(&response, t.channel, &analytics__auth__v1__connect_service__descriptor,
                           method, request, &options, e);
  if (response != NULL)
    protobuf_c_message_free_unpacked(response, NULL);
  return code;
}

static size_t audit_lines(void)
{
  struct buf text = {0};
  size_t n = 0;
  CU_ASSERT_EQUAL_FATAL(file_read(&text, "audit", t.path, 1 << 20, false, NULL), ERR_OK);
  for (const char *p = text.data; (p = strchr(p, '\n')) != NULL; p++)
    n++;
  buf_free(&text);
  return n;
}

static const Analytics__Auth__V1__CreateInviteRequest invite =
    ANALYTICS__AUTH__V1__CREATE_INVITE_REQUEST__INIT;
static const Analytics__Auth__V1__ListConnectionsRequest list_all =
    ANALYTICS__AUTH__V1__LIST_CONNECTIONS_REQUEST__INIT;
static const Analytics__Auth__V1__RevokeInviteRequest end_link =
    ANALYTICS__AUTH__V1__REVOKE_INVITE_REQUEST__INIT;
static const Analytics__Auth__V1__DisconnectRequest forget =
    ANALYTICS__AUTH__V1__DISCONNECT_REQUEST__INIT;
static const Analytics__Auth__V1__ExportConnectedRequest export_all =
    ANALYTICS__AUTH__V1__EXPORT_CONNECTED_REQUEST__INIT;
static const Analytics__Auth__V1__ImportConnectedRequest import_all =
    ANALYTICS__AUTH__V1__IMPORT_CONNECTED_REQUEST__INIT;

/* Every order, and what an admin's comes to with nothing in it. */
static const struct {
  const char *method;
  const ProtobufCMessage *request;
  enum err_code admin;
} orders[] = {{"CreateInvite", &invite.base, ERR_INVALID_ARGUMENT},
              {"ListConnections", &list_all.base, ERR_OK},
              {"RevokeInvite", &end_link.base, ERR_NOT_FOUND},
              {"Disconnect", &forget.base, ERR_NOT_FOUND},
              {"ExportConnected", &export_all.base, ERR_OK},
              {"ImportConnected", &import_all.base, ERR_INVALID_ARGUMENT}};

static void orders_are_taken_of_admins_alone(void)
{
  struct err e;
  start(true);
  for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
    size_t before = audit_lines();
    CU_ASSERT_EQUAL(
        call(orders[i].method, orders[i].request, ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP, &e),
        ERR_PERMISSION_DENIED);
    CU_ASSERT_STRING_EQUAL(e.reason, "not_admin");
    CU_ASSERT_EQUAL(
        call(orders[i].method, orders[i].request, ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER, &e),
        ERR_PERMISSION_DENIED);
    CU_ASSERT_EQUAL(
        call(orders[i].method, orders[i].request, ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED, &e),
        ERR_UNAUTHENTICATED);
    CU_ASSERT_EQUAL(
        call(orders[i].method, orders[i].request, ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN, &e),
        orders[i].admin);
    CU_ASSERT_EQUAL(audit_lines(), before + 4);
  }
  stop();
}

static void without_a_url_everything_is_off(void)
{
  struct err e;
  const Analytics__Auth__V1__ShowInviteRequest show =
      ANALYTICS__AUTH__V1__SHOW_INVITE_REQUEST__INIT;
  const Analytics__Auth__V1__FinishConsentRequest finish =
      ANALYTICS__AUTH__V1__FINISH_CONSENT_REQUEST__INIT;
  start(false);
  for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
    CU_ASSERT_EQUAL(
        call(orders[i].method, orders[i].request, ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN, &e),
        ERR_FAILED_PRECONDITION);
    CU_ASSERT_STRING_EQUAL(e.reason, "connect_off");
  }
  const ProtobufCMessage *const steps[] = {&show.base, &finish.base};
  const char *const names[] = {"ShowInvite", "FinishConsent"};
  for (size_t i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(call(names[i], steps[i], ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED, &e),
                    ERR_FAILED_PRECONDITION);
    CU_ASSERT_STRING_EQUAL(e.reason, "connect_off");
  }
  stop();
}

static void begin(void)
{
  rpc_init();
}

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {TEST(orders_are_taken_of_admins_alone),
                                           TEST(without_a_url_everything_is_off)};
  static const struct test_program program = {"auth_connect_rpcs", AMCP_TEST_ROOM, cases,
                                              ARRAY_LEN(cases),    begin,          rpc_shutdown};
  return test_run(&program, argc, argv);
}
