/* The trace of a call: from the client's context through its attempts to the handler, and on to the
 * calls that the handler makes. */
#include <string.h>

#include "common/base/mem.h"
#include "common/trace/scope.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"
#include "tests/unit/trace/collect.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define NAME(method) "amcp.test.v1.Echo/" method

static struct echo echo;
static struct rpc_server *server;
static struct rpc_channel *channel;
static struct trace_context context;

static void begin(void)
{
  memset(&echo, 0, sizeof(echo));
  rpc_init();
  server = echo_start(&echo, NULL);
  channel = echo_connect(server);
  trace_context_read(&context, PARENT, "vendor=1");
}

static void end(void)
{
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
}

/* The traceparent that Describe sees at the end of Relay. */
static char *described(const char *method, const struct rpc_client_options *o)
{
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("Describe");
  ProtobufCMessage *response;
  struct err e;
  CU_ASSERT_EQUAL_FATAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, method, &request.base, o, &e), ERR_OK);
  size_t size = protobuf_c_message_get_packed_size(response);
  AUTO_FREE uint8_t *bytes = xmalloc(size + 1);
  protobuf_c_message_pack(response, bytes);
  DescribeResponse *d = amcp__test__v1__describe_response__unpack(NULL, size, bytes);
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  char *seen = xstrdup(d->traceparent);
  protobuf_c_message_free_unpacked(&d->base, NULL);
  protobuf_c_message_free_unpacked(response, NULL);
  return seen;
}

static void without_a_recorder_the_context_goes_on_as_it_is(void)
{
  const struct rpc_client_options o = {.trace = &context};
  begin();
  echo.relay = echo_connect(server);
  AUTO_FREE char *seen = described("Relay", &o);
  CU_ASSERT_STRING_EQUAL(seen, PARENT);
  AUTO_FREE char *none = described("Relay", NULL);
  CU_ASSERT_STRING_EQUAL(none, "");
  struct trace_scope scope = trace_enter(&context);
  AUTO_FREE char *current = described("Relay", NULL);
  trace_leave(scope);
  CU_ASSERT_STRING_EQUAL(current, PARENT);
  rpc_channel_free(echo.relay);
  end();
}

static void malformed_metadata_goes_no_further(void)
{
  static const char *const bad[] = {"00-abc-def-01", "", PARENT "0", PARENT "-more"};
  begin();
  echo.relay = echo_connect(server);
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    const struct rpc_metadata md = {RPC_META_TRACEPARENT, bad[i], strlen(bad[i])};
    const struct rpc_client_options o = {.metadata = &md, .n_metadata = 1};
    AUTO_FREE char *seen = described("Relay", &o);
    CU_ASSERT_STRING_EQUAL(seen, "");
  }
  rpc_channel_free(echo.relay);
  end();
}

static void attempts_and_handlers_form_a_tree(void)
{
  const struct rpc_client_options o = {.trace = &context};
  collect_begin("parentbased_always_on");
  begin();
  echo.relay = echo_connect(server);
  AUTO_FREE char *seen = described("Relay", &o);
  CU_ASSERT_TRUE_FATAL(collect_wait(4));
  /* A server's span may end before or after its client's. */
  const struct collected *spans[4] = {
      collect_find(NAME("Relay"), 0), collect_find(NAME("Relay"), 1),
      collect_find(NAME("Describe"), 0), collect_find(NAME("Describe"), 1)};
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT_PTR_NOT_NULL_FATAL(spans[i]);
  for (size_t i = 0; i < 4; i += 2) /* the client's first */
    if (spans[i]->kind != SPAN_CLIENT) {
      const struct collected *other = spans[i];
      spans[i] = spans[i + 1];
      spans[i + 1] = other;
    }
  CU_ASSERT_EQUAL(memcmp(spans[0]->parent_id, context.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(memcmp(spans[0]->trace_id, context.trace_id, TRACE_ID_BYTES), 0);
  for (size_t i = 1; i < 4; i++) {
    CU_ASSERT_TRUE(collect_is_child(spans[i], spans[i - 1]));
    CU_ASSERT_EQUAL(spans[i]->kind, i % 2 == 0 ? SPAN_CLIENT : SPAN_SERVER);
  }
  CU_ASSERT_STRING_EQUAL(spans[3]->attributes,
                         "rpc.system=grpc;rpc.service=amcp.test.v1.Echo;rpc.method=Describe;"
                         "rpc.grpc.status_code=0;");
  struct trace_context last;
  CU_ASSERT_TRUE(trace_context_read(&last, seen, NULL));
  CU_ASSERT_EQUAL(memcmp(last.span_id, spans[2]->span_id, SPAN_ID_BYTES), 0);
  rpc_channel_free(echo.relay);
  end();
  collect_end();
}

static void every_attempt_is_a_span_of_its_own(void)
{
  struct err e;
  const struct rpc_client_options o = {.trace = &context, .timeout_ms = 15000, .attempt_ms = 400};
  collect_begin("always_on");
  begin();
  CU_ASSERT_EQUAL(echo_say(channel, "Hang", "x", &o, &e), ERR_UNAVAILABLE);
  CU_ASSERT_TRUE(collect_wait(6)); /* three attempts, and the handlers that were cancelled */
  size_t attempts = 0;
  for (size_t i = 0; i < 6; i++) {
    const struct collected *c = collect_find(NAME("Hang"), i);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    if (c->kind != SPAN_CLIENT)
      continue;
    attempts++;
    CU_ASSERT_TRUE(c->failed);
    CU_ASSERT_EQUAL(memcmp(c->parent_id, context.span_id, SPAN_ID_BYTES), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(c->attributes, "error.type=no_answer;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(c->attributes, "server.address=echo-svc;"));
  }
  CU_ASSERT_EQUAL(attempts, 3);
  end();
  collect_end();
}

static void a_callers_decision_not_to_sample_holds_for_all(void)
{
  const struct rpc_client_options o = {.trace = &context};
  collect_begin("parentbased_always_on");
  begin();
  context.flags = 0;
  echo.relay = echo_connect(server);
  AUTO_FREE char *seen = described("Relay", &o);
  CU_ASSERT_STRING_EQUAL(seen, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  CU_ASSERT_EQUAL(collect_count(), 0);
  rpc_channel_free(echo.relay);
  end();
  collect_end();
}

TEST_MAIN("rpc_trace", TEST(without_a_recorder_the_context_goes_on_as_it_is),
          TEST(malformed_metadata_goes_no_further), TEST(attempts_and_handlers_form_a_tree),
          TEST(every_attempt_is_a_span_of_its_own),
          TEST(a_callers_decision_not_to_sample_holds_for_all))
