/* GetStatus and AuthorizeStatus: who is shown the state of all dealers, what it says, and that it
 * holds nothing secret. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analytics/auth/v1/status.pb-c.h"
#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/cert_maker.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define ADMIN ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN
#define GROUP ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP
#define DEALER ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER
#define NO_GRANT ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED

enum { DEALERS = 12 };

typedef Analytics__Auth__V1__AuthStatus auth_status;
typedef Analytics__Auth__V1__AuthorizeStatusResponse sizes;

static struct {
  struct fake_endpoint *fake;
  struct snapshot_slot *config;
  struct sealer *sealer;
  struct jwt_keys *keys;
  struct http_client *http;
  struct tokens *tokens;
  struct audit *audit;
  char *folder, *path;
  struct service *service;
  struct rpc_server *server;
  struct rpc_channel *channel;
} t;

/* ---------------------------------------------------------------------------- stage */

/* certs NULL: plaintext, and whoever calls; else the caller shows the certificate of `client`. */
static void start_server(const char *certs)
{
  const struct service_options options = {.config = t.config,
                                          .tokens = t.tokens,
                                          .audit = t.audit,
                                          .report_identity = certs != NULL ? "report-svc" : NULL,
                                          .aggregate_identity =
                                              certs != NULL ? "aggregate-svc" : NULL,
                                          .gateway_identity = certs != NULL ? "gateway" : NULL,
                                          .status = {.started_at = 1795953600}};
  struct rpc_server_options server = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 1000};
  AUTO_FREE char *cert = NULL, *key = NULL, *ca = NULL;
  if (certs != NULL) {
    cert = cert_path(certs, "auth-svc", "pem");
    key = cert_path(certs, "auth-svc", "key");
    ca = cert_path(certs, "ca", "pem");
    server.tls = (struct rpc_tls){cert, key, ca};
  }
  t.service = service_new(&options);
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&t.server, &server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(methods_register(t.service, t.server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(t.server, NULL), ERR_OK);
}

static void connect_as(const char *certs, const char *client)
{
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(t.server));
  struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  AUTO_FREE char *cert = NULL, *key = NULL, *ca = NULL;
  if (certs != NULL) {
    cert = cert_path(certs, client, "pem");
    key = cert_path(certs, client, "key");
    ca = cert_path(certs, "ca", "pem");
    channel.tls = (struct rpc_tls){cert, key, ca};
  }
  rpc_channel_free(t.channel);
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&t.channel, &channel, NULL), ERR_OK);
}

static void start(const char *certs)
{
  const struct http_client_options http = {.user_agent = "test"};
  rpc_init();
  t.folder = folder_make();
  t.path = xasprintf("%s/audit.log", t.folder);
  const struct audit_options audit = {.path = t.path, .fsync = AUDIT_FSYNC_NEVER};
  CU_ASSERT_EQUAL_FATAL(audit_open(&t.audit, &audit, NULL), ERR_OK);
  t.fake = fake_start();
  struct snapshot *world = world_new(DEALERS, fake_url(t.fake));
  CU_ASSERT_EQUAL_FATAL(sealer_new(&t.sealer, "KEY", NULL, "here", NULL), ERR_OK);
  t.keys = jwt_keys_new();
  snapshot_trust(world, &(struct trust){.sealer = t.sealer, .jwt_keys = t.keys});
  t.config = snapshot_slot_new(world);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&t.http, &http, NULL), ERR_OK);
  t.tokens = tokens_new(&(struct tokens_options){.env = {.http = t.http}});
  t.channel = NULL;
  start_server(certs);
}

static void stop(void)
{
  rpc_channel_free(t.channel);
  rpc_server_stop(t.server);
  http_client_free(t.http);
  tokens_free(t.tokens);
  service_free(t.service);
  snapshot_slot_free(t.config);
  jwt_keys_unref(t.keys);
  sealer_unref(t.sealer);
  audit_close(t.audit);
  folder_remove(t.folder);
  free(t.folder);
  free(t.path);
  fake_stop(t.fake);
  rpc_shutdown();
}

static void seal(struct buf *out, Analytics__Auth__V1__Role role)
{
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  char subject[] = "ann";
  grant.subject = grant.grant_id = grant.principal_id = subject;
  grant.role = role;
  grant.all_dealers = true;
  grant.expires_at = clock_unix_ms() / 1000 + 60;
  CU_ASSERT_EQUAL(seal_message(t.sealer, SEAL_GRANT, &grant.base, out, NULL), ERR_OK);
}

static void *call_on(const ProtobufCServiceDescriptor *service, const char *method,
                     const ProtobufCMessage *request, Analytics__Auth__V1__Role role, struct err *e)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  seal(&sealed, role);
  const struct rpc_metadata metadata = {RPC_META_GRANT, sealed.data, sealed.len};
  const struct rpc_client_options options = {
      .timeout_ms = 20000, .metadata = &metadata, .n_metadata = role != NO_GRANT ? 1 : 0};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, t.channel, service, method, request, &options, e);
  return response;
}

