/* The dealers and their websites, without any secret: what policy decides over.
 *
 * Built once by the loader, immutable afterwards, so every thread may read it. */
#ifndef AMCP_AUTH_DIRECTORY_H
#define AMCP_AUTH_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"

enum {
  DIRECTORY_MAX_DEALERS = 10000,
  DIRECTORY_MAX_PROPERTIES = 50, /* of one dealer */
  DIRECTORY_MAX_GROUPS = 50,     /* of one dealer */
  DIRECTORY_MAX_OVERRIDES = 50,  /* of one dealer */
  DIRECTORY_MAX_ID = 64,         /* bytes of an id */
  DIRECTORY_MAX_TEXT = 128,      /* bytes of a name, region, city, ... */
};

/* make, model, condition, type, year */
enum { VEHICLE_ATTRIBUTES = 5 };

/* What a website calls a model of the vehicle catalogue. */
struct vehicle_override {
  const char *value, *make, *model;
};

struct dealer {
  const char *dealer_id;
  const char *account_id;
  const char *name;
  const char *region;
  const char *city; /* "" when not given, as are those below */
  const char *state;
  const char *owner;      /* who owns the dealership */
  const char *lead_event; /* event that counts as a lead */
  const char *time_zone;
  const char *qualified_session; /* "engaged", "inventory_page", "vdp_view", "event:<name>" */
  const char *vdp_path_pattern;
  const char *vehicle_dimensions[VEHICLE_ATTRIBUTES];
  const struct vehicle_override *vehicle_overrides;
  size_t n_vehicle_overrides;
  const char **property_ids;    /* digits, the default one first */
  const char **property_labels; /* for people: "Main Website (web)"; "" where the file says none */
  size_t n_property_ids;
  const char **groups; /* dealer groups it belongs to */
  size_t n_groups;
  size_t index;        /* place in the directory */
  size_t region_index; /* into regions */
  size_t file_index;   /* place in the file it came from, connected ones after the file's own */
  bool connected;      /* by consent: not in the file */
};

struct property_owner {
  const char *property_id;
  const struct dealer *dealer;
};

/* A set of dealers that figures may be compared within. */
struct catalogued {
  const char *id;      /* "west" */
  const char *label;   /* "West" */
  const char *version; /* "v7"; NULL: derived from the members, see catalogue_version() */
  size_t region;       /* index of its region; n_regions for a named cohort */
  size_t place;        /* in the file's list, when it is written there */
  uint16_t *members;   /* dealer indexes, ascending */
  size_t n_members;
  bool is_region;
  bool benchmark; /* whether callers may compare with members they do not see */
};

struct directory {
  struct arena *arena;    /* holds everything */
  struct dealer *dealers; /* in order of dealer_id */
  size_t n_dealers;
  const char **regions; /* as written, in order without case */
  size_t n_regions;
  struct property_owner *properties; /* in order of property_id */
  size_t n_properties;
  const struct dealer **by_account; /* in order of account_id */
  struct catalogued *cohorts;       /* regions first, each in order of id; see catalogue.h */
  size_t n_cohorts;
  /* Digest of which account and which properties are whose: equal for equal directories. */
  uint64_t assignment;
};

/* Takes n dealers whose texts live in `arena` and orders and indexes them. The directory
 * owns the arena. Ids, accounts and properties must be unique already. */
struct directory *directory_new(struct arena *arena, const struct dealer *dealers, size_t n);
void directory_free(struct directory *d);

/* Each NULL when there is none. Exact match. */
const struct dealer *directory_by_id(const struct directory *d, const char *dealer_id);
const struct dealer *directory_by_account(const struct directory *d, const char *account_id);
/* By either of the two: they share one space. */
const struct dealer *directory_by_name(const struct directory *d, const char *name);
const struct dealer *directory_by_property(const struct directory *d, const char *property_id);
/* Index of a region, letter case does not matter; n_regions when there is none. */
size_t directory_region(const struct directory *d, const char *region);
/* Whether a property of the dealer has a label. */
bool dealer_has_labels(const struct dealer *dealer);
/* Whether a dealer belongs to a group; letter case does not matter. */
bool dealer_in_group(const struct dealer *dealer, const char *group);

#endif
