/* The fixed answers of the stub. */
#ifndef GA4_SIM_STUB_ANSWER_H
#define GA4_SIM_STUB_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "ga4-sim/sim/options.h"

enum { STUB_METRIC = 100, STUB_LIMIT = 10000, STUB_MAX_DAYS = 1000 };

/* Appends the metadata of a property: nothing custom is registered. */
void stub_metadata(struct buf *out, const char *path);

/* What the answers depend on beside the question. */
struct stub_facts {
  int64_t today; /* days since 1970 */
  int64_t rows;  /* of a report by other dimensions than date */
};

/* Appends the answer to a POST of this path and body; returns its HTTP status. A report has, for
 * each date range, a row for each day when `date` is among its dimensions, else f->rows rows (one
 * without dimensions), by limit and offset; each metric is STUB_METRIC. Thread-safe. */
int stub_answer(struct buf *out, const char *path, const char *body, size_t len,
                const struct stub_facts *f);

#endif
