/* The world at run time: the database, its reader connections, who owns what. */
#ifndef GA4_SIM_WORLD_H
#define GA4_SIM_WORLD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "ga4-sim/world/plan.h"
#include "ga4-sim/world/readers.h"

struct world_definition {
  char *name; /* key event, or parameter of a custom dimension */
  char *display_name;
};

struct world_annotation {
  char *title, *description;
  char *first_day, *last_day; /* YYYYMMDD */
};

/* A property with its dealer, account and credentials. Read-only after start. */
struct world_property {
  int64_t property_id;
  uint32_t index; /* position in world->properties */
  char *id_text;
  char *account_id, *dealer_id, *dealer_name, *region, *city, *state, *owner;
  char *owner_group, *make_group, *lead_event; /* lead_event may be NULL */
  char *display_name, *host, *time_zone, *currency_code, *create_time;
  char *client_id, *client_secret, *refresh_token;
  bool sampled, thresholded, high_cardinality;
  struct world_definition *key_events;
  size_t key_event_count;
  struct world_definition *custom_dimensions;
  size_t custom_dimension_count;
  struct world_definition *custom_metrics; /* registered; the world's events do not carry them */
  size_t custom_metric_count;
  struct world_definition *ads_links; /* name: the customer id */
  size_t ads_link_count;
  struct world_annotation *annotations;
  size_t annotation_count;
};

struct answers;

struct world {
  struct world_params params;
  bool fixed_today; /* --today was given: no time zones, no clock */
  struct world_property *properties;
  size_t property_count;
  struct world_readers *readers;
  struct answers *answers; /* to questions that were asked of its rows */
};

/* Opens the world in db_path (NULL: an anonymous temporary file, or memory where there is no folder
 * for one), generating it
 * when the file is absent or was made for other parameters. A file that is not a
 * world is refused rather than overwritten. Free with world_close(). */
enum err_code world_open(struct world **out, const struct world_params *params, bool fixed_today,
                         const char *db_path, struct err *e);
void world_close(struct world *w);

/* A read-only connection for this thread to where a property's rows are, waiting for one if all are
 * in use; NULL: to the table of dealers. A lazy world makes the rows first; NULL and *e when it
 * cannot. */
sqlite3 *world_reader_acquire(struct world *w, const struct world_property *p, struct err *e);
void world_reader_release(struct world *w, sqlite3 *db);

/* NULL when there is none. Thread-safe, as all lookups. */
const struct world_property *world_property_find(const struct world *w, int64_t property_id);
const struct world_property *world_property_of_account(const struct world *w,
                                                       const char *account_id);
bool world_is_key_event(const struct world_property *p, const char *name);
bool world_has_dimension(const struct world_property *p, const char *parameter);
bool world_has_metric(const struct world_property *p, const char *parameter);
/* The property's "today": --today, or the date now in its time zone. */
int64_t world_today(const struct world *w, const struct world_property *p);

#endif
