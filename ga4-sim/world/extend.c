/* Adds days to a world that was made earlier. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/world/calendar.h"
#include "ga4-sim/world/generate_private.h"

static enum err_code generate_load_state(struct generator *g, struct property_writer *w)
{
  struct saved_state state;
  sqlite3_stmt *s = NULL;
  bool found = false;
  if (sqlite3_prepare_v2(g->db, "SELECT state FROM generator_state WHERE property_id=?", -1, &s,
                         NULL) == SQLITE_OK) {
    sqlite3_bind_int64(s, 1, generate_property_number(&w->dealer));
    found = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == (int)sizeof(state);
    if (found)
      memcpy(&state, sqlite3_column_blob(s, 0), sizeof(state));
  }
  sqlite3_finalize(s);
  if (!found)
    return generate_error(g, "generator_state");
  w->visits.prng = state.visits;
  w->plants.prng = state.plants;
  w->visits.next_user = state.next_user;
  w->visits.users_seen = state.users_seen;
  w->plants.next_bot = state.next_bot;
  memcpy(w->visits.recent, state.recent, sizeof(state.recent));
  return ERR_OK;
}

static int64_t read_number(struct generator *g, const char *sql)
{
  sqlite3_stmt *s = NULL;
  int64_t n = -1;
  if (sqlite3_prepare_v2(g->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
    n = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return n;
}

/* Days that are before the world's first by now leave it; the rest are numbered from there. */
static enum err_code drop_old_days(struct generator *g, int64_t shift)
{
  struct calendar_day first;
  char sql[512];
  calendar_fill(&first, g->params->today - (int64_t)g->params->days + 1);
  snprintf(sql, sizeof(sql),
           "DELETE FROM events WHERE property_id IN (SELECT property_id FROM properties) AND "
           "date<'%s'; DELETE FROM sessions WHERE property_id IN (SELECT property_id FROM "
           "properties) AND date<'%s'; DELETE FROM days WHERE date<'%s'; UPDATE days SET "
           "day_number=day_number-%lld; UPDATE meta SET value='%lld' WHERE key='today';",
           first.date, first.date, first.date, (long long)shift, (long long)g->params->today);
  return generate_exec(g, sql);
}

static enum err_code extend_properties(struct generator *g, int64_t first)
{
  AUTO_FREE struct property_writer *w = xcalloc(1, sizeof(*w));
  enum err_code code = ERR_OK;
  uint32_t from, end;
  plan_dealers_of(g->params, &from, &end);
  for (uint32_t i = from; code == ERR_OK && i < end; i++) {
    memset(w, 0, sizeof(*w));
    generate_lay_out(g, w, i);
    code = generate_load_state(g, w);
    if (code == ERR_OK)
      code = generate_visits(g, w, first);
  }
  return code;
}

enum err_code generate_more_days(sqlite3 *db, const struct world_params *params, struct err *e)
{
  struct generator g = {.db = db, .params = params, .e = e};
  g.made_for = read_number(&g, "SELECT value FROM meta WHERE key='made_for'");
  int64_t last = read_number(&g, "SELECT value FROM meta WHERE key='today'");
  enum err_code code =
      generate_exec(&g, "PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; BEGIN;");
  g.next_session = read_number(&g, "SELECT MAX(session_id) FROM sessions") + 1;
  /* The last event is of the last session. */
  g.next_event = read_number(&g, "SELECT MAX(event_id) FROM events WHERE (property_id,date) IN "
                                 "(SELECT property_id,date FROM sessions ORDER BY session_id DESC "
                                 "LIMIT 1)") +
                 1;
  if (code == ERR_OK)
    code = drop_old_days(&g, params->today - last);
  if (code == ERR_OK)
    code = generate_days(&g, (uint32_t)((int64_t)params->days - (params->today - last)));
  if (code == ERR_OK)
    code = generate_prepare(&g);
  if (code == ERR_OK)
    code = extend_properties(&g, last + 1);
  generate_finalize(&g);
  return code == ERR_OK ? generate_exec(&g, "COMMIT;") : code;
}
