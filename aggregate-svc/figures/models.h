/* Reports over vehicles as sums per dealer, model and day: the fold of the vehicle tools.
 *
 * A row of a report names a vehicle by two dimensions: item_make and item_model where the property
 * has registered them, else the path and the title of a vehicle page. It is matched once per pair
 * of values and then added into a cell, so memory grows with models and days, not with rows. Which
 * dimensions a report of a dealer has, and what each one means, its source says: dealers of one
 * call may have different sources. What names no vehicle of the catalogue is counted and listed as
 * it came, never guessed. */
#ifndef AMCP_AGGREGATE_MODELS_H
#define AMCP_AGGREGATE_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/budget.h"
#include "aggregate-svc/figures/cells.h"
#include "aggregate-svc/figures/fold.h"
#include "aggregate-svc/figures/metrics.h"
#include "aggregate-svc/period/period.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/arena.h"

enum {
  MODELS_RANGES = 2,     /* date ranges of a report */
  MODELS_DIMENSIONS = 6, /* of a report */
  MODELS_NONE = 0xffff,  /* in place of a model: nothing of the catalogue */
};

/* Reports, by query_id. */
enum models_query {
  MODELS_VDP,         /* sessions with a vehicle page view, and the views */
  MODELS_VIEWS,       /* vehicle page views by model */
  MODELS_KINDS,       /* the same by condition and fuel, where views have neither */
  MODELS_LEADS,       /* lead events by model */
  MODELS_LEAD_TOTALS, /* lead events, also those that name no vehicle */
  MODELS_DAYS,        /* sessions by day, of the days before them, too */
  MODELS_QUERIES,
};

/* What a dimension means. */
enum models_role {
  ROLE_DATE,      /* 20261129 */
  ROLE_WEEK,      /* 202648, ISO */
  ROLE_EVENT,     /* eventName */
  ROLE_MAKE,      /* or the path of a page */
  ROLE_MODEL,     /* or the title of a page */
  ROLE_CONDITION, /* new, used ... */
  ROLE_FUEL,
  ROLE_RANGE, /* date_range_0, 1, or that of the look-back */
};

struct models_layout {
  uint8_t roles[MODELS_DIMENSIONS];
  uint8_t n;
};

/* How the reports of some dealers are read. */
struct models_source {
  bool fields; /* item_make and item_model; false: path and title of vehicle pages */
  struct models_layout layouts[MODELS_QUERIES];
};

enum models_condition { CONDITION_UNKNOWN, CONDITION_NEW, CONDITION_USED, MODELS_CONDITIONS };

/* What a cell sums. For MODELS_LEADS `slot` is the event, for the others the day (of a week its
 * Monday) as days since 1970-01-01; 0 without one. */
struct models_key {
  enum models_query query;
  unsigned range;
  enum models_condition condition;
  unsigned powertrain; /* enum vehicle_powertrain */
  uint16_t model;      /* of the catalogue, or MODELS_NONE */
  uint16_t slot;
};
uint64_t models_pack(struct models_key key);
struct models_key models_unpack(uint64_t key);

/* Totals of a dealer in a range. */
struct models_totals {
  int64_t sessions, vdp_sessions, vdp_views;
};

/* Values that matched nothing, with their views in the first range. */
struct models_unmatched {
  struct cells cells; /* key: hash of the text */
  char **texts;       /* of the cells, in their order */
  size_t cap;
};

struct models_pages; /* a report of a dealer while it arrives */

struct models_member {
  struct models_totals totals[MODELS_RANGES];
  struct cells cells;
  struct models_unmatched unmatched;
  int64_t *lead_events, *lead_sessions; /* range x event; NULL: none came */
  int64_t firings[LEAD_FIXED];          /* of the candidates for the lead event, in the look-back */
  struct arena *texts;
  long long text_bytes;
  struct models_pages *open[MODELS_QUERIES];
};

struct models_fold {
  const struct models_source *sources;
  const uint16_t *source_of;             /* per member */
  const struct vehicle_aliases *aliases; /* per member, lent; NULL: none */
  const struct lead_events *leads;
  unsigned look_back; /* date range of lead reports that holds the look-back; 0: there is none */
  unsigned
      ranges; /* of the periods asked about; 0: MODELS_RANGES. Those behind them are baselines */
  struct models_member *members;
  struct dealer_notes *notes;
  size_t n;
  struct budget budget;
};
extern const struct fold models_fold; /* over a struct models_fold */

/* sources, source_of and leads are lent. */
void models_fold_init(struct models_fold *f, const struct models_source *sources,
                      const uint16_t *source_of, const struct lead_events *leads, size_t n_members,
                      struct budget budget);

static inline const struct models_source *models_source_of(const struct models_fold *f,
                                                           size_t member)
{
  return &f->sources[f->source_of[member]];
}
/* How often lead events fired, or in how many sessions, in the order of the leads' names. NULL when
 * the dealer has none. */
const int64_t *models_lead_events(const struct models_fold *f, size_t member, unsigned range);
const int64_t *models_lead_sessions(const struct models_fold *f, size_t member, unsigned range);

/* What is suspect at every member: its lead event, leads and sessions of the period, the findings
 * in its days and in those of the period before (NULL: there is none), and the effects. They live
 * in the arena, which must have no cap. Reads time zone files: not for a poller. */
struct models_signs {
  const struct cohort *cohort;
  const struct period *period, *before;
  int64_t now_unix_ms;
};
struct dealer_figures *models_find_signs(const struct models_fold *f, const struct models_signs *q,
                                         struct arena *arena);

/* "2024 Used certified" and the like; CONDITION_UNKNOWN when no word says it. Of a path: a folder
 * or the beginning of a name, such as /used/ or /inventory/new-2024-. */
enum models_condition models_condition_of(const char *text);
/* The powertrain that item_fuel_type names; VEHICLE_POWERTRAIN_UNKNOWN for other texts. */
unsigned models_powertrain_of(const char *fuel);

#endif
