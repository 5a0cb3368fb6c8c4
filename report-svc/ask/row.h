/* One row of Google's answer as a message. */
#ifndef AMCP_REPORT_ASK_ROW_H
#define AMCP_REPORT_ASK_ROW_H

#include <stddef.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/arena.h"
#include "report-svc/rows/decoder.h"

/* Copies a row into the arena, as one block; NULL at the arena's cap. */
Analytics__Ga4__V1beta__Row *row_message(struct arena *arena, const struct rows_row *row);
/* Bytes of a packed row; texts of 128 bytes and more count a little more. */
size_t row_packed_bytes(const struct rows_row *row);

#endif
