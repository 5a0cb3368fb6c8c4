/* The pages and vehicles of one dealer's site. */
#ifndef GA4_SIM_INVENTORY_H
#define GA4_SIM_INVENTORY_H

#include <stdint.h>

#include "ga4-sim/base/prng.h"
#include "ga4-sim/world/plan.h"

enum site_page {
  PAGE_HOME,
  PAGE_NEW,
  PAGE_USED,
  PAGE_SPECIALS,
  PAGE_SERVICE,
  PAGE_SCHEDULE,
  PAGE_PARTS,
  PAGE_FINANCE,
  PAGE_TRADE,
  PAGE_CONTACT,
  PAGE_ABOUT,
  PAGE_DIRECTIONS,
  PAGE_FIXED_COUNT
};

enum { INVENTORY_MAX_VEHICLES = 320, INVENTORY_MAX_LINES = 96, INVENTORY_MAX_PAGES = 512 };

struct inventory_page {
  int64_t page_id;
  char path[160];
  char title[192];
  const char *page_type;
};

struct inventory_vehicle {
  int64_t vehicle_id;
  uint32_t page; /* index into pages */
  const struct atlas_make *make;
  const struct atlas_model *model;
  const char *condition;
  const char *trim;
  const char *color;
  char vin[20];
  char stock[12];
  uint32_t year;
  uint32_t price;
};

/* The units of one model in one condition: shoppers pick a line, then a unit. */
struct inventory_line {
  const struct atlas_model *model;
  uint32_t list_page;    /* index of the list (SRP) page */
  uint32_t first, count; /* units in vehicles[] */
  uint32_t weight;       /* at the start of the time line */
  int32_t drift_pm;
};

struct inventory {
  struct inventory_page pages[INVENTORY_MAX_PAGES];
  uint32_t page_count;
  struct inventory_vehicle vehicles[INVENTORY_MAX_VEHICLES];
  uint32_t vehicle_count;
  struct inventory_line lines[INVENTORY_MAX_LINES];
  uint32_t line_count;
};

/* Builds the site of a dealer. Ids are unique over the world: they start from the
 * dealer's index times 1,000. */
void inventory_build(struct inventory *inv, const struct plan_dealer *d, struct prng *p,
                     int base_year);

#endif