static void *call(const char *method, Analytics__Auth__V1__Role role, struct err *e)
{
  /* Both requests are empty. */
  const Analytics__Status__V1__GetStatusRequest status =
      ANALYTICS__STATUS__V1__GET_STATUS_REQUEST__INIT;
  const Analytics__Auth__V1__AuthorizeStatusRequest authorize =
      ANALYTICS__AUTH__V1__AUTHORIZE_STATUS_REQUEST__INIT;
  return call_on(&analytics__auth__v1__status_service__descriptor, method,
                 strcmp(method, "GetStatus") == 0 ? &status.base : &authorize.base, role, e);
}

static void drop(void *message)
{
  if (message != NULL)
    protobuf_c_message_free_unpacked(message, NULL);
}

/* "" when it is answered, else the reason. */
static const char *outcome(const char *method, Analytics__Auth__V1__Role role, char reason[40])
{
  struct err e;
  void *response = call(method, role, &e);
  snprintf(reason, 40, "%s", response != NULL ? "" : e.reason);
  CU_ASSERT_TRUE(response != NULL || e.code == ERR_PERMISSION_DENIED);
  drop(response);
  return reason;
}

static char *certificates(void)
{
  static const char *const names[] = {"auth-svc", "report-svc", "aggregate-svc", "gateway",
                                      "nightly-export"};
  char dir[] = "/tmp/auth-status-XXXXXX";
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  cert_make(dir, names, ARRAY_LEN(names));
  return xstrdup(dir);
}

/* ---------------------------------------------------------------------------- tests */

static void a_grant_must_be_an_admins(void)
{
  char reason[40];
  start(NULL);
  connect_as(NULL, NULL);
  CU_ASSERT_STRING_EQUAL(outcome("GetStatus", ADMIN, reason), "");
  CU_ASSERT_STRING_EQUAL(outcome("GetStatus", GROUP, reason), "not_admin");
  CU_ASSERT_STRING_EQUAL(outcome("GetStatus", DEALER, reason), "not_admin");
  CU_ASSERT_STRING_EQUAL(outcome("AuthorizeStatus", ADMIN, reason), "");
  CU_ASSERT_STRING_EQUAL(outcome("AuthorizeStatus", GROUP, reason), "not_admin");
  CU_ASSERT_STRING_EQUAL(outcome("AuthorizeStatus", DEALER, reason), "not_admin");
  CU_ASSERT_STRING_EQUAL(outcome("GetStatus", NO_GRANT, reason),
                         ""); /* plaintext: see status.proto */
  stop();
}

/* A grant decides also where the certificate would do: who passes its callers' grants on lends them
 * nothing. */
static void without_a_grant_only_the_gateways_certificate_will_do(void)
{
  static const struct {
    const char *client, *status, *authorize;
  } table[] = {{"gateway", "", "wrong_service"},
               {"report-svc", "wrong_service", ""},
               {"aggregate-svc", "wrong_service", ""},
               {"nightly-export", "wrong_service", "wrong_service"}};
  AUTO_FREE char *certs = certificates();
  char reason[40];
  start(certs);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    connect_as(certs, table[i].client);
    CU_ASSERT_STRING_EQUAL(outcome("GetStatus", NO_GRANT, reason), table[i].status);
    CU_ASSERT_STRING_EQUAL(outcome("AuthorizeStatus", NO_GRANT, reason), table[i].authorize);
    CU_ASSERT_STRING_EQUAL(outcome("GetStatus", DEALER, reason), "not_admin");
    CU_ASSERT_STRING_EQUAL(outcome("GetStatus", ADMIN, reason), "");
  }
  stop();
  folder_remove(certs);
}

static const Analytics__Auth__V1__DealerConsent *find(const auth_status *s, const char *id)
{
  for (size_t i = 0; i < s->n_dealers; i++)
    if (strcmp(s->dealers[i]->dealer_id, id) == 0)
      return s->dealers[i];
  CU_FAIL_FATAL("no such dealer");
  return NULL;
}

static void ask_for_a_token(const char *dealer)
{
  Analytics__Auth__V1__GetAccessTokenRequest r =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  struct err e;
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = (char *)(uintptr_t)dealer;
  r.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  drop(call_on(&analytics__auth__v1__auth_service__descriptor, "GetAccessToken", &r.base, ADMIN,
               &e));
}

