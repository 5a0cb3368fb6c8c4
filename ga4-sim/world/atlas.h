/* The fixed facts the world is built from: places, makes and models, channels, pages. */
#ifndef GA4_SIM_ATLAS_H
#define GA4_SIM_ATLAS_H

#include <stddef.h>
#include <stdint.h>

enum { ATLAS_MAX_REGIONS = 6, ATLAS_SUBURBS = 4 };

struct atlas_metro {
  const char *city;
  const char *state;      /* postal code */
  const char *state_name; /* as the `region` dimension gives it */
  const char *country;
  const char *time_zone;
  const char *currency;
  const char *suburbs[ATLAS_SUBURBS];
};

struct atlas_region {
  const char *name;
  const struct atlas_metro *metros;
  size_t metro_count;
};

struct atlas_model {
  const char *name;
  const char *body; /* item_type */
  const char *fuel; /* item_fuel_type */
  uint32_t price;   /* typical, whole currency units */
  uint32_t weight;  /* how often shoppers look at it */
  int32_t drift_pm; /* change of the weight over 400 days, per mille */
};

struct atlas_make {
  const char *name;
  const struct atlas_model *models;
  size_t model_count;
};

/* A source of traffic and how its visitors behave (per mille each). */
struct atlas_channel {
  const char *channel;
  const char *source;
  const char *medium;
  const char *campaign; /* "{make}" stands for the dealer's make */
  uint32_t weight;
  uint32_t bounce_pm;
  uint32_t shopper_pm;     /* of those who stay: look at inventory */
  uint32_t vdp_landing_pm; /* land on a vehicle page */
  uint32_t lead_pm;        /* factor on the chance of a lead, 1000 = average */
};

extern const struct atlas_region atlas_regions[ATLAS_MAX_REGIONS];
extern const struct atlas_make atlas_makes[];
extern const size_t atlas_make_count;
extern const struct atlas_channel atlas_channels[];
extern const size_t atlas_channel_count;
extern const char *const atlas_family_names[];
extern const size_t atlas_family_name_count;

#endif
