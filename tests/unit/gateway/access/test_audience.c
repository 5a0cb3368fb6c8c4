/* Whether auth-svc takes tokens for our resource URL: asked until it is known, and shown. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/access/audience.h"
#include "tests/unit/harness.h"

#define URL "https://mcp.example/mcp"

enum { WAIT_MS = 20000, NO_SUCH_RPC = -1 };

static struct {
  struct rpc_server *server;
  struct rpc_channel *channel;
  struct audience *audience;
  atomic_int questions;
  atomic_int code; /* what the question gets */
} s;

static void check_resource(struct rpc_call *call, const ProtobufCMessage *message, void *user)
{
  const Analytics__Auth__V1__CheckResourceRequest *request = (const void *)message;
  const Analytics__Auth__V1__CheckResourceResponse good =
      ANALYTICS__AUTH__V1__CHECK_RESOURCE_RESPONSE__INIT;
  struct err e;
  (void)user;
  CU_ASSERT_STRING_EQUAL(request->resource, URL);
  enum err_code code = (enum err_code)atomic_load(&s.code);
  atomic_fetch_add(&s.questions, 1);
  if (code == ERR_OK) {
    rpc_call_reply(call, &good.base);
    return;
  }
  err_set(&e, code, "other_resource", "takes tokens for another");
  rpc_call_finish(call, &e);
}

static void start(int code, const char *url, uint32_t retry_ms)
{
  static const struct rpc_method methods[] = {
      {"CheckResource", RPC_UNARY, RPC_ON_POLLER, check_resource}};
  const struct rpc_server_options server = {
      .listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 1000};
  struct err e = {0};
  log_init("test", LOG_LEVEL_OFF);
  rpc_init();
  atomic_store(&s.questions, 0);
  atomic_store(&s.code, code);
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s.server, &server, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_add(s.server, &analytics__auth__v1__auth_service__descriptor,
                                       methods, code == NO_SUCH_RPC ? 0 : 1, NULL, &e),
                        ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s.server, &e), ERR_OK);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(s.server));
  const struct rpc_channel_options options = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&s.channel, &options, &e), ERR_OK);
  s.audience = audience_new(s.channel, url, retry_ms);
}

static void stop(void)
{
  rpc_channel_free(s.channel);
  audience_free(s.audience);
  rpc_server_stop(s.server);
  rpc_shutdown();
}

/* Looks until the page says it; "" for nothing. */
static bool shows(bool right, const char *line)
{
  for (int i = 0; i < WAIT_MS; i++) {
    AUTO_BUF struct buf page = BUF_INIT(4096);
    if (audience_is_right(s.audience, &page) == right && strcmp(buf_str(&page), line) == 0)
      return true;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return false;
}

static void it_is_right_once_auth_svc_says_so_and_stays_so(void)
{
  AUTO_BUF struct buf page = BUF_INIT(4096);
  start(ERR_OK, URL, 1);
  CU_ASSERT_FALSE(audience_is_right(s.audience, &page)); /* asked a moment ago */
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&page), "wait oauth: asks auth-svc"));
  CU_ASSERT_TRUE(shows(true, ""));
  atomic_store(&s.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_TRUE(shows(true, ""));
  CU_ASSERT_EQUAL(atomic_load(&s.questions), 1);
  stop();
}

static void a_mismatch_is_shown_until_it_is_mended(void)
{
  start(ERR_FAILED_PRECONDITION, URL, 1);
  CU_ASSERT_TRUE(shows(false, "failed oauth: takes tokens for another\n"));
  atomic_store(&s.code, ERR_UNAVAILABLE); /* it restarts: the last word counts */
  int before = atomic_load(&s.questions);
  for (int i = 0; i < WAIT_MS && atomic_load(&s.questions) < before + 2; i++)
    CU_ASSERT_TRUE(shows(false, "failed oauth: takes tokens for another\n"));
  atomic_store(&s.code, ERR_OK);
  CU_ASSERT_TRUE(shows(true, ""));
  stop();
}

static void a_mismatch_is_not_asked_about_all_the_time(void)
{
  start(ERR_FAILED_PRECONDITION, URL, 0);
  CU_ASSERT_TRUE(shows(false, "failed oauth: takes tokens for another\n"));
  for (int i = 0; i < 50; i++)
    CU_ASSERT_TRUE(shows(false, "failed oauth: takes tokens for another\n"));
  CU_ASSERT_EQUAL(atomic_load(&s.questions), 1);
  stop();
}

static void without_oauth_nothing_is_asked(void)
{
  AUTO_BUF struct buf page = BUF_INIT(4096);
  start(ERR_OK, NULL, 0);
  CU_ASSERT_TRUE(audience_is_right(s.audience, &page));
  audience_free(s.audience);
  s.audience = audience_new(s.channel, "", 0);
  CU_ASSERT_TRUE(audience_is_right(s.audience, &page));
  CU_ASSERT_EQUAL(page.len, 0);
  CU_ASSERT_EQUAL(atomic_load(&s.questions), 0);
  stop();
}

static void who_cannot_be_asked_is_not_waited_for(void)
{
  start(NO_SUCH_RPC, URL, 0);
  CU_ASSERT_TRUE(shows(true, ""));
  stop();
  start(ERR_PERMISSION_DENIED, URL, 0);
  CU_ASSERT_TRUE(shows(true, ""));
  stop();
}

TEST_MAIN("gateway_audience", TEST(it_is_right_once_auth_svc_says_so_and_stays_so),
          TEST(a_mismatch_is_shown_until_it_is_mended),
          TEST(a_mismatch_is_not_asked_about_all_the_time), TEST(without_oauth_nothing_is_asked),
          TEST(who_cannot_be_asked_is_not_waited_for))
