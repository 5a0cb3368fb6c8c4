/* Metrics in Prometheus' text format.
 *
 * A metric is registered once and lives as long as the process. Series (one per
 * combination of label values) are made on first use; a metric holds at most 1,000,
 * the rest are counted in one series whose label values are "other". Thread-safe.
 * Label values must not hold secrets or unbounded input. */
#ifndef AMCP_BASE_METRICS_H
#define AMCP_BASE_METRICS_H

#include "common/base/buf.h"

enum { METRICS_MAX_LABELS = 4 };

struct metric;

/* Registers a metric, or returns the one of that name. Label names end with NULL:
 * metrics_counter("x_total", "What it counts.", "method", "code", NULL).
 * Histograms are in seconds with buckets from 1 ms to 60 s. */
struct metric *metrics_counter(const char *name, const char *help, ...) __attribute__((sentinel));
struct metric *metrics_gauge(const char *name, const char *help, ...) __attribute__((sentinel));
struct metric *metrics_histogram(const char *name, const char *help, ...) __attribute__((sentinel));

/* Adds to a counter or gauge. Label values in the order of the names, NULL for
 * metrics without labels; there must be as many as names. */
void metric_add(struct metric *m, double value, const char *const *labels);
void metric_set(struct metric *m, double value, const char *const *labels);
void metric_observe(struct metric *m, double seconds, const char *const *labels);
#define METRIC_LABELS(...) ((const char *const[]){__VA_ARGS__})

/* From now on `read(user)` runs before every rendering, to set gauges of what changes unnoticed by
 * the program, such as files. At most 8, for the life of the process. It must be quick, and runs on
 * the thread that renders. */
void metrics_on_render(void (*read)(void *user), void *user);

/* Appends all metrics in the text format, version 0.0.4. */
bool metrics_render(struct buf *out);

#endif
