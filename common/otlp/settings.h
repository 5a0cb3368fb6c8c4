/* OpenTelemetry's settings, by the names and meanings of its specification
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). */
#ifndef AMCP_OTLP_SETTINGS_H
#define AMCP_OTLP_SETTINGS_H

#include "common/base/config.h"

struct otlp_settings {
  const char *endpoint;        /* of a collector; "/v1/traces" is added. NULL: none */
  const char *traces_endpoint; /* whole URL; NULL: by endpoint */
  const char *headers;         /* a secret may be in it; NULL: none */
  const char *certificate;     /* PEM file of a CA; NULL: the system's */
  const char *service_name;    /* NULL: the program's */
  const char *resource_attributes, *sampler, *sampler_arg; /* each NULL for none */
  int64_t timeout_ms, delay_ms, max_queue, max_batch;
};

enum { OTLP_N_SETTINGS = 12 };

/* The table that reads them; writes OTLP_N_SETTINGS entries that point into s. */
void otlp_settings_vars(struct otlp_settings *s, struct config_var *vars);
/* Whether spans are exported at all. */
bool otlp_is_on(const struct otlp_settings *s);
/* Checks what the table cannot: URLs, lists, sampler, sizes. Also what would only count with an
 * endpoint, so that a mistake shows before one is set. */
enum err_code otlp_settings_check(const struct otlp_settings *s, struct err *e);
/* Overwrites the headers in the environment, and unsets them. After otlp_start(): the settings have
 * none from then on. */
void otlp_settings_wipe(void);

#endif
