/* Who is in the world: dealers, owners, regions, credentials, odd set-ups. */
#ifndef GA4_SIM_PLAN_H
#define GA4_SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ga4-sim/world/atlas.h"

enum { PLAN_MAX_DEALERS = 1000, PLAN_MAX_DAYS = 1200, PLAN_MAX_PLANTS = 33 };
/* Worlds of more dealers are lazy: what happens at a dealer's site is made when it is first asked
 * for (readers.h). */
enum { PLAN_EAGER_DEALERS = 200 };

/* Signs of suspect data (plants.c); a dealer may show several. */
enum plan_sign {
  SIGN_BOT_WAVE = 1,
  SIGN_GAP = 2,
  SIGN_LATE_START = 4,
  SIGN_DUPLICATES = 8,
  SIGN_KEY_EVENTS = 16,
  SIGN_CONSENT_SHIFT = 32,
  SIGN_SELF_REFERRAL = 64
};

/* What a database holds. */
enum plan_part {
  PLAN_WHOLE,     /* all dealers and all that happens */
  PLAN_DIRECTORY, /* all dealers, without their sites and sessions */
  PLAN_ONE,       /* one dealer with everything, as it is in the whole world */
};

struct plan_plant {
  unsigned sign; /* enum plan_sign */
  uint32_t index;
};

/* What decides the world's content. */
struct world_params {
  uint64_t seed;
  uint32_t dealers; /* 1..PLAN_MAX_DEALERS */
  uint32_t regions; /* 1..ATLAS_MAX_REGIONS */
  uint32_t days;    /* 1..PLAN_MAX_DAYS, the last one is today */
  int64_t today;    /* days since 1970-01-01 */
  bool demo;        /* the demo world: larger, alike but for what is planted */
  struct plan_plant plants[PLAN_MAX_PLANTS];
  uint32_t plant_count;
  enum plan_part part;
  uint32_t one; /* index of the dealer of PLAN_ONE */
};

/* One dealer with its one account and one property. Plain data. */
struct plan_dealer {
  uint32_t index; /* from 0 */
  const struct atlas_region *region;
  const struct atlas_metro *metro;
  const struct atlas_make *make;
  char dealer_id[8];
  char account_id[12];
  char property_id[12];
  char name[96];
  char owner[80];
  char group_tags[2][96];
  char host[96];
  char client_id[96];
  char client_secret[64];
  char refresh_token[96];
  const char *lead_event;      /* configured lead event; NULL: left to detection */
  uint32_t base_milli;         /* sessions on an average day, in thousandths */
  int32_t drift_pm;            /* change of traffic over 400 days, per mille */
  uint32_t quality_pm;         /* factor on the chance of a lead, 1000 = average */
  uint32_t service_pm;         /* share of service visits among non-shoppers */
  bool asc_events;             /* fires the ASC event set */
  bool asc_registered;         /* registered the item_* custom dimensions */
  bool generate_lead;          /* fires generate_lead beside its form event */
  bool derivatives;            /* fires asc_form_submission_sales / _service too */
  bool form_submit_unreliable; /* enhanced measurement misses most forms */
  bool call_is_key_event;
  bool chats;           /* fires asc_comm_engagement and asc_comm_submission: chats and texts */
  bool comm_registered; /* registered comm_type, which tells the two apart */
  bool tracking_gap;    /* nothing recorded from 45 to 37 days ago */
  bool high_cardinality;
  bool sampled;
  bool thresholded;
  unsigned signs;   /* enum plan_sign */
  uint32_t stay_pm; /* factor on the share of visits that do not bounce; 0: none */
};

/* First and last day of the tracking gap, as days before today. */
enum { PLAN_GAP_FIRST = 45, PLAN_GAP_LAST = 37 };

/* Fills dealer number index of the world. Deterministic in params->seed. */
void plan_dealer_fill(struct plan_dealer *d, const struct world_params *params, uint32_t index);
/* The dealers that a database holds: indices from *first to before *end. */
void plan_dealers_of(const struct world_params *params, uint32_t *first, uint32_t *end);
/* Lower-case words joined by dashes ("Grand Cherokee" -> "grand-cherokee"). */
void plan_slug(char *out, size_t size, const char *text);

#endif
