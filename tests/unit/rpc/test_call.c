/* Unary calls: answers, errors, metadata, limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"

static struct echo echo;
static struct rpc_server *server;
static struct rpc_channel *channel;

static void begin(const struct rpc_server_options *o)
{
  memset(&echo, 0, sizeof(echo));
  rpc_init();
  server = echo_start(&echo, o);
  channel = echo_connect(server);
}

static void end(void)
{
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
}

static void a_unary_call_gets_its_answer(void)
{
  begin(NULL);
  struct err e;
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "hello", NULL, &e), ERR_OK);
  CU_ASSERT_EQUAL(echo_say(channel, "SaySlowly", "hello from a worker", NULL, &e), ERR_OK);
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 2);
  CU_ASSERT_TRUE(rpc_channel_ready(channel));
  end();
}

/* A call whose messages may be known. */
struct reader {
  struct outcome outcome; /* first: the callbacks' user */
  bool knows;
  uint8_t bytes[64];
  size_t len;
};

static bool see_bytes(void *user, const void *data, size_t len)
{
  struct reader *r = user;
  CU_ASSERT_FATAL(len <= sizeof(r->bytes));
  memcpy(r->bytes, data, len);
  r->len = len;
  return r->knows;
}

static void a_message_that_is_known_is_not_delivered(void)
{
  begin(NULL);
  for (int knows = 0; knows < 2; knows++) {
    struct reader r = {.outcome = OUTCOME_INIT, .knows = knows == 1};
    SayRequest request = AMCP__TEST__V1__SAY_REQUEST__INIT;
    SayResponse expected = AMCP__TEST__V1__SAY_RESPONSE__INIT;
    request.text = expected.text = TEXT("hello");
    uint8_t packed[64];
    struct rpc_client_options o = {.on_bytes = see_bytes};
    CU_ASSERT_EQUAL(rpc_client_start(NULL, channel, ECHO_SERVICE, "Say", RPC_UNARY, &request.base,
                                     &o, &outcome_callbacks, &r, NULL),
                    ERR_OK);
    CU_ASSERT_TRUE(outcome_wait(&r.outcome));
    CU_ASSERT_EQUAL(r.outcome.status.code, ERR_OK);
    CU_ASSERT_EQUAL(r.outcome.messages, knows == 0);
    CU_ASSERT_EQUAL_FATAL(r.len, protobuf_c_message_pack(&expected.base, packed));
    CU_ASSERT_EQUAL(memcmp(r.bytes, packed, r.len), 0);
  }
  end();
}

static void an_error_arrives_with_code_reason_and_message(void)
{
  begin(NULL);
  FailRequest request = AMCP__TEST__V1__FAIL_REQUEST__INIT;
  request.code = ERR_FAILED_PRECONDITION;
  request.reason = TEXT("invalid_grant");
  request.message = TEXT("dealer d-12 (Müller) must consent again: 100 % sure");
  ProtobufCMessage *response;
  struct err e = {0};
  CU_ASSERT_EQUAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Fail", &request.base, NULL, &e),
      ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NULL(response);
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_grant");
  CU_ASSERT_STRING_EQUAL(e.message, request.message);
  CU_ASSERT_EQUAL(e.details_len, 0);
  end();
}

static void the_details_of_an_error_arrive_as_they_were(void)
{
  begin(NULL);
  FailRequest request = AMCP__TEST__V1__FAIL_REQUEST__INIT;
  uint8_t details[ERR_DETAILS_MAX];
  for (size_t i = 0; i < sizeof(details); i++)
    details[i] = (uint8_t)i;
  request.code = ERR_INVALID_ARGUMENT;
  request.reason = TEXT("several");
  request.message = TEXT("several fit");
  request.details.data = details;
  static const size_t sizes[] = {1, 300, ERR_DETAILS_MAX};
  for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
    ProtobufCMessage *response;
    struct err e = {0};
    request.details.len = sizes[i];
    rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Fail", &request.base, NULL, &e);
    CU_ASSERT_STRING_EQUAL(e.reason, "several");
    CU_ASSERT_EQUAL_FATAL(e.details_len, sizes[i]);
    CU_ASSERT_EQUAL(memcmp(e.details, details, sizes[i]), 0);
  }
  end();
}

static void unavailable_from_a_handler_is_not_retried(void)
{
  begin(NULL);
  FailRequest request = AMCP__TEST__V1__FAIL_REQUEST__INIT;
  request.code = ERR_UNAVAILABLE;
  request.reason = TEXT("");
  request.message = TEXT("the token endpoint did not answer");
  ProtobufCMessage *response;
  struct err e = {0};
  rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Fail", &request.base, NULL, &e);
  CU_ASSERT_EQUAL(e.code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e.message, request.message);
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 1);
  end();
}

static void a_method_without_handler_is_unimplemented(void)
{
  begin(NULL);
  struct err e;
  CU_ASSERT_EQUAL(echo_say(channel, "Missing", "x", NULL, &e), ERR_UNIMPLEMENTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "/amcp.test.v1.Echo/Missing"));
  CU_ASSERT_EQUAL(echo_say(channel, "NoSuchMethod", "x", NULL, &e), ERR_INVALID_ARGUMENT);
  end();
}

