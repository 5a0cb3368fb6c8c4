/* Metrics of the listener. */
#include "gateway/http/meter.h"

#include <pthread.h>
#include <stdio.h>

#include "common/base/codec.h"
#include "common/base/metrics.h"

static struct metric *requests, *bytes, *connections, *in_flight, *refusals;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void)
{
  requests = metrics_counter("http_requests_total",
                             "HTTP requests by status; none: without an answer.", "status", NULL);
  bytes =
      metrics_counter("http_body_bytes_total", "Bytes of bodies, in and out.", "direction", NULL);
  connections = metrics_gauge("http_connections", "Open HTTP connections.", NULL);
  in_flight = metrics_gauge("http_requests_in_flight", "HTTP requests under way.", NULL);
  refusals =
      metrics_counter("http_refusals_total", "What the listener refused or cut.", "cause", NULL);
  metric_set(connections, 0, NULL);
  metric_set(in_flight, 0, NULL);
}

void meter_init(void)
{
  pthread_once(&once, make);
}

void meter_connections(size_t now)
{
  metric_set(connections, (double)now, NULL);
}

void meter_begun(void)
{
  metric_add(in_flight, 1, NULL);
}

void meter_ended(int status, size_t received, size_t sent)
{
  char number[WHOLE_TEXT];
  const char *text = status != 0 ? whole_write(number, status) : "none";
  metric_add(in_flight, -1, NULL);
  metric_add(requests, 1, METRIC_LABELS(text));
  metric_add(bytes, (double)received, METRIC_LABELS("in"));
  metric_add(bytes, (double)sent, METRIC_LABELS("out"));
}

void meter_refused(const char *cause)
{
  metric_add(refusals, 1, METRIC_LABELS(cause));
}
