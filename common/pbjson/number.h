/* Numbers between JSON and C, exactly. */
#ifndef AMCP_PBJSON_NUMBER_H
#define AMCP_PBJSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Appends the shortest decimal that reads back as the same value; NaN and the infinities
 * as the strings of proto3 JSON, with quotes. */
bool number_put_double(struct buf *out, double value);
bool number_put_float(struct buf *out, float value);

/* A whole number of up to 64 bits, with its sign apart. */
struct number_whole {
  bool negative;
  uint64_t magnitude;
};

/* Reads "-?(0|[1-9][0-9]*)" that fills the string and fits 64 bits. */
bool number_parse_whole(struct number_whole *out, const char *s);
/* Reads a JSON number that fills the string. False when it is malformed or too large. */
bool number_parse_double(double *out, const char *s);

#endif
