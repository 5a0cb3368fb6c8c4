/* The exporter's thread. */
#include "common/otlp/exporter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/random.h"
#include "common/base/wait.h"
#include "common/http/url.h"
#include "common/otlp/encode.h"
#include "common/otlp/outbox.h"
#include "common/otlp/queue.h"
#include "common/trace/tracer.h"

enum {
  EXPORTER_MAGIC = 0x4f746c70,
  PATIENCE_MS = 30000, /* with a batch that the collector does not take */
  SPAN_BYTES = 4096    /* packed, more than any span takes */
};

struct otlp_exporter {
  unsigned magic;
  struct trace_recorder recorder;
  struct otlp_queue *queue;
  struct outbox outbox;
  struct otlp_pairs resource;
  char *url;
  size_t max_batch;
  int64_t delay_ms;
  struct span **batch;
  struct metric *spans, *exports;
  bool failing; /* the last export was not taken; of the thread */
  atomic_bool woken;
  pthread_t thread;
  pthread_mutex_t lock;
  /* Guarded by lock: */
  pthread_cond_t changed;
  bool stopping;
};

/* ------------------------------------------------------------------ metrics */

static const char *const outcomes[] = {[OTLP_SENT] = "exported",
                                       [OTLP_REFUSED] = "refused",
                                       [OTLP_UNREACHABLE] = "unreachable",
                                       [OTLP_SHUTDOWN] = "shutdown"};
#define QUEUE_FULL "queue_full"

static void count_spans(struct otlp_exporter *x, const char *outcome, size_t n)
{
  if (n > 0)
    metric_add(x->spans, (double)n, METRIC_LABELS(outcome));
}

static void make_metrics(struct otlp_exporter *x)
{
  x->spans = metrics_counter("trace_spans_total",
                             "Spans by what became of them: exported, or why they were dropped.",
                             "outcome", NULL);
  x->exports =
      metrics_counter("trace_exports_total", "Batches of spans by outcome.", "outcome", NULL);
  metric_add(x->spans, 0, METRIC_LABELS(QUEUE_FULL));
  for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
    metric_add(x->spans, 0, METRIC_LABELS(outcomes[i]));
}

/* A line for each change, so that a collector that is away for a day does not fill the log. */
static void log_change(struct otlp_exporter *x, enum otlp_outcome outcome)
{
  bool fails = outcome == OTLP_REFUSED || outcome == OTLP_UNREACHABLE;
  if (fails && !x->failing)
    log_warn("the collector does not accept spans; they are dropped until it does",
             LOG_S("outcome", outcomes[outcome]), LOG_I("status", x->outbox.status),
             LOG_S("error", x->outbox.error.message));
  else if (outcome == OTLP_SENT && x->failing)
    log_info("the collector accepts spans again");
  x->failing = fails;
}

/* ------------------------------------------------------------------ thread */

static size_t take_batch(struct otlp_exporter *x)
{
  size_t n = 0;
  while (n < x->max_batch && (x->batch[n] = otlp_queue_take(x->queue)) != NULL)
    n++;
  return n;
}

static void export_batch(struct otlp_exporter *x, size_t n)
{
  int64_t rejected = 0;
  enum otlp_outcome outcome = OTLP_REFUSED;
  AUTO_BUF struct buf body = BUF_INIT((n + 4) * SPAN_BYTES);
  if (otlp_encode(&body, &x->resource, x->batch, n))
    outcome = outbox_send(&x->outbox, &body, &rejected);
  for (size_t i = 0; i < n; i++)
    span_free(x->batch[i]);
  size_t lost = rejected < (int64_t)n ? (size_t)rejected : n;
  count_spans(x, outcomes[OTLP_REFUSED], lost);
  count_spans(x, outcomes[outcome], n - lost);
  metric_add(x->exports, 1, METRIC_LABELS(outcomes[outcome]));
  log_change(x, outcome);
}

/* Until a batch is there, its first span has waited long enough, or the end. */
static bool wait_for_spans(struct otlp_exporter *x)
{
  pthread_mutex_lock(&x->lock);
  int64_t until_ms = clock_mono_ms() + x->delay_ms;
  while (!x->stopping && otlp_queue_len(x->queue) < x->max_batch &&
         wait_until(&x->changed, &x->lock, until_ms))
    ;
  bool stopping = x->stopping;
  pthread_mutex_unlock(&x->lock);
  atomic_store(&x->woken, false);
  return !stopping;
}

/* What ended before the stop, as long as its time lasts. */
static void flush(struct otlp_exporter *x)
{
  pthread_mutex_lock(&x->outbox.lock);
  int64_t stop_ms = x->outbox.stop_ms;
  pthread_mutex_unlock(&x->outbox.lock);
  for (size_t n = take_batch(x); n > 0; n = take_batch(x)) {
    if (clock_mono_ms() < stop_ms) {
      export_batch(x, n);
      continue;
    }
    count_spans(x, outcomes[OTLP_SHUTDOWN], n);
    for (size_t i = 0; i < n; i++)
      span_free(x->batch[i]);
  }
}

static void *run(void *arg)
{
  struct otlp_exporter *x = arg;
  MAGIC_CHECK(x, EXPORTER_MAGIC);
  while (wait_for_spans(x)) {
    size_t n = take_batch(x);
    if (n > 0)
      export_batch(x, n);
  }
  flush(x);
  return NULL;
}

/* ------------------------------------------------------------------ recorder */

