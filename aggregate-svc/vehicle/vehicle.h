/* Which vehicle a text names: the value of a field, the path of a vehicle page, or a page title.
 *
 * The catalogue is config/vehicles.json, compiled into one trie of squeezed names (make and model
 * names and their aliases without blanks and signs: "F-150", "f150" and "F 150" are one key). A
 * text is split into tokens and every run of up to eight tokens is looked up, so a key is found
 * only between borders of tokens: "M340i" holds no M3, "CX-50" no CX-5. Short, numeric and
 * everyday words count only beside their make. There is no edit distance (Q5 and Q7 are one edit
 * apart): what does not match is listed by the caller, never guessed.
 *
 * Pure, no allocation, any thread. */
#ifndef AMCP_AGGREGATE_VEHICLE_VEHICLE_H
#define AMCP_AGGREGATE_VEHICLE_VEHICLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vehicle_powertrain {
  VEHICLE_ICE,
  VEHICLE_HYBRID,
  VEHICLE_PHEV,
  VEHICLE_EV,
  VEHICLE_POWERTRAINS,
  VEHICLE_POWERTRAIN_UNKNOWN = VEHICLE_POWERTRAINS /* the model has several, the text names none */
};

struct vehicle_model {
  uint16_t make;       /* index into vehicle_makes */
  uint8_t body;        /* index into vehicle_bodies */
  uint8_t powertrains; /* bit 1 << enum vehicle_powertrain */
  const char *name;    /* "F-150" */
  const char *segment; /* "large_truck" */
};

extern const char *const vehicle_makes[];
extern const size_t vehicle_makes_len;
extern const char *const vehicle_bodies[]; /* "sedan", "suv", ... */
extern const size_t vehicle_bodies_len;
/* Sorted by make, then name: the index is the model's number. */
extern const struct vehicle_model vehicle_models[];
extern const size_t vehicle_models_len;

struct vehicle {
  uint16_t model; /* index into vehicle_models */
  enum vehicle_powertrain powertrain;
  int year; /* model year named in the text, 0 for none */
};

/* "ice", "hybrid", "phev", "ev"; "ice_or_unknown" for VEHICLE_POWERTRAIN_UNKNOWN. */
const char *vehicle_powertrain_name(enum vehicle_powertrain p);

/* A field that holds a model, such as item_model, and the field that holds its make; `make` may
 * be NULL or "" where it is not known. False when the pair names no vehicle of the catalogue, or
 * more than one. */
bool vehicle_match_field(struct vehicle *out, const char *model, size_t model_len, const char *make,
                         size_t make_len);

/* A path or a title. Call it for vehicle and listing pages alone, not for blogs: a city or a word
 * can be a model. False also when the text compares vehicles. */
bool vehicle_match_text(struct vehicle *out, const char *text, size_t len);

/* The squeezed form of a raw value, under which overrides are kept and unmatched values are
 * counted; cut to cap - 1. Returns its length. */
size_t vehicle_squeeze(char *out, size_t cap, const char *text, size_t len);

/* What one website calls a model. */
struct vehicle_alias {
  char key[81]; /* squeezed */
  uint8_t len;
  uint16_t model;
};
struct vehicle_aliases {
  const struct vehicle_alias *list;
  size_t n;
};
/* False, and *out is not filled, when the words hold nothing to look for or the catalogue has no
 * such model. */
bool vehicle_alias_make(struct vehicle_alias *out, const char *words, const char *make,
                        const char *model);
/* The alias that a run of the text's tokens is; of several the longest, then the leftmost. It
 * stands above the catalogue: ask before vehicle_match_field() and vehicle_match_text(). */
bool vehicle_alias_match(struct vehicle *out, const struct vehicle_aliases *aliases,
                         const char *text, size_t len);

/* "F-150" of "Ford" by exact squeezed names or aliases; false if the catalogue has no such model.
 * For overrides, which name their target so. */
bool vehicle_find(uint16_t *model, const char *make, const char *name);

#endif