static void a_dealers_consent_shows_with_the_command_that_helps(void)
{
  static const struct {
    const char *answer, *state, *reason, *remedy;
  } table[] = {
      {"{\"error\":\"invalid_grant\"}", "needs_reconsent", "invalid_grant",
       "put a new refresh token of d03 into the dealers file, then auth-svc check d03"},
      {"{\"error\":\"invalid_client\"}", "misconfigured", "invalid_client", "auth-svc check d03"}};
  struct err e;
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    start(NULL);
    connect_as(NULL, NULL);
    int64_t before = clock_unix_ms() / 1000;
    ask_for_a_token("d05");
    fake_set(t.fake, &(struct fake_answer){.status = 400, .body = table[i].answer});
    ask_for_a_token("d03");
    auth_status *s = call("GetStatus", ADMIN, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->n_dealers, DEALERS);
    CU_ASSERT_STRING_EQUAL(find(s, "d01")->state, "idle");
    CU_ASSERT_STRING_EQUAL(find(s, "d05")->state, "ok");
    CU_ASSERT_TRUE(find(s, "d05")->last_token_at >= before);
    CU_ASSERT_STRING_EQUAL(find(s, "d05")->remedy, "");
    CU_ASSERT_STRING_EQUAL(find(s, "d05")->property_ids[0], "2000005");
    CU_ASSERT_STRING_EQUAL(find(s, "d03")->state, table[i].state);
    CU_ASSERT_STRING_EQUAL(find(s, "d03")->reason, table[i].reason);
    CU_ASSERT_STRING_EQUAL(find(s, "d03")->remedy, table[i].remedy);
    CU_ASSERT_EQUAL(find(s, "d03")->last_token_at, 0);
    CU_ASSERT_EQUAL(s->service->started_at, 1795953600);
    CU_ASSERT_STRING_EQUAL(s->service->version, AMCP_VERSION);
    drop(s);
    stop();
  }
}

static bool holds(const void *data, size_t len, const char *text)
{
  return memmem(data, len, text, strlen(text)) != NULL;
}

static void the_answer_holds_no_secret_and_no_token(void)
{
  struct err e;
  start(NULL);
  connect_as(NULL, NULL);
  ask_for_a_token("d05");
  auth_status *s = call("GetStatus", ADMIN, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  size_t len = protobuf_c_message_get_packed_size(&s->base);
  AUTO_FREE uint8_t *packed = xmalloc(len);
  protobuf_c_message_pack(&s->base, packed);
  CU_ASSERT_TRUE(holds(packed, len, "d05")); /* the search finds what is there */
  CU_ASSERT_FALSE(holds(packed, len, "refresh-token"));
  CU_ASSERT_FALSE(holds(packed, len, "client-secret"));
  CU_ASSERT_FALSE(holds(packed, len, "token-1"));
  drop(s);
  stop();
}

/* Three dealers to an owner, three regions in turn: twelve dealers are four of four owners each. */
static void cohorts_have_the_sizes_of_the_configuration(void)
{
  struct err e;
  start(NULL);
  connect_as(NULL, NULL);
  sizes *s = call("AuthorizeStatus", ADMIN, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  CU_ASSERT_EQUAL_FATAL(s->n_cohorts, 3);
  for (size_t i = 0; i < s->n_cohorts; i++) {
    CU_ASSERT_EQUAL(s->cohorts[i]->dealers, 4);
    CU_ASSERT_EQUAL(s->cohorts[i]->owners, 4);
    CU_ASSERT_FALSE(s->cohorts[i]->isolates_dealers);
  }
  drop(s);
  stop();
}

static size_t count(const char *text, const char *what)
{
  size_t n = 0;
  for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
    n++;
  return n;
}

static void each_look_is_in_the_audit_log(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  char reason[40];
  start(NULL);
  connect_as(NULL, NULL);
  outcome("GetStatus", ADMIN, reason);
  outcome("GetStatus", DEALER, reason);
  outcome("AuthorizeStatus", ADMIN, reason);
  CU_ASSERT_EQUAL_FATAL(file_read(&text, "audit", t.path, 1 << 20, false, NULL), ERR_OK);
  CU_ASSERT_EQUAL(count(buf_str(&text), "\"event\":\"get_status\""), 2);
  CU_ASSERT_EQUAL(count(buf_str(&text), "\"event\":\"authorize_status\""), 1);
  CU_ASSERT_EQUAL(count(buf_str(&text), "\"reason\":\"not_admin\""), 1);
  CU_ASSERT_EQUAL(count(buf_str(&text), "\"subject\":\"ann\""), 3);
  stop();
}

TEST_MAIN("auth_rpc_status", TEST(each_look_is_in_the_audit_log), TEST(a_grant_must_be_an_admins),
          TEST(without_a_grant_only_the_gateways_certificate_will_do),
          TEST(a_dealers_consent_shows_with_the_command_that_helps),
          TEST(the_answer_holds_no_secret_and_no_token),
          TEST(cohorts_have_the_sizes_of_the_configuration))
