/* Sessions and leads of each dealer by the values of one dimension.
 *
 * Which values have a place of their own is decided first, from the dealers that may decide it;
 * everything else adds up under "(other)", so that memory and what has to be compared stay bounded.
 * Counts are parts of ratios and add up to the dealer's totals. Not thread-safe. */
#ifndef AMCP_AGGREGATE_BREAKDOWN_H
#define AMCP_AGGREGATE_BREAKDOWN_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/stats/ratio.h"
#include "common/base/arena.h"
#include "common/base/map.h"

enum {
  BREAKDOWN_VALUES_MAX = 200, /* values of their own */
  BREAKDOWN_LABEL_MAX = 150,  /* bytes; longer values are part of "(other)" */
};
extern const char breakdown_other[]; /* "(other)": Google's own row of that name is in it */
extern const char breakdown_unset[]; /* "(not set)": empty values are in it */

/* A value that has no text: "" and "(not set)" are the same. */
const char *breakdown_label(const char *value);

struct breakdown_value {
  struct map_node in_map;
  const char *label;
  int64_t sessions;          /* of those that decide which values have a place */
  size_t place;              /* among the values */
  struct stats_ratio *parts; /* per member: leads / sessions */
};

struct breakdown {
  struct arena *arena; /* lent; without a cap */
  size_t n_members;
  struct map by_label;
  struct breakdown_value *
      *values; /* after breakdown_choose(): most sessions first, "(other)" last */
  size_t n;
};

void breakdown_init(struct breakdown *b, size_t n_members, struct arena *arena);
/* Frees the map, not the arena. */
void breakdown_free(struct breakdown *b);

/* First: a value with sessions of a dealer that decides. The label is copied. */
void breakdown_propose(struct breakdown *b, const char *label, int64_t sessions);
/* Then: keeps the BREAKDOWN_VALUES_MAX values with most sessions, of equals the first by label. */
void breakdown_choose(struct breakdown *b);
/* Last: the place of a value; "(other)" for one that was not chosen. */
size_t breakdown_find(const struct breakdown *b, const char *label);
static inline struct stats_ratio *breakdown_part(const struct breakdown *b, size_t value,
                                                 size_t member)
{
  return &b->values[value]->parts[member];
}
/* A dealer's parts over all values. */
struct stats_ratio breakdown_total(const struct breakdown *b, size_t member);

#endif
