/* OpenTelemetry's settings. */
#include "common/otlp/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/http/url.h"
#include "common/otlp/pairs.h"
#include "common/trace/sampler.h"

#define HEADERS "OTEL_EXPORTER_OTLP_HEADERS"

void otlp_settings_vars(struct otlp_settings *s, struct config_var *vars)
{
  const struct config_var table[] = {
      {"OTEL_EXPORTER_OTLP_ENDPOINT", CONFIG_STRING, &s->endpoint, NULL, 0, 0, false,
       "URL of an OpenTelemetry collector (OTLP/HTTP, such as http://collector:4318) that gets the "
       "spans of calls; when not set, none are made"},
      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", CONFIG_STRING, &s->traces_endpoint, NULL, 0, 0, false,
       "the same as a whole URL, to which /v1/traces is not added"},
      {HEADERS, CONFIG_STRING, &s->headers, NULL, 0, 0, true,
       "headers of each export: key=value, separated by commas, values percent-encoded"},
      {"OTEL_EXPORTER_OTLP_CERTIFICATE", CONFIG_STRING, &s->certificate, NULL, 0, 0, false,
       "CA certificates (PEM) for a collector with https; the system's when not set"},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", CONFIG_INT, &s->timeout_ms, "10000", 1, 600000, false,
       "milliseconds that the collector has to take an export"},
      {"OTEL_SERVICE_NAME", CONFIG_STRING, &s->service_name, NULL, 0, 0, false,
       "service.name of the spans; the program's name when not set"},
      {"OTEL_RESOURCE_ATTRIBUTES", CONFIG_STRING, &s->resource_attributes, NULL, 0, 0, false,
       "further attributes of all spans, such as deployment.environment.name=prod; key=value, "
       "separated by commas"},
      {"OTEL_TRACES_SAMPLER", CONFIG_STRING, &s->sampler, "parentbased_always_on", 0, 0, false,
       "which traces are recorded: always_on, always_off, traceidratio, or one of them after "
       "parentbased_, which follows the caller's decision where there is one"},
      {"OTEL_TRACES_SAMPLER_ARG", CONFIG_STRING, &s->sampler_arg, NULL, 0, 0, false,
       "share of the traces that traceidratio records, from 0 to 1; 1 when not set"},
      {"OTEL_BSP_SCHEDULE_DELAY", CONFIG_INT, &s->delay_ms, "5000", 1, 600000, false,
       "most milliseconds that a span waits for others before it is exported"},
      {"OTEL_BSP_MAX_QUEUE_SIZE", CONFIG_INT, &s->max_queue, "2048", 1, 65536, false,
       "spans that wait for export; more are dropped and counted"},
      {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", CONFIG_INT, &s->max_batch, "512", 1, 4096, false,
       "most spans of one export"},
  };
  _Static_assert(sizeof(table) == OTLP_N_SETTINGS * sizeof(table[0]), "counts the table");
  memcpy(vars, table, sizeof(table));
}

bool otlp_is_on(const struct otlp_settings *s)
{
  return s->endpoint != NULL || s->traces_endpoint != NULL;
}

static enum err_code check_pairs(const char *setting, enum otlp_pairs_of of, const char *text,
                                 struct err *e)
{
  struct otlp_pairs pairs;
  enum err_code code = otlp_pairs_read(&pairs, setting, of, text, e);
  if (code == ERR_OK)
    otlp_pairs_free(&pairs);
  return code;
}

enum err_code otlp_settings_check(const struct otlp_settings *s, struct err *e)
{
  struct trace_sampler sampler;
  enum err_code code = ERR_OK;
  if (s->endpoint != NULL)
    code = url_valid_endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", s->endpoint, e);
  if (code == ERR_OK && s->traces_endpoint != NULL)
    code = url_valid_endpoint("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", s->traces_endpoint, e);
  if (code == ERR_OK)
    code = check_pairs(HEADERS, OTLP_HEADERS, s->headers, e);
  if (code == ERR_OK)
    code = check_pairs("OTEL_RESOURCE_ATTRIBUTES", OTLP_ATTRIBUTES, s->resource_attributes, e);
  if (code == ERR_OK)
    code = trace_sampler_read(&sampler, s->sampler, s->sampler_arg, e);
  if (code == ERR_OK && s->max_batch > s->max_queue)
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "OTEL_BSP_MAX_EXPORT_BATCH_SIZE: must not be more than "
                   "OTEL_BSP_MAX_QUEUE_SIZE (%lld)",
                   (long long)s->max_queue);
  return code;
}

void otlp_settings_wipe(void)
{
  config_wipe(HEADERS);
}