static void take(void *user, struct span *s)
{
  struct otlp_exporter *x = user;
  if (!otlp_queue_put(x->queue, s)) {
    span_free(s);
    count_spans(x, QUEUE_FULL, 1);
    return;
  }
  if (otlp_queue_len(x->queue) < x->max_batch || atomic_exchange(&x->woken, true))
    return;
  pthread_mutex_lock(&x->lock);
  pthread_cond_signal(&x->changed);
  pthread_mutex_unlock(&x->lock);
}

/* ------------------------------------------------------------------ start and end */

static char *url_of(const struct otlp_settings *s)
{
  if (s->traces_endpoint != NULL)
    return xstrdup(s->traces_endpoint);
  AUTO_BUF struct buf url = BUF_INIT(8192);
  url_join(&url, s->endpoint, "v1/traces");
  return xstrdup(buf_str(&url));
}

static enum err_code describe_resource(struct otlp_exporter *x, const struct otlp_settings *s,
                                       const char *program, struct err *e)
{
  uint8_t id[16];
  char instance[2 * sizeof(id) + 1];
  if (otlp_pairs_read(&x->resource, "OTEL_RESOURCE_ATTRIBUTES", OTLP_ATTRIBUTES,
                      s->resource_attributes, e) != ERR_OK)
    return e->code;
  random_fill(id, sizeof(id));
  hex_write(instance, id, sizeof(id));
  if (s->service_name != NULL || otlp_pairs_get(&x->resource, "service.name") == NULL)
    otlp_pairs_set(&x->resource, "service.name",
                   s->service_name != NULL ? s->service_name : program);
  otlp_pairs_set(&x->resource, "service.version", AMCP_VERSION);
  otlp_pairs_set(&x->resource, "service.instance.id", instance);
  return ERR_OK;
}

static enum err_code open_outbox(struct otlp_exporter *x, const struct otlp_settings *s,
                                 struct err *e)
{
  const struct http_client_options http = {.ca_file = s->certificate, .max_connections = 2};
  x->outbox.url = x->url = url_of(s);
  x->outbox.timeout_ms = (uint32_t)s->timeout_ms;
  x->outbox.patience_ms = PATIENCE_MS;
  x->outbox.stop_ms = INT64_MAX;
  enum err_code code = otlp_pairs_read(&x->outbox.headers, "OTEL_EXPORTER_OTLP_HEADERS",
                                       OTLP_HEADERS, s->headers, e);
  if (code == ERR_OK)
    code = http_client_new(&x->outbox.http, &http, e);
  return code == ERR_OK ? ERR_OK : err_prefix(e, "the export of traces: ");
}

static void free_exporter(struct otlp_exporter *x)
{
  http_client_free(x->outbox.http);
  otlp_queue_free(x->queue);
  otlp_pairs_free(&x->outbox.headers);
  otlp_pairs_free(&x->resource);
  pthread_cond_destroy(&x->outbox.changed);
  pthread_mutex_destroy(&x->outbox.lock);
  pthread_cond_destroy(&x->changed);
  pthread_mutex_destroy(&x->lock);
  free(x->batch);
  free(x->url);
  x->magic = 0;
  free(x);
}

static struct otlp_exporter *new_exporter(const struct otlp_settings *s)
{
  struct otlp_exporter *x = xcalloc(1, sizeof(*x));
  x->magic = EXPORTER_MAGIC;
  x->max_batch = (size_t)s->max_batch;
  x->delay_ms = s->delay_ms;
  x->queue = otlp_queue_new((size_t)s->max_queue);
  x->batch = xcalloc(x->max_batch, sizeof(struct span *));
  pthread_mutex_init(&x->lock, NULL);
  wait_init(&x->changed);
  pthread_mutex_init(&x->outbox.lock, NULL);
  wait_init(&x->outbox.changed);
  make_metrics(x);
  return x;
}

enum err_code otlp_start(struct otlp_exporter **out, const struct otlp_settings *s,
                         const char *program, struct err *e)
{
  *out = NULL;
  if (!otlp_is_on(s))
    return ERR_OK;
  struct otlp_exporter *x = new_exporter(s);
  enum err_code code = trace_sampler_read(&x->recorder.sampler, s->sampler, s->sampler_arg, e);
  if (code == ERR_OK)
    code = describe_resource(x, s, program, e);
  if (code == ERR_OK)
    code = open_outbox(x, s, e);
  if (code == ERR_OK && pthread_create(&x->thread, NULL, run, x) != 0)
    code = err_set(e, ERR_RESOURCE_EXHAUSTED, "no_thread",
                   "the export of traces: its thread cannot start: out of threads");
  if (code != ERR_OK) {
    free_exporter(x);
    return code;
  }
  if (x->outbox.headers.n > 0 && url_is_exposed(x->url))
    log_warn("OTEL_EXPORTER_OTLP_HEADERS travel in the clear: the collector's URL is not https");
  x->recorder.take = take;
  x->recorder.user = x;
  trace_install(&x->recorder);
  *out = x;
  return ERR_OK;
}

void otlp_stop(struct otlp_exporter *x, uint32_t flush_ms)
{
  if (x == NULL)
    return;
  MAGIC_CHECK(x, EXPORTER_MAGIC);
  trace_remove();
  outbox_stop(&x->outbox, clock_mono_ms() + flush_ms);
  pthread_mutex_lock(&x->lock);
  x->stopping = true;
  pthread_cond_signal(&x->changed);
  pthread_mutex_unlock(&x->lock);
  pthread_join(x->thread, NULL);
  free_exporter(x);
}
