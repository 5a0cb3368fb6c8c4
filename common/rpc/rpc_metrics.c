/* Counters and latencies of calls, by service, method and code; with LOG_LEVEL=DEBUG, a line each.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"

static struct metric *server_requests, *server_seconds, *client_requests, *client_seconds;
static struct metric *in_flight;
static atomic_long calls; /* under way, over all servers of the process */

static void show_in_flight(void *user)
{
  (void)user;
  metric_set(in_flight, (double)atomic_load(&calls), NULL);
}

static void make_metrics(void)
{
  server_requests = metrics_counter("rpc_server_requests_total", "Calls this server has answered.",
                                    "service", "method", "code", NULL);
  server_seconds = metrics_histogram(
      "rpc_server_seconds", "Time from a call's arrival to its status.", "service", "method", NULL);
  client_requests = metrics_counter("rpc_client_requests_total", "Calls made to backends.",
                                    "backend", "method", "code", NULL);
  client_seconds =
      metrics_histogram("rpc_client_seconds", "Time from a call's start to its end, with retries.",
                        "backend", "method", NULL);
  in_flight = metrics_gauge("rpc_server_in_flight",
                            "Calls under way, those that wait for a worker included; without "
                            "health checks and reflection.",
                            NULL);
  metrics_on_render(show_in_flight, NULL);
}

static void make_once(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_metrics);
}

static double seconds_since(int64_t started_ns)
{
  return (double)(clock_mono_ns() - started_ns) / 1e9;
}

void rpc_metrics_serving(void)
{
  make_once();
}

void rpc_metrics_server_begun(void)
{
  atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
}

void rpc_metrics_server_over(void)
{
  atomic_fetch_sub_explicit(&calls, 1, memory_order_relaxed);
}

void rpc_metrics_server(const char *service, const char *method, int code, int64_t started_ns)
{
  make_once();
  const char *name = err_code_name((enum err_code)code);
  metric_add(server_requests, 1, METRIC_LABELS(service, method, name));
  double seconds = seconds_since(started_ns);
  metric_observe(server_seconds, seconds, METRIC_LABELS(service, method));
  log_debug("rpc answered", LOG_S("rpc_service", service), LOG_S("method", method),
            LOG_S("status", name), LOG_F("ms", seconds * 1000));
}

void rpc_metrics_client(const char *backend, const char *method, int code, int64_t started_ns)
{
  make_once();
  const char *name = err_code_name((enum err_code)code);
  metric_add(client_requests, 1, METRIC_LABELS(backend, method, name));
  double seconds = seconds_since(started_ns);
  metric_observe(client_seconds, seconds, METRIC_LABELS(backend, method));
  log_debug("rpc made", LOG_S("backend", backend), LOG_S("method", method), LOG_S("status", name),
            LOG_F("ms", seconds * 1000));
}
