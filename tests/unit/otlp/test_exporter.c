/* The exporter against a receiver that answers well, badly, late and never. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "common/otlp/exporter.h"
#include "common/trace/tracer.h"
#include "tests/unit/harness.h"
#include "tests/unit/otlp/receiver.h"

static struct receiver *receiver;
static struct otlp_exporter *exporter;
static char endpoint[64];

static struct otlp_settings settings(void)
{
  return (struct otlp_settings){.endpoint = endpoint,
                                .headers = "api-key=s%33cret",
                                .resource_attributes = "deployment.environment.name=test",
                                .timeout_ms = 10000,
                                .delay_ms = 10,
                                .max_queue = 64,
                                .max_batch = 8};
}

static void begin(const struct otlp_settings *s)
{
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(otlp_settings_check(s, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(otlp_start(&exporter, s, "test-svc", &e), ERR_OK);
}

static void start_receiver(void)
{
  receiver = receiver_start();
  snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u", receiver_port(receiver));
}

static void stop_receiver(void)
{
  CU_ASSERT_EQUAL(receiver_faults(receiver), 0);
  receiver_stop(receiver);
}

static void make_spans(size_t n)
{
  struct trace_context c;
  for (size_t i = 0; i < n; i++)
    span_end(span_begin(&c, SPAN_SERVER, "work", NULL));
}

/* trace_spans_total of an outcome. */
static long spans(const char *outcome)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  char line[80];
  metrics_render(&text);
  snprintf(line, sizeof(line), "trace_spans_total{outcome=\"%s\"} ", outcome);
  const char *at = strstr(buf_str(&text), line);
  return at != NULL ? strtol(at + strlen(line), NULL, 10) : 0;
}

static const char *value_of(ReceivedPair *const *pairs, size_t n, const char *key)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(pairs[i]->key, key) == 0)
      return pairs[i]->value->string_value;
  return "";
}

