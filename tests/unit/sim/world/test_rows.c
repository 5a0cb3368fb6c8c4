/* Rows on their way into the world: numbered as they come, inserted by name, all of them. */
#include "ga4-sim/world/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/world/schema.h"
#include "tests/unit/harness.h"

static const struct atlas_channel channel = {.channel = "Direct", .source = "a", .medium = "b"};

static struct visit visit_of(const char *const *names, uint32_t n)
{
  struct visit v = {.channel = &channel,
                    .device = "desktop",
                    .browser = "Edge",
                    .operating_system = "Windows",
                    .city = "Ashburn",
                    .state = "Virginia",
                    .country = "United States",
                    .event_rows = n};
  for (uint32_t i = 0; i < n; i++)
    v.events[i] = (struct visit_event){.name = names[i], .count = i + 1, .page = -1, .vehicle = -1};
  return v;
}

static void events_are_ordered_by_name_and_then_by_number(void)
{
  static const char *const names[] = {"scroll", "call", "scroll", "form"};
  AUTO_FREE struct rows *r = xmalloc(sizeof(*r));
  AUTO_FREE char *equal = xstrdup("call"); /* another string of the same text */
  struct visit v = visit_of(names, 4), w = visit_of((const char *const[]){equal}, 1);
  int64_t session = 7, event = 100;
  rows_begin(r, "20261120");
  rows_add(r, NULL, &v, &session, &event);
  rows_add(r, NULL, &w, &session, &event);
  rows_sort(r);
  static const int64_t expected[] = {101, 104, 103, 100, 102};
  CU_ASSERT_EQUAL(session, 9);
  CU_ASSERT_EQUAL(event, 105);
  for (uint32_t i = 0; i < 5; i++)
    CU_ASSERT_EQUAL(r->events[r->order[i]].event_id, expected[i]);
  CU_ASSERT_EQUAL(r->events[4].session_id, 8);
}

static void more_names_than_have_a_place_come_last(void)
{
  enum { NAMES = ROWS_NAMES + 8 };
  AUTO_FREE struct rows *r = xmalloc(sizeof(*r));
  char texts[NAMES][8];
  const char *names[NAMES];
  bool seen[NAMES] = {false};
  int64_t session = 1, event = 0;
  for (int i = 0; i < NAMES; i++) {
    snprintf(texts[i], sizeof(texts[i]), "n%02d", NAMES - i);
    names[i] = texts[i];
  }
  struct visit v = visit_of(names, NAMES);
  rows_begin(r, "20261120");
  rows_add(r, NULL, &v, &session, &event);
  rows_sort(r);
  for (uint32_t i = 0; i < NAMES; i++) {
    CU_ASSERT_FALSE(seen[r->order[i]]);
    seen[r->order[i]] = true;
    CU_ASSERT_TRUE(i == 0 || i >= ROWS_NAMES ||
                   strcmp(names[r->order[i - 1]], names[r->order[i]]) < 0);
    CU_ASSERT_EQUAL(r->order[i] >= ROWS_NAMES, i >= ROWS_NAMES);
  }
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
  sqlite3_stmt *s = NULL;
  CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_step(s), SQLITE_ROW);
  int64_t n = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return n;
}

/* As many as fit: some insertions of many rows and some of one. */
static void a_full_set_arrives_whole(void)
{
  static const char *const names[] = {"scroll", "call", "form"};
  AUTO_FREE struct rows *r = xmalloc(sizeof(*r));
  struct visit v = visit_of(names, 3);
  struct rows_writer w = {0};
  int64_t session = 1, event = 1;
  sqlite3 *db = NULL;
  sqlite3_open(":memory:", &db);
  CU_ASSERT_EQUAL(sqlite3_exec(db, schema_tables, NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT_EQUAL_FATAL(rows_prepare(&w, db), SQLITE_OK);
  rows_begin(r, "20261120");
  while (rows_fit(r))
    rows_add(r, NULL, &v, &session, &event);
  rows_sort(r);
  CU_ASSERT_EQUAL(rows_write(&w, r, 12), SQLITE_OK);
  CU_ASSERT_EQUAL(session - 1, ROWS_SESSIONS);
  CU_ASSERT_EQUAL(number_of(db, "SELECT COUNT(*) FROM sessions WHERE property_id=12"),
                  ROWS_SESSIONS);
  CU_ASSERT_EQUAL(number_of(db, "SELECT COUNT(*) FROM events WHERE property_id=12 AND "
                                "date='20261120' AND session_id=(event_id+2)/3 AND page_id IS NULL "
                                "AND count=(event_id-1)%3+1 AND name=CASE count WHEN 1 THEN "
                                "'scroll' WHEN 2 THEN 'call' ELSE 'form' END"),
                  3 * ROWS_SESSIONS);
  CU_ASSERT_NOT_EQUAL(rows_write(&w, r, 12), SQLITE_OK); /* the same numbers again */
  rows_finalize(&w);
  sqlite3_close(db);
}

TEST_MAIN("sim_rows", TEST(events_are_ordered_by_name_and_then_by_number),
          TEST(more_names_than_have_a_place_come_last), TEST(a_full_set_arrives_whole))
