/* Sessions and events of a property on their way into the database: some of one day's. */
#ifndef GA4_SIM_ROWS_H
#define GA4_SIM_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "ga4-sim/world/visits.h"

enum { ROWS_SESSIONS = 256, ROWS_EVENTS = 4096, ROWS_NAMES = 32 };

struct rows_session {
  int64_t session_id;
  int64_t numbers[9];   /* hour ... key_events, as the columns follow */
  const char *words[9]; /* channel, source, medium, device ... country; they outlive the rows */
  char campaign[64], landing_page[160], landing_query[96];
};

struct rows_event {
  int64_t event_id, session_id;
  int64_t page_id, vehicle_id; /* -1: none */
  const char *name, *department, *comm_type;
  uint32_t hour, count, engagement_s;
  uint8_t place; /* of the name in rows.names; ROWS_NAMES: there was no room */
};

/* 0.4 MB: on the heap. Not thread-safe; one thread at a time has it. */
struct rows {
  char date[12]; /* YYYYMMDD */
  uint32_t session_count, event_count, name_count;
  const char *names[ROWS_NAMES]; /* of the events, in the order of their first use */
  struct rows_session sessions[ROWS_SESSIONS];
  struct rows_event events[ROWS_EVENTS];
  uint16_t order[ROWS_EVENTS]; /* after rows_sort(): indices of events by name */
};

/* Empties the rows; they are of this day now. */
void rows_begin(struct rows *r, const char *date);
/* Whether one more visit fits, whatever it does. */
bool rows_fit(const struct rows *r);
/* Adds a visit and its events under the next numbers. Precondition: rows_fit(). */
void rows_add(struct rows *r, const struct inventory *inv, const struct visit *v,
              int64_t *next_session, int64_t *next_event);
/* Puts the events into the order of their table, as the tree is quick to grow at its end. */
void rows_sort(struct rows *r);

/* Statements that insert rows. Zero it, rows_prepare(), rows_finalize() whatever that returned. */
struct rows_writer {
  sqlite3_stmt *session, *event, *events;
};
/* These return SQLite's codes. */
int rows_prepare(struct rows_writer *w, sqlite3 *db);
int rows_write(struct rows_writer *w, const struct rows *r, int64_t property_id);
void rows_finalize(struct rows_writer *w);

#endif
