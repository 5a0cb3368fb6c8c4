/* Sessions and events of a property: gathered, put in order, inserted. */
#include "ga4-sim/world/rows.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

/* Columns of events but for property and day. */
enum { EVENT_OWN_COLUMNS = 10, EVENTS_AT_ONCE = 64 };

void rows_begin(struct rows *r, const char *date)
{
  r->session_count = r->event_count = r->name_count = 0;
  memcpy(r->date, date, strlen(date) + 1);
}

bool rows_fit(const struct rows *r)
{
  return r->session_count < ROWS_SESSIONS && r->event_count + VISIT_MAX_EVENTS <= ROWS_EVENTS;
}

static void add_session(struct rows_session *s, const struct visit *v, int64_t id)
{
  *s = (struct rows_session){
      .session_id = id,
      .numbers = {v->hour, (int64_t)v->user_id, v->is_new, v->engaged, v->duration_s,
                  v->engagement_s, v->page_views, v->event_count, v->key_events},
      .words = {v->channel->channel, v->channel->source, v->channel->medium, v->device, v->browser,
                v->operating_system, v->city, v->state, v->country}};
  memcpy(s->campaign, v->campaign, sizeof(s->campaign));
  memcpy(s->landing_page, v->landing_page, sizeof(s->landing_page));
  memcpy(s->landing_query, v->landing_query, sizeof(s->landing_query));
}

/* Most names are the same string, not only equal ones. */
static uint8_t place_of(struct rows *r, const char *name)
{
  for (uint32_t i = 0; i < r->name_count; i++)
    if (r->names[i] == name)
      return (uint8_t)i;
  for (uint32_t i = 0; i < r->name_count; i++)
    if (strcmp(r->names[i], name) == 0)
      return (uint8_t)i;
  if (r->name_count == ROWS_NAMES)
    return ROWS_NAMES;
  r->names[r->name_count] = name;
  return (uint8_t)r->name_count++;
}

void rows_add(struct rows *r, const struct inventory *inv, const struct visit *v,
              int64_t *next_session, int64_t *next_event)
{
  int64_t session = (*next_session)++;
  add_session(&r->sessions[r->session_count++], v, session);
  for (uint32_t i = 0; i < v->event_rows; i++) {
    const struct visit_event *e = &v->events[i];
    r->events[r->event_count++] = (struct rows_event){
        .event_id = (*next_event)++,
        .session_id = session,
        .page_id = e->page >= 0 ? inv->pages[e->page].page_id : -1,
        .vehicle_id = e->vehicle >= 0 ? inv->vehicles[e->vehicle].vehicle_id : -1,
        .name = e->name,
        .department = e->department,
        .comm_type = e->comm_type,
        .hour = e->hour,
        .count = e->count,
        .engagement_s = e->engagement_s,
        .place = place_of(r, e->name)};
  }
}

/* rank[p]: how many names come before that of place p. */
static void rank_names(const struct rows *r, uint32_t rank[ROWS_NAMES + 1])
{
  for (uint32_t i = 0; i < r->name_count; i++) {
    rank[i] = 0;
    for (uint32_t k = 0; k < r->name_count; k++)
      rank[i] += strcmp(r->names[k], r->names[i]) < 0;
  }
  rank[ROWS_NAMES] = ROWS_NAMES;
}

/* A counting sort: the events of a name stay in the order of their numbers. */
void rows_sort(struct rows *r)
{
  uint32_t rank[ROWS_NAMES + 1], start[ROWS_NAMES + 2] = {0};
  rank_names(r, rank);
  for (uint32_t i = 0; i < r->event_count; i++)
    start[rank[r->events[i].place] + 1]++;
  for (uint32_t i = 1; i < ARRAY_LEN(start); i++)
    start[i] += start[i - 1];
  for (uint32_t i = 0; i < r->event_count; i++)
    r->order[start[rank[r->events[i].place]]++] = (uint16_t)i;
}

/* ------------------------------------------------------------------ into the database */

/* An insertion of so many events. ?1 and ?2 are what they share, property and day; the rest of the
 * columns follow event by event. */
