/* What making a world (generate.c) and extending one (extend.c) have in common. */
#ifndef GA4_SIM_GENERATE_PRIVATE_H
#define GA4_SIM_GENERATE_PRIVATE_H

#include "ga4-sim/world/generate.h"
#include "ga4-sim/world/inventory.h"
#include "ga4-sim/world/plants.h"
#include "ga4-sim/world/rows.h"
#include "ga4-sim/world/visits.h"

struct generator {
  sqlite3 *db;
  const struct world_params *params;
  struct rows_writer rows;
  struct {
    const char *table;
    sqlite3_stmt *stmt;
  } insertions[16]; /* of single rows */
  size_t insertion_count;
  int64_t made_for; /* the world's today when it was first made */
  int64_t next_session, next_event;
  struct err *e;
};

/* A property while its days are written. */
struct property_writer {
  struct plan_dealer dealer;
  struct inventory inventory;
  struct visit_context visits;
  struct plants plants;
};

/* Where the chances of a property stand after its last day, so that further days follow as if they
 * had been made at once. */
struct saved_state {
  struct prng visits, plants;
  uint64_t next_user, users_seen, next_bot, recent[VISIT_RECENT_USERS];
};

/* Says what could not be written. */
enum err_code generate_error(struct generator *g, const char *what);
enum err_code generate_exec(struct generator *g, const char *sql);
/* The calendar; from: number of the first day that is not there yet. */
enum err_code generate_days(struct generator *g, uint32_t from);
/* The statements of g->rows. */
enum err_code generate_prepare(struct generator *g);
/* Of these and of what else was inserted; whatever the above returned. */
void generate_finalize(struct generator *g);
/* Lays out a property as it was when the world was first made. */
void generate_lay_out(struct generator *g, struct property_writer *w, uint32_t index);
/* Visits of the days from first on, up to today, and the state after them. They are made on a
 * thread of their own while this one writes (happenings.c). */
enum err_code generate_visits(struct generator *g, struct property_writer *w, int64_t first);
int64_t generate_property_number(const struct plan_dealer *d);

#endif
