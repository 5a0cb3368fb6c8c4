/* Keys that change under a running service, as an operator changes them (docs, "Changing the
 * key"): the program, its files, its commands, its readiness. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/rpc/rpc.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/side.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

static struct {
  char *dir;
  pid_t pid;
  int admin_port;
  bool from_json; /* the dealers come by environment */
  struct fake_endpoint *fake;
  struct rpc_channel *channel;
  char text[1 << 16]; /* output of the last command, or the last page */
} t;

/* ----------------------------------------------------------------------- the operator */

/* Runs a shell line in the folder, with $A for the program. Gives its exit code. */
static int sh(const char *line)
{
  AUTO_FREE char *command =
      xasprintf("cd %s && export A='%s' && { %s; } 2>&1", t.dir, AUTH_SVC, line);
  FILE *f = popen(command, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  t.text[fread(t.text, 1, sizeof(t.text) - 1, f)] = '\0';
  int status = pclose(f);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(int got, int wanted, const char *shown)
{
  if (got != wanted || strstr(t.text, shown) == NULL)
    printf("\n  wanted %d with: %s\n  got %d with: %s\n", wanted, shown, got, t.text);
  CU_ASSERT_EQUAL(got, wanted);
  CU_ASSERT_PTR_NOT_NULL(strstr(t.text, shown));
}

/* Fetches a page of the admin port into t.text. */
static bool fetch(const char *path)
{
  struct sockaddr_in addr = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)t.admin_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  AUTO_FREE char *request = xasprintf("GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  size_t len = 0;
  bool ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
            send(fd, request, strlen(request), MSG_NOSIGNAL) > 0;
  for (ssize_t n; ok && (n = read(fd, t.text + len, sizeof(t.text) - 1 - len)) > 0;)
    len += (size_t)n;
  close(fd);
  t.text[len] = '\0';
  return ok;
}

static void wait_for_page(const char *path, const char *shown)
{
  for (int i = 0; i < 1200; i++) {
    if (fetch(path) && strstr(t.text, shown) != NULL)
      return;
    usleep(25000);
  }
  printf("\n  %s: wanted: %s\n  got: %s\n", path, shown, t.text);
  CU_FAIL("page");
}

static void wait_for_ready(const char *shown)
{
  wait_for_page("/readyz", shown);
}

/* A changed configuration is refused: readiness says that, the log says why. Leaves the page. */
static void wait_for_refusal(const char *why)
{
  wait_for_ready("warn config: changed files were refused, the log says why");
  expect(sh("grep -F 'is refused and the old one stays' log"), 0, why);
  CU_ASSERT_TRUE(fetch("/readyz"));
}

/* ------------------------------------------------------------------------ the service */

/* A port below those that the kernel gives to outgoing connections, which come and go. */
static int free_port(void)
{
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (int tries = 0; tries < 100; tries++) {
    uint16_t port = 0;
    CU_ASSERT_EQUAL(getrandom(&port, sizeof(port), 0), (ssize_t)sizeof(port));
    port = (uint16_t)(10240 + port % 20000);
    addr.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool free = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
    close(fd);
    if (free)
      return port;
  }
  CU_FAIL_FATAL("no free port");
  return 0;
}

static int port_in_log(const char *path)
{
  char text[65536] = "";
  for (int i = 0; i < 1200; i++) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0)
      close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, "\"msg\":\"serving\"");
    const char *port = at != NULL ? strstr(at, "\"port\":") : NULL;
    if (port != NULL)
      return (int)strtol(port + 7, NULL, 10);
    if (waitpid(t.pid, NULL, WNOHANG) == t.pid)
      break;
    usleep(25000);
  }
  printf("\n  the service does not start: %s\n", text);
  return 0;
}

static char *dealers_variable(void)
{
  AUTO_FREE char *path = xasprintf("%s/dealers.json", t.dir);
  char text[8192] = "";
  FILE *f = t.from_json ? fopen(path, "re") : NULL;
  if (f == NULL)
    return xstrdup("GA_CREDENTIALS_PATH=dealers.json");
  text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
  fclose(f);
  return xasprintf("GA_CREDENTIALS_JSON=%s", text);
}

