/* Lines and comments of a .proto file's elements. */
#ifndef AMCP_CATALOG_PLUGIN_SOURCE_H
#define AMCP_CATALOG_PLUGIN_SOURCE_H

#include "gateway/catalog/plugin/model.h"

/* The place of an element inside another: the number of the field that holds it in
 * descriptor.proto, and its index there. With its line and its comment: the one in front
 * of it, else the one behind it on its line. */
struct place source_child(struct arena *arena, const struct place *parent, int32_t number,
                          int32_t index);

/* Joins the lines of a comment into paragraphs, which empty lines part; a line that begins
 * with "- " starts a new line. Paragraphs are joined by an empty line. */
const char *source_unwrap(struct arena *arena, const char *comment);

#endif
