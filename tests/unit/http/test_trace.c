/* What a request to another server carries of a trace, and the span that it is. */
#include <stdio.h>
#include <string.h>

#include "common/trace/scope.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"
#include "tests/unit/trace/collect.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "00-" TRACE "-b7ad6b7169203331-01"

static struct server *server;
static struct http_client *client;
static struct trace_context context;
static struct fetch f;

static void begin(const char *path)
{
  server = server_start(NULL);
  client = new_client();
  fetch_init(&f, server, path);
  trace_context_read(&context, PARENT, "vendor=1");
}

static void end(void)
{
  fetch_free(&f);
  http_client_free(client);
  server_stop(server);
}

static bool sent(const char *text)
{
  return strstr(buf_str(&f.body), text) != NULL;
}

static void without_a_recorder_the_context_is_sent_as_it_is(void)
{
  begin("/echo");
  f.request.trace = &context;
  CU_ASSERT_TRUE(fetch_run(&f, client));
  CU_ASSERT_TRUE(sent("\r\ntraceparent: " PARENT "\r\n"));
  CU_ASSERT_TRUE(sent("\r\ntracestate: vendor=1\r\n"));
  end();
}

static void a_request_outside_of_any_trace_carries_none(void)
{
  begin("/echo");
  CU_ASSERT_TRUE(fetch_run(&f, client));
  CU_ASSERT_FALSE(sent("traceparent"));
  CU_ASSERT_FALSE(sent("tracestate"));
  end();
}

static struct trace_context seen;

static void see_current(struct fetch *of)
{
  (void)of;
  trace_context_copy(&seen, trace_current());
}

static void the_threads_context_is_taken_and_its_callbacks_run_in_it(void)
{
  begin("/echo");
  f.then = see_current;
  struct trace_scope scope = trace_enter(&context);
  CU_ASSERT_EQUAL(fetch_start(&f, client), ERR_OK);
  trace_leave(scope);
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_TRUE(sent("\r\ntraceparent: " PARENT "\r\n"));
  http_transfer_release(f.transfer);
  f.transfer = NULL;
  CU_ASSERT_EQUAL(memcmp(&seen, &context, offsetof(struct trace_context, state)), 0);
  end();
}

static void each_request_is_a_span_that_the_server_sees(void)
{
  char parent[80] = "";
  collect_begin("parentbased_always_on");
  begin("/echo?secret=1");
  f.request.method = "POST";
  f.request.body = "x";
  f.request.body_len = 1;
  f.request.trace = &context;
  f.request.operation = "runReport";
  CU_ASSERT_TRUE(fetch_run(&f, client));
  CU_ASSERT_TRUE(collect_wait(1));
  const struct collected *c = collect_find("POST runReport", 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  const char *line = strstr(buf_str(&f.body), "traceparent: ");
  CU_ASSERT_PTR_NOT_NULL_FATAL(line);
  snprintf(parent, sizeof(parent), "%.55s", line + 13);
  CU_ASSERT_TRUE(trace_context_read(&seen, parent, NULL));
  CU_ASSERT_EQUAL(memcmp(seen.span_id, c->span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(memcmp(c->parent_id, context.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(memcmp(c->trace_id, context.trace_id, TRACE_ID_BYTES), 0);
  CU_ASSERT_EQUAL(c->kind, SPAN_CLIENT);
  CU_ASSERT_FALSE(c->failed);
  CU_ASSERT_STRING_EQUAL(
      c->attributes,
      "http.request.method=POST;server.address=127.0.0.1;http.response.status_code=200;");
  end();
  collect_end();
}

static void failures_are_spans_that_failed(void)
{
  static const struct {
    const char *path, *part;
  } rows[] = {{"/status?code=503&n=1", "error.type=503;"}, {"/close", "error.type="}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    collect_begin("always_on");
    begin(rows[i].path);
    CU_ASSERT_TRUE(fetch_run(&f, client));
    CU_ASSERT_TRUE(collect_wait(1));
    const struct collected *c = collect_find("GET", 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_TRUE(c->failed && c->is_root);
    CU_ASSERT_PTR_NOT_NULL(strstr(c->attributes, rows[i].part));
    end();
    collect_end();
  }
}

static void untraced_requests_leave_no_trace(void)
{
  collect_begin("always_on");
  begin("/echo");
  f.request.trace = &context;
  f.request.untraced = true;
  CU_ASSERT_TRUE(fetch_run(&f, client));
  CU_ASSERT_FALSE(sent("traceparent"));
  CU_ASSERT_EQUAL(collect_count(), 0);
  end();
  collect_end();
}

TEST_MAIN("http_trace", TEST(without_a_recorder_the_context_is_sent_as_it_is),
          TEST(a_request_outside_of_any_trace_carries_none),
          TEST(the_threads_context_is_taken_and_its_callbacks_run_in_it),
          TEST(each_request_is_a_span_that_the_server_sees), TEST(failures_are_spans_that_failed),
          TEST(untraced_requests_leave_no_trace))
