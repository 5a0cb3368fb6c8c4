/* Every rpc leaves exactly one audit line, whatever it comes to, or nothing is answered. */
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define SECRET "a shared secret of more than 32 bytes"
#define TEXT(s) ((char *)(uintptr_t)(s))
#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static struct {
  char folder[64], path[96];
  struct fake_endpoint *fake;
  struct snapshot_slot *config;
  struct sealer *sealer;
  struct jwt_keys *keys;
  struct http_client *http;
  struct tokens *tokens;
  struct audit *audit;
  struct service *service;
  struct rpc_server *server;
  struct rpc_channel *channel;
  ProtobufCBinaryData admin, dealer, benchmark; /* sealed grants */
} s;

static void audit_refresh(void *user, const char *account_id, const struct token_reply *reply)
{
  const struct audit_event event = {.event = "token_refresh",
                                    .result = reply->outcome == TOKEN_OBTAINED ? "ok" : "failed",
                                    .account = account_id};
  audit_write(user, &event, NULL);
}

static void start_server(void)
{
  const struct service_options options = {
      .config = s.config,
      .tokens = s.tokens,
      .audit = s.audit,
      .bearer = {.enabled = true,
                 .account_tokens = true,
                 .jwt = {.issuer = "iss", .audience = "analytics-mcp"}}};
  s.service = service_new(&options);
  const struct rpc_server_options server = {.listen = "127.0.0.1:0",
                                            .max_message_bytes = 64 * 1024,
                                            .drain_ms = 1,
                                            .grace_ms = 1000,
                                            .on_refusal = service_on_refusal,
                                            .user = s.service};
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s.server, &server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(methods_register(s.service, s.server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s.server, NULL), ERR_OK);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(s.server));
  const struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&s.channel, &channel, NULL), ERR_OK);
}

static void stage(void)
{
  const struct http_client_options http = {.user_agent = "test"};
  signal(SIGXFSZ, SIG_IGN);
  rpc_init();
  snprintf(s.folder, sizeof(s.folder), "/tmp/auth-audited-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s.folder));
  snprintf(s.path, sizeof(s.path), "%s/audit.log", s.folder);
  const struct audit_options audit = {.path = s.path, .fsync = AUDIT_FSYNC_NEVER};
  CU_ASSERT_EQUAL_FATAL(audit_open(&s.audit, &audit, NULL), ERR_OK);
  s.fake = fake_start();
  struct snapshot *world = world_new(12, fake_url(s.fake));
  sealer_new(&s.sealer, "KEY", NULL, "test", NULL);
  s.keys = jwt_keys_new();
  jwt_keys_add_hs256(s.keys, "K", SECRET, strlen(SECRET), NULL);
  snapshot_trust(world, &(struct trust){s.sealer, s.keys, NULL, NULL});
  s.config = snapshot_slot_new(world);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s.http, &http, NULL), ERR_OK);
  const struct tokens_options tokens = {
      .env = {.http = s.http}, .on_refresh = audit_refresh, .user = s.audit};
  s.tokens = tokens_new(&tokens);
  start_server();
}

static void strike(void)
{
  AUTO_FREE char *head = xasprintf("%s.head", s.path);
  rpc_channel_free(s.channel);
  rpc_server_stop(s.server);
  http_client_free(s.http);
  tokens_free(s.tokens);
  service_free(s.service);
  snapshot_slot_free(s.config);
  jwt_keys_unref(s.keys);
  sealer_unref(s.sealer);
  audit_close(s.audit);
  fake_stop(s.fake);
  rpc_shutdown();
  free(s.admin.data);
  free(s.dealer.data);
  free(s.benchmark.data);
  unlink(s.path);
  unlink(head);
  rmdir(s.folder);
  memset(&s, 0, sizeof(s));
}

static void *call(const char *method, const ProtobufCMessage *request,
                  const ProtobufCBinaryData *grant, uint32_t timeout_ms, struct err *e)
{
  static const char parent[] = "00-" TRACE "-00f067aa0ba902b7-01";
  const struct rpc_metadata metadata[] = {
      {RPC_META_TRACEPARENT, parent, sizeof(parent) - 1},
      {RPC_META_GRANT, grant != NULL ? grant->data : NULL, grant != NULL ? grant->len : 0}};
  const struct rpc_client_options options = {
      .timeout_ms = timeout_ms, .metadata = metadata, .n_metadata = grant != NULL ? 2 : 1};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, s.channel, &analytics__auth__v1__auth_service__descriptor, method,
                       request, &options, e);
  return response;
}