static DescribeResponse *describe(const struct rpc_client_options *o)
{
  SayRequest request = SAY_REQUEST;
  ProtobufCMessage *response;
  struct err e = {0};
  enum err_code code =
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Describe", &request.base, o, &e);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
  return (DescribeResponse *)response;
}

static void metadata_arrives_as_text_and_as_bytes(void)
{
  begin(NULL);
  const struct rpc_metadata md[] = {
      {"x-text", "two words", 9},
      {"x-raw-bin", "\x00\x01\xff\x00", 4},
  };
  struct rpc_client_options o = {.metadata = md, .n_metadata = 2, .timeout_ms = 5000};
  DescribeResponse *d = describe(&o);
  CU_ASSERT_STRING_EQUAL(d->text_value, "two words");
  CU_ASSERT_EQUAL(d->binary_value.len, 4);
  CU_ASSERT_EQUAL(memcmp(d->binary_value.data, "\x00\x01\xff\x00", 4), 0);
  CU_ASSERT_STRING_EQUAL(d->identity, "");
  CU_ASSERT_EQUAL(strncmp(d->address, "ipv4:127.0.0.1:", 15), 0);
  CU_ASSERT_TRUE(d->remaining_ms > 3000 && d->remaining_ms <= 5100);
  protobuf_c_message_free_unpacked(&d->base, NULL);
  end();
}

static void illegal_metadata_is_refused_before_the_call(void)
{
  begin(NULL);
  const struct rpc_metadata upper = {"X-Text", "a", 1}, newline = {"x-text", "a\nb", 3};
  struct err e;
  struct rpc_client_options o = {.metadata = &upper, .n_metadata = 1};
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", &o, &e), ERR_INVALID_ARGUMENT);
  o.metadata = &newline;
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 0);
  end();
}

static void a_message_over_the_limit_is_refused(void)
{
  struct rpc_server_options o = {.max_message_bytes = 10000};
  begin(&o);
  AUTO_FREE char *text = xmalloc(20001);
  memset(text, 'a', 20000);
  text[20000] = '\0';
  struct err e;
  CU_ASSERT_EQUAL(echo_say(channel, "Say", text, NULL, &e), ERR_RESOURCE_EXHAUSTED);
  text[9000] = '\0';
  CU_ASSERT_EQUAL(echo_say(channel, "Say", text, NULL, &e), ERR_OK);
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 1);
  end();
}

static void a_large_message_goes_through_whole(void)
{
  begin(NULL);
  enum { BIG = 5 * 1024 * 1024 };
  AUTO_FREE char *text = xmalloc(BIG + 1);
  for (size_t i = 0; i < BIG; i++)
    text[i] = (char)('a' + i % 23);
  text[BIG] = '\0';
  struct err e;
  CU_ASSERT_EQUAL(echo_say(channel, "Say", text, NULL, &e), ERR_OK);
  end();
}

static void a_full_worker_queue_answers_at_once(void)
{
  struct rpc_server_options o = {.workers = 1, .queue_max = 1};
  begin(&o);
  enum { N = 4 };
  struct outcome outcomes[N];
  SayRequest request = SAY_REQUEST;
  request.delay_ms = 300;
  struct err e = {0};
  for (size_t i = 0; i < N; i++) {
    outcomes[i] = (struct outcome)OUTCOME_INIT;
    rpc_client_start(NULL, channel, ECHO_SERVICE, "SaySlowly", RPC_UNARY, &request.base, NULL,
                     &outcome_callbacks, &outcomes[i], &e);
    if (i == 0)
      wait_for(&echo.served, 1); /* the worker is taken: one waits, two are too many */
  }
  int refused = 0, served = 0;
  for (size_t i = 0; i < N; i++) {
    CU_ASSERT_TRUE_FATAL(outcome_wait(&outcomes[i]));
    refused += outcomes[i].status.code == ERR_RESOURCE_EXHAUSTED;
    served += outcomes[i].status.code == ERR_OK;
  }
  CU_ASSERT_EQUAL(refused, 2);
  CU_ASSERT_EQUAL(served, 2);
  CU_ASSERT_STRING_EQUAL(outcomes[3].status.reason, "queue_full");
  end();
}

static void many_calls_at_once_all_end_once(void)
{
  begin(NULL);
  enum { N = 500 };
  struct outcome *outcomes = xcalloc(N, sizeof(*outcomes));
  SayRequest request = SAY_REQUEST;
  request.text = TEXT("x");
  struct err e = {0};
  for (size_t i = 0; i < N; i++) {
    outcomes[i] = (struct outcome)OUTCOME_INIT;
    const char *method = i % 3 == 0 ? "SaySlowly" : "Say";
    CU_ASSERT_EQUAL(rpc_client_start(NULL, channel, ECHO_SERVICE, method, RPC_UNARY, &request.base,
                                     NULL, &outcome_callbacks, &outcomes[i], &e),
                    ERR_OK);
  }
  int good = 0;
  for (size_t i = 0; i < N; i++)
    good += outcome_wait(&outcomes[i]) && outcomes[i].status.code == ERR_OK &&
            outcomes[i].messages == 1;
  CU_ASSERT_EQUAL(good, N);
  free(outcomes);
  end();
}

