/* The compiled catalogue: names of makes and models in one trie. Written by generate.c at build
 * time from config/vehicles.json. */
#ifndef AMCP_AGGREGATE_VEHICLE_TRIE_H
#define AMCP_AGGREGATE_VEHICLE_TRIE_H

#include <stddef.h>
#include <stdint.h>

enum { VEHICLE_NO_MAKE = UINT16_MAX };

/* What one squeezed name stands for. */
struct vehicle_key {
  uint16_t make;     /* VEHICLE_NO_MAKE, or the make it names */
  uint16_t first;    /* into vehicle_key_models */
  uint8_t n;         /* models of that name, of different makes */
  uint8_t len;       /* characters */
  uint8_t weak;      /* counts only beside its make */
  uint8_t bare_weak; /* an everyday word even there: in a text only last or before a number */
};

struct vehicle_node {
  uint16_t child;   /* first child, 0 for none */
  uint16_t sibling; /* next child of the same parent, 0 for none */
  uint16_t key;     /* 1 + index into vehicle_keys, 0 for none */
  char c;
};

/* A dealer of `make` also sells, or sold under its name, the models of `other`. */
struct vehicle_family {
  uint16_t make, other;
};

extern const struct vehicle_node vehicle_nodes[]; /* [0] is the root */
extern const struct vehicle_key vehicle_keys[];
extern const uint16_t vehicle_key_models[];
extern const struct vehicle_family vehicle_families[];
extern const size_t vehicle_families_len;

#endif
