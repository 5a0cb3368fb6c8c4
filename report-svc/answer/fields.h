/* Ranks a property's dimensions and metrics by words. Pure. */
#ifndef AMCP_REPORT_ANSWER_FIELDS_H
#define AMCP_REPORT_ANSWER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/arena.h"
#include "common/base/words.h"
#include "common/ga4/former.h"

/* A field as it is ranked. Points into the metadata. */
struct field_match {
  enum ga4_kind kind;
  const char *api_name, *ui_name, *meaning;
  const char *former; /* NULL: none */
  bool custom;
  bool own;          /* not GA4's (common/ga4/own.h) */
  unsigned missing;  /* words of the query that stand nowhere in it */
  unsigned distance; /* of the others: less is nearer */
  size_t order;      /* in the metadata */
};

struct field_search {
  const char *query; /* "" finds all, in Google's order */
  enum ga4_kind kinds;
  bool custom_only;
};

/* What was found, in the arena, best first. */
struct field_matches {
  struct field_match *items;
  size_t n;
  bool closest; /* no field has all words: these have the most of them, or the most alike names */
};

/* A word counts where words_distance() finds it: in the names first (a name of Universal Analytics
 * is one of them), then in the meaning. Fields in which all words stand are found; without one,
 * those that have the most words; without any, the three whose names are most alike. False at the
 * arena's cap. */
bool fields_search(struct field_matches *out, const Analytics__Ga4__V1beta__Metadata *metadata,
                   const struct field_search *search, struct arena *arena);

/* What a value of a field belongs to: "event", "session", "user" or "item" (by the names of
 * Google's schema; a custom field says so itself). */
const char *field_scope(const char *api_name);

#endif