static void drop(void *message)
{
  if (message != NULL)
    protobuf_c_message_free_unpacked(message, NULL);
}

static Analytics__Auth__V1__AuthenticateResponse *authenticate(const char *bearer, struct err *e)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  r.bearer_token = TEXT(bearer);
  return call("Authenticate", &r.base, NULL, 5000, e);
}

static char *bearer_of(const char *claims)
{
  AUTO_FREE char *payload =
      xasprintf("{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"exp\":%lld,\"sub\":\"ann\",%s}",
                (long long)clock_unix_ms() / 1000 + 3600, claims);
  return maker_token("{\"alg\":\"HS256\"}", payload, NULL, SECRET);
}

static void keep(ProtobufCBinaryData *out, const ProtobufCBinaryData *in)
{
  out->len = in->len;
  out->data = xmalloc(in->len);
  memcpy(out->data, in->data, in->len);
}

static enum err_code list_dealers(const ProtobufCBinaryData *grant, int limit, struct err *e)
{
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  r.limit = limit;
  drop(call("ListDealers", &r.base, grant, 5000, e));
  return e->code;
}

static enum err_code resolve(const ProtobufCBinaryData *grant, struct err *e)
{
  Analytics__Auth__V1__ResolveCohortRequest r = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  Analytics__Auth__V1__ResolveCohortResponse *c = call("ResolveCohort", &r.base, grant, 5000, e);
  if (c != NULL && s.benchmark.data == NULL)
    keep(&s.benchmark, &c->sealed_benchmark);
  drop(c);
  return e->code;
}

static enum err_code get_token(const ProtobufCBinaryData *grant, bool benchmark, const char *dealer,
                               uint32_t timeout_ms, struct err *e)
{
  Analytics__Auth__V1__GetAccessTokenRequest r =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT(dealer);
  r.purpose = benchmark ? ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK
                        : ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  drop(call("GetAccessToken", &r.base, grant, timeout_ms, e));
  return e->code;
}

/* Asks for the tokens of d03 and d01; which of them came, by bit. */
static unsigned get_tokens(const ProtobufCBinaryData *grant, bool benchmark, struct err *e)
{
  Analytics__Auth__V1__GetAccessTokensRequest r =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKENS_REQUEST__INIT;
  char *refs[] = {TEXT("d03"), TEXT("d01")};
  r.dealer_refs = refs;
  r.n_dealer_refs = ARRAY_LEN(refs);
  r.purpose = benchmark ? ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK
                        : ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  Analytics__Auth__V1__GetAccessTokensResponse *m =
      call("GetAccessTokens", &r.base, grant, 5000, e);
  unsigned came = 0;
  CU_ASSERT(m == NULL || m->n_answers == ARRAY_LEN(refs));
  for (size_t i = 0; m != NULL && i < m->n_answers; i++) {
    bool given = m->answers[i]->access_token[0] != '\0';
    CU_ASSERT_STRING_EQUAL(m->answers[i]->dealer_ref, given ? refs[i] : "");
    came |= (unsigned)given << i;
  }
  drop(m);
  return came;
}

static enum err_code end_lease(const ProtobufCBinaryData *grant, const char *dealer, uint64_t uses,
                               struct err *e)
{
  Analytics__Auth__V1__EndLeaseRequest r = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT(dealer);
  r.uses = uses;
  drop(call("EndLease", &r.base, grant, 5000, e));
  return e->code;
}

