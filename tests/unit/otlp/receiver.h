/* A collector for tests: an HTTP/1.1 server that takes POST /v1/traces with a protobuf body that it
 * can decode, and nothing else; a request that breaks the protocol is counted as a fault. Answers
 * as the test says, one request at a time. */
#ifndef AMCP_TESTS_OTLP_RECEIVER_H
#define AMCP_TESTS_OTLP_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest ReceivedExport;
typedef Opentelemetry__Proto__Trace__V1__Span ReceivedSpan;
typedef Opentelemetry__Proto__Common__V1__KeyValue ReceivedPair;

enum { RECEIVER_KEEPS = 64, RECEIVER_HOLDS = -1 };

struct receiver;

/* Listens at 127.0.0.1 on a free port. */
struct receiver *receiver_start(void);
void receiver_stop(struct receiver *r);
uint16_t receiver_port(const struct receiver *r);
/* What the next requests are answered: a status, or RECEIVER_HOLDS: nothing until
 * receiver_let_go(). Afterwards 200. `header` is added to each that is not 200; NULL for none. */
void receiver_script(struct receiver *r, const int *statuses, size_t n, const char *header);
void receiver_let_go(struct receiver *r);
/* Spans that 2xx answers say were rejected. */
void receiver_reject(struct receiver *r, int64_t spans);
/* Waits until so many requests have arrived, whatever they were answered; false after 20 s. */
bool receiver_wait(struct receiver *r, size_t requests);
size_t receiver_requests(struct receiver *r);
/* Requests that broke the protocol. */
size_t receiver_faults(struct receiver *r);
/* Value of a header of the last request; "" when it was not there. */
const char *receiver_header(struct receiver *r, const char *name, char *out, size_t size);
/* The i-th request whose answer was 2xx; belongs to the receiver. NULL beyond the last. */
const ReceivedExport *receiver_export(struct receiver *r, size_t i);
/* Spans of all of them. */
size_t receiver_spans(struct receiver *r);

#endif