static int prepare_events(sqlite3 *db, int count, sqlite3_stmt **out)
{
  struct buf sql = BUF_INIT(32768);
  int n = 3;
  buf_puts(&sql, "INSERT INTO events VALUES");
  for (int i = 0; i < count; i++) {
    buf_printf(&sql, "%s(?%d,?%d,?1,?2", i == 0 ? "" : ",", n, n + 1);
    n += 2;
    for (int k = 0; k < EVENT_OWN_COLUMNS - 2; k++)
      buf_printf(&sql, ",?%d", n++);
    buf_putc(&sql, ')');
  }
  int rc = sqlite3_prepare_v3(db, buf_str(&sql), -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
  buf_free(&sql);
  return rc;
}

int rows_prepare(struct rows_writer *w, sqlite3 *db)
{
  int rc = sqlite3_prepare_v3(db,
                              "INSERT INTO sessions VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                              "?,?,?,?)",
                              -1, SQLITE_PREPARE_PERSISTENT, &w->session, NULL);
  if (rc == SQLITE_OK)
    rc = prepare_events(db, 1, &w->event);
  return rc == SQLITE_OK ? prepare_events(db, EVENTS_AT_ONCE, &w->events) : rc;
}

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
  sqlite3_bind_text(s, column, text, -1, SQLITE_STATIC);
}

static void bind_id(sqlite3_stmt *s, int column, int64_t id)
{
  if (id >= 0)
    sqlite3_bind_int64(s, column, id);
  else
    sqlite3_bind_null(s, column);
}

/* first: the first of the columns that are the event's own. */
static void bind_event(sqlite3_stmt *s, int first, const struct rows_event *e)
{
  sqlite3_bind_int64(s, first, e->event_id);
  sqlite3_bind_int64(s, first + 1, e->session_id);
  sqlite3_bind_int64(s, first + 2, e->hour);
  bind_text(s, first + 3, e->name);
  sqlite3_bind_int64(s, first + 4, e->count);
  sqlite3_bind_int64(s, first + 5, e->engagement_s);
  bind_id(s, first + 6, e->page_id);
  bind_id(s, first + 7, e->vehicle_id);
  bind_text(s, first + 8, e->department);
  bind_text(s, first + 9, e->comm_type);
}

/* Once for many rows: a reset keeps what is bound. */
static void bind_shared(sqlite3_stmt *s, int first, int64_t property_id, const char *date)
{
  sqlite3_bind_int64(s, first, property_id);
  bind_text(s, first + 1, date);
}

static int run(sqlite3_stmt *s)
{
  sqlite3_step(s);
  return sqlite3_reset(s);
}

static int write_session(sqlite3_stmt *s, const struct rows_session *row)
{
  int column = 4;
  sqlite3_bind_int64(s, 1, row->session_id);
  for (size_t i = 0; i < ARRAY_LEN(row->numbers); i++)
    sqlite3_bind_int64(s, column++, row->numbers[i]);
  const char *const texts[] = {row->words[0],     row->words[1],      row->words[2], row->campaign,
                               row->landing_page, row->landing_query, row->words[3], row->words[4],
                               row->words[5],     row->words[6],      row->words[7], row->words[8]};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    bind_text(s, column++, texts[i]);
  return run(s);
}

int rows_write(struct rows_writer *w, const struct rows *r, int64_t property_id)
{
  int rc = SQLITE_OK;
  bind_shared(w->session, 2, property_id, r->date);
  bind_shared(w->event, 1, property_id, r->date);
  bind_shared(w->events, 1, property_id, r->date);
  for (uint32_t i = 0; rc == SQLITE_OK && i < r->session_count; i++)
    rc = write_session(w->session, &r->sessions[i]);
  for (uint32_t i = 0; rc == SQLITE_OK && i < r->event_count;) {
    uint32_t n = r->event_count - i < EVENTS_AT_ONCE ? 1 : EVENTS_AT_ONCE;
    sqlite3_stmt *s = n == 1 ? w->event : w->events;
    for (uint32_t k = 0; k < n; k++)
      bind_event(s, 3 + (int)k * EVENT_OWN_COLUMNS, &r->events[r->order[i + k]]);
    rc = run(s);
    i += n;
  }
  /* What the rows point at need not outlive this. */
  sqlite3_clear_bindings(w->session);
  sqlite3_clear_bindings(w->event);
  sqlite3_clear_bindings(w->events);
  return rc;
}

void rows_finalize(struct rows_writer *w)
{
  sqlite3_finalize(w->session);
  sqlite3_finalize(w->event);
  sqlite3_finalize(w->events);
}
