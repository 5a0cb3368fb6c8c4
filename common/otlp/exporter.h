/* Exports the spans of the process to an OpenTelemetry collector by OTLP/HTTP with protobuf.
 *
 * Spans that end go into a queue of fixed size (queue.h); a thread of the exporter's takes them out
 * in batches, encodes them and sends one batch at a time (outbox.h). Whoever ends a span never
 * waits: with a full queue, because the collector is slow or away, spans are dropped, and
 * trace_spans_total{outcome} counts them. */
#ifndef AMCP_OTLP_EXPORTER_H
#define AMCP_OTLP_EXPORTER_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/otlp/settings.h"

struct otlp_exporter;

enum { OTLP_FLUSH_MS = 2000 };

/* Starts the export and installs the recorder (trace/tracer.h). *out is NULL, and nothing is
 * started, without an endpoint. The settings must have passed otlp_settings_check(); they are
 * copied. `program` is service.name where no setting says otherwise. */
enum err_code otlp_start(struct otlp_exporter **out, const struct otlp_settings *s,
                         const char *program, struct err *e);
/* Takes the recorder away, exports what has ended for up to flush_ms, and frees. Spans that are not
 * exported by then are counted. NULL is fine. */
void otlp_stop(struct otlp_exporter *x, uint32_t flush_ms);

#endif
