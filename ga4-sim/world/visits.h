/* One visit to a dealer's site: what the visitor is, does and leaves behind. */
#ifndef GA4_SIM_VISITS_H
#define GA4_SIM_VISITS_H

#include <stdbool.h>
#include <stdint.h>

#include "ga4-sim/base/prng.h"
#include "ga4-sim/world/inventory.h"
#include "ga4-sim/world/plan.h"

enum { VISIT_MAX_EVENTS = 96, VISIT_RECENT_USERS = 384 };

/* `count` firings of one event with the same attributes. */
struct visit_event {
  const char *name;
  uint32_t hour;
  uint32_t count;
  uint32_t engagement_s;
  int32_t page;    /* index into the inventory's pages; -1 none */
  int32_t vehicle; /* index into the inventory's vehicles; -1 none */
  const char *department;
  const char *comm_type; /* of a chat or text; NULL: none is sent */
};

struct visit {
  uint32_t hour;
  uint64_t user_id;
  bool is_new;
  bool engaged;
  uint32_t duration_s;
  uint32_t engagement_s;
  uint32_t page_views;
  uint32_t event_count;
  uint32_t key_events;
  const struct atlas_channel *channel;
  char campaign[64];
  char landing_page[160];
  char landing_query[96]; /* with the leading '?', or empty */
  const char *device;
  const char *browser;
  const char *operating_system;
  const char *city;
  const char *state;
  const char *country;
  struct visit_event events[VISIT_MAX_EVENTS];
  uint32_t event_rows;
};

/* State carried from visit to visit of one property. */
struct visit_context {
  const struct plan_dealer *dealer;
  const struct inventory *inventory;
  struct prng prng;
  uint32_t line_weights[INVENTORY_MAX_LINES]; /* of the current day */
  uint64_t next_user;
  uint64_t recent[VISIT_RECENT_USERS];
  uint64_t users_seen;
};

/* Prepares the context of a property. */
void visit_context_init(struct visit_context *c, const struct plan_dealer *d,
                        const struct inventory *inv, uint64_t seed);
/* Sets the interest in each model for a day (0 is the first). */
void visit_context_day(struct visit_context *c, uint32_t day);
/* Simulates one visit. */
void visit_make(struct visit_context *c, struct visit *v, uint32_t day_of_week);
/* Whether an event is a key event of the dealer's property. */
bool visit_is_key_event(const struct plan_dealer *d, const char *name);

#endif