static void run_service(int log, int admin_port)
{
  AUTO_FREE char *admin = xasprintf("ADMIN_LISTEN=127.0.0.1:%d", admin_port);
  AUTO_FREE char *dealers = dealers_variable();
  const char *const env[] = {"GRPC_LISTEN=127.0.0.1:0",
                             admin,
                             dealers,
                             "AUTH_KEYRING_FILE=ring",
                             "AUTH_STATE_DIR=state",
                             "AUTH_AUDIT_FILE=audit.log",
                             "AUTH_ALLOW_UNSIGNED_TOKENS=true",
                             "AUTH_REQUIRE_SEALED=true",
                             "AUTH_CONFIG_CHECK_S=1",
                             NULL};
  dup2(log, 1);
  dup2(log, 2);
  if (chdir(t.dir) == 0)
    execle(AUTH_SVC, "auth-svc", (char *)NULL, env);
  _exit(127);
}

/* Returns the port of the service, or 0 when it ended. */
static int launch(void)
{
  AUTO_FREE char *path = xasprintf("%s/log", t.dir);
  int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  t.admin_port = free_port();
  t.pid = fork();
  if (t.pid == 0)
    run_service(log, t.admin_port);
  close(log);
  return port_in_log(path);
}

static void start(void)
{
  int port = launch();
  for (int again = 0; port == 0 && again < 3; again++) /* another program took the port first */
    port = launch();
  CU_ASSERT_TRUE_FATAL(port > 0);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%d", port);
  const struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&t.channel, &channel, NULL), ERR_OK);
}

