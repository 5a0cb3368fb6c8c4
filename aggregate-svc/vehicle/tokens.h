/* The tokens of a text that may name a vehicle. Pure. */
#ifndef AMCP_AGGREGATE_VEHICLE_TOKENS_H
#define AMCP_AGGREGATE_VEHICLE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/vehicle/vehicle.h"

enum { VEHICLE_TEXT_MAX = 1024, VEHICLE_TOKENS_MAX = 64 };

struct vehicle_token {
  uint16_t at, len; /* in text */
};

/* Lower-case ASCII words and numbers, in order: accents stripped, percent signs decoded, model
 * years, stop words, VINs and hashes left out. What is beyond the first VEHICLE_TEXT_MAX bytes or
 * VEHICLE_TOKENS_MAX tokens is not read. */
struct vehicle_tokens {
  size_t n;
  int year; /* the first one left out; 0 for none */
  struct vehicle_token token[VEHICLE_TOKENS_MAX];
  char text[VEHICLE_TEXT_MAX + 1];
};

void vehicle_tokens_read(struct vehicle_tokens *out, const char *text, size_t len);

/* The powertrain that the tokens name among those a model has. */
enum vehicle_powertrain vehicle_tokens_powertrain(const struct vehicle_tokens *t, unsigned has);

/* Whether a token is the word. */
bool vehicle_token_is(const struct vehicle_tokens *t, size_t i, const char *word);

#endif
