/* Spans as an ExportTraceServiceRequest. */
#ifndef AMCP_OTLP_ENCODE_H
#define AMCP_OTLP_ENCODE_H

#include "common/base/buf.h"
#include "common/otlp/pairs.h"
#include "common/trace/span.h"

/* Appends the packed request: all spans under one resource, whose attributes `resource` holds.
 * False when it does not fit. */
bool otlp_encode(struct buf *out, const struct otlp_pairs *resource, struct span *const *spans,
                 size_t n);

#endif
