/* One export on its way. */
#include "common/otlp/outbox.h"

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/wait.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse Response;

enum { FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 10000, ANSWER_MAX = 64 * 1024 };

/* Spans that an answer says were not taken. An answer that cannot be read says nothing. */
static int64_t rejected_of(const struct http_response *r)
{
  Response *answer =
      r->body_len == 0
          ? NULL
          : opentelemetry__proto__collector__trace__v1__export_trace_service_response__unpack(
                NULL, r->body_len, (const uint8_t *)r->body);
  if (answer == NULL)
    return 0;
  int64_t n = answer->partial_success != NULL ? answer->partial_success->rejected_spans : 0;
  opentelemetry__proto__collector__trace__v1__export_trace_service_response__free_unpacked(answer,
                                                                                           NULL);
  return n > 0 ? n : 0;
}

static void on_done(void *user, const struct http_response *r)
{
  struct outbox *o = user;
  pthread_mutex_lock(&o->lock);
  o->error = r->error;
  o->status = r->status;
  o->retry_after_ms = http_retry_after_ms(r->retry_after, clock_unix_ms(), o->patience_ms);
  o->rejected = r->status / 100 == 2 ? rejected_of(r) : 0;
  o->done = true;
  pthread_cond_broadcast(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

static enum err_code start(struct outbox *o, struct http_transfer **transfer,
                           const struct buf *body)
{
  struct http_header headers[OTLP_PAIRS_MAX + 1] = {{"Content-Type", "application/x-protobuf"}};
  size_t n = 1;
  for (size_t i = 0; i < o->headers.n; i++)
    headers[n++] = (struct http_header){o->headers.items[i].key, o->headers.items[i].value};
  const struct http_request request = {.method = "POST",
                                       .url = o->url,
                                       .headers = headers,
                                       .n_headers = n,
                                       .body = body->data,
                                       .body_len = body->len,
                                       .timeout_ms = o->timeout_ms,
                                       .max_response_bytes = ANSWER_MAX,
                                       .untraced = true,
                                       .on_done = on_done,
                                       .user = o};
  o->done = false;
  o->error = (struct err){0};
  return http_client_send(transfer, o->http, &request, &o->error);
}

/* One attempt; false when it was cut because everything ends. */
static bool attempt(struct outbox *o, const struct buf *body)
{
  struct http_transfer *transfer = NULL;
  if (start(o, &transfer, body) != ERR_OK)
    return true; /* o->error says why */
  pthread_mutex_lock(&o->lock);
  while (!o->done && wait_until(&o->changed, &o->lock, o->stop_ms))
    ;
  bool cut = !o->done;
  pthread_mutex_unlock(&o->lock);
  if (cut)
    http_transfer_cancel(transfer);
  pthread_mutex_lock(&o->lock);
  while (!o->done)
    pthread_cond_wait(&o->changed, &o->lock);
  pthread_mutex_unlock(&o->lock);
  http_transfer_release(transfer);
  return !cut;
}

/* The statuses that OTLP lets be tried again; all others are an answer for good. */
static bool may_retry(const struct outbox *o)
{
  if (o->error.code != ERR_OK)
    return o->error.code != ERR_INVALID_ARGUMENT;
  return o->status == 429 || o->status == 502 || o->status == 503 || o->status == 504;
}

/* False when the wait would end too late, or everything ends meanwhile. */
static bool wait_for(struct outbox *o, int64_t until_ms)
{
  pthread_mutex_lock(&o->lock);
  while (clock_mono_ms() < until_ms && until_ms < o->stop_ms &&
         wait_until(&o->changed, &o->lock, until_ms))
    ;
  bool over = until_ms >= o->stop_ms;
  pthread_mutex_unlock(&o->lock);
  return !over;
}

enum otlp_outcome outbox_send(struct outbox *o, const struct buf *body, int64_t *rejected)
{
  struct backoff backoff = {FIRST_WAIT_MS, LONGEST_WAIT_MS, 0};
  int64_t give_up_ms = INT64_MAX;
  *rejected = 0;
  for (;;) {
    if (!attempt(o, body))
      return OTLP_SHUTDOWN;
    if (o->error.code == ERR_OK && o->status / 100 == 2) {
      *rejected = o->rejected;
      return OTLP_SENT;
    }
    if (!may_retry(o))
      return OTLP_REFUSED;
    int64_t now = clock_mono_ms();
    uint32_t wait_ms = backoff_next_ms(&backoff);
    if (o->error.code == ERR_OK && o->retry_after_ms > wait_ms)
      wait_ms = o->retry_after_ms;
    if (give_up_ms == INT64_MAX)
      give_up_ms = now + o->patience_ms;
    if (now + wait_ms > give_up_ms)
      return OTLP_UNREACHABLE;
    if (!wait_for(o, now + wait_ms))
      return OTLP_SHUTDOWN;
  }
}

void outbox_stop(struct outbox *o, int64_t stop_ms)
{
  pthread_mutex_lock(&o->lock);
  o->stop_ms = stop_ms;
  pthread_cond_broadcast(&o->changed);
  pthread_mutex_unlock(&o->lock);
}