static double served(const char *code)
{
  AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);
  char line[200];
  snprintf(line, sizeof(line),
           "rpc_server_requests_total{service=\"amcp.test.v1.Echo\",method=\"Fail\",code=\"%s\"} ",
           code);
  CU_ASSERT_TRUE(metrics_render(&text));
  const char *at = strstr(buf_str(&text), line);
  return at == NULL ? 0 : strtod(at + strlen(line), NULL);
}

static void calls_are_counted_by_method_and_code(void)
{
  begin(NULL);
  FailRequest request = AMCP__TEST__V1__FAIL_REQUEST__INIT;
  request.code = ERR_OUT_OF_RANGE;
  double before = served("OUT_OF_RANGE");
  for (int i = 0; i < 3; i++) {
    ProtobufCMessage *response;
    struct err e = {0};
    CU_ASSERT_EQUAL(
        rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Fail", &request.base, NULL, &e),
        ERR_OUT_OF_RANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc answered OUT_OF_RANGE"));
  }
  end();
  CU_ASSERT_EQUAL(served("OUT_OF_RANGE") - before, 3);
  AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);
  CU_ASSERT_TRUE(metrics_render(&text));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), "rpc_client_requests_total{backend=\"echo-svc\","
                                                "method=\"Fail\",code=\"OUT_OF_RANGE\"}"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), "rpc_client_seconds_count{backend=\"echo-svc\""));
}

static double in_flight(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);
  CU_ASSERT_TRUE(metrics_render(&text));
  const char *at = strstr(buf_str(&text), "\nrpc_server_in_flight ");
  return at == NULL ? -1 : strtod(at + strlen("\nrpc_server_in_flight "), NULL);
}

/* Waits for the figure: a call is counted off when its status has left. */
static bool in_flight_becomes(double want)
{
  for (int i = 0; i < 2000 && in_flight() != want; i++)
    pause_ms(5);
  return in_flight() == want;
}

static void calls_under_way_are_counted_and_streams_of_health_are_not(void)
{
  begin(NULL);
  struct err e;
  CU_ASSERT_TRUE(in_flight_becomes(0));
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_OK); /* health is watched now */
  CU_ASSERT_TRUE(in_flight_becomes(0));
  enum { CALLS = 3 };
  struct outcome o[CALLS];
  struct rpc_client_call *calls[CALLS];
  SayRequest request = SAY_REQUEST;
  for (size_t i = 0; i < CALLS; i++) {
    o[i] = (struct outcome)OUTCOME_INIT;
    CU_ASSERT_EQUAL_FATAL(rpc_client_start(&calls[i], channel, ECHO_SERVICE, "Hang", RPC_UNARY,
                                           &request.base, NULL, &outcome_callbacks, &o[i], &e),
                          ERR_OK);
  }
  CU_ASSERT_TRUE(in_flight_becomes(CALLS));
  rpc_client_cancel(calls[0]);
  CU_ASSERT_TRUE(in_flight_becomes(CALLS - 1));
  for (size_t i = 1; i < CALLS; i++)
    rpc_client_cancel(calls[i]);
  for (size_t i = 0; i < CALLS; i++) {
    CU_ASSERT_TRUE(outcome_wait(&o[i]));
    rpc_client_release(calls[i]);
  }
  CU_ASSERT_TRUE(in_flight_becomes(0));
  CU_ASSERT_EQUAL(echo_say(channel, "Missing", "x", NULL, &e), ERR_UNIMPLEMENTED);
  CU_ASSERT_TRUE(in_flight_becomes(0));
  end();
}

static void several_pollers_share_the_work(void)
{
  struct rpc_server_options o = {0};
  rpc_set_pollers(3);
  begin(&o);
  struct err e;
  for (int i = 0; i < 50; i++) {
    struct rpc_channel *another = echo_connect(server);
    CU_ASSERT_EQUAL(echo_say(another, i % 2 == 0 ? "Say" : "SaySlowly", "x", NULL, &e), ERR_OK);
    rpc_channel_free(another);
  }
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 50);
  end();
}

TEST_MAIN("rpc calls", TEST(a_unary_call_gets_its_answer),
          TEST(a_message_that_is_known_is_not_delivered),
          TEST(an_error_arrives_with_code_reason_and_message),
          TEST(the_details_of_an_error_arrive_as_they_were),
          TEST(unavailable_from_a_handler_is_not_retried),
          TEST(a_method_without_handler_is_unimplemented),
          TEST(metadata_arrives_as_text_and_as_bytes),
          TEST(illegal_metadata_is_refused_before_the_call),
          TEST(a_message_over_the_limit_is_refused), TEST(a_large_message_goes_through_whole),
          TEST(a_full_worker_queue_answers_at_once), TEST(many_calls_at_once_all_end_once),
          TEST(calls_are_counted_by_method_and_code),
          TEST(calls_under_way_are_counted_and_streams_of_health_are_not),
          TEST(several_pollers_share_the_work))
