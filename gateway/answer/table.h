/* Inside the room: the rows of a table, in both forms. */
#ifndef AMCP_GATEWAY_ANSWER_TABLE_H
#define AMCP_GATEWAY_ANSWER_TABLE_H

#include "gateway/answer/plan.h"

/* Number of rows of a table in a result. */
size_t table_rows(const struct table *table, const ProtobufCMessage *result);

/* Appends `"columns":[...],"rows":[[...],...]`. Columns that are empty in every row are left out.
 */
void table_put_json(struct buf *out, const struct table *table, const ProtobufCMessage *result);

/* Appends a line of column names and a line per row, values apart by tabs, until `max` bytes are in
 * the buffer. Columns of the structured form alone are left out; those with text_in stand in the
 * cell of their column, in parentheses. Returns the rows written; nothing at all for a table without rows. */
size_t table_put_text(struct buf *out, const struct table *table, const ProtobufCMessage *result,
                      size_t max);

/* Appends the row of a table of one message as "sessions 52,939; reach 17.2%": names and values,
 * without those that are not known. */
void table_put_line(struct buf *out, const struct table *table, const ProtobufCMessage *result);

#endif
