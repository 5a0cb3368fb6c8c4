/* One form for the answers of all tools, made from typed messages by the options of the .proto:
 * headline, period, coverage, notes, caveats, facts, then the data as columns and rows.
 *
 * The text and the structured form say the same in the same order, because some hosts show a
 * model only one of them. In the text numbers are rounded for reading, empty columns are left
 * out, columns of PART_STRUCTURED are said in other words, and values with text_in stand in the
 * cell of another column; the structured form has full precision, null for what is not known, and whole numbers of up
 * to 2^53 as numbers. A message with one list of rows gives `columns` and `rows` at the top; with
 * several, each stands under its own name. */
#ifndef AMCP_GATEWAY_ANSWER_ANSWER_H
#define AMCP_GATEWAY_ANSWER_ANSWER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "gateway/catalog/catalog.h"

/* How the messages of one tool become answers: resolved once from the catalogue. */
struct answer_plan;

/* The plan of a tool. Freed with answer_plan_free(). */
struct answer_plan *answer_plan_new(const struct catalog_tool *tool);
void answer_plan_free(struct answer_plan *plan);

/* JSON Schema of the structured form: short, since what stands in it is said by its columns. */
const char *answer_schema(const struct answer_plan *plan);

/* What the gateway itself knows of the call: notes, which stand before those of the message, and
 * where the page that was asked for begins. */
struct answer_notes {
  const char *const *text;
  size_t n;
  bool has_offset; /* the tool takes `offset`, and it was this */
  uint64_t offset;
};

/* Appends both forms of a message of the tool's output type. `own` may be NULL. The text keeps to
 * max_text bytes, of which its tables get equal shares; what a smaller table leaves goes to the
 * others. Rows beyond are left out, and it says how many and how to get them.
 * ERR_RESOURCE_EXHAUSTED (reason "result_too_large") when the structured form does not fit its
 * buffer; after any error the buffers hold a part. Thread-safe: a plan does not change. */
enum err_code answer_write(struct buf *text, struct buf *structured, const struct answer_plan *plan,
                           const ProtobufCMessage *message, const struct answer_notes *own,
                           size_t max_text, struct err *e);

#endif
