/* Reads what an assistant sent as what it meant, for every tool, driven by the descriptors and the
 * options of the .proto.
 *
 * What has one meaning is repaired in place, so that a sloppy call gives the same request as the
 * plain one; what has several is refused with what to send instead. Nothing is ever read as another
 * dealer, metric or period than the plain reading. gRPC callers do not pass here: services stay
 * strict. docs/internals/arguments.md lists the repairs. */
#ifndef AMCP_GATEWAY_ARGUMENTS_H
#define AMCP_GATEWAY_ARGUMENTS_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "gateway/arguments/notes.h"
#include "gateway/catalog/catalog.h"

/* The day that relative dates are counted from, and how errors name its zone ("UTC"). */
struct arguments_day {
  int64_t days; /* since 1970-01-01 */
  char zone[16];
};

/* Today by the clock and the time zone of this process (TZ). Thread-safe. */
struct arguments_day arguments_today(void);

/* Repairs the arguments of a call in place, before catalog_check() and pbjson_read(). A repair that
 * changed a meaning ("users read as totalUsers") is added to the notes. ERR_INVALID_ARGUMENT names
 * the field and the remedy; the arguments are then of no use. What is of a wrong type or unknown is
 * left for pbjson_read() to refuse. Thread-safe for distinct arguments. */
enum err_code arguments_repair(const struct catalog_tool *tool, cJSON *arguments,
                               struct arguments_day today, struct arguments_notes *notes,
                               struct err *e);

/* Appends "Closest names: a, b." of GA4 where Google refused a field (" Field visits is not a valid
 * metric.") without a suggestion of its own; nothing for other messages. Thread-safe. */
void arguments_put_closest(struct buf *out, const char *message);

#endif