static void get_grants(void)
{
  AUTO_FREE char *admin = bearer_of("\"role\":\"admin\"");
  AUTO_FREE char *dealer = bearer_of("\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  struct err e;
  Analytics__Auth__V1__AuthenticateResponse *a = authenticate(admin, &e);
  Analytics__Auth__V1__AuthenticateResponse *d = authenticate(dealer, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  keep(&s.admin, &a->sealed);
  keep(&s.dealer, &d->sealed);
  drop(a);
  drop(d);
}

/* -------------------------------------------------------------------- the lines */

/* All lines behind the first `skip`, but those of refreshes. */
static size_t read_lines(size_t skip, char *last, size_t size)
{
  size_t n = 0;
  char line[8192];
  FILE *f = fopen(s.path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  while (fgets(line, sizeof(line), f) != NULL) {
    if (strstr(line, "\"token_refresh\"") != NULL || n++ < skip)
      continue;
    snprintf(last, size, "%s", line);
  }
  fclose(f);
  return n;
}

/* How many refreshes have ended, by their lines. */
static size_t refreshes(void)
{
  size_t n = 0;
  char line[8192];
  FILE *f = fopen(s.path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  while (fgets(line, sizeof(line), f) != NULL)
    n += strstr(line, "\"token_refresh\"") != NULL;
  fclose(f);
  return n;
}

/* A call that is not waited for to its end writes its line a moment later. */
static void expect_line(size_t *seen, const char *event, const char *result, const char *reason,
                        const char *subject)
{
  char line[8192] = "";
  size_t n = 0;
  for (int i = 0; i < 300 && n <= *seen; i++) {
    n = read_lines(*seen, line, sizeof(line));
    if (n <= *seen)
      usleep(10000);
  }
  AUTO_JSON cJSON *j = NULL;
  CU_ASSERT_EQUAL(n, *seen + 1);
  *seen = n;
  CU_ASSERT_EQUAL_FATAL(json_parse(&j, line, strlen(line), NULL, NULL), ERR_OK);
  const char *found = json_get_string(j, "reason"), *who = json_get_string(j, "subject");
  bool good = strcmp(json_get_string(j, "event"), event) == 0 &&
              strcmp(json_get_string(j, "result"), result) == 0 &&
              strcmp(found != NULL ? found : "", reason) == 0 &&
              strcmp(who != NULL ? who : "", subject) == 0 &&
              strcmp(json_get_string(j, "trace_id"), TRACE) == 0 &&
              strncmp(json_get_string(j, "peer"), "ipv4:127.0.0.1:", 15) == 0;
  if (!good)
    printf("\n  wanted %s %s %s %s\n  got %s", event, result, reason, subject, line);
  CU_ASSERT_TRUE(good);
}

static void check_no_secret(void)
{
  static const char *const secrets[] = {"refresh-token-", "client-secret-", "token-1", SECRET,
                                        "eyJ"};
  static char text[1 << 18];
  FILE *f = fopen(s.path, "r");
  size_t n = fread(text, 1, sizeof(text) - 1, f);
  fclose(f);
  text[n] = '\0';
  for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
    CU_ASSERT_PTR_NULL(strstr(text, secrets[i]));
}

static enum err_code check_resource(const char *url, struct err *e)
{
  Analytics__Auth__V1__CheckResourceRequest r = ANALYTICS__AUTH__V1__CHECK_RESOURCE_REQUEST__INIT;
  r.resource = (char *)(uintptr_t)url;
  *e = (struct err){0};
  drop(call("CheckResource", &r.base, NULL, 5000, e));
  return e->code;
}

static void each_outcome_of_each_rpc_writes_one_line(void)
{
  struct err e;
  size_t seen = 0;
  stage();
  drop(authenticate("", &e));
  expect_line(&seen, "authenticate", "denied", "missing_credentials", "");
  drop(authenticate("junk", &e));
  expect_line(&seen, "authenticate", "denied", "invalid_credentials", "");
  get_grants();
  seen++;
  expect_line(&seen, "authenticate", "ok", "", "ann");

  CU_ASSERT_EQUAL(check_resource("analytics-mcp", &e), ERR_OK);
  expect_line(&seen, "check_resource", "ok", "", "");
  CU_ASSERT_EQUAL(check_resource("https://mcp.example/mcp", &e), ERR_FAILED_PRECONDITION);
  expect_line(&seen, "check_resource", "failed", "other_resource", "");

  CU_ASSERT_EQUAL(list_dealers(&s.admin, 10, &e), ERR_OK);
  expect_line(&seen, "list_dealers", "ok", "", "ann");
  list_dealers(NULL, 10, &e);
  expect_line(&seen, "list_dealers", "denied", "missing_grant", "");
  CU_ASSERT_EQUAL(list_dealers(&s.admin, -1, &e), ERR_INVALID_ARGUMENT);
  expect_line(&seen, "list_dealers", "failed", e.reason, "ann");

  CU_ASSERT_EQUAL(resolve(&s.dealer, &e), ERR_OK);
  expect_line(&seen, "resolve_cohort", "ok", "", "ann");
  CU_ASSERT_EQUAL(resolve(&s.benchmark, &e), ERR_PERMISSION_DENIED);
  expect_line(&seen, "resolve_cohort", "denied", "purpose_not_allowed", "ann");
  resolve(NULL, &e);
  expect_line(&seen, "resolve_cohort", "denied", "missing_grant", "");

  CU_ASSERT_EQUAL(get_token(&s.dealer, false, "d03", 5000, &e), ERR_OK);
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  CU_ASSERT_EQUAL(get_token(&s.benchmark, true, "d03", 5000, &e), ERR_OK);
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  CU_ASSERT_EQUAL(get_token(&s.dealer, false, "d01", 5000, &e), ERR_NOT_FOUND);
  expect_line(&seen, "get_access_token", "denied", "unknown_dealer", "ann");
  CU_ASSERT_EQUAL(get_token(&s.dealer, true, "d03", 5000, &e), ERR_PERMISSION_DENIED);
  expect_line(&seen, "get_access_token", "denied", "purpose_not_allowed", "ann");
  get_token(NULL, false, "d03", 5000, &e);
  expect_line(&seen, "get_access_token", "denied", "missing_grant", "");
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 700});
  const size_t ended = refreshes();
  CU_ASSERT_EQUAL(get_token(&s.admin, false, "d05", 100, &e), ERR_DEADLINE_EXCEEDED);
  expect_line(&seen, "get_access_token", "failed", "cancelled", "ann");
  for (int i = 0; i < 1000 && refreshes() == ended; i++)
    usleep(5000);
  CU_ASSERT_EQUAL(refreshes(), ended + 1); /* that refresh is over */
  fake_set(s.fake, &(struct fake_answer){.status = 400, .body = "{\"error\":\"invalid_grant\"}"});
  CU_ASSERT_EQUAL(get_token(&s.admin, false, "d04", 5000, &e), ERR_FAILED_PRECONDITION);
  expect_line(&seen, "get_access_token", "failed", "invalid_grant", "ann");
  check_no_secret();
  strike();
}

/* ----------------------------------------------------- what was asked for, and why not */

static cJSON *last_line(void)
{
  char line[8192] = "";
  cJSON *j = NULL;
  read_lines(0, line, sizeof(line));
  CU_ASSERT_EQUAL_FATAL(json_parse(&j, line, strlen(line), NULL, NULL), ERR_OK);
  return j;
}

/* NULL: the last line has no such field. */
static void expect_field(const char *field, const char *wanted)
{
  AUTO_JSON cJSON *j = last_line();
  const char *found = json_get_string(j, field);
  if (wanted == NULL ? found != NULL : found == NULL || strcmp(found, wanted) != 0)
    printf("\n  %s: wanted %s, got %s\n", field, wanted != NULL ? wanted : "(none)",
           found != NULL ? found : "(none)");
  CU_ASSERT_TRUE(wanted == NULL ? found == NULL : found != NULL && strcmp(found, wanted) == 0);
}

static void ask_for(Analytics__Auth__V1__GetAccessTokenRequest__TargetCase what, const char *value)
{
  Analytics__Auth__V1__GetAccessTokenRequest r =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  struct err e;
  r.target_case = what;
  r.dealer_ref = TEXT(value); /* one place for all, by the contract's oneof */
  r.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  drop(call("GetAccessToken", &r.base, &s.dealer, 5000, &e));
}

static void a_denied_token_names_what_was_asked_for(void)
{
  struct err e;
  char longest[301];
  stage();
  get_grants();
  ask_for(ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF, "d99");
  expect_field("requested", "dealer_ref=d99");
  expect_field("dealer", NULL);
  ask_for(ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_PROPERTY_ID, "properties/77");
  expect_field("requested", "property_id=properties/77");
  ask_for(ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_ACCOUNT_ID, "someone\x1b[2J\"");
  expect_field("requested", "account_id=someone\x1b[2J\"");
  ask_for(ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET__NOT_SET, "");
  expect_field("requested", NULL); /* nothing was; the caller has one dealer */
  expect_field("dealer", "d03");
  memset(longest, 'x', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  ask_for(ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF, longest);
  AUTO_JSON cJSON *j = last_line();
  const char *cut = json_get_string(j, "requested");
  CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
  CU_ASSERT_EQUAL(strlen(cut), AUDIT_TEXT_MAX + 4 + 16);
  get_token(NULL, false, "d03", 5000, &e); /* without a grant, too */
  expect_field("requested", "dealer_ref=d03");
  CU_ASSERT_EQUAL(get_token(&s.dealer, false, "d03", 5000, &e), ERR_OK);
  expect_field("requested", NULL);
  expect_field("dealer", "d03");
  strike();
}

static void expect_count(double wanted)
{
  AUTO_JSON cJSON *j = last_line();
  CU_ASSERT_EQUAL(json_get_number(j, "count", 0), wanted);
}

static void a_lease_has_one_line_for_its_uses_with_their_count(void)
{
  struct err e;
  stage();
  get_grants();
  size_t seen = 2;
  CU_ASSERT_EQUAL(get_token(&s.dealer, false, "d03", 5000, &e), ERR_OK);
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  expect_count(0); /* stands for itself */
  AUTO_JSON cJSON *first = last_line();
  CU_ASSERT_EQUAL(end_lease(&s.dealer, "d03", 41, &e), ERR_OK);
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  expect_count(41);
  expect_field("dealer", "d03");
  expect_field("purpose", "direct");
  expect_field("account", json_get_string(first, "account"));
  expect_field("grant", json_get_string(first, "grant"));
  expect_field("detail", "used again");
  CU_ASSERT_EQUAL(end_lease(&s.dealer, "d99", 2, &e), ERR_OK); /* meanwhile taken out */
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  expect_count(2);
  expect_field("dealer", NULL);
  expect_field("requested", "dealer_ref=d99");
  CU_ASSERT_EQUAL(end_lease(&s.dealer, "d03", 0, &e), ERR_INVALID_ARGUMENT);
  expect_line(&seen, "get_access_token", "failed", "bad_uses", "ann");
  expect_count(0);
  CU_ASSERT_EQUAL(end_lease(NULL, "d03", 1, &e), ERR_UNAUTHENTICATED);
  expect_line(&seen, "get_access_token", "denied", "missing_grant", "");
  CU_ASSERT_EQUAL(resolve(&s.dealer, &e), ERR_OK);
  seen++;
  CU_ASSERT_EQUAL(end_lease(&s.benchmark, "d03", 1, &e), ERR_PERMISSION_DENIED);
  expect_line(&seen, "get_access_token", "denied", "purpose_not_allowed", "ann");
  strike();
}

/* No twelve characters of the token, whatever it is. */
static void expect_nothing_of(const char *token)
{
  char line[8192] = "", part[13];
  read_lines(0, line, sizeof(line));
  for (size_t i = 0; i + 12 <= strlen(token); i++) {
    snprintf(part, sizeof(part), "%.12s", token + i);
    CU_ASSERT_PTR_NULL(strstr(line, part));
  }
}

static void expect_cause(const char *token, const char *detail)
{
  struct err e;
  CU_ASSERT_PTR_NULL(authenticate(token, &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  expect_field("detail", detail);
  expect_nothing_of(token);
}

static void a_refused_bearer_says_why_and_shows_nothing_of_itself(void)
{
  struct err e;
  stage();
  const char *header = "{\"alg\":\"HS256\"}";
  AUTO_FREE char *good = bearer_of("\"role\":\"admin\"");
  AUTO_FREE char *role = bearer_of("\"role\":\"emperor-of-everything\"");
  AUTO_FREE char *old = maker_token(header,
                                    "{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"exp\":1000,"
                                    "\"sub\":\"ann-of-the-audit\",\"role\":\"admin\"}",
                                    NULL, SECRET);
  AUTO_FREE char *forged = maker_token(header, "{\"sub\":\"ann-of-the-audit\"}", NULL,
                                       "another secret of more than 32 bytes");
  AUTO_FREE char *alg = maker_token("{\"alg\":\"none-of-yours-at-all\"}", "{}", NULL, SECRET);
  expect_cause("", "none: Missing credentials");
  expect_cause(old, "jwt: has expired (exp)");
  expect_cause(forged, "jwt: the signature does not match");
  expect_cause(alg, "jwt: no configured key has the token's algorithm and key id");
  expect_cause(role, "jwt: claim role must be \"admin\", \"group\" or \"dealer\"");
  expect_cause("a secret that was pasted here by mistake",
               "unknown: neither a signed JWT nor base64 of a JSON object with account_id");
  /* {"account_id":"acc-d03","refresh_token":"stolen-and-outdated"} */
  expect_cause(
      "eyJhY2NvdW50X2lkIjoiYWNjLWQwMyIsInJlZnJlc2hfdG9rZW4iOiJzdG9sZW4tYW5kLW91dGRhdGVkIn0=",
      "account: no account accepts it; it must hold account_id and the account's current "
      "refresh_token; an access token proves nothing");
  drop(authenticate(good, &e));
  expect_field("detail", "jwt");
  strike();
}

/* --------------------------------------------------------------- floods of refusals */

/* A method that the contract does not have. */
static enum err_code call_nothing(struct err *e)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  ProtobufCServiceDescriptor stranger = analytics__auth__v1__auth_service__descriptor;
  ProtobufCMessage *response = NULL;
  static const char parent[] = "00-" TRACE "-00f067aa0ba902b7-01";
  const struct rpc_metadata metadata = {RPC_META_TRACEPARENT, parent, sizeof(parent) - 1};
  const struct rpc_client_options options = {
      .timeout_ms = 5000, .metadata = &metadata, .n_metadata = 1};
  *e = (struct err){0};
  stranger.name = "analytics.auth.v1.Backdoor";
  rpc_client_call_sync(&response, s.channel, &stranger, "Authenticate", &r.base, &options, e);
  drop(response);
  return e->code;
}

static void refuse_for(const char *client, const char *bearer)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  struct err e;
  r.bearer_token = TEXT(bearer);
  r.client_address = TEXT(client);
  drop(call("Authenticate", &r.base, NULL, 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
}

static size_t lines_of_client(const char *client)
{
  char line[8192];
  size_t n = 0;
  AUTO_FREE char *field = xasprintf("\"client\":\"%s\"", client);
  FILE *f = fopen(s.path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  while (fgets(line, sizeof(line), f) != NULL)
    n += strstr(line, field) != NULL;
  fclose(f);
  return n;
}

/* By the address that the gateway names; IPv6 by the network that one client has to itself. */
static void a_stranger_has_a_line_for_each_cause_whatever_he_sends(void)
{
  char bearer[32], address[64];
  struct err e;
  size_t seen = 0;
  stage();
  for (int i = 0; i < 100; i++) {
    snprintf(bearer, sizeof(bearer), "guess %d", i);
    snprintf(address, sizeof(address), "2001:db8:1:2::%x", i + 1);
    refuse_for("192.0.2.7", bearer);
    refuse_for(address, bearer);
    refuse_for("::ffff:192.0.2.9", "");
    refuse_for("not an address\n", bearer);
    list_dealers(NULL, 10, &e);
    call_nothing(&e);
  }
  char line[8192];
  seen = read_lines(0, line, sizeof(line));
  CU_ASSERT_EQUAL(seen, 6);
  CU_ASSERT_EQUAL(lines_of_client("192.0.2.7"), 1);
  CU_ASSERT_EQUAL(lines_of_client("2001:db8:1:2::/64"), 1);
  CU_ASSERT_EQUAL(lines_of_client("192.0.2.9"), 1);
  audit_flush_refusals(s.audit);
  CU_ASSERT_EQUAL(read_lines(0, line, sizeof(line)), 12);
  AUTO_JSON cJSON *j = last_line();
  CU_ASSERT_EQUAL(json_get_number(j, "count", 0), 99);
  get_grants(); /* who is let in has a line of its own, each time */
  CU_ASSERT_EQUAL(list_dealers(&s.admin, 10, &e), ERR_OK);
  CU_ASSERT_EQUAL(list_dealers(&s.admin, 10, &e), ERR_OK);
  CU_ASSERT_EQUAL(read_lines(0, line, sizeof(line)), 16);
  check_no_secret();
  strike();
}

/* ------------------------------------------------- what never reaches a handler */

static void a_call_that_reaches_no_handler_leaves_its_line(void)
{
  struct err e;
  size_t seen = 0;
  char line[8192] = "";
  stage();
  CU_ASSERT_EQUAL(call_nothing(&e), ERR_UNIMPLEMENTED);
  expect_line(&seen, "refused", "failed", "unknown_method", "");
  read_lines(seen - 1, line, sizeof(line));
  CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"detail\":\"/analytics.auth.v1.Backdoor/Authenticate\""));
  CU_ASSERT_PTR_NULL(authenticate("\xff\xfe", &e)); /* no UTF-8 */
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  expect_line(&seen, "refused", "failed", e.reason, "");
  /* The transport itself refuses this one: it never becomes a call, and says nothing of ours. */
  AUTO_FREE char *huge = xmalloc(100001);
  memset(huge, 'x', 100000);
  huge[100000] = '\0';
  CU_ASSERT_PTR_NULL(authenticate(huge, &e));
  CU_ASSERT_EQUAL(e.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "larger than max"));
  CU_ASSERT_EQUAL(list_dealers(NULL, 10, &e), ERR_UNAUTHENTICATED); /* and the next has its line */
  expect_line(&seen, "list_dealers", "denied", "missing_grant", "");
  strike();
}

static void limit_file_size(rlim_t bytes)
{
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
  CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void expect_refused(const struct err *e)
{
  CU_ASSERT_EQUAL(e->code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e->reason, "audit_unavailable");
}

static void a_full_disk_refuses_every_rpc_until_there_is_room(void)
{
  struct err e;
  struct stat st;
  stage();
  get_grants();
  CU_ASSERT_EQUAL(resolve(&s.dealer, &e), ERR_OK);
  CU_ASSERT_EQUAL(get_token(&s.admin, false, "d03", 5000, &e), ERR_OK); /* now in the cache */
  AUTO_FREE char *admin = bearer_of("\"role\":\"admin\"");
  CU_ASSERT_EQUAL(stat(s.path, &st), 0);
  limit_file_size((rlim_t)st.st_size);
  CU_ASSERT_PTR_NULL(authenticate(admin, &e));
  expect_refused(&e);
  CU_ASSERT_PTR_NULL(authenticate("junk", &e)); /* a denial too */
  expect_refused(&e);
  list_dealers(&s.admin, 10, &e);
  expect_refused(&e);
  resolve(&s.dealer, &e);
  expect_refused(&e);
  get_token(&s.admin, false, "d03", 5000, &e);
  expect_refused(&e);
  get_token(&s.admin, false, "d06", 5000, &e); /* needs a refresh */
  expect_refused(&e);
  call_nothing(&e); /* not even that there is no such method */
  expect_refused(&e);
  CU_ASSERT_PTR_NULL(authenticate("\xff", &e));
  expect_refused(&e);
  CU_ASSERT_FALSE(audit_is_writable(s.audit));
  limit_file_size(0);
  CU_ASSERT_EQUAL(get_token(&s.admin, false, "d06", 5000, &e), ERR_OK);
  CU_ASSERT_TRUE(audit_is_writable(s.audit));
  strike();
}

/* All lines with this text between quotes after "grant". */
static size_t lines_of_grant(const char *id)
{
  char line[8192];
  size_t n = 0;
  AUTO_FREE char *field = xasprintf("\"grant\":\"%s\"", id);
  FILE *f = fopen(s.path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  while (fgets(line, sizeof(line), f) != NULL)
    n += strstr(line, field) != NULL;
  fclose(f);
  return n;
}

static void lines_of_one_grant_and_of_its_benchmark_carry_its_id(void)
{
  struct err e;
  stage();
  AUTO_FREE char *bearer = bearer_of("\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  Analytics__Auth__V1__AuthenticateResponse *a = authenticate(bearer, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_EQUAL(strlen(a->grant->grant_id), 32);
  CU_ASSERT_EQUAL(lines_of_grant(a->grant->grant_id), 1);
  CU_ASSERT_EQUAL(list_dealers(&a->sealed, 10, &e), ERR_OK);
  CU_ASSERT_EQUAL(resolve(&a->sealed, &e), ERR_OK);
  CU_ASSERT_EQUAL(get_token(&s.benchmark, true, "d03", 5000, &e), ERR_OK); /* derived from it */
  CU_ASSERT_EQUAL(get_token(&a->sealed, false, "d01", 5000, &e), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(lines_of_grant(a->grant->grant_id), 5);
  drop(a);
  strike();
}

static size_t occurrences(const char *path, const char *text)
{
  static char source[1 << 18];
  FILE *f = fopen(path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t len = fread(source, 1, sizeof(source) - 1, f), n = 0;
  fclose(f);
  source[len] = '\0';
  for (const char *p = source; (p = strstr(p, text)) != NULL; p++)
    n++;
  return n;
}

/* What the compiler cannot say: nothing in the service's files answers but service_end_call()
 * and service_end_audited(), and nothing opens a grant but service_open_grant(). */
static void the_service_answers_in_one_place_only(void)
{
  static const char *const once[] = {"rpc_call_reply(", "rpc_call_finish(", "seal_open("};
  glob_t files;
  CU_ASSERT_EQUAL_FATAL(glob(AUTH_DIR "/rpc/*.c", 0, NULL, &files), 0);
  CU_ASSERT_TRUE(files.gl_pathc > 1);
  for (size_t i = 0; i < ARRAY_LEN(once); i++) {
    size_t n = 0;
    for (size_t k = 0; k < files.gl_pathc; k++)
      n += occurrences(files.gl_pathv[k], once[i]);
    CU_ASSERT_EQUAL(n, 1);
  }
  globfree(&files);
}

/* Each token that is given has the line of a GetAccessToken, and no dealer outside the grant gets
 * one. What is not held, or not allowed, is left to GetAccessToken. */
static void tokens_of_several_dealers_have_a_line_each(void)
{
  struct err e;
  size_t seen = 2;
  stage();
  get_grants();
  CU_ASSERT_EQUAL(resolve(&s.dealer, &e), ERR_OK);
  expect_line(&seen, "resolve_cohort", "ok", "", "ann");
  CU_ASSERT_EQUAL(get_tokens(&s.admin, false, &e), 0); /* none is held yet */
  CU_ASSERT_EQUAL(get_token(&s.admin, false, "d01", 5000, &e), ERR_OK);
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  CU_ASSERT_EQUAL(get_tokens(&s.dealer, false, &e), 0);
  CU_ASSERT_EQUAL(get_token(&s.dealer, false, "d03", 5000, &e), ERR_OK);
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  CU_ASSERT_EQUAL(get_tokens(&s.dealer, false, &e), 1); /* d01 is outside its grant */
  expect_line(&seen, "get_access_token", "ok", "", "ann");
  CU_ASSERT_EQUAL(get_tokens(&s.dealer, true, &e), 0);
  CU_ASSERT_EQUAL(get_tokens(&s.benchmark, false, &e), 0);
  CU_ASSERT_EQUAL(get_tokens(NULL, false, &e), 0);
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  expect_line(&seen, "get_access_token", "denied", "missing_grant", "");
  char last[8192];
  CU_ASSERT_EQUAL(get_tokens(&s.admin, false, &e), 3);
  CU_ASSERT_EQUAL(read_lines(seen, last, sizeof(last)), seen + 2);
  check_no_secret();
  strike();
}

TEST_MAIN("auth audited rpcs", TEST(each_outcome_of_each_rpc_writes_one_line),
          TEST(a_denied_token_names_what_was_asked_for),
          TEST(a_lease_has_one_line_for_its_uses_with_their_count),
          TEST(a_refused_bearer_says_why_and_shows_nothing_of_itself),
          TEST(a_stranger_has_a_line_for_each_cause_whatever_he_sends),
          TEST(a_call_that_reaches_no_handler_leaves_its_line),
          TEST(tokens_of_several_dealers_have_a_line_each),
          TEST(a_full_disk_refuses_every_rpc_until_there_is_room),
          TEST(lines_of_one_grant_and_of_its_benchmark_carry_its_id),
          TEST(the_service_answers_in_one_place_only))