static void spans_arrive_as_otlp_says(void)
{
  struct trace_context parent, context;
  char text[64];
  start_receiver();
  struct otlp_settings s = settings();
  s.service_name = "my-name";
  begin(&s);
  trace_context_read(&parent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
  struct span *span = span_begin(&context, SPAN_CLIENT, "GET thing", &parent);
  span_text(span, "server.address", "example.test");
  span_number(span, "http.response.status_code", 503);
  span_link(span, &parent);
  span_fail(span, "503");
  span_end(span);
  CU_ASSERT_TRUE_FATAL(receiver_wait(receiver, 1));
  otlp_stop(exporter, 2000);
  const ReceivedExport *e = receiver_export(receiver, 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(e);
  const ReceivedSpan *got = e->resource_spans[0]->scope_spans[0]->spans[0];
  CU_ASSERT_EQUAL(memcmp(got->trace_id.data, parent.trace_id, 16), 0);
  CU_ASSERT_EQUAL(memcmp(got->parent_span_id.data, parent.span_id, 8), 0);
  CU_ASSERT_EQUAL(memcmp(got->span_id.data, context.span_id, 8), 0);
  CU_ASSERT_STRING_EQUAL(got->trace_state, "a=1");
  CU_ASSERT_STRING_EQUAL(got->name, "GET thing");
  CU_ASSERT_EQUAL(got->kind, 3);
  CU_ASSERT_EQUAL(got->flags, 1);
  CU_ASSERT_EQUAL(got->status->code, 2);
  CU_ASSERT_EQUAL(got->n_links, 1);
  CU_ASSERT_EQUAL(memcmp(got->links[0]->span_id.data, parent.span_id, 8), 0);
  CU_ASSERT_STRING_EQUAL(value_of(got->attributes, got->n_attributes, "server.address"),
                         "example.test");
  CU_ASSERT_STRING_EQUAL(value_of(got->attributes, got->n_attributes, "error.type"), "503");
  CU_ASSERT_EQUAL(got->attributes[1]->value->int_value, 503);
  ReceivedPair *const *resource = e->resource_spans[0]->resource->attributes;
  size_t n = e->resource_spans[0]->resource->n_attributes;
  CU_ASSERT_STRING_EQUAL(value_of(resource, n, "service.name"), "my-name");
  CU_ASSERT_STRING_EQUAL(value_of(resource, n, "service.version"), AMCP_VERSION);
  CU_ASSERT_EQUAL(strlen(value_of(resource, n, "service.instance.id")), 32);
  CU_ASSERT_STRING_EQUAL(value_of(resource, n, "deployment.environment.name"), "test");
  CU_ASSERT_STRING_EQUAL(receiver_header(receiver, "api-key", text, sizeof(text)), "s3cret");
  /* An export belongs to no trace. */
  CU_ASSERT_STRING_EQUAL(receiver_header(receiver, "traceparent", text, sizeof(text)), "");
  stop_receiver();
}

static void batches_are_bounded_and_the_stop_exports_what_is_left(void)
{
  start_receiver();
  struct otlp_settings s = settings();
  s.delay_ms = 600000;
  long before = spans("exported");
  begin(&s);
  make_spans(7); /* not a batch yet */
  CU_ASSERT_EQUAL(receiver_requests(receiver), 0);
  make_spans(13);
  CU_ASSERT_TRUE(receiver_wait(receiver, 1)); /* a whole batch is sent before its time */
  otlp_stop(exporter, 10000);
  CU_ASSERT_EQUAL(receiver_spans(receiver), 20);
  const ReceivedExport *e;
  for (size_t i = 0; (e = receiver_export(receiver, i)) != NULL; i++)
    CU_ASSERT_TRUE(e->resource_spans[0]->scope_spans[0]->n_spans <= 8);
  CU_ASSERT_EQUAL(spans("exported") - before, 20);
  stop_receiver();
}

static void a_full_queue_drops_and_counts_and_never_waits(void)
{
  static const int held[] = {RECEIVER_HOLDS};
  start_receiver();
  receiver_script(receiver, held, 1, NULL);
  struct otlp_settings s = settings();
  s.delay_ms = 600000; /* whole batches alone */
  long dropped = spans("queue_full"), exported = spans("exported");
  begin(&s);
  make_spans(8);
  CU_ASSERT_TRUE_FATAL(receiver_wait(receiver, 1)); /* and is not answered */
  int64_t began = clock_mono_ms();
  make_spans(64 + 1000); /* the queue holds 64 */
  CU_ASSERT_TRUE(clock_mono_ms() - began < 5000);
  CU_ASSERT_EQUAL(receiver_requests(receiver), 1);
  CU_ASSERT_EQUAL(spans("queue_full") - dropped, 1000);
  receiver_let_go(receiver);
  otlp_stop(exporter, 10000);
  CU_ASSERT_EQUAL(receiver_spans(receiver), 8 + 64);
  CU_ASSERT_EQUAL(spans("exported") - exported, 8 + 64);
  stop_receiver();
}

static void passing_refusals_are_tried_again(void)
{
  static const int busy[] = {503, 429};
  start_receiver();
  receiver_script(receiver, busy, 2, "Retry-After: 0");
  struct otlp_settings s = settings();
  begin(&s);
  make_spans(1);
  CU_ASSERT_TRUE(receiver_wait(receiver, 3));
  otlp_stop(exporter, 2000);
  CU_ASSERT_EQUAL(receiver_spans(receiver), 1);
  stop_receiver();
}

static void final_refusals_are_not(void)
{
  static const int statuses[] = {400, 401, 500};
  start_receiver();
  receiver_script(receiver, statuses, 3, NULL);
  struct otlp_settings s = settings();
  s.max_batch = 1;
  long refused = spans("refused");
  begin(&s);
  for (size_t i = 1; i <= 4; i++) {
    make_spans(1);
    CU_ASSERT_TRUE(receiver_wait(receiver, i));
  }
  otlp_stop(exporter, 2000);
  CU_ASSERT_EQUAL(receiver_requests(receiver), 4);
  CU_ASSERT_EQUAL(receiver_spans(receiver), 1);
  CU_ASSERT_EQUAL(spans("refused") - refused, 3);
  stop_receiver();
}

static void spans_that_the_collector_rejects_are_counted(void)
{
  start_receiver();
  receiver_reject(receiver, 3);
  struct otlp_settings s = settings();
  s.delay_ms = 600000;
  long refused = spans("refused"), exported = spans("exported");
  begin(&s);
  make_spans(8);
  CU_ASSERT_TRUE(receiver_wait(receiver, 1));
  otlp_stop(exporter, 2000);
  CU_ASSERT_EQUAL(spans("refused") - refused, 3);
  CU_ASSERT_EQUAL(spans("exported") - exported, 5);
  stop_receiver();
}

static void a_collector_that_hangs_does_not_hold_up_the_stop(void)
{
  static const int held[] = {RECEIVER_HOLDS};
  start_receiver();
  receiver_script(receiver, held, 1, NULL);
  struct otlp_settings s = settings();
  long lost = spans("shutdown");
  begin(&s);
  make_spans(30);
  CU_ASSERT_TRUE_FATAL(receiver_wait(receiver, 1));
  int64_t began = clock_mono_ms();
  otlp_stop(exporter, 200);
  int64_t took = clock_mono_ms() - began;
  CU_ASSERT_TRUE(took >= 190 && took < 5000);
  CU_ASSERT_EQUAL(spans("shutdown") - lost, 30);
  stop_receiver();
}

static void a_collector_that_is_away_costs_its_spans_alone(void)
{
  start_receiver();
  receiver_stop(receiver); /* its port is nobody's now */
  struct otlp_settings s = settings();
  long lost = spans("shutdown"), full = spans("queue_full");
  begin(&s);
  int64_t began = clock_mono_ms();
  make_spans(500);
  CU_ASSERT_TRUE(clock_mono_ms() - began < 5000);
  otlp_stop(exporter, 100);
  CU_ASSERT_EQUAL(spans("shutdown") - lost + spans("queue_full") - full, 500);
  CU_ASSERT_TRUE(spans("queue_full") > full);
}

static void without_an_endpoint_nothing_starts(void)
{
  struct otlp_settings s = settings();
  struct err e = {0};
  s.endpoint = NULL;
  CU_ASSERT_EQUAL(otlp_start(&exporter, &s, "x", &e), ERR_OK);
  CU_ASSERT_PTR_NULL(exporter);
  CU_ASSERT_FALSE(trace_on());
  otlp_stop(exporter, 1000);
}

static void wrong_settings_are_refused_by_name(void)
{
  static const struct {
    size_t at; /* of a text in the settings */
    const char *value, *named;
  } wrong[] = {
      {offsetof(struct otlp_settings, endpoint), "collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"},
      {offsetof(struct otlp_settings, traces_endpoint), "ftp://x",
       "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
      {offsetof(struct otlp_settings, headers), "s3cret", "OTEL_EXPORTER_OTLP_HEADERS"},
      {offsetof(struct otlp_settings, resource_attributes), "a", "OTEL_RESOURCE_ATTRIBUTES"},
      {offsetof(struct otlp_settings, sampler), "sometimes", "OTEL_TRACES_SAMPLER"},
  };
  snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:4318");
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    struct otlp_settings s = settings();
    struct err e = {0};
    memcpy((char *)&s + wrong[i].at, &wrong[i].value, sizeof(wrong[i].value));
    CU_ASSERT_EQUAL(otlp_settings_check(&s, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, wrong[i].named));
    CU_ASSERT_PTR_NULL(strstr(e.message, "s3cret"));
  }
  struct otlp_settings s = settings();
  struct err e = {0};
  s.max_batch = s.max_queue + 1;
  CU_ASSERT_EQUAL(otlp_settings_check(&s, &e), ERR_INVALID_ARGUMENT);
}

TEST_MAIN("otlp_exporter", TEST(spans_arrive_as_otlp_says),
          TEST(batches_are_bounded_and_the_stop_exports_what_is_left),
          TEST(a_full_queue_drops_and_counts_and_never_waits),
          TEST(passing_refusals_are_tried_again), TEST(final_refusals_are_not),
          TEST(spans_that_the_collector_rejects_are_counted),
          TEST(a_collector_that_hangs_does_not_hold_up_the_stop),
          TEST(a_collector_that_is_away_costs_its_spans_alone),
          TEST(without_an_endpoint_nothing_starts), TEST(wrong_settings_are_refused_by_name))
