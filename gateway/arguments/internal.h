/* Inside the room: one call under repair, and the repairs of one kind each. */
#ifndef AMCP_GATEWAY_ARGUMENTS_INTERNAL_H
#define AMCP_GATEWAY_ARGUMENTS_INTERNAL_H

#include "common/pbjson/path.h"
#include "gateway/arguments/arguments.h"

struct repair {
  struct arguments_day today;
  struct arguments_notes *notes;
  struct err *e;
  const cJSON *defined; /* object whose definitions (definition.c) are in force; NULL: none */
};

/* Google's {name, expression} among the names of a report moves to the field of definitions, where
 * the message has one: metric_expressions, dimension_expressions. True when the object has
 * definitions then. */
bool definitions_settle(const ProtobufCMessageDescriptor *type, cJSON *object);
/* Whether the object defines the name, which is then not read as one of Google's. */
bool definitions_have(const cJSON *object, const char *name);
/* Adds names that are defined, but not asked for, to the lists of names, once these are lists. */
void definitions_name(const ProtobufCMessageDescriptor *type, cJSON *object);

/* The fields of a message that are the two days of a range. False when it has none. */
struct range_fields {
  const char *start, *end;
};
bool range_of(struct range_fields *out, const ProtobufCMessageDescriptor *message);

/* Makes a text, a day or a list of two days into the object of a range; objects are left. */
enum err_code range_from_value(const struct repair *r, const struct range_fields *fields,
                               cJSON *value, const struct json_path *path);
/* Reads the two days of a range, whose members have their names of the .proto. */
enum err_code range_repair(const struct repair *r, const struct range_fields *fields, cJSON *range,
                           const struct json_path *path);

/* Reads a name of a dimension or metric in place. `beside` is the object in whose fields it stands
 * or NULL: dimensions that the call also asks for. */
enum err_code name_repair(const struct repair *r, enum catalog_meaning kind, cJSON *value,
                          const cJSON *dimensions, const struct json_path *path);

/* Turns a filter of any form into Google's FilterExpression, in place. */
enum err_code filter_repair(const struct repair *r, enum catalog_meaning kind, cJSON *filter,
                            const cJSON *dimensions, const struct json_path *path);
/* Turns a list of sort orders of any form into Google's OrderBys, in place. */
enum err_code order_repair(const struct repair *r, cJSON *orders, const cJSON *dimensions,
                           const cJSON *metrics, const struct json_path *path);

/* Reads a GA4 property in place: digits alone. */
enum err_code property_repair(const struct repair *r, cJSON *value, const struct json_path *path);

/* Reads JSON that was sent as text, in place; other texts are left. Python's single quotes are
 * taken in a list of plain words. True when the value is no longer a text. */
bool json_text_repair(cJSON *value);

#endif