static void end(int signal)
{
  int status = 0;
  rpc_channel_free(TAKE_PTR(t.channel));
  kill(t.pid, signal);
  waitpid(t.pid, &status, 0);
  if (signal == SIGTERM) {
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

static void *call(const char *method, const ProtobufCMessage *request,
                  const ProtobufCBinaryData *grant)
{
  const struct rpc_metadata metadata = {RPC_META_GRANT, grant != NULL ? grant->data : NULL,
                                        grant != NULL ? grant->len : 0};
  const struct rpc_client_options options = {
      .timeout_ms = 10000, .metadata = &metadata, .n_metadata = grant != NULL};
  ProtobufCMessage *response = NULL;
  struct err e = {0};
  if (rpc_client_call_sync(&response, t.channel, &analytics__auth__v1__auth_service__descriptor,
                           method, request, &options, &e) != ERR_OK)
    printf("\n  %s: %s\n", method, e.message);
  return response;
}

/* Asks for a dealer's access token, as report-svc does for the caller of an account. NULL when
 * there is none. */
static Analytics__Auth__V1__GetAccessTokenResponse *ask_for_token(const char *account,
                                                                  const char *dealer)
{
  AUTO_FREE char *bearer = xasprintf("{\"account_id\":\"%s\"}", account);
  Analytics__Auth__V1__AuthenticateRequest a = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  Analytics__Auth__V1__GetAccessTokenRequest g =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  AUTO_BUF struct buf text = BUF_INIT(256);
  base64_encode(&text, bearer, strlen(bearer));
  a.bearer_token = TEXT(buf_str(&text));
  Analytics__Auth__V1__AuthenticateResponse *who = call("Authenticate", &a.base, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(who);
  g.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  g.dealer_ref = TEXT(dealer);
  g.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  Analytics__Auth__V1__GetAccessTokenResponse *token =
      call("GetAccessToken", &g.base, &who->sealed);
  protobuf_c_message_free_unpacked(&who->base, NULL);
  return token;
}

static void expect_token(const char *wanted)
{
  Analytics__Auth__V1__GetAccessTokenResponse *token = ask_for_token("d1", "d1");
  CU_ASSERT_PTR_NOT_NULL_FATAL(token);
  CU_ASSERT_STRING_EQUAL(token->access_token, wanted);
  protobuf_c_message_free_unpacked(&token->base, NULL);
}

/* A sealed file with one dealer whose refresh token was replaced: everything is k1's. */
static void stage(void)
{
  static const char body[] = "{\"access_token\":\"access-1\",\"expires_in\":3600,"
                             "\"refresh_token\":\"the-replaced-one\",\"token_type\":\"Bearer\"}";
  rpc_init();
  t.dir = folder_make();
  t.fake = fake_start();
  AUTO_FREE char *json =
      xasprintf("[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],"
                "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":"
                "\"the-first-one\",\"token_uri\":\"%s\"}}]\n",
                fake_url(t.fake));
  folder_write(t.dir, "dealers.json", json);
  expect(sh("export AUTH_KEYRING_FILE=ring; $A keygen --id k1 --add ring && $A seal dealers.json"),
         0, "2 secrets sealed with key \"k1\"");
  start();
  fake_set(t.fake, &(struct fake_answer){.status = 200, .body = body});
  expect_token("access-1");
  wait_for_ready("ok keyring: first k1; file k1 (2); store k1 (1); audit k1\n");
}

static void strike(void)
{
  fake_stop(t.fake);
  folder_remove(t.dir);
  free(t.dir);
  rpc_shutdown();
}

/* ------------------------------------------------------------------------------ tests */

static void expect_the_kept_token_is_used(void)
{
  char form[1024];
  fake_set(t.fake,
           &(struct fake_answer){.status = 200,
                                 .body = "{\"access_token\":\"access-2\",\"expires_in\":3600}"});
  expect_token("access-2");
  fake_last_form(t.fake, form, sizeof(form));
  CU_ASSERT_PTR_NOT_NULL(strstr(form, "refresh_token=the-replaced-one"));
}

/* The commands are those of docs/internals/auth/secret.md, "Changing the key". */
static void everything_follows_a_new_key_and_the_old_one_can_go(void)
{
  stage();
  expect(sh("cp ring k1.only; $A keygen --id k2 --add ring"), 0, "k2");
  wait_for_ready("ok keyring: first k2; file k1 (2); store k2 (1); audit k2\n");
  expect(sh("export AUTH_KEYRING_FILE=ring; $A rotate dealers.json && $A verify dealers.json"), 0,
         "key \"k2\" (first): 2 secrets");
  wait_for_ready("first k2; file k2 (2); store k2 (1); audit k2; may leave the keyring: k1\n");
  expect(sh("cp ring both; grep -v '^k1:' both > ring.new; chmod 600 ring.new; mv ring.new ring"),
         0, "");
  wait_for_ready("ok keyring: first k2; file k2 (2); store k2 (1); audit k2\n");
  expect_token("access-1"); /* nobody noticed */
  end(SIGKILL);
  start();
  wait_for_ready("ok keyring: first k2; file k2 (2); store k2 (1); audit k2\n");
  expect_the_kept_token_is_used();
  end(SIGTERM);
  expect(sh("! grep -q v1:k1: dealers.json state/refresh-tokens"), 0, "");
  expect(sh("AUTH_KEYRING_FILE=both $A audit verify audit.log"), 0, ", 0 faults");
  expect(sh("AUTH_KEYRING_FILE=ring $A audit verify audit.log"), 78,
         "audit.log line 1: is hashed with key \"k1\", which is not on the keyring");
  expect(sh("AUTH_KEYRING_FILE=k1.only $A audit verify audit.log"), 78,
         "is hashed with key \"k2\", which is not on the keyring");
  expect(sh("grep -c '\"event\":\"key_changed\",\"result\":\"ok\",\"old_key\":\"k1\",\"new_key\":"
            "\"k2\",\"key\":\"k1\"' audit.log"),
         0, "1\n");
  expect(sh("for k in $(sed 's/.*: //' both); do grep -qF -- \"$k\" audit.log log && echo found; "
            "done; true"),
         0, "");
  CU_ASSERT_PTR_NULL(strstr(t.text, "found"));
  strike();
}

static void a_key_that_leaves_too_early_is_refused_and_nothing_changes(void)
{
  stage();
  expect(sh("$A keygen --id k2 --add ring; cp ring both"), 0, "k2");
  wait_for_ready("first k2; file k1 (2); store k2 (1); audit k2\n");
  expect(sh("grep '^k2:' both > ring.new; chmod 600 ring.new; mv ring.new ring"), 0, "");
  wait_for_refusal("dealers.json line 8: [0].oauth.client_secret (dealer ");
  CU_ASSERT_PTR_NOT_NULL(strstr(t.text, "ok keyring: first k2; file k1 (2); store k2 (1)"));
  wait_for_page("/metrics", "auth_config_reloads_total{result=\"failed\"} 1\n");
  expect_token("access-1");
  expect(sh("cp both ring.new; chmod 600 ring.new; mv ring.new ring"), 0, "");
  wait_for_ready("ok config: number 3");
  end(SIGTERM);
  expect(sh("AUTH_KEYRING_FILE=both $A audit verify audit.log; grep -c config_refused audit.log"),
         0, "1\n");
  strike();
}

static void a_key_that_the_store_needs_is_refused_until_it_is_sealed_again(void)
{
  stage();
  AUTO_FREE char *in_the_way = xasprintf("%s/state/refresh-tokens.new", t.dir);
  CU_ASSERT_EQUAL(mkdir(in_the_way, 0700), 0);
  expect(sh("$A keygen --id k2 --add ring; cp ring both; AUTH_KEYRING_FILE=ring $A rotate "
            "dealers.json"),
         0, "k2");
  wait_for_ready("first k2; file k2 (2); store k1 (1); audit k2\n");
  expect(sh("grep '^k2:' both > ring.new; chmod 600 ring.new; mv ring.new ring"), 0, "");
  wait_for_refusal("AUTH_KEYRING_FILE: lacks a key that is still needed: the store of refresh "
                   "tokens is still sealed with ");
  CU_ASSERT_EQUAL(rmdir(in_the_way), 0);
  wait_for_ready("; store k2 (1); audit k2");
  kill(t.pid, SIGHUP); /* the same file again: now it may take over */
  wait_for_ready("first k2; file k2 (2); store k2 (1); audit k2\n");
  wait_for_ready("ok config: ");
  end(SIGKILL);
  start();
  expect_the_kept_token_is_used();
  end(SIGTERM);
  strike();
}

/* Dealers from the environment cannot change, but the keyring that opens them can. */
static void dealers_from_the_environment_keep_the_key_they_are_sealed_with(void)
{
  stage();
  end(SIGTERM);
  t.from_json = true;
  start();
  expect(sh("$A keygen --id k2 --add ring; cp ring both"), 0, "k2");
  wait_for_ready("first k2; file k1 (2); store k2 (1); audit k2\n");
  expect(sh("grep '^k2:' both > ring.new; chmod 600 ring.new; mv ring.new ring"), 0, "");
  wait_for_refusal("GA_CREDENTIALS_JSON line 8: [0].oauth.client_secret (dealer ");
  expect(sh("cp both ring.new; chmod 600 ring.new; mv ring.new ring"), 0, "");
  wait_for_ready("ok config: number 3");
  expect_the_kept_token_is_used();
  end(SIGTERM);
  t.from_json = false;
  strike();
}

static void a_start_with_a_new_key_says_so_in_the_audit_log(void)
{
  stage();
  end(SIGTERM);
  expect(sh("$A keygen --id k2 --add ring; AUTH_KEYRING_FILE=ring $A rotate dealers.json"), 0,
         "2 secrets");
  start();
  wait_for_ready("first k2; file k2 (2); store k2 (1); audit k2; may leave the keyring: k1\n");
  expect_the_kept_token_is_used();
  end(SIGTERM);
  expect(sh("AUTH_KEYRING_FILE=ring $A audit verify audit.log"), 0, ", 0 faults");
  expect(sh("grep -c '\"event\":\"key_changed\".*\"key\":\"k1\"' audit.log"), 0, "1\n");
  strike();
}

/* ---------------------------------------------------------------------------- strangers */

/* Dealers whose names would show anywhere; each asks for its token once and is refused. */
static const struct {
  const char *account, *dealer;
  struct fake_answer refusal;
} broken[] = {
    {"acct-otter", "otter-ford", {.status = 400, .body = "{\"error\":\"invalid_grant\"}"}},
    {"acct-badger", "badger-kia", {.status = 400, .body = "{\"error\":\"invalid_grant\"}"}},
    {"acct-heron", "heron-honda", {.status = 401, .body = "{\"error\":\"invalid_client\"}"}},
    {"acct-lynx", "lynx-toyota", {.status = 500, .body = "{}"}}};

static void put_broken_dealers(void)
{
  AUTO_BUF struct buf json = BUF_INIT(1 << 16);
  for (size_t i = 0; i < ARRAY_LEN(broken); i++)
    buf_printf(&json,
               "%s{\"dealer_id\":\"%s\",\"account_id\":\"%s\",\"name\":\"Name of %s\","
               "\"region\":\"Quokkaland\",\"city\":\"Wombatville\",\"owner\":\"Numbat Group\","
               "\"properties\":[\"98765432%zu\"],\"oauth\":{\"client_id\":\"client-of-%s\","
               "\"client_secret\":\"secret-of-%s\",\"refresh_token\":\"refresh-of-%s\","
               "\"token_uri\":\"%s\"}}",
               i == 0 ? "[" : ",", broken[i].dealer, broken[i].account, broken[i].dealer, i,
               broken[i].dealer, broken[i].dealer, broken[i].dealer, fake_url(t.fake));
  buf_puts(&json, "]\n");
  folder_write(t.dir, "dealers.json", buf_str(&json));
  expect(sh("AUTH_KEYRING_FILE=ring $A seal dealers.json"), 0, "8 secrets sealed");
}

/* Pages of the admin port, which has no authentication, in t.text. */
static void expect_no_names(const char *path)
{
  static const char *const parts[] = {
      "otter",  "badger",   "heron", "lynx",      "Name of",    "Quokka",      "Wombat",
      "Numbat", "98765432", "acct-", "client-of", "127.0.0.1:", "dealers.json"};
  CU_ASSERT_TRUE(fetch(path));
  for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
    if (strstr(t.text, parts[i]) != NULL)
      printf("\n  %s shows %s: %s\n", path, parts[i], t.text);
    CU_ASSERT_PTR_NULL(strstr(t.text, parts[i]));
  }
}

static void expect_named_in_the_log(const char *account, const char *state)
{
  AUTO_FREE char *line = xasprintf("grep -F 'an account is not in good standing' log | grep -F "
                                   "'\"account_id\":\"%s\"' | grep -cF '\"state\":\"%s\"'",
                                   account, state);
  expect(sh(line), 0, "1\n");
}

/* Whoever reaches the port reads how many accounts are broken, and not whose they are. */
static void a_stranger_reads_numbers_where_the_log_has_names(void)
{
  stage();
  end(SIGTERM);
  put_broken_dealers();
  start();
  for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
    fake_set(t.fake, &broken[i].refusal);
    CU_ASSERT_PTR_NULL(ask_for_token(broken[i].account, broken[i].dealer));
  }
  wait_for_ready("warn accounts: 2 need re-consent; the log names them\n");
  expect_no_names("/readyz");
  CU_ASSERT_PTR_NOT_NULL(strstr(t.text, "ok dealers: 4 loaded\n"));
  expect_no_names("/metrics");
  CU_ASSERT_PTR_NOT_NULL(strstr(t.text, "auth_accounts{state=\"needs_reconsent\"} 2\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(t.text, "auth_accounts{state=\"misconfigured\"} 1\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(t.text, "auth_accounts{state=\"failing\"} 1\n"));
  expect_named_in_the_log("acct-otter", "needs_reconsent");
  expect_named_in_the_log("acct-badger", "needs_reconsent");
  expect_named_in_the_log("acct-heron", "misconfigured");
  expect(sh("sed 's/98765432[0-9]*/no property/' dealers.json > bad; chmod 600 bad; "
            "mv bad dealers.json"),
         0, "");
  wait_for_refusal("otter-ford"); /* and of a configuration that is refused */
  expect_no_names("/readyz");
  end(SIGTERM);
  strike();
}

TEST_MAIN_SIDE_BY_SIDE("auth keys program",
                       TEST(everything_follows_a_new_key_and_the_old_one_can_go),
                       TEST(a_key_that_leaves_too_early_is_refused_and_nothing_changes),
                       TEST(a_key_that_the_store_needs_is_refused_until_it_is_sealed_again),
                       TEST(dealers_from_the_environment_keep_the_key_they_are_sealed_with),
                       TEST(a_start_with_a_new_key_says_so_in_the_audit_log),
                       TEST(a_stranger_reads_numbers_where_the_log_has_names))
