/* Who made a tool call, as the log has it: a hash that stays the same, and never the name. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/gateway/kept_log.h"
#include "tests/unit/gateway/running.h"
#include "tests/unit/harness.h"

/* The first 16 digits that `printf '1:alice' | sha256sum` prints, and so on: role and subject. */
#define ALICE "\"principal\":\"4cb3513c5c555820\""
#define BOB "\"principal\":\"2ce952d853ec15fb\""
/* `printf '1:alice\neve@example.com' | sha256sum` */
#define EVE "\"principal\":\"b1c7ccead405d324\""

#define MODERN                                                                                     \
  "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"              \
  "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: list_dealers\r\n"
#define CALL(query)                                                                                \
  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"list_dealers\"," \
  "\"arguments\":{\"query\":\"" query                                                              \
  "\"},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                     \
  "\"io.modelcontextprotocol/clientCapabilities\":{}}}}"

static struct running gateway;

static void call(const char *who, const char *body)
{
  AUTO_FREE char *headers = xasprintf(MODERN "%s", who);
  struct raw_answer a = raw_request(gateway.port, "POST", "/mcp", headers, body);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "\"isError\":"));
  raw_answer_free(&a);
}

#define AS_ALICE "Authorization: Bearer good-alice\r\n"
#define AS_BOB "Authorization: Bearer good-bob\r\n"

/* Calls that end well and badly, by two callers, before and after a restart. */
static void a_tool_call_names_its_caller_by_a_hash_that_outlives_a_restart(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  kept_log_begin();
  for (int start = 0; start < 2; start++) {
    running_start(&gateway, LOG_LEVEL_DEBUG, NULL);
    call(AS_ALICE, CALL("ford"));
    call(AS_ALICE, CALL("revoked")); /* an error */
    call(AS_BOB, CALL("ford"));
    running_stop(&gateway);
  }
  kept_log_end(&text);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"tool call\"", ALICE), 4);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"tool call\"", BOB), 2);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"tool call\""), 6);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "alice"), 0);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "bob"), 0);
}

/* A person behind a shared token is a name of his own, and as little in the clear. */
static void a_person_of_a_trusted_token_is_hashed_as_well(void)
{
  static const char *const persons[] = {AS_ALICE "X-User-ID: eve@example.com\r\n",
                                        AS_ALICE "X-User-Email: eve@example.com\r\n",
                                        AS_BOB "X-User-ID: eve@example.com\r\n"};
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  kept_log_begin();
  running_start(&gateway, LOG_LEVEL_DEBUG, "alice");
  for (size_t i = 0; i < ARRAY_LEN(persons); i++)
    call(persons[i], CALL("ford"));
  running_stop(&gateway);
  kept_log_end(&text);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"tool call\"", EVE), 2);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"tool call\"", BOB), 1); /* nobody trusts his word */
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "eve@"), 0);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "example.com"), 0);
}

/* Sends a request of the nth person, whose name has NAME bytes. */
enum { PERSONS = 2000, NAME = 6000 };

static void come_as(int nth)
{
  static char headers[NAME + 256];
  int n = snprintf(headers, sizeof(headers), AS_ALICE "X-User-ID: %08d", nth);
  memset(headers + n, 'x', NAME - 8);
  snprintf(headers + n + NAME - 8, 8, "\r\n");
  struct raw_answer a = raw_request(gateway.port, "DELETE", "/mcp", headers, NULL);
  CU_ASSERT_EQUAL(a.status, 405);
  raw_answer_free(&a);
}

/* A share is kept of each, 12 MB of names are not. */
static void names_of_any_length_take_the_same_room(void)
{
  running_start(&gateway, LOG_LEVEL_ERROR, "alice");
  for (int i = 0; i < 50; i++)
    come_as(i);
  size_t before = mallinfo2().uordblks;
  for (int i = 50; i < PERSONS; i++)
    come_as(i);
  size_t after = mallinfo2().uordblks;
  CU_ASSERT_TRUE(after < before + (size_t)PERSONS * 1024);
  if (after >= before + (size_t)PERSONS * 1024)
    printf("\n  %zu bytes more\n", after - before);
  running_stop(&gateway);
}

TEST_MAIN("gateway_named", TEST(a_tool_call_names_its_caller_by_a_hash_that_outlives_a_restart),
          TEST(a_person_of_a_trusted_token_is_hashed_as_well),
          TEST(names_of_any_length_take_the_same_room))
