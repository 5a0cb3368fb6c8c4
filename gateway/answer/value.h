/* Inside the room: one value of a message, read once, written in both forms. */
#ifndef AMCP_GATEWAY_ANSWER_VALUE_H
#define AMCP_GATEWAY_ANSWER_VALUE_H

#include <stdint.h>

#include "gateway/answer/plan.h"

enum { LISTED_MAX = 5 }; /* items that a line of words names */

enum value_kind {
  VALUE_NONE, /* not known: null */
  VALUE_WHOLE,
  VALUE_NUMBER,
  VALUE_BOOL,
  VALUE_TEXT,
  VALUE_LIST /* of scalars: `list` items of `field` */
};

struct value {
  enum value_kind kind;
  bool negative;      /* of a whole number */
  uint64_t magnitude; /* its size; a bool as 0 or 1 */
  double number;
  const char *text;
  const ProtobufCFieldDescriptor *field;
  const void *list;
  size_t n;
};

/* The value of a field; VALUE_NONE for one that is not set, an empty text or list, and an enum's
 * zero that stands for "not set". */
struct value value_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* One item of a list of scalars. */
struct value value_item(const ProtobufCFieldDescriptor *field, const void *items, size_t i);
/* A text that holds a number, as that number; others as they are. */
struct value value_as_number(struct value v);

/* As JSON: null, numbers in full precision, whole numbers beyond 2^53 as strings. */
void value_put_json(struct buf *out, const struct value *v);
/* For reading: "-" for none, rounded by the format, lists with commas, tabs and line ends as
 * blanks. */
void value_put_text(struct buf *out, const struct value *v, enum catalog_format format);
/* The same within a line of words: whole numbers as "52,939", and no more of a list than a reader
 * takes in: "a, b, c, d, e and 7 more". */
void value_put_sentence(struct buf *out, const struct value *v, enum catalog_format format);

#endif
